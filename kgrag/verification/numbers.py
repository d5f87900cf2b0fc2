"""Amounts and frequencies of a statement held against those of its evidence.

Both texts are first written in one form: number words as digits, bounds as signs, frequencies as
so many times a period. Amounts are equal after conversion inside their dimension; one that is no
dose may be rounded to fewer digits, a dose never.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from kgrag.records.answer import Check
from kgrag.verification.units import NUMBER_WORDS, UNIT_PATTERN, unit_of

Severity = Literal["contradicts", "unsupported"]
Found = tuple[Check, Severity | None]


@dataclass(frozen=True, slots=True)
class Amount:
    """``[low, high]`` in base units of ``dimension`` ("" for a bare number); an end may be open.

    ``low_open`` and ``high_open`` say that the end itself is left out. ``decimals`` is how many
    the text writes and ``scale`` what one of its units is in base units.
    """

    low: float
    high: float
    dimension: str
    low_open: bool
    high_open: bool
    decimals: int
    scale: float
    text: str

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
        mine, its = (self.low, self.high), (other.low, other.high)
        if self.dimension != other.dimension:  # one of them has no unit: as they are written
            mine = (self.low / self.scale, self.high / self.scale)
            its = (other.low / other.scale, other.high / other.scale)
        if _close(mine[0], its[0]) and _close(mine[1], its[1]):
            return True
        return not (self.dose or other.dose) and self._rounds(other)

    def _rounds(self, other: Amount) -> bool:
        if self.dimension != other.dimension or self.low != self.high or other.low != other.high:
            return False
        value = other.low / self.scale
        digits = self.decimals
        return other.decimals > digits and _close(round(value, digits), self.low / self.scale)


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
            _close(mine / self.period, its / other.period)
            for mine, its in ((self.low, other.low), (self.high, other.high))
        )


_DOSED: Final = frozenset(
    "mass volume amount equivalent tablet capsule drop puff teaspoon tablespoon dose ampoule vial"
    " sachet suppository patch".split()
) | {"international unit", "morphine equivalent"}


def _close(one: float, other: float) -> bool:
    return one == other or math.isclose(one, other, rel_tol=1e-6)


# --- one form -----------------------------------------------------------------------------------

_SIGNS: Final = str.maketrans(
    {**dict.fromkeys("‐‑‒–—−", "-"), **dict.fromkeys("\u00a0\u2009\u202f\u2007", " "), "µ": "μ",
     "⩽": "≤", "⩾": "≥", "≦": "≤", "≧": "≥", "·": "."}
)  # fmt: skip
_TENS: Final = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_ONES: Final = "one|two|three|four|five|six|seven|eight|nine"
_WORDS: Final = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_N: Final = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\d])\.\d+)"
_ROMAN: Final = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}
_SHARES: Final = {"half": "50", "quarter": "25", "third": "33.3", "fifth": "20", "tenth": "10"}
_MONTHS: Final = ("january february march april may june july august september october november"
                  " december").split()  # fmt: skip
_BEFORE_NUMBER: Final = rf"(?=\s*(?:(?:the\s+)?age\s+of\s+|age\s+|ages?d?\s+)?{_N})"


def _one_form(text: str) -> str:
    plain = text.translate(_SIGNS).lower()
    plain = re.sub(r"\b(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b",
                   lambda m: f"{int(m[3])} {_MONTHS[int(m[2]) - 1]} {m[1]}", plain)  # fmt: skip
    # A name is no amount: "COVID-19", "IL-6", "SARS-CoV-2".
    plain = re.sub(
        rf"\b(?!\w*(?:age|over|under)-)[a-z]\w*(?:-[a-z]+)*-\d+\b(?!\s*-?(?:{UNIT_PATTERN})\b)",
        " ",
        plain,
    )
    plain = re.sub(r"\b(type|stage|grade|class|phase|category|factor)\s+(i{1,3}|iv|v)\b",
                   lambda m: f"{m[1]} {_ROMAN[m[2]]}", plain)  # fmt: skip
    plain = re.sub(r"\bone[- ]and[- ]a[- ]half\b", "1.5", plain)
    plain = re.sub(rf"\b({_TENS})[- ]({_ONES})\b", _tens, plain)
    plain = re.sub(rf"\b(?:an?\s+)?(?:({_WORDS}|\d+)\s+)?hundred\b", _hundreds, plain)
    plain = re.sub(rf"\b(?!one\b)({_WORDS})\b", lambda m: f"{NUMBER_WORDS[m[0]]:g}", plain)
    plain = re.sub(rf"\bone(?=[\s-]+(?:{UNIT_PATTERN})\b|\s+(?:in|out of|to|or)\s+\d)", "1", plain)
    plain = re.sub(rf"({_N})\s+(thousand|million|billion)\b", _thousands, plain)
    plain = re.sub(r"\b(\d+)\s+(?:in|out\s+of(?:\s+every)?|of\s+every)\s+(\d+)\b", _one_in, plain)
    plain = re.sub(
        r"\b(?:(\d|one|a|an)[ -])?(half|quarter|third|fifth|tenth)s?\s+of\b", _share, plain
    )
    plain = re.sub(r"\bhalf\s+an?\s+(?=[a-z])", "0.5 ", plain)
    plain = re.sub(
        r"\ban?\s+(?=(?:week|month|year|day|hour|decade|fortnight)(?:-|\s)(?:old|course|of|period|or|long)\b)",
        "1 ",
        plain,
    )
    plain = re.sub(r"\bbetween\s+(?=\S+(?:\s\S+){0,3}\sand\s)", "between ", plain)
    plain = re.sub(
        rf"\bbetween\s+(?:the\s+ages?\s+of\s+)?({_N}\s*(?:{UNIT_PATTERN})?)\s+and\s+(?={_N})",
        r" \1 - ",
        plain,
    )
    plain = re.sub(rf"\bage[sd]?\s+({_N})\s+(?:through|and|to)\s+(?={_N})", r"aged \1 - ", plain)
    plain = re.sub(
        rf"({_N})\s+(?:per|in|in\s+every)\s+(?:1,?000|thousand)\b(?!,)", r"\1 per-mille", plain
    )
    plain = re.sub(rf"({_N})\s+(?:completed|consecutive|full|whole|calendar|additional|further)"
                   rf"\s+(?=(?:{UNIT_PATTERN})\b)", r"\1 ", plain)  # fmt: skip
    for pattern, sign in _BOUNDS:
        plain = pattern.sub(sign, plain)
    return plain


def _tens(m: re.Match[str]) -> str:
    return f"{NUMBER_WORDS[m[1]] + NUMBER_WORDS[m[2]]:g}"


def _hundreds(m: re.Match[str]) -> str:
    many = 1.0 if m[1] is None else NUMBER_WORDS.get(m[1]) or float(m[1])
    return f"{many * 100:g}"


def _thousands(m: re.Match[str]) -> str:
    factor = {"thousand": 1e3, "million": 1e6, "billion": 1e9}[m[2]]
    return f"{float(m[1].replace(',', '')) * factor:.0f}"


def _one_in(m: re.Match[str]) -> str:
    return f"{100 * int(m[1]) / int(m[2]):.4g} %" if int(m[2]) else m[0]


def _share(m: re.Match[str]) -> str:
    many = int(m[1]) if m[1] and m[1].isdigit() else 1
    return f"{many * float(_SHARES[m[2]]):g} % of"


def _bound(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words}){_BEFORE_NUMBER}")


_BOUNDS: Final = (
    (_bound(r"no\s+(?:more|greater|higher|later|longer|older)\s+than|not\s+(?:more|greater|higher|longer)"
            r"\s+than|not\s+(?:to\s+exceed|exceeding|above|over)|(?:a\s+)?maximum\s+of|at\s+(?:the\s+)?most|"
            r"up\s+to|as\s+(?:many|much)\s+as|less\s+than\s+or\s+equal\s+to"), " ≤ "),
    (_bound(r"at\s+(?:the\s+)?least|no\s+(?:less|fewer|younger|lower)\s+than|not\s+(?:less|fewer|below|under)"
            r"(?:\s+than)?|(?:a\s+)?minimum\s+of|greater\s+than\s+or\s+equal\s+to"), " ≥ "),
    (_bound(r"(?:more|greater|higher|longer|older|larger|later)\s+than|over|above|exceed(?:s|ing)?|in\s+"
            r"excess\s+of|beyond"), " > "),
    (_bound(r"(?:less|fewer|lower|younger|shorter|smaller)\s+than|under|below"), " < "),
    (re.compile(r">=|> ="), "≥"), (re.compile(r"<=|< ="), "≤"),
    (re.compile(r"(?<=[≥≤<>])\s*(?:(?:the\s+)?age\s+of|age[sd]?)\s+"), " "),
)  # fmt: skip
_AFTER_UP: Final = (r"\+|(?:or|and)\s+(?:older|over|more|above|higher|greater|longer|up)\b|"
                    r"of\s+age\s+(?:or|and)\s+(?:older|over|above)\b|old\s+(?:or|and)\s+"
                    r"(?:older|over|above)\b|or\s+more\b")  # fmt: skip
_AFTER_DOWN: Final = (r"(?:or|and)\s+(?:younger|less|fewer|lower|under|below|shorter)\b|of\s+age\s+"
                      r"(?:or|and)\s+(?:younger|under|below)\b")  # fmt: skip
_AMOUNT: Final = re.compile(
    rf"""(?P<bound>[≥≤<>])?\s*(?<![\w.])(?P<low>{_N})(?![\d])
    (?:\s*-?\s*(?P<unit_low>{UNIT_PATTERN})(?![^\W_]))?
    (?:\s*(?:-|\bto\b|\bor\b(?=\s*{_N}\s*-?\s*(?:{UNIT_PATTERN})))\s*(?P<high>{_N}))?
    (?:\s*-?\s*(?P<unit>{UNIT_PATTERN})(?![^\W_]))?
    (?P<per>(?:\s*(?:/|\bper\b|\ba\b|\beach\b)\s*(?:1\.73\s*)?(?:{UNIT_PATTERN})(?![^\W_])){{0,2}})
    (?:\s*(?:(?P<up>{_AFTER_UP})|(?P<down>{_AFTER_DOWN})))?""",
    re.VERBOSE,
)


_MAY_COUNT: Final = re.compile(
    rf"(?i)\d|\b(?:{_WORDS}|half|quarter|third|fifth|tenth|once|twice|thrice|nocte|biennial|every|each"
    r"|daily|annual|alternate|per|\w+ly|an? (?:day|night|week|fortnight|month|year))"
)


@lru_cache(maxsize=2_048)
def amounts(text: str) -> tuple[tuple[Amount, ...], tuple[Frequency, ...]]:
    """The amounts and the frequencies that ``text`` tells, each in order."""
    if not _MAY_COUNT.search(text):
        return (), ()
    plain = _one_form(text)
    times: list[Frequency] = []

    def collect(m: re.Match[str]) -> str:
        found = _frequency(m)
        if found is None:
            return m[0]
        times.append(found)
        return " ; "

    plain = _FREQUENCY.sub(collect, plain)
    return tuple(_amount(m) for m in _AMOUNT.finditer(plain)), tuple(times)


def _amount(m: re.Match[str]) -> Amount:
    low_text = m["low"].replace(",", "")
    raw = m["unit"] or m["unit_low"]
    dimension, factor = unit_of(raw) if raw else ("", 1.0)
    low_factor = unit_of(m["unit_low"])[1] if m["unit_low"] else factor
    for piece in re.findall(rf"(?:{UNIT_PATTERN})(?![^\W_])", m["per"] or ""):
        under, its = unit_of(piece)
        dimension, factor, low_factor = f"{dimension}/{under}", factor / its, low_factor / its
    low = float(low_text) * low_factor
    high = float(m["high"].replace(",", "")) * factor if m["high"] else low
    low, high = min(low, high), max(low, high)
    low_open = high_open = False
    both = m["high"] is not None  # "more than 1 or 2 days": both ends count
    if m["bound"] in ("≥", ">") or m["up"]:
        low_open = m["bound"] == ">" and not m["up"]
        high = high if both else math.inf
    elif m["bound"] in ("≤", "<") or m["down"]:
        high_open = m["bound"] == "<" and not m["down"]
        low = low if both else -math.inf
    return Amount(low, high, dimension, low_open, high_open, len(low_text.partition(".")[2]),
                  low_factor, " ".join(m[0].split()))  # fmt: skip


_PERIODS: Final = {
    "minute": (1 / 60, False), "hour": (1.0, False), "day": (24.0, False), "night": (24.0, False),
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
    rf"""(?P<times>\b(?:once|twice|thrice|{_N}(?:\s*(?:-|to|or)\s*{_N})?\s+times)\s+)?
    (?:in\s+)?(?:
      (?:every|each|q)\s*(?P<every>{_N}(?:\s*(?:-|to|or)\s*{_N})?)\s*-?(?P<unit>{_P}|h|hr|wk|mo|yr|d)s?\b
    | \b(?P<other>every\s+(?:other|second)\s+(?:day|week|month|year)|(?:on\s+)?alternate\s+days)\b
    | (?<![\d.])(?P<n>\d+)\s?-?\s?(?P<nly>hourly|weekly|monthly|yearly)\b
    | \b(?P<adverb>{"|".join(_ADVERBS)})\b
    | (?:\b(?:every|each|per|a|an)\s+|/\s?)(?P<per>day|night|week|fortnight|month|year)\b
      (?!-old|s\b)
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
        ends = [float(v.replace(",", "")) for v in re.findall(_N, m["every"])]
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
    name = m["per"] or m["every_hour"] or _ADVERBS[m["adverb"]]
    period, calendar = _PERIODS[name]
    return Frequency(low, high, period, calendar, text)


def _times(text: str | None) -> tuple[float, float]:
    word = (text or "once").split()[0]
    if word in ("once", "twice", "thrice"):
        many = float(("once", "twice", "thrice").index(word) + 1)
        return many, many
    ends = [float(v.replace(",", "")) for v in re.findall(_N, text or "")]
    return min(ends), max(ends)


# --- the layers ---------------------------------------------------------------------------------


def check_amounts(statement: str, evidence: Sequence[str]) -> list[Found]:
    """Numbers, units, doses, dates and frequencies of the statement stand in the evidence.

    ``evidence`` is in order of nearness: what the first text does not tell may be told by the
    next only where the first tells nothing in its stead.
    """
    wanted, times = amounts(statement)
    first, *others = [amounts(text) for text in evidence]
    found: list[Found] = []
    if wanted:
        failed = _unmatched(wanted, first[0], [a for more, _ in others for a in more])
        found += failed or [(Check("numbers", "pass", f"{len(wanted)} compared"), None)]
    else:
        found.append((Check("numbers", "not_applicable"), None))
    if times:
        free, lacking = list(first[1]), []
        for time in times:
            hit = next((o for o in free if time.fits(o)), None)
            if hit is not None:
                free.remove(hit)
            elif free or not any(time.fits(o) for o in first[1]):
                lacking.append(time)
        if lacking and not first[1]:
            lacking = [t for t in lacking if not any(t.fits(o) for _, fs in others for o in fs)]
        if lacking:
            detail = f"{lacking[0].text!r} is not in the evidence"
            severity: Severity = "contradicts" if first[1] else "unsupported"
            found.append((Check("frequency", "fail", detail, "factual error"), severity))
        else:
            found.append((Check("frequency", "pass", f"{len(times)} compared"), None))
    return found


def _unmatched(
    wanted: Sequence[Amount], having: Sequence[Amount], elsewhere: Sequence[Amount]
) -> list[Found]:
    free = list(having)
    rest: list[Amount] = []
    for amount in wanted:
        hit = next((o for o in free if amount.fits(o)), None)
        if hit is None:
            rest.append(amount)
        else:
            free.remove(hit)
    found: list[Found] = []
    for amount in rest:
        rivals = [o for o in free if o.dimension == amount.dimension or not o.dimension]
        if not rivals and any(amount.fits(o) for o in (*having, *elsewhere)):
            continue  # told twice, or in a sentence near by, and in place of nothing
        if _is_end(amount, wanted, having):
            continue
        layer = _layer(amount, free)
        severity: Severity = "contradicts" if rivals or layer == "units" else "unsupported"
        detail = f"{amount.text!r} is not in the evidence"
        found.append((Check(layer, "fail", detail, "factual error"), severity))
    return found


def _is_end(amount: Amount, wanted: Iterable[Amount], having: Iterable[Amount]) -> bool:
    """ "18 to 49 years" may be said as its two ends, when both are said."""
    if amount.low != amount.high:
        return False
    said = {a.low for a in wanted} | {a.high for a in wanted}
    return any(
        (_close(amount.low, o.low) or _close(amount.low, o.high))
        and math.isfinite(o.low) and math.isfinite(o.high) and o.low != o.high
        and o.dimension == amount.dimension and o.low in said and o.high in said
        for o in having
    )  # fmt: skip


def _layer(amount: Amount, free: Iterable[Amount]) -> str:
    if amount.year:
        return "dates"
    value = amount.low / amount.scale if math.isfinite(amount.low) else amount.high / amount.scale
    for other in free:
        its = other.low / other.scale if math.isfinite(other.low) else other.high / other.scale
        if _close(value, its) and (amount.dimension, amount.scale) != (
            other.dimension,
            other.scale,
        ):
            return "units"
    return "dose" if amount.dose else "numbers"
