"""Which questions ask for a dose, so that a quotation without one is no answer."""

from __future__ import annotations

import pytest

from kgrag.reasoning.keep_checks import _ASKS_A_DOSE


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("What dose of doxycycline is given?", True),
        ("How much paracetamol can a child take?", True),
        ("How much potassium is given in diabetic ketoacidosis?", True),
        ("How much is known about screening in younger men?", False),
        ("How much weight loss is seen in hyperemesis gravidarum?", False),
    ],
)
def test_how_much_asks_for_a_dose_of_what_is_given(question: str, asks: bool) -> None:
    assert bool(_ASKS_A_DOSE.search(question)) == asks
