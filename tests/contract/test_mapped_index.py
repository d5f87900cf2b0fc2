"""The embedded index when most points lie in the part that is mapped at opening."""

from __future__ import annotations

from pathlib import Path

from kgrag.stores.base import Filters
from kgrag.stores.memory_index import MemoryIndex
from kgrag.stores.qdrant.edge import EdgeIndex
from kgrag.testing.index_contract import DIMENSIONS, assert_same, point, vector

FILTERS = (
    Filters(),
    Filters(collections=("a",)),
    Filters(collections=("b",), without_documents=("doc_0007",)),
    Filters(documents=("doc_0003", "doc_0011")),
)


def opened(root: Path, mode: str = "write") -> EdgeIndex:
    return EdgeIndex(root, dimensions=DIMENSIONS, shape="s", mode=mode, mapped_above_kb=8)  # type: ignore[arg-type]


def numbered(start: int, stop: int) -> list:  # type: ignore[type-arg]
    return [point(n, document=n % 20, collection="ab"[n % 2]) for n in range(start, stop)]


def mapped(root: Path) -> bool:
    return any(root.rglob("inverted_index.dat"))


def compare(index: EdgeIndex, twin: MemoryIndex) -> None:
    """Both rank the same, whatever the filter."""
    assert index.count() == twin.count()
    for filters in FILTERS:
        for seed in (3, 450, 1700):
            query = vector(seed)
            assert_same(
                index.dense(query, limit=15, filters=filters),
                twin.dense(query, limit=15, filters=filters),
            )
        for terms in ({1: 1.0, 50: 1.0, 10: 1.0}, {1: 0.5, 20: 2.0, 21: 1.0}):
            hits = twin.sparse(terms, limit=15, filters=filters)
            assert hits
            assert_same(index.sparse(terms, limit=15, filters=filters), hits)


def test_it_ranks_as_the_twin_through_additions_removals_and_purging(tmp_path: Path) -> None:
    index, twin = opened(tmp_path), MemoryIndex(dimensions=DIMENSIONS)

    def both(change: str, *arguments: object) -> None:
        for each in (index, twin):
            getattr(each, change)(*arguments)

    both("upsert", numbered(0, 600))
    both("commit", 1)
    assert mapped(tmp_path)
    compare(index, twin)
    both("upsert", numbered(600, 640))  # few: they stay beside what is mapped
    both("upsert", [point(5, document=3, collection="a"), point(7, document=19, collection="b")])
    both("delete_documents", ["doc_0002", "doc_0013"])
    compare(index, twin)
    both("commit", 2)
    compare(index, twin)
    reader = opened(tmp_path, "read")
    compare(reader, twin)
    both("upsert", numbered(1000, 1600))
    both("commit", 3)
    assert reader.refresh()
    compare(reader, twin)
    both("delete_documents", ["doc_0005"])
    both("purge")
    both("commit", 4)
    compare(index, twin)
    index.close()
    reader.close()
    again = opened(tmp_path, "read")
    compare(again, twin)
    assert again.stamp == 4
    again.close()


def test_purging_leaves_no_deleted_vector_in_any_file(tmp_path: Path) -> None:
    def holding(number: int) -> list[str]:
        # The engine scales vectors to length 1 again, so bytes are compared by what it wrote.
        needle = vector(number).tobytes()[4:16]
        return [p.name for p in tmp_path.rglob("*") if p.is_file() and needle in p.read_bytes()]

    index = opened(tmp_path)
    index.upsert(numbered(0, 600))
    index.commit(1)
    assert mapped(tmp_path)
    assert holding(4) and holding(9)
    index.delete_documents(["doc_0004"])
    index.commit(2)
    index.purge()
    assert holding(4) == [] and holding(24) == []
    assert holding(9)
    assert (index.count(), index.stamp) == (570, 2)
    index.close()


def test_a_torn_file_is_seen_before_the_engine_maps_it(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.upsert(numbered(0, 600))
    index.commit(1)
    index.close()
    for name in ("inverted_index.dat", "matrix.dat"):
        target = next(tmp_path.rglob(name))
        whole = target.read_bytes()
        torn = bytearray(whole)
        torn[-20] ^= 1
        target.write_bytes(torn)
        found = opened(tmp_path)
        assert found.discarded is not None and name in found.discarded
        found.upsert(numbered(0, 600))
        found.commit(1)
        found.close()
