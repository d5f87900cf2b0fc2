"""One name for one thing, so that another name of it is no other thing.

Before a claim is held against its evidence, short forms that the evidence defines are written out
in both, short forms made of initials are told by the words that they stand for, and concepts that
the claim calls otherwise are called as the evidence calls them. A number, a denial or an opposite
is never part of such an exchange: names that differ in these are names of different things.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Final, Protocol

from kgrag.linking.abbreviations import definitions
from kgrag.records.concepts import Mention
from kgrag.verification.quotes import fold_text
from kgrag.verification.slots_words import OPPOSITES
from kgrag.verification.split import Aligned, Evidence, Line, align, prepare
from kgrag.verification.stems import stem
from kgrag.verification.words import Reading, Token, read

MOST_CHARS: Final = 40_000
"""Longer evidence is looked through for names only in the sentences nearest to a claim."""
_LEAST_SCORE: Final = 0.7


class Links(Protocol):
    """What finds concepts in a text: ``kgrag.linking.Linker``."""

    def link(self, text: str, start: int = 0, end: int | None = None) -> tuple[Mention, ...]:
        """The mentions of ``text``, in order."""
        ...


def same_kind(one: str, other: str) -> bool:
    """Whether two names differ in no number, no denial and no opposite."""
    if sorted(_DIGITS.findall(one)) != sorted(_DIGITS.findall(other)):
        return False
    first, second = read(one), read(other)
    if _denials(first) != _denials(second):
        return False
    return not any(
        (first.labelled(a) and second.labelled(b)) or (first.labelled(b) and second.labelled(a))
        for a, b in OPPOSITES
    )


def _denials(name: Reading) -> int:
    """How many words deny, "non" among them, which is mostly read as part of a name."""
    words = [token.word for token in name.tokens]
    hidden = sum(
        word == "non" and words[at + 1 : at + 2] != ["steroidal"] for at, word in enumerate(words)
    )
    return hidden + sum("negation" in token.labels and token.word != "non" for token in name.tokens)


def _narrower(one: str, other: str) -> bool:
    """Whether the one name has all words of the other and more, or the other way round."""
    first, second = set(_stems(one)), set(_stems(other))
    return first < second or second < first


DRUGS: Final = ("drug", "chemical")
_DIGITS: Final = re.compile(r"\d+")


# --- short forms that the evidence defines ------------------------------------------------------


def short_forms(texts: Sequence[str]) -> dict[str, str]:
    """The long form of each short form that the texts define, where all mean the same by it."""
    found: dict[str, str] = {}
    doubtful: set[str] = set()
    for text in texts:
        for short, defined in definitions(text).items():
            long = defined.long.of(text)
            if not same_kind(short, long) or read(long).labelled("negation"):
                continue
            if _stems(found.setdefault(short, long)) != _stems(long):
                doubtful.add(short)
    return {short: long for short, long in found.items() if short not in doubtful}


_ITSELF: Final = re.compile(r"(?i)\b(\w[^()\[\]]{1,60}?)\s?[(\[]\s?\1\s?[)\]]")


def written_out(text: str, long_of: Mapping[str, str]) -> str:
    """The text with its short forms written out; a bracket that defines one is left out.

    A short form that the text itself defines otherwise stays.
    """
    text = _ITSELF.sub(r"\1", text)
    used = [short for short in long_of if short in text]
    if not used:
        return text
    own = {short: d.long.of(text) for short, d in definitions(text).items()}
    for short in sorted(used, key=lambda s: (-len(s), s)):
        long = own.get(short, long_of[short])
        if _stems(long) != _stems(long_of[short]):
            continue
        name, written = re.escape(short), rf"(?i:{re.escape(long)})"
        defining = rf"{written}\s*[(\[]\s*{name}\s*[)\]]|\b{name}\s*[(\[]\s*{written}\s*[)\]]"
        plain = re.sub(defining, long.replace("\\", r"\\"), text)
        text = re.sub(rf"(?<![\w-]){name}(?=s?(?![\w-]))", long.replace("\\", r"\\"), plain)
        text = _ITSELF.sub(r"\1", text)
    return text


def _stems(text: str) -> list[str]:
    return [stem(token.word) for token in read(text).tokens if not token.mark]


# --- short forms by their initials --------------------------------------------------------------

_STRESSED: Final = frozenset(
    "possible probable mostly about negation advice order option up down better worse before after"
    " condition cause association".split()
)


def by_initials(claim: str, places: Sequence[str], nearest: Sequence[str] = ()) -> str:
    """The claim with "WHO" for the "World Health Organization" where the places say so, and back.

    Only where the letters are those of one run of words and of no other, among the ``nearest``
    places if there is one, among all else.
    """
    said = read(claim)
    near = [read(place) for place in places]
    first = [read(place) for place in nearest]
    theirs = {
        short: reading.text[token.start : token.end]
        for reading in reversed(near)
        for short, token in _capitals(reading)
    }
    changes: list[tuple[int, int, str]] = []
    for short, token in _capitals(said):
        if short in theirs:
            continue
        runs = {fold_text(run): run for reading in first for run, _ in _runs_of(reading, short)}
        runs = runs or {fold_text(r): r for reading in near for r, _ in _runs_of(reading, short)}
        if len(runs) == 1:
            changes.append((token.start, token.end, next(iter(runs.values()))))
    for short in sorted(theirs.keys() - {s for s, _ in _capitals(said)}):
        spans = [span for _, span in _runs_of(said, short)]
        if any(_told(said, *span, reading) for span in spans for reading in near):
            continue  # the words stand there themselves
        if spans and len({fold_text(claim[a:b]) for a, b in spans}) == 1:
            changes += [(a, b, theirs[short]) for a, b in spans]
    return _changed(claim, changes)


def _told(said: Reading, start: int, end: int, place: Reading) -> bool:
    """Whether the place has all words with content of these characters."""
    return all(
        not said.keys[at].isdisjoint(place.groups)
        for at in said.content
        if start <= said.tokens[at].start < end
    )


@lru_cache(maxsize=1_024)
def _capitals(reading: Reading) -> tuple[tuple[str, Token], ...]:
    """The words in capitals, of two to six letters, without the s of a plural."""
    found = []
    for token in reading.tokens:
        raw = reading.text[token.start : token.end].removesuffix("s")
        if 2 <= len(raw) <= 6 and raw.isalpha() and raw.isupper():
            found.append((raw.lower(), token))
    return tuple(found)


def _runs_of(reading: Reading, letters: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """The runs of words with these initials, and where they stand; grammar inside is skipped."""
    for start, token in enumerate(reading.tokens):
        if token.empty or token.mark or token.word[0] != letters[0]:
            continue
        at, matched = start, 0
        while at < len(reading.tokens) and matched < len(letters):
            here = reading.tokens[at]
            inside = here.word in _INSIDE and 0 < matched < len(letters) - 1
            if (
                (here.content or inside)
                and here.word[0] == letters[matched]
                and _may_name(here, letters)
            ):
                matched += 1
            elif not (here.empty or here.word == "/"):
                break
            at += 1
        if matched == len(letters):
            span = token.start, reading.tokens[at - 1].end
            if span[1] - span[0] > 2 * len(letters):
                yield reading.text[span[0] : span[1]], span


_INSIDE: Final = frozenset("of and the for in to on".split())
"""Grammar that may give a letter: "shortness of breath"."""


def _may_name(token: Token, letters: str) -> bool:
    """Whether the word may be part of such a name: of two letters, no word of doubt or change."""
    if not token.labels.isdisjoint(("negation", "possible", "advice", "order")):
        return False
    return len(letters) > 2 or token.labels.isdisjoint(_STRESSED)


# --- names of one concept -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Called:
    """What the lines of the evidence call each concept: line and name, in their order."""

    names: Mapping[str, tuple[tuple[int, str], ...]]


def called(lines: Sequence[tuple[int, str]], linker: Links) -> Called:
    """How the lines (number, text) call their concepts; they are linked together, as one text."""
    joined = "\n".join(text for _, text in lines)
    starts = [0, *accumulate(len(text) + 1 for _, text in lines)]
    names: dict[str, list[tuple[int, str]]] = {}
    for mention in linker.link(joined):
        if mention.score >= _LEAST_SCORE and "\n" not in mention.text:
            number = lines[bisect_right(starts, mention.start) - 1][0]
            names.setdefault(mention.concept, []).append((number, mention.text))
    return Called({concept: tuple(found) for concept, found in names.items()})


def renamed(
    claim: str, mentions: Sequence[Mention], evidence: Called, nearest: Sequence[Line]
) -> str:
    """The claim with its concepts called as the evidence calls them, the nearest lines first.

    What the nearest lines tell in the claim's own words stays.
    """
    said, near = read(claim), {line.at for line in nearest}
    changes = []
    for mention in mentions:
        names = evidence.names.get(mention.concept, ())
        if mention.score < _LEAST_SCORE or not names:
            continue
        if any(_told(said, mention.start, mention.end, line.reading) for line in nearest) and (
            not _too_often(said, mention, nearest)
        ):
            continue
        own = _stems(mention.text)
        others = [n for n in names if _stems(n[1]) != own]
        if not others:
            continue
        name = min(others, key=lambda n: n[0] not in near)[1]
        if mention.type in DRUGS and _narrower(mention.text, name):
            continue  # "liposomal" and "with codeine" make another medicine
        if same_kind(mention.text, name):
            changes.append((mention.start, mention.end, name))
    return _changed(claim, changes)


def _too_often(said: Reading, mention: Mention, nearest: Sequence[Line]) -> bool:
    """Whether the claim has a word of the mention more often than the nearest lines together."""
    for at in said.content:
        if mention.start <= said.tokens[at].start < mention.end:
            keys = said.tokens[at].keys
            mine = sum(not said.tokens[i].keys.isdisjoint(keys) for i in said.content)
            its = sum(
                not line.reading.tokens[i].keys.isdisjoint(keys)
                for line in nearest
                for i in line.reading.content
            )
            if mine > its:
                return True
    return False


def _changed(text: str, changes: Sequence[tuple[int, int, str]]) -> str:
    """The text with each span replaced; of spans that overlap the first, longest one counts."""
    made, free = [], 0
    for start, end, new in sorted(set(changes), key=lambda c: (c[0], -c[1], c[2])):
        if start >= free:
            made += [text[free:start], new]
            free = end
    return "".join([*made, text[free:]])


class Names:
    """What the texts of the evidence call things; made once for all claims of a statement."""

    def __init__(self, texts: Sequence[str], linker: Links | None) -> None:
        self._long_of = short_forms(texts)
        self._linker = linker
        self._called: Called | None = None

    def evidence(self, texts: Sequence[str], prepared: Evidence) -> Evidence:
        """The evidence with its short forms written out; ``prepared`` where it has none."""
        if not self._long_of:
            return prepared
        return prepare([written_out(text, self._long_of) for text in texts])

    def align(self, claim: str, evidence: Evidence) -> Aligned | None:
        """The claim, in the names of the evidence, with the sentences nearest to it."""
        plain = written_out(claim, self._long_of)
        aligned = align(plain, evidence)
        if aligned is None:
            return None
        whole = sum(len(line.reading.text) for line in evidence.lines) <= MOST_CHARS
        lines = evidence.lines if whole else aligned.lines
        best = [line.reading.text for line in aligned.lines]
        said = by_initials(plain, [line.reading.text for line in lines], best)
        if self._linker is not None and (mentions := self._linker.link(said)):
            if self._called is None or not whole:
                self._called = called([(n.at, n.reading.text) for n in lines], self._linker)
            said = renamed(said, mentions, self._called, aligned.lines)
        return aligned if said == plain else align(said, evidence)
