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

Phrases = dict[str, list[tuple[tuple[str, ...], str]]]

_PLAIN: Final = str.maketrans(
    {**dict.fromkeys("‐‑‒–—―−﹣－", "-"), **dict.fromkeys("‘’‚‛′ʼ`´", "'"), "µ": "μ"}
)
_TOKEN: Final = re.compile(
    r"[^\W\d_]+(?:-\d+(?![.\d])|\d+[^\W_]*)|[^\W\d_]+(?:'[^\W\d_]+)?|\d+(?:[.,]\d+)*|[%;:,.()\[\]/]"
)
_BREAKS: Final = frozenset(";:,.()[]")


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
        return tuple(at for at, token in enumerate(self.tokens) if token.content)


@lru_cache(maxsize=4_096)
def read(text: str) -> Reading:
    """The text as tokens; contractions are two words, marks are tokens of their own."""
    plain = text.translate(_PLAIN)
    table = _table()
    words: list[tuple[int, int, str, bool]] = []
    for match in _TOKEN.finditer(plain):
        start, end = match.span()
        raw = match.group()
        letter = len(raw) == 1 and raw.isupper() and (raw != "A" or _names(words)) and raw != "I"
        month = raw == "May" and bool(words) and words[-1][2] not in _ENDS  # no hedge
        for word in ("may-month",) if month else _expanded(raw.lower()):
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
        frozenset(_keys(its, word)) | table.one_same.get(its, frozenset()),
        table.one_label.get(its, frozenset()) | table.one_exact.get(word, frozenset()),
        its in table.empty or (len(word) == 1 and word.isalpha()),
        table.negated.get(its, frozenset()),
    )


def _names(words: list[tuple[int, int, str, bool]]) -> bool:
    """Whether a capital A is a name here: "grade A", "vitamin A"."""
    return bool(words) and words[-1][2] in _LETTERED


_ENDS: Final = frozenset(".:;)")
_LETTERED: Final = frozenset(
    "grade grades vitamin hepatitis type group class influenza level category factor streptococcus"
    " streptococci child-pugh haemophilia hemophilia stage".split()
)


def _expanded(word: str) -> Iterator[str]:
    """A contraction as its words; a possessive without its ending."""
    stem_, mark, tail = word.partition("'")
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
        stem(word): frozenset(k for other in words.split() for k in _keys(stem(other), other))
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


# --- one form of a word -------------------------------------------------------------------------

_SPELLING: Final = (
    ("aemi", "emi"), ("haem", "hem"), ("oedem", "edem"), ("oea", "ea"), ("oesoph", "esoph"),
    ("oestr", "estr"), ("paed", "ped"), ("anaes", "anes"), ("foet", "fet"), ("faec", "fec"),
    ("gynaec", "gynec"), ("caes", "ces"), ("coeli", "celi"), ("leukaem", "leukem"),
    ("leuco", "leuko"), ("ischaem", "ischem"), ("caec", "cec"), ("naev", "nev"), ("sulph", "sulf"),
    ("tumour", "tumor"), ("colour", "color"), ("behaviour", "behavior"), ("labour", "labor"),
    ("favour", "favor"), ("odour", "odor"), ("humour", "humor"), ("vapour", "vapor"),
    ("neighbour", "neighbor"), ("flavour", "flavor"), ("vigour", "vigor"), ("rigour", "rigor"),
    ("harbour", "harbor"), ("rumour", "rumor"), ("honour", "honor"), ("centre", "center"),
    ("litre", "liter"), ("metre", "meter"), ("fibre", "fiber"), ("titre", "titer"),
    ("calibre", "caliber"), ("theatre", "theater"), ("programme", "program"),
    ("isation", "ization"),
    ("ising", "izing"), ("ised", "ized"), ("ise", "ize"), ("yse", "yze"), ("ysing", "yzing"),
    ("logue", "log"), ("defence", "defense"), ("licence", "license"), ("practise", "practice"),
    ("judgement", "judgment"), ("ageing", "aging"), ("grey", "gray"), ("mould", "mold"),
    ("artefact", "artifact"), ("manoeuvr", "maneuver"), ("sceptic", "skeptic"),
    ("aluminium", "aluminum"), ("orthopaed", "orthoped"), ("encyclopaed", "encycloped"),
    ("dyspnoe", "dyspne"), ("apnoe", "apne"), ("pnoe", "pne"), ("aetio", "etio"), ("oeco", "eco"),
    ("whilst", "while"), ("amongst", "among"), ("cheque", "check"), ("plough", "plow"),
    ("foet", "fet"), ("homoeo", "homeo"), ("amoeb", "ameb"), ("moeb", "meb"), ("aesth", "esth"),
    ("paraes", "pares"), ("taen", "ten"), ("laevo", "levo"), ("chaem", "chem"),
    ("hydrocoel", "hydrocel"),
    ("diarrhoe", "diarrhe"), ("rrhoe", "rrhe"), ("fulfil", "fulfill"), ("enrol", "enroll"),
    ("learnt", "learned"), ("spelt", "spelled"), ("burnt", "burned"), ("towards", "toward"),
)  # fmt: skip
_IRREGULAR: Final = dict(
    pair.split(":")
    for pair in """
    given:give gave:give taken:take took:take shown:show found:find led:lead rose:rise risen:rise
    fell:fall fallen:fall began:begin begun:begin became:become made:make men:man women:woman
    children:child feet:foot teeth:tooth mice:mouse bled:bleed kept:keep lost:lose known:know
    knew:know seen:see saw:see grown:grow grew:grow chosen:choose chose:choose got:get gotten:get
    sought:seek taught:teach bought:buy brought:bring came:come went:go gone:go goes:go going:go
    done:do did:do
    has:have had:have was:be were:be is:be are:be been:be am:be being:be died:die dying:die dies:die
    lying:lie worse:worse diagnoses:diagnosis crises:crisis metastases:metastasis bacteria:bacterium
    viruses:virus ate:eat eaten:eat drank:drink drunk:drink slept:sleep felt:feel fed:feed
    held:hold told:tell said:say meant:mean left:left lives:life wives:wife leaves:leaf
    halves:half people:people testes:testis vertebrae:vertebra data:data spoken:speak spoke:speak
    broken:break broke:break driven:drive written:write wrote:write worn:wear stuck:stick
    withdrawn:withdraw withdrew:withdraw withheld:withhold undergone:undergo underwent:undergo
    arose:arise arisen:arise used:use using:use uses:use during:during aids:aids this:this
    does:do tries:try swollen:swollen forbidden:forbid bitten:bite hidden:hide paid:pay
    analyses:analysis bases:basis hypotheses:hypothesis species:species series:series
    kidneys:kidney ovaries:ovary arteries:artery cavities:cavity nothing:nothing something:something
    anything:anything everything:everything evening:evening morning:morning need:need needs:need
    bring:bring king:king sing:sing thing:thing string:string spring:spring breed:breed
    """.split()
)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """One spelling and no inflection: plural, -ed, -ing and -ly removed, and a last e."""
    if word in _IRREGULAR:
        return _IRREGULAR[word].removesuffix("e") if len(word) > 3 else _IRREGULAR[word]
    found = word
    for british, american in _SPELLING:
        if british in found:
            found = found.replace(british, american)
    found = re.sub(r"(?<=[aeiou])ll(?=(?:ed|ing|er|ers|ation)$)", "l", found)
    if len(found) <= 3:
        return found
    for ending, keep, put in _ENDINGS:
        if found.endswith(ending) and len(found) - len(ending) >= keep:
            found = found[: len(found) - len(ending)] + put
            break
    if len(found) > 3 and found[-1] == found[-2] and found[-1] in "bdgmnprt":
        found = found[:-1]
    return found[:-1] if len(found) > 3 and found[-1] == "e" else found


_ENDINGS: Final = (
    ("sses", 2, "ss"), ("ies", 3, "y"), ("ied", 2, "y"), ("ches", 3, "ch"), ("shes", 3, "sh"),
    ("xes", 2, "x"), ("zzes", 2, "z"), ("ously", 3, "ous"), ("ally", 3, "al"), ("ably", 3, "abl"),
    ("ibly", 3, "ibl"), ("ily", 3, "y"), ("ingly", 3, ""), ("edly", 3, ""), ("eed", 2, "eed"),
    ("ings", 3, ""), ("ing", 3, ""), ("ed", 3, ""), ("ly", 3, ""), ("ss", 1, "ss"), ("us", 2, "us"),
    ("is", 2, "is"), ("s", 3, ""),
)  # fmt: skip
# Endings that make another part of speech of the same word; never one that turns its meaning.
_DERIVED: Final = (
    "ically", "iveness", "ization", "ational", "ability", "ibility", "ation", "ative", "atory",
    "ition", "ement", "ance", "ence", "anc", "enc", "ancy",
    "ency", "ment", "ness", "ion", "ian",
    "ial", "ible", "able", "abl", "ibl", "ical", "ious", "ity", "ive", "iv", "ous",
    "ant", "ent", "ary",
    "ory", "tic", "al", "ic", "is", "um", "ia", "iz", "at", "or", "er", "ar", "y", "a", "e", "i",
    "ist", "ism",
)  # fmt: skip
_NEVER_DERIVED: Final = frozenset(
    "several sever general generic generat university universal important import patient patienc"
    " animal capital community communication experiment experienc organism organic minor major"
    " inferior superior anterior posterior interior exterior placebo ration ratio potent potential"
    " hospital hospic internal internist externa vaccin vaccinia protein protean".split()
)


def _keys(stemmed: str, word: str) -> set[str]:
    """The keys of a word by itself: its number, or its stem and the stems that it is made from."""
    if word[0].isdecimal():
        return {f"#{float(word.replace(',', '')):g}"} if word.count(".") < 2 else {word}
    found = {stemmed}
    if "-" in word:  # COVID-19: the name without its number is not the name
        return {word}
    if len(stemmed) >= 5 and stemmed not in _NEVER_DERIVED:
        found.add("~" + stemmed)
        for ending in _DERIVED:
            rest = stemmed.removesuffix(ending)
            if rest != stemmed and len(rest) >= 5:
                found.add("~" + rest)
        if stemmed.endswith("otic"):
            found.add("~" + stemmed[:-3] + "s")
    elif len(stemmed) == 4:
        found.add("~" + stemmed)
    return found
