"""The mini world is true to its files: every expected sentence stands in stored text as it is."""

from __future__ import annotations

import json

import mini_world
import pytest

from kgrag.sentences import sentences
from kgrag_ingest.readers import select
from kgrag_ingest.readers.base import Reading


def stored(name: str) -> list[str]:
    data = (mini_world.GUIDELINES / name).read_bytes()
    readings = list(select(data, name).read(data, uri=name))
    assert all(isinstance(reading, Reading) for reading in readings)
    return [reading.text for reading in readings if isinstance(reading, Reading)]


@pytest.mark.parametrize("file", sorted({e.file for e in mini_world.EXPECTED_ASSERTIONS}))
def test_expected_sentences_are_whole_sentences_of_the_file(file: str) -> None:
    found = {span.of(text) for text in stored(file) for span in sentences(text)}
    expected = {e.sentence for e in mini_world.EXPECTED_ASSERTIONS if e.file == file}
    assert expected - found == set()


@pytest.mark.parametrize(
    "question", [q for q in mini_world.QUESTIONS if q.file], ids=lambda q: q.id
)
def test_expected_quotations_stand_in_the_expected_file(question: mini_world.Question) -> None:
    assert question.file is not None
    assert question.quote is not None
    assert any(question.quote in text for text in stored(question.file))


def test_every_document_is_marked_as_a_demonstration() -> None:
    files = sorted(path.name for path in mini_world.GUIDELINES.iterdir())
    assert len(files) == 15
    for name in files:
        if name != "heart-failure-broken-scan.pdf":  # its mark is in the picture
            assert all("not clinical advice" in text for text in stored(name)), name


def test_the_shipped_questions_are_the_first_four() -> None:
    lines = mini_world.SHIPPED_QUESTIONS.read_text(encoding="utf-8").splitlines()
    shipped = [(record["id"], record["question"]) for record in map(json.loads, lines)]
    assert shipped == [(q.id, q.question) for q in mini_world.QUESTIONS[:4]]
