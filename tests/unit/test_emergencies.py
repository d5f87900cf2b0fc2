"""Signs of an emergency, and what only looks like one."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import pytest

from kgrag.errors import SettingsError
from kgrag.paths import resource
from kgrag.reasoning.emergencies import emergencies, is_emergency, red_flags

NOW = [
    ("My dad has crushing chest pain that spreads to his left arm.", "heart"),
    ("My wife's face is drooping and she suddenly cannot speak.", "stroke"),
    ("I ate a prawn and my tongue is swelling up.", "anaphylaxis"),
    ("I want to kill myself.", "suicide"),
    ("My daughter swallowed a whole bottle of iron tablets.", "poisoning"),
    ("My 7-week-old has a temperature of 38.4.", "fever of a small infant"),
    ("I am 30 weeks pregnant and there is a lot of bleeding.", "bleeding in pregnancy"),
    ("My legs are weak, my groin is numb and I cannot pass urine since last night.", "spinal cord"),
    ("My son has a fever, a stiff neck and purple spots.", "meningitis"),
    ("An 80-year-old man with pneumonia has a blood pressure of 82/40.", "sepsis"),
    ("A patient with a wasp sting has stridor, hives and hypotension.", "anaphylaxis"),
    ("I woke up with my left testicle in agony.", "testicle"),
    ("There is a curtain coming down over my right eye since this morning.", "sight"),
    ("Since he stopped drinking he is shaking, sweating and seeing spiders.", "withdrawal"),
    ("My leg went white, cold and numb an hour ago.", "limb without blood"),
    ("My baby's vomit is bright green.", "small baby"),
    (
        "I had a hip replacement last week and now I am breathless and cough up blood.",
        "lung embolism",
    ),
    ("Her potassium came back at 7.1.", "blood test that cannot wait"),
]
NOT_NOW = [
    "What are the symptoms of stroke?",
    "Which drugs are given in anaphylaxis?",
    "My father had crushing chest pain with sweating two years ago. Which statin is best?",
    "He has no chest pain, no sweating and no shortness of breath. Is a stress test needed?",
    "My 7-month-old has a temperature of 37.9 and plays. What helps?",
    "A 60-year-old man with a blood pressure of 130/80 has pneumonia. Which antibiotic?",
    "Should adolescents be screened for suicide risk?",
    "What is the risk of bleeding with warfarin?",
    "How is croup with stridor at rest treated in a toddler?",
    "What should be done when someone collapses and is not breathing?",
    "I am writing an essay on suicide prevention. Which programmes work?",
    "My husband had a seizure in 2012 and still takes levetiracetam. Can he stop it?",
    "What should I do if my child swallows a button battery?",
]


@pytest.mark.parametrize(("question", "name"), NOW)
def test_someone_in_danger_now(question: str, name: str) -> None:
    assert name in emergencies(question)


@pytest.mark.parametrize("question", NOT_NOW)
def test_information_past_and_denied_are_none(question: str) -> None:
    assert emergencies(question) == ()


def test_the_infant_fever_flag_depends_on_the_age() -> None:
    assert is_emergency("My 8-week-old has a fever.")
    assert not is_emergency("My 8-year-old has a fever.")


def test_an_unknown_list_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    source = resource("ontologies", "red_flags.toml").read_text(encoding="utf-8")
    path = tmp_path / "red_flags.toml"
    path.write_text(source.replace("@allergen", "@nowhere", 1), encoding="utf-8")
    monkeypatch.setattr("kgrag.reasoning.emergencies.resource", lambda *_: path)
    red_flags.cache_clear()
    try:
        with pytest.raises(SettingsError, match="nowhere"):
            red_flags()
    finally:
        red_flags.cache_clear()


def test_every_flag_of_the_file_was_read() -> None:
    path = resource("ontologies", "red_flags.toml")
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["flag"]
    assert len(entries) == len(red_flags().flags) >= 25
    assert all(entry["all"] and all(entry["all"]) for entry in entries)


@pytest.mark.parametrize("piece", ["my chest ", "a", "not breathing ", "- ", "my pain spreads, "])
def test_long_questions_stay_bounded(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    began = time.perf_counter()
    is_emergency(text)
    assert time.perf_counter() - began < 3.0
