"""The layer "entailment" of a statement: a checker's judgement, and what it may change."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Final

from kgrag.errors import DataError
from kgrag.records.answer import Check
from kgrag.verification.entailment.base import Entailed, Entailment

LAYER: Final = "entailment"
logger = logging.getLogger(__name__)


def check_entailment(
    statement: str, quotes: Sequence[str], checker: Entailment, threshold: float
) -> Check:
    """Pass when a quotation, or all together, entails the statement and none is against it.

    Entailed means a probability of at least ``threshold``, in (0, 1]; so does against. Whatever
    breaks in the checker, and whatever it gives that is no judgement, is a failure.
    """
    if not 0.0 < threshold <= 1.0:
        raise ValueError("a threshold of entailment lies in (0, 1]")
    texts = [quote for quote in quotes if quote.strip()]
    if not texts or not statement.strip():
        return Check(LAYER, "fail", "there is nothing to judge", "fabricated source")
    premises = [*texts, "\n".join(texts)] if len(texts) > 1 else texts
    try:
        judged = _sound(checker.judge([(p, statement) for p in premises]), len(premises))
    except DataError as error:
        return Check(LAYER, "fail", error.message, "factual error")
    except Exception as error:  # noqa: BLE001 - whatever broke, nothing may pass
        # The message may hold text of documents: the type alone is told.
        logger.error("the checker of entailment broke: %s", type(error).__name__)
        return Check(LAYER, "fail", f"the checker broke ({type(error).__name__})", "factual error")
    best = max(judged, key=lambda e: e.supported)
    against = max((e.contradicted for e in judged if e.contradicted is not None), default=0.0)
    if against >= threshold:
        return Check(LAYER, "fail", f"contradicted at {against:.2f}", "factual error")
    if best.supported < threshold:
        marked = ", ".join(repr(statement[a:b]) for a, b, _ in best.spans[:3])
        detail = f"supported at {best.supported:.2f}, {threshold:.2f} is needed"
        return Check(
            LAYER, "fail", f"{detail}; marked: {marked}" if marked else detail, "factual error"
        )
    return Check(LAYER, "pass", f"supported at {best.supported:.2f} by {checker.name}")


def _sound(judged: object, count: int) -> list[Entailed]:
    """The judgements, when they are as many as asked for and all are such."""
    if not isinstance(judged, list | tuple) or len(judged) != count:
        raise TypeError("not one judgement a pair")
    for one in judged:
        if not isinstance(one, Entailed):
            raise TypeError("not a judgement")
        for value in (one.supported, one.contradicted):
            if value is not None and not (math.isfinite(value) and 0.0 <= value <= 1.0):
                raise ValueError("not a probability")
    return list(judged)
