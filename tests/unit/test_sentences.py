"""Where sentences end in clinical prose."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kgrag.sentences import sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Give 500 mg. Stop if a rash appears.", ["Give 500 mg.", "Stop if a rash appears."]),
        ("Give 0.5 mg daily.", ["Give 0.5 mg daily."]),
        ("E. coli and P. falciparum differ.", ["E. coli and P. falciparum differ."]),
        ("Avoid vitamin C. It adds nothing.", ["Avoid vitamin C.", "It adds nothing."]),
        ("Screen for hepatitis B. Treat it.", ["Screen for hepatitis B.", "Treat it."]),
        ("Dr. Smith et al. studied it.", ["Dr. Smith et al. studied it."]),
        ("Use e.g. amoxicillin vs. placebo.", ["Use e.g. amoxicillin vs. placebo."]),
        ("It works.[1, 2] Next one.(3) Last.", ["It works.[1, 2]", "Next one.(3)", "Last."]),
        ("1. Assess the airway. 2. Breathe.", ["1. Assess the airway.", "2. Breathe."]),
        ("Is it safe? Yes! Go.", ["Is it safe?", "Yes!", "Go."]),
        ("One line\nanother line", ["One line", "another line"]),
        ("Adults. ≥ 65 years too.", ["Adults.", "≥ 65 years too."]),
        ("(Strong recommendation.) Next.", ["(Strong recommendation.)", "Next."]),
        (
            "Approved (U.S. Food and Drug Administration, 2019). Next.",
            ["Approved (U.S. Food and Drug Administration, 2019).", "Next."],
        ),
        ("The U.S. Task Force says so.", ["The U.S. Task Force says so."]),
        (
            "Rare (see below. It is so) but real. Next.",
            ["Rare (see below. It is so) but real.", "Next."],
        ),
        ("", []),
        (" \n ", []),
    ],
)
def test_boundaries(text: str, expected: list[str]) -> None:
    assert [s.of(text) for s in sentences(text)] == expected


@given(st.text(alphabet=st.sampled_from("aB1 .!?\n()[]\"'é≥"), max_size=120))
def test_sentences_cover_all_but_white_space_once(text: str) -> None:
    spans = sentences(text)
    assert all(a.end <= b.start for a, b in pairwise(spans))
    covered = {i for s in spans for i in range(s.start, s.end)}
    assert all(i in covered or c.isspace() for i, c in enumerate(text))
    assert all(s.of(text) == s.of(text).strip() and "\n" not in s.of(text) for s in spans)


def test_a_part_of_the_text_keeps_its_offsets() -> None:
    text = "Before. Inside one. Inside two. After."
    spans = sentences(text, 8, 31)
    assert [s.of(text) for s in spans] == ["Inside one.", "Inside two."]
