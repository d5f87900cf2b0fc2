"""The record that leaves: an answer with its evidence, or an abstention with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from kgrag.errors import BrokenInvariant
from kgrag.generation.base import Composes
from kgrag.reasoning.loop_gate import closed
from kgrag.reasoning.notices import is_emergency, notice
from kgrag.reasoning.parts import GraphView, Parts
from kgrag.reasoning.paths_answer import explained
from kgrag.reasoning.rounds import Draft, guarded
from kgrag.reasoning.unaddressed import unaddressed
from kgrag.records.answer import Answer, EvidenceChain, Hit, Statement, to_plain
from kgrag.retrieval.context import DOUBTFUL, Context, Reads, doubt_at, may_show, speaks_to_model
from kgrag.verification.units import has_dose

_ISO: Final = re.compile(r"\d{4}(?:-\d{2}){0,2}")
NEAREST: Final = 3
COMPARED: Final = 20
"""How many of the first pieces are looked at for saying the same as the answer."""


def showable(view: GraphView, truth: Reads) -> GraphView:
    """The view without the paths and conflicts of which a quotation may not be shown.

    What the graph quotes was not chosen among the citable pieces, so it is judged here.
    """

    def fit(citations: Iterable[Mapping[str, Any]]) -> bool:
        return all(
            may_show(truth.document(c["document"]["id"]), c["start"], c["end"]) for c in citations
        )

    return replace(
        view,
        paths=tuple(p for p in view.paths if fit(to_plain(step.citation) for step in p)),
        conflicts=tuple(c for c in view.conflicts if fit(side["citation"] for side in c["sides"])),
    )


def answered(draft: Draft, parts: Parts, statements: tuple[Statement, ...]) -> Answer:
    """The answer with its evidence: passages that it cites, and the paths that lead to it."""
    cited = {c.passage_id for s in statements for c in s.citations}
    shown = [hit for hit in draft.hits if hit.passage_id in cited]
    context = draft.context
    with draft.clock.step("paths"):
        statements, paths = explained(draft, parts, statements)
    with draft.clock.step("verification"):
        evidence = EvidenceChain(draft.view.seeds, paths, sound(shown, draft, context, parts))
    warnings = warnings_of(draft, context, parts)
    answering = {s.part for s in statements if s.kind != "path"}
    warnings += [
        notice("part_unanswered", part=strand.question)
        for strand in draft.answering
        if len(draft.strands) > 1 and strand.part not in answering
    ]
    if facts := unaddressed_by(draft, statements):
        told_of = ", ".join(f"“{fact}”" for fact in dict.fromkeys(facts))
        warnings.append(notice("unaddressed", facts=told_of))
    warnings += _later_than_asked(draft, parts, statements)
    doubtful = {c.document_id for c in context.citables if c.doubt >= DOUBTFUL}
    documents = tuple(dict.fromkeys(c.document for s in statements for c in s.citations))
    marked = {
        "concern": [d for d in documents if d.id in context.concerns],
        "inexact": [d for d in documents if parts.past and parts.past.inexact(d.id)],
        "doubtful_cited": [d for d in documents if d.id in doubtful],
    }
    for name, those in marked.items():
        warnings += [notice(name, title=d.title) for d in those]
    agreed = _agreements(draft, parts, statements)
    told = _told(draft, parts)
    return Answer(
        draft.id, draft.question, False, None, statements, evidence, draft.view.conflicts,
        tuple(dict.fromkeys(warnings)), dict(parts.models), draft.clock.all(),
        agreements=agreed, **told,
    )  # fmt: skip


def abstained(draft: Draft, parts: Parts, reason: str) -> Answer:
    """An abstention with the nearest evidence, which is no answer."""
    context = draft.context
    order = dict.fromkeys(r.citable.passage_id for s in draft.strands for r in s.ranked)
    readable = [hit for hit in draft.hits if not _doubtful(hit, parts)]
    by_id = {hit.passage_id: hit for hit in readable}
    hits = [by_id[i] for i in order if i in by_id][:NEAREST]
    with draft.clock.step("verification"):
        chain = EvidenceChain(draft.view.seeds, (), sound(hits, draft, context, parts))
    if reason == "nothing_passed" and draft.inapplicable:
        reason = "only_inapplicable"
    return Answer(
        draft.id, draft.question, True, notice(reason), (), chain, (),
        tuple(warnings_of(draft, context, parts)), dict(parts.models), draft.clock.all(),
        **_told(draft, parts),
    )  # fmt: skip


def _doubtful(hit: Hit, parts: Parts) -> bool:
    """Whether the page was not read reliably: nobody is helped by what may not be its words."""
    with guarded("evidence"):
        return doubt_at(parts.truth.document(hit.document.id), hit.page) >= DOUBTFUL


def nothing(draft: Draft, parts: Parts, layer: str) -> Answer:
    """An abstention without any evidence: what was found could not be checked."""
    made = closed(draft.id, draft.question, layer)
    return replace(made, models=dict(parts.models), timings_ms=draft.clock.all())


def _told(draft: Draft, parts: Parts) -> dict[str, Any]:
    """What answers and abstentions tell alike of how they came about."""
    follow: tuple[str, ...] = ()
    if parts.follow is not None and draft.analysis is not None:
        with guarded("follow_up"):
            follow = tuple(parts.follow(draft.analysis, draft.judged))
            if not all(isinstance(question, str) for question in follow):
                raise BrokenInvariant("what is asked back is no text")
    return {
        "analysis": draft.analysis,
        "rounds": tuple(draft.rounds),
        "inapplicable": tuple(draft.inapplicable),
        "follow_up": follow,
    }


def _agreements(
    draft: Draft, parts: Parts, statements: Sequence[Statement]
) -> tuple[Mapping[str, Any], ...]:
    if parts.agree is None:
        return ()
    pieces = [r.citable for s in draft.answering for r in s.ranked[:COMPARED]]
    with draft.clock.step("agreement"), guarded("agreement"):
        return tuple(parts.agree(statements, pieces, draft.options))


def sound(hits: Sequence[Hit], draft: Draft, context: Context, parts: Parts) -> tuple[Hit, ...]:
    """The hits whose text the truth still holds, of documents that may be cited.

    Passages that address a model, or name doses on a doubtful page, are left out.
    """
    kept: list[Hit] = []
    barred = {
        (c.document_id, c.page) for c in context.citables if c.doubt >= DOUBTFUL
    }  # fmt: skip
    with guarded("evidence"):
        for hit in hits:
            if hit.document.id not in context.documents or speaks_to_model(hit.text):
                continue
            if (hit.document.id, hit.page) in barred and has_dose(hit.text):
                continue
            if parts.truth.document(hit.document.id).text[hit.start : hit.end] == hit.text:
                kept.append(hit)
    return tuple(kept)


def warnings_of(draft: Draft, context: Context, parts: Parts) -> list[str]:
    """The notices of what was left out, and of what to know before reading on."""
    found = [notice("emergency")] if is_emergency(draft.question) else []
    if parts.past is not None:
        found.append(notice("as_of", day=parts.past.as_of))
        if undated := parts.past.undated(draft.options.selection.collections):
            found.append(notice("undated", number=str(undated)))
    refused = context.refused
    found.extend(
        notice(name)
        for name in ("retracted", "superseded", "doubtful", "instruction")
        if refused.get(name, 0)
    )
    if draft.view.conflicts:
        found.append(notice("disagreement"))
    if draft.inapplicable:
        found.append(notice("inapplicable"))
    return [*found, *draft.warnings, *told_by_model(parts)]


def _later_than_asked(draft: Draft, parts: Parts, statements: Iterable[Statement]) -> list[str]:
    """The notice of documents that are of a later date than one that the question names."""
    time = draft.analysis.time if draft.analysis is not None else None
    if time is None or parts.past is not None or not _ISO.fullmatch(str(time.value)):
        return []
    if time.text.lower().startswith(("since", "after", "from")):
        return []
    day = str(time.value)
    dates = (c.document.date for s in statements for c in s.citations)
    later = any(date is not None and date[: len(day)] > day for date in dates)
    return [notice("time_named", time=time.text)] if later else []


def told_by_model(parts: Parts) -> tuple[str, ...]:
    """What the language model tells of replies of this question that failed; it is asked once."""
    if not isinstance(parts.model, Composes):
        return ()
    with guarded("generation"):
        told = tuple(parts.model.warnings())
        if not all(isinstance(text, str) for text in told):
            raise BrokenInvariant("a warning is no text")
    return told


def unaddressed_by(draft: Draft, statements: Iterable[Statement]) -> tuple[str, ...]:
    """What the question tells of its patient and nothing that is shown speaks of."""
    if draft.analysis is None:
        return ()
    apart = (item.statement for item in draft.inapplicable)
    with guarded("facts"):
        return unaddressed(draft.analysis, (*statements, *apart))
