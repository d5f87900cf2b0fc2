"""The truth as it was on a day: what was in force then is current, all else is not.

Made to be read by everything that reads a truth store: an index, a graph or an answer over it is
one of that day, by the same code as today's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgrag.errors import KnowledgeBaseError
from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Mention
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document, Passage, Source
from kgrag.stores.base import Change, DocumentInfo, FileState, Ingested, Status, TruthStore
from kgrag.stores.graph_arrays import StatedRow
from kgrag.stores.standing import ValidThen


class PastTruth:
    """``truth`` as of a day. Reads only, and tells of the generation at which it was made.

    A kept version that was not in force has the status ``replaced``, also when it came later.
    ValueError when ``as_of`` is no ISO date.
    """

    def __init__(self, truth: TruthStore, as_of: str) -> None:
        self._truth = truth
        self.as_of = as_of
        self.generation: int = truth.generation
        self.valid: ValidThen = truth.in_force(as_of)

    def info(self, document_id: str) -> DocumentInfo:
        """The document with the status of that day."""
        return self._then(self._truth.info(document_id))

    def infos(self, document_ids: Sequence[str]) -> Mapping[str, DocumentInfo]:
        """With the status of that day."""
        found = self._truth.infos(document_ids)
        return {name: self._then(info) for name, info in found.items()}

    def _then(self, info: DocumentInfo) -> DocumentInfo:
        if info.status == "removed":
            return info
        status: Status = "current" if info.id in self.valid.documents else "replaced"
        return replace(info, status=status)

    def current(self, source: Source) -> DocumentInfo | None:
        """The version of ``source`` that was in force."""
        return self._by_source.get(source)

    @cached_property
    def _by_source(self) -> Mapping[Source, DocumentInfo]:
        return {info.source: info for info in self.documents()}

    def documents(
        self, *, collection: str | None = None, status: Status | None = "current"
    ) -> Iterator[DocumentInfo]:
        """In order of id, with the status of that day."""
        for info in self._truth.documents(collection=collection, status=None):
            then = self._then(info)
            if status is None or then.status == status:
                yield then

    def assertions(
        self,
        ids: Sequence[str] | None = None,
        *,
        concept: str | None = None,
        document_id: str | None = None,
        current: bool = True,
        as_of: str | None = None,
    ) -> Iterator[Assertion]:
        """With the evidence of that day; without ``current`` as the truth's own."""
        return self._truth.assertions(
            ids, concept=concept, document_id=document_id, current=current,
            as_of=as_of or (self.as_of if current else None),
        )  # fmt: skip

    def recommendations(
        self,
        ids: Sequence[str] | None = None,
        *,
        concept: str | None = None,
        document_id: str | None = None,
        current: bool = True,
        as_of: str | None = None,
    ) -> Iterator[Recommendation]:
        """Those in force on that day; without ``current`` as the truth's own."""
        return self._truth.recommendations(
            ids, concept=concept, document_id=document_id, current=current,
            as_of=as_of or (self.as_of if current else None),
        )  # fmt: skip

    def passages_with_concepts(
        self, concepts: Sequence[str], *, limit: int = 1000, as_of: str | None = None
    ) -> Sequence[tuple[str, str]]:
        """Of the documents in force on that day."""
        return self._truth.passages_with_concepts(concepts, limit=limit, as_of=as_of or self.as_of)

    def stated(self, documents: Sequence[str] | None = None) -> Iterator[StatedRow]:
        """What the documents in force stated."""
        wanted = self.valid.documents
        if documents is not None:
            wanted = wanted.intersection(documents)
        for name in sorted(wanted):
            for a in self._truth.assertions(document_id=name, current=False):
                yield StatedRow(
                    name, a.id, a.subject, a.predicate, a.object, a.negated, len(a.evidence)
                )

    def edges(self) -> Iterator[tuple[str, str, str, str, int]]:
        """As the truth's own, over the documents in force."""
        for a in self.assertions():
            yield a.id, a.subject, a.predicate, a.object, len(a.evidence)

    def changes(self, since: int) -> Iterator[Change]:
        """Every document in force was added, all at the present generation."""
        if since < self.generation:
            for name in sorted(self.valid.documents):
                yield Change(self.generation, "add", name)

    def in_force(self, as_of: str) -> ValidThen:
        """As the truth's own."""
        return self._truth.in_force(as_of)

    def superseders(self, document_id: str) -> tuple[str, ...]:
        """As the truth's own: of today."""
        return self._truth.superseders(document_id)

    def superseded(self, document_id: str) -> tuple[str, ...]:
        """As the truth's own: of today."""
        return self._truth.superseded(document_id)

    # What does not change with the day ------------------------------------------------------

    def document(self, document_id: str) -> Document:
        return self._truth.document(document_id)

    def original(self, document_id: str) -> bytes:
        return self._truth.original(document_id)

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        return self._truth.passages(document_id)

    def passages_by_id(self, ids: Sequence[str]) -> Mapping[str, tuple[Passage, str]]:
        return self._truth.passages_by_id(ids)

    def mentions(self, document_id: str) -> tuple[Mention, ...]:
        return self._truth.mentions(document_id)

    def rejects(self, document_id: str) -> tuple[Mapping[str, Any], ...]:
        return self._truth.rejects(document_id)

    def negated_assertions(self) -> frozenset[str]:
        return self._truth.negated_assertions()

    def embeddings(
        self, encoder: str, text_sha256: Sequence[str]
    ) -> Mapping[str, NDArray[np.float32]]:
        return self._truth.embeddings(encoder, text_sha256)

    def put_embeddings(
        self,
        encoder: str,
        vectors: Mapping[str, NDArray[np.float32]],
        *,
        owners: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Nothing is cached by looking back: the truth may be open for reading only."""

    def file_state(self, collection: str, path: str) -> FileState | None:
        return self._truth.file_state(collection, path)

    def setting(self, name: str) -> str | None:
        return self._truth.setting(name)

    def counts(self) -> Mapping[str, int]:
        return self._truth.counts()

    def verify(self) -> Iterator[str]:
        return self._truth.verify()

    def close(self) -> None:
        """The truth stays open: it is not this one's."""

    # What cannot be done to the past --------------------------------------------------------

    def put(self, item: Ingested) -> bool:
        raise self._refusal()

    def remove(self, document_id: str) -> bool:
        raise self._refusal()

    def purge(self) -> None:
        raise self._refusal()

    def put_file_state(self, state: FileState) -> None:
        raise self._refusal()

    def put_setting(self, name: str, value: str) -> None:
        raise self._refusal()

    def _refusal(self) -> KnowledgeBaseError:
        return KnowledgeBaseError(
            f"this is the knowledge base as of {self.as_of}, which is only read",
            hint="write to the knowledge base itself",
        )
