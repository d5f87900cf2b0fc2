"""What is particular to a kb in a folder: opening, migrating, sharing, and removing for good."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, text

from kgrag.errors import KnowledgeBaseBusy, KnowledgeBaseError, RetryableError
from kgrag.ids import sha256
from kgrag.stores.base import Ingested
from kgrag.stores.sql import SqlTruth, migrate, open_truth
from kgrag.testing.truth_contract import guideline, sample


def make(folder: Path, *items: Ingested) -> SqlTruth:
    truth = open_truth(folder, mode="write", create=True)
    for item in items:
        truth.put(item)
    return truth


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    make(tmp_path, sample()).close()
    with open_truth(str(tmp_path)) as truth:
        assert truth.document(sample().document.id) == sample().document
        assert truth.generation == 1
        with pytest.raises(KnowledgeBaseError, match="open for reading"):
            truth.put(sample("b.md"))
    with open_truth(tmp_path, mode="write", create=True) as truth:
        assert truth.put(sample()) is False


def test_what_is_no_kb_is_refused_and_left_alone(tmp_path: Path) -> None:
    for mode in ("read", "write"):
        with pytest.raises(KnowledgeBaseError, match="holds no knowledge base"):
            open_truth(tmp_path / "none", mode=mode)  # type: ignore[arg-type]
    assert not (tmp_path / "none").exists()
    with pytest.raises(ValueError, match="only a writer"):
        open_truth(tmp_path, create=True)
    (tmp_path / "truth.sqlite").write_bytes(b"these are the bytes of something else " * 100)
    for mode in ("read", "write"):
        with pytest.raises(KnowledgeBaseError, match="cannot be opened"):
            open_truth(tmp_path, mode=mode)  # type: ignore[arg-type]
    # A file that was made, and a process killed before anything was committed.
    (tmp_path / "truth.sqlite").write_bytes(b"")
    with pytest.raises(KnowledgeBaseError, match="holds no knowledge base"):
        open_truth(tmp_path)
    make(tmp_path, sample()).close()


def test_other_databases_and_missing_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeBaseError, match="folder beside"):
        open_truth("postgresql://u:secret@localhost/x")
    with pytest.raises(KnowledgeBaseError, match="no truth store for 'mysql'"):
        open_truth("mysql://localhost/x", directory=tmp_path)
    with pytest.raises(RetryableError, match="does not answer") as caught:
        open_truth("postgresql://u:secret@127.0.0.1:1/x", directory=tmp_path)
    assert "secret" not in str(caught.value)


def test_readers_read_while_one_writes_and_a_second_writer_is_refused(tmp_path: Path) -> None:
    with make(tmp_path, sample()) as writer, open_truth(tmp_path) as reader:
        listing = reader.documents()
        assert next(listing).id == sample().document.id
        writer.put(sample("b.md"))
        assert reader.generation == 2
        assert len(list(reader.documents())) == 2
        with pytest.raises(KnowledgeBaseBusy) as caught:
            open_truth(tmp_path, mode="write")
        assert caught.value.pid == os.getpid()
    open_truth(tmp_path, mode="write").close()


def test_newer_schemas_are_refused_and_older_ones_brought_forward(tmp_path: Path) -> None:
    make(tmp_path, sample()).close()
    now = migrate.VERSION

    def add_column(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE settings ADD COLUMN note TEXT"))

    def fail(connection: Connection) -> None:
        connection.execute(text("ALTER TABLE settings ADD COLUMN half TEXT"))
        raise RuntimeError("in the middle")

    with open_truth(tmp_path, mode="write") as truth:
        connection = truth._writer
        assert connection is not None
        with pytest.raises(KnowledgeBaseError, match="older kgrag"), connection.begin():
            migrate.migrate(connection, "kb", write=False, target=now + 1)
        with pytest.raises(KnowledgeBaseError, match="no way from schema"), connection.begin():
            migrate.migrate(connection, "kb", write=True, target=now + 1, steps={})
        both = {now: add_column, now + 1: fail}
        with pytest.raises(RuntimeError), connection.begin():
            migrate.migrate(connection, "kb", write=True, target=now + 2, steps=both)
        with connection.begin():
            assert migrate.stored_version(connection) == now
            migrate.migrate(connection, "kb", write=True, target=now + 1, steps={now: add_column})
        with connection.begin():
            assert migrate.stored_version(connection) == now + 1
            assert connection.execute(text("SELECT note FROM settings")).all() == []
    for mode in ("read", "write"):
        with pytest.raises(KnowledgeBaseError, match="upgrade kgrag"):
            open_truth(tmp_path, mode=mode)  # type: ignore[arg-type]


def test_every_step_to_this_version_exists() -> None:
    assert sorted(migrate.MIGRATIONS) == list(range(1, migrate.VERSION))


def traces(item: Ingested, vector: np.ndarray) -> list[bytes]:
    body = item.document.text
    found = [mention.text for mention in item.mentions]
    found += [body.splitlines()[2], item.document.source.identifier, sha256(body.encode())]
    found += [p.id for p in item.passages] + [r.id for r in item.recommendations]
    return [text.encode() for text in found] + [vector.tobytes(), item.original]


def files_with(folder: Path, wanted: list[bytes]) -> list[str]:
    return sorted(
        {
            path.name
            for path in folder.rglob("*")
            if path.is_file()
            for trace in wanted
            if trace in path.read_bytes() or trace.decode("latin-1") in path.name
        }
    )


def test_what_a_removed_document_claimed_is_in_no_file(tmp_path: Path) -> None:
    gone = guideline("gone.md", "2015", issuer="Zyxwoboard", title="Qavopathy", claims=["Vexidoc"])
    stays = guideline("stays.md", "2014", issuer="Remainboard", title="Stayosis")
    wanted = [b"zyxwoboard", b"qavopathy", b"Vexidoc", b"2015"]
    with make(tmp_path, stays, gone) as truth:
        assert "truth.sqlite-wal" in files_with(tmp_path, wanted[:1])
        truth.remove(gone.document.id)
        truth.purge()
        for trace in wanted:
            assert files_with(tmp_path, [trace]) == []
        assert files_with(tmp_path, [b"remainboard"]) == ["truth.sqlite"]


def test_removed_text_and_vectors_are_in_no_file(tmp_path: Path) -> None:
    truth = make(tmp_path)
    rng = np.random.default_rng(3)
    kept: list[bytes] = []
    gone: list[bytes] = []
    removed: list[str] = []
    for n in range(60):
        # Of sizes from a few bytes to many pages, among each other.
        words = (f"Drug{n}qzx", *[f"filler{n}word"] * (n * 40 % 1500), f"illness{n}qzx")
        item = sample(f"source{n}qzx.md", words=words)
        vector = rng.random(384, dtype=np.float32)
        truth.put(item)
        p = item.passages[1]
        digest = sha256(item.document.text[p.start : p.end].encode())
        truth.put_embeddings("e", {digest: vector})
        if n % 3:
            gone += [*traces(item, vector), bytes.fromhex(digest)]
            removed.append(item.document.id)
        else:
            kept += [vector.tobytes(), item.mentions[0].text.encode()]
    assert files_with(tmp_path, gone)
    for key in removed[::2] + removed[1::2]:
        assert truth.remove(key)
    truth.purge()
    assert files_with(tmp_path, gone) == []
    assert all(files_with(tmp_path, [trace]) for trace in kept)
    truth.close()
    assert files_with(tmp_path, gone) == []


def test_a_purge_that_was_not_done_is_done_by_the_next_writer(tmp_path: Path) -> None:
    item = sample(words=("Drugqzx", "illnessqzx"))
    truth = make(tmp_path, item, sample("b.md"))
    reader = sqlite3.connect(tmp_path / "truth.sqlite")
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM bodies").fetchone()
    truth.remove(item.document.id)
    truth._writer.exec_driver_sql("PRAGMA busy_timeout=50")  # type: ignore[union-attr]
    truth._writer.rollback()  # type: ignore[union-attr]
    with pytest.raises(RetryableError, match="still holds removed text"):
        truth.purge()
    with pytest.raises(RetryableError):
        truth.close()
    assert files_with(tmp_path, [b"illnessqzx"])
    reader.close()
    # The lock was given back all the same.
    with open_truth(tmp_path, mode="write") as truth:
        assert files_with(tmp_path, [b"illnessqzx"]) == []


def test_originals_that_no_commit_refers_to_are_swept(tmp_path: Path) -> None:
    make(tmp_path, sample()).close()
    stray = tmp_path / "originals" / "ab" / ("ab" * 32)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"half")
    open_truth(tmp_path).close()
    assert stray.exists()
    with open_truth(tmp_path, mode="write") as truth:
        assert not stray.exists()
        assert truth.original(sample().document.id) == sample().original


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE bodies SET text = 'X' || substr(text, 2)", "other characters"),
        ("UPDATE bodies SET text = substr(text, 2)", "is not the text"),
        ("UPDATE passages SET stop = stop + 1000", "does not fit"),
        ("UPDATE stated SET negated = 1", "under another id"),
        ("UPDATE stated SET evidence = replace(evidence, 'treats', 'cures!')", "is not the text"),
        ("UPDATE postings SET mentions = 9", "concepts of its passages"),
        ("DELETE FROM documents", "belong to no document"),
        ("DELETE FROM bodies", "stored text is missing"),
    ],
)
def test_verify_finds(tmp_path: Path, change: str, told: str) -> None:
    make(tmp_path, sample()).close()
    database = sqlite3.connect(tmp_path / "truth.sqlite")
    assert database.execute(change).rowcount
    database.commit()
    database.close()
    with open_truth(tmp_path) as truth:
        problems = list(truth.verify())
    assert any(told in line for line in problems), problems
    assert not any("Amoxicillin" in line for line in problems)


def test_verify_finds_altered_originals(tmp_path: Path) -> None:
    item = sample()
    with make(tmp_path, item) as truth:
        path = truth._originals.path(item.document.original_sha256)
        path.write_bytes(b"other")
        assert ["altered" in line for line in truth.verify()] == [True]
        path.unlink()
        assert ["missing" in line for line in truth.verify()] == [True]
