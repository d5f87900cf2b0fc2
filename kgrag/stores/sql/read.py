"""What a reading transaction asks. Long listings go page by page, each page its own transaction,
so that a slow caller holds nothing open and a purge need not wait for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Row, Select, func, or_, select

from kgrag.errors import NotFound
from kgrag.records.assertions import Assertion
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document, Metadata, Passage, Source
from kgrag.stores.base import Change, DocumentInfo, FileState, Status
from kgrag.stores.graph_arrays import StatedRow
from kgrag.stores.sql import codec
from kgrag.stores.sql.schema import (
    advised_on,
    bodies,
    changes,
    documents,
    embeddings,
    file_states,
    passages,
    postings,
    recommended,
    stated,
    tombstones,
)
from kgrag.stores.standing import ValidThen, takes_effect_after

_PAGE: Final = 500
# Values in one IN list.
_MANY: Final = 1000


def batches(values: Sequence[Any], size: int = _MANY) -> Iterator[Sequence[Any]]:
    """``values`` in pieces of at most ``size``."""
    for at in range(0, len(values), size):
        yield values[at : at + size]


def document(connection: Connection, document_id: str) -> Document:
    """The whole document; NotFound for a tombstone or unknown id."""
    row = connection.execute(
        select(documents, bodies.c.text, bodies.c.structure)
        .join_from(documents, bodies)
        .where(documents.c.id == document_id)
    ).one_or_none()
    if row is None:
        raise not_found(connection, document_id)
    return Document(
        row.id,
        Source(row.collection, row.identifier),
        row.uri,
        row.media_type,
        row.original_sha256,
        row.reader,
        row.text,
        codec.load_metadata(row.metadata),
        **codec.load_structure(row.structure),
    )


def not_found(connection: Connection, document_id: str) -> NotFound:
    """The error for a tombstone or an unknown id, saying which."""
    removed = is_tombstone(connection, document_id)
    return NotFound("document", document_id, hint="it was removed" if removed else None)


def is_tombstone(connection: Connection, document_id: str) -> bool:
    return (
        connection.scalar(select(tombstones.c.id).where(tombstones.c.id == document_id)) is not None
    )


def body_column(connection: Connection, document_id: str, column: str) -> str | None:
    """A column of the document's body; None for a tombstone, NotFound for an unknown id."""
    found: str | None = connection.scalar(
        select(bodies.c[column]).join_from(bodies, documents).where(documents.c.id == document_id)
    )
    if found is None and not is_tombstone(connection, document_id):
        raise NotFound("document", document_id)
    return found


def info(connection: Connection, document_id: str) -> DocumentInfo:
    """Of a document or a tombstone; NotFound for an unknown id."""
    row = connection.execute(select(documents).where(documents.c.id == document_id)).one_or_none()
    if row is not None:
        return _info(row)
    row = connection.execute(select(tombstones).where(tombstones.c.id == document_id)).one_or_none()
    if row is None:
        raise NotFound("document", document_id)
    return _tombstone(row)


def infos(connection: Connection, ids: Sequence[str]) -> dict[str, DocumentInfo]:
    """By id, in the order of ``ids``; tombstones and unknown ids are left out."""
    found: dict[str, DocumentInfo] = {}
    for some in batches(list(dict.fromkeys(ids))):
        rows = connection.execute(select(documents).where(documents.c.id.in_(some)))
        by_id = {row.id: _info(row) for row in rows}
        found.update((key, by_id[key]) for key in some if key in by_id)
    return found


def current(connection: Connection, source: Source) -> DocumentInfo | None:
    """The version of ``source`` that no other one replaced."""
    row = connection.execute(
        select(documents).where(
            documents.c.collection == source.collection,
            documents.c.identifier == source.identifier,
            documents.c.status != "replaced",
        )
    ).one_or_none()
    return None if row is None else _info(row)


def _info(row: Row[Any]) -> DocumentInfo:
    metadata = codec.load_metadata(row.metadata)
    return DocumentInfo(
        row.id,
        Source(row.collection, row.identifier),
        row.uri,
        metadata.title or row.uri.rstrip("/").rsplit("/", 1)[-1],
        metadata,
        row.status,
        row.chars,
        row.generation,
    )


def _tombstone(row: Row[Any]) -> DocumentInfo:
    return DocumentInfo(
        row.id,
        Source(row.collection_hash, row.source_hash),
        "",
        "",
        Metadata(),
        "removed",
        0,
        row.generation,
    )


def list_documents(
    engine: Engine, *, collection: str | None, collection_hash: str | None, status: Status | None
) -> Iterator[DocumentInfo]:
    """In order of id; tombstones are matched by the keyed hash of their collection."""
    last = ""
    while True:
        page: list[DocumentInfo] = []
        with engine.connect() as connection:
            if status != "removed":
                query = select(documents).where(documents.c.id > last)
                if collection is not None:
                    query = query.where(documents.c.collection == collection)
                if status is not None:
                    query = query.where(documents.c.status == status)
                query = query.order_by(documents.c.id).limit(_PAGE)
                page += [_info(row) for row in connection.execute(query)]
            if status in ("removed", None):
                query = select(tombstones).where(tombstones.c.id > last)
                if collection_hash is not None:
                    query = query.where(tombstones.c.collection_hash == collection_hash)
                query = query.order_by(tombstones.c.id).limit(_PAGE)
                page += [_tombstone(row) for row in connection.execute(query)]
        # Each part is complete up to its own last id, so the first _PAGE of both together are.
        page = sorted(page, key=lambda found: found.id)[:_PAGE]
        yield from page
        if len(page) < _PAGE:
            return
        last = page[-1].id


def passages_of(connection: Connection, document_id: str) -> tuple[Passage, ...]:
    """In their order; none for a tombstone, NotFound for an unknown id."""
    rows = connection.execute(
        select(passages)
        .join_from(passages, documents)
        .where(documents.c.id == document_id)
        .order_by(passages.c.position)
    ).all()
    if not rows:
        info(connection, document_id)
    return tuple(_passage(row, document_id) for row in rows)


def _passage(row: Row[Any], document_id: str) -> Passage:
    return Passage(
        row.id, document_id, row.start, row.stop, tuple(json.loads(row.section)), row.page
    )


def passages_by_id(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[Passage, str]]:
    """In the order of ``ids``. One document's text at a time is in memory."""
    found: dict[str, tuple[Passage, str]] = {}
    for some in batches(list(dict.fromkeys(ids))):
        rows = connection.execute(
            select(passages, documents.c.id.label("document_id"))
            .join_from(passages, documents)
            .where(passages.c.id.in_(some))
        )
        of_document: dict[int, list[Passage]] = {}
        for row in rows:
            of_document.setdefault(row.doc, []).append(_passage(row, row.document_id))
        # A database that cuts passages out reads the whole text for each of them.
        texts = connection.execute(
            select(bodies.c.doc, bodies.c.text).where(bodies.c.doc.in_(list(of_document)))
        )
        by_id = {p.id: (p, text[p.start : p.end]) for doc, text in texts for p in of_document[doc]}
        found.update((key, by_id[key]) for key in some if key in by_id)
    return found


def passages_with_concepts(
    connection: Connection, concepts: Sequence[str], limit: int, which: Which
) -> list[tuple[str, str]]:
    """Most mentions first; ties by passage id, then concept."""
    query = (
        select(passages.c.id, postings.c.concept, documents.c.id.label("document_id"))
        .join_from(
            postings,
            passages,
            (passages.c.doc == postings.c.doc) & (passages.c.position == postings.c.position),
        )
        .join(documents, documents.c.doc == postings.c.doc)
        .where(postings.c.concept.in_(list(dict.fromkeys(concepts))))
        .order_by(postings.c.mentions.desc(), passages.c.id, postings.c.concept)
    )
    if which.valid is None:
        rows = connection.execute(which.narrow(query).limit(limit)).all()
    else:
        rows = list(which.of(connection.execute(query).all()))[:limit]
    return [(row.id, row.concept) for row in rows]


@dataclass(frozen=True, slots=True)
class Which:
    """Whose statements count: those of all documents, of the current ones, or in force on a day."""

    valid: ValidThen | None = None
    current: bool = False

    def narrow(self, query: Select[Any]) -> Select[Any]:
        """The query over documents that count, as far as the database can tell."""
        return query.where(documents.c.status == "current") if self.current else query

    def of(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The rows of documents that count."""
        if self.valid is None:
            return rows
        return [row for row in rows if row.document_id in self.valid.documents]

    def advice(self, rows: Sequence[Any]) -> Iterator[Recommendation]:
        """Their recommendations, but for those that take effect after the day."""
        for row in self.of(rows):
            given = codec.load_recommendation(row.document_id, row.record)
            if self.valid is None or not takes_effect_after(given, self.valid.as_of):
                yield given


ALL: Final = Which()
CURRENT: Final = Which(current=True)


def assertions(
    engine: Engine,
    ids: Sequence[str] | None,
    *,
    concept: str | None,
    document_id: str | None,
    which: Which,
) -> Iterator[Assertion]:
    """In order of id, merged over the documents that count."""
    query = select(stated, documents.c.id.label("document_id")).join_from(stated, documents)
    if concept is not None:
        query = query.where(or_(stated.c.subject == concept, stated.c.object == concept))
    if document_id is not None:
        query = query.where(documents.c.id == document_id)
    query = which.narrow(query)
    query = query.order_by(stated.c.id, stated.c.doc)
    if ids is not None:
        for some in batches(sorted(set(ids))):
            with engine.connect() as connection:
                rows = connection.execute(query.where(stated.c.id.in_(some))).all()
            yield from _merge(which.of(rows))
        return
    last = ""
    while True:
        with engine.connect() as connection:
            rows = connection.execute(query.where(stated.c.id > last).limit(_PAGE)).all()
            if len(rows) == _PAGE:  # the last id may go on
                end = rows[-1].id
                rest = query.where(stated.c.id == end)
                rows = [r for r in rows if r.id != end] + list(connection.execute(rest))
        yield from _merge(which.of(rows))
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


def _merge(rows: Sequence[Row[Any]]) -> Iterator[Assertion]:
    earlier: tuple[str, Assertion] | None = None
    for row in rows:
        assertion = codec.load_assertion(row)
        if earlier is not None and earlier[0] == row.id:
            assertion = earlier[1].merged(assertion)
        elif earlier is not None:
            yield earlier[1]
        earlier = (row.id, assertion)
    if earlier is not None:
        yield earlier[1]


def recommendations(
    engine: Engine,
    ids: Sequence[str] | None,
    *,
    concept: str | None,
    document_id: str | None,
    which: Which,
) -> Iterator[Recommendation]:
    """In order of id."""
    query = select(recommended.c.id, recommended.c.record, documents.c.id.label("document_id"))
    query = query.join_from(recommended, documents).order_by(recommended.c.id)
    if concept is not None:
        about = select(advised_on.c.recommendation).where(advised_on.c.concept == concept)
        query = query.where(recommended.c.id.in_(about))
    if document_id is not None:
        query = query.where(documents.c.id == document_id)
    query = which.narrow(query)
    if ids is not None:
        for some in batches(sorted(set(ids))):
            with engine.connect() as connection:
                rows = connection.execute(query.where(recommended.c.id.in_(some))).all()
            yield from which.advice(rows)
        return
    last = ""
    while True:
        with engine.connect() as connection:
            rows = connection.execute(query.where(recommended.c.id > last).limit(_PAGE)).all()
        yield from which.advice(rows)
        if len(rows) < _PAGE:
            return
        last = rows[-1].id


def edges(engine: Engine) -> Iterator[tuple[str, str, str, str, int]]:
    """In order of id."""
    size = 50_000
    last = ""
    while True:
        with engine.connect() as connection:
            rows = connection.execute(
                select(
                    stated.c.id,
                    stated.c.subject,
                    stated.c.predicate,
                    stated.c.object,
                    func.sum(stated.c.pieces).label("pieces"),
                )
                .join_from(stated, documents)
                .where(stated.c.id > last, documents.c.status == "current")
                .group_by(stated.c.id, stated.c.subject, stated.c.predicate, stated.c.object)
                .order_by(stated.c.id)
                .limit(size)
            ).all()
        for identifier, subject, predicate, object_, pieces in rows:
            yield identifier, subject, predicate, object_, int(pieces)
        if len(rows) < size:
            return
        last = rows[-1].id


def stated_rows(engine: Engine, only: Sequence[str] | None) -> Iterator[StatedRow]:
    """What current documents state."""
    query = (
        select(
            documents.c.id.label("document_id"),
            stated.c.id,
            stated.c.subject,
            stated.c.predicate,
            stated.c.object,
            stated.c.negated,
            stated.c.pieces,
        )
        .join_from(documents, stated)
        .where(documents.c.status == "current")
    )
    if only is not None:
        for some in batches(sorted(set(only))):
            with engine.connect() as connection:
                rows = connection.execute(query.where(documents.c.id.in_(some))).all()
            yield from (StatedRow(*row) for row in rows)
        return
    last = 0
    while True:
        # Whole documents, as many as fit a page: none is cut between two transactions.
        with engine.connect() as connection:
            numbers = connection.scalars(
                select(documents.c.doc)
                .where(documents.c.doc > last, documents.c.status == "current")
                .order_by(documents.c.doc)
                .limit(_PAGE)
            ).all()
            if not numbers:
                return
            within = documents.c.doc.between(numbers[0], numbers[-1])
            rows = connection.execute(query.where(within)).all()
        yield from (StatedRow(*row) for row in rows)
        last = numbers[-1]


def negated_assertions(connection: Connection) -> frozenset[str]:
    """Ids of assertions that deny their predicate, of documents of any status."""
    return frozenset(
        connection.scalars(select(stated.c.id).where(stated.c.negated.is_(True)).distinct())
    )


def list_changes(engine: Engine, since: int) -> Iterator[Change]:
    """Oldest first."""
    last = since
    while True:
        with engine.connect() as connection:
            rows = connection.execute(
                select(changes)
                .where(changes.c.generation > last)
                .order_by(changes.c.generation)
                .limit(5000)
            ).all()
        for row in rows:
            yield Change(row.generation, row.op, row.document_id)
        if not rows:
            return
        last = rows[-1].generation


def vectors(
    connection: Connection, encoder: str, digests: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Read-only arrays by the hash of the text."""
    found: dict[str, NDArray[np.float32]] = {}
    keys = [bytes.fromhex(digest) for digest in dict.fromkeys(digests)]
    for some in batches(keys):
        rows = connection.execute(
            select(embeddings.c.text_sha256, embeddings.c.vector).where(
                embeddings.c.text_sha256.in_(some), embeddings.c.encoder == encoder
            )
        )
        for key, vector in rows:
            found[key.hex()] = np.frombuffer(vector, dtype="<f4")
    return found


def file_state(connection: Connection, collection: str, path: str) -> FileState | None:
    row = connection.execute(
        select(file_states).where(
            file_states.c.collection == collection, file_states.c.path == path
        )
    ).one_or_none()
    if row is None:
        return None
    return FileState(
        row.collection, row.path, row.sha256, row.shape, tuple(json.loads(row.documents))
    )


def counts(connection: Connection) -> dict[str, int]:
    """Of current documents, except where the name says otherwise."""
    now = documents.c.status == "current"

    def number(query: Any) -> int:
        return int(connection.scalar(query) or 0)

    count = func.count()
    return {
        "documents": number(select(count).select_from(documents).where(now)),
        "replaced": number(
            select(count).select_from(documents).where(documents.c.status == "replaced")
        ),
        "superseded": number(
            select(count).select_from(documents).where(documents.c.status == "superseded")
        ),
        "removed": number(select(count).select_from(tombstones)),
        "collections": number(select(func.count(documents.c.collection.distinct())).where(now)),
        "chars": number(select(func.sum(documents.c.chars)).where(now)),
        "passages": number(select(count).select_from(passages.join(documents)).where(now)),
        "mentions": number(select(func.sum(documents.c.mentions)).where(now)),
        "concepts": number(
            select(func.count(postings.c.concept.distinct()))
            .select_from(postings.join(documents))
            .where(now)
        ),
        "assertions": number(
            select(func.count(stated.c.id.distinct()))
            .select_from(stated.join(documents))
            .where(now)
        ),
        "evidence": number(
            select(func.sum(stated.c.pieces)).select_from(stated.join(documents)).where(now)
        ),
        "recommendations": number(
            select(count).select_from(recommended.join(documents)).where(now)
        ),
        "rejects": number(select(func.sum(documents.c.rejects)).where(now)),
        "embeddings": number(select(count).select_from(embeddings)),
    }
