"""What the demonstration guidelines advise: every recommendation, read by hand and written down."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mini_world import GUIDELINES

from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document, Source
from kgrag_ingest.discover import discover
from kgrag_ingest.prepare import with_defaults
from kgrag_ingest.readers import select
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.recipes import load
from kgrag_ingest.recommend import recommend

# file: direction, strength, certainty, sex, ages, the beginning of the quotation. Strength and
# certainty are of GRADE; "-" is none.
EXPECTED = """
aspirin-demo-group.md | for | weak | moderate | - | 50-59 | Low-dose aspirin is recommended for the
aspirin-demo-group.md | for | - | - | - | - | Discuss the wish of the patient
aspirin-demo-group.md | against | - | - | - | - | Aspirin is contraindicated in patients with an
aspirin-northern-panel.html | against | strong | moderate | - | 18- | Aspirin should not be used for
aspirin-northern-panel.html | for | - | - | - | 18- | Atorvastatin is recommended for
aspirin-northern-panel.html | for | - | - | - | - | Stop smoking: smoking is a risk factor
asthma.txt | for | strong | high | - | 18- | Budesonide is recommended for the treatment
asthma.txt | against | - | - | - | 18- | Salbutamol alone is not recommended
asthma.txt | against | - | - | - | 18- | Propranolol is contraindicated in asthma.
asthma.txt | for | - | - | - | 18- | Ask about the workplace in every adult
asthma.txt | for | - | - | - | - | Peak expiratory flow should be monitored
atrial-fibrillation.html | for | strong | high | - | 18- | Apixaban is recommended
atrial-fibrillation.html | for | strong | moderate | - | - | Warfarin is recommended
atrial-fibrillation.html | against | - | - | female | - | Warfarin is contraindicated in pregnancy.
atrial-fibrillation.html | against | - | - | - | - | Avoid ibuprofen in patients taking warfarin.
atrial-fibrillation.html | for | - | - | - | - | Warfarin therapy should be monitored
atrial-fibrillation.html | for | - | - | - | - | Check the international normalized ratio
atrial-fibrillation.html | against | strong | moderate | - | 18- | Aspirin is not recommended
chronic-kidney-disease.docx | for | strong | high | - | 18- | Lisinopril is recommended
chronic-kidney-disease.docx | for | strong | high | - | - | Dapagliflozin is recommended
chronic-kidney-disease.docx | against | - | - | - | - | Ibuprofen should be avoided
chronic-kidney-disease.docx | for | - | - | - | - | Serum creatinine should be monitored
community-acquired-pneumonia.docx | for | strong | moderate | - | 18- | Amoxicillin is recommended
community-acquired-pneumonia.docx | for | - | - | - | 18- | Give the first dose within four hours
community-acquired-pneumonia.docx | for | - | - | - | 18- | Stop after five days when these hold:
community-acquired-pneumonia.docx | against | - | - | - | - | Amoxicillin is contraindicated
community-acquired-pneumonia.docx | against | - | - | - | 18- | Corticosteroids are not recommended
epilepsy-two-columns.pdf | for | strong | high | - | 18- | Lamotrigine is recommended
epilepsy-two-columns.pdf | for | - | - | - | 18- | Begin low and go slowly
epilepsy-two-columns.pdf | against | - | - | female | - | Valproic acid is contraindicated
epilepsy-two-columns.pdf | for | strong | high | female | - | Every woman who could become pregnant
epilepsy-two-columns.pdf | for | - | - | - | - | Serum sodium should be monitored
epilepsy-two-columns.pdf | against | - | - | - | 18- | Phenobarbital is not recommended
hypertension-2023.md | for | - | - | - | 18- | Start with advice on salt
hypertension-2023.md | for | strong | moderate | - | 18-54 | Lisinopril is used to treat
hypertension-2023.md | for | weak | low | - | 18- | Atenolol is used to treat
hypertension-2025.md | for | - | - | - | 18- | Measure both arms at the first visit
hypertension-2025.md | for | strong | high | - | 18- | Lisinopril is recommended
hypertension-2025.md | for | strong | high | - | 55- | Amlodipine is recommended
hypertension-2025.md | against | - | - | female | - | Lisinopril is contraindicated in pregnancy.
hypertension-2025.md | against | - | - | - | - | Lisinopril should not be used
hypertension-2025.md | against | strong | moderate | - | 18- | Atenolol is no longer recommended
hypertension-2025.md | for | - | - | - | - | Serum potassium and creatinine should be
iron-deficiency-anemia.nxml | for | - | - | - | - | In men and in women after the menopause
iron-deficiency-anemia.nxml | for | strong | moderate | - | 18- | Ferrous sulfate is recommended
oral-antibiotics.pdf | for | - | - | - | - | Ask about allergy every time
oral-antibiotics.pdf | for | strong | moderate | female | - | Nitrofurantoin is recommended
oral-antibiotics.pdf | against | - | - | - | - | Nitrofurantoin should not be used
oral-antibiotics.pdf | against | - | - | female | - | Doxycycline is contraindicated
short-notes.jsonl | for | strong | moderate | - | 18- | Allopurinol is recommended
short-notes.jsonl | for | strong | high | - | 18- | Sumatriptan is recommended
short-notes.jsonl | against | - | - | - | - | Sumatriptan is contraindicated
short-notes.jsonl | for | - | - | - | - | Propranolol is recommended
thyroid-abstracts.xml | for | - | - | - | - | Thyrotropin should be monitored
type-2-diabetes.md | for | strong | high | - | 18- | Metformin is recommended
type-2-diabetes.md | for | - | - | - | - | Begin with 500 mg once daily
type-2-diabetes.md | for | strong | moderate | - | - | Dapagliflozin is added
type-2-diabetes.md | against | - | - | - | - | Metformin is contraindicated
type-2-diabetes.md | against | - | - | - | - | Metformin should not be used
type-2-diabetes.md | for | - | - | - | - | Glycated hemoglobin should be monitored
type-2-diabetes.md | for | - | - | - | - | Kidney function should be checked
"""

# Advice that is not found, and why.
KNOWN_MISSED = {
    "see the patient again": "a command by a verb that mostly points elsewhere ('see section 2')",
    "advise a hat and long sleeves": "the second half of a sentence that begins with a finding",
    "take the two at least four hours apart": "the second half of a sentence, in an article",
    "Calcium gluconate is given first": "no verb of advice and no grade",
}


def documents() -> Iterator[tuple[str, Document]]:
    recipe = load("examples")
    for item in discover([GUIDELINES], recipe=recipe):
        data = item.read()
        reader = select(data, item.uri)
        for reading in reader.read(data, uri=item.uri):
            assert isinstance(reading, Reading)
            yield (
                item.relative,
                Document(
                    id=f"doc_{item.relative}_{reading.record}",
                    source=Source("mini", item.relative),
                    uri=item.uri,
                    media_type=reader.media_types[0],
                    original_sha256="0",
                    reader=f"{reader.name}/{reader.version}",
                    text=reading.text,
                    metadata=with_defaults(reading.metadata, recipe),
                    blocks=reading.blocks,
                    sections=reading.sections,
                    pages=reading.pages,
                    tables=reading.tables,
                    doubts=reading.doubts,
                ),
            )


def line(file: str, record: Recommendation, beginning: int) -> str:
    def age(value: float | None) -> str:
        return "" if value is None else f"{value:g}"

    ages = f"{age(record.min_age)}-{age(record.max_age)}"
    strength = record.strength.normalised if record.strength else None
    certainty = record.certainty.normalised if record.certainty else None
    parts = (file, record.direction, strength, certainty, record.sex, ages)
    return " | ".join([*(str(p or "-") for p in parts), record.quote[:beginning]])


@pytest.fixture(scope="module")
def found() -> list[tuple[str, Document, Recommendation]]:
    return [(f, d, r) for f, d in documents() for r in recommend(d, ())]


def test_every_recommendation_is_as_it_was_read(
    found: list[tuple[str, Document, Recommendation]],
) -> None:
    expected = EXPECTED.strip().splitlines()
    got = [
        line(file, record, len(wanted.rsplit(" | ", 1)[1]))
        for (file, _, record), wanted in zip(found, expected, strict=True)
    ]
    assert got == expected


def test_what_is_missed_stays_known(found: list[tuple[str, Document, Recommendation]]) -> None:
    for words in KNOWN_MISSED:
        assert not any(words.lower() in r.quote.lower() for _, _, r in found), words


def test_quotations_open_and_carry_their_strength(
    found: list[tuple[str, Document, Recommendation]],
) -> None:
    for _, document, record in found:
        assert document.text[record.start : record.end] == record.quote
        for grade in (record.strength, record.certainty):
            if grade is not None:
                assert grade.system == "GRADE"
                assert grade.raw in record.quote
    files = {f for f, _, _ in found}
    assert "heart-failure-broken-scan.pdf" not in files, "a garbled page advises nothing"


def test_the_newer_version_says_what_it_replaces(
    found: list[tuple[str, Document, Recommendation]],
) -> None:
    by_file = {f: r for f, _, r in found}
    assert by_file["hypertension-2025.md"].supersedes == ("version 1.0 of March 2023",)
    assert by_file["hypertension-2023.md"].supersedes == ()
    assert by_file["hypertension-2025.md"].effective == "2025-06-02"


@pytest.mark.models
def test_an_ingest_stores_them_with_their_concepts(tmp_path: Path) -> None:
    from kgrag import Engine
    from kgrag_ingest.pipeline import ingest

    with Engine.open(tmp_path / "kb", mode="write", create=True) as engine:
        report = ingest([GUIDELINES / "type-2-diabetes.md"], engine.truth, engine.linker)
        assert report.counts["recommendations"] == 7
        stored = list(engine.truth.recommendations())
        assert len(stored) == 7
        (first,) = [r for r in stored if r.quote.startswith("Metformin is recommended")]
        assert first.interventions
        assert first.conditions
