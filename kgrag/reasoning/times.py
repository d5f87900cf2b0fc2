"""The day, duration or date that a question names."""

from __future__ import annotations

import re
from typing import Final

from kgrag.reasoning.phrases import plain
from kgrag.records.analysis import Stated

_MONTHS: Final = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
)
_DATE: Final = re.compile(
    rf"\b(?:(?P<y1>(?:19|20)\d\d)-(?P<m1>0[1-9]|1[0-2])(?:-(?P<d1>[0-2]\d|3[01]))?"
    rf"|(?:(?P<d2>\d{{1,2}})(?:st|nd|rd|"
    rf"th)?\s(?:of\s)?)?(?P<m2>{_MONTHS})\s(?:(?P<d3>\d{{1,2}})(?:st|nd|rd|"
    rf"th)?,?\s)?(?P<y2>(?:19|20)\d\d))\b"
)
_YEAR: Final = re.compile(
    r"\b(?:in|since|before|after|until|by|from|during|of|the|"
    r"for)\s(?:the\s)?(?:year\s)?(?P<y>(?:19|20)\d\d)\b(?!\s?(?:mg|ml|units|patients|iu|kcal))"
    r"|\b(?P<y2>(?:19|20)\d\d)\s(?=(?:\w+\s){0,2}(?:guideline|recommendation|update|criteria|"
    r"edition)s?)"
)
_DURATION: Final = re.compile(
    r"\b(?:for|over|since|past|last|within|after|every|lasting|of)\s(?:the\s)?(?:(?:about|past|"
    r"last|at\sleast|more\sthan|over|nearly|almost|next|previous)\s){0,2}"
    r"(?P<n>\d{1,3}(?:\.\d)?|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|"
    r"several)[\s-](?P<u>minute|hour|day|week|month|year)s?\b(?![\s-](?:old|of\sage))"
    r"|(?<![\d.])\b(?P<n2>\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|"
    r"twelve)[\s-](?P<u2>minute|hour|day|week|month|year)s?[\s-](?:history|duration|course|ago|"
    r"risk|survival|later|follow)"
)
_DAY: Final = re.compile(
    r"\b(?:today|yesterday|last\s(?:week|month|year|night)|this\s(?:morning|week|year))\b"
)
_NUMBERS: Final = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
    "eight": 8, "nine": 9, "ten": 10, "twelve": 12,
}  # fmt: skip
_UCUM: Final = {
    "minute": "min", "hour": "h", "day": "d", "week": "wk", "month": "mo", "year": "a",
}  # fmt: skip


def time_of(question: str) -> Stated | None:
    """A date as ISO ("2019", "2019-03"), else a duration with its UCUM unit, else a day's name."""
    lower = plain(question)
    if match := _DATE.search(lower):
        return _stated(question, match, _iso(match))
    if match := _YEAR.search(lower):
        return _stated(question, match, match["y"] or match["y2"])
    if match := _DURATION.search(lower):
        word, unit = match["n"] or match["n2"], _UCUM[match["u"] or match["u2"]]
        if word == "several":
            return _stated(question, match, "several", unit)
        value = float(_NUMBERS[word]) if word in _NUMBERS else float(word)
        return _stated(question, match, value, unit)
    if match := _DAY.search(lower):
        return _stated(question, match, match[0])
    return None


def _iso(match: re.Match[str]) -> str:
    year, month = match["y1"] or match["y2"], match["m1"]
    day = match["d1"] or match["d2"] or match["d3"]
    if month is None:
        month = f"{_MONTHS.split('|').index(match['m2']) + 1:02d}"
    return f"{year}-{month}-{int(day):02d}" if day else f"{year}-{month}"


def _stated(
    question: str, match: re.Match[str], value: float | str, unit: str | None = None
) -> Stated:
    start, end = match.span()
    text = question[start:end].rstrip()
    return Stated(value, text, start, start + len(text), unit)
