"""The command line over hostile and broken files beside good ones."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from kgrag.testing.bad_files import make_bad_folder, wrong_outcomes

pytestmark = pytest.mark.models  # the compiled lexicon; the encoder is the built-in one

KGRAG = [sys.executable, "-m", "kgrag"]


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*KGRAG, *map(str, arguments)], capture_output=True, text=True)


def test_bad_files_are_refused_in_a_line_each_and_the_good_land(tmp_path: Path) -> None:
    folder, kb, outside = tmp_path / "bad", tmp_path / "kb", tmp_path / "outside"
    expected = make_bad_folder(folder)
    assert sum(fate == "refused" for fate in expected.values()) >= 30
    outside.mkdir()
    (outside / "secret.md").write_text("# Secret\n\nNobody may read this.\n", encoding="utf-8")
    (folder / "way-out").symlink_to(outside, target_is_directory=True)
    kb.mkdir()
    (kb / "kgrag.toml").write_text('[encoding]\nencoder = "hashing"\n', encoding="utf-8")

    done = run("ingest", folder, "--kb", kb, "--json")

    assert wrong_outcomes(folder, expected, done.stderr) == []
    assert done.returncode == 1, "it must say that something was refused"
    report = json.loads(done.stdout)
    lines = [f"refused: {each['uri']}: {each['reason']}" for each in report["refused"]]
    assert lines == done.stderr.splitlines()
    landed = {name for name, fate in expected.items() if fate == "lands"}
    with sqlite3.connect(kb / "truth.sqlite") as connection:
        identifiers = {row[0] for row in connection.execute("SELECT identifier FROM documents")}
        texts = [row[0] for row in connection.execute("SELECT text FROM bodies")]
    # One record of the JSONL file is good.
    assert {name.split("#")[0] for name in identifiers} == landed | {"some-bad-lines.jsonl"}
    assert not any("Nobody may read this" in text or "root:" in text for text in texts)

    sound = run("verify-kb", "--kb", kb)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    found = run("search", "What is metformin used for?", "--kb", kb, "--json")
    assert "Metformin is used to treat type 2 diabetes." in found.stdout

    again = run("ingest", folder, "--kb", kb, "--json")
    assert again.stderr == done.stderr, "what was refused is refused again, in the same words"
    assert json.loads(again.stdout)["new"] == 0


def test_refusals_are_told_without_the_documents_words(tmp_path: Path) -> None:
    """A reason names the file and what is wrong with it; it never repeats what is in it."""
    folder = tmp_path / "bad"
    folder.mkdir()
    secret = "Mrs Example takes lithium"
    files = {
        "a.json": json.dumps({"resourceType": "Patient", "name": secret}),
        "b.jsonl": f'{{"text": "{secret}"\n',
        "c.nxml": f"<article><body><p>{secret}</body></article>",
        "d.xml": f'<Patient xmlns="http://hl7.org/fhir"><text>{secret}</text></Patient>',
        "e.docx": secret,
        "f.pdf": secret,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    kb = tmp_path / "kb"
    kb.mkdir()
    (kb / "kgrag.toml").write_text('[encoding]\nencoder = "hashing"\n', encoding="utf-8")
    done = run("ingest", folder, "--kb", kb)
    assert wrong_outcomes(folder, dict.fromkeys(files, "refused"), done.stderr) == []
    assert "lithium" not in done.stdout + done.stderr
    assert not any(b"lithium" in path.read_bytes() for path in kb.rglob("*") if path.is_file()), (
        "nothing of a refused file is kept"
    )
