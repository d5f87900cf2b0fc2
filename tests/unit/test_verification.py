"""Checks of statements: what must pass, what must fail, and that nothing passes unchecked."""

from __future__ import annotations

import pytest

from kgrag.errors import DataError
from kgrag.verification import verify_json
from kgrag.verification.quotes import find_quote, whole_sentences
from kgrag.verification.units import has_dose, quantities
from kgrag.verification.verdict import check_question, judge_by_rules, verify_statement

EVIDENCE = [
    "Give amoxicillin 500 mg three times a day for 5 days. Warfarin is not recommended in "
    "pregnancy. Smoking is associated with poor outcomes. Adults aged 50 to 80 years may be "
    "offered annual screening with low-dose CT. Treatment reduces the risk of stroke."
]


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        ("Give amoxicillin 500 mg three times a day for 5 days.", "supported"),
        ("Give amoxicillin 0.5 g three times a day for 5 days.", "supported"),
        ("Give amoxicillin 250 mg three times a day for 5 days.", "contradicted"),
        ("Give amoxicillin 500 g three times a day for 5 days.", "contradicted"),
        ("Warfarin is recommended in pregnancy.", "contradicted"),
        ("recommended in pregnancy", "contradicted"),
        ("Treatment increases the risk of stroke.", "contradicted"),
        ("Smoking causes poor outcomes.", "not_enough_info"),
        ("Give doxycycline.", "not_enough_info"),
        ("Adults aged 50 to 80 years must be offered annual screening.", "not_enough_info"),
        ("Children may be offered annual screening with low-dose CT.", "contradicted"),
    ],
)
def test_verdicts(statement: str, verdict: str) -> None:
    assert judge_by_rules(statement, EVIDENCE).verdict == verdict


@pytest.mark.parametrize("evidence", [[], [""], ["  \n "], ["..."]])
def test_no_evidence_is_never_support(evidence: list[str]) -> None:
    result = verify_statement("Aspirin helps.", evidence)
    assert result.verdict == "not_enough_info"
    assert any(c.result == "fail" for c in result.checks)


def test_empty_and_giant_statements_are_refused() -> None:
    with pytest.raises(DataError):
        verify_statement(" ", EVIDENCE)
    with pytest.raises(DataError):
        verify_statement("a" * 300_000, EVIDENCE)


def test_json_has_the_fields_of_the_contract() -> None:
    record = verify_json("Warfarin is recommended in pregnancy.", EVIDENCE)
    assert set(record) == {"verdict", "confidence", "checks"}


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("beta-blocker", "a beta‑blocker is"),
        ("5 mg", "give 5\u2009mg now"),
        ("10 µg", "take 10 μg"),
        ("TNF-α", "anti TNF–Α here"),
        ("first line", "first\u00a0line therapy"),
    ],
)
def test_other_code_points_are_the_same_words(quote: str, text: str) -> None:
    span = find_quote(quote, text)
    assert span is not None
    assert span.of(text).lower().split() != []


@pytest.mark.parametrize(
    ("quote", "text"),
    [("0.5 mg", "give 10.5 mg"), ("5 mg", "give 0.5 mg"), ("5 mg", "2,5 mg"), ("art", "heart"),
     ("", "text"), ("102", "10² kg")],
)  # fmt: skip
def test_look_alikes_are_not_found(quote: str, text: str) -> None:
    assert find_quote(quote, text) is None


def test_units_convert() -> None:
    one, other = quantities("500 mg")[0], quantities("0.5 g")[0]
    assert one.same(other)
    assert not one.same(quantities("500 μg")[0])
    assert quantities("1 g every 8 hours")[0].same(quantities("3 g per day")[0])
    assert quantities("0.3")[0].low == 0.3  # no value between 0 and 1 is dropped
    assert quantities("65 years or older")[0].high == float("inf")


@pytest.mark.parametrize(("text", "expected"), [
    ("500 mg twice daily", True), ("2 tablets", True), ("5 mg/kg", True),
    ("aged 65 years", False), ("140 mmHg", False), ("type 2 diabetes", False),
])  # fmt: skip
def test_doses(text: str, expected: bool) -> None:
    assert has_dose(text) is expected


def test_population_of_the_question() -> None:
    assert check_question("dose for children", "Adults take 5 mg.")[0].result == "fail"
    assert check_question("dose for children", "Take 5 mg.", "Adults")[0].result == "fail"
    assert check_question("dose for children", "Children take 5 mg.", "Adults")[0].result == "pass"
    assert check_question("dose of x", "Adults take 5 mg.")[0].result == "not_applicable"
    begins = "The panel recommends screening starting at age 40 years."
    assert check_question("a woman aged 45 years", begins)[0].result == "not_applicable"
    ages = check_question("a woman aged 20 years", "Screen women aged 50 to 74 years.")
    assert ages[0].result == "fail"


def test_whole_sentences() -> None:
    text = "One is here. Two is here."
    assert whole_sentences(text, 0, 12)
    assert not whole_sentences(text, 0, 10)
    assert not whole_sentences(text, 4, 12)
