"""``kgrag eval --calibrate``: what a kb keeps of its own measurement, and when that is heard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from kgrag.evaluation.verdicts import Gold, Pair
from kgrag.evaluation.verdicts.calibrate import keep, refused_for_words
from kgrag.verification import verify_json
from kgrag.verification.calibration_regimes import (
    FILE,
    calibration_of,
    entailment_made_with,
    rules_made_with,
    shipped,
)
from kgrag.verification.entailment import Entailed

PLACES = ("lung", "liver", "kidney", "skin", "bladder", "stomach", "thyroid", "spleen")
GROUPS = ("adults", "children", "women", "men")


def pairs(right: int, wrong: int) -> list[Pair]:
    """Statements that turn their source's halves round, and ones that double its number."""
    made = []
    for at in range(right + wrong):
        place, group = PLACES[at % len(PLACES)], GROUPS[at // len(PLACES) % len(GROUPS)]
        days = at + 2
        source = f"For infection of the {place}, {group} take cefalexin for {days} days."
        told = days if at < right else 2 * days + 1
        statement = (
            f"{group.capitalize()} take cefalexin for {told} days for infection of the {place}."
        )
        gold: Gold = "supported" if at < right else "contradicted"
        made.append(Pair(str(at), statement, (source,), gold, str(at), "dev"))
    return made


class Agrees:
    """A checker that is always as sure as it is told to be."""

    name, sha256 = "agrees", "a" * 64

    def __init__(self, sure: Sequence[float]) -> None:
        self._sure = iter(sure)

    def judge(self, asked: Sequence[tuple[str, str]]) -> list[Entailed]:
        return [Entailed(next(self._sure)) for _ in asked]


def test_what_was_measured_is_kept_and_heard(tmp_path: Path) -> None:
    told = list(keep(tmp_path, pairs(140, 40), "mine", None, None))
    assert any("regime near: supported from" in line for line in told)
    own = calibration_of(tmp_path)
    near = own.of("near", rules_made_with())
    assert near is not None
    assert near != shipped().of("near", rules_made_with())
    assert near.supported is not None
    assert (near.supported.right, near.supported.total) == (140, 140)
    assert near.measured_on.startswith("kgrag eval mine --calibrate")
    pair = pairs(1, 0)[0]
    found = verify_json(pair.statement, pair.evidence, calibration=own)
    assert found["verdict"] == "supported"
    assert "right in 140 of 140" in found["checks"][-1]["detail"]


def test_where_the_rules_err_too_often_the_regime_is_off_and_says_so(tmp_path: Path) -> None:
    wrong = [
        Pair(p.id, p.statement, p.evidence, "contradicted" if int(p.id) % 5 == 0 else p.gold,
             p.group, p.split)
        for p in pairs(200, 0)
    ]  # fmt: skip
    told = list(keep(tmp_path, wrong, "mine", None, None))
    assert told == ["regime near: no threshold has precision 0.95 by its bound: it is off"]
    pair = pairs(1, 0)[0]
    found = verify_json(pair.statement, pair.evidence, calibration=calibration_of(tmp_path))
    assert (found["verdict"], found["confidence"]) == ("not_enough_info", None)
    assert "off" in found["checks"][-1]["detail"]


def test_too_few_change_nothing(tmp_path: Path) -> None:
    told = list(keep(tmp_path, pairs(60, 10), "mine", None, Agrees([])))
    assert [line.partition(":")[0] for line in told] == ["regime near", "regime entailment"]
    assert not (tmp_path / FILE).exists()


def test_a_kb_measured_with_other_rules_says_that_it_is_not_heard(tmp_path: Path) -> None:
    list(keep(tmp_path, pairs(140, 40), "mine", None, None))
    path = tmp_path / FILE
    value = json.loads(path.read_bytes())
    value["regimes"]["near"]["made_with"] = {"rules": "0"}
    path.write_text(json.dumps(value), encoding="utf-8")
    pair = pairs(1, 0)[0]
    found = verify_json(pair.statement, pair.evidence, calibration=calibration_of(tmp_path))
    assert "is not used" in found["checks"][-1]["detail"]
    assert "right in 140 of 140" not in found["checks"][-1]["detail"]


def paraphrases(count: int) -> list[Pair]:
    made = []
    for at in range(count):
        place = PLACES[at % len(PLACES)]
        source = f"The {place} clinic gives out cefalexin for {at + 2} days."
        statement = f"The {place} clinic dishes out cefalexin for {at + 2} days."
        made.append(Pair(str(at), statement, (source,), "supported", str(at), "dev"))
    return made


def test_a_checker_raises_only_from_where_its_bound_was_met(tmp_path: Path) -> None:
    asked = paraphrases(120)
    assert refused_for_words(asked, None) == asked
    assert refused_for_words(pairs(5, 5), None) == []
    sure = [0.9 + at / 2000 for at in range(120)]
    list(keep(tmp_path, asked, "mine", None, Agrees(sure)))
    own = calibration_of(tmp_path)
    assert own.raises_from(Agrees.sha256) == pytest.approx(0.9, abs=0.01)
    assert own.raises_from("b" * 64) is None
    assert shipped().raises_from(Agrees.sha256) is None
    wrong = [Pair(p.id, p.statement, p.evidence, "contradicted", p.group, p.split) for p in asked]
    told = list(keep(tmp_path, wrong, "mine", None, Agrees(sure)))
    assert "regime entailment: no threshold has precision 0.95 by its bound: it is off" in told
    own = calibration_of(tmp_path)
    assert own.of("entailment", entailment_made_with(Agrees.sha256)) is not None
    assert own.raises_from(Agrees.sha256) is None
