"""The HTTP service over the demonstration kb."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def client(demo_kb: Path) -> Iterator[object]:
    from fastapi.testclient import TestClient

    from kgrag import Engine
    from kgrag_services.api import create_app

    with (
        Engine.open(demo_kb) as engine,
        TestClient(create_app(engine), raise_server_exceptions=False) as opened,
    ):
        yield opened


def test_it_lives_and_is_ready(client) -> None:  # type: ignore[no-untyped-def]
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["generation"] > 0


def test_an_answer_opens_at_its_characters(client) -> None:  # type: ignore[no-untyped-def]
    body = {"id": "q", "question": "What dose of doxycycline is given for pneumonia in adults?"}
    answer = client.post("/v1/ask", json=body).json()
    assert answer["id"] == "q" and not answer["abstained"], answer["reason"]
    for statement in answer["statements"]:
        for citation in statement["citations"]:
            document = client.get(f"/v1/documents/{citation['document']['id']}").json()
            span = document["text"][citation["start"] : citation["end"]]
            assert span == citation["quote"]


def test_an_answer_as_of_a_day_is_of_what_was_in_force(client) -> None:  # type: ignore[no-untyped-def]
    asked = {"question": "What is the starting dose of lisinopril?"}
    then = client.post("/v1/ask", json=asked | {"as_of": "2024-06"}).json()
    now = client.post("/v1/ask", json=asked).json()
    assert then["statements"][0]["text"] == "The starting dose of lisinopril is 5 mg once daily."
    assert now["statements"][0]["text"] == "The starting dose of lisinopril is 10 mg once daily."
    assert "2024-06" in then["warnings"][0]
    problem = client.post("/v1/ask", json=asked | {"as_of": "yesterday"})
    assert problem.status_code in (400, 422)
    assert "yesterday" in problem.text


def test_search_keeps_to_its_limit_and_collection(client) -> None:  # type: ignore[no-untyped-def]
    body = {"question": "asthma", "limit": 2}
    assert len(client.post("/v1/search", json=body).json()["hits"]) == 2
    body = {"question": "asthma", "collections": ["nowhere"]}
    refused = client.post("/v1/search", json=body)
    assert refused.status_code == 422
    assert "no current document has the collection 'nowhere'" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/ask", {"question": "   "}),
        ("/v1/ask", {"question": "x" * 50_000}),
        ("/v1/ask", {"query": "asthma"}),
        ("/v1/search", {"question": "asthma", "limit": 0}),
    ],
)
def test_a_bad_request_is_a_problem_that_repeats_nothing(client, path, body) -> None:  # type: ignore[no-untyped-def]
    reply = client.post(path, json=body)
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert "xxx" not in reply.text and "asthma" not in reply.text


def test_what_the_settings_lack_is_a_problem_that_no_retry_mends(client) -> None:  # type: ignore[no-untyped-def]
    reply = client.post("/v1/ask", json={"question": "What treats gout?", "mode": "fluent"})
    assert reply.status_code == 503
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json()["title"] == "SettingsError"
    assert "verification.entailment" in reply.json()["hint"]
    assert "retry-after" not in reply.headers


def test_an_unknown_document_is_a_problem(client) -> None:  # type: ignore[no-untyped-def]
    assert client.get("/v1/documents/doc_0").status_code == 404


@pytest.mark.slow
def test_the_command_line_talks_to_a_running_server(tmp_path: Path, demo_kb: Path) -> None:
    import shutil

    kb = tmp_path / "kb"
    shutil.copytree(demo_kb, kb)
    kgrag = Path(sys.executable).with_name("kgrag")
    port = 18000 + os.getpid() % 2000
    server = subprocess.Popen([kgrag, "serve", "--kb", kb, "--port", str(port)])
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                    break
            except OSError:
                assert server.poll() is None and time.monotonic() < deadline
                time.sleep(0.2)
        ask = [kgrag, "ask", "What is asthma?", "--kb", kb, "--json"]
        answer = json.loads(subprocess.run(ask, check=True, capture_output=True).stdout)
        assert answer["question"] == "What is asthma?"
        second = subprocess.run(
            [kgrag, "ingest", kb, "--kb", kb], capture_output=True, text=True, check=False
        )
        assert second.returncode == 5
        assert str(server.pid) in second.stderr and str(port) in second.stderr
    finally:
        server.terminate()
        server.wait(timeout=30)
