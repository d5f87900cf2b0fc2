"""The parts of retrieval that know concepts, in an open kb and as of a day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kgrag import Engine
from kgrag.config import Retrieval, Settings
from kgrag.errors import BadQuestion
from kgrag.reasoning.supersession import Past
from kgrag.retrieval.concepts import concepts_of

pytestmark = pytest.mark.models

PARTS = ("bm25", "dense", "concepts", "graph", "shared-concepts", "answer-types")
QUESTION = "What are the treatments for hypertension?"


@pytest.fixture(scope="module")
def engine(demo_kb: Path) -> Iterator[Engine]:
    settings = Settings(retrieval=Retrieval(parts=PARTS))
    with Engine.open(demo_kb, settings=settings) as opened:
        yield opened


def test_every_part_has_its_say(engine: Engine) -> None:
    found = engine.retriever.candidates(QUESTION, limit=5)
    assert found
    said = {name for candidate in found for name in candidate.scores}
    assert said == set(PARTS)
    for candidate in found:
        assert 0 <= candidate.scores["shared-concepts"] <= 1
        assert 0 <= candidate.scores.get("concepts", 0) <= 1


def test_the_sources_keep_to_the_collections_asked_for(engine: Engine) -> None:
    homes = {info.source.collection for info in engine.truth.documents()}
    assert engine.search(QUESTION, collections=tuple(homes))
    with pytest.raises(BadQuestion, match="no current document has the collection 'nowhere'"):
        engine.search(QUESTION, collections=("nowhere",))


def test_parts_of_one_engine_share_the_index_and_engines_do_not(engine: Engine) -> None:
    assert concepts_of(engine) is concepts_of(engine)
    past = Past(engine, "2024-06-01")
    assert concepts_of(past) is not concepts_of(engine)


def test_as_of_a_day_only_what_was_in_force_is_found(engine: Engine) -> None:
    """Hypertension: the demonstration edition of 2023 gave way to that of 2025."""
    past = Past(engine, "2024-06-01")
    index = concepts_of(past).index
    documents = {name.decode() for name in index.arrays.documents.tolist()}
    assert documents == set(past.truth.valid.documents)
    uris = {hit.document.uri for hit in past.retriever.search(QUESTION, limit=10)}
    assert any(uri.endswith("hypertension-2023.md") for uri in uris)
    assert not any(uri.endswith("hypertension-2025.md") for uri in uris)
    today = {hit.document.uri for hit in engine.search(QUESTION, limit=10)}
    assert any(uri.endswith("hypertension-2025.md") for uri in today)
