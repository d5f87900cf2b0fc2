"""What every ``VectorIndex`` does. Subclass, give ``open``, and pytest runs the suite.

class TestMine(IndexContract):
    def open(self, mode="write"): ...
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from kgrag.stores.base import Filters, Point, VectorIndex
from kgrag.stores.memory_index import MemoryIndex

DIMENSIONS = 16
ALL = Filters()


def vector(seed: int) -> NDArray[np.float32]:
    """A unit vector of ``DIMENSIONS``, the same for the same seed."""
    made = np.random.default_rng(seed).standard_normal(DIMENSIONS)
    return (made / np.linalg.norm(made)).astype(np.float32)


def point(number: int, *, document: int | None = None, collection: str = "a") -> Point:
    """A point whose terms repeat with periods 2, 3 and 5; three points a document."""
    owner = number // 3 if document is None else document
    terms = {1: 1.0, 10 + number % 2: 1.5, 20 + number % 3: 0.5 + number % 7, 4_294_967_295: 0.1}
    if number % 5 == 0:
        terms[50] = 2.0
    return Point(f"pas_{number:04d}", f"doc_{owner:04d}", collection, vector(number), terms)


def mixed() -> list[Point]:
    """Sixty points in two collections."""
    return [point(i, collection="a" if i % 6 < 3 else "b") for i in range(60)]


class IndexContract(ABC):
    """The suite. ``open`` gives the same index each time within one test."""

    @abstractmethod
    def open(self, mode: Literal["read", "write"] = "write") -> VectorIndex:
        """The index of this test, opened; the earlier one was closed."""

    #: Whether points outlive ``close``.
    durable = True

    @pytest.fixture
    def index(self) -> Iterator[VectorIndex]:
        opened = self.open()
        yield opened
        opened.close()

    @pytest.fixture
    def twin(self) -> MemoryIndex:
        """The measure: numpy over the same sixty points."""
        made = MemoryIndex(dimensions=DIMENSIONS)
        made.upsert(mixed())
        return made

    def test_a_new_index_is_empty_and_has_stamp_0(self, index: VectorIndex) -> None:
        assert (index.count(), index.stamp) == (0, 0)
        assert index.dense(vector(1), limit=5, filters=ALL) == []
        assert index.sparse({1: 1.0}, limit=5, filters=ALL) == []
        index.delete_documents(["doc_0001"])
        index.purge()
        assert index.count() == 0

    @pytest.mark.parametrize(
        "filters",
        [
            ALL,
            Filters(collections=("b",)),
            Filters(collections=("a", "b"), without_documents=("doc_0000", "doc_0003")),
            Filters(documents=("doc_0002", "doc_0005", "doc_9999")),
            Filters(collections=("none",)),
        ],
    )
    def test_ranks_as_the_twin_does(
        self, index: VectorIndex, twin: MemoryIndex, filters: Filters
    ) -> None:
        index.upsert(mixed())
        index.commit(1)
        for seed in range(100, 105):
            assert_same(
                index.dense(vector(seed), limit=10, filters=filters),
                twin.dense(vector(seed), limit=10, filters=filters),
            )
        for terms in ({50: 1.0}, {10: 1.0, 21: 1.0}, {50: 1.0, 22: 2.0, 999: 1.0}):
            assert_same(
                index.sparse(terms, limit=10, filters=filters),
                twin.sparse(terms, limit=10, filters=filters),
            )

    def test_sparse_lists_only_what_shares_a_term(self, index: VectorIndex) -> None:
        index.upsert(mixed())
        index.commit(1)
        assert index.sparse({999_999: 1.0}, limit=10, filters=ALL) == []
        assert index.sparse({}, limit=10, filters=ALL) == []
        assert len(index.sparse({50: 1.0}, limit=100, filters=ALL)) == 12

    def test_frequencies_of_one_collection_do_not_shape_another(self, index: VectorIndex) -> None:
        ours = Filters(collections=("a",))
        index.upsert(p for p in mixed() if p.collection == "a")
        index.commit(1)
        before = index.sparse({50: 1.0, 10: 1.0}, limit=30, filters=ours)
        index.upsert(point(i, collection="b") for i in range(100, 130))
        index.commit(2)
        assert_same(index.sparse({50: 1.0, 10: 1.0}, limit=30, filters=ours), before)

    def test_upsert_repeats_without_effect_and_replaces(self, index: VectorIndex) -> None:
        index.upsert(mixed())
        index.upsert(mixed()[:7])
        assert index.count() == 60
        other = Point("pas_0004", "doc_0001", "b", vector(777), {77: 1.0})
        index.upsert([other])
        index.commit(1)
        assert index.count() == 60
        assert index.dense(vector(777), limit=1, filters=ALL)[0].passage_id == "pas_0004"
        assert [h.passage_id for h in index.sparse({77: 1.0}, limit=5, filters=ALL)] == ["pas_0004"]

    def test_deleting_documents_leaves_what_a_rebuild_would(self, index: VectorIndex) -> None:
        index.upsert(mixed())
        index.commit(1)
        index.delete_documents(["doc_0000", "doc_0007", "doc_9999"])
        index.commit(2)
        rebuilt = MemoryIndex(dimensions=DIMENSIONS)
        rebuilt.upsert(p for p in mixed() if p.document_id not in ("doc_0000", "doc_0007"))
        assert index.count() == rebuilt.count() == 54
        for step in ("deleted", "purged"):
            for terms in ({50: 1.0, 10: 1.0}, {20: 1.0}):
                assert_same(
                    index.sparse(terms, limit=60, filters=ALL),
                    rebuilt.sparse(terms, limit=60, filters=ALL),
                )
            assert_same(
                index.dense(vector(0), limit=10, filters=ALL),
                rebuilt.dense(vector(0), limit=10, filters=ALL),
            )
            if step == "deleted":
                index.purge()
                assert index.stamp == 2

    def test_ties_are_ordered_by_passage_id(self, index: VectorIndex) -> None:
        same = vector(5)
        names = ["pas_c", "pas_a", "pas_d", "pas_b"]
        index.upsert(Point(name, "doc", "a", same, {1: 1.0}) for name in names)
        index.commit(1)
        expected = sorted(names)[:3]
        assert [h.passage_id for h in index.dense(same, limit=3, filters=ALL)] == expected
        assert [h.passage_id for h in index.sparse({1: 1.0}, limit=3, filters=ALL)] == expected

    def test_ties_at_the_cut_are_passages_of_the_lowest_ids(self, index: VectorIndex) -> None:
        same = vector(5)
        names = [f"pas_{n * 37 % 101:03d}" for n in range(101)]
        index.upsert(Point(name, "doc", "a", same, {1: 1.0}) for name in names)
        index.commit(1)
        expected = sorted(names)[:10]
        assert [h.passage_id for h in index.dense(same, limit=10, filters=ALL)] == expected
        assert [h.passage_id for h in index.sparse({1: 1.0}, limit=10, filters=ALL)] == expected

    def test_a_vector_of_another_length_is_refused(self, index: VectorIndex) -> None:
        with pytest.raises(ValueError, match="16 dimensions"):
            index.upsert([Point("pas", "doc", "a", np.ones(3, dtype=np.float32), {})])

    def test_what_was_committed_outlives_closing(self) -> None:
        if not self.durable:
            pytest.skip("this index lives in memory")
        first = self.open()
        first.upsert(mixed())
        first.commit(7)
        expected = first.dense(vector(3), limit=5, filters=ALL)
        first.close()
        for mode in ("write", "read"):
            again = self.open(mode)
            assert (again.stamp, again.count()) == (7, 60)
            assert_same(again.dense(vector(3), limit=5, filters=ALL), expected)
            again.close()

    def test_a_commit_without_changes_moves_the_stamp(self, index: VectorIndex) -> None:
        index.upsert(mixed())
        index.commit(3)
        index.commit(5)
        assert (index.stamp, index.count()) == (5, 60)


def assert_same(found: list, expected: list) -> None:  # type: ignore[type-arg]
    """The same passages with the same scores, to float32 precision; near-ties may swap."""
    assert [round(h.score, 3) for h in found] == pytest.approx(
        [round(h.score, 3) for h in expected], abs=2e-3
    )
    last = expected[-1].score if expected else 0.0

    def clear(hits: list) -> set[tuple[str, str]]:  # type: ignore[type-arg]
        return {(h.passage_id, h.document_id) for h in hits if h.score > last + 1e-4}

    assert clear(found) == clear(expected)
