"""What sentences and rows say, with mentions made by hand."""

from __future__ import annotations

import re

import pytest

from kgrag.records.concepts import ConceptType, Mention
from kgrag.records.text import Block, Document, Source
from kgrag_ingest.extract import Extraction, extract

NAMES: dict[str, ConceptType] = {
    "amoxicillin": "drug", "warfarin": "drug", "aspirin": "drug", "propranolol": "drug",
    "pneumonia": "disease", "bronchitis": "disease", "asthma": "disease", "stroke": "disease",
    "fever": "phenotype", "cough": "phenotype", "spirometry": "procedure",
}  # fmt: skip
PATTERN = re.compile("|".join(NAMES), re.IGNORECASE)


def read(text: str, kind: str = "paragraph") -> Extraction:
    document = Document(
        "doc_x", Source("c", "x"), "x", "text/plain", "0" * 64, "t/1", text,
        blocks=(Block(kind, 0, len(text)),),  # type: ignore[arg-type]
    )  # fmt: skip
    mentions = [
        Mention(m.start(), m.end(), m.group(), f"X:{m.group().lower()}", NAMES[m.group().lower()])
        for m in PATTERN.finditer(text)
    ]
    return extract(document, mentions)


def said(text: str, kind: str = "paragraph") -> set[str]:
    return {
        f"{a.subject[2:]} {'not ' if a.negated else ''}{a.predicate} {a.object[2:]}"
        for a in read(text, kind).assertions
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Amoxicillin is used for the treatment of pneumonia.", {"amoxicillin treats pneumonia"}),
        ("Amoxicillin is not recommended for bronchitis.", {"amoxicillin not treats bronchitis"}),
        ("Amoxicillin has no benefit in bronchitis.", {"amoxicillin not treats bronchitis"}),
        ("Avoid propranolol in asthma.", {"propranolol contraindicated_in asthma"}),
        (
            "Propranolol should not be used in patients with asthma.",
            {"propranolol contraindicated_in asthma"},
        ),
        ("Aspirin should not be used to prevent stroke.", {"aspirin not prevents stroke"}),
        ("Aspirin interacts with warfarin, and the pair worsens asthma.",
         {"aspirin interacts_with warfarin"}),
        ("Asthma is diagnosed by spirometry.", {"spirometry diagnoses asthma"}),
        (
            "Symptoms of pneumonia include fever and cough.",
            {"pneumonia has_phenotype fever", "pneumonia has_phenotype cough"},
        ),
        # Nothing is said, or not as so.
        ("Resistance to aspirin, warfarin and amoxicillin is a cause of pneumonia.", set()),
        ("There is no evidence that amoxicillin is effective for bronchitis.", set()),
        ("Is amoxicillin used for pneumonia?", set()),
        ("Amoxicillin is used for pneumonia, but its use in bronchitis is not established.", set()),
        ("Pneumonia is not an allergy to amoxicillin.", set()),
        ("Amoxicillin resistance is used for pneumonia.", set()),
    ],
)  # fmt: skip
def test_sentence(text: str, expected: set[str]) -> None:
    assert said(text) == expected


def test_row_relates_its_columns() -> None:
    found = read("Drug: amoxicillin; Indication: pneumonia; Dose: 500 mg", "table_row").assertions
    assert [(a.predicate, a.qualifiers) for a in found] == [("treats", (("dose", "500 mg"),))]


def test_row_with_a_denial_is_refused_with_its_reason() -> None:
    result = read("Drug: amoxicillin; Indication: not bronchitis", "table_row")
    assert not result.assertions
    assert "denial" in result.rejects[0]["reason"]


def test_unless_is_kept_as_a_condition() -> None:
    (found,) = read("Avoid propranolol in asthma unless a specialist agrees.").assertions
    assert dict(found.qualifiers)["condition"] == "unless a specialist agrees"


def test_evidence_is_the_whole_sentence() -> None:
    text = "Fever is common. Aspirin treats fever. Asthma is not."
    (found,) = read(text).assertions
    (evidence,) = found.evidence
    assert evidence.quote == "Aspirin treats fever." == text[evidence.start : evidence.end]
    assert text[slice(*evidence.subject_span)] == "Aspirin"


def test_headings_and_references_say_nothing() -> None:
    assert not said("Amoxicillin is used for the treatment of pneumonia.", "reference")
