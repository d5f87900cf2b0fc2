"""What is read of a report of a patient: what is there, what is denied, results, age and sex."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgrag.errors import SettingsError
from kgrag.records.concepts import Mention
from kgrag.retrieval.hypotheses_findings import Findings, age, read_findings
from kgrag.retrieval.hypotheses_tests import Ranges, ranges


def words(text: str, years: float | None = None) -> list[str]:
    return [r.words for r in ranges().results(text, years=years)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Platelet count: 27,000/mm3", ["low platelet count, thrombocytopenia"]),
        ("Platelets 310 x10^9/L", [""]),
        ("platelet count is 600,000 /μL", ["high platelet count, thrombocytosis"]),
        ("Na: 122 mEq/L", ["low sodium, hyponatremia"]),
        ("sodium of 140 mmol/L", [""]),
        ("Partial thromboplastin time (activated): 60 seconds",
         ["prolonged partial thromboplastin time"]),
        ("Temperature: 38.9°C (102.0°F)", ["fever"]),
        ("Temperature 98.6 °F", [""]),
        ("glucose 2.1 mmol/L", ["low blood sugar, hypoglycemia"]),
        ("Blood Pressure: 82/50 mm Hg", ["low blood pressure, hypotension"]),
        ("hemoglobin 140 g/L", [""]),
        ("INR 3.2", ["raised INR, impaired blood clotting"]),
    ],
)  # fmt: skip
def test_results_are_read_with_their_units(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Na: 122",  # no unit, so no telling
        "hemoglobin 9 points",
        "vitamin K 2.0 mg",
        "CSF: White blood cells: 300 cells/mm3",  # another specimen
        "Urinalysis: Glucose: 500 mg/dL",
        "platelet count was low",
        "PT 3 times a week",
    ],
)
def test_what_cannot_be_told_is_left_alone(text: str) -> None:
    assert words(text) == []


def test_another_specimen_holds_until_blood_is_named_again() -> None:
    text = "Urinalysis: Glucose: 500 mg/dL. Serum chemistry: Na 118 mEq/L."
    assert words(text) == ["low sodium, hyponatremia"]


def test_ranges_of_adults_do_not_judge_children() -> None:
    text = "Heart rate: 150/min"
    assert words(text, years=0.5) == []
    assert words(text, years=40) == words(text) == ["fast heart rate, tachycardia"]


def test_a_table_with_an_unknown_key_or_a_name_twice_is_refused(tmp_path: Path) -> None:
    row = '[[test]]\nnames = ["x"]\nunit = "%"\nlow = 1\nhigh = 2\nbelow = ""\nabove = "y"\n'
    path = tmp_path / "ranges.toml"
    path.write_text(row)
    assert [r.words for r in Ranges.read(path).results("x 3%")] == ["y"]
    path.write_text(row + "lowest = 3\n")
    with pytest.raises(SettingsError, match="lowest"):
        Ranges.read(path)
    path.write_text(row + row)
    with pytest.raises(SettingsError, match="two tests"):
        Ranges.read(path)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("A 35-year-old woman", 35.0),
        ("a 3-month-old boy", 0.25),
        ("Demographics: 67 year old male", 67.0),
        ("aged 12, with cough", 12.0),
        ("a newborn girl", 0.0),
        ("for 3 years she has coughed", None),
    ],
)
def test_age(text: str, years: float | None) -> None:
    assert age(text) == years


def test_sex_is_that_of_the_patient() -> None:
    assert read_findings("A 30-year-old man; his mother is well.", ()).sex == "male"
    assert read_findings("Her cough began in May.", ()).sex == "female"
    assert read_findings("The patient coughs.", ()).sex is None


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("Symptoms: Double vision. Weak arms.", ("Double vision", "Weak arms")),
        ("She has a dry cough but denies fever or chills.", ("She has a dry cough",)),
        ("He denies pain, but has lost weight.", ("has lost weight",)),
        ("Joint Swelling: No active swelling observed.", ()),
        ("Reflexes: Normal.", ()),
        ("Skin: pale with no rash.", ("Skin: pale",)),
        ("Review of Systems: Denies headache, nausea, vomiting.", ()),
        ("Serum ceruloplasmin: 12 mg/dL.", ()),
        ("Antibodies: Positive.", ("Antibodies: Positive",)),
        ("What is the diagnosis?", ()),
    ],
)
def test_phrases_are_what_is_there(text: str, phrases: tuple[str, ...]) -> None:
    assert read_findings(text, ()).phrases == phrases


def test_results_become_words_and_normal_ones_nothing() -> None:
    text = "Lab results: Hemoglobin: 7.9 g/dL. Platelet count: 250,000/mm3."
    found = read_findings(text, ())
    assert found.phrases == ("low hemoglobin, anemia",)
    assert found.results == 2


def mention(text: str, word: str, **flags: bool) -> Mention:
    at = text.index(word)
    return Mention(at, at + len(word), word, f"X:{word}", "phenotype", **flags)


def test_what_is_denied_once_and_there_once_is_there() -> None:
    text = "Denies cough and fever. Later cough. Family: gout."
    found = read_findings(
        text,
        (
            mention(text, "cough", negated=True),
            mention(text, "fever", negated=True),
            Mention(30, 35, "cough", "X:cough", "phenotype"),
            mention(text, "gout", family=True),
        ),
    )
    assert (found.present, found.denied) == (("X:cough",), ("X:fever",))


CASE = "A 40-year-old man has a rash. He feels weak. He sees double. "


def test_a_report_of_a_patient_is_recognised() -> None:
    flagged = tuple(mention(CASE, word) for word in ("rash", "weak", "double"))
    assert read_findings(CASE, flagged).is_patient
    assert not read_findings(CASE, flagged[:2]).is_patient
    assert not read_findings(CASE.replace("A 40-year-old man", "One").replace("He", "It"),
                             flagged).is_patient  # fmt: skip


@pytest.mark.parametrize("asks", ["Can aspirin help?", "Can he take aspirin", "Is it aspirin?"])
def test_a_question_that_names_what_it_is_about_is_no_report(asks: str) -> None:
    text = CASE + asks
    flagged = [mention(text, word) for word in ("rash", "weak", "double")]
    at = text.index("aspirin")
    named = Mention(at, at + 7, "aspirin", "X:aspirin", "drug")
    assert read_findings(CASE + "What is it?", flagged).is_patient
    assert not read_findings(text, (*flagged, named)).is_patient


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="aAbe12 .,;:()/%\n?-°", max_size=200))
def test_any_text_is_read_and_always_the_same(text: str) -> None:
    found = read_findings(text, ())
    assert found == read_findings(text, ())
    assert isinstance(found, Findings)
    assert all(phrase.strip() == phrase and phrase for phrase in found.phrases)
