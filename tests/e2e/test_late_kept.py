"""Token states in a kb: kept as documents come, gone when they go, and not needed to open one."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrag.config import Encoding, Retrieval, Settings
from kgrag.encoding.hashing import HashingEncoder
from kgrag.encoding.late import StateCode
from kgrag.engine import Engine
from kgrag.retrieval.index import indexed_text
from kgrag.testing.truth_contract import sample

LATE = Settings(
    encoding=Encoding(encoder="hashing"), retrieval=Retrieval(parts=("bm25", "dense", "late"))
)
WITHOUT = LATE.model_copy(update={"retrieval": Retrieval(parts=("bm25", "dense"))})
NOT_KEPT = LATE.model_copy(
    update={"retrieval": Retrieval(parts=("bm25", "dense", "late"), keep_states=False)}
)


def made(kb: Path, settings: Settings) -> None:
    with Engine.open(kb, mode="write", create=True, settings=settings) as engine:
        for number in range(6):
            words = (f"Drug{number}xqz", f"sickness{number}xqz")
            engine.truth.put(sample(f"{number}.md", words=words))
        engine.catch_up()


def packed(engine: Engine, document_id: str) -> list[bytes]:
    """The packed states of the document's passages, made anew."""
    encoder = HashingEncoder()
    document = engine.truth.document(document_id)
    texts = [indexed_text(document, p) for p in engine.truth.passages(document_id)]
    code = StateCode(encoder.dimensions)
    return [code.pack(states).tobytes() for states in encoder.encode_tokens(texts)]


def holding(kb: Path, needle: bytes) -> list[str]:
    return [p.name for p in kb.rglob("*") if p.is_file() and needle in p.read_bytes()]


def test_a_removed_document_leaves_no_states_in_any_file(tmp_path: Path) -> None:
    made(tmp_path, LATE)
    with Engine.open(tmp_path, mode="write", settings=LATE) as engine:
        first, *others = [info.id for info in engine.truth.documents()]
        stays = {states for other in others for states in packed(engine, other)}
        gone = set(packed(engine, first)) - stays  # some passages are the same in all
        assert gone
        assert all(holding(tmp_path, states) for states in gone | stays)
        engine.remove(first)
        assert not any(holding(tmp_path, states) for states in gone)
        assert all(holding(tmp_path, states) for states in stays)
        assert engine.verify()[1] == []


def test_states_of_settings_before_do_not_outlive_a_removal(tmp_path: Path) -> None:
    made(tmp_path, LATE)
    with Engine.open(tmp_path, mode="write", settings=WITHOUT) as engine:
        document = next(iter(engine.truth.documents())).id
        gone = packed(engine, document)
        assert all(holding(tmp_path, states) for states in gone)
        engine.remove(document)
        assert not any(holding(tmp_path, states) for states in gone)


def test_a_kb_of_before_is_searched_the_same_without_states(tmp_path: Path) -> None:
    made(tmp_path, WITHOUT)
    question = "Which drug is for sickness3xqz?"
    with Engine.open(tmp_path, settings=LATE) as engine:
        assert engine.states is not None
        assert engine.states.count() == 0
        before = engine.search(question)
    with Engine.open(tmp_path, mode="write", settings=LATE) as engine:
        engine.catch_up()
        assert engine.states is not None
        assert engine.states.count() == engine.truth.counts()["passages"]
        assert engine.states.stamp == engine.truth.generation
    with Engine.open(tmp_path, settings=LATE) as engine:
        kept = engine.search(question)
    with Engine.open(tmp_path, settings=NOT_KEPT) as engine:
        assert engine.states is None
        made_anew = engine.search(question)
    assert len(kept) > 3
    assert [h.passage_id for h in before] == [h.passage_id for h in kept]
    assert [h.score for h in kept] == pytest.approx([h.score for h in before])
    assert [h.score for h in made_anew] == pytest.approx([h.score for h in before])


def test_a_reader_follows_the_writer(tmp_path: Path) -> None:
    made(tmp_path, LATE)
    with Engine.open(tmp_path, settings=LATE) as reader:
        reader.search("sickness1xqz")
        assert reader.states is not None
        first = reader.states.count()
        with Engine.open(tmp_path, mode="write", settings=LATE) as writer:
            writer.truth.put(sample("9.md", words=("Drug9xqz", "sickness9xqz")))
            writer.catch_up()
        reader.search("sickness9xqz")
        assert reader.states.count() > first
        assert reader.states.stamp == reader.truth.generation
