"""Quantities in text: numbers, ranges and bounds with their units, comparable across units.

A small table of units that medicine writes, on purpose: an unknown unit stays a plain word, so
its number is compared as a bare number and never converted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from kgrag.verification.quotes import DASHES

# unit -> (dimension, factor to the dimension's base unit)
_UNITS: Final[dict[str, tuple[str, float]]] = {
    "kg": ("mass", 1e3), "g": ("mass", 1.0), "mg": ("mass", 1e-3), "μg": ("mass", 1e-6),
    "mcg": ("mass", 1e-6), "ug": ("mass", 1e-6), "ng": ("mass", 1e-9), "pg": ("mass", 1e-12),
    "l": ("volume", 1.0), "dl": ("volume", 0.1), "ml": ("volume", 1e-3), "μl": ("volume", 1e-6),
    "ul": ("volume", 1e-6), "cc": ("volume", 1e-3),
    "mol": ("amount", 1.0), "mmol": ("amount", 1e-3), "μmol": ("amount", 1e-6),
    "umol": ("amount", 1e-6), "nmol": ("amount", 1e-9), "meq": ("equivalent", 1e-3),
    "iu": ("international unit", 1.0), "unit": ("international unit", 1.0),
    "miu": ("international unit", 1e-3), "mu": ("international unit", 1e6),
    "second": ("time", 1.0), "sec": ("time", 1.0), "s": ("time", 1.0), "minute": ("time", 60.0),
    "min": ("time", 60.0), "hour": ("time", 3600.0), "hr": ("time", 3600.0),
    "h": ("time", 3600.0), "day": ("time", 86400.0), "d": ("time", 86400.0),
    "week": ("time", 604800.0), "wk": ("time", 604800.0),
    # A month is no fixed number of days: it converts to years alone.
    "month": ("months", 1.0), "mo": ("months", 1.0), "year": ("months", 12.0),
    "yr": ("months", 12.0), "y": ("months", 12.0), "yo": ("months", 12.0),
    "%": ("share", 0.01), "percent": ("share", 0.01), "mmhg": ("pressure", 1.0),
    "kpa": ("pressure", 7.50062), "cmh2o": ("pressure", 0.735559), "cm": ("length", 0.01),
    "mm": ("length", 1e-3), "m": ("length", 1.0), "μm": ("length", 1e-6),
    "m2": ("area", 1.0), "m²": ("area", 1.0), "kcal": ("energy", 1.0), "cal": ("energy", 1e-3),
    "kj": ("energy", 0.239006), "°c": ("celsius", 1.0), "°f": ("fahrenheit", 1.0),
    "bpm": ("beats a minute", 1.0), "mme": ("morphine equivalent", 1.0), "gy": ("dose", 1.0),
    "tablet": ("tablet", 1.0), "capsule": ("capsule", 1.0), "drop": ("drop", 1.0),
    "puff": ("puff", 1.0), "dose": ("doses", 1.0), "time": ("times", 1.0),
    "tsp": ("teaspoon", 1.0), "teaspoon": ("teaspoon", 1.0), "teaspoonful": ("teaspoon", 1.0),
    "tbsp": ("tablespoon", 1.0), "tablespoon": ("tablespoon", 1.0), "cup": ("cup", 1.0),
    "kilogram": ("mass", 1e3), "kilogramme": ("mass", 1e3), "kilo": ("mass", 1e3),
    "gram": ("mass", 1.0), "gramme": ("mass", 1.0), "milligram": ("mass", 1e-3),
    "milligramme": ("mass", 1e-3), "microgram": ("mass", 1e-6), "microgramme": ("mass", 1e-6),
    "nanogram": ("mass", 1e-9), "pound": ("mass", 453.59237), "lb": ("mass", 453.59237),
    "ounce": ("mass", 28.349523), "oz": ("mass", 28.349523), "tonne": ("mass", 1e6),
    "litre": ("volume", 1.0), "liter": ("volume", 1.0), "millilitre": ("volume", 1e-3),
    "milliliter": ("volume", 1e-3), "decilitre": ("volume", 0.1), "deciliter": ("volume", 0.1),
    "mole": ("amount", 1.0), "millimole": ("amount", 1e-3), "micromole": ("amount", 1e-6),
    "mol/l": ("amount/volume", 1.0), "milliequivalent": ("equivalent", 1e-3),
    "international unit": ("international unit", 1.0), "u": ("international unit", 1.0),
    "million unit": ("international unit", 1e6), "mega unit": ("international unit", 1e6),
    "fortnight": ("time", 1209600.0), "decade": ("months", 120.0), "century": ("months", 1200.0),
    "per cent": ("share", 0.01), "mm hg": ("pressure", 1.0), "cm h2o": ("pressure", 0.735559),
    "kilopascal": ("pressure", 7.50062), "centimetre": ("length", 0.01),
    "centimeter": ("length", 0.01), "millimetre": ("length", 1e-3), "millimeter": ("length", 1e-3),
    "metre": ("length", 1.0), "meter": ("length", 1.0), "kilometre": ("length", 1e3),
    "kilometer": ("length", 1e3), "km": ("length", 1e3), "mile": ("length", 1609.344),
    "inch": ("length", 0.0254), "foot": ("length", 0.3048), "feet": ("length", 0.3048),
    "nm": ("length", 1e-9), "micron": ("length", 1e-6), "micrometre": ("length", 1e-6),
    "micrometer": ("length", 1e-6), "calorie": ("energy", 1e-3), "kilocalorie": ("energy", 1.0),
    "kilojoule": ("energy", 0.239006), "gray": ("dose", 1.0), "cgy": ("dose", 0.01),
    "msv": ("sievert", 1e-3), "sv": ("sievert", 1.0), "pack-year": ("pack-year", 1.0),
    "beat": ("beats", 1.0), "breath": ("breaths", 1.0),
    "ppm": ("share", 1e-6), "per-mille": ("share", 1e-3), "‰": ("share", 1e-3),
    "cell": ("cells", 1.0), "copy": ("copies", 1.0), "copies": ("copies", 1.0),
    "ampoule": ("ampoule", 1.0), "vial": ("vial", 1.0), "pill": ("tablet", 1.0),
    "tab": ("tablet", 1.0), "cap": ("capsule", 1.0), "sachet": ("sachet", 1.0),
    "spray": ("puff", 1.0), "suppository": ("suppository", 1.0), "patch": ("patch", 1.0),
    "degree celsius": ("celsius", 1.0), "degree fahrenheit": ("fahrenheit", 1.0),
    "to-one": ("ratio", 1.0),
}  # fmt: skip
_FREQUENCIES: Final = {
    "daily": "day", "a day": "day", "per day": "day", "each day": "day", "once daily": "day",
    "weekly": "week", "a week": "week", "per week": "week", "hourly": "hour",
    "monthly": "month", "yearly": "year", "annually": "year",
}  # fmt: skip
NUMBER_WORDS: Final = {
    "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "seven": 7.0,
    "eight": 8.0, "nine": 9.0, "ten": 10.0, "eleven": 11.0, "twelve": 12.0, "thirteen": 13.0,
    "fourteen": 14.0, "fifteen": 15.0, "sixteen": 16.0, "seventeen": 17.0, "eighteen": 18.0,
    "nineteen": 19.0, "twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "sixty": 60.0,
    "seventy": 70.0, "eighty": 80.0, "ninety": 90.0, "hundred": 100.0, "dozen": 12.0,
}  # fmt: skip
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.·]\d+)?|\.\d+)"
_UNIT_NAMES = "|".join(sorted((re.escape(u) for u in _UNITS), key=len, reverse=True))
UNIT_PATTERN: Final = rf"(?:{_UNIT_NAMES})(?:e?s)?"
"""A unit as texts write it, in lower case; longest names first."""
_ONE_UNIT = rf"(?<![^\W\d_])(?:{_UNIT_NAMES})(?:e?s)?(?![^\W\d_]|\d)"
_QUANTITY: Final = re.compile(
    rf"""
    (?P<bound>≥|≤|>=|<=|>|<|\bat\s+least\s|\bat\s+most\s|\bup\s+to\s|\bmore\s+than\s
        |\bless\s+than\s|\bno\s+more\s+than\s|\bfewer\s+than\s|\bover\s|\bunder\s
        |\bgreater\s+than\s|\bbelow\s|\babove\s)?\s*
    (?<![\w.])(?P<low>{_NUMBER}|\b(?:{"|".join(NUMBER_WORDS)})\b)
    (?:\s*-?\s*(?P<unit_low>{_ONE_UNIT}))?
    (?:\s*(?:-|\bto\b|\band\b(?=\s*{_NUMBER}\s*(?:{_ONE_UNIT})))\s*(?P<high>{_NUMBER}))?
    (?:\s*-?\s*(?P<unit>{_ONE_UNIT}))?
    (?P<per>(?:\s*(?:/|\bper\b|\ba\b|\beach\b|\bevery\b)\s*(?:\d+\s*)?{_ONE_UNIT}){{0,2}})
    (?P<frequency>\s+(?:once\s+|twice\s+)?(?:daily|weekly|hourly|monthly|yearly|annually)\b)?
    (?P<open>\s*(?:\+|\bor\s+(?:older|over|more|above|higher|greater)\b
        |\band\s+(?:older|over|above)\b)|\s*\bor\s+(?:younger|less|fewer|lower|under)\b)?
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value or range ``[low, high]`` in base units of ``dimension`` ("" for a bare number).

    ``start`` and ``end`` are offsets in the text that was read; an open side is infinite.
    """

    low: float
    high: float
    dimension: str
    start: int
    end: int
    text: str

    def same(self, other: Quantity) -> bool:
        """Equal within rounding, after conversion; bare numbers equal those with units."""
        if self.dimension and other.dimension and self.dimension != other.dimension:
            return False
        return _close(self.low, other.low) and _close(self.high, other.high)

    def within(self, other: Quantity) -> bool:
        return self.dimension == other.dimension and (
            other.low <= self.low and self.high <= other.high
        )

    def disjoint(self, other: Quantity) -> bool:
        """Both are of one dimension and share no value."""
        return self.dimension == other.dimension and (
            self.high < other.low or other.high < self.low
        )


def _close(one: float, other: float) -> bool:
    return one == other or abs(one - other) <= 1e-6 * max(abs(one), abs(other))


def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of ``text`` in order; dashes and micro signs of any code point are read."""
    plain = text.translate(_PLAIN)
    found: list[Quantity] = []
    for match in _QUANTITY.finditer(plain):
        quantity = _quantity(match)
        if quantity is not None:
            found.append(quantity)
    return tuple(found)


_PLAIN: Final = str.maketrans(
    {**DASHES, **dict.fromkeys("\u00a0\u2009\u202f\u2007", " "), "µ": "μ"}
)


def _value(text: str) -> float:
    return (
        NUMBER_WORDS.get(text.lower(), 0.0)
        if text.isalpha()
        else float(text.replace(",", "").replace("·", "."))
    )


def _unit(text: str) -> tuple[str, float]:
    name = text.strip().lower()
    for form in (name, name.removesuffix("s"), name.removesuffix("es")):
        if form in _UNITS:
            return _UNITS[form]
    return "", 1.0


def unit_of(name: str) -> tuple[str, float]:
    """Dimension and factor to its base unit of a written unit; ("", 1.0) for an unknown one."""
    return _unit(name)


def _quantity(match: re.Match[str]) -> Quantity | None:
    raw_unit = match["unit"] or match["unit_low"]
    # "one" and "two" alone are mostly no quantities: a word counts only with a unit.
    if match["low"].isalpha() and not raw_unit:
        return None
    dimension, factor = _unit(raw_unit) if raw_unit else ("", 1.0)
    low_factor = _unit(match["unit_low"])[1] if match["unit_low"] else factor
    for piece in re.findall(_ONE_UNIT, match["per"] or "", re.IGNORECASE):
        under, per_factor = _unit(piece)
        dimension, factor, low_factor = (
            f"{dimension}/{under}", factor / per_factor, low_factor / per_factor
        )  # fmt: skip
    interval = re.search(r"\d+", match["per"] or "")
    if interval:
        factor, low_factor = factor / float(interval[0]), low_factor / float(interval[0])
    if match["frequency"]:
        word = match["frequency"].split()
        under, per_factor = _unit(_FREQUENCIES[word[-1].lower()])
        times = 2.0 if word[0].lower() == "twice" else 1.0
        dimension = f"{dimension}/{under}"
        factor, low_factor = factor * times / per_factor, low_factor * times / per_factor
    low = _value(match["low"]) * low_factor
    high = _value(match["high"]) * factor if match["high"] else low
    low, high = min(low, high), max(low, high)
    bound = " ".join((match["bound"] or "").lower().split())
    after = " ".join((match["open"] or "").lower().split())
    if bound in _LOWER or (after and after.split()[-1] in _OLDER):
        high = float("inf")
    elif bound in _UPPER or after:
        low = float("-inf")
    start = match.start("low")
    return Quantity(low, high, dimension, start, match.end(), match.string[start : match.end()])


_LOWER: Final = frozenset(
    {"≥", ">=", ">", "at least", "more than", "over", "greater than", "above"}
)
_UPPER: Final = frozenset(
    {"≤", "<=", "<", "at most", "up to", "less than", "no more than", "fewer than", "under",
     "below"}
)  # fmt: skip
_OLDER: Final = frozenset({"+", "older", "over", "more", "above", "higher", "greater"})

_DOSE: Final = re.compile(r"^(?:mass|volume|amount|equivalent|international unit|tablet|capsule|"
                          r"drop|puff|teaspoon|morphine equivalent|dose)(?:/|$)")  # fmt: skip


def has_dose(text: str) -> bool:
    """Whether a quantity of a medicine can be read in ``text``."""
    return any(_DOSE.match(q.dimension) for q in quantities(text))
