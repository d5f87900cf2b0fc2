"""Late editions replace nothing; what is found in a version can be brought up to date."""

from dataclasses import replace
from pathlib import Path

import pytest

from kgrag.ids import sha256
from kgrag.records.concepts import Mention
from kgrag.records.text import Block, Document, Metadata, Passage, Source
from kgrag.stores.base import Ingested, TruthStore
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.stores.sql import open_truth


def edition(date: str | None, text: str) -> Ingested:
    document = Document(
        f"doc_{text}",
        Source("c", "doi:10.1/x"),
        f"{text}.md",
        "text/markdown",
        sha256(text.encode()),
        "markdown/1",
        text,
        Metadata(date=date),
        (Block("paragraph", 0, len(text)),),
    )
    return Ingested(document, text.encode())


@pytest.fixture(params=["sqlite", "memory"])
def truth(request: pytest.FixtureRequest, tmp_path: Path) -> TruthStore:
    if request.param == "memory":
        return MemoryTruth()
    store = open_truth(tmp_path / "kb", mode="write", create=True)
    request.addfinalizer(store.close)
    return store


def current(truth: TruthStore) -> str | None:
    found = truth.current(Source("c", "doi:10.1/x"))
    return found and found.id


def test_the_newest_stays_current_whatever_the_order(truth: TruthStore) -> None:
    assert current(truth) is None
    new, old = edition("2025-03", "new"), edition("2023-03-01", "old")
    assert truth.put(new)
    assert truth.put(old)
    assert current(truth) == "doc_new"
    assert truth.info("doc_old").status == "replaced"
    assert truth.document("doc_old").text == "old"
    generation = truth.generation
    assert not truth.put(old)
    assert not truth.put(new)
    assert truth.generation == generation
    assert list(truth.verify()) == []


def test_without_dates_the_last_one_read_is_current(truth: TruthStore) -> None:
    truth.put(edition("2025", "dated"))
    truth.put(edition(None, "undated"))
    assert current(truth) == "doc_undated"
    same_year = replace(edition("2025-06", "june"), original=b"june")
    truth.put(same_year)
    assert current(truth) == "doc_june"


def test_metadata_that_are_told_otherwise_are_taken_over(truth: TruthStore) -> None:
    item = edition("2025", "asthma attack")
    truth.put(item)
    told = replace(item.document, metadata=replace(item.document.metadata, publisher="Board"))
    assert truth.put(replace(item, document=told))
    assert truth.document(told.id) == told
    assert truth.info(told.id).metadata.publisher == "Board"
    assert not truth.put(replace(item, document=told))
    assert list(truth.verify()) == []


def test_what_is_found_in_a_current_version_is_brought_up_to_date(truth: TruthStore) -> None:
    item = edition("2025", "asthma attack")
    truth.put(item)
    found = (Mention(0, 6, "asthma", "MESH:D001249", "disease"),)
    passage = Passage("pas_1", item.document.id, 0, 13)
    better = replace(item, mentions=found, passages=(passage,))
    assert truth.put(better)
    assert truth.mentions(item.document.id) == found
    assert truth.passages(item.document.id) == (passage,)
    assert truth.passages_with_concepts(["MESH:D001249"]) == [("pas_1", "MESH:D001249")]
    generation = truth.generation
    assert not truth.put(better)
    assert truth.generation == generation
    assert [c.op for c in truth.changes(1)] == ["retire", "add"]
    assert list(truth.verify()) == []
