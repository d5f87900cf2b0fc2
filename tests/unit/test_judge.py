"""Who judges statements: rules, calibration and a checker, put together as the settings say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kgrag.config import Verification as Settings
from kgrag.errors import KgragError, SettingsError
from kgrag.verification.calibration import Threshold
from kgrag.verification.calibration_regimes import (
    Calibration,
    Regime,
    entailment_made_with,
    shipped,
)
from kgrag.verification.entailment import Entailed
from kgrag.verification.judge import Judge, checker_of

QUOTE = "Amoxicillin treats pneumonia in adults."
FREE = "Amoxicillin cures pneumonia in grown people at home."


class Says:
    """A checker that always says the same."""

    name, sha256 = "says", "5" * 64

    def __init__(self, supported: float, contradicted: float | None = None) -> None:
        self.said = Entailed(supported, contradicted)

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Entailed]:
        return [self.said for _ in pairs]


class Breaks(Says):
    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Entailed]:
        raise RuntimeError("out of memory")


def _calibrated(at: float | None, sha256: str = Says.sha256) -> Calibration:
    threshold = None if at is None else Threshold(at, 0.95, 0.96, 480, 490)
    regime = Regime(
        "entailment", None, threshold, None, 500, "own pairs", entailment_made_with(sha256)
    )
    return replace(shipped(), regimes={**shipped().regimes, "entailment": regime})


def test_without_a_checker_the_rules_judge() -> None:
    judge = Judge()
    assert judge(QUOTE, [QUOTE]).verdict == "supported"
    assert judge(FREE, [QUOTE]).verdict == "not_enough_info"
    assert all(c.layer != "entailment" for c in judge(QUOTE, [QUOTE]).checks)


@pytest.mark.parametrize("checker", [Says(0.5), Says(0.99, 0.95), Breaks(0.99)])
def test_what_the_checker_does_not_agree_to_is_not_supported(checker: Says) -> None:
    found = Judge(checker=checker)(QUOTE, [QUOTE])
    assert found.verdict == "not_enough_info" and found.confidence is None
    assert found.checks[-1].layer == "entailment" and found.checks[-1].result == "fail"


@pytest.mark.parametrize(
    ("calibration", "verdict"),
    [
        (_calibrated(0.9), "supported"),
        (_calibrated(0.999), "not_enough_info"),  # the checker says less than that
        (_calibrated(None), "not_enough_info"),  # its bound was not met
        (_calibrated(0.9, "6" * 64), "not_enough_info"),  # measured with another checker
        (None, "not_enough_info"),
    ],
)
def test_a_verdict_is_raised_only_where_the_bound_was_met(
    calibration: Calibration | None, verdict: str
) -> None:
    judge = Judge(calibration=calibration, checker=Says(0.98))
    assert judge(FREE, [QUOTE]).verdict == verdict
    denied = QUOTE.replace("treats", "never treats")  # more than words failed: never raised
    assert judge(denied, [QUOTE]).verdict != "supported"


def test_a_checker_that_is_set_and_missing_is_no_silence(tmp_path: Path) -> None:
    assert checker_of(Settings()) is None
    with pytest.raises(KgragError):
        Judge.of(Settings(entailment=f"nli:{tmp_path / 'none'}"), linker=None)
    (tmp_path / "calibration.json").write_text("{}")
    with pytest.raises(SettingsError):
        Judge.of(Settings(), linker=None, folder=tmp_path)
