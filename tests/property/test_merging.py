"""Assertions merge by what they say, never by their ends; evidence and belief only grow."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from kgrag.ids import document_id, sha256
from kgrag.reasoning.belief import Origin, belief, error_rates
from kgrag.records.assertions import Assertion, Certainty, Evidence, Tier
from kgrag.records.text import Block, Document, Source
from kgrag.stores.base import Ingested
from kgrag.stores.graph import build_graph
from kgrag.stores.memory_truth import MemoryTruth

ENDS = st.sampled_from(["X:a", "X:b"])
QUALIFIERS = st.dictionaries(
    st.sampled_from(["population", "dose", "condition"]),
    st.sampled_from(["one", "two"]),
    max_size=2,
)
SAYINGS = st.builds(
    Assertion,
    ENDS,
    st.sampled_from(["treats", "contraindicated_in"]),
    ENDS,
    st.booleans(),
    QUALIFIERS.map(lambda held: tuple(held.items())),
    st.sampled_from(get_args(Tier)),
    st.sampled_from(get_args(Certainty)),
)
Key = tuple[str, str, str, bool, tuple[tuple[str, str], ...]]


def key_of(said: Assertion) -> Key:
    return said.subject, said.predicate, said.object, said.negated, said.qualifiers


def document_of(identifier: str, sayings: list[Assertion]) -> Ingested:
    """A document with a sentence for each saying, however often it says it."""
    text = "\n\n".join(f"Sentence {n} of {identifier}." for n in range(max(len(sayings), 1)))
    key = document_id("own", identifier, sha256(text.encode()), "test/1")
    blocks, said, at = [], [], 0
    for saying in sayings:
        end = text.find("\n", at) if "\n" in text[at:] else len(text)
        blocks.append(Block("paragraph", at, end))
        piece = Evidence(key, at, end, text[at:end], (at, at + 1), (at + 1, at + 2), "treats.verb")
        said.append(replace(saying, evidence=(piece,)))
        at = end + 2
    document = Document(
        key, Source("own", identifier), identifier, "text/plain", sha256(text.encode()), "test/1",
        text, blocks=tuple(blocks),
    )  # fmt: skip
    return Ingested(document, text.encode(), assertions=tuple(said))


@given(SAYINGS, SAYINGS)
def test_the_id_is_what_is_said_and_nothing_else(one: Assertion, other: Assertion) -> None:
    assert (one.id == other.id) == (key_of(one) == key_of(other))


@given(st.lists(st.lists(SAYINGS, max_size=4), max_size=4))
def test_the_store_merges_by_what_is_said_and_keeps_every_piece(
    documents: list[list[Assertion]],
) -> None:
    truth = MemoryTruth()
    expected: dict[Key, set[Evidence]] = defaultdict(set)
    surest: dict[Key, set[tuple[str, str]]] = defaultdict(set)
    for number, sayings in enumerate(documents):
        item = document_of(str(number), sayings)
        truth.put(item)
        for said in item.assertions:
            expected[key_of(said)].update(said.evidence)
            surest[key_of(said)].add((said.tier, said.certainty))
    held = {key_of(a): a for a in truth.assertions()}
    assert {key: set(a.evidence) for key, a in held.items()} == expected
    assert len(held) == len(list(truth.assertions()))
    for key, merged in held.items():
        tiers, certainties = zip(*surest[key], strict=True)
        assert merged.tier == min(tiers)  # "asserted" comes before "candidate"
        order = get_args(Certainty)
        assert merged.certainty == min(certainties, key=order.index)
    # The graph has one edge for each, also between one pair of ends.
    edges = {e.assertion: e.negated for e in build_graph(truth).edges()}
    assert edges == {a.id: a.negated for a in held.values()}


PIECES = st.builds(
    lambda document, words, rule: Evidence(document, 0, 5, words, (0, 1), (2, 3), rule),
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from(["one", "two", "three", "four"]),
    st.sampled_from(["treats.verb", "row.drug", "classifier.x", "of.nobody", ""]),
)
EVIDENCE = st.lists(PIECES, max_size=6).map(tuple)
TIERS = st.sampled_from(get_args(Tier))
ORIGINS = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]),
    st.builds(Origin, st.sampled_from(["s", "t"]), st.sampled_from(["x.pdf", "x.md"])),
)


@given(EVIDENCE, TIERS, ORIGINS, st.randoms())
def test_belief_is_a_probability_whatever_the_order_and_repetition(
    evidence: tuple[Evidence, ...], tier: Tier, origins: dict[str, Origin], chance: object
) -> None:
    said = Assertion("X:a", "treats", "X:b", tier=tier, evidence=evidence)
    value = belief(said, origins=origins)
    assert 0.0 <= value < 1.0
    assert (value == 0.0) == (not evidence)
    mixed = list(evidence * 2)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert abs(belief(replace(said, evidence=tuple(mixed)), origins=origins) - value) < 1e-12


@given(EVIDENCE, TIERS, st.sampled_from(["treats.verb", "row.drug", "classifier.x", ""]))
def test_a_further_source_in_words_of_its_own_never_lowers_belief(
    evidence: tuple[Evidence, ...], tier: Tier, rule: str
) -> None:
    said = Assertion("X:a", "treats", "X:b", tier=tier, evidence=evidence)
    more = Evidence("another", 0, 5, "words of its own", (0, 1), (2, 3), rule)
    assert belief(replace(said, evidence=(*evidence, more))) >= belief(said) - 1e-12


@given(EVIDENCE, TIERS)
def test_one_source_is_never_believed_beyond_its_best_rate(
    evidence: tuple[Evidence, ...], tier: Tier
) -> None:
    said = Assertion("X:a", "treats", "X:b", tier=tier, evidence=evidence)
    origins = {e.document_id: Origin("one") for e in evidence}
    rates = error_rates()
    best = min((rates.of(e.rule, "treats").wrong for e in evidence), default=1.0)
    assert belief(said, origins=origins) <= 1.0 - best + 1e-12
