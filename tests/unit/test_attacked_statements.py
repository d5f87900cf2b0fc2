"""Statements that say another thing than their evidence in nearly its own words, one a line.

Each was written as an attack on the rules: what a reader would take for the same sentence at a
glance. Their true twins, light rewrites, stand in a list of their own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrag.verification.verdict import judge_by_rules, verify_statement

BEHIND = " Other care is described below."


def _pairs(name: str) -> list[tuple[str, str]]:
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    rows = [line.split(" || ") for line in lines if not line.startswith("#")]
    return [(evidence, statement) for evidence, statement in rows]


ATTACKS = _pairs("attacked_statements.txt")
REWRITES = _pairs("rewritten_statements.txt")


def test_the_lists_are_there() -> None:
    assert len(ATTACKS) > 350
    assert len(REWRITES) > 60


@pytest.mark.parametrize(("evidence", "statement"), ATTACKS)
def test_another_meaning_is_never_supported(evidence: str, statement: str) -> None:
    assert judge_by_rules(statement, [evidence + BEHIND]).verdict != "supported"
    assert verify_statement(statement, [evidence + BEHIND]).verdict != "supported"


@pytest.mark.parametrize(("evidence", "statement"), REWRITES)
def test_the_same_meaning_is_supported(evidence: str, statement: str) -> None:
    found = judge_by_rules(statement, [evidence + BEHIND])
    assert found.verdict == "supported", [c for c in found.checks if c.result == "fail"]
