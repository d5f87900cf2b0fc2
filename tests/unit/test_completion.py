"""Quotations made whole: what is taken in, what is refused, and what is left as it is."""

from __future__ import annotations

import time

import pytest

from kgrag.records.text import Span
from kgrag.verification.complete import completion


def whole(text: str, quote: str, limit: int = 60) -> tuple[str, str] | None:
    start = text.index(quote)
    found = completion(text, start, start + len(quote), limit_words=limit)
    return None if found is None else (text[found.start : found.end], found.reason)


@pytest.mark.parametrize(
    ("text", "quote", "expected", "reason"),
    [
        ("Offer aspirin. Drug B is older.", "Offer aspirin.", "Offer aspirin.", "whole"),
        (
            "We recommend aspirin. (Weak recommendation, low certainty). Drug B is older.",
            "We recommend aspirin.",
            "We recommend aspirin. (Weak recommendation, low certainty).",
            "strength",
        ),
        (
            "We recommend aspirin. (Weak recommendation) Drug B is older. Rest.",
            "We recommend aspirin.",
            "We recommend aspirin. (Weak recommendation) Drug B is older.",
            "strength",
        ),
        (
            "Give A to adults. However, avoid it when the kidneys fail. See page 3.",
            "Give A to adults.",
            "Give A to adults. However, avoid it when the kidneys fail.",
            "condition",
        ),
        (
            "Screen yearly. This recommendation does not apply to smokers. Bring water.",
            "Screen yearly.",
            "Screen yearly. This recommendation does not apply to smokers.",
            "condition",
        ),
        (
            "Screen yearly. Exceptions: people over 80. Unless signs are present, wait.",
            "Screen yearly.",
            "Screen yearly. Exceptions: people over 80. Unless signs are present, wait.",
            "condition",
        ),
        (
            "Drug A lowers pressure. It is taken at night.",
            "It is taken at night.",
            "Drug A lowers pressure. It is taken at night.",
            "reference",
        ),
        (
            "Offer A.\n\nGrade: B\n\nNext things are said here.",
            "Offer A.",
            "Offer A.\n\nGrade: B",
            "strength",
        ),
        (
            "Give one of:\n\ndrug A\ndrug B\n\nThen rest for a day.",
            "Give one of:",
            "Give one of:\n\ndrug A\ndrug B",
            "list",
        ),
        (
            "Give one of:\n\ndrug A\ndrug B\n\nThen rest for a day.",
            "drug B",
            "Give one of:\n\ndrug A\ndrug B",
            "list",
        ),
        (
            "Discharge when all of the following hold:\n\nno fever\nable to drink\nhome is near",
            "no fever",
            "Discharge when all of the following hold:\n\nno fever\nable to drink\nhome is near",
            "list",
        ),
        (
            "Give aspirin. Do not give it in pregnancy.",
            "Give aspirin.",
            "Give aspirin. Do not give it in pregnancy.",
            "condition",
        ),
        ("Drug A is safe for adults.", "is safe", "Drug A is safe for adults.", "sentence"),
        (
            "Drug: A; Dose: 5 mg\nDrug: B; Dose: 7 mg\n\nHowever, wait before a dose.",
            "Drug: B; Dose: 7 mg",
            "Drug: B; Dose: 7 mg",
            "whole",
        ),
    ],
)
def test_made_whole(text: str, quote: str, expected: str, reason: str) -> None:
    assert whole(text, quote) == (expected, reason)


@pytest.mark.parametrize(
    ("text", "quote", "limit"),
    [
        ("It is taken at night.", "It is taken at night.", 60),
        ("Dosing of drug A\n\nThey are taken at night.", "They are taken at night.", 60),
        ("Give A. However, " + "wait " * 60 + "first.", "Give A.", 30),
        ("Give one of these:", "Give one of these:", 60),
        ("Grade: B", "Grade: B", 60),
        ("word " * 70 + "end.", "word", 60),
    ],
)
def test_refused(text: str, quote: str, limit: int) -> None:
    assert whole(text, quote, limit) is None


def test_a_heading_and_the_section_are_never_crossed() -> None:
    text = "Offer A.\n\nHowever and whatever\n\nHowever, wait."
    assert whole(text, "Offer A.") == ("Offer A.", "whole")
    text = "Offer A.\n\nHowever, wait a week before the second dose."
    section = Span(0, 8)
    found = completion(text, 0, 8, limit_words=60, within=section)
    assert found is not None and (found.start, found.end) == (0, 8)
    assert whole(text, "Offer A.") == (text, "condition")


def test_completed_spans_stay_as_they_are() -> None:
    text = "A is used. It helps. However, stop it early. (Weak recommendation)\n\nOther lines."
    once = completion(text, 11, 20, limit_words=60)
    assert once is not None
    again = completion(text, once.start, once.end, limit_words=60)
    assert again is not None
    assert (again.start, again.end, again.reason) == (once.start, once.end, "whole")
    assert text[once.start : once.end] == text.split("\n")[0]


def test_a_place_outside_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match="not a span"):
        completion("abc", 1, 9, limit_words=5)


def test_a_very_long_line_takes_no_longer() -> None:
    text = "Give drug A. Rest then. " * 8_000
    started = time.perf_counter()
    for at in range(0, 24 * 200, 24):
        assert completion(text, 24 * 4000 + at, 24 * 4000 + at + 12, limit_words=60) is not None
    assert time.perf_counter() - started < 4


@pytest.mark.parametrize(
    ("lead", "reason"),
    [
        ("Implementation considerations:", "whole"),
        ("Key points:", "whole"),
        ("Children:", "list"),  # whom it is for
        ("Do not offer:", "list"),
        ("Considerations for pregnant women:", "list"),
    ],
)
def test_a_label_over_sentences_is_no_part_of_them(lead: str, reason: str) -> None:
    item = "Clinicians should begin with the lowest dose."
    text = f"{lead}\n{item}\nReview it after a week."
    start = text.index(item)
    found = completion(text, start, start + len(item), limit_words=60)
    assert found is not None and found.reason == reason
    assert (found.start == 0) == (reason == "list")
    # What is no sentence by itself still begins with its label.
    short = f"{lead}\nlowest dose\nreview"
    begun = completion(short, len(lead) + 1, len(lead) + 12, limit_words=60)
    assert begun is not None and begun.start == 0
