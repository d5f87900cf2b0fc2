"""Test results of a text that lie outside of the usual range, as words to look for.

The table is ``ontologies/reference_ranges.toml``. A result is read where the name of a test, a
number and a unit that the table knows follow each other; anything else is left alone.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from kgrag.errors import SettingsError
from kgrag.paths import resource

_KEYS: Final = frozenset(
    ("names", "unit", "also", "bare", "adults", "low", "high", "below", "above")
)
ADULT_YEARS: Final = 16

# How texts write the units of the table, lower case and without spaces; the table's own besides.
_COUNT: Final[Mapping[str, float]] = {
    **dict.fromkeys(("/mm3", "/mm^3", "/mm³", "cells/mm3", "cells/mm^3", "cells/mm³"), 1e-3),
    **dict.fromkeys(("/μl", "/ul", "/mcl", "cells/μl", "cells/ul", "cells/mcl"), 1e-3),
    **dict.fromkeys(("x10^9/l", "×10^9/l", "10^9/l", "x109/l", "×109/l", "x10⁹/l", "×10⁹/l"), 1.0),
    **dict.fromkeys(("x10^3/μl", "×10^3/μl", "10^3/μl", "k/μl", "k/ul", "k/mm3"), 1.0),
    **dict.fromkeys(("x10^3/ul", "×10^3/ul", "x10^3/mm3", "x10^3/mm^3", "g/l"), 1.0),
}
_SPELLED: Final[Mapping[str, Mapping[str, float]]] = {
    "10*9/L": {name: factor for name, factor in _COUNT.items() if name != "g/l"},
    "s": dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    "min": dict.fromkeys(("min", "mins", "minute", "minutes"), 1.0),
    "mm/h": dict.fromkeys(("mm/h", "mm/hr", "mm/hour"), 1.0),
    "Cel": {"°c": 1.0, "c": 1.0, "°f": 0.0, "f": 0.0},  # Fahrenheit is converted below
    "/min": dict.fromkeys(
        ("/min", "/minute", "bpm", "beats/min", "breaths/min", "perminute", "beatsperminute",
         "breathsperminute", "breaths/minute", "beats/minute"), 1.0),
    "mm[Hg]": {"mmhg": 1.0},
    "kg/m2": dict.fromkeys(("kg/m2", "kg/m^2", "kg/m²"), 1.0),
}  # fmt: skip

# The table is of blood and of the whole body: what follows another specimen's name is not read.
_SPECIMEN: Final = re.compile(
    r"(?i)(?P<other>\b(?:urin\w+|csf|cerebrospinal|lumbar puncture|synovial|pleural|ascitic|ascites"
    r"|peritoneal|stool|semen|sweat|arthrocentesis|paracentesis|thoracentesis)\b)"
    r"|\b(?:serum|blood|plasma|complete|hematolog\w+|chemistr\w+|metabolic|vital)\b"
)

_NUMBER: Final = r"(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?:/\d{2,3}(?!\d))?"
_BETWEEN: Final = (
    r"(?:\s*\([^()\d]{1,24}\))?(?:\s+(?:level|count|concentration|on room air))?"
    r"\s*(?:(?:is|was|of|at|=|:)\s*){0,2}(?:about|approximately)?\s*"
)
_UNIT: Final = (
    r"\s*(?P<unit>[x×]\s?10\^?\d⁹?\s?/\s?[A-Za-zμµ]{1,2}[\d^³]{0,2}"
    r"|[%°A-Za-zμµ/][A-Za-zμµ/\[\]\d^²³+°%*]{0,11}(?:\s(?:Hg|per\sminute))?)?"
)


@dataclass(frozen=True, slots=True)
class Range:
    """When a value of one test is a finding; ``factors`` by unit, as texts write it."""

    low: float
    high: float
    below: str
    above: str
    factors: Mapping[str, float]
    bare: bool
    adults: bool


@dataclass(frozen=True, slots=True)
class Result:
    """A test result at the characters ``[start, end)``; ``words`` are empty within the range."""

    start: int
    end: int
    words: str


class Ranges:
    """Reads test results with a table."""

    def __init__(self, tests: Mapping[str, Range]) -> None:
        self._tests = dict(tests)
        names = sorted(self._tests, key=lambda name: (-len(name), name))
        joined = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in names)
        self._pattern = re.compile(
            rf"(?<![\w-])(?P<name>{joined})(?![\w-]){_BETWEEN}{_NUMBER}{_UNIT}", re.IGNORECASE
        )

    @classmethod
    def read(cls, path: Path) -> Ranges:
        """The table of a file; SettingsError names what is wrong with it."""
        with path.open("rb") as file:
            rows = tomllib.load(file).get("test", [])
        tests: dict[str, Range] = {}
        for row in rows:
            if unknown := sorted(set(row) - _KEYS):
                raise SettingsError(f"{path.name}: unknown key {unknown[0]!r}")
            factors = {row["unit"].lower(): 1.0, **_SPELLED.get(row["unit"], {})}
            factors |= {unit.lower(): float(by) for unit, by in row.get("also", {}).items()}
            made = Range(
                float(row["low"]), float(row["high"]), row["below"], row["above"], factors,
                bool(row.get("bare")), bool(row.get("adults")),
            )  # fmt: skip
            for name in row["names"]:
                if tests.setdefault(name, made) is not made:
                    raise SettingsError(f"{path.name}: two tests are named {name!r}")
        return cls(tests)

    def results(self, text: str, *, years: float | None = None) -> Iterator[Result]:
        """The results of ``text`` that could be read, in order; ``years`` is the patient's age.

        Results whose range holds for adults only are passed over at another known age.
        """
        specimens = [(m.start(), m["other"] is not None) for m in _SPECIMEN.finditer(text)]
        for match in self._pattern.finditer(text):
            at = bisect_right(specimens, (match.start(), True)) - 1
            if at >= 0 and specimens[at][1]:
                continue
            found = self._tests[" ".join(match["name"].lower().split())]
            value = self._value(match, found)
            if value is None or (found.adults and years is not None and years < ADULT_YEARS):
                continue
            words = found.below if value < found.low else found.above if value > found.high else ""
            yield Result(match.start(), match.end(), words)

    @staticmethod
    def _value(match: re.Match[str], found: Range) -> float | None:
        number = float(match["number"].replace(",", ""))
        unit = "".join((match["unit"] or "").lower().replace("µ", "μ").split())
        unit = unit.rstrip("/*[]")
        if unit in found.factors:
            if unit in ("°f", "f"):
                return (number - 32) / 1.8
            return number * found.factors[unit]
        return number if found.bare else None


@cache
def ranges() -> Ranges:
    """The shipped table."""
    return Ranges.read(resource("ontologies", "reference_ranges.toml"))
