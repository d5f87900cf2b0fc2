"""What speaks against a statement for this patient: warnings among the evidence, and other advice
of its source that is not for the patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kgrag.errors import BrokenInvariant
from kgrag.reasoning.applicability import Applicability
from kgrag.reasoning.forbidding import falls_with
from kgrag.reasoning.keep_checks import made_whole, statement_of
from kgrag.reasoning.parts import Cautions, Parts
from kgrag.reasoning.rounds import Draft, Strand, guarded, overlap
from kgrag.records.analysis import Patient
from kgrag.records.answer import Inapplicable, Statement
from kgrag.retrieval.context import Citable

READ: Final = 20
"""How many of the first pieces are read for warnings."""


def heeded(
    draft: Draft, strand: Strand, parts: Parts, kept: Sequence[Statement]
) -> list[Statement]:
    """The statements without those that a piece forbids this patient; the warning in their place.

    Such a statement is noted in ``draft.inapplicable`` with the reason. It goes even where the
    warning itself may not be quoted. A fact that nobody told and that would decide a warning is
    noted in ``draft.judged``, so that it is asked for. What goes with advice that is not for the
    patient goes with it.
    """
    if parts.forbids is None or draft.analysis is None:
        return list(kept)
    said: list[Statement] = []
    for statement in kept:
        instead: Statement | None = statement
        for piece in (r.citable for r in strand.ranked[:READ]):
            caution = _caution(draft.analysis.patient, statement, piece, parts)
            if caution.missing:
                draft.judged.append(Applicability("unknown", missing=tuple(caution.missing)))
            if caution.reason:
                draft.inapplicable.append(Inapplicable(statement, caution.reason, "warning"))
                whole = made_whole(piece, parts, draft.options.words)
                drug = caution.reason.partition(":")[0]
                instead = None
                if whole is not None:
                    instead = statement_of(draft, strand, parts, whole, None, drug)
                break
        if instead is not None and not any(
            overlap(instead.citations[0], other.citations[0]) for other in said
        ):
            said.append(instead)
    return [s for s in said if not _falls(draft, s, parts)]


def _caution(patient: Patient, statement: Statement, piece: Citable, parts: Parts) -> Cautions:
    assert parts.forbids is not None
    with guarded("applicability"):
        place = piece.above
        caution = parts.forbids(patient, statement.text, piece.text, place)
        texts = (caution.reason, *caution.missing)
        if not all(isinstance(text, str) for text in texts):
            raise BrokenInvariant("a reason is no text")
    return caution


def _falls(draft: Draft, statement: Statement, parts: Parts) -> bool:
    """Whether the statement goes with advice of its document that is not for the patient."""
    if draft.analysis is None or any(
        c.layer == "applicability" and c.result == "pass" for c in statement.checks
    ):
        return False
    here = statement.citations[0]
    for item in draft.inapplicable:
        there = item.statement.citations[0]
        if there.document.id != here.document.id:
            continue
        near, patient = there.section == here.section, draft.analysis.patient
        with guarded("applicability"):
            falls = falls_with(
                patient, item.fact, item.statement.text, statement.text, near, parts.linker
            )
        if falls:
            draft.inapplicable.append(Inapplicable(statement, item.reason, item.fact))
            return True
    return False
