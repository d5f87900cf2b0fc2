"""Which concepts a question and a passage of the demonstration guidelines share, each line read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kgrag import Engine
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.concepts import Concepts, Matched, concepts_of

pytestmark = pytest.mark.models

# Question, file, how the passage goes on somewhere, and what is matched: the question's words, the
# passage's, how the passage's concept stands to the question's, and the weight.
EXPECTED = [
    (
        "What is the dose of amoxicillin for pneumonia?",
        "oral-antibiotics.pdf",
        "Amoxicillin",
        [
            "amoxicillin <- Amoxicillin, same 1.000",
            "pneumonia <- Community-acquired pneumonia, narrower 0.870",
        ],
    ),
    (
        "How is hypertension treated in adults with diabetes?",
        "type-2-diabetes.md",
        "Metformin",
        ["diabetes <- type 2 diabetes, narrower 0.919"],
    ),
    (
        "Does aspirin prevent stroke in atrial fibrillation?",
        "atrial-fibrillation.html",
        "Aspirin",
        [
            "aspirin <- Aspirin, same 1.000",
            "stroke <- stroke, same 1.000",
            "atrial fibrillation <- atrial fibrillation, same 1.000",
        ],
    ),
    (
        "Do patients without heart failure need a diuretic?",
        "hypertension-2025.md",
        "heart failure",
        ["heart failure <- heart failure, same 0.500"],
    ),
    (
        "Do patients with heart failure need a diuretic?",
        "aspirin-northern-panel.html",
        "heart disease",
        ["heart failure <- heart disease, broader 0.166"],  # and denied there,
    ),
]


@pytest.fixture(scope="module")
def engine(demo_kb: Path) -> Iterator[Engine]:
    with Engine.open(demo_kb) as opened:
        yield opened


@pytest.fixture(scope="module")
def concepts(engine: Engine) -> Concepts:
    return concepts_of(engine)


@pytest.mark.parametrize(("question", "file", "part", "expected"), EXPECTED)
def test_what_is_matched(
    engine: Engine, concepts: Concepts, question: str, file: str, part: str, expected: list[str]
) -> None:
    asked = Asked(question, engine.encoder, engine.linker)
    told = []
    for info in engine.truth.documents():
        text = engine.truth.document(info.id).text
        for passage in engine.truth.passages(info.id) if info.uri.endswith(file) else ():
            if part not in text[passage.start : passage.end]:
                continue
            found = concepts.matched(asked, info.id, passage.start, passage.end, engine.truth)
            for match in found:
                assert text[match.passage.start : match.passage.end] == match.passage.text
                assert asked.text[match.question.start : match.question.end] == match.question.text
            told.append([_line(match) for match in found])
    assert expected in told


def _line(match: Matched) -> str:
    words = f"{match.question.text} <- {match.passage.text}"
    return f"{words}, {match.relation} {match.weight:.3f}"
