"""What list items say under the words that lead them in, with mentions made by hand."""

from __future__ import annotations

import pytest
from mentions_by_hand import mentions

from kgrag.records.text import Block, BlockKind, Document, Source
from kgrag_ingest.extract import Extraction, extract

KINDS: dict[str, BlockKind] = {"#": "heading", "-": "list_item"}


def read(*lines: str) -> Extraction:
    """Blocks: "# heading", "- item", and all else a paragraph; as stored text parts them."""
    text, blocks = "", []
    for line in lines:
        kind = KINDS.get(line[0], "paragraph")
        words = line[2:] if kind != "paragraph" else line
        tight = kind == "list_item" and blocks and blocks[-1].kind == "list_item"
        text += ("\n" if tight else "\n\n") if text else ""
        blocks.append(Block(kind, len(text), len(text) + len(words)))
        text += words
    document = Document(
        "doc_x", Source("c", "x"), "x", "text/plain", "0" * 64, "t/1", text, blocks=tuple(blocks)
    )
    return extract(document, mentions(text))


def said(*lines: str) -> dict[str, str]:
    """What is said, with its tier."""
    return {
        f"{a.subject[2:]} {'not ' if a.negated else ''}{a.predicate} {a.object[2:]}": a.tier
        for a in read(*lines).assertions
    }


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ("Symptoms of pneumonia may include:", "- fever", "- Cough with sputum"),
            {"pneumonia has_phenotype fever", "pneumonia has_phenotype cough"},
        ),
        (
            ("It is common. Amoxicillin is indicated for the following conditions:",
             "- bronchitis", "- pneumonia in adults"),
            {"amoxicillin treats bronchitis", "amoxicillin treats pneumonia"},
        ),
        (
            ("# Clinical features of pneumonia", "# Symptoms", "- Fever", "- Cough (dry)"),
            {"pneumonia has_phenotype fever", "pneumonia has_phenotype cough"},
        ),
        (("# Aspirin", "Contraindications:", "- severe asthma", "- 1. Pregnancy"),
         {"aspirin contraindicated_in asthma", "aspirin contraindicated_in pregnancy"}),
        (("# Treatment of pneumonia", "- Amoxicillin 500 mg orally"),
         {"amoxicillin treats pneumonia"}),
        (("# Risk factors for stroke", "- Asthma"), {"asthma risk_factor_for stroke"}),
        # The item says something else about its mention, or nothing is led in.
        (("# Clinical features of pneumonia", "- No fever", "- Risk of stroke"), set()),
        (("# Treatment of pneumonia", "- Amoxicillin resistance", "- Stop aspirin"), set()),
        (("# Aspirin", "Contraindications:", "- not in asthma"), set()),
        (("# Pneumonia", "# Notes", "- Fever"), set()),
        (("Fever and pneumonia are discussed here:", "- Cough"), set()),
        (("# Symptoms of pneumonia", "A paragraph that stands between.", "- Fever"), set()),
    ],
)  # fmt: skip
def test_lists(lines: tuple[str, ...], expected: set[str]) -> None:
    assert set(said(*lines)) == expected


def test_the_evidence_reaches_from_the_lead_to_the_item() -> None:
    (found,) = read("# Treatment of pneumonia", "- Rest", "- Amoxicillin 500 mg orally").assertions
    (evidence,) = found.evidence
    assert evidence.quote == "Treatment of pneumonia\n\nRest\nAmoxicillin 500 mg orally"
    assert evidence.rule == "row.indication.listed"
    assert dict(found.qualifiers) == {"dose": "500 mg orally"}


def test_qualifiers_are_not_taken_from_the_items_between() -> None:
    found = read(
        "Amoxicillin is indicated for:", "- bronchitis if rest has failed", "- pneumonia"
    ).assertions
    kept = {a.object: dict(a.qualifiers) for a in found}
    assert kept == {"X:bronchitis": {"condition": "if rest has failed"}, "X:pneumonia": {}}


def test_an_item_far_from_its_lead_is_not_read() -> None:
    long = [f"- Something else of some length that is listed here as number {n}" for n in range(9)]
    assert not said("# Symptoms of pneumonia", *long, "- Fever")


def test_a_list_in_a_list_and_investigations_are_candidates() -> None:
    found = said("# Symptoms of pneumonia", "- Cough", "- In children:", "- Fever")
    assert found == {
        "pneumonia has_phenotype cough": "asserted",
        "pneumonia has_phenotype fever": "candidate",
    }
    assert said("# Investigations of asthma", "- Spirometry") == {
        "spirometry diagnoses asthma": "candidate"
    }
