"""Phrases of the data files: readable patterns of words, matched in bounded time.

A phrase is words with spaces between them. ``word*`` is a word that begins so, ``#`` in a word a
digit, ``(a|b c|d)`` one of several phrases, ``?`` behind either says that it may be missing,
``...`` stands for up to six words of the same sentence, and ``^`` at the front for the beginning of
a sentence. Case, and which hyphen or apostrophe is written, do not matter.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from typing import Final

from kgrag.paths import resource

_TOKEN: Final = re.compile(r"\s+|\.\.\.|[()|?^]|[^\s()|?^]+")
# Every piece takes characters that the next one cannot, so that nothing is tried twice.
_BETWEEN: Final = r"[^\w.?!\n]{1,4}"
_GAP: Final = r"(?:[^\w.?!\n]{1,4}\w++(?:'\w++)?){0,6}?"
_BEGIN: Final = r"(?:\A|(?<=[.?!\n:;]))[^\w]{0,6}(?:(?:and|but|so|or|then|also|please)[^\w]{1,3})?"
_PLAIN: Final = str.maketrans(
    {
        **dict.fromkeys("’‘", "'"),
        **dict.fromkeys("‐‑–—", "-"),
        **dict.fromkeys("\u00a0\u2009\u202f", " "),
    }
)


def plain(text: str) -> str:
    """``text`` in lower case with plain apostrophes, hyphens and spaces; of the same length."""
    lower = text.translate(_PLAIN).lower()
    if len(lower) == len(text):
        return lower
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text.translate(_PLAIN))


def compiled(phrases: Iterable[str]) -> re.Pattern[str]:
    """One pattern that finds any of the phrases in ``plain`` text, the longest first.

    ValueError for what is no phrase.
    """
    written = sorted(phrases, key=len, reverse=True)
    return re.compile("|".join(_whole(phrase) for phrase in written) or r"(?!)")


@cache
def listed(name: str) -> re.Pattern[str]:
    """The pattern of a list of ``ontologies/patient_phrases.toml``; KeyError for an unknown one."""
    path = resource("ontologies", "patient_phrases.toml")
    return compiled(tomllib.loads(path.read_text(encoding="utf-8"))[name]["phrases"])


def _whole(phrase: str) -> str:
    tokens = [token for token in _TOKEN.findall(phrase) if not token.isspace()]
    begin = bool(tokens) and tokens[0] == "^"
    pattern, rest = _either(tokens[1:] if begin else tokens, phrase)
    if rest or not pattern:
        raise ValueError(f"not a phrase: {phrase!r}")
    return f"(?:{_BEGIN if begin else ''}{pattern})" if begin else rf"(?:\b{pattern})"


def _either(tokens: list[str], phrase: str) -> tuple[str, list[str]]:
    """The alternatives up to the closing bracket or the end, and the tokens from there."""
    parts = []
    while True:
        part, tokens = _sequence(tokens, phrase)
        parts.append(part)
        if not tokens or tokens[0] != "|":
            break
        tokens = tokens[1:]
    return (parts[0] if len(parts) == 1 else f"(?:{'|'.join(parts)})"), tokens


def _sequence(tokens: list[str], phrase: str) -> tuple[str, list[str]]:
    pattern, pending, gap = "", "", ""
    while tokens and tokens[0] not in (")", "|"):
        token, *tokens = tokens
        if token == "...":  # noqa: S105 - a sign of the phrase
            gap = _GAP
            continue
        if token == "(":  # noqa: S105
            inner, tokens = _either(tokens, phrase)
            if not tokens:
                raise ValueError(f"a bracket is not closed: {phrase!r}")
            tokens, word = tokens[1:], f"(?:{inner})"
        elif token in ("?", "^"):
            raise ValueError(f"{token} stands in the wrong place: {phrase!r}")
        else:
            word = _word(token)
        missing = bool(tokens) and tokens[0] == "?"
        if missing:
            tokens = tokens[1:]
        if pattern:
            piece = f"{gap}{_BETWEEN}{word}"
            pattern += f"(?:{piece})?" if missing else piece
        elif missing:
            pending += f"(?:{word}{_BETWEEN})?"
        else:
            pattern = pending + word
        gap = ""
    if not pattern:
        raise ValueError(f"nothing must be there: {phrase!r}")
    return pattern, tokens


def _word(word: str) -> str:
    stem = word.removesuffix("*")
    end = r"\w*+" if stem != word else r"(?!\w)"
    return "".join(r"\d" if char == "#" else re.escape(char) for char in stem) + end
