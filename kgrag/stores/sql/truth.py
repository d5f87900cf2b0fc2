"""The truth store on SQL: opens it, and gives each promise of ``TruthStore`` its transaction."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError

from kgrag.errors import KnowledgeBaseBusy, KnowledgeBaseError, RetryableError
from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Mention
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document, Passage, Source
from kgrag.stores.base import Change, DocumentInfo, FileState, Ingested, Status
from kgrag.stores.graph_arrays import StatedRow
from kgrag.stores.lock import WriterLock
from kgrag.stores.originals import Originals
from kgrag.stores.sql import codec, migrate, read, removal, schema, standing, verify, write
from kgrag.stores.sql.check import check_ingested
from kgrag.stores.sql.engine import (
    FILE_NAME,
    for_writing,
    parse_url,
    postgres_engine,
    sqlite_engine,
)
from kgrag.stores.sql.internals import internal, set_internal
from kgrag.stores.sql.lost import retryable
from kgrag.stores.standing import ValidThen

Mode = Literal["read", "write"]
# The advisory lock of a PostgreSQL database that a writer holds: "kgrag" as a number.
_ADVISORY: Final = 0x6B67726167


def open_truth(
    location: Path | str,
    *,
    mode: Mode = "read",
    directory: Path | None = None,
    create: bool = False,
) -> SqlTruth:
    """The truth at ``location``: a kb's folder, or a PostgreSQL URL with ``directory`` beside it.

    RetryableError, here and from every method, while the database server does not answer; the
    next call after it is back succeeds, unless another writer came meanwhile (KnowledgeBaseBusy).

    With ``create`` a kb that is not there yet is made (only for writing). Opening for writing
    takes the writer's lock (KnowledgeBaseBusy when another process has it), brings an older schema
    forward, finishes an unfinished purge and sweeps originals that no document refers to.
    KnowledgeBaseError says why the kb cannot be opened.
    """
    if create and mode != "write":
        raise ValueError("only a writer makes a knowledge base")
    url = parse_url(location) if isinstance(location, str) and "://" in location else None
    if url is None:
        folder = Path(location)
        name = str(folder)
    else:
        if directory is None:
            raise KnowledgeBaseError(
                "a database URL needs a folder beside it", hint="give its directory"
            )
        folder = directory
        name = url.render_as_string(hide_password=True)
    if url is None and not create and not (folder / FILE_NAME).is_file():
        raise KnowledgeBaseError(
            f"{name} holds no knowledge base", hint="kgrag ingest PATH --kb DIR makes one"
        )
    if mode == "write":
        folder.mkdir(parents=True, exist_ok=True)
    lock = WriterLock(folder) if mode == "write" else None
    try:
        engine = (
            postgres_engine(url)
            if url is not None
            else sqlite_engine(folder / FILE_NAME, write=mode == "write")
        )
        try:
            if url is not None:
                retryable(engine, name)
            return SqlTruth(engine, folder, name, lock=lock, create=create)
        except BaseException:
            engine.dispose()
            raise
    except BaseException as error:
        if lock is not None:
            lock.release()
        if isinstance(error, DBAPIError):
            # The driver's words may hold the address with its password, and never help.
            raise KnowledgeBaseError(
                f"{name} cannot be opened as a knowledge base ({type(error.orig).__name__})",
                hint="is it a kgrag knowledge base, and does the database server run?",
            ) from error
        raise


class SqlTruth:
    """``TruthStore`` on SQLite or PostgreSQL; made by ``open_truth``.

    May be used by several threads: reads go side by side, writes one after the other.
    """

    def __init__(
        self, engine: Engine, directory: Path, name: str, *, lock: WriterLock | None, create: bool
    ) -> None:
        self.directory, self.name = directory, name
        self.lock = lock
        self._engine = engine
        self._originals = Originals(directory / "originals")
        self._writing = RLock()
        self._in_force: tuple[int, str, ValidThen] | None = None
        # One connection writes: on PostgreSQL it also holds the lock, so that who loses the lock
        # with its connection can write no more.
        self._writer = None if lock is None else for_writing(engine.connect())
        try:
            self._prepare(create)
        except BaseException:
            if self._writer is not None:
                self._writer.close()
            raise

    def _prepare(self, create: bool) -> None:
        if self._writer is None:
            with self._engine.connect() as connection:
                migrate.migrate(connection, self.name, write=False)
                self._key = self._read_key(connection)
            return
        with self._writer.begin():
            if self._engine.dialect.name == "postgresql":
                self._take_advisory_lock(self._writer)
            if create and migrate.stored_version(self._writer) is None:
                migrate.create(self._writer)
            migrate.migrate(self._writer, self.name, write=True)
            standing.follow_rules(self._writer, write.log)
            if self._engine.dialect.name == "postgresql":
                set_internal(self._writer, "writer", _who())
            self._key = self._read_key(self._writer)
            due = removal.purge_due(self._writer)
            table = schema.documents
            referred = set(self._writer.scalars(select(table.c.original_sha256).distinct()))
        self._originals.sweep(referred)
        if due:
            removal.purge(self._writer, self._engine)

    def _take_advisory_lock(self, connection: Connection) -> None:
        query = select(func.pg_try_advisory_lock(_ADVISORY))
        if connection.scalar(query):
            return
        holder = None
        if migrate.stored_version(connection) is not None:
            holder = internal(connection, "writer")
        known = json.loads(holder) if holder else {}
        where = f"{self.name} (writer on {known['host']})" if known else self.name
        raise KnowledgeBaseBusy(where, pid=known.get("pid"))

    def _read_key(self, connection: Connection) -> bytes:
        return bytes.fromhex(internal(connection, "key") or "")

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._writing:
            if self._writer is None:
                raise KnowledgeBaseError(
                    f"{self.name} is open for reading", hint="open it for writing"
                )
            if self._writer.invalidated or self._writer.closed:
                self._writer = self._regained(self._writer)
            with self._writer.begin():
                yield self._writer

    def _regained(self, lost: Connection) -> Connection:
        """A new connection that writes, after the server went away; it holds the lock again.

        KnowledgeBaseBusy when another writer took the lock meanwhile.
        """
        lost.close()
        connection = for_writing(self._engine.connect())
        try:
            with connection.begin():
                self._take_advisory_lock(connection)
                set_internal(connection, "writer", _who())
        except BaseException:
            connection.invalidate()  # closed, so that it takes no lock along into the pool
            connection.close()
            raise
        return connection

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            yield connection

    @property
    def generation(self) -> int:
        """Number of the last committed change, 0 when empty."""
        with self._read() as connection:
            return standing.last_generation(connection)

    def put(self, item: Ingested) -> bool:
        """See ``TruthStore``; BrokenInvariant when spans, quotations or hashes do not fit."""
        check_ingested(item)
        with self._writing:
            # First, so that a commit never refers to an original that is not there.
            if self._writer is not None:
                self._originals.add(item.original, item.document.original_sha256)
            with self._write() as connection:
                return write.put(connection, item)

    def remove(self, document_id: str) -> bool:
        """See ``TruthStore``. The original goes too when no other document was read from it."""
        with self._writing:
            with self._write() as connection:
                if read.is_tombstone(connection, document_id):
                    return False
                unreferred = removal.remove(connection, document_id)
            if unreferred is not None:
                self._originals.delete(unreferred)
            return True

    def purge(self) -> None:
        """See ``TruthStore`` and ``removal``; RetryableError while a reader is in the way."""
        with self._writing:
            with self._write() as connection:
                due = removal.purge_due(connection)
            if due and self._writer is not None:
                removal.purge(self._writer, self._engine)

    def document(self, document_id: str) -> Document:
        with self._read() as connection:
            return read.document(connection, document_id)

    def info(self, document_id: str) -> DocumentInfo:
        with self._read() as connection:
            return read.info(connection, document_id)

    def infos(self, document_ids: Sequence[str]) -> Mapping[str, DocumentInfo]:
        with self._read() as connection:
            return read.infos(connection, document_ids)

    def current(self, source: Source) -> DocumentInfo | None:
        """See ``TruthStore``."""
        with self._read() as connection:
            return read.current(connection, source)

    def original(self, document_id: str) -> bytes:
        with self._read() as connection:
            found = write.find(connection, document_id)
            if found is None:
                raise read.not_found(connection, document_id)
        return self._originals.read(found.original_sha256)

    def documents(
        self, *, collection: str | None = None, status: Status | None = "current"
    ) -> Iterator[DocumentInfo]:
        hashed = None if collection is None else removal.keyed(self._key, collection)
        return read.list_documents(
            self._engine, collection=collection, collection_hash=hashed, status=status
        )

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        with self._read() as connection:
            return read.passages_of(connection, document_id)

    def passages_by_id(self, ids: Sequence[str]) -> Mapping[str, tuple[Passage, str]]:
        with self._read() as connection:
            return read.passages_by_id(connection, ids)

    def mentions(self, document_id: str) -> tuple[Mention, ...]:
        with self._read() as connection:
            found = read.body_column(connection, document_id, "mentions")
        return () if found is None else codec.load_mentions(found)

    def rejects(self, document_id: str) -> tuple[Mapping[str, Any], ...]:
        with self._read() as connection:
            found = read.body_column(connection, document_id, "rejects")
        return () if found is None else tuple(json.loads(found))

    def passages_with_concepts(
        self, concepts: Sequence[str], *, limit: int = 1000, as_of: str | None = None
    ) -> Sequence[tuple[str, str]]:
        """See ``TruthStore``."""
        which = self._which(True, as_of)
        with self._read() as connection:
            return read.passages_with_concepts(connection, concepts, limit, which)

    def assertions(
        self,
        ids: Sequence[str] | None = None,
        *,
        concept: str | None = None,
        document_id: str | None = None,
        current: bool = True,
        as_of: str | None = None,
    ) -> Iterator[Assertion]:
        """See ``TruthStore``."""
        which = self._which(current, as_of)
        return read.assertions(
            self._engine, ids, concept=concept, document_id=document_id, which=which
        )

    def recommendations(
        self,
        ids: Sequence[str] | None = None,
        *,
        concept: str | None = None,
        document_id: str | None = None,
        current: bool = True,
        as_of: str | None = None,
    ) -> Iterator[Recommendation]:
        """See ``TruthStore``."""
        which = self._which(current, as_of)
        return read.recommendations(
            self._engine, ids, concept=concept, document_id=document_id, which=which
        )

    def in_force(self, as_of: str) -> ValidThen:
        """See ``TruthStore``. The last answer is kept, for as long as nothing changes."""
        generation = self.generation
        held = self._in_force
        if held is None or held[:2] != (generation, as_of):
            with self._read() as connection:
                held = generation, as_of, standing.valid_at(connection, as_of)
            self._in_force = held
        return held[2]

    def superseders(self, document_id: str) -> tuple[str, ...]:
        """See ``TruthStore``."""
        with self._read() as connection:
            read.info(connection, document_id)
            return standing.related(connection, document_id, later=True)

    def superseded(self, document_id: str) -> tuple[str, ...]:
        """See ``TruthStore``."""
        with self._read() as connection:
            read.info(connection, document_id)
            return standing.related(connection, document_id, later=False)

    def _which(self, current: bool, as_of: str | None) -> read.Which:
        if as_of is None:
            return read.CURRENT if current else read.ALL
        return read.Which(self.in_force(as_of))

    def edges(self) -> Iterator[tuple[str, str, str, str, int]]:
        return read.edges(self._engine)

    def stated(self, documents: Sequence[str] | None = None) -> Iterator[StatedRow]:
        """See ``TruthStore``."""
        return read.stated_rows(self._engine, documents)

    def negated_assertions(self) -> frozenset[str]:
        """See ``TruthStore``."""
        with self._read() as connection:
            return read.negated_assertions(connection)

    def changes(self, since: int) -> Iterator[Change]:
        return read.list_changes(self._engine, since)

    def embeddings(
        self, encoder: str, text_sha256: Sequence[str]
    ) -> Mapping[str, NDArray[np.float32]]:
        with self._read() as connection:
            return read.vectors(connection, encoder, text_sha256)

    def put_embeddings(
        self,
        encoder: str,
        vectors: Mapping[str, NDArray[np.float32]],
        *,
        owners: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        with self._write() as connection:
            write.put_embeddings(connection, encoder, vectors, owners or {})

    def file_state(self, collection: str, path: str) -> FileState | None:
        with self._read() as connection:
            return read.file_state(connection, collection, path)

    def put_file_state(self, state: FileState) -> None:
        with self._write() as connection:
            write.put_file_state(connection, state)

    def setting(self, name: str) -> str | None:
        with self._read() as connection:
            if name == "schema":
                return internal(connection, name)
            table = schema.settings
            found: str | None = connection.scalar(select(table.c.value).where(table.c.name == name))
            return found

    def put_setting(self, name: str, value: str) -> None:
        if name == "schema":
            raise ValueError("the schema's version is the store's own")
        with self._write() as connection:
            write.put_setting(connection, name, value)

    def counts(self) -> Mapping[str, int]:
        with self._read() as connection:
            return read.counts(connection)

    def verify(self) -> Iterator[str]:
        return verify.problems(self._engine, self._originals)

    def close(self) -> None:
        """Purge if one is due, let the next writer in; a second call does nothing."""
        with self._writing:
            try:
                if self._writer is not None:
                    try:
                        self.purge()
                    except RetryableError:
                        self.purge()  # the server was restarted since the last call
            finally:
                writer, self._writer = self._writer, None
                try:
                    if writer is not None and not (writer.invalidated or writer.closed):
                        if self._engine.dialect.name == "postgresql":
                            # The pool would keep the session, and the lock with it.
                            writer.execute(text("SELECT pg_advisory_unlock_all()"))
                        writer.close()
                finally:
                    self._engine.dispose()
                    if self.lock is not None:
                        self.lock.release()

    def __enter__(self) -> SqlTruth:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _who() -> str:
    return json.dumps({"pid": os.getpid(), "host": socket.gethostname()})
