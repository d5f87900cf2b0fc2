"""A broken part of a real kb: nothing unverified leaves by HTTP, in a batch or to LlamaIndex."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from broken_world import Faulty

from kgrag import Engine

pytestmark = [
    pytest.mark.models,
    pytest.mark.filterwarnings("ignore::DeprecationWarning:llama_index"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pydantic"),
]

QUESTION = "What dose of doxycycline is given for pneumonia in adults?"
BROKEN = (
    ("span_check", "raises"), ("span_check", "none"), ("question_check", "raises"),
    ("retriever", "other words"), ("retriever", "moved"), ("reranker", "moved"),
    ("reranker", "other words"), ("look", "moved"), ("connect", "other words"),
    ("linker", "raises"), ("agree", "moved"), ("applies", "none"),
)  # fmt: skip


@pytest.fixture(scope="module")
def engine(demo_kb: Path) -> Iterator[Engine]:
    with Engine.open(demo_kb) as opened:
        yield opened


@pytest.fixture(params=BROKEN, ids=lambda pair: " ".join(pair))
def broken(request: pytest.FixtureRequest, engine: Engine) -> Iterator[Engine]:
    """The engine, of which one part is broken."""
    part, fault = request.param
    sound = engine._parts
    parts = replace(sound, **{part: Faulty(getattr(sound, part), fault)})
    engine.__dict__["_parts"] = parts
    yield engine
    engine.__dict__["_parts"] = sound


def is_sound(plain: Mapping[str, Any], engine: Engine) -> None:
    said = [*plain["statements"], *plain["evidence"]["passages"]]
    said += [s["citation"] for side in plain["agreements"] for s in side["sides"]]
    for place in [c for s in said for c in s.get("citations", [s])]:
        text = engine.truth.document(place["document"]["id"]).text
        assert text[place["start"] : place["end"]] == place.get("quote", place.get("text"))
    for statement in plain["statements"]:
        assert statement["citations"] and statement["verdict"] == "supported"
    assert bool(plain["statements"]) != plain["abstained"]
    assert plain["abstained"] is False or plain["reason"]
    assert "secret" not in str(plain)


def test_a_broken_part_lets_nothing_out(broken: Engine, tmp_path: Path) -> None:
    from fastapi.testclient import TestClient

    from kgrag.cli.batch import run
    from kgrag.integrations.llama_index import KgragQueryEngine
    from kgrag_services.api import create_app

    with TestClient(create_app(broken), raise_server_exceptions=False) as client:
        reply = client.post("/v1/ask", json={"question": QUESTION})
    if reply.status_code == 200:
        is_sound(reply.json(), broken)
    else:
        assert "secret" not in reply.text
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps({"id": "q", "question": QUESTION}) + "\n")
    run(source, out, ("question",), lambda r: broken.ask(r["question"]).to_json())
    (line,) = out.read_text().splitlines()
    is_sound(json.loads(line), broken)
    response = KgragQueryEngine(broken).query(QUESTION)
    assert response.metadata is not None
    is_sound(response.metadata["answer"], broken)
    answer = response.metadata["answer"]
    told = [s["text"] for s in answer["statements"]] or [answer["reason"]]
    assert str(response) == "\n".join((*answer["warnings"], *told, *answer["follow_up"]))
