"""A question taken apart: intents, patient, time and parts."""

from __future__ import annotations

from dataclasses import fields

import pytest

from kgrag.reasoning.analysis import analyse
from kgrag.records.analysis import Stated


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
