"""A look at everything that is kept: what is not as it must be, one line a problem."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Engine, exists, func, select

from kgrag.errors import BrokenInvariant
from kgrag.ids import sha256
from kgrag.stores.originals import Originals
from kgrag.stores.sql import check, codec, read, standing
from kgrag.stores.sql.schema import (
    OF_DOCUMENT,
    advised_on,
    bodies,
    documents,
    passages,
    postings,
    recommended,
    stated,
)
from kgrag.stores.standing import edition_of


def problems(engine: Engine, originals: Originals) -> Iterator[str]:
    """The lines name ids and offsets, never text."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            for line in connection.exec_driver_sql("PRAGMA integrity_check").scalars():
                if line != "ok":
                    yield f"database: {line}"
        yield from _orphans(connection)
    last = 0
    while True:
        with engine.connect() as connection:
            rows = connection.execute(
                select(documents.c.doc, documents.c.id, documents.c.original_sha256)
                .where(documents.c.doc > last)
                .order_by(documents.c.doc)
                .limit(200)
            ).all()
            for row in rows:
                yield from _of_document(connection, row)
        for row in rows:
            try:
                originals.read(row.original_sha256)
            except BrokenInvariant as error:
                yield f"{row.id}: {error.message}"
        if not rows:
            return
        last = rows[-1].doc


def _orphans(connection: Connection) -> Iterator[str]:
    for table in OF_DOCUMENT:
        if table is documents:
            continue
        lost = connection.scalar(
            select(func.count())
            .select_from(table)
            .where(~exists(select(documents.c.doc).where(documents.c.doc == table.c.doc)))
        )
        if lost:
            yield f"{lost} rows of {table.name} belong to no document"
    bare = select(documents.c.id).where(
        ~exists(select(bodies.c.doc).where(bodies.c.doc == documents.c.doc))
    )
    for identifier in connection.scalars(bare):
        yield f"{identifier}: the stored text is missing"


def _of_document(connection: Connection, row: Any) -> Iterator[str]:
    document_id = row.id
    body = connection.execute(select(bodies).where(bodies.c.doc == row.doc)).one_or_none()
    if body is None:
        return  # told by _orphans
    document = read.document(connection, document_id)
    mentions = codec.load_mentions(body.mentions)
    pieces = read.passages_of(connection, document_id)
    said = connection.execute(
        select(stated, documents.c.id.label("document_id"))
        .join_from(stated, documents)
        .where(stated.c.doc == row.doc)
    ).all()
    kept = [(item.id, codec.load_assertion(item)) for item in said]
    advice = connection.execute(
        select(recommended.c.id, recommended.c.record).where(recommended.c.doc == row.doc)
    ).all()
    advised = [(item.id, codec.load_recommendation(document_id, item.record)) for item in advice]
    found = [
        *check.document_problems(document),
        *check.passage_problems(document, pieces),
        *check.mention_problems(document, mentions),
        *check.assertion_problems(document, [assertion for _, assertion in kept]),
        *check.recommendation_problems(document, [given for _, given in advised]),
    ]
    found += [f"{name} is kept under another id" for name, a in kept if a.id != name]
    found += [f"{name} is kept under another id" for name, r in advised if r.id != name]
    about = connection.execute(
        select(advised_on.c.concept, advised_on.c.recommendation).where(advised_on.c.doc == row.doc)
    )
    if {tuple(pair) for pair in about} != {
        (concept, name) for name, r in advised for concept in (*r.interventions, *r.conditions)
    }:
        found.append("the concepts of its recommendations are not those kept for looking up")
    hashes = connection.execute(
        select(passages.c.start, passages.c.stop, passages.c.text_sha256).where(
            passages.c.doc == row.doc
        )
    )
    found += [
        f"the passage at [{start}, {stop}) has other characters than when it was kept"
        for start, stop, digest in hashes
        if bytes.fromhex(sha256(document.text[start:stop].encode())) != digest
    ]
    counted = {
        (posting.concept, posting.position): posting.mentions
        for posting in connection.execute(select(postings).where(postings.c.doc == row.doc))
    }
    if counted != check.count_mentions(pieces, mentions):
        found.append("the concepts of its passages are not those of its mentions")
    kept_standing = standing.edition(connection, row.doc)
    given = [r for _, r in advised]
    if kept_standing != edition_of(document.id, document.source, document.metadata, given):
        found.append("its issuer, scope or date are kept otherwise than it says; ingest it again")
    for line in found:
        yield f"{document_id}: {line}"
