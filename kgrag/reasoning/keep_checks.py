"""The checks that a quotation passes before it may be a statement."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from kgrag.errors import BrokenInvariant
from kgrag.reasoning.answerable import speaks_to
from kgrag.reasoning.meets import meets, no_statement
from kgrag.reasoning.parts import GraphView, Parts
from kgrag.reasoning.phrases import listed, plain
from kgrag.reasoning.populations import warns
from kgrag.reasoning.rounds import BrokenCheckError, Draft, Strand, guarded, repeats
from kgrag.records.answer import Check, CheckResult, Citation, Inapplicable, Statement
from kgrag.records.text import Span
from kgrag.retrieval.context import DOUBTFUL, Citable, Context, speaks_to_model
from kgrag.verification.complete import completion
from kgrag.verification.units import has_dose

LEAST_SUBJECT: Final = 0.2
"""The least share of the question's subject words that a quotation and its place must name."""
_MOST_INAPPLICABLE: Final = 3
_ASKS_A_DOSE: Final = re.compile(
    r"\b(?:what|which)\b(?:\W+\w+){0,4}?\W+(?:dos(?:e|es|age)|dosing)\b|"
    r"\bhow much\b(?=[^?.;]{0,60}\b"
    r"(?:giv\w+|take|taken|taking|administer\w*|prescri\w+|inject\w*|infus\w*|swallow|dos\w+)\b)",
    re.IGNORECASE,
)
# "The dose is halved in renal impairment" answers too.
_TELLS_A_DOSE: Final = re.compile(r"\bdos(?:e|es|age|ages|ing)\b", re.IGNORECASE)


def made_whole(piece: Citable, parts: Parts, limit_words: int) -> Citable | None:
    """The piece with its own condition, exception and strength; None when they do not fit.

    Idempotent. The section of the piece bounds it.
    """
    with guarded("completion"):
        document = parts.truth.document(piece.document_id)
        holding = [s for s in document.sections if s.start <= piece.core.start < s.end]
        section = min(holding, key=lambda s: s.end - s.start, default=None)
        within = None
        if section is not None and section.start <= piece.start and piece.end <= section.end:
            within = Span(section.start, section.end)
        found = completion(
            document.text, piece.start, piece.end, limit_words=limit_words, within=within
        )
        if found is None:
            return None
        if not (0 <= found.start <= piece.start and piece.end <= found.end <= len(document.text)):
            raise BrokenInvariant("a completed quotation does not hold what it completes")
        if (found.start, found.end) == (piece.start, piece.end):
            return piece
        text = document.text[found.start : found.end]
        return replace(piece, start=found.start, end=found.end, text=text)


def statement_of(
    draft: Draft,
    strand: Strand,
    parts: Parts,
    piece: Citable,
    confidence: float | None,
    about: str = "",
) -> Statement | None:
    """The piece as a statement, None when a check failed. It may speak of ``about`` instead of what
    the question speaks of: of a medicine that another piece advises.

    One that only what the question says of the patient contradicts is noted in
    ``draft.inapplicable``.
    """
    citation = citation_of(piece, strand.context)
    checks = _checks(draft, strand, parts, piece, citation, about)
    if not checks or checks[0].layer != "span" or checks[0].result != "pass":
        return None
    failed = {c.layer for c in checks if c.result != "pass" and c.result != "not_applicable"}
    judged = None if failed - {"population"} else _judged(draft, parts, piece)
    if judged is not None:
        checks = (*checks, judged)
    made = Statement(
        text=citation.quote,
        kind="quote",
        verdict="supported",
        confidence=confidence,
        citations=(citation,),
        assertions=_stated(piece, draft.view),
        checks=checks,
        part=strand.part,
    )
    unsaid = judged is None or judged.result != "fail"
    others = "; ".join(
        c.detail for c in checks if c.layer == "population" and "against" in c.detail
    )
    # That a warning is for others is never told of it: it may hold for the patient all the same.
    # Nor is what was read of ages, which are many and may be of other people in the same words.
    if failed == {"population"} and unsaid and others and not warns(piece.text):
        told = f"the source is about other people than the question ({others})"
        judged = Check("applicability", "fail", f"population: {told}")
    if judged is not None and judged.result == "fail":
        fact, _, reason = judged.detail.partition(": ")
        known = [c for i in draft.inapplicable for c in i.statement.citations]
        room = len(draft.inapplicable) < _MOST_INAPPLICABLE
        if not repeats(piece, known) and room and _is_advice(piece.text):
            draft.inapplicable.append(Inapplicable(made, reason, fact))
        return None
    return None if failed else made


def _is_advice(text: str) -> bool:
    """Whether the text advises, warns or tells a dose: only that can be for other patients."""
    return listed("advises").search(plain(text)) is not None or warns(text) or has_dose(text)


def _judged(draft: Draft, parts: Parts, piece: Citable) -> Check | None:
    """Whether the piece is for the patient whom the question tells of; None when nothing judges."""
    if parts.applies is None or draft.analysis is None:
        return None
    with guarded("applicability"):
        found = parts.applies(draft.analysis.patient, piece.text, piece.above)
        if found.result not in ("applies", "not_applicable", "unknown"):
            raise BrokenInvariant("a judgement of applicability that is none")
        draft.judged.append(found)
        if found.result == "not_applicable":
            return Check("applicability", "fail", f"{found.fact}: {found.reason}")
        return Check("applicability", "pass" if found.result == "applies" else "not_applicable")


def citation_of(citable: Citable, context: Context) -> Citation:
    """The piece as it is cited."""
    return Citation(
        context.documents[citable.document_id], citable.passage_id, citable.section,
        citable.page, citable.start, citable.end, citable.text,
    )  # fmt: skip


def _checks(
    draft: Draft,
    strand: Strand,
    parts: Parts,
    citable: Citable,
    citation: Citation,
    about: str = "",
) -> tuple[Check, ...]:
    """Span first, then whether it speaks of the question, for its patient, within the limits."""
    question = strand.question
    with guarded("span"):
        checks = [parts.span_check(citation, citable.text, parts.truth)]
    with guarded("coverage"):
        # Over a bridge the question's own words stand in the quotation of the edge.
        asked = strand.asked if strand.bridge else question
        share = speaks_to(asked, citable, {})
        of = "the question's subject"
        if about and share < LEAST_SUBJECT:
            share, of = speaks_to(about, citable, {}), "what is advised"
        result: CheckResult = "pass" if share >= LEAST_SUBJECT else "fail"
        checks.append(Check("coverage", result, f"{share:.2f} of {of}"))
    with guarded("slots"):
        place = " ".join(citable.above)
        checks.extend(parts.question_check(draft.question, citable.text, place))
    with guarded("dose"):
        if _ASKS_A_DOSE.search(question) and not _TELLS_A_DOSE.search(citable.text):
            told = has_dose(citable.text)
            checks.append(Check("dose", "pass" if told else "fail", "a dose is asked for"))
    with guarded("drug"):
        if parts.linker is not None:
            named = asked if strand.bridge else draft.question
            where = citable.above
            of_question = strand.bridge is None
            checks += meets(
                named, draft.analysis, citable.text, where, parts.linker, told=of_question
            )
    with guarded("limits"):
        fits = citable.words <= draft.options.words and not speaks_to_model(citable.text)
        detail = "" if fits else "too long, or it addresses a model"
        detail = detail or no_statement(citable.text)
        fits = not detail
        checks.append(Check("limits", "pass" if fits else "fail", detail))
        if citable.doubt >= DOUBTFUL and has_dose(citable.text):
            checks.append(Check("doubt", "fail", "a dose on a page of doubtful extraction"))
    if not all(isinstance(c, Check) for c in checks):
        raise BrokenCheckError("checks")
    return tuple(checks)


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
