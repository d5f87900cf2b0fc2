"""The schema's version, and the steps that bring an older kb forward.

A step is a function of a connection inside one writing transaction: either all steps happen or
none. A change of ``schema`` raises VERSION and adds the step from the version before.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import Connection, inspect

from kgrag.errors import KnowledgeBaseError
from kgrag.stores.sql import schema, standing
from kgrag.stores.sql.internals import internal, set_internal
from kgrag.stores.sql.write import log

VERSION: Final = 3


def _recommendations(connection: Connection) -> None:
    """Documents kept before have none until they are ingested again."""
    for table in (schema.recommended, schema.advised_on):
        table.create(connection)


def _standings(connection: Connection) -> None:
    """Documents that others supersede are no longer current."""
    schema.standings.create(connection)
    standing.fill(connection, log)


# Version to the step that leaves it for the next one.
MIGRATIONS: Final[Mapping[int, Callable[[Connection], None]]] = {
    1: _recommendations,
    2: _standings,
}


def stored_version(connection: Connection) -> int | None:
    """The schema version of the database; None when it holds no kb."""
    if not inspect(connection).has_table(schema.internals.name):
        return None
    value = internal(connection, "schema")
    return None if value is None else int(value)


def create(connection: Connection) -> None:
    """All tables exist, at VERSION, with a fresh key for the hashes of tombstones."""
    schema.metadata.create_all(connection)
    set_internal(connection, "schema", str(VERSION))
    set_internal(connection, "key", secrets.token_hex(32))
    standing.fill(connection, log)


def migrate(
    connection: Connection,
    name: str,
    *,
    write: bool,
    target: int = VERSION,
    steps: Mapping[int, Callable[[Connection], None]] = MIGRATIONS,
) -> None:
    """The database is at ``target``; KnowledgeBaseError, with a hint, when it cannot be."""
    version = stored_version(connection)
    if version is None:
        raise KnowledgeBaseError(f"{name} holds no knowledge base", hint="kgrag ingest makes one")
    if version > target:
        raise KnowledgeBaseError(
            f"{name} was written by a newer kgrag (schema {version}, this one knows {target})",
            hint="upgrade kgrag",
        )
    if version < target and not write:
        raise KnowledgeBaseError(
            f"{name} was written by an older kgrag (schema {version}, this one reads {target})",
            hint="any writing command brings it forward, such as kgrag ingest",
        )
    for step in range(version, target):
        if step not in steps:
            raise KnowledgeBaseError(
                f"no way from schema {step} to {step + 1}", hint="ingest into a new kb"
            )
        steps[step](connection)
        set_internal(connection, "schema", str(step + 1))
