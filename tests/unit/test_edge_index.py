"""The embedded index on a disk: processes beside each other, kills, damage, purging."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kgrag.errors import BrokenInvariant, KnowledgeBaseBusy, KnowledgeBaseError
from kgrag.stores.base import Filters, Point
from kgrag.stores.qdrant import generations as gens
from kgrag.stores.qdrant.edge import EdgeIndex
from kgrag.testing.index_contract import DIMENSIONS, mixed, point, vector

ALL = Filters()
Child = Callable[..., "subprocess.Popen[str]"]
CHILD = """
import sys, time
from pathlib import Path
from kgrag.stores.base import Filters
from kgrag.stores.qdrant.edge import EdgeIndex
from kgrag.testing.index_contract import DIMENSIONS, mixed, point, vector
job, root = sys.argv[1], Path(sys.argv[2])
if job == "write":
    index = EdgeIndex(root, dimensions=DIMENSIONS, shape="s", mode="write")
    start = index.stamp
    print("open", flush=True)
    for stamp in range(start + 1, start + 1000):
        index.delete_documents([f"doc_{1000 * (stamp - 1):04d}"] if stamp > 1 else [])
        index.upsert(point(1000 * stamp + i, document=1000 * stamp) for i in range(5))
        index.commit(stamp)
        if stamp % 3 == 0:
            index.purge()
        print(stamp, flush=True)
elif job == "hold":
    index = EdgeIndex(root, dimensions=DIMENSIONS, shape="s", mode="write")
    print("open", flush=True)
    time.sleep(60)
else:
    until = time.monotonic() + float(sys.argv[3])
    seen = 0
    while time.monotonic() < until:
        index = EdgeIndex(root, dimensions=DIMENSIONS, shape="s", mode="read")
        for _ in range(5):
            hits = index.dense(vector(3), limit=5, filters=Filters())
            assert len(hits) == 5, hits
            assert hits[0].passage_id == "pas_0003", hits
            assert index.sparse({50: 1.0}, limit=3, filters=Filters())
            index.refresh()
        index.close()
        seen += 1
    print(seen)
"""


@pytest.fixture
def child() -> Iterator[Child]:
    """Starts processes; all have ended after the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        if process.stdout is not None and not process.stdout.closed:
            process.communicate()


def fill(root: Path, stamp: int = 1) -> None:
    index = EdgeIndex(root, dimensions=DIMENSIONS, shape="s", mode="write")
    index.upsert(mixed())
    index.commit(stamp)
    index.close()


def read(root: Path) -> EdgeIndex:
    return EdgeIndex(root, dimensions=DIMENSIONS, shape="s", mode="read")


def holding(root: Path, needle: bytes) -> list[str]:
    return [p.name for p in root.rglob("*") if p.is_file() and needle in p.read_bytes()]


def test_two_readers_and_a_writer_work_at_the_same_time(tmp_path: Path, child: Child) -> None:
    fill(tmp_path)
    writer = child("write", str(tmp_path))
    assert writer.stdout is not None
    assert writer.stdout.readline() == "open\n"
    readers = [child("read", str(tmp_path), "3") for _ in range(2)]
    for reader in readers:
        out, err = reader.communicate(timeout=60)
        assert reader.returncode == 0, err
        assert int(out) > 0
    # It was writing all the while.
    assert writer.poll() is None, writer.communicate()[1]


def test_a_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path, child: Child) -> None:
    fill(tmp_path)
    holder = child("hold", str(tmp_path))
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    try:
        with pytest.raises(KnowledgeBaseBusy):
            EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
        assert read(tmp_path).count() == 60
    finally:
        holder.kill()
        holder.communicate()
    fill(tmp_path, 2)  # the lock went with its holder


def test_killed_at_any_instant_it_opens_at_a_committed_stamp(tmp_path: Path, child: Child) -> None:
    fill(tmp_path)
    last = 1
    for round_ in range(6):
        process = child("write", str(tmp_path))
        assert process.stdout is not None
        # In every second round the kill comes after a commit, whatever the disk's speed.
        heard = [process.stdout.readline() for _ in range(1 + round_ % 2)]
        time.sleep(0.07 * (round_ + 1))
        process.send_signal(signal.SIGKILL)
        out, _ = process.communicate()
        said = [last, *map(int, heard[1:]), *map(int, out.split())]
        reader = read(tmp_path)
        assert reader.stamp >= max(said)
        assert reader.dense(vector(3), limit=1, filters=ALL)[0].passage_id == "pas_0003"
        # The stamp and the points are of one moment: five of the stamp's own document.
        assert reader.count() == (65 if reader.stamp > 1 else 60)
        last = reader.stamp
        reader.close()
    assert last > 1
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    assert index.discarded is None
    assert len(list(tmp_path.glob("gen-*"))) == 1
    index.close()


def test_purging_leaves_no_deleted_vector_in_any_file(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    index.upsert(mixed())
    index.commit(1)
    # The engine scales vectors to length 1 again, so bytes are compared by what it wrote.
    gone = vector(0).tobytes()[4:16]
    replaced = vector(9).tobytes()[4:16]
    kept = vector(59).tobytes()[4:16]
    assert holding(tmp_path, gone)
    index.delete_documents(["doc_0000"])
    index.upsert([Point("pas_0009", "doc_0003", "b", vector(500), {1: 1.0})])
    index.commit(2)
    index.purge()
    for needle in (gone, replaced, b"doc_0000"):
        assert holding(tmp_path, needle) == []
    assert holding(tmp_path, kept)
    assert (index.count(), index.stamp) == (57, 2)
    folder = next(tmp_path.glob("gen-*"))
    index.purge()  # nothing was deleted since: nothing is rewritten
    assert next(tmp_path.glob("gen-*")) == folder
    index.close()


def test_purging_before_the_commit_also_removes(tmp_path: Path) -> None:
    fill(tmp_path)
    gone = vector(0).tobytes()[4:16]
    assert holding(tmp_path, gone)
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    index.delete_documents(["doc_0000"])
    index.purge()
    assert holding(tmp_path, gone) == []
    assert (index.count(), index.stamp) == (57, 1)
    index.close()


@pytest.mark.parametrize("victim", ["pointer", "vectors", "missing", "extra"])
def test_damage_is_seen_at_opening_and_the_index_starts_anew(tmp_path: Path, victim: str) -> None:
    fill(tmp_path)
    folder = next(tmp_path.glob("gen-*"))
    target = {
        "pointer": tmp_path / "current.json",
        "extra": folder / "segments" / "stray",
    }.get(victim, next(folder.rglob("chunk_0.mmap")))
    if victim == "missing":
        target.unlink()
    elif victim == "extra":
        target.write_bytes(b"x")
    else:
        content = bytearray(target.read_bytes())
        content[len(content) // 2 if victim == "pointer" else 20] ^= 1
        target.write_bytes(content)
    with pytest.raises(KnowledgeBaseError, match="cannot be read"):
        read(tmp_path)
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    assert index.discarded
    assert (index.count(), index.stamp) == (0, 0)
    index.upsert(mixed())
    index.commit(4)
    index.close()
    assert read(tmp_path).count() == 60


def test_another_encoder_is_refused_for_reading_and_starts_anew_for_writing(
    tmp_path: Path,
) -> None:
    fill(tmp_path)
    with pytest.raises(KnowledgeBaseError, match="another encoder"):
        EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="other", mode="read")
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="other", mode="write")
    assert (index.count(), index.stamp) == (0, 0)
    index.close()


def test_what_was_not_committed_is_not_kept(tmp_path: Path) -> None:
    fill(tmp_path)
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    index.upsert([point(900)])
    assert index.count() == 61
    index.close()
    assert read(tmp_path).count() == 60
    assert len(list(tmp_path.glob("gen-*"))) == 1


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    fill(tmp_path)
    reader = read(tmp_path)
    for attempt in (
        lambda: reader.upsert([point(1)]),
        lambda: reader.delete_documents(["doc_0000"]),
        lambda: reader.commit(2),
        reader.purge,
    ):
        with pytest.raises(BrokenInvariant):
            attempt()


def test_a_copy_holds_what_was_published_and_nothing_else(tmp_path: Path) -> None:
    """Readers rewrite files of the folder while the writer copies it."""
    fill(tmp_path)
    pointer = gens.read_pointer(tmp_path)
    assert pointer is not None
    folder, name = tmp_path / pointer.folder, next(n for n in pointer.files if "segment.json" in n)
    whole = (folder / name).read_bytes()
    (folder / "segment.json.tmp").write_bytes(b"{")
    (folder / name).write_bytes(whole[:9])
    repair = threading.Timer(0.1, lambda: (folder / name).write_bytes(whole))
    repair.start()
    gens.copy_published(tmp_path, pointer, tmp_path / "copy")
    repair.join()
    assert gens.digests(tmp_path / "copy") == dict(pointer.files)


def test_damage_is_not_copied(tmp_path: Path) -> None:
    fill(tmp_path)
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    victim = next(tmp_path.rglob("edge_config.json"))
    victim.write_bytes(victim.read_bytes()[:-1])
    with pytest.raises(KnowledgeBaseError, match="cannot be read"):
        index.upsert([point(900)])
    assert len(list(tmp_path.glob("gen-*"))) == 1
    index.close()
