"""Closed sets of all kinds, drawn by hypothesis, and the empty ones."""

from __future__ import annotations

from hypothesis import strategies as st

from kgrag.generation.allowed import (
    ClosedSet,
    Edge,
    either,
    in_order,
    marks,
    one_of,
    some_of,
    statements,
    walks,
)

# Beginnings of each other, equal ones, the empty one, control marks, letters of several bytes.
TEXT = st.sampled_from(
    ["a", "ab", "a b", "a b.", "", "<end>", "<|im_end|>", '"\\', "[1]", "β", "急性", "\U0001f48a"]
)
TEXTS = st.lists(TEXT, max_size=4)
CONCEPTS = "pqrst"


def graph(pairs: list[tuple[str, str]], starts: str, targets: str, most: int) -> ClosedSet:
    """Paths over the edges ``pairs``, each named by its two ends."""
    edges: dict[str, list[Edge]] = {}
    for number, (one, other) in enumerate(pairs):
        edges.setdefault(one, []).append(Edge(f"ast_{number}", "may_treat", other))
    names = {"p": "pain", "q": "pain relief", "r": "β-blocker"}  # the others go by their ids
    return walks(
        tuple(starts), lambda c: edges.get(c, ()), names=names, targets=targets, max_edges=most
    )


_PAIRS = st.lists(
    st.tuples(st.sampled_from(CONCEPTS), st.sampled_from(CONCEPTS)), max_size=8, unique=True
)
GRAPHS = st.builds(
    graph,
    _PAIRS,
    st.sampled_from(["p", "pq", ""]),
    st.sampled_from(["", "t", "rs"]),
    st.integers(1, 3),
)
_SINGLE = (
    st.builds(one_of, TEXTS)
    | st.builds(some_of, TEXTS, most=st.integers(0, 3))
    | st.builds(statements, TEXTS, most=st.integers(1, 2))
    | st.builds(lambda n: some_of(marks(n), most=3, joint=" "), st.integers(0, 4))
    | GRAPHS
)
SETS = (
    _SINGLE
    | st.builds(in_order, st.builds(one_of, TEXTS), GRAPHS)
    | st.builds(either, st.builds(statements, TEXTS, most=st.integers(1, 2)), GRAPHS)
)

EMPTY = (
    one_of([]),
    some_of([], most=3),
    statements(["a"], most=0),
    in_order(one_of(["a"]), one_of([])),
    in_order(one_of([]), one_of(["a"])),
    either(one_of([]), some_of([], most=2)),
    graph([("p", "q")], "", "", 3),
    graph([("p", "q")], "q", "", 3),  # edges are followed in their direction alone
    graph([("p", "q"), ("q", "r")], "p", "r", 1),
    graph([("p", "p")], "p", "", 3),
)
