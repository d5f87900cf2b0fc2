"""Whether a line advises, in which direction, and what: the cues, the commands, the refusals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kgrag.records.recommendations import Direction
from kgrag_ingest.recommend.rules import Cue, Rules

_FEWEST_SPACES: Final = 1
# The rule of advice that begins with a verb.
COMMAND: Final = "command"
_TRAILING: Final = " .;:,"
# The words that a command can begin with: after the start of the line or after a mark.
FIRST_WORD: Final = re.compile(r"(?:^|[^\w\s]\s)[\W\d]{0,4}([a-z-]+)")


@dataclass(frozen=True, slots=True)
class Advice:
    """What one line advises; ``action`` is the span of what is to be done or not."""

    direction: Direction
    action: tuple[int, int]
    rule: str


def refused(line: str, rules: Rules) -> bool:
    """The line tells of others, of the past, of research or of software."""
    lower = line.lower()
    return any(test.holds(line, lower) for test in rules.refuse.line)


def find_advice(
    text: str, start: int, end: int, rules: Rules, *, commands: bool = True
) -> Advice | None:
    """The first advice that ``text[start:end]``, one sentence or cell, gives; else None.

    ``commands`` is False where a verb at the beginning commands nothing.
    """
    line = text[start:end]
    said = [
        found for found in (_cue(line, rules), _command(line, rules) if commands else None) if found
    ]
    if not said or refused(line, rules):
        return None
    # What stands first counts: "should not: Drive" begins no command.
    _, direction, (low, high), rule = min(said)
    low, high = _tidy(line, low, high)
    return Advice(direction, (start + low, start + high), rule) if low < high else None


_Found = tuple[int, Direction, tuple[int, int], str]


def _command(line: str, rules: Rules) -> _Found | None:
    if rules.imperative.verbs.isdisjoint(FIRST_WORD.findall(line.lower())):
        return None
    match = rules.imperative.start.match(line)
    if match is None:
        return None
    against = match.group("not") is not None
    begin = match.start("not" if against else "verb")
    if rules.imperative.unless.match(line[begin:]) or line.count(" ", begin) < _FEWEST_SPACES:
        return None
    if against:
        against = rules.imperative.spared.match(line, begin) is None
    else:
        against = rules.imperative.denies.match(line, begin) is not None
    # A line that begins in lower case is the rest of another one.
    if line[begin].islower() and not any(c.isalnum() for c in line[:begin]):
        return None
    return begin, ("against" if against else "for"), (begin, len(line)), COMMAND


def _cue(line: str, rules: Rules) -> _Found | None:
    lower = line.lower()
    if not any(word in lower for word in rules.spoken):
        return None
    best: tuple[int, int, Cue] | None = None
    for cue in rules.cues:
        if not any(word in lower for word in cue.words):
            continue
        for pattern in cue.patterns:
            match = pattern.search(line)
            if match is None:
                continue
            if cue.id.startswith("modal") and any(
                test.holds(line, lower) for test in rules.refuse.not_modal
            ):
                continue
            at = (match.start(), -match.end(), cue)
            if best is None or at[:2] < best[:2]:
                best = at
    if best is None:
        return None
    start, stop, cue = best[0], -best[1], best[2]
    if cue.action == "after":
        return start, cue.direction, (stop, len(line)), cue.id
    if cue.action == "before":
        return start, cue.direction, (0, start), cue.id
    return start, cue.direction, (0, len(line)), cue.id


def _tidy(line: str, low: int, high: int) -> tuple[int, int]:
    while low < high and (line[low].isspace() or line[low] in "•·▪*–—-,:;"):
        low += 1
    while high > low and (line[high - 1].isspace() or line[high - 1] in _TRAILING):
        high -= 1
    return low, high
