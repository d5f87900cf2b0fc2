"""What a warning among the evidence says of an advice, for the patient whom a question tells of."""

from __future__ import annotations

import re

import pytest

from kgrag.reasoning.analysis import analyse
from kgrag.reasoning.forbidding import Caution, falls_with, forbids
from kgrag.records.analysis import Patient, Stated
from kgrag.records.concepts import Mention

EXPECTING = "A 30-year-old pregnant woman with acne"
MAN = "A 30-year-old man with acne"
DRUGS = ("propranolol", "metformin", "aspirin", "warfarin", "ibuprofen", "buprenorphine",
         "gliclazide")  # fmt: skip
DISEASES = ("asthma", "migraine", "opioid use disorder", "diabetes")


class Words:
    """Finds a few names; the concept is the name."""

    def link(self, text: str, start: int = 0, end: int | None = None) -> tuple[Mention, ...]:
        return tuple(
            Mention(m.start(), m.end(), m[0], m[0].lower(),
                    "drug" if m[0].lower() in DRUGS else "disease")
            for m in re.finditer("|".join((*DRUGS, *DISEASES)), text, re.IGNORECASE)
        )  # fmt: skip


def said(question: str, advice: str, warning: str, place: tuple[str, ...] = ()) -> Caution:
    patient = analyse(question).patient
    return forbids(patient, advice, warning, place, linker=Words())


def with_condition(name: str) -> Patient:
    return Patient(conditions=(Stated(name, name, 0, len(name), concept=name),))


def test_a_warning_forbids_only_whom_it_warns() -> None:
    advice = "Doxycycline 100 mg daily is recommended for acne."
    warning = "Tetracyclines are contraindicated in pregnancy."
    assert "pregnancy" in said(EXPECTING, advice, warning).reason
    assert said(MAN, advice, warning) == Caution()
    assert said(EXPECTING, advice, "Statins must not be used in pregnancy.") == Caution()
    assert said(EXPECTING, warning, warning) == Caution()


def test_a_warning_of_what_is_taken_is_against_the_other_medicine() -> None:
    takes = Patient(medicines=(Stated("warfarin", "warfarin", 7, 15),))
    warning = "Avoid ibuprofen in patients taking warfarin."
    monitored = "Warfarin should be monitored with the INR every week."
    assert forbids(takes, monitored, warning).reason == ""
    assert "ibuprofen" in forbids(takes, "Ibuprofen is recommended for the pain.", warning).reason


def test_the_reason_is_the_warning_and_not_that_the_patient_is_another() -> None:
    takes = Patient(medicines=(Stated("warfarin", "warfarin", 7, 15),))
    warning = "Do not give ibuprofen to patients who take warfarin."
    found = forbids(takes, "Ibuprofen is recommended for the pain.", warning)
    assert found.reason == (
        "ibuprofen: the source warns of it for use with warfarin, which the patient takes"
    )
    kidneys = "In adults with an eGFR below 30 mL/min, do not give ibuprofen."
    told = said("A man with an eGFR of 25 mL/min", "Ibuprofen is recommended.", kidneys).reason
    assert "warns of it for a kidney function below 30 mL/min" in told


def test_advice_that_is_made_for_just_these_people_stands() -> None:
    warning = "Opioids should be avoided in pregnancy."
    for advice in (
        "For pregnant people with opioid use disorder, buprenorphine should be offered.",
        "People with opioid use disorder should be offered buprenorphine.",
    ):
        assert said(EXPECTING, advice, warning).reason == ""
    assert said(EXPECTING, "Opioids are recommended for severe pain.", warning).reason


def test_sources_that_disagree_about_everybody_forbid_nothing() -> None:
    advice = "Low-dose aspirin is recommended for the prevention of infarction."
    against = "Aspirin should not be used for the prevention of infarction in adults."
    assert said("Is aspirin recommended in adults?", advice, against).reason == ""
    old = "Aspirin should not be started in adults aged 70 years or older."
    assert said("A 75-year-old man", advice, old).reason


def test_a_degree_of_impairment_is_met_by_its_figure_and_by_its_word() -> None:
    advice = "Metformin is recommended as first-line treatment."
    for warning in (
        "Metformin is contraindicated when eGFR is below 30 mL/min.",
        "Metformin is contraindicated in severe renal impairment.",
    ):
        assert said("A woman with severe renal impairment", advice, warning).reason
        assert said("A woman with an eGFR of 22 mL/min", advice, warning).reason
        assert said("A woman with mild renal impairment", advice, warning) == Caution()


def test_a_condition_in_which_it_must_not_be_used_forbids_it() -> None:
    advice = "Propranolol is recommended for the prevention of migraine."
    asthma, migraine = with_condition("asthma"), with_condition("migraine")
    for warning in (
        "Propranolol is contraindicated in asthma.",
        "In patients with asthma, propranolol should be avoided.",
        "Propranolol can lower the pulse. It should not be used in people with asthma.",
    ):
        assert "asthma" in forbids(asthma, advice, warning, linker=Words()).reason
        assert forbids(migraine, advice, warning, linker=Words()).reason == ""
    for harmless in (
        "Propranolol is not recommended for the treatment of asthma.",
        "Propranolol should not be used unless in asthma.",
        "Ibuprofen is contraindicated in asthma.",
    ):
        assert forbids(asthma, advice, harmless, linker=Words()).reason == ""
    # What the advice itself is about is a disagreement of sources.
    other = "Propranolol should not be used in migraine."
    assert forbids(migraine, advice, other, linker=Words()).reason == ""


def test_each_sentence_warns_of_its_own_medicine() -> None:
    advice = "Metformin is recommended as first-line treatment."
    warning = "Metformin is given with food. Gliclazide should be avoided in pregnancy."
    assert said(EXPECTING, advice, warning).reason == ""
    assert said(EXPECTING, "Gliclazide 40 mg is used.", warning).reason
    assert said(EXPECTING, advice, "Metformin is cheap. Avoid it in pregnancy.").reason


def test_a_heading_adds_nothing_to_a_warning_that_says_for_whom() -> None:
    advice = "Metformin is recommended as first-line treatment."
    place = ("Cautions", "Kidney and pregnancy")
    own = "Metformin should not be used in severe renal impairment."
    assert said(EXPECTING, advice, own, place) == Caution("", ("renal",))
    assert said(EXPECTING, advice, "Metformin should not be used.", place).reason


def test_advice_for_the_allergic_may_be_forbidden_too() -> None:
    advice = "Doxycycline is used to treat pneumonia in patients with penicillin allergy."
    assert said(EXPECTING, advice, "Doxycycline is contraindicated in pregnancy.").reason


def test_what_nobody_told_is_named() -> None:
    advice = "Metformin is recommended as first-line treatment."
    warning = "Metformin is contraindicated when eGFR is below 30 mL/min."
    assert said(MAN, advice, warning) == Caution("", ("renal",))
    assert said("A man with eGFR 60", advice, warning) == Caution()
    assert said(MAN, "Gliclazide 40 mg is used.", warning) == Caution()


def test_what_tells_of_harm_advises_nothing() -> None:
    warning = "Metformin is contraindicated when eGFR is below 30 mL/min."
    harm = "Long-term use of metformin can cause a deficiency."
    assert said("A man with eGFR 20", harm, warning).reason == ""


@pytest.mark.parametrize(
    ("question", "fact", "advice", "other", "near", "expected"),
    [
        (EXPECTING, "pregnant", "Metformin is recommended in women who are not pregnant.",
         "Drug: Metformin; Dose: 500 mg twice daily", False, True),
        (EXPECTING, "pregnant", "Metformin is recommended in women who are not pregnant.",
         "Drug: Gliclazide; Dose: 40 mg once daily", False, False),
        (EXPECTING, "pregnant", "Metformin is recommended in women who are not pregnant.",
         "The dose is 500 mg twice daily.", True, True),
        (EXPECTING, "pregnant", "Metformin is recommended in women who are not pregnant.",
         "Metformin should be avoided in acidosis.", False, False),
        (MAN, "pregnant", "Metformin is recommended in pregnancy.",
         "Drug: Metformin; Dose: 500 mg twice daily", False, False),
        ("A 6-year-old boy", "age", "Metformin is recommended in adults.",
         "Drug: Metformin; Dose: 500 mg twice daily", False, True),
        (MAN, "age", "Metformin is recommended in children.",
         "Drug: Metformin; Dose: 500 mg twice daily", False, False),
        ("A man with eGFR 90", "renal", "Metformin 250 mg is used when eGFR is below 30 mL/min.",
         "Drug: Metformin; Dose: 500 mg twice daily", False, False),
        ("A man with eGFR 20", "renal", "Metformin is used when eGFR is above 45 mL/min.",
         "Drug: Metformin; Dose: 500 mg twice daily", False, True),
    ],
)  # fmt: skip
def test_what_goes_with_advice_for_others_goes_with_it(
    question: str, fact: str, advice: str, other: str, near: bool, expected: bool
) -> None:
    patient = analyse(question).patient
    assert falls_with(patient, fact, advice, other, near, Words()) is expected
