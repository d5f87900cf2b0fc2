"""Verdicts: what the layers found, put together; pure functions of texts.

``judge_by_rules`` holds a statement against texts, ``verify_statement`` puts what it found into its
regime of calibration. They fail closed: no evidence, no check that passed, or a check that cannot
run never give ``supported``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kgrag.errors import DataError
from kgrag.records.answer import Check, Verdict, to_plain
from kgrag.records.concepts import Mention
from kgrag.verification.calibration_regimes import Calibration
from kgrag.verification.claims_model import settled
from kgrag.verification.cover import belongs, lacking
from kgrag.verification.names import DRUGS, Names
from kgrag.verification.names import Links as Links
from kgrag.verification.numbers import Found, Severity, check_amounts, check_schedule
from kgrag.verification.slots import AGES, bounds_ages, check_population
from kgrag.verification.slots_certainty import check_aim, check_cause, check_certainty
from kgrag.verification.slots_condition import check_condition
from kgrag.verification.slots_many import check_many
from kgrag.verification.slots_narrower import check_narrower
from kgrag.verification.slots_negation import check_negation
from kgrag.verification.slots_order import check_governed, check_places, check_sides
from kgrag.verification.slots_words import check_direction, check_people, check_route
from kgrag.verification.split import LONGEST, Aligned, Evidence, claims, prepare, whole_at
from kgrag.verification.words import Reading, Token, read

MAX_CHARS = 200_000
"""The longest statement and the longest evidence, together, that are checked; in characters."""


_STRUCK: Final = re.compile("[\u0334-\u0338\u20d2-\u20e5]")
MAX_CLAIMS: Final = 300
"""The most different sentences of one statement that are checked."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The verdict on a statement, with the result of each layer.

    ``confidence`` is the probability that the verdict is right, as it was measured in its regime,
    which a check names; None where nothing was measured.
    """

    verdict: Verdict
    confidence: float | None
    checks: tuple[Check, ...]


def verify_statement(
    statement: str,
    evidence: Sequence[str],
    *,
    linker: Links | None = None,
    calibration: Calibration | None = None,
) -> Verification:
    """The verdict of ``judge_by_rules`` where its regime is on; ``not_enough_info`` elsewhere.

    ``calibration`` is a kb's own, or the shipped one.
    """
    found = judge_by_rules(statement, evidence, linker=linker)
    return settled(found, statement, evidence, calibration)


def judge_by_rules(
    statement: str, evidence: Sequence[str], *, linker: Links | None = None
) -> Verification:
    """Whether the evidence supports, contradicts or does not settle the statement.

    Short forms that the evidence defines, and with a ``linker`` other names of its concepts, are
    exchanged for its own before (``kgrag.verification.names``).

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
    prepared = prepare(texts)
    names = Names(texts, linker)
    named = names.evidence(texts, prepared)
    checks: list[Check] = []
    severities: list[Severity] = []
    covered = 1.0
    if _STRUCK.search(statement):
        check = Check("coverage", "fail", "it has characters that are struck out", "factual error")
        return Verification("not_enough_info", None, (check,))
    parts = list(dict.fromkeys(claims(statement)))
    if len(parts) > MAX_CLAIMS or not all(
        len(part) <= LONGEST or whole_at(part, prepared) is not None for part in parts
    ):
        detail = f"more than {MAX_CLAIMS} sentences, or one longer than {LONGEST:,} characters"
        check = Check("coverage", "fail", detail, "incomplete chain")
        return Verification("not_enough_info", None, (check,))
    for claim in parts:
        if (at := whole_at(claim, prepared)) is not None:
            found, against = _check_quote(prepared, at)
            checks.extend(found)
            severities.extend(against)
            continue
        aligned = names.align(claim, named)
        if aligned is None:  # evidence of marks only
            checks.append(Check("evidence", "fail", "the evidence has no sentence"))
            severities.append("unsupported")
            continue
        covered = min(covered, aligned.covered)
        found, against = _check_claim(aligned, named, linker)
        checks.extend(found)
        severities.extend(against)
    return _conclude(tuple(checks), severities, covered)


def _check_quote(evidence: Evidence, at: int) -> tuple[list[Check], list[Severity]]:
    """A whole sentence passes, unless the next one is the weak strength of its advice."""
    checks = [Check("span", "pass", "the evidence says it in these words")]
    reading = evidence.lines[at].reading
    check, severity = check_condition(reading, reading, _following(evidence, at))
    if severity is None:
        return checks, []
    return [*checks, check], [severity]


def _following(evidence: Evidence, at: int) -> str:
    behind = evidence.lines[at + 1 : at + 2]
    same = [n for n in behind if n.text == evidence.lines[at].text]
    return same[0].reading.text if same else ""


def _check_claim(
    aligned: Aligned, evidence: Evidence, linker: Links | None
) -> tuple[list[Check], list[Severity]]:
    said, nearest = aligned.claim, [line.reading for line in aligned.lines]
    near = read(aligned.text)
    checks: list[Check] = [Check("span", "not_applicable", "not a quotation")]
    against: list[Severity] = []
    lines = [(line.at, line.reading) for line in aligned.lines]
    found = lacking(said, lines, evidence.telling)
    words = [said.tokens[at] for at in found.all]
    if not words and aligned.best < _SAME_SUBJECT:
        detail = "no sentence tells it: its words stand in several"
        checks.append(Check("coverage", "fail", detail, "incomplete chain"))
        against.append("unsupported")
    elif words:
        told = ", ".join(dict.fromkeys(w.word for w in words[:5]))
        how = "not in the evidence" if found.nowhere else "not said so in the evidence"
        checks.append(Check("coverage", "fail", f"{how}: {told}", "factual error"))
        against.append("unsupported")
    else:
        checks.append(Check("coverage", "pass" if said.content else "not_applicable"))
    # A slot contradicts only where the evidence speaks of the same thing.
    same_subject = aligned.best >= _SAME_SUBJECT
    first = nearest[0]
    beside = (*lines[1:], *_neighbours(evidence, aligned))
    others = [line[1].text for line in beside if belongs(line, lines[0])]
    slots = [
        *check_amounts(said.text, [first.text, *others]),
        check_schedule(said.text, first.text),
        *(slot(said, first if same_subject else near) for slot in _SLOTS),
        check_aim(said, first),
        check_condition(said, first, _following(evidence, aligned.lines[0].at))
        if aligned.best >= 0.5
        else (Check("condition", "not_applicable"), None),
    ]
    if linker is not None:
        slots.extend(_check_concepts(linker.link(said.text), words))
    for check, severity in slots:
        checks.append(check)
        if severity:
            against.append(severity if same_subject else "unsupported")
    return checks, against


def _neighbours(evidence: Evidence, aligned: Aligned) -> list[tuple[int, Reading]]:
    """The sentences beside those chosen, where "It" and amounts may be explained."""
    chosen = {line.at for line in aligned.lines}
    near = sorted({at + step for at in chosen for step in (-1, 1)} - chosen)
    texts = {line.text for line in aligned.lines}
    return [
        (at, evidence.lines[at].reading)
        for at in near
        if 0 <= at < len(evidence.lines) and evidence.lines[at].text in texts
    ]


def _check_concepts(mentions: Sequence[Mention], lacking_words: Sequence[Token]) -> list[Found]:
    """No drug and no other concept whose words the evidence lacks."""
    found: list[Found] = []
    for layer, drugs in (("drugs", True), ("entities", False)):
        mine = [m for m in mentions if (m.type in DRUGS) == drugs]
        new = [m for m in mine if any(m.start < w.end and w.start < m.end for w in lacking_words)]
        if new:
            detail = f"{new[0].text!r} is not in the evidence"
            found.append((Check(layer, "fail", detail, "factual error"), "unsupported"))
        elif mine:
            found.append((Check(layer, "pass", f"{len(mine)} concepts"), None))
        else:
            found.append((Check(layer, "not_applicable"), None))
    return found


_SAME_SUBJECT: Final = 0.6
"""One sentence must tell so much of a claim to support it, or to be able to contradict it."""
_SLOTS: Final = (
    check_negation, check_direction, check_people, check_route, check_certainty, check_cause,
    check_places, check_sides, check_governed, check_many, check_narrower,
)  # fmt: skip


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
    if check.detail == AGES and bounds_ages(f"{quotation}\n{context}"):
        # Whether the patient is within them is judged by applicability, which reads such ends.
        return (Check(check.layer, "not_applicable"),)
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
