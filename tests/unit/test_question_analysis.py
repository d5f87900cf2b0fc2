"""A question taken apart: intents, patient, time and parts."""

from __future__ import annotations

from dataclasses import fields

import pytest
from mentions_by_hand import mentions

from kgrag.reasoning.analysis import analyse
from kgrag.records.analysis import Stated
from kgrag.records.concepts import Mention


@pytest.mark.parametrize(
    ("question", "main"),
    [
        ("What is (are) gout ?", "definition"),
        ("What causes gout?", "cause"),
        ("What are the symptoms of gout?", "diagnosis"),
        ("How is gout diagnosed?", "diagnosis"),
        ("What is the treatment of gout?", "treatment"),
        ("What is the maximum daily dose of paracetamol?", "dose"),
        ("Is doxycycline contraindicated in pregnancy?", "contraindication"),
        ("Does warfarin interact with aspirin?", "interaction"),
        ("What is the outlook for people with gout?", "prognosis"),
        ("Who should be screened for colorectal cancer?", "screening"),
        ("What is the difference between gout and pseudogout?", "comparison"),
        ("Is Merlin a protein?", "yes_no"),
        ("Number of bones", "other"),
    ],
)
def test_the_main_intent_comes_first(question: str, main: str) -> None:
    assert analyse(question).intents[0] == main


def test_every_stated_thing_holds_its_characters() -> None:
    question = (
        "A 67‑year‑old woman, weighs 154 lb, with CKD stage 4 and Child-Pugh B cirrhosis, 12 weeks "
        "pregnant and breastfeeding, allergic to penicillin: which antibiotic for 7 days?"
    )
    analysis = analyse(question)
    stated = [getattr(analysis.patient, f.name) for f in fields(analysis.patient)]
    flat = [s for each in stated for s in (each if isinstance(each, tuple) else (each,))]
    found = [s for s in (*flat, analysis.time) if s is not None]
    assert len(found) == 10
    for one in found:
        assert isinstance(one, Stated)
        assert question[one.start : one.end] == one.text


def test_parts_can_be_asked_alone() -> None:
    assert analyse("What is gout and how is it treated?").parts == (
        "What is gout?",
        "How is gout treated?",
    )
    whole = "What is the treatment of hypertension and diabetes?"
    assert analyse(whole).parts == (whole,)


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "What are the causes, symptoms and treatment of asthma?",
            (
                "What are the causes of asthma?",
                "What are the symptoms of asthma?",
                "What is the treatment of asthma?",
            ),
        ),
        (
            "What are the symptoms of measles? How long is it contagious?",
            ("What are the symptoms of measles?", "How long is measles contagious?"),
        ),
        (
            "What causes gout and how can attacks be prevented?",
            ("What causes gout?", "How can attacks be prevented (gout)?"),
        ),
        (
            "Which drug is first-line for migraine, and at what dose is it given?",
            (
                "Which drug is first-line for migraine?",
                "At what dose is the drug given (migraine)?",
            ),
        ),
        (
            "What is Marfan syndrome, and what are its complications?",
            ("What is Marfan syndrome?", "What are Marfan syndrome's complications?"),
        ),
        (
            "Is aspirin better than clopidogrel for stroke prevention?",
            (
                "What is known of aspirin for stroke prevention?",
                "What is known of clopidogrel for stroke prevention?",
            ),
        ),
        (
            "Which is safer in pregnancy: labetalol or lisinopril?",
            (
                "What is known of labetalol in pregnancy?",
                "What is known of lisinopril in pregnancy?",
            ),
        ),
        (
            "What is the difference between type 1 and type 2 diabetes?",
            ("What is type 1 diabetes?", "What is type 2 diabetes?"),
        ),
    ],
)
def test_questions_of_several_parts(question: str, parts: tuple[str, ...]) -> None:
    assert analyse(question).parts == parts


def test_the_story_goes_with_each_of_its_questions() -> None:
    parts = analyse(
        "A 30-year-old woman has cystitis. Which antibiotic is recommended? How long is it taken?"
    ).parts
    assert len(parts) == 2
    assert all(part.startswith("A 30-year-old woman has cystitis. ") for part in parts)


@pytest.mark.parametrize(
    "question",
    [
        "Who and when should be screened for colorectal cancer?",
        "How and why is warfarin monitored?",
        "Can I take ibuprofen and paracetamol together?",
        "What is known about the link between smoking and lung cancer?",
        "What are the benefits and harms of screening for prostate cancer?",
        "Is it safe to take ibuprofen and drink alcohol?",
        "What should I know about how statins work?",
        "What is the dose of amoxicillin and clavulanate for otitis media?",
        "List the drugs that lower potassium and which are taken daily",
        "A 45-year-old man has chest pain and a cough. What is the likely diagnosis?",
    ],
)
def test_one_question_is_not_split(question: str) -> None:
    assert analyse(question).parts == (question,)


@pytest.mark.parametrize(
    ("question", "value", "unit"),
    [
        ("Was the guideline changed in 2019?", "2019", None),
        ("What was recommended on 3 March 2021?", "2021-03-03", None),
        ("Was it approved since 2020-05?", "2020-05", None),
        ("Can I take it for 7 days?", 7.0, "d"),
        ("A 3-year history of cough in a smoker.", 3.0, "a"),
        ("What is the 2016 CDC guideline on opioids?", "2016", None),
    ],
)
def test_time(question: str, value: float | str, unit: str | None) -> None:
    time = analyse(question).time
    assert time is not None
    assert (time.value, time.unit) == (value, unit)


@pytest.mark.parametrize(
    "question", ["A 67-year-old man", "Is 2000 mg too much?", "How is gout treated?"]
)
def test_no_time(question: str) -> None:
    assert analyse(question).time is None


PATIENTS = [
    ("My mother is 70. Can she take ibuprofen?", "age", 70.0),
    ("I am 45 and my mother died at 50.", "age", 45.0),
    ("A woman in her 70s", "age", "70-79"),
    ("Should children be screened?", "age", "child"),
    ("She was diagnosed with asthma at age 12.", "age", None),
    ("What is the 5-year survival?", "age", None),
    ("Is Child-Pugh C a contraindication?", "age", None),
    ("A 67F with gout", "sex", "female"),
    ("Men and women with gout", "sex", None),
    ("I am pregnant", "pregnant", True),
    ("She is not pregnant", "pregnant", False),
    ("If I get pregnant, can I fly?", "pregnant", None),
    ("We are trying to get pregnant", "pregnant", None),
    ("My sister is pregnant. I am 30. Can I be vaccinated?", "pregnant", None),
    ("A patient of 154 lb weight", "weight", None),
    ("He weighs 154 lb", "weight", 69.85),
    ("She lost 10 kg", "weight", None),
    ("Give 15 mg/kg", "weight", None),
    ("eGFR is 25 mL/min/1.73 m2", "renal", 25.0),
    ("creatinine 2.1 mg/dL", "renal", 2.1),
    ("He has stage 3b CKD", "renal", "CKD stage 3b"),
    ("no renal impairment", "renal", None),
    ("She has Child-Pugh B cirrhosis", "hepatic", "Child-Pugh B"),
    ("I am not breastfeeding", "breastfeeding", False),
]


@pytest.mark.parametrize(("question", "fact", "value"), PATIENTS)
def test_patient_facts(question: str, fact: str, value: float | str | bool | None) -> None:
    stated = getattr(analyse(question).patient, fact)
    assert (None if stated is None else stated.value) == value


def test_groups_are_told_from_patients() -> None:
    of = {q: analyse(q).patient.age for q in ("Should children be screened?", "My 4-year-old son")}
    assert [age and age.of for age in of.values()] == ["population", "patient"]


class _Names:
    """Links the names of ``mentions_by_hand``."""

    def link(self, text: str) -> tuple[Mention, ...]:
        return tuple(mentions(text))


@pytest.mark.parametrize(
    ("question", "taken"),
    [
        ("Can a patient on warfarin take aspirin?", ["warfarin"]),
        ("Can patients who take warfarin use aspirin?", ["warfarin"]),
        ("Should people taking metformin take sitagliptin?", ["metformin"]),
        ("What should adults on warfarin avoid?", ["warfarin"]),
        ("Which antibiotic can a man prescribed warfarin be given?", ["warfarin"]),
        ("How are patients on warfarin treated?", ["warfarin"]),
        ("He is on warfarin and takes metformin. Can he take aspirin?", ["warfarin", "metformin"]),
        ("My mother takes warfarin; can she take aspirin?", ["warfarin"]),
        ("Should a pregnant woman take aspirin?", []),
        ("Should patients be on aspirin?", []),
        ("Should a 5 year old child be treated with aspirin?", []),
        ("Can she take aspirin with her tea?", []),
    ],
)
def test_what_is_asked_about_is_not_what_is_taken(question: str, taken: list[str]) -> None:
    assert [m.text for m in analyse(question, _Names()).patient.medicines] == taken


def test_allergies_are_the_patients_own() -> None:
    assert [a.value for a in analyse("Allergic to penicillin and latex").patient.allergies] == [
        "penicillin",
        "latex",
    ]
    assert analyse("No known drug allergies").patient.allergies == ()
    of_one = analyse("Is amoxicillin used in a patient allergic to penicillin?").patient.allergies
    assert [a.value for a in of_one] == ["penicillin"]
    unknown = analyse("A woman allergic to newdrug has gout. What helps?").patient.allergies
    assert [a.value for a in unknown] == ["newdrug"]
    assert analyse("I am 30. My brother is allergic to penicillin.").patient.allergies == ()
