"""The check between a rule's match and an assertion: what it refuses is kept with the reason."""

from __future__ import annotations

import re
from typing import Final

from kgrag.records.assertions import Assertion
from kgrag.records.concepts import ConceptType, Mention
from kgrag.vocabulary.relations import relation
from kgrag_ingest.extract.rules import MENTION, Rules, SentenceRule

# Predicates that hold of a thing which the source advises against.
_ADVERSE: Final = frozenset(
    {"contraindicated_in", "interacts_with", "causes", "risk_factor_for", "has_phenotype"}
)
# A finding of the past may still forbid a drug or raise a risk.
_LASTING: Final = frozenset({"contraindicated_in", "risk_factor_for"})
_GIVEN: Final = frozenset({"drug", "chemical", "procedure"})
_VERB: Final = r"(?:is|are|do|does|did|can|should|may|must|has|have|will)\b"
_CLAUSE_START: Final = re.compile(
    rf"[;:.] |(?<=^)[^,;:]*\b{_VERB}[^,;:]*, (?:and|but) (?=(?:the )?{MENTION} {_VERB})"
)
# At the head of a clause these words are the condition under which the rest is said.
_PROVISO: Final = re.compile(
    r"(?:in the absence of|unless|except (?:in|for|when)|if (?:not|no|there)|when no|where no"
    r"|in (?:patients|people|those|adults|women|men|children|anyone)"
    r" (?:without|who (?:do|can|are|have) ?not))"
    r"\b[^,;:.]*, "
)
_UNDERSTOOD: Final = ("neg", "cue", "than", "with")
_CLAUSE_END: Final = re.compile(r"[;.](?: |$)")


def polarity_problem(line: str, match: re.Match[str], rules: Rules) -> str | None:
    """Why the polarity of a match in a skeleton is not certain; None when it is.

    Every word of denial in the clause, up to the end of the match, must be one that the rule
    understood, and what follows must not take the statement back.
    """
    first = min(match.start("s"), match.start("o"))
    ends = (mark.end() for mark in _CLAUSE_START.finditer(line))
    start = max((end for end in ends if end <= first), default=0)
    proviso = _PROVISO.match(line, start)
    if proviso is not None and proviso.end() <= first:
        start = proviso.end()
    groups = match.groupdict()
    understood = [match.span(name) for name in _UNDERSTOOD if groups.get(name)]
    neither = (groups.get("neg") or "").startswith("neither")
    for word in rules.denial.finditer(line, start, match.end()):
        if neither and word.group() == "nor":
            continue
        if not any(low < word.end() and word.start() < high for low, high in understood):
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
        if mention.absent and mention.type not in _GIVEN:
            return "the condition is absent"
        if mention.family:
            return "said of the family"
        if mention.historical and rule.predicate not in _LASTING:
            return "said of the past"
        if mention.negated and not negated and rule.predicate not in _ADVERSE:
            return "the mention is negated"
        # What is advised against is a treatment or a test, never what it is for.
        if (
            mention.against
            and mention is ends[0]
            and not negated
            and rule.predicate not in _ADVERSE
        ):
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
