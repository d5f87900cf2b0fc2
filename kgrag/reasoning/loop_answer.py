"""The record that leaves: an answer with its evidence, or an abstention with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from kgrag.reasoning.notices import is_emergency, notice
from kgrag.reasoning.parts import GraphView, Parts
from kgrag.reasoning.rounds import Draft, guarded
from kgrag.records.answer import Answer, EvidenceChain, Hit, PathStep, Statement, to_plain
from kgrag.retrieval.context import DOUBTFUL, Reads, may_show, speaks_to_model
from kgrag.verification.units import has_dose

NEAREST: Final = 3


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
    cited = {c.passage_id for s in statements for c in s.citations}
    shown = [f.hit for f in draft.found if f.hit.passage_id in cited]
    with draft.clock.step("verification"):
        evidence = EvidenceChain(
            draft.view.seeds, sound_paths(draft, parts), sound(shown, draft, parts)
        )
    warnings = warnings_of(draft, parts)
    doubtful = {c.document_id for c in draft.context.citables if c.doubt >= DOUBTFUL}
    documents = tuple(dict.fromkeys(c.document for s in statements for c in s.citations))
    marked = {
        "concern": [d for d in documents if d.id in draft.context.concerns],
        "inexact": [d for d in documents if parts.past and parts.past.inexact(d.id)],
        "doubtful_cited": [d for d in documents if d.id in doubtful],
    }
    for name, those in marked.items():
        warnings += [notice(name, title=d.title) for d in those]
    return Answer(
        draft.id, draft.question, False, None, statements, evidence, draft.view.conflicts,
        tuple(dict.fromkeys(warnings)), dict(parts.models), draft.clock.all(),
    )  # fmt: skip


def abstained(draft: Draft, parts: Parts, reason: str) -> Answer:
    """An abstention with the nearest evidence, which is no answer."""
    order = dict.fromkeys(r.citable.passage_id for r in draft.ranked)
    by_id = {f.hit.passage_id: f.hit for f in draft.found}
    hits = [by_id[i] for i in order if i in by_id][:NEAREST]
    with draft.clock.step("verification"):
        chain = EvidenceChain(draft.view.seeds, (), sound(hits, draft, parts))
    return Answer(
        draft.id, draft.question, True, notice(reason), (), chain, (),
        tuple(warnings_of(draft, parts)), dict(parts.models), draft.clock.all(),
    )  # fmt: skip


def nothing(draft: Draft, parts: Parts, layer: str) -> Answer:
    """An abstention without any evidence: what was found could not be checked."""
    return Answer(
        draft.id, draft.question, True, notice("check_failed"), (), EvidenceChain(), (),
        (f"the check {layer!r} could not be carried out",), dict(parts.models), draft.clock.all(),
    )  # fmt: skip


def sound(hits: Sequence[Hit], draft: Draft, parts: Parts) -> tuple[Hit, ...]:
    """The hits whose text the truth still holds, of documents that may be cited.

    Passages that address a model, or name doses on a doubtful page, are left out.
    """
    kept: list[Hit] = []
    barred = {
        (c.document_id, c.page) for c in draft.context.citables if c.doubt >= DOUBTFUL
    }  # fmt: skip
    with guarded("evidence"):
        for hit in hits:
            if hit.document.id not in draft.context.documents or speaks_to_model(hit.text):
                continue
            if (hit.document.id, hit.page) in barred and has_dose(hit.text):
                continue
            if parts.truth.document(hit.document.id).text[hit.start : hit.end] == hit.text:
                kept.append(hit)
    return tuple(kept)


def sound_paths(draft: Draft, parts: Parts) -> tuple[tuple[PathStep, ...], ...]:
    """The paths of which every quotation passes the span check."""
    with guarded("paths"):
        return tuple(
            path
            for path in draft.view.paths
            if all(
                parts.span_check(s.citation, s.citation.quote, parts.truth).result == "pass"
                for s in path
            )
        )


def warnings_of(draft: Draft, parts: Parts) -> list[str]:
    found = [notice("emergency")] if is_emergency(draft.question) else []
    if parts.past is not None:
        found.append(notice("as_of", day=parts.past.as_of))
        if undated := parts.past.undated(draft.options.selection.collections):
            found.append(notice("undated", number=str(undated)))
    refused = draft.context.refused
    found.extend(
        notice(name)
        for name in ("retracted", "superseded", "doubtful", "instruction")
        if refused.get(name, 0)
    )
    if draft.view.conflicts:
        found.append(notice("disagreement"))
    return found
