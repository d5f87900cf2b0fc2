"""The graph against networkx, and what its paths may chain."""

from __future__ import annotations

import math
import random
from pathlib import Path

import networkx as nx
import pytest

from kgrag.stores.graph import FILE, EdgeRow, Graph


def generated(seed: int, concepts: int = 60, edges: int = 200) -> list[EdgeRow]:
    chance = random.Random(seed)
    rows: list[EdgeRow] = []
    for i in range(edges):
        a, b = chance.sample(range(concepts), 2)
        rows.append((f"ast_{i:024d}", f"X:{a}", "treats", f"X:{b}", chance.randint(1, 5)))
    return rows


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_pagerank_is_that_of_networkx(seed: int) -> None:
    rows = generated(seed)
    other: nx.Graph[str] = nx.Graph()
    for _, a, _, b, count in rows:
        before = other.get_edge_data(a, b, {"weight": 0.0})["weight"]
        other.add_edge(a, b, weight=before + 1 + math.log(count))
    seeds = {rows[0][1]: 1.0, rows[1][3]: 2.0}
    expected = nx.pagerank(other, personalization=seeds, weight="weight", tol=1e-12)
    got = Graph(rows).pagerank(seeds, tolerance=1e-12, max_iterations=500)
    assert got == pytest.approx({k: v for k, v in expected.items() if k in got}, abs=1e-9)
    assert sum(got.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", [1, 2])
def test_paths_connect_and_are_as_many_as_networkx_finds(seed: int) -> None:
    rows = generated(seed, 30, 50)
    graph = Graph(rows)
    other: nx.Graph[str] = nx.Graph((a, b) for _, a, _, b, _ in rows)
    for target in ("X:1", "X:2", "X:3"):
        found = {p.concepts for p in graph.paths(["X:0"], [target], limit=10_000)}
        assert found == {tuple(p) for p in nx.all_simple_paths(other, "X:0", target, cutoff=3)}


def test_a_negated_edge_is_shown_and_never_chained() -> None:
    rows: list[EdgeRow] = [
        ("ast_1", "A:1", "treats", "B:1", 1),
        ("ast_2", "B:1", "causes", "C:1", 1),
    ]
    graph = Graph(rows, negated={"ast_1"})
    assert [e.negated for p in graph.paths(["A:1"], ["B:1"]) for e in p.edges] == [True]
    assert graph.paths(["A:1"], ["C:1"]) == ()
    assert len(Graph(rows).paths(["A:1"], ["C:1"])) == 1


def test_saved_and_loaded_it_is_the_same(tmp_path: Path) -> None:
    graph = Graph(generated(4), negated={"ast_000000000000000000000003"}, stamp=7)
    graph.save(tmp_path)
    again = Graph.load(tmp_path)
    assert again.stamp == 7
    assert list(again.edges()) == list(graph.edges())
    (tmp_path / FILE).write_bytes((tmp_path / FILE).read_bytes()[:100])
    with pytest.raises(ValueError, match="damaged"):
        Graph.load(tmp_path)


def test_an_empty_graph_answers() -> None:
    graph = Graph([])
    assert graph.pagerank({"X:1": 1.0}) == {}
    assert graph.paths(["X:1"], ["X:2"]) == ()
