"""``kgrag eval --pairs``: one's own pairs are judged, measured and kept with a kb, to the end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kgrag.cli import root
from kgrag.errors import MissingModel
from kgrag.verification.calibration_regimes import FILE, calibration_of, rules_made_with

pytestmark = [pytest.mark.slow, pytest.mark.models]

DRUGS = ("cefalexin", "doxycycline", "nitrofurantoin", "amoxicillin")


def rows(count: int) -> list[dict[str, object]]:
    """Half of them light rewrites of their evidence, half with another number."""
    made: list[dict[str, object]] = []
    for at in range(count):
        drug, days = DRUGS[at % len(DRUGS)], at + 3
        right = at % 2 == 0
        told = days if right else 3 * days
        made.append(
            {
                "id": at,
                "statement": f"Adults with infection {at} get {drug} for {told} days.",
                "evidence": f"Adults with infection {at} receive {drug} for {days} days.",
                "verdict": "supported" if right else "contradicted",
            }
        )
    return made


def kgrag(*arguments: object) -> Result:
    return CliRunner().invoke(root, [str(a) for a in arguments], catch_exceptions=False)


def test_pairs_are_measured_kept_and_no_longer_heard_under_other_rules(tmp_path: Path) -> None:
    from kgrag.encoding import load_encoder

    try:
        load_encoder("all-minilm-l6-v2")
    except MissingModel:
        pytest.skip("the default encoder is not in the cache")
    pairs, kb = tmp_path / "mine.jsonl", tmp_path / "kb"
    kb.mkdir()
    pairs.write_text("\n".join(map(json.dumps, rows(520))), encoding="utf-8")
    asked = ("eval", "--pairs", pairs, "--kb", kb, "--split", "test", "--out", tmp_path / "out")
    done = kgrag(*asked, "--calibrate")
    assert done.exit_code == 0
    assert "regime near: supported from" in done.output
    own = calibration_of(kb).of("near", rules_made_with())
    assert own is not None
    assert "kgrag eval mine --calibrate" in own.measured_on
    report = json.loads((tmp_path / "out" / "mine-test.json").read_bytes())
    verify = report["figures"]["verify"]
    assert verify["said"]["called"] > 100
    assert verify["said"]["right"] == verify["said"]["called"]
    assert verify["stated"]
    kept = json.loads((kb / FILE).read_bytes())
    kept["regimes"]["near"]["made_with"] = {"rules": "0"}
    (kb / FILE).write_text(json.dumps(kept), encoding="utf-8")
    again = kgrag(*asked)
    assert again.exit_code == 0
    assert "was measured with other rules and is not used" in again.output
