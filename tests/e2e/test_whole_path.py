"""From a folder of guidelines to a cited answer through the command line, with no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mini_world import GUIDELINES, QUESTIONS

from kgrag import Engine

pytestmark = pytest.mark.models

# Any use of a socket but a local pair ends the process with a code that nothing else uses.
_BLOCKED = """
import os, socket, sys
def refuse(*_, **__):
    os.write(2, b"a socket was used\\n")
    os._exit(99)
socket.socket.connect = refuse
socket.socket.connect_ex = refuse
socket.socket.bind = refuse
socket.getaddrinfo = refuse
from kgrag.cli import main
main()
"""


def kgrag(*arguments: object, expect: int = 0) -> str:
    """The standard output of the command, run with sockets blocked."""
    done = subprocess.run(
        [sys.executable, "-c", _BLOCKED, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"},
    )
    assert done.returncode == expect, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("path") / "kb"
    report = json.loads(kgrag("ingest", GUIDELINES, "--kb", folder, "--json"))
    assert report["refused"] == []
    assert report["new"] >= 15
    return folder


def test_ingesting_again_changes_nothing(kb: Path) -> None:
    before = json.loads(kgrag("stats", "--kb", kb, "--json"))
    report = json.loads(kgrag("ingest", GUIDELINES, "--kb", kb, "--json"))
    assert report["new"] == 0
    assert report["unchanged"] == report["files"]
    assert json.loads(kgrag("stats", "--kb", kb, "--json")) == before


def test_the_kb_verifies(kb: Path) -> None:
    checked = json.loads(kgrag("verify-kb", "--kb", kb, "--json"))
    assert checked["problems"] == []
    assert checked["checked"]["documents"] >= 15


def test_every_question_of_the_mini_world(kb: Path, tmp_path: Path) -> None:
    asked, answered = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    asked.write_text(
        "".join(json.dumps({"id": q.id, "question": q.question}) + "\n" for q in QUESTIONS)
    )
    kgrag("ask", "--kb", kb, "--batch", asked, "--out", answered)
    answers = [json.loads(line) for line in answered.read_text(encoding="utf-8").splitlines()]
    assert [a["id"] for a in answers] == [q.id for q in QUESTIONS]
    with Engine.open(kb) as engine:
        for answer in answers:
            for statement in answer["statements"]:
                assert statement["verdict"] == "supported"
                assert statement["citations"]
                for citation in statement["citations"]:
                    text = engine.truth.document(citation["document"]["id"]).text
                    assert text[citation["start"] : citation["end"]] == citation["quote"]
    pairs = list(zip(QUESTIONS, answers, strict=True))
    assert not [q.id for q, a in pairs if q.quote is None and not a["abstained"]]
    assert not [q.id for q, a in pairs if not a["abstained"] and not right(q, a)]
    # Silence where there is an answer is a lack (bench/RESULTS.md), a wrong answer is a defect.
    answerable = [a for q, a in pairs if q.quote is not None]
    assert sum(not a["abstained"] for a in answerable) >= 0.6 * len(answerable)


def right(question: Any, answer: dict[str, Any]) -> bool:
    """The expected quotation is among the statements; without one, the answer abstains."""
    if question.quote is None:
        return bool(answer["abstained"] and answer["reason"])
    return any(
        question.quote in c["quote"] and c["document"]["uri"].endswith(question.file)
        for s in answer["statements"]
        for c in s["citations"]
    )


def test_a_bad_line_of_a_batch_is_named_and_stops_nothing(kb: Path, tmp_path: Path) -> None:
    asked, found = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    asked.write_text(
        '{"id": 1, "question": "asthma"}\nnot json\n{"id": 3}\n{"id": 4, "question": "  "}\n'
    )
    kgrag("search", "--kb", kb, "--batch", asked, "--out", found, expect=1)
    first, second, third, fourth = map(json.loads, found.read_text().splitlines())
    assert first["id"] == 1 and first["hits"]
    hit = first["hits"][0]
    assert hit["text"] and set(hit) >= {"document", "passage_id", "start", "end", "score"}
    assert second == {"id": None, "error": second["error"]} and "JSON" in second["error"]
    assert third["id"] == 3 and "question" in third["error"]
    assert fourth["id"] == 4 and "empty" in fourth["error"]


def test_show_gives_the_stored_text(kb: Path) -> None:
    hit = json.loads(kgrag("search", "asthma", "--kb", kb, "--json"))["hits"][0]
    shown = json.loads(kgrag("show", hit["document"]["id"], "--kb", kb, "--json"))
    opened = json.loads(kgrag("show", hit["passage_id"], "--kb", kb, "--json"))
    assert (opened["quote"], opened["start"]) == (hit["text"], hit["start"])
    assert hit["text"].split()[0] in kgrag("show", hit["passage_id"], "--kb", kb)
    assert shown["text"][hit["start"] : hit["end"]] == hit["text"]
    assert shown["status"] == "current"


@pytest.mark.slow
def test_a_removed_document_is_not_cited_and_leaves_a_tombstone(tmp_path: Path) -> None:
    folder = tmp_path / "kb"
    kgrag("ingest", GUIDELINES / "asthma.txt", "--kb", folder)
    hits = json.loads(kgrag("search", "asthma", "--kb", folder, "--json"))["hits"]
    identifier = hits[0]["document"]["id"]
    kgrag("remove", identifier, "--kb", folder)
    assert json.loads(kgrag("search", "asthma", "--kb", folder, "--json"))["hits"] == []
    kgrag("show", identifier, "--kb", folder, expect=4)
    answer = json.loads(kgrag("ask", "What is asthma?", "--kb", folder, "--json"))
    assert answer["abstained"]


def test_a_kb_without_its_index_says_so(kb: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(kb, copy)
    shutil.rmtree(copy / "index")
    kgrag("ask", "What treats asthma?", "--kb", copy, expect=3)
    kgrag("search", "asthma", "--kb", copy, expect=3)


def test_a_doubtful_reading_is_told_by_ingest(tmp_path: Path) -> None:
    scan = GUIDELINES / "heart-failure-broken-scan.pdf"
    said = kgrag("ingest", scan, "--kb", tmp_path / "kb")
    assert f"doubt: {scan}: page 1: the page is a picture without a text layer" in said


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    kgrag("ingest", tmp_path / "empty", "--kb", tmp_path / "kb", expect=4)


def test_a_missing_kb_and_a_wrong_setting_say_what_to_do(tmp_path: Path) -> None:
    kgrag("ask", "What is asthma?", "--kb", tmp_path / "none", expect=3)
    (tmp_path / "kgrag.toml").write_text("[answer]\nstatments = 2\n")
    kgrag("ask", "What is asthma?", "--kb", tmp_path, expect=3)
