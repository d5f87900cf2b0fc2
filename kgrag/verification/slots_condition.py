"""Dropped conditions: what a sentence has and the statement that repeats it leaves out.

The words of the evidence that the statement lacks are looked at clause by clause. A lacking
clause that opens with a condition, an exception or a population, or that tells the strength of
the advice, changes what the sentence says; other lacking words (a citation, an example, the name
of an abbreviation) do not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from kgrag.records.answer import Check
from kgrag.verification.complete import is_strength
from kgrag.verification.cover import is_amount
from kgrag.verification.numbers import Found
from kgrag.verification.numbers_read import amounts
from kgrag.verification.slots_words import best
from kgrag.verification.words import Reading, Token

_MARKS: Final = frozenset(";:,.()[]")
_BEFORE_PEOPLE: Final = frozenset("in for among to of with by on from amongst between".split())
_PARTS: Final = frozenset(
    "out number percent % majority most all some many few group groups half percentage proportion"
    " one any each both".split()
)
_RELATIVE: Final = frozenset("who whom whose".split())
_TURNS: Final = frozenset({"but", "however", "although", "though", "while", "whereas", "and", "or"})
# Words of a population that name nobody in particular.
_ANYBODY: Final = frozenset(
    "people person persons patient patients individual individuals those participants subjects"
    " cases population populations u.s human humans".split()
)
_MOST_RIVALS: Final = 24
"""A word that stands more often than this in one sentence is compared in its first places."""
_LEAST: Final = 0.4
_LEAST_WITHOUT: Final = 0.5
"""A clause is left out when no more of it is told: with its opening word told, and without."""
_EXCEPT: Final = frozenset("unless except excluding".split())
_FACTLESS: Final = frozenset("if unless whether".split())
_MODAL: Final = frozenset(
    "should must may can could might will would need needs ought shall".split()
)
_NEEDED: Final = re.compile(
    r"(?i)\b(?:as|if|when|where) (?:needed|required|necessary|tolerated|indicated)\b"
    r"|\bprn\b"
)
_STRONG: Final = frozenset("if unless except until only provided when whenever".split())
_WEAK: Final = re.compile(
    r"(?i)\b(?:weak|conditional|low|insufficient|expert opinion|consensus|ungraded|"
    r"grade\s?:?\s?[CDI]\b)"
)


def _opener_kept(text: Reading, clause: _Clause, said: Reading) -> bool:
    keys = text.keys[clause.start] if clause.opens else frozenset()
    return any(not said.keys[i].isdisjoint(keys) for i, t in enumerate(said.tokens) if not t.mark)


@dataclass(frozen=True, slots=True)
class _Clause:
    """Tokens ``[start, end)``; ``opens`` is the word that makes it a condition, or None."""

    start: int
    end: int
    opens: str | None


def check_condition(said: Reading, text: Reading, following: str = "") -> Found:
    """The statement keeps the conditions, exceptions and strength of the sentence it repeats.

    ``following`` is the sentence behind it, which may be the strength of its advice.
    """
    passed = Check("condition", "pass"), None
    if is_strength(following) and _WEAK.search(following) and not said.labelled("strength"):
        return Check("condition", "fail", f"without its strength: {following.strip()!r}"[:120],
                     "incomplete chain"), "unsupported"  # fmt: skip
    needed = _NEEDED.search(text.text)
    if needed and not _NEEDED.search(said.text) and not said.labelled("condition"):
        return Check("condition", "fail", f"the statement leaves out {needed[0]!r}",
                     "incomplete chain"), "unsupported"  # fmt: skip
    clauses = list(_clauses(text))
    if not any(c.opens for c in clauses):
        return Check("condition", "not_applicable"), None
    has = _matched(text, said)
    told = {c: _told(text, c, said, has) for c in clauses}
    for at, clause in enumerate(clauses):
        if clause.opens is None:
            continue
        share, number = told[clause]
        kept = _opener_kept(text, clause, said)
        if clause.opens in _FACTLESS and _is_all(text, clause, said):
            return Check("condition", "fail", "the evidence only supposes it",
                         "factual error"), "unsupported"  # fmt: skip
        if clause.opens == "only" and not kept and _limits(text, clause.start):
            share = 0.0  # "only if it lasts" told as "if it lasts"
        if clause.opens in _EXCEPT and not kept and not said.labelled("negation"):
            share = 0.0  # "except in pregnancy" told as "in pregnancy"
        if number == 0 and (kept or clause.opens not in _STRONG):
            continue
        if number and share > (_LEAST if kept else _LEAST_WITHOUT):
            continue
        if not _belongs_to_told(at, clauses, told, text):
            continue
        words = text.text[text.tokens[clause.start].start : text.tokens[clause.end - 1].end]
        return Check("condition", "fail", f"the statement leaves out {words!r}"[:160],
                     "incomplete chain"), "unsupported"  # fmt: skip
    return passed


def _is_all(text: Reading, clause: _Clause, said: Reading) -> bool:
    """Whether the statement says what stands in the clause and nothing else, as a fact."""
    told = [said.keys[i] for i in said.content]
    if len(told) < 2 or said.labelled("condition") or said.text.rstrip().endswith("?"):
        return False
    inside = frozenset(k for i in range(clause.start, clause.end) for k in text.keys[i])
    return all(not keys.isdisjoint(inside) for keys in told)


def _limits(text: Reading, at: int) -> bool:
    """Whether this "only" stands before a condition: "only 5%" says no more than "5%"."""
    behind = text.tokens[at + 1 : at + 2]
    return bool(behind) and behind[0].word in _AFTER_ONLY


_AFTER_ONLY: Final = frozenset("if when in for after to with by at during under once until".split())


def _clauses(text: Reading) -> Iterator[_Clause]:
    """The clauses of the text: at marks, at turns and at words that open a condition."""
    start, opens = 0, None
    tokens = text.tokens
    for at, token in enumerate(tokens):
        if opens == "strength" and token.word not in ")]":
            continue  # a bracket of strength is one clause
        opening = _opens(text, at)
        if opens is not None and _is_over(text, start, at):
            # "Women who are pregnant | should not take it": what follows is what holds for them.
            yield _Clause(start, at, opens)
            start, opens = at, opening
            continue
        if token.word in _MARKS or opening or token.word in _TURNS:
            # "in women who have" keeps on opening; a mark or a turn ends it.
            if at > start:
                yield _Clause(start, at, opens)
            # "during birth or breastfeeding" is one condition.
            goes_on = opens is not None and token.word in ("and", "or")
            goes_on = goes_on and at > 0 and tokens[at - 1].word not in _MARKS
            start = at
            opens = opening or (opens if goes_on else None)
            if token.word in _MARKS:
                start = at + 1
                opens = "strength" if token.word in "([" and _bracket_strength(text, at) else None
    if len(tokens) > start:
        yield _Clause(start, len(tokens), opens)


def _is_over(text: Reading, start: int, at: int) -> bool:
    """Whether a clause about people or circumstances, which began at ``start``, ends before ``at``.

    Nothing but grammar may part it from the advice: "In black patients start a thiazide", "During
    pregnancy the dose is halved", "Women who are pregnant should not take it".
    """
    first, token = text.tokens[start].word, text.tokens[at]
    before = text.tokens[at - 1]
    fronted = first in _FRONT and (start == 0 or text.tokens[start - 1].mark)
    if token.word in _MODAL or (first in _AGES and token.word in _IS):
        return first in _RELATIVE or first in _BEFORE_PEOPLE or first in _AGES or fronted
    if not (fronted or first in _AGES) or at - start < 2 or not (before.content or before.number):
        return False
    if token.word in ("the", "a", "an"):
        return True
    if first not in ("in", "for") or "people" not in before.labels or "people" in token.labels:
        return False
    ahead = [t.word for t in text.tokens[at : at + 12]]
    return not any(t.mark for t in text.tokens[at : at + 12][:-1]) and (
        ahead[0] not in _BEFORE_PEOPLE | _RELATIVE | _TURNS | _AGES | {"that", "at"}
    )


_AGES: Final = frozenset("over under above below older younger aged".split())
_HOW_OFTEN: Final = frozenset(
    "a an per every each in daily nightly weekly monthly yearly annually".split()
)
_IS: Final = frozenset("is are was were has have".split())
_FRONT: Final = frozenset("in at during for on after before with without among under".split())
# "In general", "in addition": nothing that what follows would depend on.
_NO_CIRCUMSTANCE: Final = frozenset(
    "addition general example fact contrast summary conclusion particular short turn order instance"
    " part words study studies trial trials review section chapter total recent year years world"
    " article report analysis meantime end past future most many some all case cases nutshell"
    " comparison light spite terms view detail practice theory principle reality essence".split()
)


def _opens(text: Reading, at: int) -> str | None:
    token = text.tokens[at]
    if token.word == "once" and any(t.word in _HOW_OFTEN for t in text.tokens[at + 1 : at + 2]):
        return None
    if "condition" in token.labels:
        return token.word
    if at == 0 and token.word in _FRONT:
        first = next((t for t in text.tokens[1:6] if t.content or t.number), None)
        return token.word if first and first.word not in _NO_CIRCUMSTANCE else None
    if token.word == "of" and at > 0 and text.tokens[at - 1].word in _PARTS:
        return None
    behind = [t for t in text.tokens[at + 1 : at + 6] if t.word not in _MARKS]
    if token.word in _BEFORE_PEOPLE and behind and behind[0].number:
        return None  # "1 in 5,000 people"
    if token.word in _BEFORE_PEOPLE and any("people" in t.labels for t in _until_verb(behind)):
        return token.word
    before = text.tokens[max(0, at - 2) : at]
    if token.word in _RELATIVE:
        return token.word
    people = any("people" in t.labels for t in before)
    if people and token.word in ("with", "aged", "that"):
        return token.word
    if people and token.word in _AGES and any(t.number for t in text.tokens[at + 1 : at + 4]):
        return token.word
    return None


def _until_verb(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        if "condition" in token.labels or token.word in _BEFORE_PEOPLE:
            return
        yield token


def _bracket_strength(text: Reading, at: int) -> bool:
    end = next((i for i in range(at + 1, len(text.tokens)) if text.tokens[i].word in ")]"), at)
    return end > at and is_strength(
        text.text[text.tokens[at].start : text.tokens[end].end]
    )  # fmt: skip


def _told(text: Reading, clause: _Clause, said: Reading, has: frozenset[int]) -> _Share:
    """The share of the clause's words that the statement has, and how many words there are."""
    first = clause.start + (clause.opens is not None and clause.opens != "strength")
    counted = [
        at for at in range(first, clause.end)
        if text.tokens[at].content and text.tokens[at].word not in _ANYBODY
        and ("negation" not in text.tokens[at].labels or text.tokens[at].own)
        and not is_amount(text, at)
    ]  # fmt: skip
    having = sum(at in has for at in counted)
    number = len(counted)
    words = text.text[text.tokens[clause.start].start : text.tokens[clause.end - 1].end]
    mine = _ends(said.text)
    for end in _ends(words):
        number += 1
        having += end in mine
    return (having / number if number else 1.0), number


_Share = tuple[float, int]


def _ends(text: str) -> frozenset[tuple[str, float]]:
    """The ends of the amounts of a text in base units, whatever their bounds."""
    found, times = amounts(text)
    ends = {
        (a.dimension, float(f"{end:.6g}"))
        for a in found for end in (a.low, a.high) if math.isfinite(end)
    }  # fmt: skip
    return frozenset(ends | {("times", float(f"{t.low / t.period:.6g}")) for t in times})


def _matched(text: Reading, said: Reading) -> frozenset[int]:
    """The places of the evidence whose word the statement has, each word of it counted once.

    Where the statement has a word less often than the evidence, the places with the most like
    surroundings are those that it has.
    """
    found: set[int] = set()
    ranked: dict[tuple[int, ...], list[int]] = {}
    for at in text.content:
        own = text.keys[at]
        mine = [i for i in said.content if not said.keys[i].isdisjoint(own)]
        if not mine:
            if not own.isdisjoint(said.groups):
                found.add(at)  # by a phrase or by what a negated word negates
            continue
        rivals = tuple(i for i in text.content if not text.keys[i].isdisjoint(text.tokens[at].keys))
        if len(rivals) <= len(mine):
            found.add(at)
            continue
        if rivals not in ranked:
            near = mine[:_MOST_RIVALS]
            scored = [(-best(text, i, said, near), i) for i in rivals[:_MOST_RIVALS]]
            ranked[rivals] = [i for _, i in sorted(scored)]
        if at in ranked[rivals][: len(mine)]:
            found.add(at)
    return frozenset(found)


def _belongs_to_told(
    at: int,
    clauses: list[_Clause],
    told: dict[_Clause, tuple[float, int]],
    text: Reading,
) -> bool:
    """Whether the clause stands in a sentence part that the statement repeats."""
    first = at
    while first > 0 and not _parts(text, clauses[first - 1], clauses[first]):
        first -= 1
    last = at
    while last + 1 < len(clauses) and not _parts(text, clauses[last], clauses[last + 1]):
        last += 1
    pairs = [told[c] for c in clauses[first : last + 1] if c.opens is None and told[c][1]]
    if not pairs:
        pairs = [told[c] for i, c in enumerate(clauses) if i != at and told[c][1]]
    total = sum(number for _, number in pairs)
    return bool(total) and sum(share * number for share, number in pairs) / total >= 0.6


def _parts(text: Reading, one: _Clause, other: _Clause) -> bool:
    """A semicolon, a full stop or a turn such as "but" parts two clauses of their own."""
    between = {text.tokens[i].word for i in range(one.end, other.start)}
    return bool(between & {";", "."}) or text.tokens[other.start].word in (
        "but", "however", "although", "though", "while", "whereas",
    )  # fmt: skip
