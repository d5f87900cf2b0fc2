"""What the stores promise. The truth store owns all that is kept; the index is derived from it.

Contract suites that every implementation passes are in ``kgrag.testing``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Mention
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document, Metadata, Passage, Source
from kgrag.stores.graph_arrays import StatedRow
from kgrag.stores.standing import ValidThen

Status = Literal["current", "superseded", "replaced", "removed"]


@dataclass(frozen=True, slots=True)
class Ingested:
    """All that one transaction commits: a document version and what was found in it.

    ``original`` is the bytes that were read. Assertions and recommendations here have
    evidence in this document only.
    """

    document: Document
    original: bytes
    passages: tuple[Passage, ...] = ()
    mentions: tuple[Mention, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    rejects: tuple[Mapping[str, Any], ...] = ()
    recommendations: tuple[Recommendation, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """A document without its text.

    ``replaced`` ones gave way to another version of their source, ``superseded`` ones to a document
    of the same issuer and scope with a later date; both are kept, readable, and never current.
    ``removed`` ones are tombstones: id and source only, and the parts of a tombstone's ``source``
    are hashes under the kb's own key.
    """

    id: str
    source: Source
    uri: str
    title: str
    metadata: Metadata
    status: Status
    chars: int
    generation: int


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the kb's history: the document became current, or ceased to be."""

    generation: int
    op: Literal["add", "retire"]
    document_id: str


@dataclass(frozen=True, slots=True)
class FileState:
    """What the last complete ingest of a file saw; unchanged files are skipped by it."""

    collection: str
    path: str
    sha256: str
    shape: str
    documents: tuple[str, ...]


class TruthStore(Protocol):
    """The SQL truth: documents, passages, mentions, assertions, embeddings, history.

    Opened for reading or for writing; one writer at a time. ``generation`` is the number of the
    last committed change, 0 when empty. A method that writes is one transaction.
    """

    @property
    def generation(self) -> int: ...

    def put(self, item: Ingested) -> bool:
        """Commit one document version and retire the source's earlier current version.

        A version dated before the current one is kept as a replaced one instead. A version that
        was replaced before becomes current again without being written twice. Documents that it
        supersedes cease to be current, and so does it when another one supersedes it (see
        ``kgrag.stores.standing``); the status follows whatever comes and goes. True when something
        changed; False when this version was already current and the same was found in it (when
        something else was, or its metadata are told otherwise, that replaces what was kept).
        """
        ...

    def remove(self, document_id: str) -> bool:
        """Delete the text and all that came from it, leaving a tombstone; see ``purge``.

        False when it was removed before; NotFound for an unknown id. States of the files that it
        came from are forgotten. Its source may be ingested anew.
        """
        ...

    def purge(self) -> None:
        """Leave no removed text in free pages or logs. Cheap when nothing was removed."""
        ...

    def document(self, document_id: str) -> Document:
        """The whole document, current or replaced; NotFound for a tombstone or unknown id."""
        ...

    def info(self, document_id: str) -> DocumentInfo: ...

    def infos(self, document_ids: Sequence[str]) -> Mapping[str, DocumentInfo]:
        """By id, of those of ``document_ids`` that are documents; tombstones are not."""
        ...

    def current(self, source: Source) -> DocumentInfo | None:
        """The version of ``source`` that no other version replaced, None when there is none.

        It is current, or superseded by a document of another source.
        """
        ...

    def original(self, document_id: str) -> bytes: ...

    def documents(
        self, *, collection: str | None = None, status: Status | None = "current"
    ) -> Iterator[DocumentInfo]:
        """In order of id."""
        ...

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        """In their order; none for a tombstone, NotFound for an unknown id (also ``mentions``)."""
        ...

    def passages_by_id(self, ids: Sequence[str]) -> Mapping[str, tuple[Passage, str]]:
        """Passage and its text, for those of ``ids`` that exist."""
        ...

    def mentions(self, document_id: str) -> tuple[Mention, ...]: ...

    def rejects(self, document_id: str) -> tuple[Mapping[str, Any], ...]:
        """What the checks refused in this document, with reasons."""
        ...

    def passages_with_concepts(
        self, concepts: Sequence[str], *, limit: int = 1000, as_of: str | None = None
    ) -> Sequence[tuple[str, str]]:
        """(passage id, concept) of current documents, most mentions first; with ``as_of`` of those
        in force then."""
        ...

    def assertions(
        self,
        ids: Sequence[str] | None = None,
        *,
        concept: str | None = None,
        document_id: str | None = None,
        current: bool = True,
        as_of: str | None = None,
    ) -> Iterator[Assertion]:
        """Merged over documents, in order of id; with ``current`` only current evidence counts,
        with ``document_id`` only that document's, with ``as_of`` that of the documents that were in
        force then, whatever they are now."""
        ...

    def recommendations(
        self,
        ids: Sequence[str] | None = None,
        *,
        concept: str | None = None,
        document_id: str | None = None,
        current: bool = True,
        as_of: str | None = None,
    ) -> Iterator[Recommendation]:
        """In order of id; with ``current`` only those of current documents.

        ``concept`` keeps those that have it among their interventions or conditions; ``as_of``
        gives those in force then, whatever they are now.
        """
        ...

    def in_force(self, as_of: str) -> ValidThen:
        """The document versions that were in force on a day (or at the end of a month or year).

        ``as_of`` is YYYY, YYYY-MM or YYYY-MM-DD; ValueError otherwise.
        """
        ...

    def superseders(self, document_id: str) -> tuple[str, ...]:
        """The documents that supersede this one now, in order of id; NotFound for an unknown id.

        None for one that was replaced or removed: it is its source that has moved on.
        """
        ...

    def superseded(self, document_id: str) -> tuple[str, ...]:
        """The documents that this one supersedes now, in order of id; as ``superseders``."""
        ...

    def edges(self) -> Iterator[tuple[str, str, str, str, int]]:
        """(assertion id, subject, predicate, object, current evidence count), in order of id."""
        ...

    def stated(self, documents: Sequence[str] | None = None) -> Iterator[StatedRow]:
        """Which current document states what, with how many pieces of evidence: the graph's input.

        Of all documents, or of those of ``documents`` that are current; in any order.
        """
        ...

    def negated_assertions(self) -> frozenset[str]:
        """Ids of the assertions that deny their predicate."""
        ...

    def changes(self, since: int) -> Iterator[Change]:
        """Changes after generation ``since``, oldest first.

        History is told as it was: a document that was added may have been removed since. Removing
        a replaced version is logged as ``retire`` too, so that derived things let go of it.
        """
        ...

    def embeddings(
        self, encoder: str, text_sha256: Sequence[str]
    ) -> Mapping[str, NDArray[np.float32]]:
        """Cached vectors by the hash of the text, for those that are cached."""
        ...

    def put_embeddings(
        self,
        encoder: str,
        vectors: Mapping[str, NDArray[np.float32]],
        *,
        owners: Mapping[str, Sequence[str]] = {},
    ) -> None:
        """Cache vectors by the hash of their text, once.

        ``owners`` names the documents that hold a text (also one cached before): a vector is
        deleted with the last of them. Without owners a text is that of a passage as it stands.
        A vector of which no document is known goes with the first purge after a removal.
        """
        ...

    def file_state(self, collection: str, path: str) -> FileState | None: ...
    def put_file_state(self, state: FileState) -> None: ...

    def setting(self, name: str) -> str | None:
        """A value that the kb records of itself: encoder, lexicon, settings hash, schema."""
        ...

    def put_setting(self, name: str, value: str) -> None: ...
    def counts(self) -> Mapping[str, int]: ...
    def verify(self) -> Iterator[str]:
        """Problems found: spans that do not fit, evidence that is not its text; none when sound."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search may return. An empty tuple does not filter."""

    collections: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    without_documents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Point:
    """One passage in the index: ids, vector and filter fields, never text.

    ``vector`` is float32 of shape (dimensions,), of length 1; ``terms`` maps a term's number to
    its BM25 weight without the inverse document frequency.
    """

    passage_id: str
    document_id: str
    collection: str
    vector: NDArray[np.float32]
    terms: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IndexHit:
    """``score`` is cosine for dense search and a BM25 score for sparse search."""

    passage_id: str
    document_id: str
    score: float


class VectorIndex(Protocol):
    """The hybrid index. It is stamped with the generation of the truth that it reflects."""

    @property
    def stamp(self) -> int:
        """The generation reflected, 0 when new."""
        ...

    def upsert(self, points: Iterable[Point]) -> None:
        """Add or replace points by passage id; repeating it changes nothing."""
        ...

    def delete_documents(self, document_ids: Sequence[str]) -> None: ...

    def commit(self, stamp: int) -> None:
        """Make all before durable, then record the stamp."""
        ...

    def purge(self) -> None:
        """Leave no deleted vector in any file."""
        ...

    def dense(self, vector: NDArray[np.float32], *, limit: int, filters: Filters) -> list[IndexHit]:
        """Best first by cosine; ties by passage id."""
        ...

    def sparse(self, terms: Mapping[int, float], *, limit: int, filters: Filters) -> list[IndexHit]:
        """Best first by BM25; only passages that share a term; ties by passage id."""
        ...

    def refresh(self) -> bool:
        """What another process committed since is seen; True when there was something."""
        ...

    def count(self) -> int: ...
    def close(self) -> None: ...
