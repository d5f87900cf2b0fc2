"""Words of a statement compared where they stand: opposites, populations and routes.

Each check is a pure function of a statement and the piece of evidence that it is held against,
both read into labelled words (``kgrag.verification.words``). A word that may turn the meaning is
compared where it stands: with the words around it, not with the whole text. They read words near
the source's own; free paraphrase is beyond rules. A check that finds nothing to compare is
``not_applicable``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from kgrag.records.answer import Check
from kgrag.verification.numbers import Found
from kgrag.verification.words import Reading

_WIDTH: Final = 4
"""So many content words on either side are the surroundings of a word."""
STOPS: Final = frozenset(";:,()[]")
TURNS: Final = frozenset({"but", "however", "although", "though", "while", "whereas", "because"})


def around(text: Reading, at: int, width: int = _WIDTH) -> list[frozenset[str]]:
    """The keys of the content words and numbers around a place, nearest clause or not."""
    counted = text.counted
    before = [i for i in range(max(0, at - 4 * width), at) if counted[i]][-width:]
    after = [i for i in range(at + 1, min(len(counted), at + 4 * width)) if counted[i]][:width]
    return [text.keys[i] for i in (*before, *after)]


def overlap(text: Reading, at: int, other: Reading, there: int) -> float:
    """The share of the words around ``at`` that stand around ``there`` too; 1.0 without any."""
    mine, its = _surroundings(text, at)[0], _surroundings(other, there)[1]
    return sum(not keys.isdisjoint(its) for keys in mine) / len(mine) if mine else 1.0


def _surroundings(text: Reading, at: int) -> tuple[list[frozenset[str]], frozenset[str]]:
    """What ``around`` gives, and all keys of it; kept with the reading: it is asked for often."""
    found = text.surroundings.get(at)
    if found is None:
        near = around(text, at)
        found = text.surroundings[at] = near, frozenset().union(*near)
    return found


def best(text: Reading, at: int, other: Reading, places: Iterable[int]) -> float:
    """The best overlap of ``at`` with one of the places; -1.0 without any."""
    return max((overlap(text, at, other, there) for there in places), default=-1.0)


def shared(scope: Sequence[frozenset[str]], keys: frozenset[str]) -> float:
    """The share of the words of ``scope`` that are among ``keys``; 1.0 without any."""
    return sum(not its.isdisjoint(keys) for its in scope) / len(scope) if scope else 1.0


def in_shared_phrase(said: Reading, at: int, read_: Reading) -> bool:
    """The word is part of a name that the evidence has: "high blood pressure"."""
    return any(
        s <= at < e and g in read_.groups and _count(said, g) <= _count(read_, g)
        for s, e, g in said.phrases
    )


def _count(text: Reading, group: str) -> int:
    single = sum(group in token.keys for token in text.tokens)
    return single + sum(g == group for _, _, g in text.phrases)


# --- opposites ----------------------------------------------------------------------------------

OPPOSITES: Final[tuple[tuple[str, str], ...]] = (
    ("up", "down"), ("better", "worse"), ("before", "after"), ("above", "below"),
    ("acute", "chronic"), ("severe", "mild"), ("early", "late"), ("positive", "negative"),
    ("start", "stop"), ("left", "right"), ("dependent", "independent"), ("sensitive", "resistant"),
    ("activate", "inhibit"), ("agonist", "antagonist"), ("systolic", "diastolic"),
    ("bacterial", "viral"), ("primary", "secondary"), ("internal", "external"),
    ("anterior", "posterior"), ("proximal", "distal"), ("benign", "malignant"),
    ("inpatient", "outpatient"), ("dominant", "recessive"), ("fast", "slow"), ("long", "short"),
    ("first", "last"), ("new", "old"), ("day", "night"), ("hot", "cold"),
)  # fmt: skip
_CLEARLY: Final = 0.2


def _opposed(said: Reading, text: Reading, one: str, other: str) -> tuple[str, str] | None:
    """The words of the statement and of the evidence that are opposites in one place."""
    for at in said.labelled(one):
        token = said.tokens[at]
        if other in token.labels or in_shared_phrase(said, at, text):
            continue
        same = text.labelled(one)
        rivals = [
            i for i in text.labelled(other)
            if one not in text.tokens[i].labels and not in_shared_phrase(text, i, said)
        ]  # fmt: skip
        if not rivals:
            continue
        against = best(said, at, text, rivals)
        if against < 0.25 or against <= best(said, at, text, same) + _CLEARLY:
            continue
        rival = max(rivals, key=lambda i: overlap(said, at, text, i))
        # Both sides may tell both: the rival has its own place in the statement.
        if any(overlap(text, rival, said, i) >= against for i in said.labelled(other)):
            continue
        return token.word, text.tokens[rival].word
    return None


def check_direction(said: Reading, text: Reading) -> Found:
    """No word of the statement stands in the evidence as its opposite."""
    compared = 0
    for one, other in OPPOSITES:
        for here, there in ((one, other), (other, one)):
            compared += bool(said.labelled(here))
            found = _opposed(said, text, here, there)
            if found is not None:
                return Check("direction", "fail", f"{found[0]!r} against {found[1]!r}",
                             "factual error"), "contradicts"  # fmt: skip
    return Check("direction", "pass" if compared else "not_applicable"), None


# --- one of several -----------------------------------------------------------------------------

_POPULATIONS: Final = (
    ("adult", ("child", "adolescent")), ("child", ("adult", "adolescent")),
    ("adolescent", ("child", "adult")), ("male", ("female",)), ("female", ("male",)),
    ("notpregnant", ("pregnant",)), ("animal", ("human",)), ("human", ("animal",)),
    ("older", ("child", "adolescent")),
)  # fmt: skip
_ROUTES: Final = (
    "oral", "intravenous", "intramuscular", "subcutaneous", "topical", "rectal", "inhaled",
    "intranasal", "sublingual", "intrathecal", "epidural", "transdermal", "vaginal", "intradermal",
)  # fmt: skip


def _other_one(
    said: Reading, text: Reading, label: str, others: tuple[str, ...]
) -> tuple[str, str] | None:
    """A word of the statement with ``label`` where the evidence has one of the ``others``."""
    same = text.labelled(label)
    for at in said.labelled(label):
        rivals = [
            i for i in text.labelled(*others) if label not in text.tokens[i].labels
        ]  # fmt: skip
        if not rivals or not said.tokens[at].labels.isdisjoint(others):
            continue
        if same and best(said, at, text, rivals) <= best(said, at, text, same) + _CLEARLY:
            continue
        if same and len(said.labelled(label)) <= len(same):
            continue
        return said.tokens[at].word, text.tokens[rivals[0]].word
    return None


_STUDIED_IN: Final = re.compile(
    r"(?i)\bin (?:\w+ ){0,2}(?:mice|rats|rodents|rabbits|dogs|pigs|monkeys|zebrafish|animals|animal"
    r" (?:models?|stud\w+|experiments?)|cell (?:lines?|cultures?))\b|\bin (?:vitro|vivo)\b"
)


def check_people(said: Reading, text: Reading) -> Found:
    """The statement speaks of the ages, the sex and the species that its evidence speaks of."""
    compared = False
    studied = _STUDIED_IN.search(text.text)
    if studied and not said.labelled("animal") and "cell" not in said.text.lower():
        return Check("population", "fail", f"leaves out {studied[0]!r}",
                     "spurious correlation"), "unsupported"  # fmt: skip
    for label, others in _POPULATIONS:
        compared = compared or bool(said.labelled(label))
        found = _other_one(said, text, label, others)
        if found is not None:
            return Check("population", "fail", f"{found[0]!r} against {found[1]!r}",
                         "factual error"), "contradicts"  # fmt: skip
    return Check("population", "pass" if compared else "not_applicable"), None


def check_route(said: Reading, text: Reading) -> Found:
    """Each route of the statement is a route of the evidence."""
    mine = [route for route in _ROUTES if said.labelled(route)]
    its = [route for route in _ROUTES if text.labelled(route)]
    for route in mine:
        if route not in its:
            return Check("route", "fail", f"{route!r} is not in the evidence", "factual error"), (
                "contradicts" if set(its) - set(mine) else "unsupported"
            )
    return Check("route", "pass" if mine else "not_applicable"), None
