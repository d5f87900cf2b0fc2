"""A checker of entailment in the settings of a kb, asked for statements and for notes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra models")

from tiny_entailment import sequence_model

from kgrag import Engine
from kgrag.config import Settings, load_settings, parse_settings

pytestmark = pytest.mark.models

AGREED = "Amoxicillin treats pneumonia."
# The rules find it in the evidence; the checker, which knows two words, is against it.
DOUBTED = "Amoxicillin never treats pneumonia."
LABELS = ["entailment", "neutral", "contradiction"]


@pytest.fixture(scope="module")
def checked_kb(tmp_path_factory: pytest.TempPathFactory, demo_kb: Path) -> Path:
    """The demonstration kb with a checker in its settings that agrees to next to nothing."""
    root = tmp_path_factory.mktemp("checked")
    model = sequence_model(root / "model", "bert", LABELS)
    kb = root / "kb"
    shutil.copytree(demo_kb, kb)
    with (kb / "kgrag.toml").open("a", encoding="utf-8") as out:
        out.write(f'\n[verification]\nentailment = "nli:{model}"\nthreshold = 0.8\n')
    return kb


def _verify(*arguments: str | Path) -> dict[str, object]:
    kgrag = Path(sys.executable).with_name("kgrag")
    command: list[str | Path] = [kgrag, "verify", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_the_command_asks_the_checker_of_the_kb(checked_kb: Path, tmp_path: Path) -> None:
    agreed = _verify("--statement", AGREED, "--evidence", AGREED, "--kb", checked_kb)
    assert agreed["verdict"] == "supported"
    assert any(c["layer"] == "entailment" for c in agreed["checks"])  # type: ignore[attr-defined]
    lines = [
        {"id": n, "statement": "The clinic opens at nine.", "evidence": text}
        for n, text in enumerate([["The clinic opens at nine.", DOUBTED]])
    ]
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    kgrag = Path(sys.executable).with_name("kgrag")
    command: list[str | Path] = [kgrag, "verify", "--batch", source, "--out", out]
    subprocess.run([*command, "--kb", checked_kb], check=True, capture_output=True)
    with_checker = json.loads(out.read_text())
    subprocess.run(command, check=True, capture_output=True)
    without = json.loads(out.read_text())
    assert without["verdict"] == "supported"
    assert with_checker["verdict"] == "not_enough_info"


def test_the_engine_asks_it_for_statements_and_notes(checked_kb: Path, demo_kb: Path) -> None:
    note = "The starting dose of lisinopril is 10 mg once daily."
    # Told which output is which the other way round, it is against all that it agreed to.
    named = load_settings(checked_kb / "kgrag.toml").model_dump()
    named["verification"]["labels"] = LABELS[::-1]
    settings: Settings = parse_settings(named, origin="test")
    with Engine.open(demo_kb) as plain, Engine.open(demo_kb, settings=settings) as checked:
        assert plain.check_statement(note, [note]).verdict == "supported"
        assert plain.check_note(note).sentences[0].verdict == "supported"
        found = checked.check_statement(note, [note])
        assert found.verdict == "not_enough_info"
        assert found.checks[-1].layer == "entailment"
        assert checked.check_note(note).sentences[0].verdict == "not_covered"
