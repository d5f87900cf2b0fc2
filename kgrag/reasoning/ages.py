"""Ages in a text: of one patient, of groups, and ranges, all as half-open ranges of years.

The same reader serves questions ("my 6-month-old", "in her 70s") and sources ("adults aged 18 to
49 years", "children under 5"), so that the two can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kgrag.reasoning.phrases import plain

Kind = Literal["age", "range", "group"]

_ONES: Final = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBERS: Final[Mapping[str, int]] = {
    **{word: n for n, word in enumerate(_ONES, 1)},
    **{word: n * 10 for n, word in enumerate(_TENS, 2)},
    **{f"{tens}{dash}{ones}": 10 * t + o
       for t, tens in enumerate(_TENS, 2) for o, ones in enumerate(_ONES[:9], 1)
       for dash in ("-", " ")},
    "eighteen": 18,
}  # fmt: skip
_DECADES: Final[Mapping[str, int]] = {
    "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60, "seventies": 70,
    "eighties": 80, "nineties": 90, "teens": 13,
}  # fmt: skip
_YEARS: Final[Mapping[str, float]] = {"y": 1.0, "m": 1 / 12, "w": 7 / 365.25, "d": 1 / 365.25,
                                      "h": 1 / 8766}  # fmt: skip

# Group -> from, to (None is open), in years; the longest name is read.
GROUPS: Final[Mapping[str, tuple[str, float, float | None]]] = {
    name: (group, low, high)
    for group, low, high, names in (
        ("newborn", 0.0, 28 / 365.25, "newborn newborns neonate neonates neonatal|"
         "newborn baby|newborn babies|newborn infants|preterm infant|preterm infants|"
         "premature baby|premature babies|preterm baby"),
        ("infant", 0.0, 1.0, "infant infants infancy baby babies"),
        ("toddler", 1.0, 4.0, "toddler toddlers"),
        ("child", 0.0, 18.0, "child children childhood kid kids pediatric paediatric "
         "schoolchildren minors|young child|young children|older children"),
        ("adolescent", 10.0, 20.0, "adolescent adolescents adolescence teen teens teenager "
         "teenagers teenage"),
        ("adult", 18.0, None, "adult adults adulthood"),
        ("young adult", 18.0, 40.0, "|young adult|young adults|young man|young woman|young men|"
         "young women"),
        ("older adult", 65.0, None, "elderly seniors geriatric octogenarian nonagenarian|"
         "older adult|older adults|older people|older persons|older patients|older women|"
         "older men|older person|older patient|senior citizen|senior citizens|aged patients|"
         "advanced age|frail elderly"),
    )
    for part in names.split("|")
    for name in ([part] if "|" in names and " " in part and part != names.split("|")[0]
                 else part.split())
}  # fmt: skip

_NUM: Final = (
    r"(?P<{0}>\d{{1,3}}(?:\.\d{{1,2}})?|"
    + "|".join(sorted(_NUMBERS, key=len, reverse=True)) + ")"
)  # fmt: skip
_UNIT: Final = (
    r"(?P<{0}>years?|yrs?|yr|y|months?|mths?|mos?|m(?=o\b)|weeks?|wks?|days?|hours?|d(?=o\b))"
)
_OLD: Final = r"(?:[\s-]{0,2}of[\s-]age|[\s-]{0,2}old|[\s-]?/?\s?o(?:ld)?\b\.?)"
_SEX: Final = (
    r"(?:females?|males?|wom[ae]n|m[ae]n|girls?|boys?|lady|gentleman|patient|person|f|m)\b"
)

_OLD_AGE: Final = re.compile(
    rf"(?<![\d.,])\b{_NUM.format('n')}[\s-]{{0,2}}{_UNIT.format('u')}\.?(?:{_OLD}|[\s-]?{_SEX})"
)
_AND_A_HALF: Final = re.compile(
    rf"(?<![\d.,])\b{_NUM.format('n')}[\s-]and[\s-]a[\s-]half[\s-]{_UNIT.format('u')}{_OLD}"
)
_AGED: Final = re.compile(
    rf"\b(?:aged?|ages)(?:\sof|\sis|\s?:)?\s{_NUM.format('n')}(?![\d.%]|\s?(?:mg|ml|kg|to\b|-|"
    rf"and\b\s"
    rf"(?:\d|older|over|above|up\b|younger|under))|\s(?:years?|yrs?|"
    rf"months?)?\s?(?:of\sage\s)?(?:or|and)\s"
    rf"(?:older|over|above|more|younger|under|less))(?:\s{_UNIT.format('u')}\b)?"
)
_IS: Final = re.compile(
    rf"\b(?:is|am|i'm|she's|he's|was|turned|turning|turns|just)\s(?:now\s|only\s|almost\s|"
    rf"about\s|nearly\s|"
    rf"already\s)?{_NUM.format('n')}(?:\s{_UNIT.format('u')}(?!\s(?:ago|later|after|since|before|"
    rf"pregnant|"
    rf"postpartum|into|of\s(?!age)|along))\b)?(?=\s?(?:[,.;)?!]|\Z|old\b|and\b|with\b|who\b|"
    rf"but\b|has\b|"
    rf"female|male\b))(?!\.\d)"
)
_KIN_OF: Final = re.compile(
    r"\b(?:husband|wife|mother|mom|mum|father|dad|son|daughter|brother|sister|partner|child|uncle|"
    rf"aunt|grandmother|grandfather|patient|wom[ae]n|man)\s?[(,]\s?(?:aged?\s)?{_NUM.format('n')}"
    rf"\s?{_UNIT.format('u')}?(?=\s?[),])"
)
_GROWN: Final = re.compile(r"wom[ae]n|man|lady|wife|husband|mother|mum|mom|father|patient|female")
_WOMAN_OF: Final = re.compile(
    rf"\b(?:wom[ae]n|man|girl|boy|patient|lady|female|male|child|infant|baby|adult|person|son|"
    rf"daughter)(?:,|"
    rf"\sof)\s{_NUM.format('n')}(?:\s{_UNIT.format('u')})?(?=[,.;?)]|\s(?:and|with|who|has|needs|is)\b|\Z)"
)
_LETTER: Final = re.compile(
    rf"(?<![\d.,/-])\b{_NUM.format('n')}\s?[-/]?\s?(?:y/?o\s?)?(?P<sex>f|m)\b(?!['/.]?\w)(?!\s?\()"
)
_DECADE: Final = re.compile(
    r"\bin\s(?:his|her|their|my|the|your)\s(?:(?P<part>early|mid|middle|late)[\s-]{1,2})?"
    r"(?P<n>\d0'?s|" + "|".join(_DECADES) + r")\b"
)
_BEGINS: Final = r"\b(?:begin|start)(?:s|ning|ing)?\s(?:at|from)"
_ENDS: Final = r"\b(?:end|stop)(?:s|ing|ping)?\sat|\buntil"
_BETWEEN: Final = re.compile(
    rf"(?<![\d.,])\b(?P<from>(?:aged?|ages|between|{_BEGINS}\sage)\s(?:between\s|from\s|"
    rf"of\s)?)?{_NUM.format('low')}"
    rf"(?:[\s-]{{0,2}}{_UNIT.format('u1')}(?:\sof\sage)?)?(?P<joint>\s?-\s?|\sto\s|\sand\s|"
    rf"\sthrough\s|\suntil\s|\sand\s(?:{_ENDS})\s)"
    rf"(?:age\s)?{_NUM.format('high')}(?![\d%])(?:[\s-]{{0,2}}{_UNIT.format('u')}\b)?(?P<old>{_OLD})?"
)
_OVER: Final = re.compile(
    rf"(?P<word>\b(?:older|younger|greater|more|less|fewer)\sthan|\bover|\babove|\bunder|\bbelow|"
    rf"\bat\sleast|\bup\sto|\bfrom|\bbefore|\bafter|{_BEGINS}|{_ENDS}|≥|>=|≤|<=|>|"
    rf"<)\s?(?P<aged>(?:the\s)?ages?\s(?:of\s)?)?"
    rf"{_NUM.format('n')}(?![\d%]|\.\d)(?:[\s-]{{0,2}}{_UNIT.format('u')}\b)?(?P<old>{_OLD})?"
)
_AND_OVER: Final = re.compile(
    rf"(?<![\d.,])\b(?P<aged>(?:aged?|"
    rf"ages)\s)?{_NUM.format('n')}(?:[\s-]{{0,2}}{_UNIT.format('u')})?(?P<old>{_OLD})?"
    rf"(?:\s?(?P<plus>\+)|\s(?:or|and)\s(?P<word>older|over|above|up|younger|under|below))(?!\w)"
    rf"(?:\s(?P<u2>years?|months?|weeks?|days?)\b)?"
)
_PEOPLE: Final = re.compile(
    r"(?:aged?|adults?|women|men|people|persons?|patients?|children|infants?|babies|individuals|"
    r"boys|girls|adolescents?|those|anyone|everyone|kids|females?|males?|he|she|daughter|son|"
    r"mother|father|child)"
    r"(?:\s(?:who\s(?:is|are)|that\sare|is|are|aged))?\s{1,2}\Z"
)
_GROUP: Final = re.compile(
    r"\b(?:" + "|".join(sorted(map(re.escape, GROUPS), key=len, reverse=True)) + r")\b(?!')"
)
# "Adult-onset", "childhood vaccination", "infant formula" name no one's age.
_NO_GROUP: Final = re.compile(
    r"\A(?:[\s-](?:onset|formula|mortality|abuse|psychiatr|health|care\b|birth|bearing|proof|"
    r"turcotte|pugh))"
)
_NO_GROUP_BEFORE: Final = re.compile(
    r"(?:\b(?:have|having|had|her|his|my|with\stheir|deliver\w*|of\sa|to\sthe|the\sunborn|unborn)\s"
    r"|child-)\Z"
)
_LINE: Final = re.compile(r"(?:\A|[\n.;:|,(])[\s\u2022*-]{0,6}(?:dose:\s|age:\s)?\Z")
_DOSE: Final = re.compile(
    r"\s?[:|]|[;,-]?(?:\s(?:of\sage|old))?\s\d+(?:\.\d+)?\s?(?:mg|ml|g|mcg|micrograms?|tablets?|units?)\b"
)
# "Diagnosed at age 40" is the age of then.
_THEN: Final = re.compile(
    r"(?:diagnosed|died|onset|began|started|since|occur\w*|menarche|menopause|surgery|first|until|"
    r"from|married|smoking|developed|dead)\b[^.?!,;]{0,25}\b(?:at|from|since|the)\s(?:the\s)?\Z"
)


_BIRTH: Final = re.compile(
    rf"\bbirth\s?(?:to|through|until|-)\s?(?:age\s)?{_NUM.format('n')}(?:\s{_UNIT.format('u')}\b)?"
)
# What begins at an age bounds whom it is for only where it is advised: pain begins at some age too.
_TURNS: Final = ("begin", "start", "end", "stop", "until")
_ADVISED: Final = re.compile(
    r"\b(?:recommend|screen|offer|vaccin|immuni|test|check|treat|giv|dos|mammogra|colonoscop|"
    r"prophyla|examin|assess|counsel|prescri|should)"
)


@dataclass(frozen=True, slots=True)
class Age:
    """An age of ``low <= years < high`` (open where ``high`` is None) at ``text[start:end]``.

    ``kind`` is "age" for one patient's, "range" for bounds, "group" for a name of a group;
    ``name`` is the group, the decade ("70-79") or empty.
    """

    kind: Kind
    low: float
    high: float | None
    start: int
    end: int
    name: str = ""


def ages(text: str) -> tuple[Age, ...]:
    """The ages, ranges and groups of ``text`` in order; of those that overlap, the longest."""
    lower = plain(text)
    found = [*_patients(lower), *_ranges(lower), *_groups(lower)]
    found.sort(key=lambda age: (age.start - age.end, age.start))
    kept: list[Age] = []
    taken = bytearray(len(lower))
    for age in found:
        if not any(taken[age.start : age.end]):
            taken[age.start : age.end] = b"\x01" * (age.end - age.start)
            kept.append(age)
    return tuple(sorted(kept, key=lambda age: age.start))


def _value(word: str) -> float:
    return float(_NUMBERS[word]) if word in _NUMBERS else float(word)


def _step(unit: str | None) -> float:
    return _YEARS[unit[0]] if unit else 1.0


def _patients(lower: str) -> list[Age]:
    found: list[Age] = []
    for pattern in (_AND_A_HALF, _OLD_AGE, _AGED, _IS, _LETTER, _KIN_OF, _WOMAN_OF):
        for match in pattern.finditer(lower):
            if _THEN.search(lower, max(0, match.start() - 60), match.start()):
                continue
            groups = match.groupdict()
            value, step = _value(match["n"]), _step(groups.get("u"))
            if pattern is _AND_A_HALF:
                value += 0.5
            if pattern in (_KIN_OF, _WOMAN_OF) and _GROWN.match(match[0]) and value * step < 2:
                continue  # "a woman, 39 weeks" is pregnant
            if (
                pattern in (_IS, _LETTER, _KIN_OF, _WOMAN_OF)
                and groups.get("u") is None
                and value < 2
            ):
                continue  # "is 1" is a number
            if value * step <= 125:
                low = value * step
                found.append(Age("age", low, low + step, match.start(), match.end()))
    for match in _DECADE.finditer(lower):
        word = match["n"]
        low, high = float(_DECADES.get(word, 0) or int(word[:2])), 10.0
        if word == "teens":
            high = 7.0
        thirds = {"early": (0.0, 4.0), "mid": (4.0, 7.0), "middle": (4.0, 7.0), "late": (7.0, 10.0)}
        first, last = thirds.get(match["part"] or "", (0.0, high))
        name = f"{low + first:.0f}-{low + last - 1:.0f}"
        found.append(Age("age", low + first, low + last, match.start(), match.end(), name))
    return found


def _ranges(lower: str) -> list[Age]:
    found: list[Age] = []
    for match in _BETWEEN.finditer(lower):
        told = (match["from"] or "").startswith("age") or match["old"] or _dosed(lower, match)
        people = told or _PEOPLE.search(lower, max(0, match.start() - 40), match.start())
        year = match["u"] and match["u"][0] in "ymw"
        if (match["joint"] == " and " and not match["from"]) or not (
            people or (match["from"] and year)
        ):
            continue
        if not people and not (match["u"] and match["from"]):
            continue
        low, high = _value(match["low"]), _value(match["high"])
        step = _step(match["u"])
        first = low * (_step(match["u1"]) if match["u1"] else step)
        last = (high + 1) * step
        if first < last and high * step <= 125:
            found.append(Age("range", first, last, match.start(), match.end()))
    for match in _OVER.finditer(lower):
        told = match["aged"] or match["old"] or match["word"].startswith(("older", "younger"))
        told = told or _dosed(lower, match)
        if not told and not _PEOPLE.search(lower, max(0, match.start() - 40), match.start()):
            continue
        if match["aged"] and _THEN.search(lower, max(0, match.start() - 60), match.start()):
            continue
        if match["word"].startswith(_TURNS) and not _ADVISED.search(
            lower, max(0, match.start() - 100), match.start()
        ):
            continue
        value, step, word = _value(match["n"]), _step(match["u"]), match["word"]
        found += _bounded(value, step, word, match)
    for match in _BIRTH.finditer(lower):
        step = _step(match["u"])
        found.append(Age("range", 0.0, (_value(match["n"]) + 1) * step, *match.span()))
    for match in _AND_OVER.finditer(lower):
        unit = match["u"] or match["u2"]
        told = match["aged"] or match["old"] or (unit and unit[0] in "ym")
        if not told and not _PEOPLE.search(lower, max(0, match.start() - 40), match.start()):
            continue
        word = match["word"] or "older"
        younger = word in ("younger", "under", "below")
        value, step = _value(match["n"]), _step(unit)
        span = match.start(), match.end()
        if younger:
            found.append(Age("range", 0.0, (value + 1) * step, *span))
        else:
            found.append(Age("range", value * step, None, *span))
    return found


def _dosed(lower: str, match: re.Match[str]) -> bool:
    """Whether a range of years or months begins a line of a table of doses: "6-12 years: 2 mg"."""
    unit = match["u"]
    return bool(
        unit
        and unit[0] in "ym"
        and _LINE.search(lower, max(0, match.start() - 12), match.start())
        and _DOSE.match(lower, match.end())
    )


def _bounded(value: float, step: float, word: str, match: re.Match[str]) -> list[Age]:
    span = match.start(), match.end()
    at = value * step
    if at > 125:
        return []
    if word in ("under", "below", "<", "before") or word.startswith(("younger", "less", "fewer")):
        return [Age("range", 0.0, at, *span)]
    if word in ("≤", "<=", "up to", "until") or word.startswith(("end", "stop")):
        return [Age("range", 0.0, at + step, *span)]
    # "Over 65" is said of those who are 65 as well; only "older than" means the next birthday.
    return [Age("range", at, None, *span)]


def _groups(lower: str) -> list[Age]:
    found = []
    for match in _GROUP.finditer(lower):
        if _NO_GROUP.match(lower[match.end() : match.end() + 12]):
            continue
        if _NO_GROUP_BEFORE.search(lower, max(0, match.start() - 20), match.start()):
            continue
        name, low, high = GROUPS[match[0]]
        found.append(Age("group", low, high, match.start(), match.end(), name))
    return found
