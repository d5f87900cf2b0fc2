"""Advice that a warning among the evidence forbids this patient is no answer for the patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kgrag.errors import BrokenInvariant
from kgrag.reasoning.keep_checks import made_whole, statement_of
from kgrag.reasoning.parts import Parts
from kgrag.reasoning.rounds import Draft, Strand, guarded
from kgrag.records.analysis import Patient
from kgrag.records.answer import Inapplicable, Statement

READ: Final = 20
"""How many of the first pieces are read for warnings."""


def heeded(
    draft: Draft, strand: Strand, parts: Parts, kept: Sequence[Statement]
) -> list[Statement]:
    """The statements without those that a piece forbids this patient; the warning in their place.

    Such a statement is noted in ``draft.inapplicable`` with the reason. It goes even where the
    warning itself may not be quoted.
    """
    patient = draft.analysis.patient if draft.analysis else Patient()
    if parts.forbids is None or patient == Patient():
        return list(kept)
    said: dict[str, Statement] = {}
    for statement in kept:
        instead: Statement | None = statement
        for piece in (r.citable for r in strand.ranked[:READ]):
            with guarded("applicability"):
                place = (piece.title, *piece.section)
                reason = parts.forbids(patient, statement.text, piece.text, place)
                if not isinstance(reason, str):
                    raise BrokenInvariant("a reason is no text")
            if reason:
                draft.inapplicable.append(Inapplicable(statement, reason, "warning"))
                whole = made_whole(piece, parts, draft.options.words)
                sure = statement.confidence
                instead = None if whole is None else statement_of(draft, strand, parts, whole, sure)
                break
        if instead is not None:
            said.setdefault(instead.text, instead)
    return list(said.values())
