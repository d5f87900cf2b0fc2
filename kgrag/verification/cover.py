"""Coverage: each content word of a claim is told by its evidence, in these or other words.

A word that only another sentence tells passes where that speaks of the same matter, unless it
stands in the place of a word of the nearest sentence: a true name in a false place is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from kgrag.verification.stems import stem
from kgrag.verification.units import NUMBER_WORDS, UNIT_PATTERN
from kgrag.verification.words import Reading, Token

_UNIT: Final = re.compile(UNIT_PATTERN)
_BOUNDS: Final = frozenset(
    "more less than least most over under above below up maximum minimum aged age ages older"
    " younger greater fewer higher lower exceed exceeding exceeds between old longer shorter"
    " excess beyond through mega".split()
)
_TIMES: Final = frozenset(
    "daily weekly monthly yearly annually annual hourly nightly once twice thrice time times every"
    " each bid tid qid qd bd od tds qds biennially biennial fortnightly half quarter thousand"
    " million per percent percentage alternate".split()
)


_TURNING: Final = frozenset({"up", "down", "better", "worse", "cause", "activate", "inhibit"})
# What may stand between a number and its unit.
_WITHIN: Final = frozenset(
    "completed consecutive full whole calendar additional further more / per a each million"
    " thousand hundred half of an degree degrees international".split()
)


Told = tuple[int, Reading]
"""A sentence of the evidence and its place among all of them."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """Places of claim words: told nowhere, and told elsewhere but put in another's place."""

    nowhere: tuple[int, ...]
    misplaced: tuple[int, ...]

    @property
    def all(self) -> tuple[int, ...]:
        return tuple(sorted((*self.nowhere, *self.misplaced)))


def lacking(
    said: Reading, lines: Sequence[Told], telling: Callable[[frozenset[str]], Sequence[Told]]
) -> Lacking:
    """The content words of the claim that the evidence lacks.

    ``lines`` are the sentences that the claim is held against, the first its best; ``telling``
    gives the sentences of all the evidence that tell one of some keys. What the best does not tell
    counts only where it is told of the same matter: a dose, only with it or in its heading.
    """
    nearest = [reading for _, reading in lines]
    best = nearest[0]
    counted = any(token.number for token in said.tokens)
    nowhere: list[int] = []
    far: list[int] = []
    elsewhere: list[int] = []
    for at, token in enumerate(said.tokens):
        if not token.content or is_amount(said, at) or _is_bare_negation(token):
            continue
        keys = said.keys[at] | token.own
        if not keys.isdisjoint(best.groups) or _joined(said, at, nearest):
            continue
        told = telling(keys)
        if not told:
            nowhere.append(at)
        elif not token.labels.isdisjoint(_TURNING) or not any(
            _of_one_matter(said, line, lines[0], counted=counted) for line in told
        ):
            # A direction or a cause is told by the sentence that tells the rest, or not at all.
            elsewhere.append(at)
        else:
            far.append(at)
    used = _used_twice(said, nearest)
    misplaced = [at for at in dict.fromkeys((*far, *used)) if _in_place_of(said, at, nearest)]
    return Lacking(tuple(nowhere), tuple(sorted({*misplaced, *elsewhere})))


_BACK: Final = frozenset("it its this these they their them he she such both".split())
_HEADING_WORDS: Final = 14


def _of_one_matter(said: Reading, line: Told, best: Told, *, counted: bool) -> bool:
    """Whether the line speaks of what the claim speaks of.

    A heading does, and what refers back; else a sentence whose first word with content the claim
    has, unless the claim has numbers, which belong to what they stand with.
    """
    if belongs(line, best):
        return True
    first = next((token for token in line[1].tokens if token.content), None)
    return not counted and first is not None and not first.keys.isdisjoint(said.groups)


_FAR: Final = 2


def belongs(line: Told, best: Told) -> bool:
    """Whether a line explains another: as its heading, or because the later one refers back."""
    (at, reading), (best_at, nearest) = line, best
    words = [token for token in reading.tokens if not token.mark]
    if not words:
        return False
    if len(words) <= _HEADING_WORDS and not reading.text.rstrip().endswith((".", "!", "?", ";")):
        return ";" not in reading.text  # a row of a table is no heading
    if 0 < at - best_at <= _FAR:
        return words[0].word in _BACK
    return 0 < best_at - at <= _FAR and any(t.word in _BACK for t in nearest.tokens[:1])


def _is_bare_negation(token: Token) -> bool:
    """ "Not" and "avoid" are compared by what they negate; "ineffective" has a word of its own."""
    return "negation" in token.labels and not token.own


def is_amount(said: Reading, at: int) -> bool:
    """Part of a number, a unit or a frequency: the amounts are compared by themselves."""
    word = said.tokens[at].word
    if word in NUMBER_WORDS or word in _TIMES:
        return True
    if word in _BOUNDS:
        beside = said.tokens[max(0, at - 3) : at + 4]
        return any(t.number or t.word in NUMBER_WORDS for t in beside)
    if _UNIT.fullmatch(word) is None:
        return False
    for token in reversed(said.tokens[max(0, at - 5) : at]):
        if token.number or token.word in NUMBER_WORDS or token.word in ("half", "quarter"):
            return True
        if token.word not in _WITHIN and _UNIT.fullmatch(token.word) is None:
            return False
    return False


def _used_twice(said: Reading, nearest: Sequence[Reading]) -> list[int]:
    """The places of the words that the claim says more often than its evidence."""
    places: dict[str, list[int]] = {}
    for at in said.content:
        places.setdefault(stem(said.tokens[at].word), []).append(at)
    found: list[int] = []
    for mine in places.values():
        if len(mine) > 1:
            keys = said.keys[mine[0]]
            its = sum(not r.keys[i].isdisjoint(keys) for r in nearest for i in r.content)
            if 0 < its < len(mine):
                found += mine
    return found


def _in_place_of(said: Reading, at: int, nearest: Sequence[Reading]) -> bool:
    """Whether a word that the claim lacks stands where this one stands in the claim."""
    best = nearest[0]
    order = said.content
    here = order.index(at)
    for there in (*order[max(0, here - 2) : here], *order[here + 1 : here + 3]):
        for place in best.content:
            if best.keys[place].isdisjoint(said.keys[there]):
                continue
            step = 1 if there < at else -1
            distance = abs(order.index(there) - here)
            around = best.content.index(place)
            for other in range(around + step, around + step * (distance + 2), step):
                if 0 <= other < len(best.content) and _fewer(said, best, best.content[other]):
                    return True
    return False


def _fewer(said: Reading, text: Reading, place: int) -> bool:
    """Whether the claim has the word of this place less often than the sentence has it."""
    keys = text.keys[place]
    if keys.isdisjoint(said.groups):
        return True
    own = text.tokens[place].keys
    mine = sum(not said.keys[i].isdisjoint(own) for i in said.content)
    return mine < sum(not text.keys[i].isdisjoint(own) for i in text.content)


# --- one word or two ----------------------------------------------------------------------------


def _joined(said: Reading, at: int, nearest: Sequence[Reading]) -> bool:
    """ "healthcare" is "health care", either way round."""
    word = said.tokens[at].word
    if any(stem(word) in _pairs(r) for r in nearest):
        return True
    words = _neighbours(said, at)
    return any(stem(joined) in r.groups for joined in words for r in nearest)


def _neighbours(said: Reading, at: int) -> list[str]:
    tokens = said.tokens
    found = []
    if at > 0 and tokens[at - 1].word[0].isalpha():
        found.append(tokens[at - 1].word + tokens[at].word)
    if at + 1 < len(tokens) and tokens[at + 1].word[0].isalpha():
        found.append(tokens[at].word + tokens[at + 1].word)
    return found


@lru_cache(maxsize=1_024)
def _pairs(reading: Reading) -> frozenset[str]:
    words = [t.word for t in reading.tokens]
    return frozenset(
        stem(one + other)
        for one, other in pairwise(words)
        if one[0].isalpha() and other[0].isalpha()
    )
