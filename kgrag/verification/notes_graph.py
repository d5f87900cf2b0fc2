"""Whether the graph holds the opposite of what a sentence says of two concepts.

Only what a sentence says plainly is compared: one intervention and one condition, advised or
advised against; and only with assertions that limit themselves to no population or condition.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from kgrag.reasoning.paths import cite
from kgrag.reasoning.sides import stance_of
from kgrag.records.answer import Check, Citation
from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Mention
from kgrag.retrieval.context import may_show
from kgrag.retrieval.scope import Reads

_MEANS: Final = frozenset({"drug", "chemical", "procedure"})
_AIMS: Final = frozenset({"disease", "phenotype"})
_USES: Final = frozenset({"treats", "prevents", "contraindicated_in"})

_AGAINST: Final = re.compile(
    r"\b(?:contraindicated|avoid(?:ed)?|(?:should|must|do|does|is|are|was|were|has|have) not|"
    r"never|no (?:role|benefit|place)|ineffective|not (?:be|recommended|indicated|effective|used)|"
    r"cannot|recommend(?:s|ed)? against|unsafe|withhold|held|stop(?:ped)?)\b",
    re.IGNORECASE,
)
_FOR: Final = re.compile(
    r"\b(?:treat(?:s|ed|ing|ment)?|indicated|recommended|first[- ]line|drug of choice|effective|"
    r"used (?:for|in|to)|given (?:for|to)|prescribed|start(?:s|ed)?|prevent(?:s|ed|ion)?|therapy|"
    r"prophylaxis|safe|administer(?:ed)?|give|begin|begun)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Opposed:
    """What the graph layer found: its check, and where the opposite stands when it does."""

    check: Check
    citation: Citation | None = None


def stance_of_words(sentence: str) -> str | None:
    """``against`` or ``for`` when the words say so; None when they are about neither."""
    if _AGAINST.search(sentence):
        return "against"
    return "for" if _FOR.search(sentence) else None


def check_graph(sentence: str, mentions: Sequence[Mention], truth: Reads) -> Opposed:
    """Fail, with the quotation, when every source of a pair says the opposite of the sentence."""
    stance = stance_of_words(sentence)
    sure = [m for m in mentions if not (m.family or m.hypothetical)]
    means = dict.fromkeys(m.concept for m in sure if m.type in _MEANS)
    aims = dict.fromkeys(m.concept for m in sure if m.type in _AIMS)
    # Of several interventions or conditions nobody knows which the words are about.
    if stance is None or len(means) != 1 or not aims or len(aims) > 2:
        return Opposed(Check("graph", "not_applicable"))
    agreed = False
    for subject, obj in product(means, aims):
        held = [a for a in truth.assertions(concept=obj) if _is_about(a, subject, obj)]
        stances = {stance_of(a) for a in held} - {"neither"}
        if stance in stances:
            agreed = True
            continue
        plain = [a for a in held if stance_of(a) in _opposite(stance) and _unlimited(a)]
        for assertion in plain:
            for piece in assertion.evidence:
                if may_show(truth.document(piece.document_id), piece.start, piece.end):
                    word = "against" if stance == "for" else "for"
                    return Opposed(
                        Check("graph", "fail", f"sources advise {word} it", "factual error"),
                        cite(piece, truth),
                    )
    return Opposed(Check("graph", "pass" if agreed else "not_applicable"))


def _is_about(assertion: Assertion, subject: str, obj: str) -> bool:
    return (
        assertion.tier == "asserted"
        and assertion.predicate in _USES
        and (assertion.subject, assertion.object) == (subject, obj)
    )


def _unlimited(assertion: Assertion) -> bool:
    return not {"population", "condition"} & {name for name, _ in assertion.qualifiers}


def _opposite(stance: str) -> frozenset[str]:
    return frozenset({"against"} if stance == "for" else {"for"})
