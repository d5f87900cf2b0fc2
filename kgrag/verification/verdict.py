"""Verdicts: what the layers found, put together; pure functions of texts.

``verify_statement`` judges a statement from outside against texts; ``verify_quotation`` guards
what the engine itself says. Both fail closed: no evidence, no check that passed, or a check that
cannot run never give ``supported``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kgrag.errors import DataError
from kgrag.reasoning.coverage import content_words, missing
from kgrag.records.answer import Check, Verdict, to_plain
from kgrag.records.concepts import Mention
from kgrag.verification.quotes import find_quote, fold
from kgrag.verification.slots import (
    SLOTS,
    Severity,
    check_population,
)
from kgrag.verification.split import Aligned, align, claims

MAX_CHARS = 200_000
"""The longest statement and the longest evidence, together, that are checked; in characters."""


class Links(Protocol):
    """What finds concepts in a text: ``kgrag.linking.Linker``."""

    def link(self, text: str, start: int = 0, end: int | None = None) -> tuple[Mention, ...]: ...


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict on a statement, with the result of each layer.

    ``confidence`` in [0, 1] is the share of the statement's words that the evidence covers when
    it is supported, and None otherwise: nothing here is calibrated to a frequency.
    """

    verdict: Verdict
    confidence: float | None
    checks: tuple[Check, ...]


def verify_statement(
    statement: str, evidence: Sequence[str], *, linker: Links | None = None
) -> Verification:
    """Whether the evidence supports, contradicts or does not settle the statement.

    ``supported`` needs every claim of the statement covered by the evidence, word by word, and
    no slot against it. ``contradicted`` needs a claim whose subject the evidence covers while a
    number, unit, negation, direction or population is against it.
    """
    if not statement.strip():
        raise DataError("the statement is empty")
    if len(statement) + sum(map(len, evidence)) > MAX_CHARS:
        raise DataError(f"statement and evidence are longer than {MAX_CHARS:,} characters")
    texts = [text for text in evidence if text.strip()]
    if not texts:
        check = Check("evidence", "fail", "there is no text to check against", "fabricated source")
        return Verification("not_enough_info", None, (check,))
    checks: list[Check] = []
    severities: list[Severity] = []
    covered = 1.0
    for claim in claims(statement):
        aligned = align(claim, texts)
        if aligned is None:  # evidence of marks only
            checks.append(Check("evidence", "fail", "the evidence has no sentence"))
            severities.append("unsupported")
            continue
        covered = min(covered, aligned.covered)
        found, against = _check_claim(aligned, texts, linker)
        checks.extend(found)
        severities.extend(against)
    return _conclude(tuple(checks), severities, covered)


def _check_claim(
    aligned: Aligned, texts: Sequence[str], linker: Links | None
) -> tuple[list[Check], list[Severity]]:
    claim = aligned.claim
    if any(_is_whole(claim, text) for text in texts):
        return [Check("span", "pass", "the evidence says it in these words")], []
    checks: list[Check] = [Check("span", "not_applicable", "not a quotation")]
    against: list[Severity] = []
    lacking = missing(claim, texts)
    if lacking:
        checks.append(
            Check("coverage", "fail", f"not in the evidence: {', '.join(lacking[:5])}",
                  "factual error")
        )  # fmt: skip
        against.append("unsupported")
    else:
        checks.append(Check("coverage", "pass" if content_words(claim) else "not_applicable"))
    # A slot contradicts only where the evidence speaks of the same thing.
    same_subject = aligned.covered >= 0.5
    for slot in SLOTS:
        check, severity = slot(claim, aligned.text)
        if severity and slot is SLOTS[0]:
            # A number may stand in another sentence than the claim's other words.
            elsewhere = [slot(claim, text) for text in texts]
            check, severity = next((r for r in elsewhere if r[1] is None), (check, severity))
        checks.append(check)
        if severity:
            against.append(severity if same_subject else "unsupported")
    if linker is not None:
        check, severity = _check_entities(claim, texts, linker)
        checks.append(check)
        if severity:
            against.append(severity)
    return checks, against


def _is_whole(claim: str, text: str) -> bool:
    """Whether the claim is one or more whole sentences of the text, or the whole text."""
    span = find_quote(claim, text)
    if span is None:
        return False
    wanted = fold(claim).text.rstrip(" .")
    pieces = [fold(c).text.rstrip(" .") for c in claims(text)]
    return wanted in pieces or wanted == fold(text).text.rstrip(" .")


def _check_entities(
    claim: str, texts: Sequence[str], linker: Links
) -> tuple[Check, Severity | None]:
    named = {m.concept: m for m in linker.link(claim)}
    if not named:
        return Check("entities", "not_applicable"), None
    known = {m.concept for text in texts for m in linker.link(text)}
    for concept, mention in sorted(named.items()):
        in_words = any(find_quote(mention.text, text) for text in texts)
        if concept not in known and not in_words:
            return Check("entities", "fail", f"{mention.text!r} is not in the evidence",
                         "factual error"), "unsupported"  # fmt: skip
    return Check("entities", "pass", f"{len(named)} concepts"), None


def _conclude(
    checks: tuple[Check, ...], against: Sequence[Severity], covered: float
) -> Verification:
    if "contradicts" in against:
        return Verification("contradicted", None, checks)
    if against or not any(c.result == "pass" for c in checks):
        return Verification("not_enough_info", None, checks)
    return Verification("supported", round(covered, 4), checks)


def check_question(question: str, quotation: str, context: str = "") -> tuple[Check, ...]:
    """Whether a quotation speaks for the patient and the amounts that the question names.

    ``context`` is the quotation's title and section path, where a population often stands. Only
    a conflict fails: a quotation that names no population may hold for all.
    """
    check, severity = check_population(question, quotation)
    if severity is None and check.result == "not_applicable" and context:
        check, severity = check_population(question, context)
    if severity is None:
        return (check,)
    return (Check(check.layer, "fail", check.detail, "incomplete chain"),)


def to_record(verification: Verification) -> Mapping[str, Any]:
    """The verification as the contract's JSON fields: verdict, confidence, checks."""
    return {
        "verdict": verification.verdict,
        "confidence": verification.confidence,
        "checks": to_plain(list(verification.checks)),
    }
