"""``kgrag vocab suggest`` over the real lexicon."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.models


def suggest(*arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "kgrag", "vocab", "suggest", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def test_for_people_and_for_programs(demo_kb: Path) -> None:
    text = "Are beta blockers of use in heart failure?"
    told = suggest(text)
    assert "MESH:D006333  Heart Failure  (disease; named in the text: 'heart failure')" in told
    assert "part of: Heart Diseases (MESH:D006331)" in told
    assert '("Heart Failure"[MeSH Terms] OR "heart failure"[tiab]' in told
    text = "Is aspirin of use against stroke?"
    given = json.loads(suggest(text, "--kb", str(demo_kb), "--json", "--no-explode"))
    whys = [one["why"] for one in given["suggestions"]]
    assert whys == sorted(whys, key=["named", "beside", "ambiguous"].index)
    assert "beside" in whys and len(whys) <= 10
    assert all(one["id"].startswith("MESH:") for one in given["suggestions"])
    assert given["search"].count("[MeSH Terms:noexp]") == 2 == given["search"].count(" AND ") + 1


def test_what_cannot_be_suggested_is_told() -> None:
    assert "nothing of the vocabularies is named" in suggest("How many green ideas sleep?")
    assert "known: " in suggest("asthma", "--vocabulary", "RXNORM", code=3)
    assert "the text is empty" in suggest("  ", code=4)
