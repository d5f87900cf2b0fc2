"""What a selection lets through, and the order and length of the list it gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kgrag.config import Settings
from kgrag.encoding import load_encoder
from kgrag.errors import BadQuestion
from kgrag.ids import document_id, passage_id, sha256
from kgrag.records.answer import CitedDocument, Hit
from kgrag.records.question import Selection, selection
from kgrag.records.recommendations import Grade, Recommendation
from kgrag.records.text import Block, Document, Metadata, Passage, Source
from kgrag.retrieval.filters import admit
from kgrag.retrieval.index import catch_up
from kgrag.retrieval.passages import HybridRetriever
from kgrag.retrieval.select import select
from kgrag.stores.base import Ingested, TruthStore
from kgrag.stores.memory_index import MemoryIndex
from kgrag.stores.memory_truth import MemoryTruth

B = Grade("USPSTF", "B", "moderate", (0, 1))
STRONG = Grade("GRADE", "strong recommendation", "strong", (0, 1))


def _graded(fields: dict[str, Any], text: str) -> dict[str, Any]:
    """The fields with their grade at its place in the text."""
    if "strength" not in fields:
        return fields
    grade = fields["strength"]
    at = text.index(grade.raw)
    return fields | {"strength": replace(grade, span=(at, at + len(grade.raw)))}


def guideline(name: str, *lines: str, collection: str = "own", advice: Any = (), **meta: Any):
    """A document of one passage a line; ``advice`` has fields of a recommendation by line."""
    text = "\n\n".join(lines)
    key = document_id(collection, name, sha256(text.encode()), "test/1")
    starts = [text.index(line) for line in lines]
    spans = [(s, s + len(line)) for s, line in zip(starts, lines, strict=True)]
    recommendations = tuple(
        Recommendation(key, s, e, text[s:e], "for", (s, e), **_graded(fields, text))
        for (s, e), fields in zip(spans, advice, strict=False)
        if fields is not None
    )
    return Ingested(
        Document(
            key, Source(collection, name), f"file:///{name}", "text/plain", sha256(text.encode()),
            "test/1", text, metadata=Metadata(title=name, **meta),
            blocks=tuple(Block("paragraph", s, e) for s, e in spans),
        ),
        text.encode(),
        passages=tuple(Passage(passage_id(key, s, e), key, s, e) for s, e in spans),
        recommendations=recommendations,
    )  # fmt: skip


WORLD = (
    guideline(
        "statins", "Adults aged 40 to 75 take a statin: B.", "Girls take no statin at all.",
        "Statin lore in general.", publisher="USPSTF", date="2016-11", language="en",
        advice=({"strength": B, "min_age": 40, "max_age": 75}, {"sex": "female", "max_age": 17}),
    ),
    guideline(
        "local", "Our ward gives a statin at night (strong recommendation).", collection="hospital",
        publisher="St Elsewhere", date="2022", version="3", advice=({"strength": STRONG},),
    ),
    guideline("undated", "A statin is a medicine."),
)  # fmt: skip


@pytest.fixture(scope="module")
def truth() -> TruthStore:
    made = MemoryTruth()
    for item in WORLD:
        made.put(item)
    return made


@pytest.fixture(scope="module")
def retriever(truth: TruthStore) -> Iterator[HybridRetriever]:
    encoder = load_encoder("hashing")
    index = MemoryIndex(dimensions=encoder.dimensions)
    catch_up(truth, index, encoder)
    yield HybridRetriever(truth, index, encoder)


def texts(retriever: HybridRetriever, **fields: Any) -> set[str]:
    found = retriever.search("statin", limit=10, selection=Selection(**fields))
    return {f"{h.document.title}:{h.text.split()[0]}" for h in found}


ALL = {"statins:Adults", "statins:Girls", "statins:Statin", "local:Our", "undated:A"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ALL),
        ({"collections": ("hospital",)}, {"local:Our"}),
        ({"publishers": ("uspstf",)}, {"statins:Adults", "statins:Girls", "statins:Statin"}),
        ({"versions": ("3",)}, {"local:Our"}),
        ({"languages": ("EN",)}, {"statins:Adults", "statins:Girls", "statins:Statin"}),
        ({"since": "2020"}, {"local:Our"}),
        ({"since": "2022-06-01"}, {"local:Our"}),  # dated 2022: it may be later that year
        ({"until": "2016"}, {"statins:Adults", "statins:Girls", "statins:Statin"}),
        ({"grades": ("B",)}, {"statins:Adults"}),
        ({"grades": ("uspstf:b", "Strong")}, {"statins:Adults", "local:Our"}),
        ({"age": 60.0}, ALL - {"statins:Girls"}),
        ({"age": 75.5}, ALL - {"statins:Girls"}),
        ({"age": 76.0}, ALL - {"statins:Girls", "statins:Adults"}),
        ({"age": 10.0, "sex": "male"}, ALL - {"statins:Girls", "statins:Adults"}),
        ({"age": 10.0, "sex": "female"}, ALL - {"statins:Adults"}),
        ({"grades": ("B",), "publishers": ("USPSTF",), "until": "2017"}, {"statins:Adults"}),
    ],
)
def test_only_what_was_selected_is_found(
    retriever: HybridRetriever, fields: dict[str, Any], expected: set[str]
) -> None:
    assert texts(retriever, **fields) == expected


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"publishers": ("USPTF",)}, "did you mean 'USPSTF'"),
        ({"languages": ("xx",)}, "no current document has the language 'xx'"),
        ({"collections": ("hospitl",)}, "did you mean 'hospital'"),
        ({"collections": ("own", "Hospital")}, "did you mean 'hospital'"),  # case counts here
        ({"collections": ("xyz",), "age": 60.0}, "no current document has the collection 'xyz'"),
        ({"prefer": ("St Elsewher",)}, "did you mean 'St Elsewhere'"),
        ({"prefer": ("hospital", "xyz")}, "has the collection or publisher 'xyz'"),
        ({"since": "2030"}, "no current document fits"),
        ({"grades": ("Z",)}, "no current document fits"),
    ],
)
def test_a_selection_of_nothing_says_so(
    retriever: HybridRetriever, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(BadQuestion) as caught:
        texts(retriever, **fields)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [
        {"since": "May 2020"}, {"since": "2021", "until": "2020-05"}, {"age": -1}, {"sex": "any"},
        {"cutoff": 2}, {"per_document": 0}, {"publisher": ["x"]},
    ],
)  # fmt: skip
def test_what_is_no_selection_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(BadQuestion):
        selection(values)


def test_who_is_preferred_is_known_by_collection_or_publisher(retriever: HybridRetriever) -> None:
    assert texts(retriever, prefer=("Hospital", "uspstf")) == ALL


def test_the_shorter_list_is_what_the_index_is_asked_with(truth: TruthStore) -> None:
    few = admit(Selection(versions=("3",)), truth).filters
    many = admit(Selection(until="2023"), truth).filters
    assert len(few.documents) == 1
    assert not few.without_documents
    assert len(many.without_documents) == 1
    assert not many.documents


def test_a_selection_that_looks_inside_goes_as_deep_as_it_must() -> None:
    encoder, truth = load_encoder("hashing"), MemoryTruth()
    for number in range(150):
        truth.put(guideline(f"d{number}", f"statin statin number{number}."))
    truth.put(guideline("far", "Of a statin and of many another medicine besides, at length: B.",
                        advice=({"strength": B},)))  # fmt: skip
    for number in range(120):
        truth.put(guideline(f"e{number}", f"statin number{number}.", advice=({"max_age": 5},)))
    index = MemoryIndex(dimensions=encoder.dimensions)
    catch_up(truth, index, encoder)
    asked = HybridRetriever(truth, index, encoder)
    found = asked.search("statin", limit=200, selection=Selection(age=30.0, repeats=True))
    assert len(found) == 151


def hit(name: str, score: float, text: str = "", collection: str = "own") -> Hit:
    text = text or f"words of {name} alone"
    document = CitedDocument(name.split("/")[0], "", name, collection=collection)
    return Hit(document, name, text, 0, len(text), score)


def names(hits: list[Hit]) -> list[str]:
    return [h.passage_id for h in hits]


def test_the_list_ends_where_the_score_falls_off() -> None:
    hits = [hit("a", 3.0), hit("b", 2.0), hit("c", 1.4), hit("d", -0.5)]
    assert names(select(hits, Selection(), limit=10)) == ["a", "b", "c", "d"]
    assert names(select(hits, Selection(cutoff=0.3), limit=10)) == ["a", "b"]
    assert names(select(hits, Selection(cutoff=1.0), limit=10)) == ["a"]
    assert select([], Selection(cutoff=0.5), limit=10) == []


def test_ones_own_come_first_only_among_equals() -> None:
    hits = [hit("a", 3.0), hit("b", 2.7, collection="ward"), hit("c", 2.0), hit("d", 1.0),
            hit("e", 0.5, collection="ward")]  # fmt: skip
    assert names(select(hits, Selection(prefer=("Ward",)), limit=10)) == ["b", "a", "c", "d", "e"]


def test_few_of_one_document_and_no_repeats() -> None:
    hits = [hit("a/1", 3.0, "one two three four"), hit("a/2", 2.0), hit("a/3", 1.5),
            hit("b/1", 1.0, "One, two; THREE four!"),
            hit("b/2", 0.5, "one two three five")]  # fmt: skip
    assert names(select(hits, Selection(per_document=2), limit=10)) == ["a/1", "a/2", "b/2"]
    assert names(select(hits, Selection(repeats=True), limit=4)) == ["a/1", "a/2", "a/3", "b/1"]
    assert names(select(hits, Selection(), limit=2)) == ["a/1", "a/2"]


def test_answers_are_made_of_what_was_selected_alone(tmp_path: Path) -> None:
    from kgrag import Engine
    from kgrag.config import Encoding, Generation

    settings = Settings(encoding=Encoding(encoder="hashing"), generation=Generation(model="none"))
    with Engine.open(tmp_path / "kb", mode="write", create=True, settings=settings) as engine:
        for item in WORLD:
            engine.truth.put(item)
        engine.catch_up()
        every = engine.ask("Who takes a statin?", id="1")
        local = engine.ask("Who takes a statin?", selection=Selection(publishers=("St Elsewhere",)))
        cited = {c.document.publisher for s in local.statements for c in s.citations}
        shown = {h.document.publisher for h in local.evidence.passages}
        assert cited | shown == {"St Elsewhere"}
        assert {h.document.publisher for h in every.evidence.passages} > shown
        with pytest.raises(BadQuestion):
            engine.ask("Who takes a statin?", selection=Selection(publishers=("Nobody",)))


def test_half_a_character_is_no_question(retriever: HybridRetriever) -> None:
    with pytest.raises(BadQuestion, match="half a character"):
        retriever.search("\udcffgout")
