"""Rows written many at once are read as they were given, on either database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, MetaData, Table, Text, select
from sqlalchemy.engine import Engine

from kgrag.stores.sql.bulk import insert_rows
from kgrag.stores.sql.engine import parse_url, postgres_engine, sqlite_engine

_ROWS: list[dict[str, Any]] = [
    {"key": n, "text": text, "data": data, "flag": flag, "none": None}
    for n, (text, data, flag) in enumerate(
        [
            ("plain", b"plain", True),
            ('"quoted" \\ back\\u0041slash', b"\x00\xff\\x41", False),
            ("lines\r\n\tand :names, %s %(x)s {} '; --", b"", True),
            ("β-lactams 💊 ≥ 2 e\u0301 \u2028", bytes(range(256)), False),
            ("", b"\\", True),
        ]
    )
]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = os.environ.get("KGRAG_TEST_POSTGRES")
    if request.param == "sqlite":
        made = sqlite_engine(tmp_path / "x.sqlite", write=True)
    elif url:
        made = postgres_engine(parse_url(url))
    else:
        pytest.skip("KGRAG_TEST_POSTGRES names no server (.ci/postgres.sh starts one)")
    yield made
    made.dispose()


def test_rows_are_read_as_they_were_given(engine: Engine) -> None:
    odd = Table(
        "odd",
        MetaData(),
        Column("key", BigInteger, primary_key=True),
        Column("text", Text),
        Column("data", LargeBinary),
        Column("flag", Boolean),
        Column("none", Text),
    )
    many = [{**_ROWS[n % 5], "key": n + 2**40} for n in range(12_000)]  # several statements
    with engine.begin() as connection:
        odd.drop(connection, checkfirst=True)
        odd.create(connection)
        insert_rows(connection, odd, [])
        insert_rows(connection, odd, _ROWS)
        insert_rows(connection, odd, many)
        found = connection.execute(select(odd).order_by(odd.c.key)).all()
        assert [tuple(row) for row in found] == [tuple(row.values()) for row in _ROWS + many]
        odd.drop(connection)
