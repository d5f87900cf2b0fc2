"""Evidence merges in any order; the graph knows only what the truth holds now."""

from __future__ import annotations

from typing import get_args

from asserted_world import Said, curie, document
from hypothesis import given
from hypothesis import strategies as st

from kgrag.records.assertions import Assertion, Certainty, Evidence, Tier
from kgrag.stores.graph import build_graph
from kgrag.stores.memory_truth import MemoryTruth

EVIDENCE = st.builds(
    Evidence,
    st.sampled_from(["doc_a", "doc_b", "doc_c"]),
    st.integers(0, 3),
    st.just(9),
    st.sampled_from(["one", "two"]),
    st.just((1, 2)),
    st.just((3, 4)),
    st.sampled_from(["", "rule"]),
)
ASSERTIONS = st.builds(
    Assertion,
    st.just("X:a"),
    st.just("treats"),
    st.just("X:b"),
    tier=st.sampled_from(get_args(Tier)),
    certainty=st.sampled_from(get_args(Certainty)),
    evidence=st.lists(EVIDENCE, max_size=3, unique=True).map(lambda e: tuple(sorted(e))),
)


@given(ASSERTIONS, ASSERTIONS)
def test_merging_is_commutative(one: Assertion, other: Assertion) -> None:
    assert one.merged(other) == other.merged(one)


@given(ASSERTIONS, ASSERTIONS, ASSERTIONS)
def test_merging_is_associative(one: Assertion, two: Assertion, three: Assertion) -> None:
    assert one.merged(two).merged(three) == one.merged(two.merged(three))


@given(ASSERTIONS, ASSERTIONS)
def test_merging_is_idempotent_and_loses_nothing(one: Assertion, other: Assertion) -> None:
    assert one.merged(one) == one
    both = one.merged(other)
    assert both.merged(other) == both
    assert set(both.evidence) == set(one.evidence) | set(other.evidence)


NAMES = ["ab", "cd", "ef", "gh"]


@st.composite
def sentences(draw: st.DrawFn) -> Said:
    subject, obj = draw(st.permutations(NAMES))[:2]
    predicate = draw(st.sampled_from(["treats", "causes"]))
    negated = draw(st.booleans())
    return subject, predicate, obj, negated, f"{subject} {predicate} {obj} ({negated})."


DOCUMENTS = st.lists(st.lists(sentences(), min_size=1, max_size=4), max_size=4)


@given(DOCUMENTS, st.lists(sentences(), min_size=1, max_size=4))
def test_added_then_removed_is_the_graph_that_never_had_it(
    kept: list[list[Said]], gone: list[Said]
) -> None:
    plain, changed = MemoryTruth(), MemoryTruth()
    extra = document("extra", gone)
    changed.put(extra)
    for number, said in enumerate(kept):
        plain.put(document(str(number), said))
        changed.put(document(str(number), said))
    before = build_graph(changed)
    assert {e.assertion for e in before.edges()} >= {a.id for a in extra.assertions}
    changed.remove(extra.document.id)
    one, other = build_graph(plain), build_graph(changed)
    assert set(one.edges()) == set(other.edges())
    assert len(one) == len(other)
    assert sorted(one.concepts) == sorted(other.concepts)
    seeds = {curie(NAMES[0]): 1.0}
    ranks, again = one.pagerank(seeds), other.pagerank(seeds)
    assert ranks.keys() == again.keys()
    assert all(abs(ranks[c] - again[c]) < 1e-9 for c in ranks)


@given(DOCUMENTS)
def test_a_negated_edge_never_joins_a_longer_path(kept: list[list[Said]]) -> None:
    truth = MemoryTruth()
    for number, said in enumerate(kept):
        truth.put(document(str(number), said))
    graph = build_graph(truth)
    for path in graph.paths([curie(NAMES[0])], [curie(NAMES[1])], limit=1000):
        assert len(path.edges) == 1 or not any(edge.negated for edge in path.edges)
