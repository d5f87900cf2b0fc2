"""Whether a quotation is of what is asked: drug, condition, severity; and states anything."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kgrag.reasoning.analysis import analyse
from kgrag.reasoning.meets import meets, no_statement
from kgrag.records.concepts import Mention

NAMES: dict[str, Any] = {
         "metformin": "drug", "warfarin": "drug", "amoxicillin": "drug", "valproate": "drug",
         "lisinopril": "drug", "cystitis": "disease", "pneumonia": "disease",
         "malaria": "disease", "pregnancy": "other"}  # fmt: skip


class Words:
    """Finds a few names; the concept is the name."""

    def link(self, text: str, start: int = 0, end: int | None = None) -> tuple[Mention, ...]:
        return tuple(
            Mention(m.start(), m.end(), m[0], m[0].lower(), NAMES[m[0].lower()])
            for m in re.finditer("|".join(NAMES), text, re.IGNORECASE)
        )


class Concepts:
    """Every name is a concept."""

    def concept(self, curie: str) -> object:
        raise NotImplementedError

    def __contains__(self, curie: object) -> bool:
        return False


def results(question: str, text: str, *place: str) -> dict[str, str]:
    analysis = analyse(question, Words(), Concepts(), seeds=())  # type: ignore[arg-type]
    return {c.layer: c.result for c in meets(question, analysis, text, place, Words())}


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("What is the dose of metformin?", "Metformin 500 mg daily.", {"drug": "pass"}),
        ("What is the dose of metformin?", "Warfarin 5 mg daily.", {"drug": "fail"}),
        ("He takes warfarin. What dose of antibiotic?", "Amoxicillin 500 mg.", {}),
        ("What is the dose in cystitis?", "Drug: X; Indication: Cystitis; Dose: 100 mg",
         {"indication": "pass"}),
        ("What is the dose in cystitis?", "Drug: X; Indication: Pneumonia; Dose: 100 mg",
         {"indication": "fail"}),
        ("What is the dose in cystitis?", "Drug: X; Dose: 100 mg; Note: not in pneumonia", {}),
        ("What is the dose of metformin?",
         "Metformin daily dose (mg): all; Intervention arm: 1450 (795); Standard arm: 1525",
         {"dose": "fail"}),
        ("What is the dose of metformin?", "Age group: adults; Metformin: 500 mg",
         {"drug": "pass"}),
        ("He takes warfarin. Is metformin used?", "Warfarin is given daily.", {"drug": "fail"}),
        ("He takes warfarin. Is metformin used?", "Metformin and warfarin are given.", {}),
        ("He takes warfarin. Is metformin used?", "Warfarin and valproate interact.",
         {"drug": "fail"}),
        ("He takes warfarin. Is lisinopril used?", "Warfarin goes with ACE inhibitors.", {}),
        ("He takes warfarin. What is used?", "Warfarin is given daily.", {}),
        ("When is valproate contraindicated?", "Warfarin is contraindicated in pregnancy.",
         {"drug": "fail"}),
        ("When is valproate contraindicated?", "Valproate harms; so does warfarin.",
         {"drug": "pass"}),
        ("Are ACE inhibitors contraindicated in pregnancy?", "Lisinopril is contraindicated.",
         {"drug": "pass"}),
        ("Are ACE inhibitors contraindicated in pregnancy?", "Warfarin is contraindicated.",
         {"drug": "fail"}),
        ("What is the treatment of severe malaria?", "In uncomplicated malaria give tablets.",
         {"severity": "fail"}),
        ("What is the treatment of severe malaria?", "In severe malaria give injections.",
         {"severity": "pass"}),
        ("What is the treatment of severe malaria?",
         "Severe malaria needs injections, uncomplicated malaria tablets.", {"severity": "pass"}),
        ("What is the treatment of mild pneumonia?", "Severe pneumonia needs a hospital.",
         {"severity": "fail"}),
        ("What is the treatment of malaria?", "In uncomplicated malaria give tablets.", {}),
        ("What is the treatment of severe malaria?", "Malaria is treated.", {}),
    ],
)  # fmt: skip
def test_a_quotation_is_of_what_is_asked(
    question: str, text: str, expected: dict[str, str]
) -> None:
    assert results(question, text) == expected


def test_a_heading_may_name_the_drug() -> None:
    question, text = "When is valproate contraindicated?", "So is warfarin, in pregnancy."
    assert results(question, text) == {"drug": "fail"}
    assert results(question, text, "Valproate") == {"drug": "pass"}


@pytest.mark.parametrize(
    "text",
    [
        "Martinez, J., Kahana, D., Ghuman, S., & Wilson, H. (2021).",
        "Insulin and diabetes, a review of trials. N Engl J 2010;12(3):345-9",
        "By the end of this section, you should be able to describe the treatment of diabetes.",
        "In anaphylaxis, it is administered as an inhaled nebulizer treatment.",
    ],
)
def test_references_plans_and_unnamed_things_are_no_statements(text: str) -> None:
    assert no_statement(text)


@pytest.mark.parametrize(
    "text",
    [
        "Smith, J., found that insulin helps (Hall, K., 2021).",
        "In anaphylaxis, adrenaline is given at once; it is injected into the thigh.",
        "It is given once daily.",
        "2018;38:1442-1454), which substantially changed the evidence of the drug in migraine.",
    ],
)
def test_others_may_be(text: str) -> None:
    assert not no_statement(text)
