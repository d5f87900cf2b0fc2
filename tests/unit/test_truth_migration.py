"""A kb that an earlier kgrag made is brought forward with all that it holds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from kgrag.errors import KnowledgeBaseError
from kgrag.stores.sql import migrate, open_truth
from kgrag.testing.truth_contract import sample

# Dumps of kbs as the code of each schema version made them: two editions and a dissenting source.
DUMPS = Path(__file__).parents[1] / "data"


def tables(folder: Path) -> dict[str, set[str]]:
    """The columns of every table, and its indexes."""
    with closing(sqlite3.connect(folder / "truth.sqlite")) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {
            name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
            | {row[1] for row in connection.execute(f"PRAGMA index_list({name})")}
            for (name,) in rows
        }


@pytest.mark.parametrize("version", range(1, migrate.VERSION))
def test_a_kb_of_every_earlier_schema_is_brought_forward(tmp_path: Path, version: int) -> None:
    old, new, other = sample(edition=1), sample(edition=2), sample("b.md", negated=True)
    folder = tmp_path / "kb"
    (folder / "originals").mkdir(parents=True)
    for item in (old, new, other):
        digest = item.document.original_sha256
        (folder / "originals" / digest[:2]).mkdir(exist_ok=True)
        (folder / "originals" / digest[:2] / digest).write_bytes(item.original)
    with closing(sqlite3.connect(folder / "truth.sqlite")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript((DUMPS / f"truth_schema_{version}.sql").read_text())
    with pytest.raises(KnowledgeBaseError, match="older kgrag"):
        open_truth(folder)
    with open_truth(folder, mode="write") as truth:
        assert truth.setting("schema") == str(migrate.VERSION)
        assert list(truth.verify()) == []
        assert [d.id for d in truth.documents()] == sorted([new.document.id, other.document.id])
        assert truth.info(old.document.id).status == "replaced"
        for item in (old, new, other):
            assert truth.document(item.document.id) == item.document
            assert truth.mentions(item.document.id) == item.mentions
        assert list(truth.assertions()) == sorted(
            new.assertions + other.assertions, key=lambda a: a.id
        )
        if version == 1:
            assert list(truth.recommendations(current=False)) == []
        else:
            held = sorted(old.recommendations + new.recommendations + other.recommendations,
                          key=lambda r: r.id)  # fmt: skip
            assert list(truth.recommendations(current=False)) == held
        # Ingested again, the documents have what this version finds in them.
        assert truth.put(replace(new, recommendations=())) is (version > 1)
        assert truth.put(new)
        kept = truth.recommendations(document_id=new.document.id)
        assert tuple(kept) == new.recommendations
        assert truth.in_force("2020").documents == {new.document.id, other.document.id}
        assert truth.remove(new.document.id)
        truth.purge()
        assert list(truth.verify()) == []
    with open_truth(tmp_path / "fresh", mode="write", create=True):
        assert tables(tmp_path / "fresh") == tables(folder)
