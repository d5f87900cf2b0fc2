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


def test_a_row_of_a_table_gives_its_dose_to_no_other_row() -> None:
    rows = "Drug: Aspirin; Dose: 5 mg\nDrug: Ibuprofen; Dose: 10 mg"
    assert verify_statement("Drug: Aspirin; Dose: 5 mg", [rows]).verdict == "supported"
    for said in ("Drug: Aspirin; Dose: 10 mg", "Aspirin; dose: 10 mg",
                 "The dose of aspirin is 10 mg."):  # fmt: skip
        assert judge_by_rules(said, [rows]).verdict != "supported"


@pytest.mark.parametrize("mark", ["\u0336", "\u0338", "\u20d2"])
def test_what_is_struck_out_is_not_read_as_if_it_stood(mark: str) -> None:
    struck = "".join(c + mark for c in "safe")
    assert judge_by_rules(f"Aspirin is {struck}.", ["Aspirin is safe."]).verdict != "supported"
