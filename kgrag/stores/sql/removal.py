"""Removal that really removes.

The removing transaction deletes every row of the document and notes that a purge is due; the
purge then empties free pages and logs. A process killed in between leaves the note, and the next
writer purges first.

On SQLite deleted content is overwritten with zeros as it is deleted, and the purge moves the
write-ahead log into the database and truncates it. On PostgreSQL the purge rewrites the tables
(VACUUM FULL). What cannot be promised there: the server's own write-ahead log (``pg_wal``), its
archive, backups and standbys hold old content until the server recycles them.
Nowhere is the storage device below the file system promised: a deleted file's blocks are the
file system's to reuse.
"""

from __future__ import annotations

import hashlib
import hmac
import json

from sqlalchemy import ColumnElement, Connection, Engine, delete, exists, insert, select, text

from kgrag.errors import NotFound, RetryableError
from kgrag.stores.sql import read, standing
from kgrag.stores.sql.internals import internal, set_internal
from kgrag.stores.sql.schema import (
    OF_DOCUMENT,
    documents,
    embedding_owners,
    embeddings,
    file_states,
    passages,
    tombstones,
)
from kgrag.stores.sql.write import find, log

_DUE = "purge"


def keyed(key: bytes, *parts: str) -> str:
    """A hash of ``parts`` that nobody without the kb's key can confirm by guessing."""
    return hmac.new(key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()


def remove(connection: Connection, document_id: str) -> str | None:
    """Leave the tombstone. The hash of the original when nothing refers to it any more."""
    found = find(connection, document_id)
    if found is None:
        raise NotFound("document", document_id)
    here = found.doc
    before = standing.edition(connection, here)
    texts = set(
        connection.scalars(select(passages.c.text_sha256).where(passages.c.doc == here))
    ) | set(
        connection.scalars(
            select(embedding_owners.c.text_sha256).where(embedding_owners.c.doc == here)
        )
    )
    # The state of a file names its documents and repeats the hash of its bytes.
    connection.execute(
        delete(file_states).where(file_states.c.documents.contains(f'"{document_id}"'))
    )
    for table in OF_DOCUMENT:
        connection.execute(delete(table).where(table.c.doc == here))
    for some in read.batches(sorted(texts)):
        connection.execute(
            delete(embeddings).where(embeddings.c.text_sha256.in_(some)).where(_ownerless())
        )
    key = bytes.fromhex(internal(connection, "key") or "")
    generation = log(connection, "retire", document_id)
    connection.execute(
        insert(tombstones).values(
            id=document_id,
            source_hash=keyed(key, found.collection, found.identifier),
            collection_hash=keyed(key, found.collection),
            generation=generation,
        )
    )
    standing.settle(connection, [before], log)
    set_internal(connection, _DUE, "due")
    others = connection.scalar(
        select(documents.c.doc).where(documents.c.original_sha256 == found.original_sha256).limit(1)
    )
    return None if others is not None else str(found.original_sha256)


def purge_due(connection: Connection) -> bool:
    """Whether something was removed since the last complete purge."""
    return internal(connection, _DUE) == "due"


def drop_ownerless(connection: Connection) -> None:
    """Delete vectors of which no document is known: nobody can say whose text they show."""
    connection.execute(delete(embeddings).where(_ownerless()))


def purge(writer: Connection, engine: Engine) -> None:
    """No removed text or vector is left in any file of the store; RetryableError when a reader
    is in the way, and then the purge stays due. ``writer`` is outside a transaction."""
    with writer.begin():
        drop_ownerless(writer)
    if engine.dialect.name == "sqlite":
        raw = writer.connection.driver_connection
        assert raw is not None
        busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise RetryableError(
                "another process reads the knowledge base, so its log still holds removed text",
                hint="repeat the removal, or stop the reader",
            )
    else:
        with engine.connect() as connection:
            # The pool's look whether the connection lives has begun a transaction on it.
            connection.connection.rollback()
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            for table in (*OF_DOCUMENT, embeddings, file_states):
                connection.execute(text(f"VACUUM FULL {table.name}"))
            # The files of the old tables are unlinked by a checkpoint; not every role may ask.
            if connection.scalar(
                text("SELECT pg_has_role(current_user, 'pg_checkpoint', 'USAGE')")
            ):
                connection.execute(text("CHECKPOINT"))
    with writer.begin():
        set_internal(writer, _DUE, "done")


def _ownerless() -> ColumnElement[bool]:
    return ~exists(
        select(passages.c.id).where(passages.c.text_sha256 == embeddings.c.text_sha256)
    ) & ~exists(
        select(embedding_owners.c.doc).where(
            embedding_owners.c.text_sha256 == embeddings.c.text_sha256
        )
    )
