"""Texts with all their numbers in one form, as the amounts are read from them."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from kgrag.verification.quotes import DASHES
from kgrag.verification.units import NUMBER_WORDS, UNIT_PATTERN

_SIGNS: Final = str.maketrans(
    {**DASHES, **dict.fromkeys("\u00a0\u2009\u202f\u2007", " "), "µ": "μ",
     "⩽": "≤", "⩾": "≥", "≦": "≤", "≧": "≥", "·": "."}
)  # fmt: skip
_TENS: Final = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_ONES: Final = "one|two|three|four|five|six|seven|eight|nine"
WORDS: Final = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
N: Final = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|(?<![\d])\.\d+)"
_ROMAN: Final = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}
_SHARES: Final = {"half": "50", "quarter": "25", "third": "33.3", "fifth": "20", "tenth": "10"}
_MONTHS: Final = ("january february march april may june july august september october november"
                  " december").split()  # fmt: skip
_BEFORE_NUMBER: Final = rf"(?=\s*(?:(?:the\s+)?age\s+of\s+|age\s+|ages?d?\s+)?{N})"


def one_form(text: str) -> str:
    """The text in lower case with number words as digits and bounds as signs."""
    plain = text.translate(_SIGNS).lower()
    plain = _FRACTION.sub(_fraction, plain)
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
    plain = re.sub(rf"\b(?:an?\s+)?(?:({WORDS}|\d+)\s+)?hundred\b", _hundreds, plain)
    plain = _RATIO.sub(_ratio, plain)
    plain = _ANY_OF.sub(" ≥ 1 ", _COUNTED_ONE.sub("1", plain))
    plain = re.sub(rf"\b(?!one\b)({WORDS})\b", lambda m: f"{NUMBER_WORDS[m[0]]:g}", plain)
    plain = re.sub(rf"\bone(?=[\s-]+(?:{UNIT_PATTERN})\b|\s+(?:in|out of|to|or)\s+\d)", "1", plain)
    plain = re.sub(rf"({N})\s+(thousand|million|billion)\b", _thousands, plain)
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
        rf"\bbetween\s+(?:the\s+ages?\s+of\s+)?({N}\s*(?:{UNIT_PATTERN})?)\s+and\s+(?={N})",
        r" \1 - ",
        plain,
    )
    plain = re.sub(rf"\bage[sd]?\s+({N})\s+(?:through|and|to)\s+(?={N})", r"aged \1 - ", plain)
    plain = re.sub(
        rf"({N})\s+(?:per|in|in\s+every)\s+(?:1,?000|thousand)\b(?!,)", r"\1 per-mille", plain
    )
    plain = re.sub(rf"({N})\s+(?:completed|consecutive|full|whole|calendar|additional|further)"
                   rf"\s+(?=(?:{UNIT_PATTERN})\b)", r"\1 ", plain)  # fmt: skip
    for pattern, sign in _BOUNDS:
        # "Maximum daily dose of": what it holds for stays.
        plain = pattern.sub(partial(_bounded, sign), plain)
    return plain


_PARTS: Final = {"½": 1 / 2, "¼": 1 / 4, "¾": 3 / 4, "⅓": 1 / 3, "⅔": 2 / 3, "⅛": 1 / 8}
_FRACTION: Final = re.compile(
    rf"(?<![\d/.])(?:(\d+)[ -]?)?([{''.join(_PARTS)}])"
    r"|(?<![\d/.,])(?:(\d+) )?([1-7])/([2348])(?![\d/])"
)


def _fraction(m: re.Match[str]) -> str:
    if m[2]:
        return f"{int(m[1] or 0) + _PARTS[m[2]]:.4g}"
    if int(m[4]) >= int(m[5]):
        return m[0]
    return f"{int(m[3] or 0) + int(m[4]) / int(m[5]):.4g}"


# "3:1" is no "1:3"; a time of the day keeps both of its numbers too.
_RATIO: Final = re.compile(
    rf"(?<![\d:.,])({N})\s?:\s?({N})(?![\d:])|(?<=\bratio)([^.;\d]{{0,40}})({N})\s+to\s+({N})(?!\d)"
)
# "One" counts where it is held against other numbers; mostly it is no number at all.
_COUNTED_ONE: Final = re.compile(
    r"(?<=\bat least )one\b|(?<=\bat most )one\b|(?<=\bno more than )one\b|(?<=\bexactly )one\b"
    r"|\bone(?=\s+\d|\s+or\s+more\b|\s+of\s+the\s+following\b)"
)
_ANY_OF: Final = re.compile(
    r"\b1\s+or\s+more(?=\s+of\b)|\bany(?:\s+(?:1|one))?(?=\s+of\s+the\s+following\b)"
)


def _ratio(m: re.Match[str]) -> str:
    one, other = (float((m[a] or m[b]).replace(",", "")) for a, b in ((1, 4), (2, 5)))
    return f"{m[3] or ''} {one / other:.6g} to-one" if other else m[0]


def _bounded(sign: str, m: re.Match[str]) -> str:
    return (" daily" if "daily" in m[0] else "") + sign


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
            r"\s+than|not\s+(?:to\s+exceed|exceeding|above|over)|(?:a\s+)?max(?:imum|\.)?"
            r"(?:\s+(?:single|daily|total|adult|dose|of|is))*|at\s+(?:the\s+)?most|"
            r"up\s+to|as\s+(?:many|much)\s+as|less\s+than\s+or\s+equal\s+to"), " ≤ "),
    (_bound(r"at\s+(?:the\s+)?least|no\s+(?:less|fewer|younger|lower)\s+than|not\s+(?:less|fewer|below|under)"
            r"(?:\s+than)?|(?:a\s+)?minimum\s+of|greater\s+than\s+or\s+equal\s+to"), " ≥ "),
    (_bound(r"(?:more|greater|higher|longer|older|larger|later)\s+than|over|above|exceed(?:s|ing)?|in\s+"
            r"excess\s+of|beyond"), " > "),
    (_bound(r"(?:less|fewer|lower|younger|shorter|smaller)\s+than|under|below"), " < "),
    (re.compile(r">=|> ="), "≥"), (re.compile(r"<=|< ="), "≤"),
    (re.compile(r"(?<=[≥≤<>])\s*(?:(?:the\s+)?age\s+of|age[sd]?)\s+"), " "),
)  # fmt: skip
