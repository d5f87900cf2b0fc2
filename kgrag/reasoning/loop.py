"""From a question to an answer: look, find, quote, check, keep or drop, or say why not.

Nothing leaves but statements whose quotations were read again from the truth and that passed
every check. A check that breaks ends the answer: it becomes an abstention that names the layer.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Final

from kgrag.errors import KgragError, SettingsError
from kgrag.reasoning.budget import shares
from kgrag.reasoning.keep import OFFERED as OFFERED
from kgrag.reasoning.keep import choose, keep
from kgrag.reasoning.keep_forms import other_forms
from kgrag.reasoning.keep_warnings import heeded
from kgrag.reasoning.loop_answer import (
    abstained,
    answered,
    nothing,
    showable,
    told_by_model,
    unaddressed_by,
)
from kgrag.reasoning.loop_gate import gate
from kgrag.reasoning.notices import asks_for_means
from kgrag.reasoning.once import Once
from kgrag.reasoning.parts import GraphView as GraphView
from kgrag.reasoning.parts import Parts as Parts
from kgrag.reasoning.paths_answer import connection, joined, path_statement
from kgrag.reasoning.rounds import BrokenCheckError, Draft, Strand, guarded
from kgrag.reasoning.unaddressed import facts
from kgrag.reasoning.widen import search
from kgrag.records.analysis import Analysis
from kgrag.records.answer import Answer, Check, Statement
from kgrag.records.question import AskOptions

_DOSED_APART: Final = frozenset(("pregnant", "breastfeeding", "renal", "hepatic"))
MOST: Final = 4
"""How many parts of a question are looked for."""


def ask(
    question: str, parts: Parts, options: AskOptions | None = None, *, id: str | None = None
) -> Answer:
    """Verified statements that answer ``question``, or an abstention with its reason.

    At most ``options.statements`` of at most ``options.words`` words. BadQuestion when it cannot
    be asked; any other abnormal end of a check is an abstention without evidence.
    """
    from kgrag.retrieval.asked import check_question as askable

    limits = options or AskOptions()
    if limits.mode == "fluent" and parts.entailment is None:
        raise SettingsError(
            "free sentences need a checker of entailment, and none is set",
            hint='set verification.entailment, e.g. "nli:FOLDER", or ask in mode "quote"',
        )
    identifier = id or f"ans_{uuid.uuid4().hex[:24]}"
    threshold = parts.reranker.weights.threshold if limits.threshold is None else limits.threshold
    draft = Draft(askable(question), identifier, limits, threshold)
    try:
        with guarded("answer", passing=KgragError):
            told_by_model(parts)  # of a question that ended before it was asked
            answer = _asked(draft, replace(parts, truth=Once(parts.truth)))
        with guarded("gate"):
            # Read again, and not from what was kept for this question.
            return gate(answer, parts.truth)
    except BrokenCheckError as broken:
        return nothing(draft, parts, broken.layer)


def _asked(draft: Draft, parts: Parts) -> Answer:
    if asks_for_means(draft.question):
        return abstained(draft, parts, "withheld")
    _understand(draft, parts)
    search(draft, parts)
    with draft.clock.step("verification"):
        linked = connection(draft, parts)
    settled = [s for s in draft.answering if draft.settled(s)]
    if not settled:
        if linked:
            return answered(draft, parts, linked)
        if any(s.ranked for s in draft.strands):
            return abstained(draft, parts, "not_covered")
        return abstained(draft, parts, "nothing_passed" if draft.hits else "nothing_found")
    chosen: list[list[Statement]] = []
    offered = False
    for strand, most in zip(draft.answering, shares(draft), strict=True):
        if strand in settled and most:
            with draft.clock.step("choice"):
                ordered = choose(draft, strand, parts)
            offered = offered or bool(ordered)
            with draft.clock.step("verification"):
                kept = heeded(draft, strand, parts, keep(draft, strand, parts, ordered, most))
                chosen.append(_bridged(draft, strand, kept, parts, most))
    if not offered and not linked:
        return abstained(draft, parts, "nothing_chosen")
    with draft.clock.step("verification"):
        quoted = [statement for some in chosen for statement in some]
        said = other_forms(draft, parts, quoted)
    statements = (*linked, *said)[: draft.options.statements]
    if not statements:
        return abstained(draft, parts, "nothing_passed")
    if _misses_the_point(draft, statements):
        return abstained(draft, parts, "not_covered")
    return answered(draft, parts, statements)


def _misses_the_point(draft: Draft, statements: tuple[Statement, ...]) -> bool:
    """Whether nothing that is quoted speaks of the patient of whom it is asked who must not have
    something ("Is it safe in pregnancy?"), or which dose, where that is another for such patients.
    """
    main = draft.analysis.intents[:1] if draft.analysis is not None else ()
    if draft.analysis is None or main not in (("contraindication",), ("dose",)):
        return False
    told = list(facts(draft.analysis.patient))
    if main == ("dose",) and not _DOSED_APART.intersection(name for name, _ in told):
        return False
    asked = [fact.text.strip() for _, fact in told]
    # What speaks of the patient has to speak of the drug too, where others do.
    of_it = tuple(s for s in statements if any(map(_of_the_drug, s.checks)))
    return bool(asked) and list(unaddressed_by(draft, of_it or statements)) == asked


def _of_the_drug(check: Check) -> bool:
    return check.layer == "drug" and check.result == "pass"


def _understand(draft: Draft, parts: Parts) -> None:
    """What the question asks, of whom, in which parts; and what the graph knows of it."""
    if parts.look is not None:
        with draft.clock.step("graph"), guarded("graph", passing=KgragError):
            draft.view = showable(parts.look(draft.question, draft.options), parts.truth)
    questions: tuple[str, ...] = ()
    if parts.analyse is not None:
        with draft.clock.step("analysis"), guarded("analysis", passing=KgragError):
            draft.analysis = parts.analyse(draft.question, draft.view.seeds)
            if not isinstance(draft.analysis, Analysis):
                raise TypeError("no analysis")
            questions = tuple(str(part) for part in draft.analysis.parts)
    several = len(questions) > 1
    draft.strands = [Strand(draft.question, None if several else 0)]
    if several:
        draft.strands += [Strand(text, part) for part, text in enumerate(questions[:MOST])]


def _bridged(
    draft: Draft, strand: Strand, kept: list[Statement], parts: Parts, most: int
) -> list[Statement]:
    """What was reached over an edge of the graph stands behind that edge, and is no surer."""
    bridge = strand.bridge
    if bridge is None or not kept:
        return kept
    if most < 2:
        return []  # without its edge the quotation would answer another question
    edge = path_statement(bridge.steps, bridge.belief, parts, strand.part)
    number = len(bridge.steps) + 1
    return [edge, *(joined(draft, s, bridge.belief, number) for s in kept[: most - 1])]
