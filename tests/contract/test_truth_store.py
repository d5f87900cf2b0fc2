"""The truth contract on SQLite, on PostgreSQL and on the twin in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy

from kgrag.errors import KnowledgeBaseBusy
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.stores.sql import SqlTruth, open_truth
from kgrag.testing.truth_contract import TruthContract, sample


class TestMemory(TruthContract):
    @pytest.fixture
    def truth(self) -> MemoryTruth:
        return MemoryTruth()


class TestSqlite(TruthContract):
    @pytest.fixture
    def truth(self, tmp_path: Path) -> Iterator[SqlTruth]:
        with open_truth(tmp_path / "kb", mode="write", create=True) as truth:
            yield truth


@pytest.fixture
def postgres() -> str:
    """The URL of an empty database."""
    url = os.environ.get("KGRAG_TEST_POSTGRES")
    if not url:
        pytest.skip("KGRAG_TEST_POSTGRES names no server (.ci/postgres.sh starts one)")
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP SCHEMA public CASCADE"))
        connection.execute(sqlalchemy.text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.mark.server
class TestPostgres(TruthContract):
    @pytest.fixture
    def truth(self, postgres: str, tmp_path: Path) -> Iterator[SqlTruth]:
        with open_truth(postgres, mode="write", directory=tmp_path, create=True) as truth:
            yield truth

    def test_the_database_has_one_writer_whatever_the_folder(
        self, truth: SqlTruth, postgres: str, tmp_path: Path
    ) -> None:
        with pytest.raises(KnowledgeBaseBusy) as caught:
            open_truth(postgres, mode="write", directory=tmp_path / "other")
        assert caught.value.pid == os.getpid()
        truth.close()
        open_truth(postgres, mode="write", directory=tmp_path / "other").close()

    def test_readers_read_while_it_is_written(
        self, truth: SqlTruth, postgres: str, tmp_path: Path
    ) -> None:
        with open_truth(postgres, directory=tmp_path) as reader:
            assert truth.put(sample())
            assert reader.document(sample().document.id) == sample().document

    def test_removed_text_is_in_no_file_of_the_database(
        self, truth: SqlTruth, postgres: str
    ) -> None:
        engine = sqlalchemy.create_engine(postgres)
        with engine.connect() as connection:
            query = "SELECT current_setting('data_directory')"
            folder = Path(connection.execute(sqlalchemy.text(query)).scalar_one())
            number = connection.execute(
                sqlalchemy.text("SELECT oid FROM pg_database WHERE datname = current_database()")
            ).scalar_one()
        tables = folder / "base" / str(number)
        if not os.access(tables, os.R_OK | os.X_OK):
            pytest.skip("the files of the server cannot be read from here")

        def holds(word: str) -> bool:
            found = False
            for path in tables.iterdir():
                found = found or (path.is_file() and word.encode() in path.read_bytes())
            return found

        item = sample(words=("Zyxwodrine", "Qavopathy"))
        truth.put(item)
        truth.put(sample("stays.md", words=("Remainol", "Stayosis")))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sqlalchemy.text("CHECKPOINT"))
        engine.dispose()
        assert holds("Zyxwodrine") and holds("Remainol")
        truth.remove(item.document.id)
        truth.purge()
        assert not holds("Zyxwodrine") and not holds("Qavopathy")
        assert holds("Remainol")
