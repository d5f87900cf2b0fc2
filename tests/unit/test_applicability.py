"""Whether a source's words are for the patient whom a question tells of."""

from __future__ import annotations

import pytest

from kgrag.reasoning.analysis import analyse
from kgrag.reasoning.applicability import Applicability, judge
from kgrag.reasoning.drug_classes import drug_classes, spoken_against
from kgrag.reasoning.follow_up import MOST, questions
from kgrag.reasoning.notices import notice
from kgrag.reasoning.persons import impersonal
from kgrag.reasoning.populations import warns
from kgrag.records.analysis import Patient

WOMAN = "A 67-year-old woman with hypertension"
MAN = "A 30-year-old man with acne"
EXPECTING = "A 30-year-old pregnant woman with acne"
CHILD = "My 4-year-old son has an ear infection"

CASES = [
    # question, text, place, result, fact
    (WOMAN, "Screen for depression in adults aged 18 to 49 years.", (), "not_applicable", "age"),
    (WOMAN, "Screen for depression in adults.", (), "applies", "age"),
    (WOMAN, "Screen adults 65 years or older.", (), "applies", "age"),
    (WOMAN, "Screening is recommended.", ("Depression in Children: Screening",),
     "not_applicable", "age"),
    (WOMAN, "Screen children and adults.", (), "applies", "age"),
    (WOMAN, "The disorder begins in childhood or later.", (), "unknown", ""),
    (CHILD, "Give amoxicillin to children under 5 years.", (), "applies", "age"),
    (CHILD, "Adults take 500 mg three times daily.", (), "not_applicable", "age"),
    (CHILD, "Propranolol is used.", ("Asthma in adults",), "not_applicable", "age"),
    (CHILD, "Propranolol is contraindicated in asthma.", ("Asthma in adults",), "unknown", ""),
    (CHILD, "Children: 250 mg. Adults: 500 mg.", (), "applies", "age"),
    (CHILD, "6 - 12 years: 480 mg every 12 hours", (), "not_applicable", "age"),
    ("A child of 8 years", "6 - 12 years: 480 mg every 12 hours", (), "applies", "age"),
    (CHILD, "1-5 years 1 mg; 6-12 years 2 mg", (), "applies", "age"),
    (CHILD, "Follow up: 6-12 years, then stop.", (), "unknown", ""),
    (MAN, "Screen women 24 years or younger and women 25 years or older.", (),
     "not_applicable", "sex"),
    ("A 30-year-old woman", "Offer support.", ("Pregnant women, mothers, and their children",),
     "applies", "sex"),
    ("A 55-year-old man", "Screen older adults.", (), "applies", "age"),
    ("A 17-year-old boy", "Adults take 500 mg three times daily.", (), "applies", "age"),
    ("A woman in her 70s", "Vaccinate people aged 75 years and older.", (), "unknown", ""),
    ("A woman in her 70s", "Vaccinate people aged 60 years and older.", (), "applies", "age"),
    ("A woman in her 70s", "Vaccinate people younger than 50.", (), "not_applicable", "age"),
    (MAN, "Screen women for osteoporosis.", (), "not_applicable", "sex"),
    (MAN, "Men are affected more often than women.", (), "unknown", ""),
    (EXPECTING, "Doxycycline should be avoided in pregnancy.", (), "applies", "pregnant"),
    (MAN, "Doxycycline should be avoided in pregnancy.", (), "not_applicable", "pregnant"),
    (WOMAN, "Doxycycline should be avoided in pregnancy.", (), "not_applicable", "pregnant"),
    (EXPECTING, "Statins are recommended in nonpregnant adults.", (), "not_applicable", "pregnant"),
    (EXPECTING, "Use it except in pregnancy.", (), "not_applicable", "pregnant"),
    (MAN, "Screen all adults, including pregnant women.", (), "applies", "age"),
    (MAN, "Doxycycline 100 mg daily is recommended; avoid in pregnancy.", (), "unknown", ""),
    (MAN, "Vaccinate adults and pregnant women.", (), "applies", "age"),
    ("A woman 8 weeks pregnant", "Vaccinate in the second or third trimester.", (),
     "not_applicable", "gestation"),
    ("A woman 30 weeks pregnant", "Vaccinate in the second or third trimester.", (),
     "applies", "gestation"),
    ("A man with eGFR 25", "Metformin is contraindicated if eGFR is below 30 mL/min.", (),
     "applies", "renal"),
    ("A man with eGFR 60", "Metformin is contraindicated if eGFR is below 30 mL/min.", (),
     "not_applicable", "renal"),
    ("A man with CKD stage 4", "Give 50 mg when creatinine clearance is 30 to 60 mL/min.", (),
     "not_applicable", "renal"),
    ("A man on hemodialysis", "Avoid in patients with severe renal impairment.", (),
     "applies", "renal"),
    ("A man with creatinine 2.1 mg/dL", "Avoid if eGFR is below 30 mL/min.", (), "unknown", ""),
    ("A man with Child-Pugh C cirrhosis", "Use in Child-Pugh class A or B.", (),
     "not_applicable", "hepatic"),
    ("A man allergic to penicillin", "Amoxicillin 1 g daily is recommended.", (),
     "not_applicable", "allergies"),
    ("A man allergic to penicillin", "Use doxycycline if allergic to penicillin.", (),
     "unknown", ""),
    ("A man allergic to penicillin", "Do not give amoxicillin with methotrexate.", (),
     "unknown", ""),
    ("A man allergic to penicillin", "Azithromycin is recommended.", (), "unknown", ""),
    ("A man allergic to penicillin",
     "Drug: Amoxicillin; Indication: Pneumonia; Adult dose: 500 mg; Duration: 5 days", (),
     "not_applicable", "allergies"),
    ("A man allergic to penicillin",
     "Drug: Doxycycline; Indication: Pneumonia in penicillin allergy; Dose: 100 mg", (),
     "unknown", ""),
    ("A man allergic to penicillin", "Use of amoxicillin can cause a rash.", (), "unknown", ""),
    ("A man with sulfa allergy", "Treat with trimethoprim-sulfamethoxazole.", (),
     "not_applicable", "allergies"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "text", "place", "result", "fact"), CASES)
def test_only_a_clear_conflict_excludes(
    question: str, text: str, place: tuple[str, ...], result: str, fact: str
) -> None:
    judged = judge(analyse(question).patient, text, place)
    assert (judged.result, judged.fact) == (result, fact), judged


def test_an_allergy_names_both_substances() -> None:
    patient = analyse("A man allergic to penicillin").patient
    reason = judge(patient, "Amoxicillin 1 g daily is recommended.").reason
    assert "Amoxicillin (penicillins)" in reason
    assert "allergy to penicillin" in reason


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Avoid in pregnancy.", ("pregnant",)),
        ("Reduce the dose if eGFR is below 30 mL/min.", ("renal",)),
        ("Children under 5 years take 250 mg.", ("age",)),
        ("Give 15 mg/kg every 6 hours.", ("weight",)),
        ("Use doxycycline in patients allergic to penicillin.", ("allergies",)),
        ("Give 500 mg to adults.", ()),
        ("Give 500 mg.", ()),
    ],
)
def test_what_is_not_told_is_named(text: str, missing: tuple[str, ...]) -> None:
    assert judge(Patient(), text).missing == missing


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("Is metformin used in a woman with no known allergies?", "allergies"),
        ("Is metformin used in a woman without kidney disease?", "renal"),
        ("What dose is used with normal renal function?", "renal"),
        ("Is metformin used in a man with no liver disease?", "hepatic"),
        ("A woman who takes no other medicines: what is the dose?", "medicines"),
    ],
)
def test_what_is_denied_is_not_asked_back(question: str, fact: str) -> None:
    judged = [Applicability("unknown", missing=(fact,))]
    assert questions(analyse(question), judged) == ()
    plain = analyse("What is the dose of metformin?")
    assert questions(plain, judged) == (notice(f"ask_{fact}"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Avoid in pregnancy.", True),
        ("It is not recommended in children.", True),
        ("Must not be used.", True),
        ("Metformin is not contraindicated in heart failure.", False),
        ("Treatment should not be delayed.", False),
        ("It is safe in pregnancy.", False),
    ],
)
def test_warnings(text: str, expected: bool) -> None:
    assert warns(text) is expected


def test_at_most_three_questions_and_only_where_something_depends() -> None:
    analysis = analyse("What is the treatment of a urinary infection?")
    pieces = [
        "Nitrofurantoin 100 mg; avoid if eGFR is below 45 mL/min.",
        "Avoid it in pregnancy.",
        "Children under 12 years take 3 mg/kg.",
        "Use fosfomycin in patients allergic to penicillin.",
    ]
    judged = [judge(analysis.patient, piece) for piece in pieces]
    asked = questions(analysis, judged)
    assert len(asked) == MOST
    assert asked[0] == notice("ask_pregnant")
    assert questions(analysis, [judge(analysis.patient, "Drink more.")]) == ()
    assert questions(analyse("What is cystitis?"), judged) == ()
    assert questions(analyse("Who should be treated for cystitis?"), judged) == ()


def test_what_is_told_is_not_asked() -> None:
    analysis = analyse("What is the dose of metformin for a 50-year-old man with eGFR 50?")
    piece = "Reduce the dose in adults over 65 or if eGFR is below 45 mL/min."
    assert questions(analysis, [judge(analysis.patient, piece)]) == ()


def test_the_table_of_classes_is_lower_case_and_reaches_both_ways() -> None:
    for group in drug_classes():
        assert group.of and group.names
        assert all(name == name.lower() for name in group.of | group.names)
    assert "amoxicillin" in spoken_against("penicillin")
    assert "penicillins" in spoken_against("amoxicillin")
    assert set(spoken_against("peanut")) == {"peanut"}


@pytest.mark.parametrize(
    ("age", "text", "result"),
    [
        (45, "The panel recommends mammography starting at age 40 years.", "applies"),
        (30, "The panel recommends mammography starting at age 40 years.", "not_applicable"),
        (60, "Screening should begin at age 45 years and end at age 75 years.", "applies"),
        (80, "Screening should begin at age 45 years and end at age 75 years.", "not_applicable"),
        (70, "Continue screening until age 65 years.", "not_applicable"),
        (12, "Screen young people from birth to 21 years of age.", "applies"),
        (9, "Give the vaccine from birth to 6 years.", "not_applicable"),
        (30, "In this disease pain often starts at age 50.", "unknown"),
    ],
)
def test_ages_from_and_until_which_something_is_advised(age: int, text: str, result: str) -> None:
    patient = analyse(f"What is advised for a {age}-year-old?").patient
    assert judge(patient, text).result == result


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("My 70-year-old mother has gout. What helps?", "My has gout. What helps?"),
        ("A man of 80 kg with asthma: what dose?", "A of with asthma: what dose?"),
        ("What dose for children under 5 with pneumonia?",) * 2,  # asked about, told of nobody
        ("What helps a pregnant woman with gonorrhoea?", "What helps a pregnant with gonorrhoea?"),
    ],
)
def test_a_question_is_matched_without_who_asks(question: str, left: str) -> None:
    assert impersonal(question, analyse(question).patient) == left
