"""The embedded index on a disk: processes beside each other, kills, damage, purging."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import qdrant_edge as engine

from kgrag.errors import BrokenInvariant, KnowledgeBaseBusy, KnowledgeBaseError
from kgrag.stores.base import Filters, Point
from kgrag.stores.memory_index import MemoryIndex
from kgrag.stores.qdrant import generations as gens
from kgrag.stores.qdrant.edge import EdgeIndex
from kgrag.stores.qdrant.shard import engine_point
from kgrag.stores.qdrant.tiers import together
from kgrag.testing.index_contract import DIMENSIONS, assert_same, mixed, point, vector

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
    named = {part.folder for part in pointer_of(tmp_path).parts}
    assert {folder.name for folder in tmp_path.glob("part-*")} == named
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
    folder = next(tmp_path.glob("part-*"))
    index.purge()  # nothing was deleted since: nothing is rewritten
    assert next(tmp_path.glob("part-*")) == folder
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


@pytest.mark.parametrize("victim", ["pointer", "vectors", "missing", "extra", "frequencies"])
def test_damage_is_seen_at_opening_and_the_index_starts_anew(tmp_path: Path, victim: str) -> None:
    fill(tmp_path)
    folder = next(tmp_path.glob("part-*"))
    target = {
        "pointer": tmp_path / "current.json",
        "extra": folder / "engine" / "stray",
        "frequencies": folder / "frequencies.npz",
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
    assert len(list(tmp_path.glob("part-*"))) == 1


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
            attempt()  # type: ignore[no-untyped-call]  # a list of calls of several types


def pointer_of(root: Path) -> gens.Pointer:
    found = gens.read_pointer(root)
    assert found is not None
    return found


def test_a_commit_leaves_the_parts_before_it_as_they_are(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    index.upsert(mixed())
    index.commit(1)
    first = pointer_of(tmp_path).parts[0]
    index.upsert([point(900, document=900), *mixed()[:4]])
    index.delete_documents(["doc_0005"])
    index.commit(2)
    pointer = pointer_of(tmp_path)
    assert pointer.parts[0] == first
    assert [part.points for part in pointer.parts] == [60, 5]
    assert gens.digests(tmp_path / first.folder) == dict(first.files)
    assert index.count() == 58
    index.close()


def test_many_small_commits_are_joined_and_a_reader_follows(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    twin = MemoryIndex(dimensions=DIMENSIONS)
    reader = None
    for stamp in range(1, 12):
        added = [point(10 * stamp + i, document=stamp, collection="ab"[i % 2]) for i in range(10)]
        for each in (index, twin):
            each.delete_documents([f"doc_{stamp - 2:04d}"])
            each.upsert(added)
            each.upsert([point(10, document=1)])  # replaced, or there again
            each.commit(stamp)
        assert len(pointer_of(tmp_path).parts) < 4
        if reader is None:
            reader = read(tmp_path)
        reader.refresh()
        assert reader.stamp == stamp
        for found in (index, reader):
            assert found.count() == twin.count()
            for scope in (ALL, Filters(collections=("a",))):
                assert_same(
                    found.dense(vector(3), limit=10, filters=scope),
                    twin.dense(vector(3), limit=10, filters=scope),
                )
                terms = {1: 1.0, 50: 1.0, 10: 0.5, 22: 1.0}
                assert_same(
                    found.sparse(terms, limit=30, filters=scope),
                    twin.sparse(terms, limit=30, filters=scope),
                )
    assert reader is not None
    reader.close()
    index.close()


def test_what_is_gone_is_counted_out_after_opening_again(tmp_path: Path) -> None:
    fill(tmp_path)
    twin = MemoryIndex(dimensions=DIMENSIONS)
    twin.upsert(mixed())
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    for each in (index, twin):
        each.delete_documents(["doc_0001", "doc_0002"])
        each.upsert([Point("pas_0012", "doc_0004", "b", vector(500), {50: 1.0, 10: 3.0})])
        each.commit(2)
    assert pointer_of(tmp_path).gone is not None
    index.close()
    again = read(tmp_path)
    for scope in (ALL, Filters(collections=("b",))):
        for terms in ({50: 1.0}, {10: 1.0, 21: 2.0}):
            assert_same(
                again.sparse(terms, limit=60, filters=scope),
                twin.sparse(terms, limit=60, filters=scope),
            )
    assert (again.count(), again.stamp) == (54, 2)


def old_format(root: Path) -> None:
    """An index as versions before parts wrote it: one engine, which weighs terms itself."""
    folder = root / "gen-000003"
    folder.mkdir(parents=True)
    dense = engine.EdgeVectorParams(size=DIMENSIONS, distance=engine.Distance.Cosine)
    sparse = engine.EdgeSparseVectorParams(modifier=engine.Modifier.Idf)
    config = engine.EdgeConfig(
        vectors={"dense": dense}, sparse_vectors={"bm25": sparse}, wal_enabled=False
    )
    shard = engine.EdgeShard.create(str(folder), config)
    keyword = engine.PayloadSchemaType.Keyword
    for field in ("collection", "document_id"):
        shard.update(engine.UpdateOperation.create_field_index(field, keyword))
    shard.update(engine.UpdateOperation.upsert_points([engine_point(p) for p in mixed()]))
    for _ in range(2):
        shard.flush()
        shard.close()
        shard = engine.EdgeShard.load(str(folder))
    value: dict[str, object] = {
        "folder": folder.name,
        "stamp": 9,
        "shape": "s",
        "dimensions": DIMENSIONS,
        "dirty": False,
        "files": gens.digests(folder, format=1),
        "format": 1,
    }
    seal = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    (root / "current.json").write_text(json.dumps({**value, "seal": seal}))


def test_an_index_of_the_old_format_is_read_and_then_written_anew(tmp_path: Path) -> None:
    old_format(tmp_path)
    twin = MemoryIndex(dimensions=DIMENSIONS)
    twin.upsert(mixed())

    def compare(index: EdgeIndex) -> None:
        assert (index.stamp, index.count()) == (9, 60)
        for scope in (ALL, Filters(collections=("b",))):
            for terms in ({50: 1.0}, {10: 1.0, 21: 2.0}):
                assert_same(
                    index.sparse(terms, limit=60, filters=scope),
                    twin.sparse(terms, limit=60, filters=scope),
                )
            assert_same(
                index.dense(vector(3), limit=9, filters=scope),
                twin.dense(vector(3), limit=9, filters=scope),
            )

    reader = read(tmp_path)
    compare(reader)
    writer = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    assert writer.discarded is None
    compare(writer)
    assert pointer_of(tmp_path).format == gens.FORMAT
    assert not list(tmp_path.glob("gen-*"))
    assert reader.refresh()
    compare(reader)
    writer.close()


def test_a_document_whose_every_point_goes_leaves_no_part(tmp_path: Path) -> None:
    fill(tmp_path)
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    index.upsert([point(900, document=900)])
    index.commit(2)
    assert len(list(tmp_path.glob("part-*"))) == 2
    index.delete_documents(["doc_0900"])
    index.commit(3)
    assert len(list(tmp_path.glob("part-*"))) == 1
    assert index.count() == 60
    index.close()


def test_damage_is_not_copied_when_parts_are_joined(tmp_path: Path) -> None:
    fill(tmp_path)
    index = EdgeIndex(tmp_path, dimensions=DIMENSIONS, shape="s", mode="write")
    victim = next(tmp_path.rglob("edge_config.json"))
    victim.write_bytes(victim.read_bytes()[:-1])
    index.delete_documents(["doc_0001"])
    with pytest.raises(KnowledgeBaseError, match="cannot be read"):
        index.purge()
    index.close()
    assert len(list(tmp_path.glob("part-*"))) == 1


@pytest.mark.parametrize("sizes", [[], [20, 20, 20], [80, 400, 5000], [131_072] * 9, [60_000] * 8])
def test_parts_that_are_few_or_full_stay(sizes: list[int]) -> None:
    assert together(sizes) is None


def test_parts_of_one_size_are_joined_and_each_point_is_written_seldom() -> None:
    assert together([20_000, 20, 20, 20, 25]) == [1, 2, 3, 4]
    sizes: list[int] = []
    written = 0
    for _ in range(5000):
        sizes.append(20)
        while chosen := together(sizes):
            joined = sum(sizes[at] for at in chosen)
            written += joined
            sizes = [s for at, s in enumerate(sizes) if at not in chosen] + [joined]
    assert sum(sizes) == 100_000
    assert len(sizes) <= 20
    assert written <= 7 * 100_000
