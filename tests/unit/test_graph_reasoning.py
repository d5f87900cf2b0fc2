"""Seeds, expansion, paths and conflicts over a small world of given assertions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from asserted_world import PlainNames, Said, curie, document

from kgrag.errors import BrokenInvariant
from kgrag.reasoning.conflicts import find_conflicts
from kgrag.reasoning.paths import cite, is_chain, path_text, seed_paths
from kgrag.records.answer import Seed
from kgrag.records.concepts import Mention
from kgrag.records.question import Selection
from kgrag.retrieval.expand import expand
from kgrag.retrieval.scope import Scope
from kgrag.retrieval.seeds import find_seeds, name_of, seed_weights
from kgrag.stores.graph import build_graph
from kgrag.stores.memory_truth import MemoryTruth

NAMES = PlainNames()
CHAIN: list[Said] = [
    ("obesity", "risk_factor_for", "diabetes", False, "obesity is a risk factor for diabetes."),
    ("diabetes", "causes", "nephropathy", False, "diabetes causes nephropathy."),
    ("nephropathy", "causes", "anemia", False, "nephropathy causes anemia."),
    ("gout", "causes", "tophi", False, "gout causes tophi."),
]
FOR: list[Said] = [("aspirin", "prevents", "stroke", False, "aspirin prevents stroke.")]
AGAINST: list[Said] = [("aspirin", "prevents", "stroke", True, "aspirin never prevents stroke.")]


def truth_of(**said: list[Said]) -> MemoryTruth:
    truth = MemoryTruth()
    for identifier, sentences in said.items():
        truth.put(document(identifier, sentences))
    return truth


def seed(name: str, score: float = 1.0) -> Seed:
    return Seed(0, len(name), name, curie(name), name, score)


class Listed:
    """A linker that gives these mentions, whatever the text."""

    def __init__(self, *mentions: Mention) -> None:
        self._mentions = mentions

    def link(self, text: str) -> tuple[Mention, ...]:
        return self._mentions


def test_seeds_are_distinct_concepts_by_their_surest_mention() -> None:
    found = find_seeds(
        "gout or no gout or asthma",
        Listed(
            Mention(0, 4, "gout", "X:gout", "disease", 0.5),
            Mention(11, 15, "gout", "X:gout", "disease", 0.9, negated=True),
            Mention(19, 25, "asthma", "X:asthma", "disease", 0.8),
        ),
        NAMES,
    )
    assert [(s.concept, s.start, s.score, s.name) for s in found] == [
        ("X:gout", 11, 0.9, "Gout"),
        ("X:asthma", 19, 0.8, "Asthma"),
    ]


def test_a_concept_that_the_lexicon_lacks_goes_by_its_curie() -> None:
    assert name_of("X:unnamed", NAMES) == "X:unnamed"


def test_a_seed_of_score_zero_still_has_a_weight() -> None:
    assert seed_weights([seed("gout", 0.0)])["X:gout"] > 0


class Families:
    """Nephropathy is below gout here, and diabetes has an older id."""

    def equivalents(self, curie: str) -> tuple[str, ...]:
        return (curie, "X:diabetes") if curie == "X:sugar" else (curie,)

    def descendants(
        self, curie: str, *, depth: int | None = None, limit: int = 10
    ) -> tuple[str, ...]:
        return ("X:nephropathy", "X:unseen") if curie == "X:gout" else ()


def test_other_ids_and_narrower_concepts_are_searched_from_too() -> None:
    truth = truth_of(chain=CHAIN)
    graph = build_graph(truth)
    weights = seed_weights([seed("gout"), seed("sugar")], Families(), graph)
    assert weights == {
        "X:gout": 1.0, "X:sugar": 1.0, "X:nephropathy": pytest.approx(0.3), "X:diabetes": 1.0,
    }  # fmt: skip
    assert expand([seed("sugar")], graph, truth).assertions == ()
    found = expand([seed("sugar")], graph, truth, hierarchy=Families())
    assert {a.predicate for a, _ in found.assertions} == {"causes", "risk_factor_for"}


def test_expansion_brings_what_is_near_and_nothing_apart() -> None:
    truth = truth_of(chain=CHAIN)
    found = expand([seed("obesity")], build_graph(truth), truth)
    ranks = dict(found.concepts)
    assert ranks["X:obesity"] > ranks["X:nephropathy"] > ranks["X:anemia"]
    assert "X:gout" not in ranks
    assert {a.subject for a, _ in found.assertions} == {"X:obesity", "X:diabetes", "X:nephropathy"}
    scores = [score for _, score in found.assertions]
    assert scores == sorted(scores, reverse=True)
    ids = {p.id for p in truth.passages(next(iter(truth.documents())).id)[:3]}
    assert {name for name, _ in found.passages} == ids
    for (key, start, end), assertion in found.evidence().items():
        (held,) = truth.assertions([assertion])
        assert (key, start, end) in {(e.document_id, e.start, e.end) for e in held.evidence}


def test_expansion_is_bounded() -> None:
    truth = truth_of(chain=CHAIN)
    found = expand([seed("obesity")], build_graph(truth), truth, assertions=1, passages=2)
    assert (len(found.assertions), len(found.passages)) == (1, 2)


def test_a_seed_without_an_edge_brings_the_passages_that_name_it() -> None:
    truth = truth_of(chain=CHAIN)
    graph = build_graph(MemoryTruth())
    found = expand([seed("gout")], graph, truth)
    assert found.assertions == ()
    assert len(found.passages) == 1


def test_without_seeds_there_is_nothing() -> None:
    truth = truth_of(chain=CHAIN)
    assert expand([], build_graph(truth), truth).passages == ()


def test_a_path_quotes_every_edge() -> None:
    truth = truth_of(chain=CHAIN)
    (found,) = seed_paths([seed("obesity"), seed("anemia")], build_graph(truth), truth, NAMES)
    path = found.steps
    assert [step.citation.quote for step in path] == [item[4] for item in CHAIN[:3]]
    assert is_chain(path)
    assert path_text(path).startswith("Obesity —risk factor for→ Diabetes")
    text = truth.document(path[0].citation.document.id).text
    for step in path:
        assert text[step.citation.start : step.citation.end] == step.citation.quote


def test_a_path_against_the_direction_of_an_edge_is_no_chain() -> None:
    truth = truth_of(chain=CHAIN[:1], other=[("gout", "causes", "diabetes", False,
                                              "gout causes diabetes.")])  # fmt: skip
    (found,) = seed_paths([seed("obesity"), seed("gout")], build_graph(truth), truth, NAMES)
    path = found.steps
    assert len(path) == 2
    assert not is_chain(path)


@pytest.mark.parametrize(
    ("first", "second", "connected"),
    [
        (("warfarin", "contraindicated_in", "pregnancy"),
         ("doxycycline", "contraindicated_in", "pregnancy"), False),
        (("warfarin", "interacts_with", "amiodarone"),
         ("amiodarone", "interacts_with", "doxycycline"), False),
        (("drug", "treats", "warfarin"), ("drug", "treats", "doxycycline"), False),
        (("drug", "treats", "warfarin"), ("drug", "causes", "doxycycline"), True),
        (("warfarin", "causes", "x"), ("x", "causes", "doxycycline"), True),
        (("x", "causes", "warfarin"), ("x", "causes", "doxycycline"), True),
    ],
)  # fmt: skip
def test_what_two_things_merely_share_is_no_path(
    first: tuple[str, str, str], second: tuple[str, str, str], connected: bool
) -> None:
    said: list[Said] = [(*e, False, f"{e[0]} {e[1]} {e[2]}.") for e in (first, second)]
    truth = truth_of(one=said)
    ends = [seed("warfarin"), seed("doxycycline")]
    assert bool(seed_paths(ends, build_graph(truth), truth, NAMES)) is connected


def test_no_path_is_longer_than_asked() -> None:
    truth = truth_of(chain=CHAIN)
    graph = build_graph(truth)
    assert seed_paths([seed("obesity"), seed("anemia")], graph, truth, NAMES, max_edges=2) == ()
    assert seed_paths([seed("obesity"), seed("tophi")], graph, truth, NAMES) == ()


def test_a_path_whose_evidence_is_gone_is_left_out() -> None:
    truth = truth_of(first=CHAIN[:1], second=CHAIN[1:2])
    graph = build_graph(truth)
    truth.remove(next(d.id for d in truth.documents() if d.source.identifier == "second"))
    assert seed_paths([seed("obesity"), seed("nephropathy")], graph, truth, NAMES) == ()


def test_evidence_that_is_not_the_text_is_never_cited() -> None:
    truth = truth_of(chain=CHAIN)
    (evidence,) = next(truth.assertions()).evidence
    with pytest.raises(BrokenInvariant):
        cite(replace(evidence, quote="diabetes cures gout."), truth)


def test_opposite_polarity_is_one_conflict_with_both_sides() -> None:
    truth = truth_of(one=FOR, other=AGAINST)
    (found,) = find_conflicts(list(truth.assertions()), truth, NAMES)
    assert (found["kind"], found["subject_name"]) == ("opposite_direction", "Aspirin")
    assert [side["negated"] for side in found["sides"]] == [False, True]
    assert [side["citation"]["quote"] for side in found["sides"]] == [FOR[0][4], AGAINST[0][4]]


def test_the_other_side_is_found_from_one() -> None:
    truth = truth_of(one=FOR, other=AGAINST)
    affirmed = [a for a in truth.assertions() if not a.negated]
    assert len(find_conflicts(affirmed, truth, NAMES)) == 1


def test_advised_and_advised_against() -> None:
    forbids: list[Said] = [
        ("aspirin", "contraindicated_in", "stroke", False, "aspirin is forbidden in stroke.")
    ]
    truth = truth_of(one=FOR, other=forbids)
    (found,) = find_conflicts(list(truth.assertions()), truth, NAMES)
    assert found["kind"] == "opposite_direction"
    assert [side["direction"] for side in found["sides"]] == ["for", "against"]


@pytest.mark.parametrize(
    "other",
    [
        [("aspirin", "causes", "stroke", True, "aspirin never causes stroke.")],
        [("aspirin", "prevents", "gout", True, "aspirin never prevents gout.")],
        [("stroke", "prevents", "aspirin", True, "stroke never prevents aspirin.")],
        [("aspirin", "contraindicated_in", "stroke", True, "aspirin is allowed in stroke.")],
    ],
)
def test_what_is_no_conflict(other: list[Said]) -> None:
    truth = truth_of(one=FOR, other=other)
    assert find_conflicts(list(truth.assertions()), truth, NAMES) == ()


def test_what_is_out_of_scope_contradicts_nothing() -> None:
    truth = truth_of(one=FOR)
    truth.put(document("other", AGAINST, collection="elsewhere"))
    assertions = list(truth.assertions())
    assert len(find_conflicts(assertions, Scope(truth), NAMES)) == 1
    assert find_conflicts(assertions, Scope(truth, Selection(collections=("own",))), NAMES) == ()


def test_a_removed_document_contradicts_nothing() -> None:
    truth = truth_of(one=FOR, other=AGAINST)
    truth.remove(next(d.id for d in truth.documents() if d.source.identifier == "other"))
    assert find_conflicts(list(truth.assertions()), truth, NAMES) == ()
