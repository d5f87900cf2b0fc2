"""What is true of the analysis of any question, however odd."""

from __future__ import annotations

import time
from dataclasses import fields
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrag.reasoning.ages import ages
from kgrag.reasoning.analysis import analyse
from kgrag.reasoning.applicability import judge
from kgrag.reasoning.emergencies import emergencies
from kgrag.reasoning.phrases import plain
from kgrag.reasoning.sub_questions import MOST
from kgrag.records.analysis import Patient, Stated

PIECES = st.sampled_from(
    """a an the my her 67 6 0.5 70s 12 weeks months year-old years old pregnant not no breastfeeding
    woman man mother son in aged over under 65 to 40 kg lb eGFR 25 mL/min CKD stage 4 on dialysis
    allergic penicillin takes warfarin and or , . ? ! what how is are it its treated causes dose of
    versus than better difference between if should avoid in pregnancy adults children Child-Pugh B
    İ ß ’ – 1/2 ( ) : 2019 for 7 days""".split()
)
TEXTS = st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=40).map(" ".join))


def stated(question: str) -> list[Stated]:
    analysis = analyse(question)
    values = [getattr(analysis.patient, field.name) for field in fields(Patient)]
    flat = [one for value in values for one in (value if isinstance(value, tuple) else (value,))]
    return [one for one in (*flat, analysis.time) if one is not None]


@given(TEXTS)
def test_what_is_stated_is_in_the_question(question: str) -> None:
    for one in stated(question):
        assert question[one.start : one.end] == one.text
        assert one.text.strip()
        if one.low is not None and one.high is not None:
            assert one.low < one.high


@given(TEXTS)
def test_there_are_parts_and_intents_and_no_more_than_allowed(question: str) -> None:
    analysis = analyse(question)
    assert 1 <= len(analysis.parts) <= MOST
    assert analysis.intents
    assert len(set(analysis.intents)) == len(analysis.intents)
    assert analysis == analyse(question)


@given(TEXTS)
def test_plain_text_keeps_its_length(text: str) -> None:
    assert len(plain(text)) == len(text)


@given(TEXTS)
def test_ages_do_not_overlap(text: str) -> None:
    found = ages(text)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(age.high is None or 0 <= age.low < age.high for age in found)


@given(TEXTS)
def test_nothing_is_excluded_for_a_patient_of_whom_nothing_is_told(text: str) -> None:
    assert judge(Patient(), text).result == "unknown"


@given(st.floats(0.0, 120.0), st.integers(1, 80), st.integers(1, 40))
def test_an_age_range_excludes_exactly_those_outside(age: float, low: int, width: int) -> None:
    who = Stated(age, "x", 0, 1, "a", None, age, age + 0.01)
    judged = judge(Patient(age=who), f"Screen adults aged {low} to {low + width} years.")
    inside = low <= age and age + 0.01 <= low + width + 1
    outside = age + 0.01 <= low or age >= low + width + 1
    assert (judged.result == "applies") is inside
    assert (judged.result == "not_applicable") is outside


@pytest.mark.parametrize(
    "piece", ["a", "1", "7 ", "is 7 and ", "what, ", "-", " ", "my mother ", "no ", "in pregnancy ",
              "aged 5 to ", "allergic to a, ", "versus ", "causes and "]
)  # fmt: skip
def test_twenty_thousand_characters_take_no_more_than_seconds(piece: str) -> None:
    text = (piece * 20_000)[:20_000]
    began = time.perf_counter()
    analyse(text)
    emergencies(text)
    judge(Patient(), text)
    assert time.perf_counter() - began < 5.0
