"""Bounds, curves, reliability and thresholds, against figures worked out elsewhere and by hand."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrag.verification.calibration import (
    Curve,
    area,
    expected_error,
    isotonic,
    lower_bound,
    reliability,
    risk_coverage,
    threshold_for,
)


@pytest.mark.parametrize(
    ("right", "total", "bound"),
    [
        (59, 59, 0.05 ** (1 / 59)),  # all right: the n-th root of the chance
        (10, 10, 0.05 ** (1 / 10)),
        (0, 10, 0.0),
        (0, 0, 0.0),
        (95, 100, 0.8977),  # tables of Clopper and Pearson, one-sided
        (8, 10, 0.4931),
    ],
)
def test_the_exact_bound(right: int, total: int, bound: float) -> None:
    assert lower_bound(right, total) == pytest.approx(bound, abs=1e-4)


def test_the_bound_holds_as_often_as_it_says() -> None:
    rng = random.Random(4)
    share, held, draws = 0.9, 0, 2_000
    for _ in range(draws):
        right = sum(rng.random() < share for _ in range(60))
        held += lower_bound(right, 60) <= share
    assert held / draws >= 0.94


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="no share"):
        lower_bound(3, 2)


def test_isotonic_pools_what_falls() -> None:
    scores = [0.1] * 50 + [0.2] * 50 + [0.3] * 50
    right = [True] * 30 + [False] * 20 + [True] * 20 + [False] * 30 + [True] * 45 + [False] * 5
    curve = isotonic(scores, right)
    assert len(curve.scores) == 2
    assert curve(0.15) == pytest.approx(50.5 / 101)
    assert curve(0.3) == pytest.approx(45.5 / 51)
    assert curve(9.0) == pytest.approx(45.5 / 51)
    assert curve(0.15) < curve(0.25) < curve(0.3)


def test_a_few_lucky_ones_are_no_certainty() -> None:
    curve = isotonic([0.1, 0.2, 0.9], [False, False, True])
    assert 0.0 < curve(0.0) <= curve(1.0) < 1.0


@given(st.lists(st.tuples(st.floats(-5, 5), st.booleans()), min_size=1, max_size=120))
def test_a_fitted_curve_rises_and_is_a_probability(pairs: list[tuple[float, bool]]) -> None:
    curve = isotonic([s for s, _ in pairs], [r for _, r in pairs], least=3)
    told = [curve(at / 10) for at in range(-60, 61)]
    assert all(0 <= p <= 1 for p in told)
    assert all(a <= b for a, b in pairwise(told))


def test_a_curve_that_falls_or_holds_no_number_is_refused() -> None:
    for scores, chances in (((0.0, 1.0), (0.9, 0.1)), ((1.0, 1.0), (0.1, 0.2)), ((), ()),
                            ((float("nan"),), (0.5,)), ((0.0,), (1.5,))):  # fmt: skip
        with pytest.raises(ValueError, match="curve"):
            Curve(scores, chances)
    with pytest.raises(ValueError, match="no number"):
        Curve((0.0,), (0.5,))(float("nan"))


def test_reliability_and_its_error() -> None:
    bins = reliability([0.2] * 10 + [0.8] * 10, [True] * 2 + [False] * 8 + [True] * 10, bins=2)
    assert [(b.chance, b.right, b.count) for b in bins] == [
        (pytest.approx(0.2), 0.2, 10), (pytest.approx(0.8), 1.0, 10)
    ]  # fmt: skip
    assert expected_error(bins) == pytest.approx(0.1)
    assert expected_error(()) is None


def test_one_probability_is_one_bin() -> None:
    assert [b.count for b in reliability([0.5] * 7, [True] * 7, bins=3)] == [7]


def test_risk_against_coverage() -> None:
    assert risk_coverage([0.9, 0.5, 0.1], [True, False, True]) == pytest.approx((0, 1 / 2, 1 / 3))
    # Equally sure ones share their risk, in whatever order they stand.
    assert risk_coverage([0.5, 0.5], [True, False]) == pytest.approx((0.5, 0.5))
    assert area((0.0, 0.5)) == 0.25
    assert area(()) is None


def test_a_threshold_meets_its_bound_or_there_is_none() -> None:
    scores = [1 - at / 1000 for at in range(1000)]
    right = [at < 300 for at in range(1000)]
    found = threshold_for(scores, right, 0.95)
    assert found is not None
    kept = [r for s, r in zip(scores, right, strict=True) if s >= found.at]
    assert (sum(kept), len(kept)) == (found.right, found.total)
    assert found.bound >= 0.95
    assert len(kept) >= 300
    assert threshold_for(scores, [at % 2 == 0 for at in range(1000)], 0.95) is None
    assert threshold_for(scores[:99], [True] * 99, 0.95) is None


def test_equal_scores_are_never_parted() -> None:
    found = threshold_for([1.0] * 100 + [0.5] * 100, [True] * 150 + [False] * 50, 0.9)
    assert found is not None
    assert (found.at, found.total) == (1.0, 100)


def test_thresholds_on_noise_are_rarely_given() -> None:
    # The true precision is 0.9 everywhere: whoever asks 0.95 is let through at most 1 time in 20.
    rng = random.Random(11)
    given = 0
    for _ in range(300):
        scores = [rng.random() for _ in range(400)]
        given += threshold_for(scores, [rng.random() < 0.9 for _ in scores], 0.95) is not None
    assert given <= 300 * 0.08


def test_a_threshold_reaches_the_end_of_what_is_right() -> None:
    scores = [1.0] * 292 + [0.95] * 8
    found = threshold_for(scores, [True] * 300, 0.95)
    assert found is not None
    assert (found.at, found.total) == (0.95, 300)
    assert threshold_for([1.0] * 99, [True] * 99, 0.95) is None


def test_many_sure_ones_do_not_vouch_for_unsure_ones() -> None:
    scores = [0.95] * 300 + [0.4] * 12
    right = [True] * 300 + [True] * 10 + [False] * 2
    assert lower_bound(sum(right), len(right)) > 0.95
    found = threshold_for(scores, right, 0.95)
    assert found is not None
    assert (found.at, found.total) == (0.95, 300)
