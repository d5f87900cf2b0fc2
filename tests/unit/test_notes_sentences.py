"""Which sentences of a note are claims, plans, findings of one patient, questions or headings."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrag.verification.notes_sentences import kind_of, note_sentences


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("Metformin is contraindicated in severe renal impairment.", "claim"),
        ("Statins lower the risk of stroke.", "claim"),
        ("Asthma that is not controlled needs a review of technique.", "claim"),
        ("You should take amoxicillin 500 mg three times daily.", "claim"),
        ("Patients with gout may take colchicine.", "claim"),
        ("A 54-year-old man presents with chest pain.", "patient"),
        ("BP 120/80.", "patient"),
        ("Her pulse is 106/min and blood pressure is 102/73 mm Hg.", "patient"),
        ("He lives with his wife.", "patient"),
        ("Physical examination shows pallor.", "patient"),
        ("Culture tests were negative.", "patient"),
        ("The patient was started on doxycycline for syphilis.", "plan"),
        ("She was given aspirin.", "plan"),
        ("Start warfarin 5 mg daily for atrial fibrillation.", "plan"),
        ("Severe hyperkalaemia is a serum potassium of 6.5 mmol/L or more.", "claim"),
        ("Anaemia is defined as haemoglobin below 120 g/L in women.", "claim"),
        ("Insulin is started if glucose is above 15 mmol/L.", "claim"),
        ("In adults with a creatinine above 200 micromol/L the dose is halved.", "claim"),
        ("Blood pressure should be below 130/80 mm Hg.", "claim"),
        ("Blood glucose is measured for 6 hours after insulin.", "claim"),
        ("Blood pressure is above 140/90 mm Hg.", "patient"),
        ("Potassium 6.7 mmol/L, creatinine above 200 micromol/L.", "patient"),
        ("Her potassium is 6.5 mmol/L or more.", "patient"),
        ("Blood glucose was 14 mmol/L for 6 hours.", "patient"),
        ("Blood glucose was checked for 6 hours after insulin.", "patient"),
        ("Check blood glucose for 6 hours after insulin.", "plan"),
        ("Record an ECG if potassium is 6.0 mmol/L or more.", "plan"),
        ("Is that right?", "question"),
        ("What should be given next?”", "question"),
        ("Assessment:", "heading"),
        ("Past medical history", "heading"),
    ],
)
def test_the_kind_of_a_sentence(sentence: str, kind: str) -> None:
    assert kind_of(sentence) == kind


def test_lines_that_were_wrapped_are_one_sentence() -> None:
    note = (
        "# Plan\n\nMetformin is contraindicated in adults who have a severe\nrenal impairment."
        " It is cheap.\n- Statins help.\n1. Aspirin helps too.\n"
    )
    found = list(note_sentences(note))
    assert [s.text for s in found] == [
        "Plan", "Metformin is contraindicated in adults who have a severe\nrenal impairment.",
        "It is cheap.", "Statins help.", "Aspirin helps too.",
    ]  # fmt: skip
    assert [s.kind for s in found] == ["heading", "claim", "claim", "claim", "claim"]
    assert [s.refers for s in found] == [False, False, True, False, False]


def test_a_new_item_is_a_new_sentence_although_the_line_before_has_no_end() -> None:
    note = "Aspirin is given to adults who have had a stroke or an attack before\n- Statins help."
    assert len(list(note_sentences(note))) == 2


@given(st.text(alphabet="aB1 .?:\n\r\t-*#é“”\u2028", max_size=200))
def test_every_letter_and_digit_is_in_one_sentence_of_the_note(note: str) -> None:
    found = list(note_sentences(note))
    assert all(note[s.start : s.end] == s.text for s in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    covered = {at for s in found for at in range(s.start, s.end)}
    marks = {at for at, c in enumerate(note) if c.isalpha()}
    assert marks <= covered
