"""Edits that the rules must catch and light rewrites that they must pass; own sentences."""

from __future__ import annotations

import random
import time

import pytest

from kgrag.verification.numbers_read import amounts
from kgrag.verification.split import nearness
from kgrag.verification.stems import stem
from kgrag.verification.verdict import judge_by_rules
from kgrag.verification.words import read

BEHIND = " Other care is described below."

TRUE = [
    ("Clinicians should not prescribe A for pain.", "Clinicians shouldn't prescribe A for pain."),
    ("Give paracetamol 1 g every 6 hours.", "Administer acetaminophen 1000 mg four times a day."),
    ("People with chronic kidney disease should avoid the drug.",
     "Patients with CKD should avoid the medicine."),
    ("If symptoms persist for more than two weeks, refer the patient.",
     "Refer the patient if symptoms last longer than 14 days."),
    ("Haemoglobin should be measured at the first antenatal visit.",
     "Hemoglobin should be checked at the first prenatal visit."),
    ("Approximately 25% of affected individuals develop seizures.",
     "About one in four affected people develop seizures."),
    ("Metformin is contraindicated in patients with severe renal impairment.",
     "Metformin should not be used in patients with severe kidney impairment."),
    ("Hypertension is frequently asymptomatic.", "High blood pressure often has no symptoms."),
    ("The pain is relieved by rest.", "Rest relieves the pain."),
    ("Discontinue the drug if a rash develops.", "Stop the medication if a rash appears."),
    ("Children younger than five years are at greatest risk.",
     "Children under 5 years are at the highest risk."),
    ("COVID-19 spreads through the air.", "SARS-CoV-2 spreads through the air."),
    ("Follow-up imaging is required after 12 months.",
     "Follow-up imaging is needed after one year."),
    ("Human papillomavirus (HPV) vaccine is offered to girls.",
     "HPV vaccine is offered to girls."),
    ("The rash usually resolves within three to five days without treatment.",
     "The rash usually goes away within 3-5 days without therapy."),
    ("The mean weight was 62.27 kg.", "The mean weight was 62.3 kg."),
]  # fmt: skip

FALSE = [
    ("numbers", "The disease affects 3 of 10 farmers.", "The disease affects 3 of 11 farmers."),
    ("frequency", "Give the drug every 6 hours.", "Give the drug every 4 hours."),
    ("dose", "Give 2.27 mg of the drug.", "Give 2.3 mg of the drug."),
    ("units", "Treat the wound for 5 days.", "Treat the wound for 5 weeks."),
    ("numbers", "Vaccinate adults aged 65 years and older.", "Vaccinate adults aged 65 years."),
    ("dates", "The clinic opened in 1998.", "The clinic opened in 1999."),
    ("route", "Give gentamicin intravenously.", "Give gentamicin orally."),
    ("coverage", "Give paracetamol for pain.", "Give ibuprofen for pain."),
    ("population", "Beta blockers help men with angina.", "Beta blockers help women with angina."),
    ("negation", "Mild cases often require no therapy.", "Mild cases often require therapy."),
    ("negation", "The test is safe in pregnancy.", "The test is not safe in pregnancy."),
    ("direction", "Insulin was followed by weight gain.", "Insulin was followed by weight loss."),
    ("direction", "Give the drug before meals.", "Give the drug after meals."),
    ("certainty", "The drug may cause tendon rupture.", "The drug causes tendon rupture."),
    ("coverage", "Clinicians should consider testing.", "Clinicians should perform testing."),
    ("certainty", "It appears to be safe in children.", "It is safe in children."),
    ("certainty", "We studied whether zinc shortens colds.", "Zinc shortens colds."),
    ("cause", "Insulin was associated with weight gain.", "Insulin caused weight gain."),
    ("condition", "Refer the patient if the fever lasts.", "Refer the patient."),
    ("condition", "Use the drug except in pregnancy.", "Use the drug."),
    ("condition", "Use the drug except in pregnancy.", "Use the drug in pregnancy."),
    ("condition", "We suggest iron (weak recommendation, low-quality evidence).",
     "We suggest iron."),
    ("condition", "Treatment should be continued until the rash fades.",
     "Treatment should be continued."),
    ("condition", "Offer the vaccine to adults who smoke.", "Offer the vaccine."),
    ("entities", "Aspirin reduces stroke and warfarin increases bleeding.",
     "Aspirin increases stroke and warfarin reduces bleeding."),
]  # fmt: skip


@pytest.mark.parametrize(("evidence", "statement"), TRUE)
def test_true_rewrites_pass(evidence: str, statement: str) -> None:
    found = judge_by_rules(statement, [evidence + BEHIND])
    assert found.verdict == "supported", [c for c in found.checks if c.result == "fail"]


@pytest.mark.parametrize(("layer", "evidence", "statement"), FALSE)
def test_edits_fail_in_their_layer(layer: str, evidence: str, statement: str) -> None:
    found = judge_by_rules(statement, [evidence + BEHIND])
    failed = {c.layer for c in found.checks if c.result == "fail"}
    assert found.verdict != "supported"
    assert layer in failed
    assert all(c.hallucination for c in found.checks if c.result == "fail")


def test_a_quotation_without_its_weak_strength_is_not_supported() -> None:
    text = "We suggest iron for tired women. (Weak recommendation, low certainty). Other care."
    assert judge_by_rules("We suggest iron for tired women.", [text]).verdict != "supported"
    strong = text.replace("Weak", "Strong").replace("low", "high")
    assert judge_by_rules("We suggest iron for tired women.", [strong]).verdict == "supported"


def test_words_told_in_scattered_sentences_support_nothing() -> None:
    texts = ["Zinc is a metal of many uses.", "Colds last a week.", "Rest shortens an illness."]
    assert judge_by_rules("Zinc shortens colds.", [" ".join(texts)]).verdict == "not_enough_info"


def test_a_true_name_in_a_false_place_is_caught() -> None:
    evidence = "Malaria is treated with artemether. Typhoid is treated with ceftriaxone at first."
    swapped = "Malaria is treated with ceftriaxone."
    assert judge_by_rules(swapped, [evidence]).verdict != "supported"


@pytest.mark.parametrize(
    ("one", "other"),
    [("twice daily", "every 12 hours"), ("b.i.d.", "two times a day"), ("annually", "every year"),
     ("every other day", "on alternate days"), ("8 hourly", "three times daily")],
)  # fmt: skip
def test_frequencies_written_in_two_ways_are_one(one: str, other: str) -> None:
    first, second = amounts(f"take 1 {one}")[1], amounts(f"take 1 {other}")[1]
    assert len(first) == len(second) == 1
    assert first[0].fits(second[0]) and second[0].fits(first[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [("haemorrhages", "hemorrhage"), ("randomised", "randomized"),
     ("administered", "administering"),
     ("studies", "study"), ("women", "woman"), ("labelled", "labeled")],
)  # fmt: skip
def test_one_form_of_a_word(one: str, other: str) -> None:
    assert stem(one) == stem(other)


@pytest.mark.parametrize(
    ("one", "other"), [("notes", "not"), ("rare", "rarely known"), ("hepatic", "hepatitis")]
)
def test_other_words_stay_other_words(one: str, other: str) -> None:
    assert read(one).tokens[0].labels != read(other).tokens[0].labels or (
        read(one).tokens[0].keys.isdisjoint(read(other).tokens[0].keys)
    )


def test_nearness_forgives_spelling_and_not_omission() -> None:
    text = ["The tumour was removed by surgery within two days of the diagnosis."]
    assert nearness("The tumor was removed by an operation within 2 days of diagnosis.", text) == 1
    assert nearness("The tumor was removed.", text) < 0.6
    assert nearness("The tumor was removed.", []) == 0


@pytest.mark.parametrize(
    "unit", ["Zinc. ", "Give 5 mg of zinc daily if needed. ", "not ", "a, ", "1 ", "(", "If a, "]
)
def test_giant_input_stays_bounded(unit: str) -> None:
    half = unit * (95_000 // len(unit)) + "."
    started = time.perf_counter()
    assert judge_by_rules(half, [half + "end"]).checks
    assert time.perf_counter() - started < 60


def test_many_long_sentences_of_few_words_stay_bounded() -> None:
    """Every word stands in every sentence, often: what was cubic in their number took minutes."""
    words = (
        "zinc reduces deaths in men or women not before 5 mg if severe than cough by only".split()
    )
    rng = random.Random(1)
    made = [
        "The " + " ".join(rng.choice(words) for _ in range(320))[:1_900] + "." for _ in range(48)
    ]
    started = time.process_time()
    assert judge_by_rules(" ".join(made[:24]), [" ".join(made[24:])]).verdict != "supported"
    assert time.process_time() - started < 15


@pytest.mark.parametrize("dash", "-‐‑‒–—―−﹣－⁃")
def test_a_range_is_one_whatever_its_dash(dash: str) -> None:
    evidence = f"Give 5{dash}10 mg of zinc. Other care is described."
    assert judge_by_rules("Give 5 to 10 mg of zinc.", [evidence]).verdict == "supported"
    assert judge_by_rules("Give 5 mg of zinc.", [evidence]).verdict != "supported"
