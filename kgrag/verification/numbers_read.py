"""Amounts and frequencies that a text tells, as values that can be compared.

Frequencies are so many times a period. Amounts are equal after conversion inside their dimension;
one that is no dose may be rounded to fewer digits, a dose never.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from kgrag.verification.numbers_form import WORDS, N, one_form
from kgrag.verification.units import UNIT_PATTERN, unit_of


@dataclass(frozen=True, slots=True)
class Amount:
    """``[low, high]`` in base units of ``dimension`` ("" for a bare number); an end may be open.

    ``low_open`` and ``high_open`` say that the end itself is left out. ``decimals`` is how many
    the text writes and ``scale`` what one of its units is in base units. ``falling`` says that the
    larger end is told first ("from 10 to 5"), ``step`` whether something changes "by" or "to" it.
    """

    low: float
    high: float
    dimension: str
    low_open: bool
    high_open: bool
    decimals: int
    scale: float
    text: str
    falling: bool = False
    step: str = ""

    @property
    def dose(self) -> bool:
        first = self.dimension.split("/")[0]
        return first in _DOSED and not (first == "mass" and self.scale >= 1_000)  # a body's kg

    @property
    def year(self) -> bool:
        return not self.dimension and self.low == self.high and 1900 <= self.low <= 2100

    def fits(self, other: Amount) -> bool:
        """Whether this may be said where the evidence says ``other``."""
        if self.dimension and other.dimension and self.dimension != other.dimension:
            return False
        if (self.low_open, self.high_open) != (other.low_open, other.high_open):
            return False
        if self.falling != other.falling or {self.step, other.step} == {"by", "to"}:
            return False
        mine, its = (self.low, self.high), (other.low, other.high)
        if self.dimension != other.dimension:  # one of them has no unit: as they are written
            mine = (self.low / self.scale, self.high / self.scale)
            its = (other.low / other.scale, other.high / other.scale)
        if close(mine[0], its[0]) and close(mine[1], its[1]):
            return True
        return not (self.dose or other.dose) and self._rounds(other)

    def _rounds(self, other: Amount) -> bool:
        if self.dimension != other.dimension or self.low != self.high or other.low != other.high:
            return False
        value = other.low / self.scale
        digits = self.decimals
        return other.decimals > digits and close(round(value, digits), self.low / self.scale)


@dataclass(frozen=True, slots=True)
class Frequency:
    """So many times ``[low, high]`` in ``period`` (hours, or months where ``calendar``)."""

    low: float
    high: float
    period: float
    calendar: bool
    text: str

    def fits(self, other: Frequency) -> bool:
        return self.calendar == other.calendar and all(
            close(mine / self.period, its / other.period)
            for mine, its in ((self.low, other.low), (self.high, other.high))
        )


_DOSED: Final = frozenset(
    "mass volume amount equivalent tablet capsule drop puff teaspoon tablespoon dose ampoule vial"
    " sachet suppository patch".split()
) | {"international unit", "morphine equivalent"}


def close(one: float, other: float) -> bool:
    """Equal but for the rounding of floats."""
    return one == other or math.isclose(one, other, rel_tol=1e-6)


_AFTER_UP: Final = (r"\+|(?:or|and)\s+(?:older|over|more|above|higher|greater|longer|up)\b|"
                    r"of\s+age\s+(?:or|and)\s+(?:older|over|above)\b|old\s+(?:or|and)\s+"
                    r"(?:older|over|above)\b|or\s+more\b")  # fmt: skip
_AFTER_DOWN: Final = (r"(?:or|and)\s+(?:younger|less|fewer|lower|under|below|shorter)\b|of\s+age\s+"
                      r"(?:or|and)\s+(?:younger|under|below)\b")  # fmt: skip
_AMOUNT: Final = re.compile(
    rf"""(?P<bound>[≥≤<>])?\s*(?<![\w.])(?P<low>{N})(?![\d])
    (?:\s*-?\s*(?P<unit_low>{UNIT_PATTERN})(?![^\W_]))?
    (?:\s*(?:-|\bto\b|\bor\b(?=\s*{N}\s*-?\s*(?:{UNIT_PATTERN})))\s*(?P<high>{N}))?
    (?:\s*-?\s*(?P<unit>{UNIT_PATTERN})(?![^\W_]))?
    (?P<per>(?:\s*(?:/|\bper\b|\ba\b|\beach\b)\s*(?:1\.73\s*)?(?:{UNIT_PATTERN})(?![^\W_])){{0,2}})
    (?:\s*(?:(?P<up>{_AFTER_UP})|(?P<down>{_AFTER_DOWN})))?""",
    re.VERBOSE,
)


_MAY_COUNT: Final = re.compile(
    r"(?i)\b(?:type|stage|grade|class|phase|category|factor)\s+[iv]{1,3}\b"
    rf"|[\d½¼¾⅓⅔⅛]|\b(?:{WORDS}|half|quarter|third|fifth|tenth|once|twice|thrice|nocte|biennial|every|each"
    r"|daily|annual|any of|alternate|per|\w+ly|an? (?:day|night|week|fortnight|month|year))"
)


# What is left of these once frequencies are read: "repeat it twice".
_REPEATED: Final = re.compile(r"\b(?:twice|thrice)\b")


@lru_cache(maxsize=2_048)
def amounts(text: str) -> tuple[tuple[Amount, ...], tuple[Frequency, ...]]:
    """The amounts and the frequencies that ``text`` tells, each in order."""
    if not _MAY_COUNT.search(text):
        return (), ()
    plain = one_form(text)
    times: list[Frequency] = []

    def collect(m: re.Match[str]) -> str:
        found = _frequency(m)
        if found is None:
            return m[0]
        times.append(found)
        return " ; "

    plain = _FREQUENCY.sub(collect, plain)
    plain = _REPEATED.sub(lambda m: f"{2 if m[0] == 'twice' else 3} time", plain)
    return tuple(_amount(m) for m in _AMOUNT.finditer(plain)), tuple(times)


_MANY: Final = re.compile(
    rf"(?<![\d.])(\d+)\s*(?:[x×]\s*|\s)(?=\d+(?:\.\d+)?\s*-?\s*(?:{UNIT_PATTERN})(?![^\W_]))"
)


def multiples(text: str) -> tuple[str, ...]:
    """How many of a thing of so much each: the 2 of "two 500 mg tablets" and of "2 x 500 mg"."""
    return tuple(m[1] for m in _MANY.finditer(one_form(text)))


def _amount(m: re.Match[str]) -> Amount:
    low_text = m["low"].replace(",", "")
    # "500 mg tablets" are milligrams; behind a range the last unit is that of both ends.
    raw = m["unit"] if m["high"] or not m["unit_low"] else m["unit_low"]
    raw = raw or m["unit_low"]
    dimension, factor = unit_of(raw) if raw else ("", 1.0)
    low_factor = unit_of(m["unit_low"])[1] if m["unit_low"] else factor
    for piece in re.findall(rf"(?:{UNIT_PATTERN})(?![^\W_])", m["per"] or ""):
        under, its = unit_of(piece)
        dimension, factor, low_factor = f"{dimension}/{under}", factor / its, low_factor / its
    low = float(low_text) * low_factor
    high = float(m["high"].replace(",", "")) * factor if m["high"] else low
    falling = low > high
    low, high = min(low, high), max(low, high)
    low_open = high_open = False
    both = m["high"] is not None  # "more than 1 or 2 days": both ends count
    if m["bound"] in ("≥", ">") or m["up"]:
        low_open = m["bound"] == ">" and not m["up"]
        high = high if both else math.inf
    elif m["bound"] in ("≤", "<") or m["down"]:
        high_open = m["bound"] == "<" and not m["down"]
        low = low if both else -math.inf
    step = _STEP.search(m.string, max(0, m.start() - 80), m.start())
    return Amount(low, high, dimension, low_open, high_open, len(low_text.partition(".")[2]),
                  low_factor, " ".join(m[0].split()), falling, step[1] if step else "")  # fmt: skip


_STEP: Final = re.compile(
    r"\b(?:increas|decreas|reduc|rais|rose|ris|fell|fall|lower|drop|declin|improv|gr[eo]w|titrat|taper"
    r"|cut)\w*\b[^.;:,]{0,40}?\b(by|to)(?:\s+(?:about|around|approximately))?\s*$"
)
_PERIODS: Final = {
    "minute": (1 / 60, False), "hour": (1.0, False), "day": (24.0, False), "night": (24.0, False),
    "morning": (24.0, False), "evening": (24.0, False),
    "week": (168.0, False), "fortnight": (336.0, False), "month": (1.0, True), "year": (12.0, True),
    "decade": (120.0, True),
}  # fmt: skip
_ADVERBS: Final = {
    "daily": "day", "nightly": "night", "weekly": "week", "monthly": "month", "yearly": "year",
    "annually": "year", "annual": "year", "hourly": "hour", "fortnightly": "fortnight",
}  # fmt: skip
_SHORT: Final = {
    "bd": 2, "bid": 2, "b.i.d": 2, "b.d": 2, "tid": 3, "t.i.d": 3, "tds": 3, "t.d.s": 3, "qid": 4,
    "q.i.d": 4, "qds": 4, "q.d.s": 4, "od": 1, "qd": 1, "o.d": 1, "q.d": 1, "qhs": 1, "nocte": 1,
}  # fmt: skip
_SHORTS: Final = "|".join(re.escape(s) for s in sorted(_SHORT, key=len, reverse=True))
_P: Final = "minute|hour|day|night|week|fortnight|month|year|decade"
_FREQUENCY: Final = re.compile(
    rf"""(?P<times>\b(?:once|twice|thrice|{N}(?:\s*(?:-|to|or)\s*{N})?\s+times)\s+)?
    (?:in\s+)?(?:
      (?:every|each|q)\s*(?P<every>{N}(?:\s*(?:-|to|or)\s*{N})?)\s*-?(?P<unit>{_P}|h|hr|wk|mo|yr|d)s?\b
    | \b(?P<other>every\s+(?:other|second)\s+(?:day|morning|evening|night|week|month|year)
        |(?:on\s+)?alternate\s+days)\b
    | (?<![\d.])(?P<n>\d+)\s?-?\s?(?P<nly>hourly|weekly|monthly|yearly)\b
    | \b(?P<adverb>{"|".join(_ADVERBS)})\b
    | (?:\b(?:every|each|per|a|an)\s+|/\s?)(?P<per>day|night|week|fortnight|month|year)\b
      (?!-old|s\b)
    | \b(?:every|each)\s+(?P<part>morning|evening|afternoon)\b
    | \bevery\s+(?P<every_hour>hour|minute|decade)\b
    | \b(?P<biennial>biennial(?:ly)?)\b
    | (?<=[\d\s])(?P<short>{_SHORTS})\b\.?
    )""",
    re.VERBOSE,
)


def _frequency(m: re.Match[str]) -> Frequency | None:
    low, high = _times(m["times"])
    text = " ".join(m[0].split())
    if m["every"]:
        ends = [float(v.replace(",", "")) for v in re.findall(N, m["every"])]
        unit = {"h": "hour", "hr": "hour", "wk": "week", "mo": "month", "yr": "year", "d": "day"}
        period, calendar = _PERIODS[unit.get(m["unit"], m["unit"])]
        if not min(ends):
            return None
        # Every 4 to 6 hours is between a sixth and a quarter of a time an hour.
        return Frequency(low / max(ends), high / min(ends), period, calendar, text)
    if m["other"]:
        name = next((n for n in _PERIODS if n in m["other"]), "day")
        period, calendar = _PERIODS[name]
        return Frequency(low / 2, high / 2, period, calendar, text)
    if m["n"]:
        period, calendar = _PERIODS[_ADVERBS[m["nly"]]]
        return Frequency(low / int(m["n"]), high / int(m["n"]), period, calendar, text) if int(
            m["n"]) else None  # fmt: skip
    if m["biennial"]:
        return Frequency(0.5, 0.5, 12.0, True, text)
    if m["short"]:
        many = float(_SHORT[m["short"]])
        return Frequency(many, many, 24.0, False, text)
    name = ("day" if m["part"] else "") or m["per"] or m["every_hour"] or _ADVERBS[m["adverb"]]
    period, calendar = _PERIODS[name]
    return Frequency(low, high, period, calendar, text)


def _times(text: str | None) -> tuple[float, float]:
    word = (text or "once").split()[0]
    if word in ("once", "twice", "thrice"):
        many = float(("once", "twice", "thrice").index(word) + 1)
        return many, many
    ends = [float(v.replace(",", "")) for v in re.findall(N, text or "")]
    return min(ends), max(ends)
