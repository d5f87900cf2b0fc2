"""Whatever breaks, and however, nothing leaves but what is in the documents and was checked.

Every part that an answer is made with is replaced by one that raises, is slow, or gives nothing,
nonsense, other places, other words or no numbers; alone and two at a time, from any call on, in
every mode. A truth that lies in the same way at every read cannot be told from the truth, so it
lies now and then.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any

import pytest
from broken_world import FAULTS, QUESTIONS, Broken, Faulty, world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgrag.reasoning.loop import Parts, ask
from kgrag.reasoning.loop_gate import REQUIRED
from kgrag.records.answer import Answer
from kgrag.records.question import AskOptions, Choice, Mode, Wider
from kgrag.records.text import Document

BREAKABLE = tuple(
    f.name for f in fields(Parts) if f.name not in ("choice", "models", "past", "entailed")
)
WAYS: tuple[tuple[Choice, Mode], ...] = (
    ("rerank", "quote"), ("model", "quote"), ("rerank", "fluent"),
)  # fmt: skip
WIDEN: tuple[Wider, ...] = ("graph", "bridge", "passages", "hypotheses")


@cache
def kb() -> tuple[Parts, Mapping[str, Document]]:
    return world()


WIDER = ("near", "bridges", "suppose")
"""What is asked only when the first round does not settle a question."""


@cache
def chance(question: str) -> float:
    """Of the first round. Without an encoder all chances are small."""
    return ask(question, kb()[0], AskOptions(passages=4, rounds=1)).rounds[0].chance


def options(question: str, choice: Choice, mode: Mode, wide: bool = False) -> AskOptions:
    """A threshold that the first round reaches, or with ``wide`` just does not."""
    threshold = chance(question) * (1.2 if wide else 0.3)
    return AskOptions(
        threshold=threshold, passages=4, rounds=5, widen=WIDEN, choice=choice, mode=mode
    )


def citations(value: Any) -> Iterator[Mapping[str, Any]]:
    """Whatever quotes a document, anywhere in the plain answer."""
    if isinstance(value, Mapping):
        if {"document", "start", "end"} <= value.keys():
            yield value
        for inner in value.values():
            yield from citations(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from citations(inner)


def is_sound(answer: Answer, documents: Mapping[str, Document]) -> None:
    plain = json.loads(json.dumps(answer.to_json(), allow_nan=False))
    assert "secret" not in str(plain)
    for cited in citations(plain):
        text = documents[cited["document"]["id"]].text
        quote = cited.get("quote", cited.get("text"))
        assert quote and text[cited["start"] : cited["end"]] == quote
    if answer.abstained:
        assert answer.reason
        assert not answer.statements
        return
    assert answer.statements
    said = [*answer.statements, *(i.statement for i in answer.inapplicable)]
    for statement in said:
        assert statement.verdict == "supported"
        assert statement.citations
        passed = {c.layer for c in statement.checks if c.result == "pass"}
        assert REQUIRED[statement.kind] <= passed
        if statement.kind == "quote":
            assert [c.quote for c in statement.citations] == [statement.text]
    for statement in answer.statements:
        assert not [c for c in statement.checks if c.result not in ("pass", "not_applicable")]


@pytest.mark.parametrize("way", WAYS)
def test_the_sound_world_answers(way: tuple[Choice, Mode]) -> None:
    parts, documents = kb()
    answers = [ask(question, parts, options(question, *way)) for question in QUESTIONS[:-1]]
    for answer in answers:
        is_sound(answer, documents)
    kinds = {s.kind for a in answers for s in a.statements}
    assert {"quote", "path"} <= kinds
    assert ("paraphrase" in kinds) == (way[1] == "fluent")
    assert not any(a.abstained for a in answers)
    actions = {r.action for q in QUESTIONS for r in ask(q, parts, options(q, *way, True)).rounds}
    assert actions == {"first", "passages", "graph", "bridge", "hypotheses", "part"}
    assert ask(QUESTIONS[-1], parts, AskOptions()).abstained


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("part", BREAKABLE)
def test_one_part_breaks(part: str, fault: str) -> None:
    parts, documents = kb()
    called = 0
    free = part == "entailment"  # asked in one mode only, and not for every question
    every = free or part == "forbids"
    for at in range(7) if every else range(len(part + fault) % 2, 7, 2):
        question = QUESTIONS[at]
        way = WAYS[2 if free else at % len(WAYS)]
        after = 0 if part != "truth" else 1 + 2 * at
        lasting = 10**6 if part != "truth" else 1
        broken = Faulty(getattr(parts, part), fault, after, lasting)
        made = replace(parts, **{part: broken})
        answer = ask(question, made, options(question, *way, part in WIDER))
        called += broken._calls
        is_sound(answer, documents)
        raised = fault == "raises" and broken._calls > after
        if raised and part != "entailment":  # a checker that breaks has found nothing entailed
            assert answer.abstained
            assert answer.warnings
    assert called


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(QUESTIONS),
    st.sampled_from(WAYS),
    st.lists(
        st.tuples(
            st.sampled_from(BREAKABLE), st.sampled_from(sorted(FAULTS)), st.integers(0, 12),
            st.integers(1, 3),
        ),
        min_size=1, max_size=3, unique_by=lambda item: item[0],
    ),
    st.booleans(),
)  # fmt: skip
def test_several_parts_break(
    question: str,
    way: tuple[Choice, Mode],
    faults: list[tuple[str, str, int, int]],
    wide: bool,
) -> None:
    parts, documents = kb()
    broken = {
        part: Faulty(getattr(parts, part), fault, after, lasting if part == "truth" else 10**6)
        for part, fault, after, lasting in faults
    }
    answer = ask(question, replace(parts, **broken), options(question, *way, wide))
    is_sound(answer, documents)


def test_no_round_is_begun_after_the_time_is_over() -> None:
    parts, documents = kb()
    slow = replace(parts, retriever=Faulty(parts.retriever, "is slow"))
    for question in QUESTIONS:
        answer = ask(question, slow, AskOptions(threshold=1.0, rounds=5, widen=WIDEN, seconds=0.02))
        is_sound(answer, documents)
        assert len(answer.rounds) == 1


def test_what_breaks_is_named_and_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    parts, _ = kb()
    broken = replace(parts, span_check=Faulty(parts.span_check, "raises"))
    answer = ask(QUESTIONS[0], broken, options(QUESTIONS[0], "rerank", "quote"))
    assert answer.abstained
    assert "'span'" in answer.warnings[0]
    assert Broken.__name__ in caplog.text
    assert "secret" not in caplog.text
