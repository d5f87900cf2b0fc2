"""Terms: what counts as one, and that weights are BM25's."""

from __future__ import annotations

import pytest

from kgrag.retrieval import terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Metformin 500mg", ["metformin", "500", "mg"]),
        ("Metformin 500 mg", ["metformin", "500", "mg"]),
        ("1,000 or 1000", ["1000", "1000"]),
        ("0.5 μg, 0.5 µg, 0.5 mcg", ["0.5", "mcg"] * 3),
        ("the patient's HbA1c", ["patient", "hba1c"]),
        ("Crohn’s disease", ["crohn", "diseas"]),
        ("IL-6, COVID-19, B12", ["il", "6", "covid", "19", "b12"]),
        ("ﬁbrosis", ["fibrosi"]),
        ("not without risk", ["not", "without", "risk"]),
        ("What is the of?", []),
        ("", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert terms.tokens(text) == expected


def test_numbers_of_terms_never_change() -> None:
    # An index on a disk refers to them: if these move, VERSION must be raised.
    assert terms.term_number("aspirin") == 1461337240
    assert terms.term_number("500") == 3282305885


def test_weights_are_those_of_bm25() -> None:
    text = "fever " * 3 + "cough"
    norm = terms.K1 * (1 - terms.B + terms.B * 4 / terms.AVERAGE_LENGTH)
    weights = terms.passage_terms(text)
    assert weights[terms.term_number("fever")] == pytest.approx(3 * (terms.K1 + 1) / (3 + norm))
    assert weights[terms.term_number("cough")] == pytest.approx((terms.K1 + 1) / (1 + norm))
    assert len(weights) == 2
    assert terms.question_terms("fever? Fever!") == {terms.term_number("fever"): 1.0}
