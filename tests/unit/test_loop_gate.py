"""The last gate lets through what the documents hold, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from broken_world import QUESTIONS, world

from kgrag.errors import KgragError
from kgrag.reasoning.loop import ask
from kgrag.reasoning.loop_gate import gate
from kgrag.records.answer import Answer, Check, Citation, Seed, Statement
from kgrag.records.question import AskOptions

PARTS, _ = world()
OPTIONS = AskOptions(threshold=0.0003)


def made(question: str = QUESTIONS[0]) -> Answer:
    answer = ask(question, PARTS, OPTIONS)
    assert not answer.abstained
    return answer


def with_statement(answer: Answer, **changes: Any) -> Answer:
    first, *others = answer.statements
    return replace(answer, statements=(replace(first, **changes), *others))


def with_citation(answer: Answer, **changes: Any) -> Answer:
    (citation,) = answer.statements[0].citations
    return with_statement(answer, citations=(replace(citation, **changes),))


def moved(answer: Answer) -> Answer:
    (citation,) = answer.statements[0].citations
    return with_citation(answer, start=citation.start + 1, end=citation.end + 1)


def shortened(answer: Answer) -> Answer:
    """Half a sentence, which is what the document holds."""
    (c,) = answer.statements[0].citations
    half = Citation(c.document, c.passage_id, c.section, c.page, c.start, c.end - 12, c.quote[:-12])
    return with_statement(answer, text=half.quote, citations=(half,))


def other_document(answer: Answer) -> Answer:
    (citation,) = answer.statements[0].citations
    other = next(i for i in PARTS.truth.documents() if i.id != citation.document.id)  # type: ignore[attr-defined]
    return with_citation(answer, document=replace(citation.document, id=other.id))


def without(layer: str) -> Callable[[Answer], Answer]:
    def change(answer: Answer) -> Answer:
        checks = tuple(c for c in answer.statements[0].checks if c.layer != layer)
        return with_statement(answer, checks=checks)

    return change


def failed(answer: Answer) -> Answer:
    return with_statement(answer, checks=(*answer.statements[0].checks, Check("numbers", "fail")))


def unread_passage(answer: Answer) -> Answer:
    (hit, *others) = answer.evidence.passages
    passages = (replace(hit, text="-" * len(hit.text)), *others)
    return replace(answer, evidence=replace(answer.evidence, passages=passages))


def unread_side(answer: Answer) -> Answer:
    cited = {"document": {"id": answer.statements[0].citations[0].document.id},
             "start": 0, "end": 4, "quote": "none"}  # fmt: skip
    return replace(answer, agreements=({"sides": [{"citation": cited}]},))


CHANGES: dict[str, Callable[[Answer], Answer]] = {
    "other words": lambda a: with_statement(a, text=a.statements[0].text.replace("first", "last")),
    "a word more": lambda a: with_statement(a, text=f"{a.statements[0].text} Always."),
    "an unknown kind": lambda a: with_statement(a, kind="rumour"),
    "a notice": lambda a: with_statement(a, kind="notice"),
    "not supported": lambda a: with_statement(a, verdict="not_enough_info"),
    "no citation": lambda a: with_statement(a, citations=()),
    "no check": lambda a: with_statement(a, checks=()),
    "no span check": without("span"),
    "no coverage check": without("coverage"),
    "no limits check": without("limits"),
    "a failed check": failed,
    "a check that is none": lambda a: with_statement(a, checks=("pass",)),
    "a confidence beyond one": lambda a: with_statement(a, confidence=1.5),
    "a confidence that is no number": lambda a: with_statement(a, confidence=math.nan),
    "another place": moved,
    "half a sentence": shortened,
    "another document": other_document,
    "a free sentence": lambda a: with_statement(a, kind="paraphrase"),
    "a path": lambda a: with_statement(a, kind="path", checks=(Check("span", "pass"),
                                                                Check("graph", "pass"))),
    "a template": lambda a: with_statement(
        a, kind="template", checks=(*a.statements[0].checks, Check("template", "pass"))
    ),
    "a passage that is not there": unread_passage,
    "a side that is not there": unread_side,
    "a seed that is no number": lambda a: replace(
        a, evidence=replace(a.evidence, seeds=(Seed(0, 1, "a", "X:a", "a", math.nan),))
    ),
}  # fmt: skip


def test_a_sound_answer_passes() -> None:
    for question in QUESTIONS[:7]:
        answer = made(question)
        assert gate(answer, PARTS.truth) is answer


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_else_does(change: str) -> None:
    bent = CHANGES[change](made())
    with pytest.raises((KgragError, ValueError)):
        gate(bent, PARTS.truth)


def test_what_is_no_longer_current_does_not_pass() -> None:
    parts, _ = world()
    answer = ask(QUESTIONS[0], parts, OPTIONS)
    truth: Any = parts.truth
    truth.remove(answer.statements[0].citations[0].document.id)
    with pytest.raises(KgragError):
        gate(answer, truth)


def test_a_path_is_one_of_the_evidence_word_for_word() -> None:
    answer = made(QUESTIONS[2])
    path = answer.statements[0]
    assert path.kind == "path"
    assert path.confidence == pytest.approx(0.6, abs=0.2)
    for text in (path.text.replace("causes", "treats"), f"{path.text}."):
        bent: Statement = replace(path, text=text)
        with pytest.raises(KgragError, match="path"):
            gate(replace(answer, statements=(bent,)), PARTS.truth)
