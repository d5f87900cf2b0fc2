"""The kb as of a day: what was in force is current, and is found and cited like today's."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kgrag.config import Retrieval, Settings
from kgrag.encoding import load_encoder
from kgrag.errors import BadQuestion, KnowledgeBaseError
from kgrag.reasoning.supersession import Past, standing_of
from kgrag.retrieval.scope import Scope
from kgrag.stores.base import FileState, TruthStore
from kgrag.stores.graph import build_graph
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.stores.past import PastTruth
from kgrag.stores.sql import open_truth
from kgrag.testing.truth_contract import DISEASE, DRUG, guideline

FIRST, SECOND = guideline("a.md", "2010-05"), guideline("a.md", "2014", edition=2)
THIRD, OTHER = guideline("b.md", "2019-02-01"), guideline("c.md", None, title="Gout")
NAMES = {i.document.id: n for i, n in ((FIRST, "1"), (SECOND, "2"), (THIRD, "3"), (OTHER, "o"))}


@pytest.fixture(params=["memory", "sqlite"])
def truth(request: pytest.FixtureRequest, tmp_path: Path) -> TruthStore:
    if request.param == "memory":
        store: TruthStore = MemoryTruth()
    else:
        store = open_truth(tmp_path, mode="write", create=True)
        request.addfinalizer(store.close)
    for item in (FIRST, SECOND, THIRD, OTHER):
        store.put(item)
    return store


@dataclass
class Opened:
    """The parts of an engine that a look back needs, with an encoder without a model."""

    truth: TruthStore
    encoder: Any = field(default_factory=lambda: load_encoder("hashing"))
    settings: Settings = field(
        # Those that need no lexicon.
        default_factory=lambda: Settings(retrieval=Retrieval(parts=("bm25", "dense")))
    )
    linker: Any = None
    lexicon: Any = None
    model: Any = None


@pytest.mark.parametrize(
    ("day", "names"), [("2009", ""), ("2012", "1"), ("2018-07-01", "2"), ("2020", "3")]
)
def test_a_look_back_finds_what_was_in_force(truth: TruthStore, day: str, names: str) -> None:
    past = Past(Opened(truth), day)
    hits = past.retriever.search("Which dose of amoxicillin treats pneumonia?")
    assert {NAMES[hit.document.id] for hit in hits} == set(names)
    for hit in hits:
        assert truth.document(hit.document.id).text[hit.start : hit.end] == hit.text
    held = {NAMES[e.document_id] for a in past.truth.assertions() for e in a.evidence}
    assert held == set(names)
    scope = Scope(past.truth)
    assert {n for key, n in NAMES.items() if scope.holds(key)} == set(names)
    assert [e.count for e in past.graph.edges()] == [1] * len(names)
    assert [edge[:4] for edge in past.truth.edges()] == [
        (e.assertion, e.subject, e.predicate, e.object) for e in past.graph.edges()
    ]
    places = past.truth.passages_with_concepts([DRUG, DISEASE])
    found = truth.passages_by_id([p for p, _ in places])
    assert {NAMES[p.document_id] for p, _ in found.values()} == set(names)
    assert past.undated() == 1
    held_in = truth.info(next(iter(past.truth.valid.undated))).source.collection
    assert past.undated({held_in}) == 1
    assert past.undated({"another collection"}) == 0  # nothing is seen of one from another
    with pytest.raises(BadQuestion):
        past.retriever.search(" ")


def test_the_past_tells_of_documents_as_they_stood(truth: TruthStore) -> None:
    past = PastTruth(truth, "2018")
    told = {NAMES[i.id]: i.status for i in past.documents(status=None)}
    assert told == {"1": "replaced", "2": "current", "3": "replaced", "o": "replaced"}
    assert [i.id for i in past.documents()] == [SECOND.document.id]
    assert past.current(SECOND.document.source) == past.info(SECOND.document.id)
    assert past.current(THIRD.document.source) is None
    assert past.document(FIRST.document.id) == FIRST.document
    assert list(past.recommendations()) == list(SECOND.recommendations)
    key = FIRST.document.id
    assert list(past.recommendations(document_id=key, current=False)) == list(FIRST.recommendations)
    assert list(past.recommendations(as_of="2012")) == list(FIRST.recommendations)
    assert [row.document for row in past.stated([key, SECOND.document.id])] == [SECOND.document.id]
    assert list(past.stated([])) == []
    assert build_graph(past).stamp == truth.generation
    assert Past(Opened(truth), "2014-03").inexact(SECOND.document.id)
    assert not Past(Opened(truth), "2015").inexact(SECOND.document.id)


def test_the_past_cannot_be_changed(truth: TruthStore) -> None:
    past = PastTruth(truth, "2018")
    generation = truth.generation
    for attempt in (
        lambda: past.put(FIRST),
        lambda: past.remove(FIRST.document.id),
        past.purge,
        lambda: past.put_setting("a", "b"),
        lambda: past.put_file_state(FileState("a", "b", "c", "d", ())),
    ):
        with pytest.raises(KnowledgeBaseError, match="as of 2018"):
            attempt()
    past.close()
    assert truth.generation == generation
    with pytest.raises(ValueError, match="no date"):
        PastTruth(truth, "last year")


def test_a_document_says_why_it_is_not_current(truth: TruthStore) -> None:
    first, second, third = (i.document.id for i in (FIRST, SECOND, THIRD))
    old = standing_of(truth, second)
    assert (old["status"], old["issuer"], old["dated"]) == ("superseded", "sample board", "2014")
    assert [d["id"] for d in old["superseded_by"]] == [third]
    assert (old["supersedes"], old["replaced_by"]) == ([], None)
    new = standing_of(truth, third)
    assert (new["status"], new["scope"]) == ("current", old["scope"])
    assert [d["id"] for d in new["supersedes"]] == [second]
    gone = standing_of(truth, first)
    assert (gone["status"], gone["replaced_by"]["id"]) == ("replaced", second)
    assert gone["superseded_by"] == gone["supersedes"] == []
    truth.remove(third)
    assert standing_of(truth, third) == {"status": "removed"}
    assert standing_of(truth, second)["status"] == "current"
