"""The grade that a source gives to its advice, told beside what is quoted from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from kgrag.records.recommendations import Grade, Recommendation
from kgrag.retrieval.scope import Reads


class ReadsAdvice(Reads, Protocol):
    """Reads that know recommendations too: a ``TruthStore``, or the ``Scope`` of one question."""

    def recommendations(self, *, concept: str) -> Iterator[Recommendation]: ...


def grade_of(advice: Recommendation) -> dict[str, Any] | None:
    """Strength and certainty as plain values; None where the source grades neither.

    Each is ``{"system", "raw", "normalised"}`` as in ``Grade``, or None.
    """
    if advice.strength is None and advice.certainty is None:
        return None
    return {"strength": _plain(advice.strength), "certainty": _plain(advice.certainty)}


def grade_at(
    document_id: str, start: int, end: int, advice: Iterable[Recommendation]
) -> dict[str, Any] | None:
    """The grade of the first graded recommendation that shares characters with ``[start, end)``."""
    near = (
        a for a in advice if a.document_id == document_id and a.start < end and start < a.end
    )  # fmt: skip
    grades = (grade_of(a) for a in sorted(near, key=lambda a: (a.start, a.id)))
    return next((grade for grade in grades if grade is not None), None)


def advice_about(concepts: Iterable[str], truth: ReadsAdvice) -> tuple[Recommendation, ...]:
    """The recommendations about any of the concepts, each once, in order of id."""
    found = {a.id: a for c in dict.fromkeys(concepts) for a in truth.recommendations(concept=c)}
    return tuple(found[key] for key in sorted(found))


def _plain(grade: Grade | None) -> Mapping[str, Any] | None:
    if grade is None:
        return None
    return {"system": grade.system, "raw": grade.raw, "normalised": grade.normalised}
