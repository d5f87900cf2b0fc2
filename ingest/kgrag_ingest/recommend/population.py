"""Whom advice is for: the phrase that says it, and the sex and ages that it limits to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from kgrag_ingest.recommend.rules import People

_Range = tuple[float | None, float | None]
Sex = Literal["female", "male"]
_MONTHS: Final = 12.0
_WEEKS: Final = 52.0
_DAYS: Final = 365.0
_OLDEST: Final = 120


@dataclass(frozen=True, slots=True)
class Limits:
    """Sex and ages in years; None where the words do not limit."""

    sex: Sex | None = None
    min_age: float | None = None
    max_age: float | None = None

    @property
    def empty(self) -> bool:
        return self == Limits()


def find_population(text: str, start: int, end: int, people: People) -> tuple[int, int] | None:
    """The span of the first phrase in ``text[start:end]`` that says more than "patients"."""
    for match in people.phrase.finditer(text, start, end):
        phrase = match.group()
        if not people.nobody.match(phrase.strip()):
            begin = match.start() + len(phrase) - len(phrase.lstrip())
            return begin, begin + len(phrase.strip(" ,"))
    return None


def limits(phrase: str, people: People) -> Limits:
    """The sex and ages that ``phrase`` names; numbers count before words."""
    plain = people.aside.sub(" ", phrase)
    low, high = _ages(plain, people)
    return Limits(_sex(plain, people), low, high)


def _sex(phrase: str, people: People) -> Sex | None:
    female, male = people.female.search(phrase), people.male.search(phrase)
    if female and not male:
        return "female"
    return "male" if male and not female else None


def _ages(phrase: str, people: People) -> _Range:
    """Of the numbers; a single bound is completed by a word: "adults under 55" are 18 to 54."""
    numbers, words = _numbers(phrase, people), _stages(phrase, people)
    if not numbers:
        return words
    low, high = _joined(numbers)
    if len(numbers) == 1:
        if low is None and words[0] is not None and high is not None and words[0] < high:
            low = words[0]
        if high is None and words[1] is not None and low is not None and low < words[1]:
            high = words[1]
    return low, high


def _numbers(phrase: str, people: People) -> list[_Range]:
    """The ages of all patterns that are found."""
    found: list[_Range] = []
    rest = phrase
    for pattern in people.ranges:
        for match in pattern.finditer(rest):
            unit = match.group("unit") or "years"
            low = _years(match.group("min"), match.groupdict().get("minunit") or unit)
            high = _years(match.group("max"), unit)
            if low < high <= _OLDEST:
                found.append((low, high))
        rest = pattern.sub(" ", rest)
    for pattern in people.lower:
        for match in pattern.finditer(rest):
            found.append((_years(match.group("min"), match.group("unit")), None))
        rest = pattern.sub(" ", rest)
    for pattern in people.upper:
        for match in pattern.finditer(rest):
            found.append((None, _years(match.group("max"), match.group("unit"))))
        rest = pattern.sub(" ", rest)
    for pattern in people.below:
        for match in pattern.finditer(rest):
            found.append((None, _below(match.group("max"), match.group("unit"))))
    return found


def _stages(phrase: str, people: People) -> _Range:
    found: list[_Range] = []
    for word in people.words:
        if word.pattern.search(phrase):
            found.append((word.min, word.max))
            phrase = word.pattern.sub(" ", phrase)
    # "Adolescent men" are adolescents: words without limits count only beside nothing else,
    # except that "pregnant women and their children" are not children alone.
    limited = [pair for pair in found if pair != (None, None)]
    if len(limited) < len(found) and not _joint(phrase):
        found = limited
    return _joined(found) if found else (None, None)


def _joint(phrase: str) -> bool:
    return re.search(r"(?i)\band\b|,", phrase) is not None


def _joined(
    found: list[_Range],
) -> _Range:
    """The narrowest range that holds all."""
    lows = [low for low, _ in found]
    highs = [high for _, high in found]
    low = None if None in lows else min(v for v in lows if v is not None)
    high = None if None in highs else max(v for v in highs if v is not None)
    return low, high


def _years(number: str, unit: str) -> float:
    value = float(number)
    first = unit.lower()[:1]
    if unit.lower().startswith("mo"):
        return round(value / _MONTHS, 3)
    if first == "w":
        return round(value / _WEEKS, 3)
    return round(value / _DAYS, 3) if first == "d" else value


def _below(number: str, unit: str) -> float:
    """Ages are said in completed years: below 5 years is up to 4."""
    value = _years(number, unit)
    return value - 1 if unit.lower().startswith("y") and value >= 2 else value
