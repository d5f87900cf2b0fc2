"""Notes and statements checked by the command line and the service, over the demonstration kb."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kgrag import Engine
from kgrag.errors import BadQuestion

pytestmark = pytest.mark.models

NOTE = """# Plan

A 60-year-old man comes to the clinic. His blood pressure is 150/90 mm Hg.
The starting dose of lisinopril is 10 mg once daily. The starting dose of lisinopril is 40 mg once
daily. Lisinopril is contraindicated in pregnancy. Lisinopril tastes of raspberries.
Is that all?
"""
VERDICTS = ["not_covered"] * 3 + ["supported", "contradicted", "supported"] + ["not_covered"] * 2


def kgrag(*arguments: str | Path, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("kgrag"), "verify", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def engine(demo_kb: Path) -> Iterator[Engine]:
    with Engine.open(demo_kb) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[Any]:
    from fastapi.testclient import TestClient

    from kgrag_services.api import create_app

    with TestClient(create_app(engine), raise_server_exceptions=False) as opened:
        yield opened


def test_each_sentence_of_a_note_has_its_verdict_and_quotations_open(engine: Engine) -> None:
    check = engine.check_note(NOTE)
    assert [s.verdict for s in check.sentences] == VERDICTS
    wrong = check.sentences[4]
    assert wrong.correction is not None
    assert wrong.correction.quote == "The starting dose of lisinopril is 10 mg once daily."
    for sentence in check.sentences:
        assert NOTE[sentence.start : sentence.end] == sentence.text
        for evidence in (*sentence.evidence, *sentence.against):
            cited = evidence.citation
            text = engine.truth.document(cited.document.id).text
            assert text[cited.start : cited.end] == cited.quote
            assert engine.truth.info(cited.document.id).status == "current"
    assert check.complete and check.id == engine.check_note(NOTE).id


def test_a_collection_that_is_none_is_an_error_and_no_silence(engine: Engine) -> None:
    with pytest.raises(BadQuestion, match="elsewhere"):
        engine.check_note(NOTE, collections=["elsewhere"])


def test_the_command_prints_every_form_and_tells_by_its_code(tmp_path: Path, demo_kb: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text(NOTE, encoding="utf-8")
    as_json = kgrag("--note", path, "--kb", demo_kb, "--json")
    assert as_json.returncode == 1, as_json.stderr
    found = json.loads(as_json.stdout)
    assert [s["verdict"] for s in found["sentences"]] == VERDICTS
    assert found["counts"] == {"supported": 2, "contradicted": 1, "not_covered": 5}
    right = kgrag(
        "--note", "-", "--kb", demo_kb, stdin="Lisinopril is contraindicated in pregnancy."
    )
    assert right.returncode == 0, right.stderr
    assert "supported 1" in right.stdout


def test_what_is_no_note_is_one_line(tmp_path: Path, demo_kb: Path) -> None:
    path = tmp_path / "note.bin"
    path.write_bytes(b"gout \xff\xfe")
    refused = kgrag("--note", path, "--kb", demo_kb)
    assert refused.returncode == 4 and "UTF-8" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert kgrag("--note", path).returncode == 2  # no kb
    assert kgrag("--note", path, "--statement", "x", "--evidence", "y").returncode == 2


def test_the_service_checks_statements_and_notes_and_links(client: Any) -> None:
    body = {"id": "s", "statement": "Give 5 mg of A daily.", "evidence": "Give 5 mg of A daily."}
    assert client.post("/v1/verify", json=body).json() | {"checks": []} == {
        "verdict": "supported", "confidence": 1.0, "checks": [], "id": "s"
    }  # fmt: skip
    several = body | {"evidence": ["Nothing here.", "Give 50 mg of A daily."]}
    assert client.post("/v1/verify", json=several).json()["verdict"] == "contradicted"
    found = client.post("/v1/verify", json={"note": NOTE, "id": "n"}).json()
    assert found["id"] == "n" and [s["verdict"] for s in found["sentences"]] == VERDICTS
    linked = client.post("/v1/link", json={"text": "lisinopril in pregnancy"}).json()
    assert linked["mentions"][0]["text"] == "lisinopril"


@pytest.mark.parametrize(
    "body",
    [
        {"note": ""},
        {"note": "gout" * 60_000},
        {"note": "gout", "statement": "secretword"},
        {"statement": "secretword"},
        {"statement": " ", "evidence": "secretword"},
        {"note": "gout", "seconds": 0},
    ],
)
def test_a_bad_request_is_a_problem_that_repeats_nothing(client: Any, body: dict[str, Any]) -> None:
    reply = client.post("/v1/verify", json=body)
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert "secretword" not in reply.text and "goutgout" not in reply.text


def test_ask_prints_markdown_and_no_two_forms(demo_kb: Path) -> None:
    command = [Path(sys.executable).with_name("kgrag"), "ask",
               "What is the starting dose of lisinopril?", "--kb", demo_kb]  # fmt: skip
    done = subprocess.run(
        [*command, "--format", "markdown"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("# What is")
    assert "10 mg once daily" in done.stdout
    wrong = subprocess.run(
        [*command, "--json", "--format", "html"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2 and "contradict" in wrong.stderr
