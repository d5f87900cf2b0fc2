"""The rounds of one question: the first look, its parts, and what is looked at beyond them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kgrag.errors import KgragError
from kgrag.reasoning.budget import worth_it
from kgrag.reasoning.parts import Parts
from kgrag.reasoning.rounds import Draft, Strand, guarded, look_round
from kgrag.records.question import Wider
from kgrag.retrieval.context import Found

LEAST_BELIEF: Final = 0.5
"""The least belief in an edge over which a question is carried on."""
_BRIDGES: Final = 2
_HYPOTHESES: Final = 3


def search(draft: Draft, parts: Parts) -> None:
    """All rounds of the question are done, and recorded in ``draft.rounds``.

    The whole question is looked for first. Of several questions each is then looked for by itself.
    What is not settled by then is looked for wider, in the ways that the options name, where that
    is worth it.
    """
    look_round(
        draft, draft.whole, parts, "first", limit=draft.options.passages, extra=draft.view.found
    )
    comparing = draft.analysis is not None and draft.analysis.intents[:1] == ("comparison",)
    if comparing and draft.settled(draft.whole):
        # One source that compares says more than two that each tell of one side.
        del draft.strands[1:]
    for strand in draft.strands[1:]:
        if not draft.late:
            look_round(draft, strand, parts, "part", limit=draft.options.passages)
    for strand in draft.answering:
        for action in draft.options.widen:
            if worth_it(draft, strand, action):
                _widen(draft, strand, parts, action)
    if len(draft.strands) > 1 and not any(draft.settled(s) for s in draft.answering):
        # What is asked in several questions may still be answered in one sentence.
        del draft.strands[1:]


def _widen(draft: Draft, strand: Strand, parts: Parts, action: Wider) -> None:
    """One wider round, when there is anything new to look at."""
    limit = draft.options.passages
    if action == "passages":
        look_round(draft, strand, parts, action, limit=2 * limit)
    elif action == "graph" and parts.near is not None:
        with draft.clock.step("graph"), guarded("graph", passing=KgragError):
            near = _new(strand, parts.near(draft.view, draft.options))
        if near:
            look_round(draft, strand, parts, action, extra=near)
    elif action == "hypotheses" and parts.suppose is not None:
        with draft.clock.step("graph"), guarded("hypotheses", passing=KgragError):
            names = [str(n) for n in parts.suppose(strand.question, draft.options)][:_HYPOTHESES]
        if names:
            asked = f"{strand.question} ({', '.join(names)})"
            look_round(draft, strand, parts, action, limit=limit, asked=asked)
    elif action == "bridge" and parts.bridges is not None:
        _over_a_bridge(draft, strand, parts)


def _over_a_bridge(draft: Draft, strand: Strand, parts: Parts) -> None:
    """The question carried over an edge of the graph to the concept that it means.

    The strand answers over the bridge only where that settles it; else it stays as it was.
    """
    assert parts.bridges is not None
    with draft.clock.step("graph"), guarded("bridge", passing=KgragError):
        found = [
            path
            for path in parts.bridges(strand.question, draft.view, draft.options)
            if path.belief >= LEAST_BELIEF
        ][:_BRIDGES]
    for path in found:
        before = (strand.found, strand.context, strand.ranked, strand.chance, strand.asked)
        step = path.steps[-1]
        known = {seed.concept for seed in draft.view.seeds}
        name = step.subject_name if step.object in known else step.object_name
        strand.found, strand.bridge = [], path
        look_round(
            draft, strand, parts, "bridge",
            limit=draft.options.passages, asked=f"{strand.question} ({name})",
        )  # fmt: skip
        if draft.settled(strand):
            return
        strand.found, strand.context, strand.ranked, strand.chance, strand.asked = before
        strand.bridge = None


def _new(strand: Strand, found: Sequence[Found]) -> list[Found]:
    known = {f.hit.passage_id for f in strand.found}
    return [f for f in found if f.hit.passage_id not in known]
