"""Planted edits: each kind on sentences of our own, and that the frozen pairs are still those."""

from __future__ import annotations

import json
import os
import random
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parents[2] / "bench"
# The benches are scripts that import one another, not a package.
sys.path.insert(0, str(BENCH))
try:
    import planted_edits
    import planted_kinds
finally:
    sys.path.remove(str(BENCH))


def _kin(one: str, other: str) -> bool:
    return one == other


POOL = planted_kinds.Names(
    by_type={
        "drug": [("simvastatin", "D:1"), ("pravastatin", "D:2"), ("lisinopril", "D:3")],
        "disease": [("asthma", "C:1"), ("wheezing disease", "C:1"), ("gallstone attack", "C:2")],
    },
    by_concept={"C:1": ["asthma", "wheezing disease"]},
    kin=_kin,
)


def _made(kind: str, sentence: str, *names: tuple[str, str, str]) -> set[str]:
    """The statements that ``kind`` makes of the sentence; names are (text, concept, type)."""
    named: list[Any] = []
    for text, concept, type_ in names:
        at = sentence.index(text)
        named.append(planted_kinds.Named(at, at + len(text), text, concept, type_))
    ways = planted_kinds.ways_of(kind, sentence, named, random.Random(1), POOL)
    return {
        "".join(p if isinstance(p, str) else sentence[p[0] : p[1]] for p in pieces)
        for _, pieces in ways
    }


SIMVASTATIN = ("simvastatin", "D:1", "drug")


@pytest.mark.parametrize(
    ("kind", "sentence", "statement"),
    [
        ("population", "The syrup is given to adults at night.",
         "The syrup is given to children at night."),
        ("negation", "The syrup is given to adults.", "The syrup is not given to adults."),
        ("negation", "Grapefruit should not be eaten.", "Grapefruit should be eaten."),
        ("negation", "Two tablets can harm.", "Two tablets cannot harm."),
        ("direction", "The tablet led to an increase in weight.",
         "The tablet led to a decrease in weight."),
        ("cause", "Snoring is often associated with obesity.", "Snoring causes obesity."),
        ("cause", "Snoring is a risk factor for stroke.", "Snoring is a cause of stroke."),
        ("hedge", "The syrup may harm the liver.", "The syrup will harm the liver."),
        ("hedge", "The rash was probably a reaction.", "The rash was a reaction."),
        ("condition", "Stop the syrup on the same day if the child starts to vomit.",
         "Stop the syrup on the same day."),
        ("condition", "If the child starts to vomit, stop the syrup on the same day.",
         "Stop the syrup on the same day."),
        ("rewrite", "If the child vomits, the syrup is stopped.",
         "The syrup is stopped if the child vomits."),
        ("rewrite", "The syrup blocks the receptors.", "The receptors are blocked by the syrup."),
        ("rewrite", "The syrup is not sold here.", "The syrup isn't sold here."),
        ("rewrite", "The dose was 500 mg here.", "The dose was 0.5 g here."),
        ("rewrite", "However, it stung.", "It stung."),
        ("rewrite", "The tumour was left there.", "The tumor was left there."),
        ("rewrite", "They came three times there.", "They came 3 times there."),
    ],
)  # fmt: skip
def test_each_kind_makes(kind: str, sentence: str, statement: str) -> None:
    assert statement in _made(kind, sentence)


def test_amounts_units_and_frequencies_are_other_ones() -> None:
    sentence = "Patients take simvastatin 40 mg once daily for 12 weeks."
    amounts = _made("dose", sentence, SIMVASTATIN)
    assert amounts
    assert all("12 weeks" in s and "40 mg" not in s for s in amounts)
    units = _made("unit", sentence)
    assert units
    assert all("40 " in s and "12 " in s and s != sentence for s in units)
    numbers = _made("number", sentence)
    assert numbers
    assert all("40 mg" in s and "12 weeks" not in s for s in numbers)
    assert _made("dose", "They walk once daily in the park.") == set()


def test_a_drug_becomes_another_of_its_class_and_a_disease_no_synonym() -> None:
    assert _made("drug", "The nurse gives simvastatin at night.", SIMVASTATIN) == {
        "The nurse gives pravastatin at night."
    }
    asthma = ("asthma", "C:1", "disease")
    made = _made("concept", "Cold air worsens asthma in winter.", asthma)
    assert made == {"Cold air worsens gallstone attack in winter."}
    assert "Cold air worsens wheezing disease in winter." in _made(
        "rewrite", "Cold air worsens asthma in winter.", asthma
    )


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("number", "People with type 2 diabetes met in 2019."),
        ("population", "Adults and children take the syrup."),
        ("negation", "It is unclear whether the syrup, or only the tablet, is sold."),
        ("direction", "The weight was either increased or decreased."),
        ("cause", "Snoring was not associated with obesity."),
        ("hedge", "It is unclear whether the syrup may harm."),
        ("condition", "The nurses who came could not determine if the cough was dry."),
        ("rewrite", "The dose was between 100 and 500 mg."),
    ],
)
def test_what_would_change_nothing_or_read_badly_is_left(kind: str, sentence: str) -> None:
    assert _made(kind, sentence) == set()


def test_the_generator_and_the_list_are_the_frozen_ones() -> None:
    record = json.loads(planted_edits.FROZEN.read_text(encoding="utf-8"))
    assert record["generator_sha256"] == planted_edits.generator_sha256()
    kinds = Counter(row[3] for row in record["pairs"])
    assert all(kinds[kind] >= 150 for kind in planted_kinds.KINDS)
    assert kinds["rewrite"] >= 600
    # No sentence of others is stored: what is written out is ours or a name.
    written = [p for row in record["pairs"] for p in row[5] if isinstance(p, str)]
    assert max(len(p.split()) for p in written) <= 6


@pytest.mark.data
def test_the_pairs_are_made_again_from_the_data() -> None:
    pairs = planted_edits.read(Path(os.environ["KGRAG_DATA"]))  # raises when the digest differs
    assert len({(p.file, p.key, p.start) for p in pairs}) == len(pairs) >= 2640
    assert all(p.statement != p.source for p in pairs)
    parts = {(p.file, p.key): p.part for p in pairs}
    assert set(parts.values()) == {"choose", "report"}
