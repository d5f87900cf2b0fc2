"""A verdict in its regime: near the source's words it may stand, beyond them it may not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from kgrag.records.answer import Check
from kgrag.verification.calibration import Curve, Threshold
from kgrag.verification.calibration_regimes import Calibration, Regime, rules_made_with
from kgrag.verification.claims_features import FEATURES, features, near
from kgrag.verification.claims_model import LAYER, claims_model, settled
from kgrag.verification.split import nearness
from kgrag.verification.verdict import Verification

SOURCE = "Metformin is the first tablet for adults with type 2 diabetes and is taken with meals."
OTHER = "Ask about alcohol at every visit."


def calibration(supported: float | None, contradicted: float | None) -> Calibration:
    def threshold(at: float | None) -> Threshold | None:
        return None if at is None else Threshold(at, 0.9, 0.95, 98, 100)

    near = Regime(
        "near", Curve((0.5, 1.0), (0.9, 0.98)), threshold(supported), threshold(contradicted),
        200, "a test", rules_made_with(),
    )  # fmt: skip
    return Calibration({"near": near})


def said(verdict: str, *checks: Check) -> Verification:
    made = checks or (Check("coverage", "pass"),)
    return Verification(verdict, 0.77, made)  # type: ignore[arg-type]


def test_nearness_is_one_for_the_same_words() -> None:
    assert nearness(SOURCE, [OTHER, SOURCE]) == 1.0
    assert nearness(SOURCE, [f"{OTHER} {SOURCE}"]) == 1.0
    assert nearness(SOURCE, []) == 0.0
    assert nearness(SOURCE, ["…"]) == 0.0
    assert nearness("It is.", [SOURCE]) == 0.0


def test_half_a_sentence_is_not_near() -> None:
    assert 0.1 < nearness("Metformin is the first tablet.", [SOURCE]) < 0.5


def test_words_scattered_over_places_are_not_near() -> None:
    lines = "Arm 1: metformin.\nEligible: adults.\nOutcome: diabetes.\nMeals: two a day.\nSex: men."
    assert nearness("Eligible men had metformin meals and diabetes outcomes.", [lines]) <= 0.5


def test_the_worst_sentence_counts() -> None:
    assert nearness(f"{SOURCE} Cats like the moon.", [SOURCE]) == 0.0


def test_two_neighbours_are_one_place() -> None:
    together = "Metformin is the first tablet for diabetes, and ask about alcohol at every visit."
    text = "Metformin is the first tablet for diabetes. Ask about alcohol at every visit."
    assert nearness(together, [text]) > 0.9


def test_near_the_words_a_verdict_stands_with_its_chance() -> None:
    found = settled(said("supported"), SOURCE, [SOURCE], calibration(0.7, 0.7))
    assert (found.verdict, found.confidence) == ("supported", 0.98)
    assert found.checks[-1].layer == LAYER
    assert found.checks[-1].result == "pass"
    found = settled(said("contradicted"), SOURCE, [SOURCE], calibration(0.7, 0.7))
    assert (found.verdict, found.confidence) == ("contradicted", 0.98)


@pytest.mark.parametrize("verdict", ["supported", "contradicted"])
def test_far_from_the_words_it_falls(verdict: str) -> None:
    found = settled(said(verdict), "Metformin tablets.", [SOURCE], calibration(0.7, 0.7))
    assert (found.verdict, found.confidence) == ("not_enough_info", None)
    assert found.checks[-1].result == "fail"


@pytest.mark.parametrize("verdict", ["supported", "contradicted"])
def test_a_regime_that_is_off_says_nothing(verdict: str) -> None:
    found = settled(said(verdict), SOURCE, [SOURCE], calibration(None, None))
    assert (found.verdict, found.confidence) == ("not_enough_info", None)
    found = settled(said(verdict), SOURCE, [SOURCE], Calibration({}))
    assert found.verdict == "not_enough_info"
    assert "off" in found.checks[-1].detail


@pytest.mark.parametrize("statement", [SOURCE, "Metformin tablets."])
def test_a_measurement_of_other_rules_is_told_and_not_used(statement: str) -> None:
    ours = calibration(0.7, 0.7)
    found = settled(said("supported"), statement, [SOURCE], replace(ours, stale=("near",)))
    assert "of other rules and is not used" in found.checks[-1].detail
    plain = settled(said("supported"), statement, [SOURCE], ours)
    assert found.verdict == plain.verdict
    assert "other rules" not in plain.checks[-1].detail


def test_a_quotation_needs_no_measurement() -> None:
    span = Check("span", "pass", "the evidence says it in these words")
    found = settled(said("supported", span), SOURCE, [SOURCE], Calibration({}))
    assert (found.verdict, found.confidence) == ("supported", 1.0)


def test_nothing_is_ever_raised() -> None:
    found = settled(said("not_enough_info"), SOURCE, [SOURCE], calibration(0.0, 0.0))
    assert (found.verdict, found.confidence) == ("not_enough_info", None)


class Letters:
    """Token states by first letter, so that a test can tell what meets what."""

    name, sha256, dimensions = "letters", "0", 26

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        rows = [t.sum(axis=0) for t in self.encode_tokens(texts)]
        found: NDArray[np.float32] = np.stack([r / np.linalg.norm(r) for r in rows])
        return found

    def encode_tokens(self, texts: list[str]) -> list[NDArray[np.float32]]:
        eye = np.eye(26, dtype=np.float32)
        return [eye[[(ord(w[0].lower()) - 97) % 26 for w in t.split()]] for t in texts]


def test_features_see_what_differs() -> None:
    pairs = [
        (SOURCE, [SOURCE]),
        ("Metformin is not the first tablet for adults.", [SOURCE]),
        ("Metformin increases weight.", ["Metformin lowers weight."]),
        ("Metformin 500 mg with meals.", [SOURCE]),
        ("Metformin.", []),
    ]
    table = features(pairs, Letters())  # type: ignore[arg-type]
    by_name = [dict(zip(FEATURES, row, strict=True)) for row in table.tolist()]
    assert by_name[0]["met"] == pytest.approx(1.0)
    assert by_name[0]["cosine"] == pytest.approx(1.0)
    assert by_name[0]["negation"] == by_name[0]["direction"] == by_name[0]["number"] == 0
    assert by_name[1]["negation"] == 1
    assert by_name[2]["direction"] == 1
    assert by_name[3]["number"] == 1
    assert not any(table[4])


def test_the_nearest_lines_come_first() -> None:
    found = near("Ask about alcohol.", [f"{SOURCE} {OTHER}"], limit=1)
    assert found.lines == (OTHER,)
    assert near("Ask.", []).lines == ()


def test_the_model_that_is_shipped_weighs() -> None:
    found = claims_model().weigh([(SOURCE, [SOURCE]), ("Cats.", [SOURCE])], Letters())  # type: ignore[arg-type]
    assert all(0 < w.supported < 1 and 0 < w.contradicted < 1 for w in found)
    assert found[0].supported > found[1].supported


def test_a_kb_of_its_own_measure_is_heard() -> None:
    from kgrag.verification import verify_json

    statement = SOURCE.replace("Metformin is", "Metformin's")
    assert verify_json(statement, [SOURCE], calibration=Calibration({}))["verdict"] == (
        "not_enough_info"
    )
    shipped = verify_json(statement, [SOURCE])
    assert shipped["verdict"] == "supported"
    assert 0.9 < shipped["confidence"] < 1.0
    assert shipped["checks"][-1]["layer"] == LAYER
