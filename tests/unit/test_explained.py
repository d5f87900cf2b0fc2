"""What is told of why a passage was found, and settings with another encoder for one call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bent_world import make_kb

from kgrag.cli.options import encoder_settings
from kgrag.cli.remote import open_engine
from kgrag.config import Encoding, Settings
from kgrag.encoding.adapted import Adapter, PassageEncoder, adapted, write_adapter
from kgrag.encoding.hashing import HashingEncoder
from kgrag.engine import Engine
from kgrag.errors import KgragError, KnowledgeBaseError, SettingsError, UnknownName
from kgrag.records.answer import CitedDocument, Hit
from kgrag.records.explained import (
    ConceptMatch,
    Explained,
    ExplainedHit,
    SpeaksFor,
    Suspected,
)
from kgrag.render import explained_text, hits_text

HIT = Hit(CitedDocument("doc_1", "file:a", "Warm rooms"), "pas_1", "Zorbosis spreads.", 0, 17, 0.5)
MET = ConceptMatch(
    question_text="pox", question_start=0, question_end=3, question_concept="MESH:D1",
    question_name="Pox", question_denied=False, relation="narrower", text="zorb\x1b[2Josis",
    start=0, end=8, concept="MESH:D2", name="Zorbosis", denied=True, weight=0.5,
)  # fmt: skip
SUSPECTED = Suspected(
    "MESH:D2", "Zorbosis", 2.0,
    tuple(SpeaksFor(f"finding {n}", f"HP:{n}", "Rash", "HP:9", "Skin", 3.0) for n in range(6)),
    (("doc_1", "Warm rooms"),),
)  # fmt: skip
EXPLAINED = Explained("pox", (ExplainedHit(HIT, {"bm25": 3.25, "dense": 0.5}, (MET,)),), ())


def told(explained: Explained) -> dict[str, Any]:
    """As it comes back from a server."""
    record: dict[str, Any] = json.loads(json.dumps(explained.to_json()))
    return record


def test_a_hit_keeps_its_fields_and_has_its_explanation_besides() -> None:
    hit = told(EXPLAINED)["hits"][0]
    why = hit.pop("explanation")
    assert hit["passage_id"] == "pas_1" and hit["document"]["title"] == "Warm rooms"
    assert why["scores"] == {"bm25": 3.25, "dense": 0.5}
    assert why["concepts"][0]["relation"] == "narrower"


def test_each_passage_is_told_with_its_parts_and_the_words_that_met() -> None:
    text = explained_text(told(EXPLAINED))
    assert "parts: bm25 3.250, dense 0.500" in text
    assert "“pox” is met by something narrower, not “zorb[2Josis”" in text
    assert "\x1b" not in text
    assert "condition" not in text


def test_hypotheses_are_told_last_and_as_no_answer() -> None:
    text = explained_text(told(Explained("pox", EXPLAINED.hits, (SUSPECTED,))))
    before, _, after = text.partition("no diagnosis and no answer")
    assert "parts:" in before and "Zorbosis (MESH:D2)  2.000" in after
    assert after.count("finding:") == 4 and "and 2 more" in after
    assert "“finding 0”, as Skin (3.0)" in after and "in: Warm rooms" in after


def test_without_being_asked_nothing_is_explained() -> None:
    assert "parts:" not in hits_text([HIT])


def test_an_encoder_is_a_name_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "kgrag.toml").write_text("[answer]\nwords = 9\n")
    folder = tmp_path / "model"
    folder.mkdir()
    by_name, by_folder = (encoder_settings(tmp_path, given) for given in ("hashing", str(folder)))
    assert by_name is not None and by_folder is not None
    assert by_name.encoding.encoder == "hashing"
    assert by_name.answer.words == 9
    assert by_folder.encoding.encoder == f"sentence-transformers:{folder}"
    assert encoder_settings(tmp_path, None) is None
    with pytest.raises(UnknownName, match="hashin"):
        encoder_settings(tmp_path, "hashin")


def test_a_kb_is_asked_with_an_adapter_of_its_encoder_and_with_no_other(tmp_path: Path) -> None:
    rows = make_kb(tmp_path / "kb")
    # All questions are turned round: what was nearest by meaning cannot stay so.
    size = HashingEncoder().dimensions
    eye = np.eye(size, dtype=np.float32)
    adapter = Adapter(eye, -2 * eye, np.zeros(size, dtype=np.float32), 60.0)
    name = PassageEncoder(name="hashing", sha256=HashingEncoder().sha256)
    folder = tmp_path / "adapter"
    folder.mkdir()
    write_adapter(folder, adapter, passages=name, trained={})
    assert adapted(HashingEncoder(), adapter, adapter_sha256="").encode_questions(["a b"]).any()
    question = rows[0]["question"]
    with open_engine(tmp_path / "kb") as plain, open_engine(tmp_path / "kb", str(folder)) as other:
        as_before = plain.search(question, limit=3)
        assert other.search(question, limit=3) != as_before
    with (
        pytest.raises(KnowledgeBaseError, match="was made with the encoder 'hashing'"),
        open_engine(tmp_path / "kb", "all-minilm-l6-v2"),
    ):
        pass


def test_an_encoder_is_not_sent_to_a_server(tmp_path: Path) -> None:
    make_kb(tmp_path / "kb")
    with Engine.open(tmp_path / "kb", mode="write") as server:
        server.announce("http://127.0.0.1:9")
        with (
            pytest.raises(SettingsError, match="a server has"),
            open_engine(tmp_path / "kb", "hashing"),
        ):
            pass


def test_an_encoder_that_cannot_be_loaded_does_not_bind_a_new_kb(tmp_path: Path) -> None:
    def settings(encoder: str) -> Settings:
        return Settings(encoding=Encoding(encoder=encoder))

    empty = tmp_path / "empty"
    empty.mkdir()
    bad = settings(f"sentence-transformers:{empty}")
    with (
        Engine.open(tmp_path / "kb", mode="write", create=True, settings=bad) as engine,
        pytest.raises(KgragError),
    ):
        _ = engine.encoder
    with Engine.open(tmp_path / "kb", mode="write", settings=settings("hashing")) as engine:
        _ = engine.encoder
    with pytest.raises(KnowledgeBaseError, match="hashing"):
        Engine.open(tmp_path / "kb", settings=settings("all-minilm-l6-v2"))
