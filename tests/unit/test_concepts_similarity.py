"""Passages by shared concepts: narrower ones, other ids, denials, types, and what matched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kgrag.encoding import load_encoder
from kgrag.ids import document_id, passage_id, sha256
from kgrag.linking import Linker
from kgrag.records.answer import CitedDocument, Hit
from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.text import Document, Metadata, Passage, Source
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.concepts import Concepts, ConceptScorer, ConceptSource
from kgrag.retrieval.concepts_asking import AnswerTypes, asking
from kgrag.retrieval.concepts_index import Following
from kgrag.retrieval.graph_source import GraphSource, Walk
from kgrag.stores.base import Filters, Ingested
from kgrag.stores.graph import Graph, build_graph
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.testing.lexicon import small_lexicon
from kgrag.vocabulary.lexicon import Lexicon

EVERY = Filters()
TEXTS = {
    "exact": "Diabetes mellitus is common in this region.",
    "narrow": "Type 2 diabetes is common in this region.",
    "denied": "The patient has no diabetes.",
    "other": "Hypertension is common in this region.",
    "drug": "Metformin is given to adults with diabetes.",
    "heart": "Warfarin and aspirin are given in heart failure.",
    "plain": "The clinic opens on Mondays.",
}


class World:
    """The texts as documents of one passage, linked with the small lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon, self.linker = lexicon, Linker(lexicon)
        self.encoder = load_encoder("hashing")
        self.truth = MemoryTruth()
        self.passages: dict[str, str] = {}
        for name, text in TEXTS.items():
            self.add(name, text)
        self.concepts = Concepts(Following(self.truth), lexicon)

    def add(self, name: str, text: str, *, assertions: Sequence[Assertion] = ()) -> None:
        original = text.encode()
        key = document_id("own", name, sha256(original), "t/1")
        source = Source("own", name)
        document = Document(
            key, source, name, "text/plain", sha256(original), "t/1", text, Metadata(title=name)
        )
        passage = Passage(passage_id(key, 0, len(text)), key, 0, len(text))
        first = (0, len(text.split()[0]))
        evidence = Evidence(key, 0, len(text), text, first, first)
        said = tuple(replace(a, evidence=(evidence,)) for a in assertions)
        self.truth.put(
            Ingested(document, original, (passage,), self.linker.link(text), assertions=said)
        )
        self.passages[name] = passage.id

    def asked(self, question: str) -> Asked:
        return Asked(question, self.encoder, self.linker)

    def names(self, ids: Sequence[str]) -> list[str]:
        back = {identifier: name for name, identifier in self.passages.items()}
        return [back[identifier] for identifier in ids]

    def found(self, question: str, filters: Filters = EVERY) -> list[str]:
        hits = ConceptSource(self.concepts).find(self.asked(question), limit=10, filters=filters)
        assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
        return self.names([h.passage_id for h in hits])

    def hits(self, *names: str) -> list[Hit]:
        cited = CitedDocument("doc_x", "x", "x")
        return [Hit(cited, self.passages[name], TEXTS[name], 0, 1, 0.0) for name in names]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with small_lexicon(tmp_path / "lexicon.sqlite") as lexicon:
        yield World(lexicon)


def test_same_and_narrower_concepts_are_found_and_a_denial_comes_last(world: World) -> None:
    found = world.found("How common is diabetes?")
    assert set(found) == {"exact", "narrow", "drug", "denied"}
    assert found[-1] == "denied"
    assert found.index("exact") < found.index("narrow")


def test_a_question_that_denies_is_nearest_to_a_denial(world: World) -> None:
    asked = world.asked("Which patients have no diabetes?")
    assert asked.mentions[0].negated
    assert world.found("Which patients have no diabetes?")[0] == "denied"


def test_the_broader_concept_counts_half_at_most(world: World) -> None:
    scores = world.concepts.score(
        world.asked("How is type 2 diabetes treated?"),
        [world.passages["narrow"], world.passages["exact"], world.passages["other"]],
    )
    assert scores[0] == 1.0
    assert 0 < scores[1] <= 0.5
    assert scores[2] == 0.0


def test_source_and_scorer_agree_but_for_ties(world: World) -> None:
    asked = world.asked("Is aspirin safe with diabetes and heart failure?")
    hits = world.concepts.find(asked, limit=10, filters=EVERY)
    scores = world.concepts.score(asked, [h.passage_id for h in hits])
    assert len(hits) >= 4
    assert np.all(np.abs(scores - [h.score for h in hits]) <= 1e-3 + 1e-12)


def test_a_score_is_unknown_where_nothing_is_known(world: World) -> None:
    scorer = ConceptScorer(world.concepts)
    assert np.isnan(scorer.score(world.asked("When does it open?"), world.hits("exact"))).all()
    values = world.concepts.score(world.asked("diabetes"), [world.passages["plain"], "psg_gone"])
    assert values[0] == 0.0
    assert np.isnan(values[1])
    # Anemia is a concept, but no passage is about it or anything near it.
    assert world.found("What is anemia?") == []


def test_filters_hold(world: World) -> None:
    document = next(world.truth.documents()).id
    kept = world.found("diabetes aspirin hypertension", Filters(documents=(document,)))
    assert len(kept) <= 1
    everything = world.found("diabetes aspirin hypertension")
    without = world.found("diabetes aspirin hypertension", Filters(without_documents=(document,)))
    assert set(everything) - set(without) == set(kept)
    assert world.found("diabetes", Filters(collections=("elsewhere",))) == []


def test_what_is_added_is_found_and_what_is_removed_is_not(world: World) -> None:
    assert "late" not in world.found("diabetes")
    world.add("late", "Diabetes may be silent for years.")
    assert "late" in world.found("diabetes")
    document = world.truth.passages_by_id([world.passages["late"]])
    world.truth.remove(document[world.passages["late"]][0].document_id)
    assert "late" not in world.found("diabetes")


def test_matched_says_which_concepts_met_and_how(world: World) -> None:
    asked = world.asked("Is metformin right in type 2 diabetes?")
    passage, text = next(iter(world.truth.passages_by_id([world.passages["drug"]]).values()))
    found = world.concepts.matched(
        asked, passage.document_id, passage.start, passage.end, world.truth
    )
    assert [(m.question.text, m.passage.text, m.relation) for m in found] == [
        ("metformin", "Metformin", "same"),
        ("type 2 diabetes", "diabetes", "broader"),
    ]
    for match in found:
        assert text[match.passage.start : match.passage.end] == match.passage.text
        assert asked.text[match.question.start : match.question.end] == match.question.text
        assert 0 < match.weight <= 1
    denied, _ = next(iter(world.truth.passages_by_id([world.passages["denied"]]).values()))
    [only] = world.concepts.matched(
        world.asked("What is diabetes?"), denied.document_id, 0, denied.end, world.truth
    )
    assert (only.relation, only.weight) == ("same", 0.5)


# What is asked for --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "types", "into", "out"),
    [
        ("What are the treatments for gout?", {"drug", "chemical", "procedure"}, ("treats",), ()),
        ("Which drugs treat gout?", {"drug", "chemical", "procedure"}, ("treats",), ()),
        ("What are the symptoms of gout?", {"phenotype"}, (), ("has_phenotype",)),
        ("How to diagnose gout?", {"procedure", "analyte"}, ("diagnoses",), ()),
        ("What are the side effects of the drug?", set(), (), ("causes",)),
        ("What causes gout?", set(), ("causes",), ()),
        ("Is aspirin a treatment for gout?", set(), (), ()),
        ("Who discovered insulin?", set(), (), ()),
    ],
)
def test_what_a_question_asks_for(
    question: str, types: set[str], into: tuple[str, ...], out: tuple[str, ...]
) -> None:
    found = asking(question)
    assert (set(found.types), found.into, found.out) == (types, into, out)


def test_passages_that_name_what_is_asked_for_score_higher(world: World) -> None:
    def type_of(curie: str) -> object:
        return world.lexicon.concept(curie).type

    scorer = AnswerTypes(lambda: world.concepts.index, type_of)  # type: ignore[arg-type]  # as is
    hits = world.hits("exact", "drug", "heart")
    asked = world.asked("What are the treatments for diabetes?")
    assert scorer.score(asked, hits).tolist() == pytest.approx(np.log1p([0, 1, 2]).tolist())
    own = world.asked("What are the treatments with metformin?")
    assert scorer.score(own, hits)[1] == 0.0  # the question's own drug is no answer
    for unsaid in ("Is diabetes treated?", "How are patients treated?", "What is diabetes?"):
        assert np.isnan(scorer.score(world.asked(unsaid), hits)).all()


# The graph ----------------------------------------------------------------------------------------


def graph_found(world: World, question: str) -> list[str]:
    graph = build_graph(world.truth)
    source = GraphSource(world.concepts, lambda: graph, world.truth)
    hits = source.find(world.asked(question), limit=10, filters=EVERY)
    return world.names([h.passage_id for h in hits])


def test_a_passage_that_states_the_relation_comes_first(world: World) -> None:
    for number in range(3):
        world.add(f"more{number}", f"Diabetes, diabetes: diabetes {number}.")
    treats = Assertion("MESH:D008687", "treats", "MESH:D003920")
    world.add(
        "stating", "Metformin treats diabetes, warfarin and sodium aside.", assertions=[treats]
    )
    assert graph_found(world, "What treats diabetes?")[0] == "stating"
    assert graph_found(world, "What is diabetes?")[0] != "stating"


def test_an_assertion_leads_to_passages_that_do_not_name_the_question(world: World) -> None:
    assert "heart" not in graph_found(world, "What comes of hypertension?")
    causes = Assertion("MESH:D006973", "causes", "MESH:D006333")
    world.add("causing", "Hypertension causes heart failure.", assertions=[causes])
    assert "heart" in graph_found(world, "What comes of hypertension?")
    assert graph_found(world, "When does the clinic open?") == []


def test_a_walk_agrees_with_networkx(world: World) -> None:
    import networkx as nx

    world.add("both", "Aspirin in diabetes and hypertension; aspirin in heart failure.")
    index = world.concepts.index
    walk = Walk(index, Graph([]))
    start = index.concept_number("MESH:D003920")
    assert start is not None
    ranks = walk.ranks({start: 2.0})
    up, down = walk._mentions
    graph: nx.DiGraph[tuple[str, int]] = nx.DiGraph()
    for one, other, weights in (("c", "p", down.tocoo()), ("p", "c", up.tocoo())):
        for into, out, weight in zip(*weights.coords, weights.data.tolist(), strict=True):
            graph.add_edge((one, int(out)), (other, int(into)), weight=weight)
    expected = nx.pagerank(graph, alpha=0.5, personalization={("c", start): 1.0}, tol=1e-12)
    wanted = np.array([expected.get(("p", at), 0.0) for at in range(len(index))])
    # Four rounds leave a share of 4 ** -4 of the walk undone.
    assert np.abs(ranks - wanted).sum() < 2**-7
    assert np.argsort(-ranks, kind="stable")[0] == np.argsort(-wanted, kind="stable")[0]
