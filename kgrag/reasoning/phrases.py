"""Phrases of the data files: readable patterns of words, matched in bounded time.

A phrase is words with spaces between them. ``word*`` is a word that begins so, ``(a|b c|d)`` one of
several, ``?`` behind either says that it may be missing, ``...`` stands for up to six words of the
same sentence, and ``^`` at the front for the beginning of a sentence.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from typing import Final

from kgrag.paths import resource

_TOKEN: Final = re.compile(r"\^|\.\.\.|\([^()]*\)\??|[^\s()^]+")
# Every piece takes characters that the next one cannot, so that nothing is tried twice.
_BETWEEN: Final = r"[^\w.?!\n]{1,4}"
_GAP: Final = r"(?:[^\w.?!\n]{1,4}\w++(?:'\w++)?){0,6}?"
_BEGIN: Final = r"(?:\A|(?<=[.?!\n:;]))[^\w]{0,6}(?:(?:and|but|so|or|then|also|please)[^\w]{1,3})?"
_PLAIN: Final = str.maketrans({"’": "'", "‘": "'", "‐": "-", "‑": "-", "–": "-", "—": "-"})
_PLAIN[0xA0] = _PLAIN[0x2009] = _PLAIN[0x202F] = " "


def plain(text: str) -> str:
    """``text`` in lower case with plain apostrophes, hyphens and spaces; of the same length."""
    lower = text.translate(_PLAIN).lower()
    if len(lower) == len(text):
        return lower
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text.translate(_PLAIN))


def compiled(phrases: Iterable[str]) -> re.Pattern[str]:
    """One pattern that finds any of the phrases in ``plain`` text, the longest alternative first.

    ValueError for a phrase that is none.
    """
    written = sorted(phrases, key=len, reverse=True)
    return re.compile("|".join(f"(?:{_pattern(phrase)})" for phrase in written) or r"(?!)")


@cache
def listed(name: str) -> re.Pattern[str]:
    """The pattern of a list of ``ontologies/patient_phrases.toml``; KeyError for an unknown one."""
    path = resource("ontologies", "patient_phrases.toml")
    return compiled(tomllib.loads(path.read_text(encoding="utf-8"))[name]["phrases"])


def _pattern(phrase: str) -> str:
    tokens = _TOKEN.findall(phrase)
    if "".join(tokens) != phrase.replace(" ", "") and "(" not in phrase:
        raise ValueError(f"not a phrase: {phrase!r}")
    pattern, glue = "", r"\b"
    for token in tokens:
        if token == "^":  # noqa: S105 - a sign of the phrase
            pattern, glue = _BEGIN, ""
        elif token == "...":  # noqa: S105
            pattern += _GAP
        elif token.endswith("?"):
            if not pattern:
                raise ValueError(f"what may be missing cannot come first: {phrase!r}")
            pattern += f"(?:{glue}{_words(token[:-1])})?"
        else:
            pattern += glue + _words(token)
            glue = _BETWEEN
        if token not in ("^", "...") and glue == "":
            glue = _BETWEEN
    return pattern


def _words(token: str) -> str:
    if token.startswith("("):
        return "(?:" + "|".join(_sequence(part) for part in token[1:-1].split("|")) + ")"
    return _word(token)


def _sequence(part: str) -> str:
    return _BETWEEN.join(_word(word) for word in part.split())


def _word(word: str) -> str:
    stem = word.removesuffix("*")
    end = r"\w*+" if stem != word else r"\b"
    return re.escape(stem) + end
