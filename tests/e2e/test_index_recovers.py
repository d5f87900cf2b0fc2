"""An index that is damaged, half-built or of another shape: found out, told, caught up."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kgrag import Engine
from kgrag.config import Settings, parse_settings
from kgrag.encoding.hashing import HashingEncoder
from kgrag.errors import KnowledgeBaseError
from kgrag.linking import Linker
from kgrag.testing.lexicon import small_lexicon
from kgrag_ingest.pipeline import ingest

QUESTION = "Does metformin treat type 2 diabetes of group 3?"
DOCUMENTS = 12


def settings(encoder: str = "hashing:64") -> Settings:
    values = {"encoding": {"encoder": encoder}, "generation": {"model": "none"}}
    return parse_settings(values, origin="test")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole kb and, in ``cache`` beside it, the lexicon that it is read with."""
    folder = tmp_path_factory.mktemp("recovers")
    (folder / "cache" / "lexicon").mkdir(parents=True)
    lexicon = small_lexicon(folder / "cache" / "lexicon" / "lexicon.sqlite")
    (folder / "files").mkdir()
    for number in range(DOCUMENTS):
        text = (
            f"# Group {number}\n\nMetformin is used to treat type 2 diabetes of group {number}.\n"
        )
        (folder / "files" / f"{number}.md").write_text(text)
    with Engine.open(folder / "kb", mode="write", create=True, settings=settings()) as engine:
        ingest([folder / "files"], engine.truth, Linker(lexicon))
        engine.catch_up()
    return folder


@pytest.fixture
def kb(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KGRAG_CACHE", str(made / "cache"))
    shutil.copytree(made / "kb", tmp_path / "kb")
    return tmp_path / "kb"


@pytest.fixture(scope="module")
def expected(made: Path) -> list[tuple[str, float]]:
    with Engine.open(made / "kb", settings=settings()) as engine:
        return hits(engine)


def hits(engine: Engine) -> list[tuple[str, float]]:
    return [(hit.passage_id, round(hit.score, 6)) for hit in engine.search(QUESTION, limit=5)]


def largest(kb: Path) -> Path:
    files = [path for path in (kb / "index").rglob("*") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_size)


def truncate(kb: Path) -> None:
    content = largest(kb).read_bytes()
    largest(kb).write_bytes(content[: len(content) // 2])


def flip(kb: Path) -> None:
    path = largest(kb)
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)


def lose_pointer(kb: Path) -> None:
    (kb / "index" / "current.json").unlink()


def lose_all(kb: Path) -> None:
    shutil.rmtree(kb / "index")


def garble_pointer(kb: Path) -> None:
    (kb / "index" / "current.json").write_text('{"stamp": 3')


DAMAGES = [truncate, flip, lose_pointer, lose_all, garble_pointer]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_to_readers_and_mended_by_the_next_writer(
    kb: Path, expected: list[tuple[str, float]], damage: Callable[[Path], None]
) -> None:
    damage(kb)
    with Engine.open(kb, settings=settings()) as reader:
        for _ in range(2):
            with pytest.raises(KnowledgeBaseError, match="ingest") as told:
                reader.search(QUESTION)
            assert "index" in str(told.value)
        with Engine.open(kb, mode="write", settings=settings()) as writer:
            writer.catch_up()
            assert hits(writer) == expected
            assert writer.verify()[1] == []
        assert hits(reader) == expected, "the reader needs no reopening"


@pytest.mark.parametrize("damage", [flip, lose_all])
def test_a_service_mends_it_by_itself(
    kb: Path, expected: list[tuple[str, float]], damage: Callable[[Path], None]
) -> None:
    damage(kb)
    with Engine.open(kb, mode="write", settings=settings()) as engine:
        assert hits_of_service(engine, wait=True) == [one for one, _ in expected]


def hits_of_service(engine: Engine, *, wait: bool) -> list[str]:
    from fastapi.testclient import TestClient

    from kgrag_services.api import create_app

    with TestClient(create_app(engine)) as client:
        for _ in range(600):
            if not wait or client.get("/readyz").status_code == 200:
                break
            threading.Event().wait(0.05)
        reply = client.post("/v1/search", json={"question": QUESTION, "limit": 5}).json()
        assert reply["warnings"] == []
        return [hit["passage_id"] for hit in reply["hits"]]


KILLED = """
import os, signal, sys
from pathlib import Path
from kgrag import Engine
from kgrag.config import parse_settings
from kgrag.progress import Silent
import kgrag.retrieval.index as index
values = {"encoding": {"encoder": "hashing:64"}, "generation": {"model": "none"}}
index.EMBED_BATCH, index.COMMIT_EVERY = 2, 3
class Killing(Silent):
    left = int(sys.argv[2])
    def advance(self, amount=1):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
with Engine.open(sys.argv[1], mode="write", settings=parse_settings(values, origin="t")) as engine:
    engine.catch_up(Killing())
"""


@pytest.mark.parametrize("after", [1, 5, DOCUMENTS])
def test_a_catch_up_that_was_killed_is_completed(
    kb: Path, expected: list[tuple[str, float]], after: int
) -> None:
    lose_all(kb)
    child = subprocess.run([sys.executable, "-c", KILLED, str(kb), str(after)], check=False)
    assert child.returncode == -signal.SIGKILL
    with Engine.open(kb, settings=settings()) as reader:
        generation, stamp = reader.generations()
        assert stamp < generation == DOCUMENTS
        if stamp:
            assert len(reader.search(QUESTION, limit=5)) <= 5
            assert "index" in " ".join(reader.ask(QUESTION).warnings)
        else:
            with pytest.raises(KnowledgeBaseError, match="not built"):
                reader.search(QUESTION)
        assert [line for line in reader.verify()[1] if f"{stamp} of {generation}" in line]
    with Engine.open(kb, mode="write", settings=settings()) as writer:
        writer.catch_up()
        assert hits(writer) == expected


def test_an_index_of_another_shape_is_made_anew(
    kb: Path, expected: list[tuple[str, float]]
) -> None:
    other = settings("hashing:128")
    with Engine.open(kb, mode="write", settings=settings()) as writer:
        writer.truth.put_setting("encoder", "hashing:128")
    with (
        Engine.open(kb, settings=other) as reader,
        pytest.raises(KnowledgeBaseError, match="another encoder"),
    ):
        reader.search(QUESTION)
    with Engine.open(kb, mode="write", settings=other) as writer:
        writer.catch_up()
        assert {one for one, _ in hits(writer)} & {one for one, _ in expected}
        assert writer.index.count() == writer.truth.counts()["passages"]


class Gated(HashingEncoder):
    """Encodes many texts only while its gate is open; a question always."""

    def __init__(self) -> None:
        super().__init__(64)
        self.gate, self.waiting = threading.Event(), threading.Event()

    def encode(self, texts: Sequence[str], **options: Any) -> NDArray[np.float32]:
        if len(texts) > 1:
            self.waiting.set()
            assert self.gate.wait(60)
        return super().encode(texts, **options)


@pytest.mark.parametrize("behind", [True, False], ids=["behind", "nothing yet"])
def test_questions_are_answered_while_a_service_catches_up(
    made: Path, kb: Path, tmp_path: Path, behind: bool
) -> None:
    from fastapi.testclient import TestClient

    from kgrag_services.api import create_app

    if not behind:
        lose_all(kb)
    more = tmp_path / "more"
    more.mkdir()
    for number in range(DOCUMENTS, DOCUMENTS + 4):
        text = f"# New {number}\n\nAspirin does not treat edema of group {number}.\n"
        (more / f"{number}.md").write_text(text)
    with Engine.open(kb, mode="write", settings=settings()) as engine:
        ingest([more], engine.truth, engine.linker)
    encoder = Gated()
    with Engine.open(kb, mode="write", settings=settings()) as engine:
        engine.__dict__["encoder"] = encoder  # what the settings name, with a gate
        with TestClient(create_app(engine), raise_server_exceptions=False) as client:
            assert encoder.waiting.wait(60)
            body = {"question": QUESTION, "limit": 5}
            meanwhile = client.post("/v1/search", json=body)
            ready = client.get("/readyz")
            assert ready.status_code == 503 and f"of {DOCUMENTS + 4}" in ready.json()["detail"]
            if behind:
                assert meanwhile.status_code == 200
                assert len(meanwhile.json()["hits"]) == 5
                (warning,) = meanwhile.json()["warnings"]
                assert "not in the index yet" in warning
            else:
                assert meanwhile.status_code == 503
                assert meanwhile.headers["content-type"] == "application/problem+json"
                assert meanwhile.headers["retry-after"]
                assert meanwhile.json()["title"] == "RetryableError"
                assert "is being built" in meanwhile.json()["detail"]
            encoder.gate.set()
            for _ in range(600):
                if client.get("/readyz").status_code == 200:
                    break
                threading.Event().wait(0.05)
            after = client.post("/v1/search", json={"question": "edema of group 14"}).json()
            assert after["warnings"] == []
            assert "group 14" in after["hits"][0]["text"]


def test_a_service_that_ends_does_not_wait_for_the_whole_catch_up(kb: Path) -> None:
    from fastapi.testclient import TestClient

    from kgrag_services.api import create_app

    lose_all(kb)
    with Engine.open(kb, mode="write", settings=settings()) as engine:
        with TestClient(create_app(engine)):
            pass
        assert engine.index.stamp in (0, DOCUMENTS)
        engine.catch_up()
        assert engine.index.stamp == DOCUMENTS


def test_a_document_removed_while_the_index_catches_up_is_in_no_file(
    kb: Path, tmp_path: Path
) -> None:
    (tmp_path / "more").mkdir()
    for number in range(DOCUMENTS, DOCUMENTS + 4):
        text = f"# More {number}\n\nAspirin does not treat edema of group {number}.\n"
        (tmp_path / "more" / f"{number}.md").write_text(text)
    encoder = Gated()
    with Engine.open(kb, mode="write", settings=settings()) as engine:
        engine.__dict__["encoder"] = encoder
        before = {info.id for info in engine.truth.documents()}
        ingest([tmp_path / "more"], engine.truth, engine.linker)
        one = max({info.id for info in engine.truth.documents()} - before)
        done: list[str] = []

        def catch_up() -> None:
            engine.catch_up(sharing=True)
            done.append("caught up")

        def remove() -> None:
            assert engine.remove(one)
            done.append("removed")

        threads = [threading.Thread(target=work) for work in (catch_up, remove)]
        threads[0].start()
        assert encoder.waiting.wait(60)
        threads[1].start()
        threads[1].join(0.5)  # it waits, or has begun beside the other
        encoder.gate.set()
        for thread in threads:
            thread.join(60)
        assert sorted(done) == ["caught up", "removed"]
        assert engine.index.stamp == engine.truth.generation
        assert engine.index.count() == engine.truth.counts()["passages"]
    held = [path for path in (kb / "index").rglob("*") if path.is_file()]
    assert held
    assert not [path for path in held if one.encode() in path.read_bytes()]
