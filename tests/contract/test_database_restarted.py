"""PostgreSQL stopped, killed and restarted while kgrag uses it."""

from __future__ import annotations

import subprocess
import sys
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


def test_a_service_and_the_command_line_say_so_and_recover(
    server: OwnPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastapi.testclient import TestClient

    from kgrag import Engine
    from kgrag.testing.lexicon import small_lexicon
    from kgrag_ingest.pipeline import ingest
    from kgrag_services.api import create_app

    (tmp_path / "cache" / "lexicon").mkdir(parents=True)
    small_lexicon(tmp_path / "cache" / "lexicon" / "lexicon.sqlite").close()
    monkeypatch.setenv("KGRAG_CACHE", str(tmp_path / "cache"))
    kb = tmp_path / "kb"
    kb.mkdir()
    (kb / "kgrag.toml").write_text(
        f'[encoding]\nencoder = "hashing:64"\n[generation]\nmodel = "none"\n'
        f'[stores]\ntruth = "{server.url}"\n'
    )
    (tmp_path / "advice.md").write_text("# Advice\n\nMetformin treats type 2 diabetes.\n")
    with Engine.open(kb, mode="write", create=True) as engine:
        ingest([tmp_path / "advice.md"], engine.truth, engine.linker)
        engine.catch_up()
        body = {"question": "What treats diabetes?"}
        with TestClient(create_app(engine), raise_server_exceptions=False) as client:
            expected = client.post("/v1/search", json=body).json()["hits"]
            assert expected
            server.stop("immediate")
            for path, asked in (("/v1/search", body), ("/v1/ask", body), ("/readyz", None)):
                reply = client.post(path, json=asked) if asked else client.get(path)
                assert reply.status_code == 503, path
                assert reply.headers["content-type"] == "application/problem+json"
                assert int(reply.headers["retry-after"]) > 0
                assert "does not answer" in reply.json()["detail"]
                assert "secret" not in reply.text and "diabetes" not in reply.text
            server.start()
            assert client.post("/v1/search", json=body).json()["hits"] == expected
            assert client.get("/readyz").status_code == 200
    command = [sys.executable, "-m", "kgrag", "search", "What treats diabetes?", "--kb", str(kb)]
    server.stop()
    away = subprocess.run(command, capture_output=True, text=True, check=False)
    server.start()
    back = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (away.returncode, back.returncode) == (5, 0), (away.stderr, back.stderr)
    assert "does not answer" in away.stderr and away.stderr.count("\n") == 1
    assert "secret" not in away.stderr
