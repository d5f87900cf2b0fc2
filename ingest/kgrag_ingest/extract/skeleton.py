"""Sentences as skeletons: what the rules are matched against."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kgrag.records.concepts import ConceptType, Mention
from kgrag.records.text import Span
from kgrag_ingest.extract.rules import FIRST, MENTION, PER_TYPE, TYPES, Rules

_BASE: Final = {name: FIRST + i * PER_TYPE for i, name in enumerate(TYPES)}
_PRIVATE: Final = re.compile("[\ue000-\uf8ff]")
_BRACKETS: Final = re.compile(rf"\s?[(\[]((?:(?!{MENTION})[^()\[\]])*)[)\]]")
_SPACES: Final = re.compile(r"\s{2,}|[^\S ]")
_BEFORE_MARK: Final = re.compile(r" (?=[.,;:])")
# "mild to moderate X" is X of a degree, not from mild to X.
DEGREES: Final = re.compile(r"\b(mild|moderate) (to|or) (moderate|severe)\b")
_DIGIT: Final = re.compile(r"\d")
# What ends a lead, and what begins an item, say nothing themselves.
_LEADS_IN: Final = re.compile(
    r"(?: (?:one or more of |any of |some of |all of )?(?:the )?following(?: [a-z]+){0,2})?:$"
)
_BULLET: Final = re.compile(rf"^(?:(?!{MENTION})[^\w(])+|^\d{{1,2}}[.)] ")
_DASHES: Final = str.maketrans({"‐": "-", "‑": "-", "–": "-", "’": "'"})


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A sentence for the rules. ``mentions`` are those of its private-use characters."""

    text: str
    mentions: dict[str, Mention]

    def of(self, characters: str) -> list[Mention]:
        """The mentions of a matched group, in order."""
        return [self.mentions[c] for c in characters if c in self.mentions]


def skeleton(
    text: str, parts: Sequence[Span], mentions: Sequence[Mention], rules: Rules
) -> Skeleton | None:
    """The skeleton of a sentence, or of the lead and the item of a list; None when it has more
    mentions than a sentence can.

    A mention that is part of a hyphenated word ("drug-induced", "non-X") stays behind its hyphen,
    so that no rule takes it for a word of its own.
    """
    used = dict.fromkeys(TYPES, 0)
    coded: dict[str, Mention] = {}
    lines = []
    for part in parts:
        own = [m for m in mentions if part.start <= m.start and m.end <= part.end]
        line = _coded(text, part, own, used, coded)
        if line is None:
            return None
        lines.append(_folded(line, rules))
    if len(lines) > 1:
        lines = [_LEADS_IN.sub("", lines[0]), *(_BULLET.sub("", line) for line in lines[1:])]
    return Skeleton(" ".join(lines), coded)


def _coded(
    text: str,
    sentence: Span,
    mentions: Sequence[Mention],
    used: dict[ConceptType, int],
    coded: dict[str, Mention],
) -> str | None:
    """The sentence with a character for each mention, which are added to ``coded``."""
    pieces: list[str] = []
    at = sentence.start
    previous: Mention | None = None
    for mention in mentions:
        if mention.start < at:
            continue
        between = text[at : mention.start]
        # "chronic obstructive pulmonary disease (COPD)": one thing, named twice.
        if (
            previous is not None
            and previous.concept == mention.concept
            and between.strip() == "("
            and text[mention.end : mention.end + 1] == ")"
        ):
            at = mention.end + 1
            continue
        # "APOKYN (apomorphine injection)": the bracket is that mention's own.
        if previous is not None and previous.concept == mention.concept and between == " (":
            close = text.find(")", mention.end, mention.end + 40)
            if close > 0 and not any(mention.end <= m.start < close for m in mentions):
                at = close + 1
                continue
        if used[mention.type] >= PER_TYPE:
            return None
        character = chr(_BASE[mention.type] + used[mention.type])
        used[mention.type] += 1
        coded[character] = mention
        pieces.append(_PRIVATE.sub("\ufffd", between))
        pieces.append(character)
        at, previous = mention.end, mention
    pieces.append(_PRIVATE.sub("\ufffd", text[at : sentence.end]))
    return "".join(pieces)


def _folded(line: str, rules: Rules) -> str:
    """Lower case, without doses and remarks. Codes have no case, so they stay."""
    line = line.translate(_DASHES)
    if _DIGIT.search(line):
        line = rules.dose.sub(" ", line)
    line = line.lower()
    if "(" in line or "[" in line:
        line = _BRACKETS.sub(lambda m: m.group() if rules.denial.search(m.group(1)) else "", line)
    line = _BEFORE_MARK.sub("", _SPACES.sub(" ", line)).strip()
    if "mild " in line or "moderate " in line:
        line = DEGREES.sub(r"\1-\2-\3", line)
    return line
