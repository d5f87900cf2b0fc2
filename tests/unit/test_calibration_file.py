"""The calibration of a kb: kept whole, read strictly, used only where it fits."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kgrag.errors import SettingsError
from kgrag.verification.calibration import Curve, Threshold
from kgrag.verification.calibration_regimes import (
    FILE,
    Regime,
    answer_made_with,
    calibration_of,
    encode,
    parse,
    rules_made_with,
    save,
    shipped,
)
from kgrag.verification.claims_model import free_made_with

ANSWER = Regime(
    "answer", Curve((0.0, 1.0), (0.2, 0.8)), None, None, 200, "a test", {"reranker": "abc"}
)
NEAR = Regime(
    "near", None, Threshold(0.7, 0.95, 0.96, 150, 152), None, 300, "a test", rules_made_with()
)


def test_the_shipped_calibration_fits_the_rules_that_are_shipped() -> None:
    near = shipped().of("near", rules_made_with())
    assert near is not None
    assert near.supported is not None
    assert near.supported.bound >= near.supported.precision == 0.95
    assert near.measured_on


def test_free_paraphrase_is_off_as_shipped() -> None:
    from kgrag.encoding import load_encoder
    from kgrag.errors import MissingModel

    try:
        encoder = load_encoder("all-minilm-l6-v2")
    except MissingModel:
        pytest.skip("the default encoder is not in the cache")
    free = shipped().of("free", free_made_with(encoder.sha256))
    assert free is not None, "measured with another encoder or other weights"
    assert free.supported is None
    assert free.contradicted is None


def test_a_kb_without_a_file_has_the_shipped_one(tmp_path: Path) -> None:
    assert calibration_of(tmp_path) is shipped()
    assert calibration_of(None) is shipped()


def test_saved_regimes_come_back_and_others_stay(tmp_path: Path) -> None:
    save(tmp_path, {"answer": ANSWER})
    save(tmp_path, {"near": NEAR})
    found = calibration_of(tmp_path)
    assert found.of("answer", {"reranker": "abc"}) == ANSWER
    assert found.of("near", rules_made_with()) == NEAR
    assert found.regimes["free"] == shipped().regimes["free"]
    assert [p.name for p in tmp_path.iterdir()] == [FILE]
    assert found.id != shipped().id


def test_a_chance_is_told_only_of_what_it_was_measured_with(tmp_path: Path) -> None:
    save(tmp_path, {"answer": ANSWER})
    found = calibration_of(tmp_path)
    assert found.answer(0.5, {"reranker": "abc"}) == pytest.approx(0.5)
    assert found.answer(0.5, {"reranker": "other weights"}) is None


def test_near_of_older_rules_gives_way_and_is_told(tmp_path: Path) -> None:
    save(tmp_path, {"near": replace(NEAR, made_with={"rules": "0"})})
    found = calibration_of(tmp_path)
    assert found.stale == ("near",)
    assert found.regimes["near"] == shipped().regimes["near"]


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(format=99),
        lambda v: v.update(regimes=[]),
        lambda v: v["regimes"]["near"].update(name="free"),
        lambda v: v["regimes"].update(other=v["regimes"]["near"]),
        lambda v: v["regimes"]["near"]["supported"].update(bound=0.5),  # below its own precision
        lambda v: v["regimes"]["near"]["supported"].update(at=float("inf")),
        lambda v: v["regimes"]["near"].update(chance={"scores": [1, 0], "chances": [0.1, 0.2]}),
        lambda v: v["regimes"]["near"].update(made_with={"rules": 2}),
        lambda v: v["regimes"]["near"].pop("pairs"),
    ],
)
def test_a_tampered_file_is_refused(tmp_path: Path, change: object) -> None:
    value = json.loads(encode({"near": NEAR}))
    change(value)  # type: ignore[operator]
    (tmp_path / FILE).write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(SettingsError, match="no calibration"):
        calibration_of(tmp_path)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"null", b'{"format": 1}'])
def test_what_is_no_file_of_a_calibration_is_refused(raw: bytes) -> None:
    with pytest.raises(SettingsError, match="no calibration"):
        parse(raw, "x")


def test_the_map_of_answers_fits_the_weights_that_are_shipped() -> None:
    from kgrag.retrieval.rerank import WEIGHTS

    made = answer_made_with(WEIGHTS.read_bytes(), "20783998b9de1176")
    told = [shipped().answer(raw, made) for raw in (0.0, 0.5, 0.7, 1.0)]
    assert None not in told, "the weights changed: ask and fit anew with bench/confidence.py"
    assert told == sorted(told)  # type: ignore[type-var]
    assert shipped().answer(0.5, answer_made_with(b"others", "20783998b9de1176")) is None
