"""How near the concepts that passages mention are to a concept of the question.

The same concept and its other ids are as near as can be; narrower and broader ones are as near as
they share information (Lin 1998): twice that of the upper one over the sum of both, where the
information of a concept is -ln of the share of passages that mention it or something below it. So
"lobar pneumonia" is near "pneumonia", and both are far from "disease".
"""

from __future__ import annotations

import math
from collections import Counter
from functools import cached_property
from typing import Final, Literal, NamedTuple, Protocol

from kgrag.retrieval.concepts_index import ConceptIndex

Relation = Literal["same", "equivalent", "narrower", "broader"]

# A text on something narrower speaks of what was asked; a broader one may not.
_WEIGHTS: Final = {"narrower": 1.0, "broader": 0.5}
_DEPTH: Final = 3
# Concepts looked at in one direction; a question about "disease" is not about each of them.
_MOST: Final = 2_000
# Less information in common says nothing.
_LEAST: Final = 0.3
# Questions come back to the same concepts.
_KEPT: Final = 10_000


class Hierarchy(Protocol):
    """What knows the concepts around a concept: ``kgrag.vocabulary.lexicon.Lexicon``."""

    def equivalents(self, curie: str) -> tuple[str, ...]: ...
    def parents(self, curie: str) -> tuple[str, ...]: ...
    def children(self, curie: str) -> tuple[str, ...]: ...


class Related(NamedTuple):
    """A concept that passages mention: its number in the index, and its nearness in (0, 1]."""

    number: int
    relation: Relation
    weight: float


class Relations:
    """What is near a concept among those that the passages of ``index`` mention."""

    def __init__(self, index: ConceptIndex, hierarchy: Hierarchy) -> None:
        self._index, self._hierarchy = index, hierarchy
        self._parents: dict[str, tuple[str, ...]] = {}
        self._known: dict[str, tuple[Related, ...]] = {}

    def of(self, curie: str) -> tuple[Related, ...]:
        """The concepts near ``curie``, each once by its nearest way, in order of number."""
        known = self._known.get(curie)
        if known is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            known = self._known[curie] = self._find(curie)
        return known

    def information(self, curie: str) -> float:
        """-ln of the share of passages that mention it or something below it, about: above 0.

        The same for all ids of a concept.
        """
        often = max(self._below[one] for one in (curie, *self._hierarchy.equivalents(curie)))
        return math.log(1 + (len(self._index) + 0.5) / (often + 0.5))

    @cached_property
    def _below(self) -> Counter[str]:
        """By concept, how often passages mention it or something below; each passage may count
        several times, which only makes the upper ones say still less."""
        found: Counter[str] = Counter()
        for name in self._index.arrays.concepts.tolist():
            curie = name.decode()
            often = self._index.frequency(curie)
            for above in self._above(curie, depth=None):
                found[above] += often
            found[curie] += often
        return found

    def _find(self, curie: str) -> tuple[Related, ...]:
        best: dict[int, Related] = {}

        def put(other: str, relation: Relation, weight: float) -> None:
            number = self._index.concept_number(other)
            if number is None or weight <= 0:
                return
            held = best.get(number)
            if held is None or weight > held.weight:
                best[number] = Related(number, relation, weight)

        heads = dict.fromkeys((curie, *self._hierarchy.equivalents(curie)))
        for head in heads:
            put(head, "same" if head == curie else "equivalent", 1.0)
        for head in heads:
            for other in self._down(head):
                put(other, "narrower", self._nearness(head, other, "narrower"))
            for other in self._above(head, depth=_DEPTH):
                put(other, "broader", self._nearness(other, head, "broader"))
        return tuple(best[number] for number in sorted(best))

    def _nearness(self, upper: str, lower: str, relation: Relation) -> float:
        one, other = self.information(upper), self.information(lower)
        shared = 2 * one / (one + other)
        return _WEIGHTS[relation] * min(shared, 1.0) if shared >= _LEAST else 0.0

    def _above(self, curie: str, *, depth: int | None) -> tuple[str, ...]:
        found: dict[str, None] = {curie: None}
        edge, far = [curie], 0
        while edge and (depth is None or far < depth):
            edge = [p for at in edge for p in self._parents_of(at) if p not in found]
            found.update(dict.fromkeys(edge))
            far += 1
        return tuple(found)[1:]

    def _down(self, curie: str) -> tuple[str, ...]:
        found: dict[str, None] = {curie: None}
        edge, far = [curie], 0
        while edge and far < _DEPTH and len(found) <= _MOST:
            below = (child for at in edge for child in self._hierarchy.children(at))
            edge = [other for other in dict.fromkeys(below) if other not in found]
            found.update(dict.fromkeys(edge))
            far += 1
        return tuple(found)[1:]

    def _parents_of(self, curie: str) -> tuple[str, ...]:
        found = self._parents.get(curie)
        if found is None:
            found = self._parents[curie] = self._hierarchy.parents(curie)
        return found
