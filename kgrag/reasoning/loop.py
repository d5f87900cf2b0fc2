"""From a question to an answer: look, find, quote, check, keep or drop, or say why not.

Nothing leaves but quotations whose characters were read again from the truth and that passed
every check. A check that breaks ends the answer: it becomes an abstention that names the layer.
"""

from __future__ import annotations

import uuid

from kgrag.errors import KgragError
from kgrag.reasoning.keep import OFFERED as OFFERED
from kgrag.reasoning.keep import choose, keep
from kgrag.reasoning.loop_answer import abstained, answered, nothing, showable, sound_paths
from kgrag.reasoning.parts import GraphView as GraphView
from kgrag.reasoning.parts import Parts as Parts
from kgrag.reasoning.paths import asks_for_connection, is_chain, path_text
from kgrag.reasoning.rounds import BrokenCheckError, Draft, find, guarded
from kgrag.records.answer import Answer, Check, Statement
from kgrag.records.question import AskOptions


def ask(
    question: str, parts: Parts, options: AskOptions | None = None, *, id: str | None = None
) -> Answer:
    """Verified quotations that answer ``question``, or an abstention with its reason.

    At most ``options.statements`` of at most ``options.words`` words. BadQuestion when it cannot
    be asked; any other abnormal end of a check is an abstention without evidence.
    """
    from kgrag.retrieval.asked import check_question as askable

    limits = options or AskOptions()
    identifier = id or f"ans_{uuid.uuid4().hex[:24]}"
    draft = Draft(askable(question), identifier, limits)
    threshold = parts.reranker.weights.threshold if limits.threshold is None else limits.threshold
    try:
        if parts.look is not None:
            with draft.clock.step("graph"), guarded("graph", passing=KgragError):
                draft.view = showable(parts.look(draft.question, limits), parts.truth)
        for round_number in range(limits.rounds):
            before = len(draft.context.citables)
            with guarded("retrieval", passing=KgragError):
                find(draft, parts, limits.passages * 2**round_number)
            enough = draft.chance >= threshold
            if enough or (round_number and len(draft.context.citables) == before):
                break
        with draft.clock.step("verification"):
            joined = connection(draft, parts)
        if not draft.ranked or draft.chance < threshold:
            if joined:
                return answered(draft, parts, joined)
            if draft.ranked:
                return abstained(draft, parts, "not_covered")
            return abstained(draft, parts, "nothing_passed" if draft.found else "nothing_found")
        with draft.clock.step("choice"):
            ordered = choose(draft, parts)
        if not ordered and not joined:
            return abstained(draft, parts, "nothing_chosen")
        with draft.clock.step("verification"):
            statements = (joined + keep(draft, parts, ordered, threshold))[: limits.statements]
        if not statements:
            return abstained(draft, parts, "nothing_passed")
        return answered(draft, parts, statements)
    except BrokenCheckError as broken:
        return nothing(draft, parts, broken.layer)


def connection(draft: Draft, parts: Parts) -> tuple[Statement, ...]:
    """The best chain of edges between two concepts, when the question asks how they connect."""
    if not asks_for_connection(draft.question):
        return ()
    for path in sound_paths(draft, parts):
        text = path_text(path)
        if not is_chain(path) or len(text.split()) > draft.options.words:
            continue
        with guarded("path"):
            checks = [
                parts.span_check(step.citation, step.citation.quote, parts.truth) for step in path
            ]
            detail = "one source states it" if len(path) == 1 else (
                f"{len(path)} assertions joined; each source states one of them"
            )  # fmt: skip
            checks.append(Check("graph", "pass", detail))
        return (
            Statement(
                text=text,
                kind="path",
                verdict="supported",
                confidence=None,
                citations=tuple(step.citation for step in path),
                assertions=tuple(step.assertion for step in path),
                checks=tuple(checks),
            ),
        )
    return ()
