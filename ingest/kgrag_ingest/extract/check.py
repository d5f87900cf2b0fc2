"""The check between a rule's match and an assertion: what it refuses is kept with the reason."""

from __future__ import annotations

import re
from typing import Final

from kgrag.records.assertions import Assertion
from kgrag.records.concepts import ConceptType, Mention
from kgrag.vocabulary.relations import relation
from kgrag_ingest.extract.rules import Rules, SentenceRule

# Predicates that hold of a thing which the source advises against.
_ADVERSE: Final = frozenset(
    {"contraindicated_in", "interacts_with", "causes", "risk_factor_for", "has_phenotype"}
)
# A finding of the past may still forbid a drug or raise a risk.
_LASTING: Final = frozenset({"contraindicated_in", "risk_factor_for"})
_CLAUSE_START: Final = re.compile(r"[;:.] ")
_CLAUSE_END: Final = re.compile(r"[;.](?: |$)")


def polarity_problem(line: str, match: re.Match[str], rules: Rules) -> str | None:
    """Why the polarity of a match in a skeleton is not certain; None when it is.

    Every word of denial in the clause, up to the end of the match, must be one that the rule
    understood, and what follows must not take the statement back.
    """
    first = min(match.start("s"), match.start("o"))
    start = max((mark.end() for mark in _CLAUSE_START.finditer(line, 0, first)), default=0)
    groups = match.groupdict()
    understood = [match.span(name) for name in ("neg", "cue") if groups.get(name)]
    for word in rules.denial.finditer(line, start, match.end()):
        if not any(low <= word.start() and word.end() <= high for low, high in understood):
            return f"a denial that the rule does not read: {word.group()}"
    stop = _CLAUSE_END.search(line, match.end())
    if rules.taken_back.search(line, match.end(), stop.start() if stop else len(line)):
        return "taken back in the same sentence"
    return None


def narrowed_problem(mention: Mention, words: str, rules: Rules) -> str | None:
    """Why the words before a mention make it another thing; None when they do not."""
    name = mention.text.lower()
    if name in rules.hollow:
        return "the mention names nothing by itself"
    if name in rules.broad:
        for word in words.split():
            if word.strip(",") not in rules.narrowing | rules.neutral:
                return "a kind of its own"
    return None


def mention_problem(rule: SentenceRule, negated: bool, ends: tuple[Mention, Mention]) -> str | None:
    """Why these mentions cannot be the ends of what the rule says; None when they can."""
    for mention in ends:
        if mention.absent:
            return "the condition is absent"
        if mention.family:
            return "said of the family"
        if mention.historical and rule.predicate not in _LASTING:
            return "said of the past"
        if mention.negated and not negated and rule.predicate not in _ADVERSE:
            return "the mention is negated"
        if mention.against and not negated and rule.predicate not in _ADVERSE:
            return "the advice is against"
    return None


def assertion_problem(
    assertion: Assertion, text: str, types: tuple[ConceptType, ConceptType]
) -> str | None:
    """Why the assertion does not hold up by itself; None when it does."""
    if assertion.subject == assertion.object:
        return "the same concept at both ends"
    if not relation(assertion.predicate).allows(*types):
        return "the signature does not allow these types"
    for evidence in assertion.evidence:
        if text[evidence.start : evidence.end] != evidence.quote:
            return "the quotation is not the text"
        for start, end in (evidence.subject_span, evidence.object_span):
            if not evidence.start <= start < end <= evidence.end:
                return "a mention outside the quotation"
    return None
