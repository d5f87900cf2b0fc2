"""The rounds of one question: the first look, its parts, and what is looked at beyond them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Final

from kgrag.errors import KgragError
from kgrag.reasoning.budget import worth_it
from kgrag.reasoning.coverage import content_words
from kgrag.reasoning.parts import Parts
from kgrag.reasoning.paths import Path
from kgrag.reasoning.rounds import Draft, Strand, guarded, look_round, repeats
from kgrag.records.question import Wider
from kgrag.retrieval.context import Citable, Found

LEAST_BELIEF: Final = 0.5
"""The least belief in an edge over which a question is carried on."""
_BRIDGES: Final = 2
_HYPOTHESES: Final = 3
# "The disease that obesity is a risk factor for": a thing that the question tells by an edge.
_NESTED: Final = re.compile(
    r"\b(?:the|an?|any)\s(?:[\w-]+\s){0,3}(?:that|which)\s[^?.,;]{3,120}", re.IGNORECASE
)


def search(draft: Draft, parts: Parts) -> None:
    """All rounds of the question are done, and recorded in ``draft.rounds``.

    The whole question is looked for first. Of several questions each is then looked for by itself.
    What is not settled by then is looked for wider, in the ways that the options name, where that
    is worth it.
    """
    for strand in draft.strands:
        _known(draft, strand, parts)
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
    elif action == "bridge":
        _over_a_bridge(draft, strand, parts)


def _over_a_bridge(draft: Draft, strand: Strand, parts: Parts) -> None:
    """The question carried over an edge of the graph to the concept that it means.

    The strand answers over the bridge only where that settles it; else it stays as it was.
    """
    for path in _bridges(draft, strand, parts):
        before = (strand.found, strand.context, strand.ranked, strand.chance, strand.asked)
        name = _leads_to(path, draft, parts)
        strand.found, strand.bridge = [], path
        look_round(
            draft, strand, parts, "bridge",
            limit=draft.options.passages, asked=_carried(strand.question, name),
            fit=partial(_goes_on, path, name),
        )  # fmt: skip
        if draft.settled(strand):
            return
        strand.found, strand.context, strand.ranked, strand.chance, strand.asked = before
        strand.bridge = None


def _bridges(draft: Draft, strand: Strand, parts: Parts) -> list[Path]:
    if parts.bridges is None:
        return []
    with draft.clock.step("graph"), guarded("bridge", passing=KgragError):
        # In a question that tells its subject by an edge, only those words name the relation.
        clause = _NESTED.search(strand.question)
        said = strand.question if clause is None else clause[0]
        found = parts.bridges(said, draft.view, draft.options)
        return [path for path in found if path.belief >= LEAST_BELIEF][:_BRIDGES]


def _known(draft: Draft, strand: Strand, parts: Parts) -> None:
    """What the question takes as known is no answer to it: "the deficiency that metformin causes"
    is not answered by a sentence that metformin causes one."""
    clause = _NESTED.search(strand.question)
    if clause is None:
        return
    steps = [step for path in _bridges(draft, strand, parts) for step in path.steps]
    told = {seed.concept for seed in draft.view.seeds if seed.text in clause[0]}
    steps += [p[0] for p in draft.view.paths if len(p) == 1 and {p[0].subject, p[0].object} <= told]
    strand.repeating = tuple(step.citation for step in steps)


def _leads_to(path: Path, draft: Draft, parts: Parts) -> str:
    """The concept at the far end of the bridge, in the words of its source where they are known."""
    step = path.steps[-1]
    known = {seed.concept for seed in draft.view.seeds}
    away, name = step.subject, step.subject_name
    if step.object not in known:
        away, name = step.object, step.object_name
    if parts.linker is None:
        return name
    with guarded("bridge"):
        named = [m.text for m in parts.linker.link(step.citation.quote) if m.concept == away]
    return named[0] if named else name


def _carried(question: str, name: str) -> str:
    """The question with ``name`` in the place of the clause that means it, else behind it."""
    asked, replaced = _NESTED.subn(lambda _: name, question, count=1)
    return asked if replaced else f"{question} ({name})"


def _goes_on(path: Path, name: str, piece: Citable) -> bool:
    """Whether the piece tells of what the bridge leads to, and is not the bridge itself."""
    if repeats(piece, (step.citation for step in path.steps)):
        return False
    told = set(content_words(" . ".join((piece.title, *piece.section, piece.text))))
    return bool(told & set(content_words(name)))


def _new(strand: Strand, found: Sequence[Found]) -> list[Found]:
    known = {f.hit.passage_id for f in strand.found}
    return [f for f in found if f.hit.passage_id not in known]
