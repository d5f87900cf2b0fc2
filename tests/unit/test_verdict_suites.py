"""Suites of verdicts: what is read, how it falls into halves, what is counted, what is kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kgrag.errors import UnknownName, UnreadableFile
from kgrag.evaluation.registry import RUNNERS, runner
from kgrag.evaluation.verdicts import Gold, Pair, PairSuite, load_pairs, own_pairs
from kgrag.evaluation.verdicts.fitting import chance, logistic, thresholds, verdicts
from kgrag.evaluation.verdicts.judges import (
    every_one_flagged,
    lexical,
    majority,
    read_verdicts,
    scored,
    told_before,
)
from kgrag.evaluation.verdicts.pairs import grouped
from kgrag.evaluation.verdicts.run import evaluate
from kgrag.evaluation.verdicts.scoring import Judged, auc, difference, figures

THREE: tuple[Gold, ...] = ("supported", "contradicted", "not_enough_info")


def pair(at: int, gold: Gold, group: str = "", text: str = "Aspirin thins the blood.") -> Pair:
    return Pair(str(at), text, ("Aspirin thins the blood.",), gold, group or str(at), "dev")


def test_what_shares_a_claim_or_a_document_lies_in_one_half() -> None:
    rows = [
        ("1", "a", ("x",), "supported", ("claim a", "document x"), ""),
        ("2", "a", ("y",), "supported", ("claim a", "document y"), ""),
        ("3", "b", ("y",), "contradicted", ("claim b", "document y"), ""),
        ("4", "c", ("z",), "supported", ("claim c", "document z"), ""),
    ]
    pairs = grouped(rows)  # type: ignore[arg-type]
    assert len({p.group for p in pairs[:3]}) == 1
    assert pairs[3].group != pairs[0].group
    assert all(p.split == pairs[0].split for p in pairs[:3])
    turned = grouped(rows[::-1])  # type: ignore[arg-type]
    assert {p.id: p.group for p in turned} == {p.id: p.group for p in pairs}


def test_figures_against_those_worked_by_hand() -> None:
    golds: list[Gold] = ["supported"] * 4 + ["contradicted"] * 2 + ["not_enough_info"] * 2
    said: list[Gold] = ["supported", "supported", "supported", "not_enough_info",
                        "supported", "contradicted", "not_enough_info", "supported"]  # fmt: skip
    pairs = [pair(at, g) for at, g in enumerate(golds)]
    judged = [Judged(v, 1.0, float(v == "supported")) for v in said]
    found = figures(pairs, judged, THREE, chance=True)
    assert found.accuracy.mean == pytest.approx(5 / 8)
    assert found.macro_f1.mean == pytest.approx((6 / 9 + 2 / 3 + 2 / 4) / 3)
    assert found.flagged_f1.mean == pytest.approx(2 * 2 / (4 + 3))
    assert (found.said.called, found.said.right) == (5, 3)
    assert found.said.recall == pytest.approx(3 / 4)
    assert found.confusion["supported"]["not_enough_info"] == 1
    assert found.aurc == pytest.approx(3 / 8)
    assert found.best is None
    assert found.ece == pytest.approx((5 * 0.4 + 3 * (1 / 3)) / 8)
    assert found.accuracy.low < found.accuracy.mean < found.accuracy.high


def test_what_is_told_with_a_verdict_is_held_against_what_was_right() -> None:
    pairs = [pair(at, "supported" if at < 9 else "contradicted") for at in range(12)]
    told = [Judged("supported", 0.9, stated=0.9)] * 10 + [Judged("not_enough_info", 0.0)] * 2
    found = figures(pairs, told, THREE)
    (only,) = found.stated
    assert (only.chance, only.right, only.count) == (pytest.approx(0.9), 0.9, 10)
    assert found.stated_ece == pytest.approx(0.0)
    assert figures(pairs, [Judged("supported", 1.0)] * 12, THREE).stated_ece is None


def test_an_interval_draws_groups_and_not_pairs() -> None:
    golds: list[Gold] = ["supported", "contradicted"] * 40
    judged = [Judged("supported" if at % 4 < 2 else g, 1.0) for at, g in enumerate(golds)]
    alone = figures([pair(at, g) for at, g in enumerate(golds)], judged, THREE)
    few = figures([pair(at, g, str(at % 4)) for at, g in enumerate(golds)], judged, THREE)
    assert few.accuracy.mean == alone.accuracy.mean
    assert few.accuracy.high - few.accuracy.low > 2 * (alone.accuracy.high - alone.accuracy.low)


def test_a_verdict_that_people_never_gave_is_wrong_but_counted() -> None:
    pairs = [pair(0, "supported"), pair(1, "contradicted")]
    judged = [Judged("not_enough_info", 1.0), Judged("contradicted", 1.0)]
    found = figures(pairs, judged, ("supported", "contradicted"))
    assert found.accuracy.mean == 0.5
    assert found.confusion["supported"] == {
        "supported": 0, "contradicted": 0, "not_enough_info": 1
    }  # fmt: skip


def test_whatever_is_not_supported_flags_what_is_made_up() -> None:
    pairs = [pair(0, "supported"), pair(1, "unsupported"), pair(2, "unsupported")]
    said: tuple[Gold, ...] = ("supported", "contradicted", "not_enough_info")
    judged = [Judged(v, 1.0) for v in said]
    found = figures(pairs, judged, ("supported", "unsupported"))
    assert found.accuracy.mean == found.flagged_f1.mean == 1.0


def test_auc_counts_ties_half() -> None:
    assert auc([0.9, 0.8, 0.1], [True, True, False]) == 1.0
    assert auc([0.5, 0.5], [True, False]) == 0.5
    assert auc([0.1, 0.9], [True, False]) == 0.0
    assert auc([0.1], [True]) is None


def test_a_difference_with_itself_is_nothing() -> None:
    pairs = [pair(at, "supported" if at % 2 else "contradicted") for at in range(20)]
    judged = [Judged("supported", 1.0) for _ in pairs]
    assert difference(pairs, judged, judged, THREE).high == 0.0


def test_baselines() -> None:
    fitted_on = [pair(0, "supported"), pair(1, "supported"), pair(2, "contradicted")]
    assert majority(fitted_on).judge(fitted_on)[2].verdict == "supported"
    flagged = every_one_flagged(("supported", "unsupported")).judge(fitted_on)
    assert {j.verdict for j in flagged} == {"unsupported"}
    near, far = pair(3, "supported"), pair(4, "not_enough_info", text="Cats sleep by day.")
    assert lexical([near, far]) == [1.0, 0.0]
    judge = scored("lexical", lexical, [near, far], THREE)
    assert [j.verdict for j in judge.judge([near, far])] == ["supported", "not_enough_info"]


def test_a_fitted_judge_finds_what_is_there() -> None:
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(400, 2))
    right = [bool(x) for x in rows[:, 0] + 0.3 * rng.normal(size=400) > 0]
    weights = logistic(rows, right, np.ones(400), ridge=1.0)
    assert auc(chance(weights, rows).tolist(), right) > 0.95  # type: ignore[operator]
    assert abs(weights[2]) < 0.3 * abs(weights[1])


def test_thresholds_of_three_verdicts() -> None:
    golds: list[Gold] = ["supported"] * 30 + ["contradicted"] * 30 + ["not_enough_info"] * 30
    supported = np.array([0.9] * 30 + [0.1] * 30 + [0.2] * 30)
    contradicted = np.array([0.1] * 30 + [0.8] * 30 + [0.2] * 30)
    at = thresholds(supported, contradicted, golds, THREE)
    assert verdicts(supported, contradicted, at) == golds


def test_own_pairs(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    rows = [
        {"id": "a", "statement": "S.", "evidence": "E.", "verdict": "supported"},
        {"id": 2, "statement": "T.", "evidence": ["E.", "F."], "verdict": "contradicted"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    suite = own_pairs(path)
    assert [p.id for p in suite.pairs] == ["a", "2"]
    assert suite.labels == ("supported", "contradicted")
    assert len({p.group for p in suite.pairs}) == 1  # they share a text of the evidence


@pytest.mark.parametrize(
    "row",
    [
        {"statement": "S.", "evidence": "E.", "verdict": "supported"},
        {"id": "a", "statement": " ", "evidence": "E.", "verdict": "supported"},
        {"id": "a", "statement": "S.", "evidence": [], "verdict": "supported"},
        {"id": "a", "statement": "S.", "evidence": [1], "verdict": "supported"},
        {"id": "a", "statement": "S.", "evidence": "E.", "verdict": "true"},
        {"id": True, "statement": "S.", "evidence": "E.", "verdict": "supported"},
    ],
)
def test_own_pairs_of_another_form_are_told_by_line(tmp_path: Path, row: object) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(UnreadableFile, match="record 1"):
        own_pairs(path)


def test_an_id_twice_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    row = json.dumps({"id": "a", "statement": "S.", "evidence": "E.", "verdict": "supported"})
    path.write_text(f"{row}\n{row}\n", encoding="utf-8")
    with pytest.raises(UnreadableFile, match="twice"):
        own_pairs(path)
    path.write_text("\n", encoding="utf-8")
    with pytest.raises(UnreadableFile, match="no lines"):
        own_pairs(path)
    with pytest.raises(UnreadableFile):
        own_pairs(tmp_path / "absent.jsonl")


def test_a_report_holds_no_text(tmp_path: Path) -> None:
    pairs = tuple(pair(at, THREE[at % 3]) for at in range(12))
    suite = PairSuite("mine", pairs, THREE, ("a note",))
    path = tmp_path / "before.jsonl"
    lines = [json.dumps({"id": p.id, "verdict": "supported"}) for p in pairs]
    path.write_text("\n".join(lines), encoding="utf-8")
    judges = [majority(pairs), told_before("before", read_verdicts(path))]
    report = evaluate(suite, judges, fitted_on=12, split="dev", mine="before", models={"m": "m@1"})
    written = report.write(tmp_path / "out")
    for file in written:
        assert "Aspirin" not in file.read_text(encoding="utf-8")
    assert json.loads(written[0].read_bytes())["figures"]["before"]["said"]["called"] == 12
    assert "| before |" in report.to_markdown()
    path.write_text('{"id": "1", "error": "x"}', encoding="utf-8")
    with pytest.raises(UnreadableFile, match="without a verdict"):
        read_verdicts(path)


def test_names() -> None:
    assert runner("scifact") is None
    assert runner("healthver") is not None
    assert {"scifact-verdicts", "healthver", "nli4ct", "medhallu", "verdicts"} <= {*RUNNERS.names()}
    with pytest.raises(UnknownName, match="nli4ct"):
        load_pairs("nli4c", Path("/"))


@pytest.mark.data
def test_the_suites_read_whole() -> None:
    import os

    if not os.environ.get("KGRAG_DATA"):
        pytest.skip("KGRAG_DATA is not set")
    sizes = {"scifact-verdicts": 919, "healthver": 1917, "nli4ct": 1900, "medhallu": 1000}
    for name, size in sizes.items():
        suite = load_pairs(name)
        assert len(suite.pairs) == size
        dev, test = suite.of("dev").pairs, suite.of("test").pairs
        assert not {p.group for p in dev} & {p.group for p in test}
        assert not {p.statement.casefold() for p in dev} & {p.statement.casefold() for p in test}
        assert min(len(dev), len(test)) > size / 3
