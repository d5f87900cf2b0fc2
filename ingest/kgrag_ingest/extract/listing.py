"""Assertions of list items under the words that lead them in.

No one sentence of a list holds both ends: "Side effects of X include:" stands above, the effect in
the item. Two kinds of lead are read. A *sentence* that ends with a colon goes on in each item, and
is matched as one sentence with it. A *heading* names a column ("Contraindications", "Clinical
features of Y"), so that the item is a cell of it; the other end is a heading that is nothing but a
mention, or that says of which mention the column is. The evidence is the text from the lead to the
end of the item, in one piece; an item that is too far from its lead is not read.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.concepts import Mention
from kgrag.records.text import Block, Document, Span
from kgrag.sentences import sentences
from kgrag.vocabulary.relations import relation
from kgrag_ingest.extract.check import assertion_problem, narrowed_problem
from kgrag_ingest.extract.rules import RowRule, Rules
from kgrag_ingest.extract.sentence import Found, read_sentence, reject

# Characters from the lead to the end of the item: more is no quotation that one reads.
_LONGEST: Final = 500
_ITEM: Final = 240
_LEAD: Final = 300
_HEADING: Final = 90
_BULLET: Final = re.compile(r"^(?:[^\w(\ue000-\uf8ff]|\d{1,2}[.)]\s|[a-z][.)]\s)*")
# What may follow the mention that an item names: its end, a remark, a dose, a time.
_ENDED: Final = re.compile(
    r"\s*(?:$|[.;,(:]|[-\u2013\u2014] |\d"
    r"|(?:and|or|with|in|at|which|due|especially|usually|if|when)\b)"
)
_DRUG_TYPES: Final = frozenset({"drug", "chemical"})
_CONDITION_TYPES: Final = frozenset({"disease", "phenotype"})


@dataclass(frozen=True, slots=True)
class Lead:
    """What stands above a list: where the evidence begins, and how it leads the items in.

    ``sentence`` is the sentence that the items end, or None. ``role`` is the column that a heading
    names, ``about`` the mention whose column it is.
    """

    start: int
    sentence: Span | None = None
    role: str | None = None
    about: Mention | None = None


def read_lists(document: Document, mentions: Sequence[Mention], rules: Rules) -> Found:
    """The assertions of all list items of the document, and the rejects."""
    found: list[Assertion] = []
    rejects: list[Mapping[str, Any]] = []
    starts = [m.start for m in mentions]

    def inside(start: int, end: int) -> Sequence[Mention]:
        return mentions[bisect_left(starts, start) : bisect_left(starts, end)]

    for lead, item, parted in _led(document, inside, rules):
        own = inside(item.start, item.end)
        if not own or item.end - lead.start > _LONGEST:
            continue
        if lead.sentence is not None:
            before = inside(lead.sentence.start, lead.sentence.end)
            if before:
                read = read_sentence(
                    document, Span(lead.start, item.end), [*before, *own], rules,
                    parts=(lead.sentence, item),
                )  # fmt: skip
                found += read[0]
                rejects += read[1]
        elif lead.role is not None and lead.about is not None:
            made, refused = _cell(document, lead, lead.role, lead.about, item, own[0], rules)
            found += [replace(a, tier="candidate") if parted else a for a in made]
            rejects += refused
    return found, rejects


def _led(document: Document, inside: Any, rules: Rules) -> Iterator[tuple[Lead, Span, bool]]:
    """Every short list item that has a lead, with it, and whether an item between leads in too."""
    blocks = document.blocks
    lead: Lead | None = None
    parted = False
    for at, block in enumerate(blocks):
        if block.kind != "list_item":
            lead = None
            continue
        if at and blocks[at - 1].kind != "list_item":
            lead, parted = _lead(document, blocks[max(at - 4, 0) : at], inside, rules), False
        inner = document.text[block.end - 1] == ":"
        if lead is not None and not inner and block.end - block.start <= _ITEM:
            yield lead, Span(block.start, block.end), parted
        parted = parted or inner


def _lead(document: Document, above: Sequence[Block], inside: Any, rules: Rules) -> Lead | None:
    last = above[-1]
    text = document.text
    if last.kind == "paragraph" and text[last.end - 1] == ":":
        spans = sentences(text, last.start, last.end)
        lead = spans[-1]
        if lead.end - lead.start <= _LEAD and inside(lead.start, lead.end):
            return Lead(lead.start, sentence=lead)
    role: str | None = None
    for block in reversed(above):
        if block.kind not in ("heading", "paragraph") or block.end - block.start > _HEADING:
            return None
        words = text[block.start : block.end].strip(" :.").strip()
        named = inside(block.start, block.end)
        if len(named) == 1 and (role or " " in words):
            before = words[: max(named[0].start - block.start, 0)].strip()
            after = text[named[0].end : block.end].strip(" :.")
            own = _role(re.sub(r"(?i)\s+(?:of|for|in|to|with)(?: the)?$", "", before), rules)
            if not after and (own if before else role):
                return Lead(block.start, role=own or role, about=named[0])
        if role is not None:
            return None
        role = _role(words, rules)
        if role is None:
            return None
    return None


def _role(words: str, rules: Rules) -> str | None:
    if not words:
        return None
    return next((name for name, p in rules.columns.items() if p.match(words)), None)


def _cell(
    document: Document,
    lead: Lead,
    role: str,
    about: Mention,
    item: Span,
    named: Mention,
    rules: Rules,
) -> Found:
    text = document.text
    bullet = _BULLET.match(item.of(text))
    words = text[item.start + (bullet.end() if bullet else 0) : named.start].lower()
    if not all(word in rules.narrowing | rules.neutral for word in words.split()):
        return [], []
    if not _ENDED.match(text, named.end, item.end):
        return [], []
    found: list[Assertion] = []
    rejects: list[Mapping[str, Any]] = []
    for rule in rules.rows:
        subject, obj = _ends(rule, role, about, named)
        if subject is None or obj is None:
            continue
        made = _assertion(document, lead, item, rule, subject, obj, words.strip(), rules)
        kinds = (subject.type, obj.type)
        if made.subject != subject.concept:
            kinds = kinds[::-1]
        denial = rules.denial.search(item.of(text).lower())
        reason = f"a denial in the item: {denial.group()}" if denial else None
        if named.negated or named.absent or named.family:
            reason = reason or "the mention is negated"
        reason = reason or narrowed_problem(named, words, rules)
        reason = reason or assertion_problem(made, text, kinds)
        if reason is None:
            found.append(made)
        elif "signature" not in reason:
            rejects.append(reject(made, reason))
    return found, rejects


def _ends(
    rule: RowRule, role: str, about: Mention, named: Mention
) -> tuple[Mention | None, Mention | None]:
    """The two ends of the rule when the item has the role ``role``; None where it does not fit."""
    general = "drug" if about.type in _DRUG_TYPES else "condition"
    if general == "condition" and about.type not in _CONDITION_TYPES:
        return None, None
    if (rule.subject, rule.object) == (general, role):
        return about, named
    if (rule.subject, rule.object) == (role, general):
        return named, about
    return None, None


def _assertion(
    document: Document,
    lead: Lead,
    item: Span,
    rule: RowRule,
    subject: Mention,
    obj: Mention,
    words: str,
    rules: Rules,
) -> Assertion:
    text = document.text
    extra: dict[str, str] = {}
    narrowing = [w for w in words.split() if w in rules.narrowing]
    if narrowing and rule.predicate not in ("treats", "prevents", "diagnoses"):
        extra["condition"] = " ".join(narrowing)
    doses = {" ".join(m.group().split()) for m in rules.dose.finditer(item.of(text))}
    if rule.predicate == "treats" and subject.start >= item.start and len(doses) == 1:
        extra["dose"] = doses.pop()
    if relation(rule.predicate).symmetric and obj.concept < subject.concept:
        subject, obj = obj, subject
    return Assertion(
        subject.concept,
        rule.predicate,
        obj.concept,
        qualifiers=tuple(sorted(extra.items())),
        tier=rule.listed,
        evidence=(
            Evidence(
                document.id,
                lead.start,
                item.end,
                text[lead.start : item.end],
                (subject.start, subject.end),
                (obj.start, obj.end),
                f"{rule.id}.listed",
            ),
        ),
    )
