"""A graph that follows every put, update and removal is the graph that is built anew."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgrag.records.assertions import Assertion
from kgrag.stores.base import Ingested, TruthStore
from kgrag.stores.graph import Graph, build_graph, catch_up, open_graph
from kgrag.stores.graph_arrays import FILE, Arrays, StatedRow, build, exchange
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.stores.sql import open_truth
from kgrag.testing.truth_contract import guideline, sample

FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MORE = settings(max_examples=200, deadline=None)

# Documents, and what each states: (subject, predicate, object, negated, pieces of evidence).
SAYING = st.tuples(
    st.sampled_from(["A:1", "A:22", "B:1", "C:333", "D:1"]),
    st.sampled_from(["treats", "causes", "x"]),
    st.sampled_from(["A:1", "A:22", "B:1", "E:4444", "F:1"]),
    st.booleans(),
    st.integers(1, 3),
)
NAMES = st.sampled_from(["doc_a", "doc_b", "doc_c", "doc_dd", "doc_eee"])
WORLD = st.dictionaries(NAMES, st.lists(SAYING, max_size=6), max_size=5)


def rows_of(name: str, sayings: list[Any]) -> list[StatedRow]:
    found: dict[str, StatedRow] = {}
    for subject, predicate, obj, negated, pieces in sayings:
        said = Assertion(subject, predicate, obj, negated)
        found[said.id] = StatedRow(name, said.id, subject, predicate, obj, negated, pieces)
    return list(found.values())


def built(world: dict[str, list[Any]]) -> Arrays:
    return build(row for name, sayings in world.items() for row in rows_of(name, sayings))


@MORE
@given(WORLD, st.lists(WORLD, min_size=1, max_size=4))
def test_exchanging_documents_gives_the_arrays_of_a_rebuild(
    world: dict[str, list[Any]], changes: list[dict[str, list[Any]]]
) -> None:
    arrays = built(world)
    for change in changes:
        before = built(world)
        following = exchange(
            arrays, {name: rows_of(name, sayings) for name, sayings in change.items()}
        )
        assert arrays.equals(before)  # the old ones are as they were
        world = world | change
        arrays = following
        expected = built(world)
        assert arrays.equals(expected)
        for name in ("subjects", "neighbour", "counts", "row_edge", "start", "negated"):
            assert getattr(arrays, name).dtype == getattr(expected, name).dtype


@MORE
@given(WORLD, st.lists(SAYING, min_size=1, max_size=6))
def test_adding_and_removing_gives_the_arrays_of_never_added(
    world: dict[str, list[Any]], sayings: list[Any]
) -> None:
    arrays = built(world)
    added = exchange(arrays, {"doc_new": rows_of("doc_new", sayings)})
    assert not added.equals(arrays)
    assert exchange(added, {"doc_new": []}).equals(arrays)


@MORE
@given(WORLD)
def test_the_arrays_say_what_they_were_built_from(world: dict[str, list[Any]]) -> None:
    arrays = built(world)
    graph = Graph.of(row for name, said in world.items() for row in rows_of(name, said))
    counted: dict[str, int] = {}
    told: dict[str, StatedRow] = {}
    for name, sayings in world.items():
        for row in rows_of(name, sayings):
            counted[row.assertion] = counted.get(row.assertion, 0) + row.pieces
            told[row.assertion] = row
    assert {e.assertion: e.count for e in graph.edges()} == counted
    for edge in graph.edges():
        row = told[edge.assertion]
        assert (edge.subject, edge.predicate, edge.object, edge.negated) == row[2:6]
    for number, name in enumerate(arrays.documents.tolist()):
        low, high = arrays.row_start[number], arrays.row_start[number + 1]
        said = {arrays.assertions[e].decode() for e in arrays.row_edge[low:high]}
        assert said == {row.assertion for row in rows_of(name.decode(), world[name.decode()])}
    for curie in graph.concepts:
        near = {e.assertion for e in graph.neighbours(curie)}
        assert near == {a for a, row in told.items() if curie in (row.subject, row.object)}


def stating(item: Ingested, *sayings: tuple[str, str, bool]) -> Ingested:
    """The document with further assertions on the sentence that it has."""
    (first,) = item.assertions
    more = tuple(
        Assertion(subject, "treats", obj, negated, evidence=first.evidence)
        for subject, obj, negated in sayings
    )
    return replace(item, assertions=(first, *more))


ITEMS = [
    sample("a"),
    sample("a", edition=2, negated=True),
    stating(sample("b"), ("X:1", "X:2", False), ("X:2", "X:3", True)),
    stating(sample("b", edition=2), ("X:1", "X:2", False), ("X:3", "X:3", False)),
    stating(sample("b"), ("X:4", "X:2", False)),  # the same version, read otherwise
    stating(guideline("c", "2010"), ("X:5", "X:1", False)),
    stating(guideline("d", "2015"), ("X:5", "X:1", True)),
    guideline("d", "2016", title="Gout", edition=2),
]
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "remove"]), st.sampled_from(ITEMS), st.booleans()),
    max_size=14,
)


def follow(truth: TruthStore, steps: list[tuple[str, Ingested, bool]], folder: Path | None) -> None:
    """Apply the steps; where one says so, the graph is brought up to date and compared."""
    graph = build_graph(truth)
    for verb, item, look in steps:
        key = item.document.id
        if verb == "put":
            truth.put(item)
        elif key in {info.id for info in truth.documents(status=None)}:
            truth.remove(key)
        if look:
            graph = open_graph(truth, folder) if folder else catch_up(graph, truth)
            assert graph.stamp == truth.generation
            assert graph.arrays.equals(build_graph(truth).arrays)
    assert catch_up(graph, truth).arrays.equals(build_graph(truth).arrays)


@FEW
@given(STEPS)
def test_following_a_store_is_building_anew(steps: list[tuple[str, Ingested, bool]]) -> None:
    follow(MemoryTruth(), steps, None)


@settings(FEW, max_examples=12)
@given(STEPS)
def test_following_a_database_through_its_saved_file_is_building_anew(
    steps: list[tuple[str, Ingested, bool]],
) -> None:
    with (
        tempfile.TemporaryDirectory() as name,
        open_truth(Path(name), mode="write", create=True) as truth,
    ):
        follow(truth, steps, Path(name) / "graph")


@FEW
@given(STEPS, st.sampled_from(ITEMS[2:5]))
def test_a_store_that_forgot_a_document_has_the_graph_that_never_had_it(
    steps: list[tuple[str, Ingested, bool]], item: Ingested
) -> None:
    steps = [s for s in steps if s[1].document.source != item.document.source]
    truth = MemoryTruth()
    follow(truth, steps, None)
    before = build_graph(truth)
    truth.put(item)
    added = catch_up(before, truth)
    assert not added.arrays.equals(before.arrays)
    truth.remove(item.document.id)
    assert catch_up(added, truth).arrays.equals(before.arrays)


def test_only_the_documents_that_changed_are_read(tmp_path: Path) -> None:
    asked: list[list[str] | None] = []

    class Watched(MemoryTruth):
        def stated(self, documents: Any = None) -> Any:
            asked.append(documents)
            return super().stated(documents)

    truth = Watched()
    for item in ITEMS[:3]:
        truth.put(item)
    graph = open_graph(truth, tmp_path)
    assert asked == [None]
    assert open_graph(truth, tmp_path).arrays.equals(graph.arrays)
    assert asked == [None]
    truth.put(ITEMS[5])
    truth.remove(ITEMS[2].document.id)
    open_graph(truth, tmp_path)
    changed = sorted([ITEMS[5].document.id, ITEMS[2].document.id])
    assert asked == [None, changed]
    # No name of what was removed is left in the file; a graph of another kb is not followed.
    assert ITEMS[2].document.id.encode() not in (tmp_path / FILE).read_bytes()
    assert open_graph(MemoryTruth(), tmp_path).arrays.equals(build([]))
