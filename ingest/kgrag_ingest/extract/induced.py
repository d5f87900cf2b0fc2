"""Features of a pair of chemical and disease: does the abstract say that one induces the other?

The pairs of an abstract are judged by a logistic regression over readable features: where the two
stand, how often, and the words between and beside them in their common sentences. A feature is a
name with a value, so that the weights (``ontologies/relation_weights.tsv``) can be read line by
line. Training is ``bench/train_relations.py``; here is only what both sides share.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from kgrag.records.concepts import Mention
from kgrag.records.text import Span

CHEMICALS: Final = frozenset({"drug", "chemical"})
DISEASES: Final = frozenset({"disease", "phenotype"})

_WORD: Final = re.compile(r"[a-z]+|\d+|[%()+,;:/-]")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
# Beyond so many words between the two, the words are of the sentence, not of the pair.
_NEAR: Final = 10
# Features that say more together.
_JOINED: Final = (
    "both in title", "chemical is the most named", "no common sentence", "only chemical",
    "chemical in title", "disease in title",
)  # fmt: skip
_GAPS: Final = (0, 1, 2, 4, 7, 12, 20)


@dataclass(frozen=True, slots=True)
class Common:
    """A sentence that holds both: its number, the two nearest mentions and its own features."""

    number: int
    chemical: Mention
    disease: Mention
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A chemical and a disease of one text: its features by name, and the common sentences.

    ``features`` hold those of the whole text and those of every common sentence, which are 1.
    """

    chemical: str
    disease: str
    features: dict[str, float] = field(default_factory=dict)
    common: tuple[Common, ...] = ()


def pairs(
    text: str, sentences: Sequence[Span], mentions: Sequence[Mention], *, together: bool = False
) -> list[Pair]:
    """Every chemical with every disease of the text; with ``together`` only those that share a
    sentence. The first sentence is taken for the title. Order follows the mentions."""
    chemicals = [m for m in mentions if m.type in CHEMICALS]
    diseases = [m for m in mentions if m.type in DISEASES]
    if not chemicals or not diseases:
        return []
    place = _Places(text, sentences, mentions)
    by_chemical, by_disease = _by_concept(chemicals), _by_concept(diseases)
    whole = _Whole.of(by_chemical, by_disease, place)
    found = []
    for chemical, its in by_chemical.items():
        where = {place.number(m) for m in its}
        for disease, others in by_disease.items():
            if chemical == disease:
                continue
            common = where & {place.number(m) for m in others}
            if together and not common:
                continue
            found.append(_pair(chemical, disease, its, others, common, place, whole))
    return found


class _Places:
    """Sentence numbers of mentions and the words of sentences, each worked out once."""

    def __init__(self, text: str, sentences: Sequence[Span], mentions: Sequence[Mention]) -> None:
        self.text, self.sentences = text, sentences
        self._starts = [s.start for s in sentences]
        self._numbers = {m.start: self._at(m.start) for m in mentions}
        self._inside: dict[int, list[Mention]] = {}
        for mention in mentions:
            self._inside.setdefault(self._numbers[mention.start], []).append(mention)
        self._words: dict[int, frozenset[str]] = {}
        self._beside: dict[str, frozenset[str]] = {}

    def number(self, mention: Mention) -> int:
        return self._numbers[mention.start]

    def _at(self, offset: int) -> int:
        return max(bisect_right(self._starts, offset) - 1, 0)

    def words(self, number: int) -> frozenset[str]:
        """The words of a sentence, of three letters and more, that are in no mention."""
        held = self._words.get(number)
        if held is None:
            span = self.sentences[number]
            pieces, at = [], span.start
            for mention in self._inside.get(number, ()):
                pieces.append(self.text[at : mention.start])
                at = mention.end
            pieces.append(self.text[at : span.end])
            line = " ".join(pieces).lower()
            held = frozenset(w for w in _LETTERS.findall(line) if len(w) > 2)
            self._words[number] = held
        return held

    def beside(self, concept: str, mentions: Sequence[Mention]) -> frozenset[str]:
        """The one and the two words before any mention of the concept, and the one after."""
        held = self._beside.get(concept)
        if held is None:
            found: set[str] = set()
            for mention in mentions:
                before = _LETTERS.findall(self.text[max(mention.start - 32, 0) : mention.start])
                after = _LETTERS.findall(self.text[mention.end : mention.end + 20])
                if before:
                    found.add(f"{before[-1].lower()} _")
                    found.add(f"{' '.join(before[-2:]).lower()} _")
                if after:
                    found.add(f"_ {after[0].lower()}")
            held = self._beside[concept] = frozenset(found)
        return held


@dataclass(frozen=True, slots=True)
class _Whole:
    """What all pairs of a text share."""

    chemicals: Counter[str]
    diseases: Counter[str]
    most_chemical: int
    most_disease: int
    first_chemical: str
    specific: frozenset[str]

    @classmethod
    def of(
        cls,
        by_chemical: dict[str, list[Mention]],
        by_disease: dict[str, list[Mention]],
        place: _Places,
    ) -> _Whole:
        chemicals = Counter({k: len(v) for k, v in by_chemical.items()})
        diseases = Counter({k: len(v) for k, v in by_disease.items()})
        names = {k: {m.text.lower() for m in v} for k, v in by_disease.items()}
        # "pain" beside "chest pain": the longer name is what the text is about.
        general = frozenset(
            k for k, own in names.items()
            if any(
                o != k and any(long.endswith(" " + n) for n in own for long in others)
                for o, others in names.items()
            )
        )  # fmt: skip
        return cls(
            chemicals, diseases, max(chemicals.values()), max(diseases.values()),
            next(iter(by_chemical)), general,
        )  # fmt: skip


def _by_concept(mentions: Sequence[Mention]) -> dict[str, list[Mention]]:
    held: dict[str, list[Mention]] = {}
    for mention in mentions:
        held.setdefault(mention.concept, []).append(mention)
    return held


def _pair(
    chemical: str,
    disease: str,
    its: list[Mention],
    others: list[Mention],
    common: set[int],
    place: _Places,
    whole: _Whole,
) -> Pair:
    have: dict[str, float] = {}
    _counts(have, chemical, disease, its, others, common, place, whole)
    held = []
    for number in sorted(common):
        near = min(
            ((c, d) for c in its if place.number(c) == number
             for d in others if place.number(d) == number),
            key=lambda ends: _gap(*ends),
        )  # fmt: skip
        own = _sentence(number, near, place)
        have.update(dict.fromkeys(own, 1.0))
        held.append(Common(number, *near, own))
    return Pair(chemical, disease, have, tuple(held))


def _gap(first: Mention, second: Mention) -> int:
    return max(second.start - first.end, first.start - second.end)


def _counts(
    have: dict[str, float],
    chemical: str,
    disease: str,
    its: list[Mention],
    others: list[Mention],
    common: set[int],
    place: _Places,
    whole: _Whole,
) -> None:
    c_title = any(place.number(m) == 0 for m in its)
    d_title = any(place.number(m) == 0 for m in others)
    have["chemical mentions (log)"] = math.log(len(its))
    have["disease mentions (log)"] = math.log(len(others))
    have["chemical share of the most named"] = len(its) / whole.most_chemical
    have["disease share of the most named"] = len(others) / whole.most_disease
    have["chemicals in the text (log)"] = math.log(len(whole.chemicals))
    have["diseases in the text (log)"] = math.log(len(whole.diseases))
    have["common sentences (log)"] = math.log1p(len(common))
    have["chemical link score"] = max(m.score for m in its)
    have["disease link score"] = max(m.score for m in others)
    for words in place.beside(chemical, its):
        have[f"chemical: {words}"] = 1.0
    for words in place.beside(disease, others):
        have[f"disease: {words}"] = 1.0
    for word in place.words(0):
        have[f"title: {word}"] = 1.0
    flags = {
        "chemical in title": c_title,
        "disease in title": d_title,
        "both in title": c_title and d_title,
        "chemical is the first": chemical == whole.first_chemical,
        "chemical is the most named": len(its) == whole.most_chemical,
        "only chemical": len(whole.chemicals) == 1,
        "a longer name of the disease is there": disease in whole.specific,
        "no common sentence": not common,
        "disease denied": all(m.negated for m in others),
        "disease of the past": any(m.historical for m in others),
        "chemical advised against": any(m.against for m in its),
    }
    if not common:
        apart = min(abs(place.number(c) - place.number(d)) for c in its for d in others)
        flags[f"sentences apart {min(apart, 4)}"] = True
    have.update((name, 1.0) for name, true in flags.items() if true)
    held = [name for name in _JOINED if flags[name]]
    have.update(dict.fromkeys((f"{a} & {b}" for a, b in combinations(held, 2)), 1.0))
    have[f"chemical linked as {its[0].type}"] = 1.0
    have[f"disease linked as {others[0].type}"] = 1.0
    have[f"disease named {Counter(m.text.lower() for m in others).most_common(1)[0][0]}"] = 1.0
    heads = Counter(_LETTERS.findall(m.text.lower())[-1:][0] for m in others
                    if _LETTERS.search(m.text))  # fmt: skip
    if heads:
        have[f"disease is called {heads.most_common(1)[0][0]}"] = 1.0


def _sentence(number: int, near: tuple[Mention, Mention], place: _Places) -> tuple[str, ...]:
    chemical, disease = near
    forward = chemical.start < disease.start
    way = "C..D" if forward else "D..C"
    first, second = (chemical, disease) if forward else (disease, chemical)
    between = _WORD.findall(place.text[first.end : second.start].lower())
    words = [w for w in between if w.isalpha()]
    bucket = next((b for b in _GAPS if len(words) <= b), 99)
    found = [f"{way} at most {bucket} words between"]
    if number == 0:
        found.append(f"{way} in the title")
    if len(words) <= _NEAR:
        found += [f"{way} between: {word}" for word in words]
        if len(between) <= 4:
            found.append(f"{way} just: {' '.join(between)}")
    sentence = place.sentences[number]
    before = _LETTERS.findall(place.text[max(sentence.start, first.start - 30) : first.start])
    after = _LETTERS.findall(place.text[second.end : min(sentence.end, second.end + 30)])
    if before:
        found.append(f"{way} before: {before[-1].lower()}")
    if after:
        found.append(f"{way} after: {after[0].lower()}")
    found += [f"sentence: {word}" for word in place.words(number)]
    return tuple(found)
