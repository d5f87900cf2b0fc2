"""Concepts of the vocabularies and their mentions in text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ConceptType = Literal[
    "disease", "phenotype", "drug", "chemical", "procedure", "analyte", "anatomy", "other"
]


@dataclass(frozen=True, slots=True)
class Concept:
    """A concept of a vocabulary; ``curie`` is ``PREFIX:local`` (MESH:D003920, HP:0001250)."""

    curie: str
    name: str
    type: ConceptType
    synonyms: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    same_as: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """A span of a text linked to a concept.

    ``text`` is the characters of the span; ``score`` is in [0, 1]. The flags are kept apart:
    the finding is negated, hypothetical (``if``, ``risk of``), of the family or of the past;
    the condition is absent (``in the absence of``); the advice around it is against.

    ``runners_up`` are the other concepts that the name may mean, best first, and ``margin`` in
    [0, 1] is by how much the concept went before the first of them; None without one. Both are
    of the linking alone: they are not stored and do not count when mentions are compared.
    """

    start: int
    end: int
    text: str
    concept: str
    type: ConceptType
    score: float = 1.0
    negated: bool = False
    hypothetical: bool = False
    family: bool = False
    historical: bool = False
    absent: bool = False
    against: bool = False
    runners_up: tuple[str, ...] = field(default=(), compare=False)
    margin: float | None = field(default=None, compare=False)
