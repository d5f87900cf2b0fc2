"""The layers of numbers: amounts and frequencies of a statement against those of its evidence."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from kgrag.records.answer import Check
from kgrag.verification.numbers_read import Amount, amounts, close, multiples

Severity = Literal["contradicts", "unsupported"]
Found = tuple[Check, Severity | None]


def check_amounts(statement: str, evidence: Sequence[str]) -> list[Found]:
    """Numbers, units, doses, dates and frequencies of the statement stand in the evidence.

    ``evidence`` is in order of nearness: what the first text does not tell may be told by the
    next only where the first tells nothing in its stead.
    """
    wanted, times = amounts(statement)
    first, *others = [amounts(text) for text in evidence]
    found: list[Found] = []
    if wanted:
        failed = _unmatched(wanted, first[0], [a for more, _ in others for a in more])
        found += failed or [(Check("numbers", "pass", f"{len(wanted)} compared"), None)]
    else:
        found.append((Check("numbers", "not_applicable"), None))
    if times:
        free, lacking = list(first[1]), []
        for time in times:
            hit = next((o for o in free if time.fits(o)), None)
            if hit is not None:
                free.remove(hit)
            elif free or not any(time.fits(o) for o in first[1]):
                lacking.append(time)
        if lacking and not first[1]:
            lacking = [t for t in lacking if not any(t.fits(o) for _, fs in others for o in fs)]
        if lacking:
            detail = f"{lacking[0].text!r} is not in the evidence"
            severity: Severity = "contradicts" if first[1] else "unsupported"
            found.append((Check("frequency", "fail", detail, "factual error"), severity))
        else:
            found.append((Check("frequency", "pass", f"{len(times)} compared"), None))
    return found


def check_schedule(statement: str, sentence: str) -> Found:
    """A dose of the sentence is not told without its frequency, nor without its maximum."""
    wanted, times = amounts(statement)
    having, its = amounts(sentence)
    told = [a for a in wanted if a.dose and any(a.fits(o) for o in having if o.dose)]
    if not told:
        return Check("dose", "not_applicable"), None
    detail = ""
    if its and not times and sum(o.dose for o in having) == len(told):
        detail = its[0].text
    most = [o for o in having if o.dose and o.low == -math.inf]
    if most and not any(a.low == -math.inf for a in wanted):
        detail = detail or most[0].text
    if (many := multiples(sentence)) and not set(many) & set(multiples(statement)):
        detail = detail or f"{many[0]} of it"
    if not detail:
        return Check("dose", "pass", f"{len(told)} whole"), None
    detail = f"the dose is told without {detail!r}"
    return Check("dose", "fail", detail, "incomplete chain"), "unsupported"


def _unmatched(
    wanted: Sequence[Amount], having: Sequence[Amount], elsewhere: Sequence[Amount]
) -> list[Found]:
    free = list(having)
    rest: list[Amount] = []
    for amount in wanted:
        hit = next((o for o in free if amount.fits(o)), None)
        if hit is None:
            rest.append(amount)
        else:
            free.remove(hit)
    found: list[Found] = []
    for amount in rest:
        rivals = [o for o in free if o.dimension == amount.dimension or not o.dimension]
        if not rivals and any(amount.fits(o) for o in (*having, *elsewhere)):
            continue  # told twice, or in a sentence near by, and in place of nothing
        if _is_end(amount, wanted, having):
            continue
        layer = _layer(amount, free)
        severity: Severity = "contradicts" if rivals or layer == "units" else "unsupported"
        detail = f"{amount.text!r} is not in the evidence"
        found.append((Check(layer, "fail", detail, "factual error"), severity))
    return found


def _is_end(amount: Amount, wanted: Iterable[Amount], having: Iterable[Amount]) -> bool:
    """ "18 to 49 years" may be said as its two ends, when both are said."""
    if amount.low != amount.high:
        return False
    said = {a.low for a in wanted} | {a.high for a in wanted}
    return any(
        (close(amount.low, o.low) or close(amount.low, o.high))
        and math.isfinite(o.low) and math.isfinite(o.high) and o.low != o.high
        and o.dimension == amount.dimension and o.low in said and o.high in said
        for o in having
    )  # fmt: skip


def _layer(amount: Amount, free: Iterable[Amount]) -> str:
    if amount.year:
        return "dates"
    value = amount.low / amount.scale if math.isfinite(amount.low) else amount.high / amount.scale
    for other in free:
        its = other.low / other.scale if math.isfinite(other.low) else other.high / other.scale
        if close(value, its) and (amount.dimension, amount.scale) != (
            other.dimension,
            other.scale,
        ):
            return "units"
    return "dose" if amount.dose else "numbers"
