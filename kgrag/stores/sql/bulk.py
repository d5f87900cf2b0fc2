"""Many rows into one table, in the way that the database takes them quickest."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Table, insert, text

# Rows of one statement: about a megabyte each, so that memory does not grow with the document.
_AT_ONCE = 5_000


def insert_rows(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """The table has the rows after the call. Every row has the same columns in the same order."""
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), rows)
        return
    # A statement with thousands of parameters costs the driver and the server's parser most of the
    # time; one JSON parameter is read by C code on both sides.
    statement = text(_from_json(connection, table, tuple(rows[0])))
    for at in range(0, len(rows), _AT_ONCE):
        some = json.dumps(rows[at : at + _AT_ONCE], ensure_ascii=False, default=_hexadecimal)
        connection.execute(statement, {"rows": some})


def _from_json(connection: Connection, table: Table, names: tuple[str, ...]) -> str:
    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(map(quote, names))
    typed = ", ".join(
        f"{quote(name)} {table.c[name].type.compile(connection.dialect)}" for name in names
    )
    return (
        f"INSERT INTO {quote(table.name)} ({columns}) SELECT {columns} "  # noqa: S608 names are ours
        f"FROM json_to_recordset(CAST(:rows AS json)) AS given({typed})"
    )


def _hexadecimal(value: object) -> str:
    """PostgreSQL's form of bytes."""
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} has no form in the database")
    return f"\\x{value.hex()}"
