"""Assertions of one sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from kgrag.records.assertions import Assertion, Certainty, Evidence, Tier
from kgrag.records.concepts import Mention
from kgrag.records.text import Document, Span
from kgrag.vocabulary.relations import relation
from kgrag_ingest.extract.check import (
    assertion_problem,
    mention_problem,
    narrowed_problem,
    polarity_problem,
)
from kgrag_ingest.extract.qualifiers import DOSED_IN, qualifiers
from kgrag_ingest.extract.rules import Rules, SentenceRule
from kgrag_ingest.extract.skeleton import Skeleton, skeleton

Found = tuple[list[Assertion], list[Mapping[str, Any]]]


def read_sentence(
    document: Document,
    sentence: Span,
    mentions: Sequence[Mention],
    rules: Rules,
    *,
    parts: tuple[Span, Span] | None = None,
) -> Found:
    """The assertions of the sentence, and the rejects.

    ``parts`` are the lead and the item of a list that together are read as one sentence; the
    evidence is all of ``sentence``.
    """
    text = document.text
    if text[sentence.end - 1] == "?":
        return [], []
    # Case folding of the whole text is dearer than of the few sentences that get this far.
    folded = sentence.of(text).lower()
    if not any(word in folded for word in rules.spoken):
        return [], []
    types = frozenset(mention.type for mention in mentions)
    possible = [rule for rule in rules.sentence if rule.may_be_said(folded, types)]
    if not possible:
        return [], []
    bones = skeleton(text, parts or (sentence,), mentions, rules)
    if bones is None:
        return [], []
    found: list[Assertion] = []
    rejects: list[Mapping[str, Any]] = []
    doubtful = rules.not_said.search(bones.text) is not None
    for rule, match in _matches(bones, possible):
        problem = "not said to be so" if doubtful else polarity_problem(bones.text, match, rules)
        negated = rule.negated or bool(match.groupdict().get("neg"))
        for subject, obj in _pairs(bones, match):
            reason = problem or mention_problem(rule, negated, (subject, obj))
            reason = reason or _narrowed(bones, match, (subject, obj), rules)
            # Within the lead alone nothing needs the item.
            if parts and max(subject.start, obj.start) < parts[1].start:
                continue
            made = _assertion(document, sentence, bones, rule, match, (subject, obj), rules)
            if parts:
                made = _listed(made, text, parts)
            reason = reason or assertion_problem(made, text, _types(made, subject, obj))
            if made.predicate == DOSED_IN and not dict(made.qualifiers).get("dose"):
                reason = reason or "no one dose is stated"
            if reason is None:
                found.append(made)
            else:
                rejects.append(reject(made, reason))
    return _consistent(found, rejects)


def _listed(made: Assertion, text: str, parts: tuple[Span, Span]) -> Assertion:
    """The assertion as a lead and its item state it: nothing is taken from the items between."""
    own = [part.of(text) for part in parts]
    kept = tuple(
        (name, value) for name, value in made.qualifiers if any(value in words for words in own)
    )
    evidence = made.evidence[0]
    return replace(
        made, qualifiers=kept, evidence=(replace(evidence, rule=f"{evidence.rule}.listed"),)
    )


def _matches(
    bones: Skeleton, possible: Sequence[SentenceRule]
) -> Iterator[tuple[SentenceRule, re.Match[str]]]:
    for rule in possible:
        for pattern in rule.patterns:
            yield from ((rule, match) for match in pattern.finditer(bones.text))


def _pairs(bones: Skeleton, match: re.Match[str]) -> Iterator[tuple[Mention, Mention]]:
    for subject in bones.of(match.group("s")):
        for obj in bones.of(match.group("o")):
            yield subject, obj


def _narrowed(
    bones: Skeleton, match: re.Match[str], ends: tuple[Mention, Mention], rules: Rules
) -> str | None:
    """Why the words before an end make it another thing; in a list they are the first one's."""
    for name, mention in zip("so", ends, strict=True):
        problem = narrowed_problem(mention, _words_before(bones, match, name, mention), rules)
        if problem is not None:
            return problem
    return None


_BETWEEN: Final = re.compile(r"(?:, |/| (?:and|or|nor|and/or|plus|including|such as|as well as) )")


def _words_before(bones: Skeleton, match: re.Match[str], name: str, mention: Mention) -> str:
    """The words that narrow a mention: those of the list for its first, its own for the others."""
    code = next(c for c, held in bones.mentions.items() if held is mention)
    listed = match.group(name)
    before = listed[: listed.index(code)]
    if not before:
        return match.group(f"narrow_{name}")
    return _BETWEEN.split(before)[-1].strip("".join(bones.mentions))


def _assertion(
    document: Document,
    sentence: Span,
    bones: Skeleton,
    rule: SentenceRule,
    match: re.Match[str],
    ends: tuple[Mention, Mention],
    rules: Rules,
) -> Assertion:
    subject, obj = ends
    if relation(rule.predicate).symmetric and obj.concept < subject.concept:
        subject, obj = obj, subject
    spans = ((subject.start, subject.end), (obj.start, obj.end))
    said = match.group()
    tier: Tier = rule.tier
    certainty: Certainty = rule.certainty
    if rules.possible.search(said):
        certainty = "possible"
    elif certainty == "stated" and rules.probable.search(said):
        certainty = "probable"
    if not rule.hypothetical and (subject.hypothetical or obj.hypothetical):
        tier = "candidate"
    drugs = {m.concept for m in bones.mentions.values() if m.type in ("drug", "chemical")}
    return Assertion(
        subject.concept,
        rule.predicate,
        obj.concept,
        negated=rule.negated or bool(match.groupdict().get("neg")),
        qualifiers=qualifiers(
            document.text,
            sentence,
            rule.predicate,
            single_subject=drugs == {subject.concept},
            ends=spans,
            rules=rules,
            said=_beside(bones, match, document.text, rules),
            negated=rule.negated or bool(match.groupdict().get("neg")),
        ),
        tier=tier,
        certainty=certainty,
        evidence=(
            Evidence(
                document.id,
                sentence.start,
                sentence.end,
                sentence.of(document.text),
                spans[0],
                spans[1],
                rule.id,
            ),
        ),
    )


def _beside(bones: Skeleton, match: re.Match[str], text: str, rules: Rules) -> dict[str, str]:
    """The comparator and the companions that the pattern named, in the words of the text.

    Several drugs before one dose form are one product: then their list is the condition.
    """
    found: dict[str, str] = {}
    groups = match.groupdict()
    if groups.get("than"):
        named = bones.of(groups["than"])
        found["comparator"] = text[named[0].start : named[-1].end]
    listed = bones.of(match.group("s"))
    if len(listed) > 1 and rules.product.match(bones.text, match.end("s")):
        found["condition"] = text[listed[0].start : listed[-1].end]
    if groups.get("with"):
        words = _verbatim(bones, groups["with"], match, text)
        if words:
            found["condition"] = words
    return found


def _verbatim(bones: Skeleton, said: str, match: re.Match[str], text: str) -> str:
    """The words of a group that ends with its last mention, as the text has them; else none."""
    named = bones.of(said)
    head = said.split()[:2]
    if not named or len(head) < 2:
        return ""
    start = max(bones.of(match.group("s")), key=lambda m: m.end).end
    words = re.compile(rf"(?i){re.escape(head[0])}\s+{re.escape(head[1])}\b")
    begin = words.search(text, start, named[-1].start)
    return text[begin.start() : named[-1].end] if begin is not None else ""


def _types(made: Assertion, subject: Mention, obj: Mention) -> Any:
    return (subject.type, obj.type) if made.subject == subject.concept else (obj.type, subject.type)


def _consistent(found: list[Assertion], rejects: list[Mapping[str, Any]]) -> Found:
    """Without pairs of which the one sentence says a thing and its opposite."""
    said = {(a.subject, a.predicate, a.object, a.negated) for a in found}
    kept = []
    for assertion in dict.fromkeys(found):
        key = (assertion.subject, assertion.predicate, assertion.object, not assertion.negated)
        against = (assertion.subject, "contraindicated_in", assertion.object, False)
        if key in said:
            rejects.append(reject(assertion, "said and denied in one sentence"))
        elif assertion.predicate == "treats" and not assertion.negated and against in said:
            rejects.append(reject(assertion, "advised and advised against in one sentence"))
        else:
            kept.append(assertion)
    return kept, rejects


def reject(assertion: Assertion, reason: str) -> dict[str, Any]:
    """What is kept of a refused assertion: ids, offsets and the reason, no text."""
    evidence = assertion.evidence[0]
    return {
        "reason": reason,
        "rule": evidence.rule,
        "document_id": evidence.document_id,
        "start": evidence.start,
        "end": evidence.end,
        "subject": assertion.subject,
        "predicate": assertion.predicate,
        "object": assertion.object,
        "negated": assertion.negated,
    }
