"""The checks that a quotation passes before it may be a statement."""

from __future__ import annotations

import re
from typing import Final

from kgrag.reasoning.answerable import speaks_to
from kgrag.reasoning.parts import GraphView, Parts
from kgrag.reasoning.rounds import Draft, guarded
from kgrag.records.answer import Check, Citation, Statement
from kgrag.retrieval.context import DOUBTFUL, Citable, Context, speaks_to_model
from kgrag.retrieval.seeds import Links
from kgrag.verification.units import has_dose

LEAST_SUBJECT: Final = 0.2
"""The least share of the question's subject words that a quotation and its place must name."""
_ASKS_A_DOSE: Final = re.compile(
    r"\b(?:what|which)\b(?:\W+\w+){0,4}?\W+(?:dos(?:e|es|age)|dosing)\b|\bhow much\b", re.IGNORECASE
)
# "The dose is halved in renal impairment" answers too.
_TELLS_A_DOSE: Final = re.compile(r"\bdos(?:e|es|age|ages|ing)\b", re.IGNORECASE)


def statement_of(
    draft: Draft, parts: Parts, piece: Citable, confidence: float | None
) -> Statement | None:
    """The piece as a statement, None when a check failed."""
    citation = _citation(piece, draft.context)
    checks = _checks(draft, parts, piece, citation)
    if checks[0].result != "pass" or any(c.result == "fail" for c in checks):
        return None
    return Statement(
        text=citation.quote,
        kind="quote",
        verdict="supported",
        confidence=confidence,
        citations=(citation,),
        assertions=_stated(piece, draft.view),
        checks=checks,
    )


def _citation(citable: Citable, context: Context) -> Citation:
    return Citation(
        context.documents[citable.document_id], citable.passage_id, citable.section,
        citable.page, citable.start, citable.end, citable.text,
    )  # fmt: skip


def _checks(draft: Draft, parts: Parts, citable: Citable, citation: Citation) -> tuple[Check, ...]:
    """Span first, then whether it speaks of the question, for its patient, within the limits."""
    with guarded("span"):
        checks = [parts.span_check(citation, citable.text, parts.truth)]
    with guarded("coverage"):
        share = speaks_to(draft.question, citable, {})
        checks.append(
            Check("coverage", "pass" if share >= LEAST_SUBJECT else "fail",
                  f"{share:.2f} of the question's subject")
        )  # fmt: skip
    with guarded("slots"):
        place = " ".join((citable.title, *citable.section))
        checks.extend(parts.question_check(draft.question, citable.text, place))
    with guarded("dose"):
        if _ASKS_A_DOSE.search(draft.question) and not _TELLS_A_DOSE.search(citable.text):
            told = has_dose(citable.text)
            checks.append(Check("dose", "pass" if told else "fail", "a dose is asked for"))
    with guarded("drug"):
        if parts.linker is not None and has_dose(citable.text):
            checks.append(_same_drug(draft.question, citable.text, parts.linker))
    with guarded("limits"):
        if citable.words > draft.options.words or speaks_to_model(citable.text):
            checks.append(Check("limits", "fail", "too long, or it addresses a model"))
        if citable.doubt >= DOUBTFUL and has_dose(citable.text):
            checks.append(Check("doubt", "fail", "a dose on a page of doubtful extraction"))
    return tuple(checks)


def _same_drug(question: str, quotation: str, linker: Links) -> Check:
    """A dose is that of a drug the question names, when it names any."""
    asked, quoted = (
        {m.concept for m in linker.link(text) if m.type == "drug"} for text in (question, quotation)
    )
    if not asked or not quoted:
        return Check("drug", "not_applicable")
    if asked & quoted:
        return Check("drug", "pass")
    return Check("drug", "fail", "a dose of another drug than the one asked about", "factual error")


def _stated(citable: Citable, view: GraphView) -> tuple[str, ...]:
    return tuple(
        sorted(
            {
                assertion
                for (document, start, end), assertion in view.evidence.items()
                if document == citable.document_id and start < citable.end and citable.start < end
            }
        )
    )
