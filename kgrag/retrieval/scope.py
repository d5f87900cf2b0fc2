"""The truth as one question may see it: current, not retracted, of the collections asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from kgrag.records.assertions import Assertion
from kgrag.records.question import Selection
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document, Passage
from kgrag.retrieval.filters import document_fits
from kgrag.stores.base import TruthStore


class Reads(Protocol):
    """What seeds are followed through: a ``TruthStore``, or the ``Scope`` of one question."""

    def document(self, document_id: str) -> Document: ...
    def passages(self, document_id: str) -> tuple[Passage, ...]: ...

    def assertions(
        self, ids: Sequence[str] | None = None, *, concept: str | None = None
    ) -> Iterator[Assertion]: ...

    def passages_with_concepts(
        self, concepts: Sequence[str], *, limit: int = 1000
    ) -> Sequence[tuple[str, str]]: ...


# An expression of concern is shown beside the citation; the others end citability.
_CITABLE_MARKS = (None, "expression_of_concern")


class Scope:
    """Reads of ``truth`` in which evidence out of scope does not exist.

    Made for one question: what it looked up once is not looked up again.
    """

    def __init__(self, truth: TruthStore, selection: Selection | None = None) -> None:
        self._truth = truth
        self._selection = selection or Selection()
        self._info = lru_cache(maxsize=None)(truth.info)
        self._document = lru_cache(maxsize=32)(truth.document)
        self._passages = lru_cache(maxsize=32)(truth.passages)

    def document(self, document_id: str) -> Document:
        """As the truth's own."""
        return self._document(document_id)

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        """As the truth's own."""
        return self._passages(document_id)

    def holds(self, document_id: str) -> bool:
        """Whether the document may be cited for this question."""
        info = self._info(document_id)
        return (
            info.status == "current"
            and info.metadata.retracted in _CITABLE_MARKS
            and document_fits(info, self._selection)
        )

    def assertions(
        self, ids: Sequence[str] | None = None, *, concept: str | None = None
    ) -> Iterator[Assertion]:
        """Assertions with the evidence that is in scope; those without any are left out."""
        for assertion in self._truth.assertions(ids, concept=concept):
            evidence = tuple(e for e in assertion.evidence if self.holds(e.document_id))
            if evidence:
                yield replace(assertion, evidence=evidence)

    def recommendations(self, concept: str) -> Iterator[Recommendation]:
        """The recommendations in scope that have the concept among what they are about."""
        for recommendation in self._truth.recommendations(concept=concept):
            if self.holds(recommendation.document_id):
                yield recommendation

    def passages_with_concepts(
        self, concepts: Sequence[str], *, limit: int = 1000
    ) -> Sequence[tuple[str, str]]:
        """As the truth's own; passages are checked when they are retrieved."""
        return self._truth.passages_with_concepts(concepts, limit=limit)
