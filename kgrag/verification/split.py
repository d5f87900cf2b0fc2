"""A statement as claims that are checked one by one, and the evidence each is held against."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kgrag.sentences import sentences
from kgrag.verification.cover import is_amount
from kgrag.verification.quotes import fold_text
from kgrag.verification.words import Reading, read

_MOST_PLACES: Final = 64
"""A word that stands in more sentences than these does not choose between them."""
LONGEST: Final = 2_000
"""Longer sentences, in characters, are no claims, and evidence in pieces: bounds the work."""
_MORE: Final = 0.15
_MOST_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of the evidence; ``text`` counts the texts and ``at`` all sentences."""

    at: int
    text: int
    reading: Reading


@dataclass(frozen=True, slots=True)
class Evidence:
    """Texts prepared to be compared with many claims: sentences, and where each word stands."""

    lines: tuple[Line, ...]
    places: dict[str, list[int]]
    whole: dict[str, int]
    """The folded sentences and texts, without their last mark, to the place of their end."""

    def telling(self, keys: frozenset[str]) -> list[tuple[int, Reading]]:
        """The first sentences that tell a word of one of the keys, with their places, in order."""
        found = sorted({at for key in keys for at in self.places.get(key, ())[:_MOST_PLACES]})
        return [(at, self.lines[at].reading) for at in found]


@dataclass(frozen=True, slots=True)
class Aligned:
    """A claim and the sentences of evidence nearest to it, best first.

    ``covered`` in [0, 1] is the share of the weight of the claim's words that they tell together,
    ``best`` the share of its words, amounts apart, that the first tells alone.
    """

    claim: Reading
    lines: tuple[Line, ...]
    covered: float
    best: float

    @property
    def text(self) -> str:
        """The chosen sentences in the order of the evidence."""
        return " ".join(line.reading.text for line in sorted(self.lines, key=lambda n: n.at))


def claims(statement: str) -> list[str]:
    """The sentences of ``statement``, in order."""
    return [span.of(statement) for span in sentences(statement)]


def prepare(texts: Sequence[str]) -> Evidence:
    """The evidence, read once for all claims."""
    lines: list[Line] = []
    places: dict[str, list[int]] = defaultdict(list)
    whole: dict[str, int] = {}
    for number, text in enumerate(texts):
        for sentence in claims(text):
            for piece in _pieces(sentence):
                line = Line(len(lines), number, read(piece))
                lines.append(line)
                for key in line.reading.groups:
                    places[key].append(line.at)
            whole.setdefault(_bare(sentence), len(lines) - 1)
        if lines:
            whole.setdefault(_bare(text), lines[-1].at)
    return Evidence(tuple(lines), dict(places), whole)


def _pieces(sentence: str) -> list[str]:
    """The sentence, or pieces of one that is too long to be compared as a whole."""
    if len(sentence) <= LONGEST:
        return [sentence]
    cuts = range(0, len(sentence), LONGEST)
    return [piece for at in cuts if (piece := sentence[at : at + LONGEST]).strip()]


def whole_at(claim: str, evidence: Evidence) -> int | None:
    """The place of the sentence that says the claim in its own words; None without one."""
    return evidence.whole.get(_bare(claim))


def _bare(text: str) -> str:
    return fold_text(text).rstrip(" .")


def align(claim: str, evidence: Evidence) -> Aligned | None:
    """The claim with the sentences that tell most of its words; None without evidence.

    Rare words of the evidence weigh more. Up to two sentences join the first when each adds
    clearly. Ties go to the first.
    """
    reading = read(claim)
    if not evidence.lines:
        return None
    wanted = [at for at, token in enumerate(reading.tokens) if token.content or token.number]
    worth: dict[int, float] = {}
    told: dict[int, set[int]] = defaultdict(set)
    for at in wanted:
        # A word of the statement may stand there as another word of its group.
        near = [p for key in reading.keys[at] if (p := evidence.places.get(key))]
        fewest = min((len(p) for p in near), default=0)
        total = len(evidence.lines)
        worth[at] = math.log(1 + (total - fewest + 0.5) / (fewest + 0.5)) if fewest else 1.0
        for places in near:
            for line in places[:_MOST_PLACES]:
                told[line].add(at)
    if not wanted or not told:
        return Aligned(reading, (evidence.lines[0],), 0.0 if wanted else 1.0, 0.0)
    total_worth = sum(worth.values())
    share = {line: sum(worth[at] for at in has) / total_worth for line, has in told.items()}
    first = max(share, key=lambda line: (share[line], -line))
    chosen, has = [first], set(told[first])
    while len(chosen) < _MOST_LINES:
        gain = {
            line: sum(worth[at] for at in new - has) / total_worth
            for line, new in told.items()
            if line not in chosen
        }
        more = max(gain, key=lambda line: (gain[line], -line), default=None)
        if more is None or gain[more] < _MORE:
            break
        chosen.append(more)
        has |= told[more]
    covered = sum(worth[at] for at in has) / total_worth
    lines = tuple(evidence.lines[at] for at in chosen)
    words = [at for at in wanted if reading.tokens[at].content and not is_amount(reading, at)]
    best = sum(at in told[first] for at in words) / len(words) if words else share[first]
    return Aligned(reading, lines, covered, best)


def nearness(statement: str, texts: Sequence[str]) -> float:
    """How near the statement is to the words of one place of the evidence, in [0, 1].

    Words are the same in every spelling, inflection and group (``kgrag.verification.words``), so
    that a plain word for a technical one is no distance. For each sentence of the statement the
    best place counts, a sentence of the evidence or two that follow each other, and there the
    lesser of the share of the statement's words that the place tells and of the place's words that
    the statement tells. The worst sentence counts; amounts are no words; 0 without evidence.
    """
    evidence = prepare(texts)
    worst = 1.0 if evidence.lines else 0.0
    for claim in claims(statement):
        aligned = align(claim, evidence)
        if aligned is None:
            return 0.0
        at = aligned.lines[0].at
        best = 0.0
        for run in ((at,), (at - 1, at), (at, at + 1)):
            lines = [evidence.lines[i] for i in run if 0 <= i < len(evidence.lines)]
            if len(lines) == len(run) and len({line.text for line in lines}) == 1:
                best = max(best, _both_ways(aligned.claim, [line.reading for line in lines]))
        worst = min(worst, best)
    return worst


def _both_ways(said: Reading, place: Sequence[Reading]) -> float:
    told = frozenset(key for reading in place for key in reading.groups)
    mine = [said.keys[at] | said.tokens[at].own for at in said.content if not is_amount(said, at)]
    its = [
        reading.keys[at] | reading.tokens[at].own
        for reading in place
        for at in reading.content
        if not is_amount(reading, at)
    ]
    if not mine or not its:
        return 0.0
    there = sum(not keys.isdisjoint(told) for keys in mine) / len(mine)
    back = sum(not keys.isdisjoint(said.groups) for keys in its) / len(its)
    return min(there, back)
