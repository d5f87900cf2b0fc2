"""PostgreSQL stopped, killed and restarted while kgrag uses it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from own_postgres import OwnPostgres, own_postgres, programs

from kgrag.errors import KnowledgeBaseBusy, RetryableError
from kgrag.stores.sql import SqlTruth, open_truth
from kgrag.testing.truth_contract import sample

BIN = programs()
pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(BIN is None, reason="no PostgreSQL server is installed here"),
]


@pytest.fixture(scope="module")
def shared() -> Iterator[OwnPostgres]:
    assert BIN is not None
    with own_postgres(BIN) as server:
        yield server


@pytest.fixture
def server(shared: OwnPostgres) -> OwnPostgres:
    import sqlalchemy

    engine = sqlalchemy.create_engine(shared.url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP SCHEMA public CASCADE"))
        connection.execute(sqlalchemy.text("CREATE SCHEMA public"))
    engine.dispose()
    return shared


def opened(server: OwnPostgres, folder: Path, mode: str = "write") -> SqlTruth:
    return open_truth(
        server.url,
        mode="write" if mode == "write" else "read",
        directory=folder,
        create=mode == "write",
    )


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_writer_goes_on_after_a_restart(server: OwnPostgres, tmp_path: Path, how: str) -> None:
    with opened(server, tmp_path) as truth:
        assert truth.put(sample("1.md"))
        server.restart(how)
        with pytest.raises(RetryableError, match="does not answer") as told:
            truth.put(sample("2.md"))
        assert "secret" not in str(told.value) and told.value.hint is not None
        assert truth.put(sample("2.md"))
        assert truth.generation == 2 and not list(truth.verify())
        # The lock was taken again with the new connection.
        with pytest.raises(KnowledgeBaseBusy):
            opened(server, tmp_path / "other")
    opened(server, tmp_path / "other").close()


def test_every_call_says_so_while_the_server_is_away(server: OwnPostgres, tmp_path: Path) -> None:
    with opened(server, tmp_path) as truth, opened(server, tmp_path, "read") as reader:
        truth.put(sample("1.md"))
        assert reader.generation == 1
        one = sample("1.md").document.id
        server.stop()
        for _ in range(2):
            with pytest.raises(RetryableError, match="does not answer"):
                truth.put(sample("2.md"))
            with pytest.raises(RetryableError, match="does not answer"):
                _ = reader.generation
            with pytest.raises(RetryableError, match="does not answer"):
                list(reader.documents())
            with pytest.raises(RetryableError, match="does not answer"):
                reader.document(one)
        with pytest.raises(RetryableError, match="does not answer") as told:
            opened(server, tmp_path / "other", "read")
        assert "secret" not in str(told.value)
        server.start()
        assert reader.generation == 1
        assert reader.document(one) == sample("1.md").document
        assert truth.put(sample("2.md"))
        assert [info.id for info in reader.documents()] == sorted(
            sample(f"{n}.md").document.id for n in (1, 2)
        )


def test_a_reader_notices_nothing_of_a_restart_between_two_calls(
    server: OwnPostgres, tmp_path: Path
) -> None:
    with opened(server, tmp_path) as truth:
        truth.put(sample("1.md"))
    with opened(server, tmp_path, "read") as reader:
        assert reader.generation == 1
        server.restart()
        assert reader.generation == 1


def test_who_lost_the_lock_to_another_writes_no_more(server: OwnPostgres, tmp_path: Path) -> None:
    with opened(server, tmp_path) as truth:
        truth.put(sample("1.md"))
        server.restart()
        with pytest.raises(RetryableError):
            truth.put(sample("2.md"))
        with opened(server, tmp_path / "other") as other:
            with pytest.raises(KnowledgeBaseBusy):
                truth.put(sample("2.md"))
            assert other.put(sample("3.md"))
        assert truth.put(sample("2.md"))
        assert truth.generation == 3


def test_closing_while_the_server_is_away_lets_go_of_the_folder(
    server: OwnPostgres, tmp_path: Path
) -> None:
    truth = opened(server, tmp_path)
    truth.put(sample("1.md"))
    server.stop("immediate")
    with pytest.raises(RetryableError):
        truth.close()
    server.start()
    with opened(server, tmp_path) as again:
        assert again.generation == 1
