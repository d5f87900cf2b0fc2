"""What a writing transaction does. Every function here runs inside one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Table, delete, func, insert, select, update

from kgrag.errors import NotFound
from kgrag.ids import sha256
from kgrag.stores.base import FileState, Ingested
from kgrag.stores.sql import codec, standing
from kgrag.stores.sql.bulk import insert_rows
from kgrag.stores.sql.check import count_mentions, merged
from kgrag.stores.sql.schema import (
    advised_on,
    bodies,
    changes,
    documents,
    embedding_owners,
    embeddings,
    file_states,
    passages,
    postings,
    recommended,
    settings,
    standings,
    stated,
    tombstones,
)


def find(connection: Connection, document_id: str) -> Row[*tuple[Any, ...]] | None:
    """The document's number, source, status and original; None for a tombstone or unknown id."""
    return connection.execute(
        select(
            documents.c.doc,
            documents.c.status,
            documents.c.collection,
            documents.c.identifier,
            documents.c.original_sha256,
        ).where(documents.c.id == document_id)
    ).one_or_none()


def log(connection: Connection, op: str, document_id: str) -> int:
    """Append to the change log; the new generation."""
    last = connection.scalar(select(func.max(changes.c.generation))) or 0
    connection.execute(insert(changes).values(generation=last + 1, op=op, document_id=document_id))
    return last + 1


def put(connection: Connection, item: Ingested) -> bool:
    """See ``TruthStore.put``; the original is kept by the caller, before."""
    document = item.document
    found = find(connection, document.id)
    if found is not None and found.status != "replaced":
        return _refresh(connection, found.doc, item)
    earlier = connection.execute(
        select(
            documents.c.doc,
            documents.c.id,
            documents.c.metadata,
            documents.c.status,
            documents.c.generation,
        ).where(
            documents.c.collection == document.source.collection,
            documents.c.identifier == document.source.identifier,
            documents.c.status != "replaced",
        )
    ).one_or_none()
    touched = []
    if earlier is not None:
        if document.metadata.dated_before(codec.load_metadata(earlier.metadata)):
            # An old edition that turns up late is kept as history; nothing becomes current.
            if found is None:
                connection.execute(delete(tombstones).where(tombstones.c.id == document.id))
                _insert(connection, item, earlier.generation, status="replaced")
            return found is None
        generation = earlier.generation
        if earlier.status == "current":
            generation = log(connection, "retire", earlier.id)
        touched.append(standing.edition(connection, earlier.doc))
        _set_status(connection, earlier.doc, "replaced", generation)
    # Nothing is current until it is settled that no other document supersedes it.
    generation = standing.last_generation(connection)
    if found is not None:
        _set_status(connection, found.doc, "superseded", generation)
        touched.append(standing.edition(connection, found.doc))
    else:
        connection.execute(delete(tombstones).where(tombstones.c.id == document.id))
        _insert(connection, item, generation, status="superseded")
        touched.append(standing.edition_of_item(item))
    standing.settle(connection, touched, log)
    return True


def _set_status(connection: Connection, doc: int, status: str, generation: int) -> None:
    connection.execute(
        update(documents).where(documents.c.doc == doc).values(status=status, generation=generation)
    )


def _insert(connection: Connection, item: Ingested, generation: int, *, status: str) -> None:
    document = item.document
    result = connection.execute(
        insert(documents).values(
            id=document.id,
            collection=document.source.collection,
            identifier=document.source.identifier,
            uri=document.uri,
            media_type=document.media_type,
            original_sha256=document.original_sha256,
            reader=document.reader,
            metadata=codec.dump_metadata(document.metadata),
            status=status,
            generation=generation,
            chars=len(document.text),
            mentions=len(item.mentions),
            rejects=len(item.rejects),
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    doc = int(key[0])
    connection.execute(
        insert(bodies).values(
            doc=doc,
            text=document.text,
            structure=codec.dump_structure(document),
            mentions=codec.dump_mentions(item.mentions),
            rejects=codec.dump([dict(reject) for reject in item.rejects]),
        )
    )
    for table, rows in _derived(doc, item):
        insert_rows(connection, table, rows)


def _refresh(connection: Connection, doc: int, item: Ingested) -> bool:
    """What is said of the document and found in it is as in ``item``; False when it was before."""
    metadata = codec.dump_metadata(item.document.metadata)
    mentions = codec.dump_mentions(item.mentions)
    rejects = codec.dump([dict(reject) for reject in item.rejects])
    derived = _derived(doc, item)
    kept = connection.execute(
        select(
            bodies.c.mentions,
            bodies.c.rejects,
            documents.c.metadata,
            documents.c.status,
            documents.c.generation,
        )
        .join_from(bodies, documents)
        .where(bodies.c.doc == doc)
    ).one()
    same = (kept.metadata, kept.mentions, kept.rejects) == (metadata, mentions, rejects)
    if same and all(_holds(connection, table, doc, rows) for table, rows in derived):
        return False
    generation = kept.generation
    if kept.status == "current":
        log(connection, "retire", item.document.id)
        generation = log(connection, "add", item.document.id)
    before = standing.edition(connection, doc)
    for table, _ in reversed(derived):
        connection.execute(delete(table).where(table.c.doc == doc))
    for table, rows in derived:
        insert_rows(connection, table, rows)
    connection.execute(
        update(bodies).where(bodies.c.doc == doc).values(mentions=mentions, rejects=rejects)
    )
    connection.execute(
        update(documents)
        .where(documents.c.doc == doc)
        .values(
            metadata=metadata,
            generation=generation,
            mentions=len(item.mentions),
            rejects=len(item.rejects),
        )
    )
    after = standing.edition_of_item(item)
    if after != before:
        standing.settle(connection, (before, after), log)
    return True


def _holds(connection: Connection, table: Table, doc: int, rows: list[dict[str, Any]]) -> bool:
    """The table has exactly these rows of the document."""
    names = list(rows[0]) if rows else ["doc"]
    kept = connection.execute(
        select(*(table.c[name] for name in names)).where(table.c.doc == doc)
    ).all()
    wanted = [tuple(row.values()) for row in rows]
    return sorted(map(repr, map(tuple, kept))) == sorted(map(repr, wanted))


def _derived(doc: int, item: Ingested) -> list[tuple[Table, list[dict[str, Any]]]]:
    """The rows of what was found in a document, by table, in the order to insert them."""
    text = item.document.text
    found: list[dict[str, Any]] = [
        {
            "id": p.id,
            "doc": doc,
            "position": at,
            "start": p.start,
            "stop": p.end,
            "section": codec.dump(p.section),
            "page": p.page,
            "text_sha256": bytes.fromhex(sha256(text[p.start : p.end].encode())),
        }
        for at, p in enumerate(item.passages)
    ]
    # In the order of the table's key: neighbouring rows land on the same pages.
    counted = sorted(count_mentions(item.passages, item.mentions).items())
    posted: list[dict[str, Any]] = [
        {"concept": concept, "doc": doc, "position": at, "mentions": count}
        for (concept, at), count in counted
    ]
    said: list[dict[str, Any]] = [
        {
            "id": identifier,
            "doc": doc,
            "subject": a.subject,
            "predicate": a.predicate,
            "object": a.object,
            "negated": a.negated,
            "qualifiers": codec.dump(a.qualifiers),
            "tier": a.tier,
            "certainty": a.certainty,
            "pieces": len(a.evidence),
            "evidence": codec.dump_evidence(a.evidence),
        }
        for identifier, a in sorted(merged(item.assertions).items())
    ]
    advised: list[dict[str, Any]] = [
        {"id": r.id, "doc": doc, "record": codec.dump_recommendation(r)}
        for r in sorted(item.recommendations, key=lambda r: r.id)
    ]
    about: list[dict[str, Any]] = [
        {"concept": concept, "recommendation": identifier, "doc": doc}
        for concept, identifier in sorted(
            {(c, r.id) for r in item.recommendations for c in (*r.interventions, *r.conditions)}
        )
    ]
    return [
        (passages, found),
        (postings, posted),
        (stated, said),
        (recommended, advised),
        (advised_on, about),
        (standings, [standing.row_of(doc, standing.edition_of_item(item))]),
    ]


def put_embeddings(
    connection: Connection,
    encoder: str,
    vectors: Mapping[str, NDArray[np.float32]],
    owners: Mapping[str, Sequence[str]],
) -> None:
    """See ``TruthStore.put_embeddings``."""
    keys = [bytes.fromhex(digest) for digest in vectors]
    have = _existing(connection, encoder, keys)
    insert_rows(
        connection,
        embeddings,
        [
            {
                "encoder": encoder,
                "text_sha256": key,
                "vector": np.ascontiguousarray(vector, dtype="<f4").tobytes(),
            }
            for key, vector in zip(keys, vectors.values(), strict=True)
            if key not in have
        ],
    )
    if owners:
        _own(connection, owners)


def _existing(connection: Connection, encoder: str, keys: Sequence[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for at in range(0, len(keys), 1000):
        query = select(embeddings.c.text_sha256).where(
            embeddings.c.text_sha256.in_(keys[at : at + 1000]), embeddings.c.encoder == encoder
        )
        found.update(connection.scalars(query))
    return found


def _own(connection: Connection, owners: Mapping[str, Sequence[str]]) -> None:
    ids = sorted({identifier for group in owners.values() for identifier in group})
    numbers: dict[str, int] = {}
    for at in range(0, len(ids), 1000):
        query = select(documents.c.id, documents.c.doc).where(
            documents.c.id.in_(ids[at : at + 1000])
        )
        numbers.update((row.id, row.doc) for row in connection.execute(query))
    missing = [identifier for identifier in ids if identifier not in numbers]
    if missing:
        raise NotFound("document", missing[0])
    pairs = {
        (bytes.fromhex(digest), numbers[identifier])
        for digest, group in owners.items()
        for identifier in group
    }
    known: set[tuple[bytes, int]] = set()
    docs = sorted(set(numbers.values()))
    for at in range(0, len(docs), 1000):
        query_known = select(embedding_owners.c.text_sha256, embedding_owners.c.doc).where(
            embedding_owners.c.doc.in_(docs[at : at + 1000])
        )
        known.update((row.text_sha256, row.doc) for row in connection.execute(query_known))
    insert_rows(
        connection,
        embedding_owners,
        [{"text_sha256": key, "doc": doc} for key, doc in sorted(pairs - known)],
    )


def put_file_state(connection: Connection, state: FileState) -> None:
    """Record ``state`` in place of what was recorded of that file."""
    connection.execute(
        delete(file_states).where(
            file_states.c.collection == state.collection, file_states.c.path == state.path
        )
    )
    connection.execute(
        insert(file_states).values(
            collection=state.collection,
            path=state.path,
            sha256=state.sha256,
            shape=state.shape,
            documents=codec.dump(state.documents),
        )
    )


def put_setting(connection: Connection, name: str, value: str) -> None:
    """Record ``value`` in place of the earlier one."""
    connection.execute(delete(settings).where(settings.c.name == name))
    connection.execute(insert(settings).values(name=name, value=value))
