"""What each kind of closed set holds, and how a text of it is read."""

from __future__ import annotations

import pytest
from closed_sets import EMPTY, graph

from kgrag.generation.allowed import (
    Arc,
    ClosedSet,
    Edge,
    NothingAllowed,
    TooLarge,
    either,
    in_order,
    marks,
    one_of,
    some_of,
    statements,
    walks,
)


def test_one_of_and_its_values() -> None:
    closed = one_of(["a", "b", "a"])
    assert closed.texts(limit=9) == ("a", "b")
    said = closed.read("a")
    assert said is not None and said.values == (0,)
    assert closed.read("ab") is None and closed.read("") is None


def test_some_of_never_repeats_and_never_exceeds() -> None:
    closed = some_of(["a", "b", "c", "a"], most=2, joint=",")
    assert set(closed.texts(limit=99)) == {
        "a", "b", "c", "a,b", "a,c", "b,a", "b,c", "c,a", "c,b",
    }  # fmt: skip
    said = closed.read("c,a")
    assert said is not None and said.values == (2, 0)


def test_statements_are_whole_and_carry_their_marks() -> None:
    closed = statements(["Give it.", "Give it. Wait."], most=2)
    assert closed.read("Give it. [2]") is None and closed.read("Give it.") is None
    said = closed.read("Give it. Wait. [2]\nGive it. [1]")
    assert said is not None and said.values == (1, 0)


def test_paths_go_along_their_edges_and_visit_nothing_twice() -> None:
    closed = graph([("p", "q"), ("q", "r"), ("r", "p"), ("q", "s")], "p", "", 3)
    first = "pain —may treat→ pain relief"
    assert set(closed.texts(limit=99)) == {
        first,
        f"{first} —may treat→ β-blocker",
        f"{first} —may treat→ s",
    }
    said = closed.read(f"{first} —may treat→ s")
    assert said is not None and said.values == ("ast_0", "ast_3")
    assert closed.read("pain relief —may treat→ pain") is None


def test_paths_end_at_the_targets_alone() -> None:
    closed = graph([("p", "q"), ("q", "r"), ("q", "s"), ("s", "r"), ("p", "t")], "p", "r", 3)
    assert [c.values for c in map(closed.read, closed.texts(limit=9)) if c] == [
        ("ast_0", "ast_1"),
        ("ast_0", "ast_2", "ast_3"),
    ]


def test_a_large_graph_is_walked_and_not_listed() -> None:
    """A million paths; only the concepts that are passed are asked for their edges."""
    asked: list[str] = []

    def edges_from(concept: str) -> list[Edge]:
        asked.append(concept)
        depth, _ = concept.split(".")
        return [Edge(f"{concept}>{n}", "causes", f"{int(depth) + 1}.{n}") for n in range(100)]

    closed = walks(["0.0"], edges_from, names={}, max_edges=3)
    assert len(closed.arcs(closed.start)) == 1
    arcs = closed.arcs(closed.arcs(closed.start)[0].to)
    assert len(arcs) == 100 and len(asked) <= 2
    assert closed.read("0.0 —causes→ 1.7 —causes→ 2.9") is not None
    with pytest.raises(TooLarge):
        closed.texts(limit=1000)
    with pytest.raises(TooLarge):
        closed.states(limit=1000)


def test_parts_in_order_and_either() -> None:
    both = in_order(one_of(["yes", "no"]), some_of(marks(2), most=1))
    assert both.texts(limit=9) == ("yes [1]", "yes [2]", "no [1]", "no [2]")
    said = both.read("no [2]")
    assert said is not None and said.values == (1, 1)
    assert either(one_of(["a"]), one_of([]), one_of(["b"])).texts(limit=9) == ("a", "b")


def test_the_longest_text_is_found_without_listing() -> None:
    assert some_of(["ab", "β", "c"], most=2, joint=",").longest(limit=99) == 5
    assert graph([("p", "q"), ("q", "t")], "p", "", 2).longest(limit=99) == len(
        "pain —may treat→ pain relief —may treat→ t".encode()
    )
    long = some_of(marks(9), most=9)
    assert long.longest(limit=999) == 9 * 4 - 1
    with pytest.raises(TooLarge):
        long.texts(limit=999)


@pytest.mark.parametrize("closed", EMPTY)
def test_empty_sets_are_empty(closed: ClosedSet) -> None:
    assert closed.empty and closed.read("") is None and closed.read("a") is None
    with pytest.raises(NothingAllowed):
        closed.texts(limit=9)
    with pytest.raises(NothingAllowed):
        closed.states(limit=9)


def test_what_leads_to_no_end_is_not_offered() -> None:
    arcs = {"s": [Arc("a", "dead"), Arc("b", "e")], "dead": [Arc("c", "dust")]}
    closed = ClosedSet("s", lambda s: arcs.get(str(s), ()), lambda s: s == "e")
    assert [arc.text for arc in closed.arcs("s")] == ["b"]


def test_a_ring_is_not_closed() -> None:
    closed = ClosedSet("s", lambda s: [Arc("a", "s")], lambda s: False)
    with pytest.raises(ValueError, match="ring"):
        _ = closed.empty
