"""Measures against values computed by hand, and comparisons against known cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from kgrag.evaluation import Query, Suite, compare, estimate, half, measure

pytest.importorskip("ir_measures", reason="the extra eval is not installed")


def suite(qrels: dict[str, dict[str, int]]) -> Suite:
    return Suite(
        name="own",
        queries=tuple(Query.of(name, f"what of {name}?") for name in qrels),
        qrels=qrels,
        known=frozenset(d for grades in qrels.values() for d in grades),
    )


def test_measures_are_those_computed_by_hand() -> None:
    asked = suite({"q1": {"a": 3, "b": 1, "x": 0}, "q2": {"c": 1}, "q3": {"d": 1, "e": 1}})
    found = measure(
        asked,
        {"q1": ("x", "b", "n", "a"), "q2": ("c",), "q3": tuple(f"n{i}" for i in range(11))},
    )
    gain = 1 / math.log2(3) + 3 / math.log2(5)
    ideal = 3 + 1 / math.log2(3)
    assert found["nDCG@10"] == pytest.approx([gain / ideal, 1.0, 0.0])
    assert found["S@1"] == pytest.approx([0, 1, 0])
    assert found["R@1"] == pytest.approx([0, 1, 0])
    assert found["R@10"] == pytest.approx([1, 1, 0])
    assert found["S@10"] == pytest.approx([1, 1, 0])
    assert found["MRR"] == pytest.approx([1 / 2, 1, 0])


def test_depth_cuts_and_a_question_without_a_ranking_counts_zero() -> None:
    asked = suite({"q1": {"a": 1, "b": 1}, "q2": {"c": 1}})
    ranked = (*(f"n{i}" for i in range(9)), "a", *(f"m{i}" for i in range(95)), "b")
    found = measure(asked, {"q1": ranked, "q2": ()})
    assert found["R@10"] == pytest.approx([0.5, 0])
    assert found["R@100"] == pytest.approx([0.5, 0])
    assert found["MRR"] == pytest.approx([0.1, 0])
    assert (measure(asked, {})["nDCG@10"] == 0).all()


def test_rank_decides_and_not_the_names_of_documents() -> None:
    asked = suite({"q": {"b": 1}})
    for other in ("a", "c"):
        assert measure(asked, {"q": (other, "b")})["MRR"] == pytest.approx([0.5])
        assert measure(asked, {"q": ("b", other)})["MRR"] == pytest.approx([1.0])


def test_values_follow_the_order_of_the_questions() -> None:
    qrels = {f"q{i}": {"a": 1} for i in (3, 1, 2)}
    found = measure(suite(qrels), {"q1": ("a",), "q2": ("b", "a"), "q3": ("c",)})
    assert found["MRR"] == pytest.approx([0, 1, 0.5])


def test_an_unknown_measure_is_refused() -> None:
    with pytest.raises(NameError):
        measure(suite({"q": {"a": 1}}), {"q": ("a",)}, ["nonsense@10"])


def test_the_permutation_test_agrees_with_an_exact_one() -> None:
    a = np.array([0.9, 0.8, 0.4, 0.7, 0.6, 0.9, 0.5, 1.0])
    b = np.array([0.5, 0.9, 0.1, 0.6, 0.2, 0.7, 0.5, 0.6])
    exact = stats.permutation_test(
        (a - b,), np.mean, permutation_type="samples", n_resamples=np.inf
    )
    assert compare(a, b).p == pytest.approx(exact.pvalue, abs=0.015)


def test_the_interval_agrees_with_that_of_scipy() -> None:
    values = np.random.default_rng(3).beta(2, 3, 200)
    reference = stats.bootstrap((values,), np.mean, method="percentile", rng=1)
    found = estimate(values)
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(reference.confidence_interval.low, abs=0.003)
    assert found.high == pytest.approx(reference.confidence_interval.high, abs=0.003)


def test_p_is_uniform_when_nothing_differs() -> None:
    rng = np.random.default_rng(7)
    ps = []
    for _ in range(400):
        pair = rng.normal(size=(2, 40)) + rng.normal(size=40)
        ps.append(compare(pair[0], pair[1], rounds=499).p)
    assert stats.kstest(ps, "uniform").pvalue > 0.01
    assert 0.02 < np.mean(np.array(ps) < 0.05) < 0.09


def test_a_difference_that_is_there_is_found_and_pairing_helps() -> None:
    rng = np.random.default_rng(11)
    hardness = rng.normal(size=300) * 5
    found = compare(hardness + 0.2 + rng.normal(size=300) * 0.5, hardness)
    assert found.p < 0.001 and 0.1 < found.low < found.difference < found.high < 0.3


def test_equal_values_differ_by_nothing() -> None:
    same = compare([0.5, 1.0, 0.0], [0.5, 1.0, 0.0])
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)
    assert (same.better, same.worse, same.n) == (0, 0, 3)


def test_one_question_proves_nothing() -> None:
    assert compare([1.0], [0.0]).p == 1.0
    assert compare([1.0] * 3, [0.0] * 3).p == pytest.approx(0.25, abs=0.02)


def test_the_other_way_round_is_the_opposite() -> None:
    a, b = np.random.default_rng(5).random((2, 60))
    there, back = compare(a, b), compare(b, a)
    assert there.difference == pytest.approx(-back.difference)
    assert there.p == back.p
    assert (there.better, there.worse) == (back.worse, back.better)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [1.0, 2.0]), ([float("nan")], [1.0])])
def test_what_cannot_be_paired_is_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match=r"paired|needs one"):
        compare(a, b)


def test_the_halves_are_about_equal_and_fixed() -> None:
    names = [str(i) for i in range(2000)]
    assert 900 < sum(half(n) == "dev" for n in names) < 1100
    assert [half(n) for n in ("0", "1", "61f80d5d882a024a1000003c")] == ["test", "test", "dev"]


def test_a_limit_keeps_the_same_questions_whatever_their_order() -> None:
    names = [f"q{i}" for i in range(50)]
    one = suite({n: {"a": 1} for n in names}).of(limit=10)
    other = suite({n: {"a": 1} for n in reversed(names)}).of(limit=10)
    assert {q.id for q in one.queries} == {q.id for q in other.queries}
    assert len(one.queries) == 10
    assert {q.split for q in suite({n: {"a": 1} for n in names}).of("dev").queries} == {"dev"}


def test_a_suite_without_anything_right_for_a_question_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="no right document"):
        suite({"q": {"a": 0}})
