"""Who does what to whom: words of the evidence that stand in each other's place.

A verb such as "causes", a "than" or a "before" has two sides. What stands on them in the evidence
stands on them in the statement, or changes sides together with the voice of the verb.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Final

from kgrag.records.answer import Check
from kgrag.verification.numbers import Found
from kgrag.verification.slots_words import STOPS, TURNS, overlap
from kgrag.verification.stems import stem
from kgrag.verification.words import Reading

_NOTHING: Final[Found] = (Check("entities", "not_applicable"), None)
_LONGEST: Final = 80
"""Tokens with content of a sentence at most: longer ones are lists of everything."""
_MOST_PIVOTS: Final = 8


def check_places(said: Reading, text: Reading) -> Found:
    """No two words of the evidence stand in each other's place in the statement."""
    mine = [at for at, token in enumerate(said.tokens) if token.content or token.number]
    its = [at for at, token in enumerate(text.tokens) if token.content or token.number]
    if _passives(said) != _passives(text) or max(len(mine), len(its)) > _LONGEST:
        return _NOTHING
    order: list[tuple[int, int]] = []
    for at in mine:
        keys = said.tokens[at].keys
        there = [i for i in its if not text.tokens[i].keys.isdisjoint(keys)]
        if len(there) == 1 and sum(not said.tokens[i].keys.isdisjoint(keys) for i in mine) == 1:
            order.append((at, there[0]))
    in_order = sorted(there for _, there in order)
    moved = [n for n, (_, there) in enumerate(order) if there != in_order[n]]
    if len(moved) != 2:
        return _NOTHING
    one, other = (order[n][0] for n in moved)
    between = said.tokens[one + 1 : other]
    if all(token.empty or token.mark for token in between):
        return _NOTHING  # "nausea and vomiting"
    if any("association" in token.labels for token in between) and not any(
        token.labels & {"up", "down", "cause"} for token in between
    ):
        return _NOTHING  # what is associated is so both ways
    return _changed(said, one, other)


def _changed(said: Reading, one: int, other: int) -> Found:
    detail = f"{said.tokens[one].word!r} and {said.tokens[other].word!r} have changed places"
    return Check("entities", "fail", detail, "factual error"), "unsupported"


def _passives(text: Reading) -> int:
    done = [token.word == "by" or (token.word == "with" and before.word == "treated")
            for before, token in pairwise(text.tokens)]  # fmt: skip
    return sum(done)


# --- governed words -----------------------------------------------------------------------------

_GOVERNS: Final = frozenset(
    "compared of from with to than unlike by versus vs against over under without through"
    " into".split()
)
_ALIKE: Final = frozenset("association".split())
_ALIKE_WORDS: Final = frozenset(map(stem, (
    "interact combine mix compare similar equal equivalent identical coexist alternate overlap"
    " together comparable differ different distinguish"
).split()))  # fmt: skip


def check_governed(said: Reading, text: Reading) -> Found:
    """The "parents of children" are not told as the "children of parents"."""
    if max(len(said.tokens), len(text.tokens)) > 4 * _LONGEST:
        return _NOTHING
    changed: list[tuple[int, str, str]] = []
    for at, there in _pairs(said, text):
        mine, its = _governor(said, at), _governor(text, there)
        if mine != its:
            changed.append((at, mine, its))
    for n, (one, mine, its) in enumerate(changed):
        for other, its_mine, its_its in changed[n + 1 :]:
            if mine != its_its or its != its_mine or _listed(said, one, other, {mine, its}):
                continue
            if mine in _GOVERNS or its in _GOVERNS:
                return _changed(said, one, other)
    return _NOTHING


def _listed(said: Reading, one: int, other: int, governors: set[str]) -> bool:
    """Whether two words are items of one list, whose order says nothing: "dust, germs or mould"."""
    between = said.tokens[one + 1 : other]
    if not governors.isdisjoint(_SETS_APART) or any(
        t.word in _GOVERNS or t.word in _FREE for t in between
    ):
        return False
    return any(t.word in (",", "and", "or", "nor", "/") for t in between)


_SETS_APART: Final = frozenset("compared unlike than versus vs against over without".split())


def _pairs(said: Reading, text: Reading) -> list[tuple[int, int]]:
    """The words that both texts have once."""
    found = []
    for at in said.content:
        keys = said.tokens[at].keys
        there = [i for i in text.content if not text.tokens[i].keys.isdisjoint(keys)]
        if len(there) == 1 and sum(
            not said.tokens[i].keys.isdisjoint(keys) for i in said.content
        ) == 1:  # fmt: skip
            found.append((at, there[0]))
    return found


def _governor(text: Reading, at: int) -> str:
    """The preposition in front of the word's own phrase; "" where there is none that counts."""
    for i in range(at - 1, max(-1, at - 4), -1):
        token = text.tokens[i]
        if token.word in _GOVERNS or token.word in _FREE:
            before = text.tokens[max(0, i - 3) : i]
            if before and before[-1].word == "than":
                return "than"
            if token.word not in _GOVERNS:
                return ""
            if any(t.word == "compared" for t in before):
                return "compared"
            alike = any(stem(t.word) in _ALIKE_WORDS or t.labels & _ALIKE for t in before)
            return "" if alike and token.word in ("with", "to") else token.word
        if not token.empty and not (token.content and i == at - 1):
            return ""
    return ""


# --- two sides ----------------------------------------------------------------------------------


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


# What has two sides that are not alike, by what it says. In "B is due to A" the cause is behind.
_CAUSE: Final = _stems("cause lead induce produce trigger provoke")
_CAUSE_BEHIND: Final = _stems("due because owing stem attributable")
_FIRST: Final = _stems("before precede")
_FIRST_BEHIND: Final = _stems("after follow")
_ACTS: Final = _stems(
    "treat prevent reduce increase decrease lower raise improve worsen relieve inhibit activate"
    " block displace replace transmit infect require predict exceed stimulate suppress affect"
    " potentiate antagonise mimic mask complicate aggravate damage protect produce secrete release"
    " convert contain supply drain invade destroy compress supersede"
)
_PARTICIPLES: Final = frozenset("led given shown made".split())
_BE: Final = frozenset("is are was were be been being".split())
_FREE: Final = frozenset("in for among during with at on within amongst".split())
"""What stands behind these may stand anywhere in its sentence."""


@dataclass(frozen=True, slots=True)
class _Pivot:
    """A word with two sides: ``kind`` is what it says, ``turned`` whether the sides are swapped.

    The sides are the places of the words with content on its left and on its right.
    """

    at: int
    kind: str
    turned: bool
    left: tuple[int, ...]
    right: tuple[int, ...]


def check_sides(said: Reading, text: Reading) -> Found:
    """What acts in the evidence acts in the statement, and is not what is acted upon."""
    if max(len(said.tokens), len(text.tokens)) > 4 * _LONGEST:
        return _NOTHING
    twins = dict(_pairs(said, text))
    its = list(islice(_pivots(text), _MOST_PIVOTS))
    for pivot in islice(_pivots(said), _MOST_PIVOTS):
        rivals = [other for other in its if other.kind == pivot.kind]
        if not rivals:
            continue
        other = max(rivals, key=lambda p: (overlap(said, pivot.at, text, p.at), -p.at))
        swapped = pivot.turned != other.turned
        mine, its_sides = (pivot.left, pivot.right), (other.left, other.right)
        same = [_shared_places(said, mine[n], text, its_sides[n], twins) for n in (0, 1)]
        cross = [_shared_places(said, mine[n], text, its_sides[1 - n], twins) for n in (0, 1)]
        wrong, right = (same, cross) if swapped else (cross, same)
        if wrong[0] and wrong[1] and sum(map(len, wrong)) > sum(map(len, right)):
            return _changed(said, wrong[0][0], wrong[1][0])
    return _NOTHING


def _pivots(text: Reading) -> Iterator[_Pivot]:
    for at, token in enumerate(text.tokens):
        if token.word == "to" and (start := _opened(text, at)) is not None:
            left = _side(text, range(at - 1, start, -1))
            yield _Pivot(at, "to", False, left, _side(text, range(at + 1, len(text.tokens))))
            continue
        kind, turned = _kind(text, at)
        if kind:
            left = _side(text, range(at - 1, -1, -1))
            yield _Pivot(at, kind, turned, left, _side(text, range(at + 1, len(text.tokens))))


def _opened(text: Reading, at: int) -> int | None:
    """Where the "from" of this "to" stands, or the "ratio of" of it."""
    for i in range(at - 1, max(-1, at - 7), -1):
        word = text.tokens[i].word
        if word in STOPS or word in TURNS:
            return None
        if word == "from" or (word == "of" and i > 0 and text.tokens[i - 1].word == "ratio"):
            return i
    return None


def _kind(text: Reading, at: int) -> tuple[str, bool]:
    """What the word says, and whether its sides are swapped; "" for a word without sides."""
    token = text.tokens[at]
    stemmed = stem(token.word)
    behind = [t.word for t in text.tokens[at + 1 : at + 4]]
    if stemmed == "result" and behind and behind[0] in ("in", "from"):
        return "cause", behind[0] == "from"
    passive = _passive(text, at)
    if stemmed in _CAUSE:
        return "cause", passive
    if stemmed in _CAUSE_BEHIND:
        return "cause", True
    if stemmed in _FIRST:
        return "first", passive
    if stemmed in _FIRST_BEHIND and token.word != "following":
        return "first", not passive
    return (stemmed, passive) if stemmed in _ACTS else ("", False)


def _passive(text: Reading, at: int) -> bool:
    """ "Is caused by", "treated with"; a bare "caused by" too."""
    word = text.tokens[at].word
    if not (word.endswith("ed") or word in _PARTICIPLES):
        return False
    if any(t.word == "by" for t in text.tokens[at + 1 : at + 3]):
        return True
    return any(t.word in _BE for t in text.tokens[max(0, at - 3) : at])


def _side(text: Reading, places: range) -> tuple[int, ...]:
    """The words with content from the pivot on, up to a mark or a turn."""
    found: list[int] = []
    for i in places:
        token = text.tokens[i]
        if token.word in STOPS or token.word in TURNS or token.word == ".":
            break
        if token.content:
            found.append(i)
    return tuple(found)


def _shared_places(
    said: Reading, mine: tuple[int, ...], text: Reading, its: tuple[int, ...], twins: dict[int, int]
) -> list[int]:
    """The places of ``mine`` whose word both texts have once, the evidence in ``its``."""
    found = []
    for at in mine:
        there = twins.get(at)
        if there is None or there not in its:
            continue
        free = _before(said, at)
        if not free or free != _before(text, there):
            found.append(at)
    return found


def _before(text: Reading, at: int) -> str:
    """The preposition that the word stands behind, of those that may stand anywhere."""
    for i in range(at - 1, max(-1, at - 4), -1):
        word = text.tokens[i].word
        if word in _FREE:
            return word
        if not text.tokens[i].empty and not text.tokens[i].content:
            return ""
    return ""
