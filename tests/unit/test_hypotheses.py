"""From findings to conditions to their documents, over a few invented conditions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kgrag.encoding import load_encoder
from kgrag.ids import document_id, passage_id, sha256
from kgrag.linking import Linker
from kgrag.linking.normalise import variants
from kgrag.records.concepts import Concept
from kgrag.records.text import Document, Metadata, Passage, Source
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.concepts_index import Following
from kgrag.retrieval.hypotheses import Hypotheses
from kgrag.retrieval.hypotheses_annotations import PART, Annotations
from kgrag.retrieval.hypotheses_topics import Topics
from kgrag.retrieval.index import catch_up
from kgrag.stores.base import Filters, Ingested
from kgrag.stores.memory_index import MemoryIndex
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.vocabulary.compile import write_lexicon
from kgrag.vocabulary.lexicon import GENERATED, PREFERRED, Lexicon
from kgrag_ingest.ontologies.base import Entry
from kgrag_ingest.ontologies.disease_findings import condition_names, made

ZORBOSIS, MURKEL, TANNIC = "MESH:D900001", "MESH:D900002", "MESH:D900003"
CONCEPTS = (
    Concept(ZORBOSIS, "Zorbosis", "disease"),
    Concept(MURKEL, "Murkel Fever", "disease"),
    Concept(TANNIC, "Tannic Palsy", "disease"),
    Concept("HP:0000001", "Finding", "phenotype"),
    Concept("HP:0000010", "Rash", "phenotype", parents=("HP:0000001",)),
    Concept("HP:0000011", "Blue Rash", "phenotype", parents=("HP:0000010",)),
    Concept("HP:0000020", "Headache", "phenotype", parents=("HP:0000001",)),
    Concept("HP:0000030", "Tremor", "phenotype", parents=("HP:0000001",)),
)
TERMS = {c.curie: c.parents for c in CONCEPTS if c.curie.startswith("HP:")}
DISEASES = [
    ("OMIM:1", "zorbosis, type 2", ("HP:0000011", "HP:0000030")),
    ("OMIM:2", "Murkel fever", ("HP:0000020",)),
    ("OMIM:3", "tannic palsy", ("HP:0000030",)),
    ("OMIM:4", "a disease without a concept", ("HP:0000011",)),
]
TEXTS = {
    "zorbosis-care": "Zorbosis is treated with rest. People with zorbosis need a warm room.",
    "zorbosis-cause": "Zorbosis is inherited. The gene of zorbosis lies on chromosome 4.",
    "murkel": "Murkel fever begins with headache and cough. Murkel fever spreads by water.",
    "tannic": "Tannic palsy weakens the arms. Tannic palsy is seen in tanners.",
    "plain": "The clinic opens on Mondays.",
}
CASE = (
    "A 40-year-old woman has had a blue rash for a week. She reports tremor of both hands."
    " She feels weak. She has no headache. Platelet count: 250,000/mm3."
)


def lexicon(path: Path, *, annotated: bool = True) -> Lexicon:
    names: dict[str, dict[str, tuple[int, bool]]] = {}
    for concept in CONCEPTS:
        for number, spelled in enumerate(variants(concept.name, plural=True)):
            kind = GENERATED if number else PREFERRED
            names.setdefault(spelled, {}).setdefault(concept.curie, (kind, False))
    known = condition_names([Entry(c.curie, c.name, c.type) for c in CONCEPTS])
    parts = {PART: made(DISEASES, dict(TERMS), lambda i: None, known.get)} if annotated else {}
    write_lexicon(path, CONCEPTS, names, parts=parts)
    return Lexicon.open(path)


class World:
    def __init__(self, path: Path, *, annotated: bool = True) -> None:
        self.lexicon = lexicon(path, annotated=annotated)
        self.linker, self.encoder = Linker(self.lexicon), load_encoder("hashing")
        self.truth = MemoryTruth()
        self.names: dict[str, str] = {}
        for name, text in TEXTS.items():
            self.add(name, text)
        self.index = MemoryIndex(dimensions=self.encoder.dimensions)
        catch_up(self.truth, self.index, self.encoder)
        self.follow = Following(self.truth)
        self.source = Hypotheses(
            self.index, self.encoder, self.follow, self.lexicon, Annotations.of(self.lexicon)
        )

    def add(self, name: str, text: str) -> None:
        original = text.encode()
        key = document_id("own", name, sha256(original), "t/1")
        source = Source("own" if name != "tannic" else "other", name)
        document = Document(
            key, source, name, "text/plain", sha256(original), "t/1", text, Metadata()
        )
        passage = Passage(passage_id(key, 0, len(text)), key, 0, len(text))
        self.names[key] = name
        self.truth.put(Ingested(document, original, (passage,), self.linker.link(text)))

    def asked(self, text: str) -> Asked:
        return Asked(text, self.encoder, self.linker)

    def found(self, text: str, filters: Filters | None = None, limit: int = 10) -> list[str]:
        hits = self.source.find(self.asked(text), limit=limit, filters=filters or Filters())
        return [self.names[hit.document_id] for hit in hits]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made_ = World(tmp_path / "lexicon.sqlite")
    yield made_
    made_.lexicon.close()


def test_documents_that_share_no_finding_come_first_by_their_condition(world: World) -> None:
    assert set(world.found(CASE)[:2]) == {"zorbosis-care", "zorbosis-cause"}


def test_annotations_speak_for_what_shares_findings(world: World, tmp_path: Path) -> None:
    bare = World(tmp_path / "bare.sqlite", annotated=False)
    without = {h.concept: h for h in bare.source.explain(bare.asked(CASE))}
    with_them = {h.concept: h for h in world.source.explain(world.asked(CASE))}
    assert set(without) == set(with_them) == {ZORBOSIS, MURKEL, TANNIC}
    assert with_them[ZORBOSIS].score > without[ZORBOSIS].score
    assert with_them[MURKEL].score < without[MURKEL].score
    assert all(h.shared == () for h in without.values())
    bare.lexicon.close()


def test_hypotheses_say_what_speaks_for_them(world: World) -> None:
    first, *others = world.source.explain(world.asked(CASE))
    assert (first.concept, first.name) == (ZORBOSIS, "Zorbosis")
    shared = [(s.finding, s.term) for s in first.shared]
    assert shared == [("HP:0000011", "HP:0000011"), ("HP:0000030", "HP:0000030")]
    assert all(s.information > 0 for s in first.shared)
    assert {other.concept for other in others} == {MURKEL, TANNIC}
    murkel = next(h for h in others if h.concept == MURKEL)
    assert murkel.shared == ()  # the headache is denied
    assert [h.score for h in (first, *others)] == sorted(
        (h.score for h in (first, *others)), reverse=True
    )


@pytest.mark.parametrize(
    "question",
    [
        "What causes a blue rash and tremor?",
        "A blue rash, tremor and headache",
        "A 40-year-old woman has a blue rash, tremor and headache. Is it zorbosis?",
        "How is zorbosis treated in a 40-year-old woman?",
    ],
)
def test_silent_on_ordinary_questions(world: World, question: str) -> None:
    assert world.found(question) == []
    assert world.source.explain(world.asked(question)) == ()


def test_a_condition_that_the_report_names_is_no_hypothesis(world: World) -> None:
    text = CASE + " She had zorbosis as a child."
    assert ZORBOSIS not in {h.concept for h in world.source.explain(world.asked(text))}


def test_filters_hold(world: World) -> None:
    assert "tannic" not in world.found(CASE, Filters(collections=("own",)))
    assert world.found(CASE, Filters(collections=("other",))) == ["tannic"]
    assert world.found(CASE, Filters(collections=("nowhere",))) == []
    scope = Filters(collections=("other",))
    found = world.source.explain(world.asked(CASE), filters=scope)
    assert [h.concept for h in found] == [TANNIC]


def test_the_same_again_and_best_first(world: World, tmp_path: Path) -> None:
    hits = world.source.find(world.asked(CASE), limit=10, filters=Filters())
    again = World(tmp_path / "again.sqlite")
    assert hits == again.source.find(again.asked(CASE), limit=10, filters=Filters())
    assert hits == sorted(hits, key=lambda h: (-h.score, h.passage_id))
    assert world.found(CASE, limit=1) == world.found(CASE)[:1]
    again.lexicon.close()


def test_what_is_removed_is_no_hypothesis_any_more(world: World) -> None:
    for key, name in list(world.names.items()):
        if name.startswith("zorbosis"):
            world.truth.remove(key)
    catch_up(world.truth, world.index, world.encoder)
    assert ZORBOSIS not in {h.concept for h in world.source.explain(world.asked(CASE))}
    assert not {"zorbosis-care", "zorbosis-cause"} & set(world.found(CASE))


def test_an_empty_kb_has_no_hypothesis(tmp_path: Path) -> None:
    words = lexicon(tmp_path / "lexicon.sqlite")
    encoder, truth = load_encoder("hashing"), MemoryTruth()
    source = Hypotheses(
        MemoryIndex(dimensions=encoder.dimensions), encoder, Following(truth), words,
        Annotations.of(words),
    )  # fmt: skip
    asked = Asked(CASE, encoder, Linker(words))
    assert list(source.find(asked, limit=5, filters=Filters())) == []
    assert source.explain(asked) == ()
    words.close()


def test_topics_are_what_documents_name_most(world: World) -> None:
    topics = Topics(world.follow(), lambda curie: world.lexicon.concept(curie).type)
    names = {
        world.names[topics.index.arrays.documents[d].decode()]: topics.conditions[c]
        for d, c, w in zip(topics.document, topics.condition, topics.weight, strict=True)
        if w == 1
    }
    assert names == {
        "zorbosis-care": ZORBOSIS, "zorbosis-cause": ZORBOSIS, "murkel": MURKEL, "tannic": TANNIC,
    }  # fmt: skip
    assert topics.documents(["doc_no"]).tolist() == [-1]


def test_annotations_count_what_is_shared_above_too(world: World) -> None:
    known = Annotations.of(world.lexicon)
    assert known is not None
    assert known.diseases == (ZORBOSIS, MURKEL, TANNIC)
    plain, blue, root, unknown = (
        dict(zip(known.diseases, known.scores([curie]), strict=True))
        for curie in ("HP:0000010", "HP:0000011", "HP:0000001", "MESH:D1")
    )
    assert plain[ZORBOSIS] == blue[ZORBOSIS] > 0  # as few diseases have a rash as a blue one
    assert plain[MURKEL] == blue[TANNIC] == 0
    assert set(root.values()) == set(unknown.values()) == {0.0}
    assert known.shared(["HP:0000011"], "MESH:D1") == ()
    assert Annotations.of(Bare()) is None


class Bare:
    """A lexicon that was compiled without annotations."""

    def part(self, name: str) -> None:
        return None

    def equivalents(self, curie: str) -> tuple[str, ...]:
        return (curie,)
