"""Why passages were found: what each part of retrieval said, and which words met which.

An explanation is of a ranking. Nothing in it is an answer, and no quotation is drawn from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kgrag.records.answer import Hit, to_plain


@dataclass(frozen=True, slots=True)
class ConceptMatch:
    """Words of the question that words of a passage met, by their concepts.

    ``question_start`` and ``question_end`` are characters of the question, ``start`` and ``end``
    of the document's stored text. ``relation`` is of the passage's concept to the question's.
    ``weight`` in (0, 1] is how near it is, and less where only one of both is denied.
    """

    question_text: str
    question_start: int
    question_end: int
    question_concept: str
    question_name: str
    question_denied: bool
    relation: Literal["same", "equivalent", "narrower", "broader"]
    text: str
    start: int
    end: int
    concept: str
    name: str
    denied: bool
    weight: float


@dataclass(frozen=True, slots=True)
class ExplainedHit:
    """A hit with the score that each part gave it, by the part's name; a part that is silent on it
    is not there. Scores of different parts have different units."""

    hit: Hit
    scores: Mapping[str, float]
    concepts: tuple[ConceptMatch, ...]


@dataclass(frozen=True, slots=True)
class SpeaksFor:
    """A finding of the report that speaks for a condition.

    ``text`` are its words in the question; ``term`` is what the annotations of the condition
    share with it, and ``information`` -ln of the share of conditions that have ``term``.
    """

    text: str
    concept: str
    name: str
    term: str
    term_name: str
    information: float


@dataclass(frozen=True, slots=True)
class Suspected:
    """A condition that passages were looked for by; no diagnosis and never part of an answer.

    ``score`` has no unit. ``documents`` are about it and were found by the findings' own words,
    best first: (id, title).
    """

    concept: str
    name: str
    score: float
    findings: tuple[SpeaksFor, ...]
    documents: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """Hits as ``search`` gives them, best first, and why. ``hypotheses`` is empty unless the
    question reports a patient and the settings have that part."""

    question: str
    hits: tuple[ExplainedHit, ...]
    hypotheses: tuple[Suspected, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values: each hit as ``search`` gives it with an ``explanation`` besides."""
        hits = [
            to_plain(one.hit)
            | {"explanation": {"scores": dict(one.scores), "concepts": to_plain(one.concepts)}}
            for one in self.hits
        ]
        return {
            "question": self.question,
            "hits": hits,
            "hypotheses": to_plain(self.hypotheses),
        }
