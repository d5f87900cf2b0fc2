"""Connections to the truth: SQLite in WAL mode, or PostgreSQL through pg8000.

Transactions are begun here, not by the SQLite driver: reading ones see one state throughout,
writing ones take the write lock at once instead of failing in the middle.
"""

from __future__ import annotations

import os
import sqlite3
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool

from kgrag.errors import KnowledgeBaseError, MissingExtra

FILE_NAME: Final = "truth.sqlite"
_WRITES: Final = "kgrag_writes"
# Milliseconds that a connection waits for another one's lock.
_BUSY_MS: Final = 10_000


def sqlite_engine(path: Path, *, write: bool) -> Engine:
    """An engine on the file ``path``; opened for reading it can change nothing.

    Commits are synced to the disk. Deleted content is overwritten with zeros.
    """
    # A reader must be able to share memory with the writer; on a medium that nobody can write to
    # there is no writer, and SQLite is told so.
    query = "mode=rwc" if write else "mode=rw"
    if not write and not _writable(path):
        query = "mode=ro&immutable=1"
    address = f"{path.resolve().as_uri()}?{query}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            address, uri=True, timeout=_BUSY_MS / 1000, check_same_thread=False
        )
        connection.isolation_level = None
        if write:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("PRAGMA foreign_keys=ON")
        else:
            connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA temp_store=MEMORY")  # no text in temporary files
        connection.execute("PRAGMA cache_size=-32768")  # KiB
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=4)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def postgres_engine(url: URL) -> Engine:
    """An engine on a PostgreSQL database; MissingExtra without the driver."""
    if find_spec("pg8000") is None:
        raise MissingExtra("pg8000", extra="postgres", purpose="a PostgreSQL truth")
    return create_engine(url, pool_size=4, pool_pre_ping=True)


def parse_url(location: str) -> URL:
    """A URL for PostgreSQL with the driver that kgrag ships with; KnowledgeBaseError otherwise."""
    try:
        url = make_url(location)
    except ArgumentError as error:
        raise KnowledgeBaseError(
            "the location is no database URL",
            hint="give a folder, or postgresql+pg8000://user:password@host/database",
        ) from error
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+pg8000")
    if url.drivername != "postgresql+pg8000":
        raise KnowledgeBaseError(
            f"no truth store for {url.drivername!r}",
            hint="give a folder (SQLite) or a postgresql+pg8000:// URL",
        )
    return url


def for_writing(connection: Connection) -> Connection:
    """The same connection, whose transactions write."""
    return connection.execution_options(**{_WRITES: True})


def _writable(path: Path) -> bool:
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        return True
    # Left by a writer that was killed: it must be replayed, and that is writing.
    return path.with_name(path.name + "-wal").exists()
