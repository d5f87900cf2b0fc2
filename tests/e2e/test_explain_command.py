"""``kgrag search --explain`` and its like over HTTP, over the demonstration kb."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from kgrag.cli.question import search
from kgrag.engine import Engine
from kgrag_services.api import create_app

pytestmark = pytest.mark.models

QUESTION = "What dose of doxycycline is given for lung infection in adults?"
CASE = (
    "A 34-year-old woman has had wheezing for a week. She reports a cough at night. She is short of"
    " breath. She has dyspnea on exertion. She has chest pain. She has no fever."
)


@pytest.fixture(scope="module")
def engine(demo_kb: Path) -> Any:
    with Engine.open(demo_kb) as opened:
        yield opened


def test_it_explains_the_hits_that_search_gives(engine: Engine) -> None:
    explained = engine.explain(QUESTION, limit=5)
    assert [one.hit for one in explained.hits] == engine.search(QUESTION, limit=5)
    assert {"bm25", "dense"} <= set(explained.hits[0].scores)
    assert set(explained.hits[0].scores) <= set(engine.settings.retrieval.parts)
    assert explained.hypotheses == ()


def test_the_words_that_met_stand_where_it_says(engine: Engine) -> None:
    explained = engine.explain(QUESTION, limit=5)
    texts = {h.hit.document.id: engine.truth.document(h.hit.document.id).text
             for h in explained.hits}  # fmt: skip
    matches = [(h, m) for h in explained.hits for m in h.concepts]
    assert any(m.question_text == "doxycycline" and m.relation == "same" for _, m in matches)
    for one, met in matches:
        assert texts[one.hit.document.id][met.start : met.end] == met.text
        assert one.hit.start <= met.start and met.end <= one.hit.end
        assert QUESTION[met.question_start : met.question_end] == met.question_text
        assert 0 < met.weight <= 1


def test_a_report_of_a_patient_is_explained_by_conditions_with_their_documents(
    engine: Engine,
) -> None:
    explained = engine.explain(CASE, limit=5)
    assert [one.hit for one in explained.hits] == engine.search(CASE, limit=5)
    assert "Asthma" in [suspected.name for suspected in explained.hypotheses]
    for suspected in explained.hypotheses:
        for document, title in suspected.documents:
            assert engine.truth.document(document).title == title


def test_the_service_explains_when_asked(engine: Engine) -> None:
    with TestClient(create_app(engine)) as client:
        body = {"question": QUESTION, "limit": 3}
        plain = client.post("/v1/search", json=body).json()
        why = client.post("/v1/search", json=body | {"explain": True}).json()
    assert "hypotheses" not in plain and why["hypotheses"] == []
    assert all(h["explanation"]["scores"] for h in why["hits"])
    for hit in why["hits"]:
        hit.pop("explanation")
    assert why["hits"] == plain["hits"]


def test_the_command_prints_the_same_as_text_and_as_json(demo_kb: Path, tmp_path: Path) -> None:
    def run(*arguments: object) -> str:
        done = CliRunner().invoke(search, [*map(str, arguments)])
        assert done.exit_code == 0, done.output
        return done.output

    asked = (CASE, "--kb", demo_kb, "--limit", 2, "--explain")
    text, record = run(*asked), json.loads(run(*asked, "--json"))
    assert "parts: " in text
    assert "no diagnosis and no answer" in " ".join(text.split())
    assert list(record) == ["question", "hits", "hypotheses"]
    assert record["hypotheses"][0]["name"] in text
    (tmp_path / "in.jsonl").write_text(json.dumps({"id": "a", "question": QUESTION}) + "\n")
    run("--kb", demo_kb, "--batch", tmp_path / "in.jsonl", "--out", tmp_path / "out",
        "--limit", 1, "--explain")  # fmt: skip
    (line,) = (tmp_path / "out").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["hits"][0]["explanation"]["scores"]
