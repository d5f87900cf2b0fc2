"""What the store keeps for itself: schema version, key of the hashes, purge to be done, writer."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from kgrag.stores.sql import schema


def internal(connection: Connection, name: str) -> str | None:
    """A value that the store keeps for itself."""
    found: str | None = connection.scalar(
        select(schema.internals.c.value).where(schema.internals.c.name == name)
    )
    return found


def set_internal(connection: Connection, name: str, value: str) -> None:
    """Record a value that the store keeps for itself."""
    table = schema.internals
    done = connection.execute(update(table).where(table.c.name == name).values(value=value))
    if not done.rowcount:
        connection.execute(insert(table).values(name=name, value=value))
