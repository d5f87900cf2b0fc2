"""Words as the checks compare them: one key for all spellings, inflections and plain words.

A text is read into tokens. Two tokens are the same word when they share a key: the inflection
stem after one spelling, a longer stem without its derivation, or a group of words that may stand
for each other (``ontologies/statement_words.toml``). Labels mark the words that change a meaning:
negation, hedges, direction, cause, population, route, condition.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final

from kgrag.paths import resource
from kgrag.verification.quotes import APOSTROPHES, DASHES
from kgrag.verification.stems import keys_of, stem

Phrases = dict[str, list[tuple[tuple[str, ...], str]]]

_PLAIN: Final = str.maketrans({**DASHES, **APOSTROPHES, "µ": "μ"})
_TOKEN: Final = re.compile(
    r"[^\W\d_]+(?:-\d+(?![.\d])|\d+[^\W_]*)|[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:[.,]\d+)*|[%;:,.()\[\]/]"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or mark at ``[start, end)`` of the text that was read.

    ``keys`` are what it is compared by; ``labels`` what it does to the meaning. An ``empty``
    word is grammar alone. ``own`` are the keys of what a word such as "ineffective" negates.
    """

    start: int
    end: int
    word: str
    keys: frozenset[str]
    labels: frozenset[str]
    empty: bool
    own: frozenset[str] = frozenset()

    @property
    def number(self) -> bool:
        return self.word[0].isdecimal()

    @property
    def mark(self) -> bool:
        return not self.word[0].isalnum()

    @property
    def content(self) -> bool:
        return not (self.empty or self.mark or self.number)


@dataclass(frozen=True, eq=False)
class Reading:
    """The tokens of a text, and the groups of its phrases: (first token, behind, group)."""

    text: str
    tokens: tuple[Token, ...]
    phrases: tuple[tuple[int, int, str], ...]

    @cached_property
    def groups(self) -> frozenset[str]:
        """All that a word of another text can be covered by."""
        found = {key for token in self.tokens for key in token.keys | token.own}
        return frozenset(found.union(group for _, _, group in self.phrases))

    @cached_property
    def keys(self) -> tuple[frozenset[str], ...]:
        """The keys of each token, with the groups of the phrases that it stands in."""
        found = [set(token.keys) for token in self.tokens]
        for start, end, group in self.phrases:
            for at in range(start, end):
                found[at].add(group)
        return tuple(frozenset(keys) for keys in found)

    @cached_property
    def plain(self) -> str:
        """The words with one space between, contractions written out, marks left out."""
        return " ".join(token.word for token in self.tokens if not token.mark)

    def labelled(self, *labels: str) -> list[int]:
        """The places of the tokens with one of the labels."""
        found = [at for label in labels for at in self._places.get(label, ())]
        return sorted(set(found)) if len(labels) > 1 else found

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = {}
        for at, token in enumerate(self.tokens):
            for label in token.labels:
                places.setdefault(label, []).append(at)
        return places

    @cached_property
    def content(self) -> tuple[int, ...]:
        """The places of the words with content."""
        return tuple(at for at, token in enumerate(self.tokens) if token.content)

    @cached_property
    def counted(self) -> tuple[bool, ...]:
        """Of each token, whether it has content or is a number."""
        return tuple(token.content or token.number for token in self.tokens)

    @cached_property
    def surroundings(self) -> dict[int, tuple[list[frozenset[str]], frozenset[str]]]:
        """What stands around a place, filled in by those who ask."""
        return {}


@lru_cache(maxsize=4_096)
def read(text: str) -> Reading:
    """The text as tokens; contractions are two words, marks are tokens of their own."""
    plain = text.translate(_PLAIN)
    table = _table()
    shouted = plain.isupper()
    words: list[tuple[int, int, str, bool]] = []
    for match in _TOKEN.finditer(plain):
        start, end = match.span()
        raw = match.group()
        letter = len(raw) == 1 and raw.isupper() and (raw != "A" or _names(words)) and raw != "I"
        month = raw == "May" and bool(words) and words[-1][2] not in _ENDS  # no hedge
        short = raw in _SHORT_FORMS and not shouted and _is_short_form(plain, raw, start, end)
        for word in (
            ("may-month",) if month else (f"{raw.lower()}-short",) if short
            else _expanded(raw.lower())
        ):  # fmt: skip
            words.append((start, end, word, letter))
    known = [_word(word) for _, _, word, _ in words]
    stems = [k.stem for k in known]
    phrases = tuple(_matches(stems, table.same))
    longer = [*_matches(stems, table.labels),
              *_matches([word for _, _, word, _ in words], table.exact)]  # fmt: skip
    labels: list[frozenset[str]] = [k.labels for k in known]
    for at, end, label in longer:
        if label != "nothing":  # the phrase has the label, and no word inside it
            for i in range(at, end):
                labels[i] = labels[i] - {label}
    for at, _, label in longer:
        if label != "nothing":
            labels[at] = labels[at] | {label}
    for at, end, label in longer:
        if label == "nothing":
            labels[at:end] = [frozenset()] * (end - at)
    tokens = tuple(
        Token(start, end, word, k.keys, its, k.empty and not letter, k.own)
        for (start, end, word, letter), k, its in zip(words, known, labels, strict=True)
    )
    return Reading(text, tokens, phrases)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a word is wherever it stands."""

    stem: str
    keys: frozenset[str]
    labels: frozenset[str]
    empty: bool
    own: frozenset[str]


@lru_cache(maxsize=65_536)
def _word(word: str) -> _Known:
    table = _table()
    its = stem(word)
    return _Known(
        its,
        frozenset(keys_of(its, word)) | table.one_same.get(its, frozenset()),
        table.one_label.get(its, frozenset()) | table.one_exact.get(word, frozenset()),
        its in table.empty or (len(word) == 1 and word.isalpha()),
        table.negated.get(its, frozenset()),
    )


# Short forms in capitals that would be read as grammar: leukaemia, the organisation, a stenosis.
_SHORT_FORMS: Final = frozenset("ALL WHO IT AS HE IS AN CAN HAS ME OR".split())
_QUANTIFIED: Final = re.compile(
    r"\s+(?:of|the|these|those|other|patients?|people|persons?|adults|children|women|men|infants"
    r"|cases|pregnant|(?!is\b|was\b|has\b)\w+s\b(?! (?:is|was|has)))"
)


def _is_short_form(text: str, raw: str, start: int, end: int) -> bool:
    """Whether the capitals are a name here, and no word that is only stressed."""
    if raw == "ALL":  # "ALL patients"
        return _QUANTIFIED.match(text, end) is None
    if raw == "OR":  # the odds ratio
        return re.match(r"\s*(?:[=:(]|of\b|was\b|is\b|\d)", text[end : end + 12]) is not None
    return True


def _names(words: list[tuple[int, int, str, bool]]) -> bool:
    """Whether a capital A is a name here: "grade A", "vitamin A"."""
    return bool(words) and words[-1][2] in _LETTERED


_ENDS: Final = frozenset(".:;)")
_LETTERED: Final = frozenset(
    "drug drugs treatment regimen arm grade grades vitamin hepatitis type group class influenza"
    " level category factor streptococcus streptococci child-pugh haemophilia hemophilia"
    " stage".split()
)


def _expanded(word: str) -> Iterator[str]:
    """A contraction as its words; a possessive without its ending."""
    stem_, mark, tail = word.partition("'")
    if not word.isascii() and not mark:
        word = _GREEK_IN.sub(lambda m: _GREEK[m[0]], word)
    if not mark:
        yield from ("can", "not") if word == "cannot" else (word,)
    elif tail == "t" and stem_.endswith("n"):
        verb = {"ca": "can", "wo": "will", "sha": "shall"}.get(stem_[:-1], stem_[:-1])
        yield from (verb,) if verb else ()
        yield "not"
    elif tail == "s" and stem_ in _WITH_IS:
        yield from (stem_, "is")
    elif tail in _TAILS:
        yield from (stem_, _TAILS[tail])
    else:
        yield stem_


_GREEK: Final = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "κ": "kappa",
    "λ": "lambda", "σ": "sigma", "ω": "omega",
}  # fmt: skip
_GREEK_IN: Final = re.compile(f"[{''.join(_GREEK)}]")

_TAILS: Final = {"re": "are", "ve": "have", "ll": "will", "d": "would", "m": "am"}
_WITH_IS: Final = frozenset("it that there he she what here who where how this".split())


Names = dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """The reviewed words: groups, labels, words without content, what negated words negate.

    Single words by their stem (``one_exact``: as written) and phrases by their first word.
    """

    one_same: Names
    one_label: Names
    one_exact: Names
    same: Phrases
    labels: Phrases
    exact: Phrases
    empty: frozenset[str]
    negated: Names


@lru_cache(maxsize=1)
def _table() -> Table:
    path = resource("ontologies", "statement_words.toml")
    data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    same = [(phrase, f"={at}") for at, group in enumerate(data["same"]) for phrase in
            group.split("|")]  # fmt: skip
    labels, exact = (
        [(phrase, label) for label, group in data[kind].items() for phrase in group.split("|")]
        for kind in ("labels", "exact")
    )
    one_same, long_same = _phrases(same, stem)
    one_label, long_label = _phrases(labels, stem)
    one_exact, long_exact = _phrases(exact, str)
    negated = {
        stem(word): frozenset(k for other in words.split() for k in keys_of(stem(other), other))
        for word, words in data["negated"].items()
    }
    empty = frozenset(map(stem, data["empty"].split()))
    return Table(one_same, one_label, one_exact, long_same, long_label, long_exact, empty, negated)


def _phrases(pairs: Iterable[tuple[str, str]], form: Callable[[str], str]) -> tuple[Names, Phrases]:
    """Single words with their names, and longer phrases by their first word."""
    one: dict[str, set[str]] = {}
    longer: Phrases = {}
    for phrase, name in pairs:
        words = tuple(
            form(w) for m in _TOKEN.finditer(phrase.lower()) for w in _expanded(m.group())
        )
        if len(words) == 1:
            one.setdefault(words[0], set()).add(name)
        elif (words, name) not in longer.setdefault(words[0], []):
            longer[words[0]].append((words, name))
    return {word: frozenset(names) for word, names in one.items()}, longer


def _matches(words: list[str], phrases: Phrases) -> Iterator[tuple[int, int, str]]:
    for at, first in enumerate(words):
        for phrase, name in phrases.get(first, ()):
            if tuple(words[at : at + len(phrase)]) == phrase:
                yield at, at + len(phrase), name
