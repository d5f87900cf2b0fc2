"""Short forms that a document defines, by the algorithm of Schwartz and Hearst (2003).

``chronic kidney disease (CKD)`` and ``CKD (chronic kidney disease)`` both define ``CKD``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kgrag.records.text import Span

_BRACKET: Final = re.compile(r"[(\[]([^()\[\]\n]{2,120})[)\]]")
_SHORT: Final = re.compile(r"(?=[^\s]*[A-Za-z])[A-Za-z0-9][\w.+/-]*(?: [\w.+/-]+)?")
_CAPITAL: Final = re.compile(r"[A-Z0-9À-ÖØ-ÞΑ-Ω]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_BEFORE: Final = re.compile(r"[A-Za-z0-9][\w+/-]{1,9}$")
_CLAUSE: Final = re.compile(r"[.;:!?]\s|[\n()\[\]]")
_FOLLOWS: Final = re.compile(r"[;,:]| or | see ")


@dataclass(frozen=True, slots=True)
class Definition:
    """``short`` is defined as the characters of ``long``; ``at`` is the short form's own place."""

    short: str
    at: Span
    long: Span


def definitions(text: str) -> dict[str, Definition]:
    """The short forms defined in ``text``, by their exact spelling; the first definition holds."""
    found: dict[str, Definition] = {}
    for bracket in _BRACKET.finditer(text):
        for definition in (_behind(text, bracket), _inside(text, bracket)):
            if definition is not None:
                found.setdefault(definition.short, definition)
                break
    return found


def _behind(text: str, bracket: re.Match[str]) -> Definition | None:
    """The bracket holds the short form and its long form stands before it."""
    short = _FOLLOWS.split(bracket.group(1), maxsplit=1)[0].strip()
    if not _is_short(short):
        return None
    at = bracket.start(1) + (len(bracket.group(1)) - len(bracket.group(1).lstrip()))
    left = _words_left(text, bracket.start(), min(len(short) + 5, 2 * len(short)))
    start = _best_start(short, text[left : bracket.start()])
    if start is None:
        return None
    end = left + len(text[left : bracket.start()].rstrip())
    if end - (left + start) <= len(short):
        return None
    return Definition(short, Span(at, at + len(short)), Span(left + start, end))


def _inside(text: str, bracket: re.Match[str]) -> Definition | None:
    """The bracket holds the long form and the short form is the word before it."""
    left = text[max(0, bracket.start() - 12) : bracket.start()].rstrip()
    if len(_CAPITAL.findall(left)) < 2:
        return None
    before = _BEFORE.search(left)
    inner = bracket.group(1)
    if before is None or not _is_short(before.group()) or len(inner) <= len(before.group()):
        return None
    short = before.group()
    if sum(c.isupper() for c in short) < 2 or _best_start(short, inner.strip()) != 0:
        return None
    right = text.rfind(short, 0, bracket.start())
    start = bracket.start(1) + (len(inner) - len(inner.lstrip()))
    return Definition(
        short, Span(right, right + len(short)), Span(start, start + len(inner.strip()))
    )


def _is_short(short: str) -> bool:
    return (
        2 <= len(short) <= 10
        and _CAPITAL.search(short) is not None
        and _SHORT.fullmatch(short) is not None
        and len(_LETTER.findall(short)) * 2 >= len(short)
    )


def _words_left(text: str, end: int, words: int) -> int:
    """Where the last ``words`` words before ``end`` begin, within their clause."""
    left = max(0, end - 200)
    for stop in _CLAUSE.finditer(text, left, end):
        left = stop.end()
    starts = [m.start() for m in re.finditer(r"\S+", text[left:end])]
    return left + starts[max(0, len(starts) - words)] if starts else end


def _best_start(short: str, long: str) -> int | None:
    """Where in ``long`` the shortest long form of ``short`` begins, None when there is none."""
    place = len(long) - 1
    for position in range(len(short) - 1, -1, -1):
        char = short[position].lower()
        if not char.isalnum():
            continue
        while place >= 0 and (
            long[place].lower() != char
            or (position == 0 and place > 0 and long[place - 1].isalnum())
        ):
            place -= 1
        if place < 0:
            return None
        place -= 1
    begin = max(long.rfind(" ", 0, place + 2), long.rfind("-", 0, place + 1) if place >= 0 else -1)
    return begin + 1
