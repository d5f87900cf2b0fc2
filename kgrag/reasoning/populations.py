"""Whom a source's words are about: ages, sex, pregnancy, kidneys, and whether they warn.

Only the plain forms are read ("in adults aged 18 to 49 years", "if eGFR is below 30 mL/min",
"avoid in pregnancy"). What is not read says nothing, so that it can exclude nobody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kgrag.reasoning.ages import Age, ages
from kgrag.reasoning.organs import DEGREES
from kgrag.reasoning.phrases import listed, plain

Topic = Literal["age", "sex", "pregnant", "gestation", "breastfeeding", "renal", "hepatic"]

# From which age on, and up to which, somebody is clearly outside of a group.
_CLEAR: Final[Mapping[str, tuple[float, float | None]]] = {
    "newborn": (0.0, 0.25), "infant": (0.0, 2.0), "toddler": (0.5, 5.0), "child": (0.0, 18.0),
    "adolescent": (9.0, 21.0), "adult": (16.0, None), "young adult": (15.0, 45.0),
    "older adult": (50.0, None),
}  # fmt: skip
_LEAD: Final = re.compile(
    r"(?:\A\W*|[.;:,]\s|\b(?:in|for|to|among|of|all|with|by|most|some|and|or|than|between|if|when|"
    r"should|not|except|unless|both|aged|healthy|asymptomatic|symptomatic|sick|young|younger|older|"
    r"pregnant|nonpregnant|hospitali[sz]ed|immunocompromised|overweight|obese|advise|offer|screen|"
    r"screening|treat|patients?|women|men|people|persons|adults|children|individuals|those|infants|"
    r"adolescents|the\s(?:patient|woman|child|person)\sis)\s)(?:\w+\s)?\Z"
)
# A time of life is not yet the people in it.
_PHASES: Final = frozenset(
    "childhood infancy adolescence adulthood neonatal pediatric paediatric geriatric "
    "teenage".split()
)
_ONE: Final = re.compile(r"\b(?:an?|the|each|every|any|older|younger|young|pregnant)\s(?:\w+\s)?\Z")
_WOMEN: Final = re.compile(
    r"\b(?:(?:wom[ae]n|girls|females|female\s(?:patients|adolescents|adults|persons)|mothers)|"
    r"(?:post|pre|peri)-?menopausal)\b(?!\s(?:than|as\swell\sas))"
)
_MEN: Final = re.compile(r"\b(?:men|boys|males|male\s(?:patients|adolescents|adults|persons))\b")
_PREGNANT: Final = re.compile(
    r"\b(?:(?:in|during|throughout|of|with|for|to)\s(?:(?:early|late|the|any|all|stages|of|their|"
    r"your|human)\s){0,3}"
    r"pregnanc(?:y|ies)|pregnant\s(?:(?:and|or)\s(?:\w+\s){1,2})?(?:wom[ae]n|people|persons?|"
    r"patients?|"
    r"individuals?|adolescents|adults|girls|mothers?|females)|(?:who|that|she|if|you|when|"
    r"patient|woman)(?:\s(?:is|are|be|becomes?))?\spregnant|"
    r"pregnancy\s(?:is\sa\scontraindication|and\s(?:lactation|breastfeeding))|"
    r"\A\W{0,3}pregnancy\b|the\spregnant)"
)
_NURSING: Final = re.compile(
    r"\b(?:breast-?feeding|lactation|lactating|nursing\s(?:mothers|women|infants)|breast-?feed)\b"
)
_OUTSIDE: Final = re.compile(
    r"(?:\b(?:not|non|except(?:\s(?:for|in|when|during))?|other\sthan|unless|excluding|excludes?|"
    r"outside(?:\sof)?|rather\sthan|aren't|isn't|without|no|were\snot)"
    r"[\s-](?:(?:in|a|the|if|those|currently|they|is|are|who|women|have|has|with|severe|patients|"
    r"patient|for|during)\s){0,4})\Z"
)
_NONPREGNANT: Final = re.compile(r"\bnon-?pregnant\b|\bnot\s(?:currently\s)?pregnant\b")
_INCLUDING: Final = re.compile(
    r"(?:\b(?:including|such\sas|especially|particularly|also|even|as\swell\sas|regardless\sof|"
    r"irrespective\sof|e\.g\.,?|like)\s"
    r"(?:(?:in|those|who|are|is|during|for|women|if|whether|the|all|pregnant)\s){0,3})\Z"
)
_TRIMESTER: Final = re.compile(
    r"\b(?P<which>first|second|third)(?:\s(?:and|or|to)\s(?P<also>second|third))?\strimesters?\b"
)
_WEEKS: Final = re.compile(
    r"\b(?P<word>after|before|beyond|at|from|until|under|over|less\sthan|more\sthan|by|prior\sto|"
    r"between|>|<|≥|≤)\s?(?P<n>\d{1,2})(?:\s?(?:-|to|"
    r"and)\s?(?P<m>\d{1,2}))?\s?(?:completed\s)?(?:weeks?|wks?)(?:'s?|\sof)?\s(?:gestation\w*|"
    r"pregnancy)"
)
_TRIMESTERS: Final[Mapping[str, tuple[float, float]]] = {
    "first": (0.0, 14.0), "second": (14.0, 28.0), "third": (28.0, 43.0)
}  # fmt: skip

_FILTRATION: Final = re.compile(
    r"\b(?:e-?gfr|gfr|(?:estimated\s)?glomerular\sfiltration\srate|creatinine\sclearance|cr\s?cl|"
    r"clcr)\b(?:\s\([^)]{0,12}\))?"
    r"(?:\s(?:is|are|was|of|between|falls|drops|values?|rate|that|remains|in|the|range|from|"
    r"decreases|at)){0,4}\s{0,2}"
    r"(?P<word><|>|≤|≥|<=|>=|less\sthan(?:\sor\sequal\sto)?|below|under|lower\sthan|"
    r"greater\sthan(?:\sor\sequal\sto)?|more\sthan|above|over|higher\sthan|at\sleast|exceeds|"
    r"to\sbelow|to\sless\sthan)?\s{0,2}"
    r"(?P<n>\d{1,3})(?:\s?(?:ml/min(?:/1\.73\s?m[2²]?)?)?\s?(?P<joint>-|to|and|"
    r"through)\s?(?P<m>\d{1,3}))?(?!\.?\d|\s?%)"
    r"(?:\s?ml\s?/\s?min(?:ute)?(?:\s?(?:/|per)\s?1\.73\s?m[2²]?)?)?(?P<after>\s(?:or|"
    r"and)\s(?:less|below|lower|more|above|higher|greater))?"
)
_KIDNEY_WORDS: Final = re.compile(
    r"\b(?:(?P<degree>mild|moderate|severe|mild\sto\smoderate|moderate\sto\ssevere|advanced|"
    r"end[\s-]stage|normal|significant)\s)?"
    r"(?:(?:chronic\s)?(?:renal|kidney)\s(?:impairment|insufficiency|failure|disease|dysfunction|"
    r"function)|ckd)\b"
    r"|\b(?P<dialysis>(?:on|receiving|undergoing)\s(?:maintenance\s)?(?:ha?emo|"
    r"peritoneal\s)?dialysis|dialysis\spatients|esrd)\b"
)
_HELD: Final = re.compile(
    r"(?:\b(?:in|with|if|when|have|has|having|for|of|and|or|to)\s(?:\w+\s){0,2})\Z"
)
_LIVER: Final = re.compile(
    r"\bchild[\s-]{0,3}(?:turcotte[\s-])?pugh(?:\s(?:class|score|"
    r"grade))?(?:es)?\s?(?P<class>[abc])(?:\s?(?:or|and|/|-|to)\s?(?P<also>[abc]))?\b"
    r"|\b(?P<words>cirrhosis|(?:(?:mild|moderate|severe|decompensated|advanced)\s)?(?:liver|"
    r"hepatic)\s(?:failure|impairment|insufficiency|disease))\b"
)


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit on whom the text is about, at ``text[start:end]``.

    For "age" years, "renal" mL/min and "gestation" weeks ``low <= x < high`` (open where None);
    ``value`` is the sex, or what a liver or kidney is said to be. ``outside`` when the text is
    about those whom it does not name ("not pregnant"); ``among`` when it only names them among
    others ("including pregnant women").
    """

    topic: Topic
    start: int
    end: int
    low: float | None = None
    high: float | None = None
    value: str = ""
    outside: bool = False
    among: bool = False


def limits(text: str, *, heading: bool = False) -> tuple[Limit, ...]:
    """The limits of ``text`` in order. In a heading every group counts, in a sentence only what
    stands where a population stands."""
    lower = plain(text)
    found = [
        *_ages(lower, heading), *_sexes(lower, heading), *_pregnancy(lower, heading),
        *_kidneys(lower), *_livers(lower),
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda limit: limit.start))


def warns(text: str) -> bool:
    """Whether the text advises against something, not merely for care."""
    lower = plain(text)
    calm = [match.span() for match in listed("calms").finditer(lower)]
    return any(
        not any(begin <= m.start() < end or m.start() <= begin < m.end() for begin, end in calm)
        for m in listed("warns").finditer(lower)
    )


def warning_ends(text: str) -> tuple[tuple[int, int], ...]:
    """Where the words of warning stand, for the clause that they warn in."""
    return tuple(match.span() for match in listed("warns").finditer(plain(text)))


def _flags(lower: str, start: int) -> tuple[bool, bool]:
    begin = max(0, start - 50)
    outside = _OUTSIDE.search(lower, begin, start) is not None
    return outside, _INCLUDING.search(lower, begin, start) is not None


def _ages(lower: str, heading: bool) -> list[Limit]:
    read = [age for age in ages(lower) if age.kind != "age"]
    found: list[Limit] = []
    for age in read:
        if age.kind == "group":
            narrowed = any(
                r.kind == "range" and (0 <= r.start - age.end <= 25 or 0 <= age.start - r.end <= 12)
                for r in read
            )
            led = heading or _LEAD.search(lower, max(0, age.start - 40), age.start)
            phase = not heading and _is_no_one(lower, age)
            if narrowed or not led or phase:
                continue
        outside, among = _flags(lower, age.start)
        low, high = _clear(age)
        found.append(Limit("age", age.start, age.end, low, high, age.name, outside, among))
    return found


def _is_no_one(lower: str, age: Age) -> bool:
    """A time of life, or one of the words before a noun ("adolescent scoliosis")."""
    word = lower[age.start : age.end]
    if word in _PHASES:
        return True
    one = word in ("adolescent", "adult", "infant", "newborn", "teen", "toddler")
    return one and _ONE.search(lower, max(0, age.start - 25), age.start) is None


def _clear(age: Age) -> tuple[float, float | None]:
    return _CLEAR.get(age.name, (age.low, age.high))


def _sexes(lower: str, heading: bool) -> list[Limit]:
    found = []
    for value, pattern in (("female", _WOMEN), ("male", _MEN)):
        for match in pattern.finditer(lower):
            if not heading and not _LEAD.search(lower, max(0, match.start() - 40), match.start()):
                continue
            outside, among = _flags(lower, match.start())
            found.append(Limit("sex", *match.span(), value=value, outside=outside, among=among))
    return found


def _pregnancy(lower: str, heading: bool) -> list[Limit]:
    found: list[Limit] = []
    if match := _NONPREGNANT.search(lower):
        found.append(Limit("pregnant", *match.span(), outside=True))
    for match in _PREGNANT.finditer(lower):
        if any(f.start < match.end() and match.start() < f.end for f in found):
            continue
        outside, among = _flags(lower, match.start())
        found.append(Limit("pregnant", *match.span(), outside=outside, among=among))
    if (
        heading
        and not found
        and (match := re.search(r"\b(?:pregnancy|pregnant|antenatal|obstetric)\b", lower))
    ):
        found.append(Limit("pregnant", *match.span()))
    for match in _NURSING.finditer(lower):
        outside, among = _flags(lower, match.start())
        found.append(Limit("breastfeeding", *match.span(), outside=outside, among=among))
    for match in _TRIMESTER.finditer(lower):
        low, high = _TRIMESTERS[match["which"]]
        if match["also"]:
            high = _TRIMESTERS[match["also"]][1]
        outside, among = _flags(lower, match.start())
        found.append(Limit("gestation", *match.span(), low, high, "", outside, among))
    for match in _WEEKS.finditer(lower):
        n, word = float(match["n"]), match["word"]
        first: float | None = (
            None
            if word in ("before", "until", "under", "less than", "by", "prior to", "<", "≤")
            else n
        )
        last: float | None = (n + 1 if word == "≤" else n) if first is None else None
        if match["m"]:
            first, last = n, float(match["m"]) + 1
        elif word == "at":
            last = n + 1
        found.append(Limit("gestation", *match.span(), first, last))
    return found


def _kidneys(lower: str) -> list[Limit]:
    found: list[Limit] = []
    for match in _FILTRATION.finditer(lower):
        n, word, after = float(match["n"]), match["word"] or "", match["after"] or ""
        low: float | None = None
        high: float | None = None
        if match["m"] and not word:
            low, high = n, float(match["m"]) + 1
        elif (
            word in ("<", "≤", "<=", "below", "under", "to below")
            or "less" in word
            or "lower" in word
        ):
            low, high = 0.0, n + (1 if word in ("≤", "<=") or "equal" in word else 0)
        elif word:
            low = n
        elif after:
            low, high = (
                (0.0, n + 1) if after.split()[-1] in ("less", "below", "lower") else (n, None)
            )
        else:
            continue
        outside, among = _flags(lower, match.start())
        found.append(Limit("renal", *match.span(), low, high, "", outside, among))
    for match in _KIDNEY_WORDS.finditer(lower):
        if any(f.start < match.end() and match.start() < f.end for f in found):
            continue
        degree = match["degree"]
        ends = match[0].endswith("function")
        if ends and degree != "normal":
            continue
        if not match["dialysis"] and not _HELD.search(
            lower, max(0, match.start() - 30), match.start()
        ):
            continue
        low, high = (0.0, 15.0) if match["dialysis"] else DEGREES.get(degree or "", (0.0, 90.0))
        outside, among = _flags(lower, match.start())
        found.append(Limit("renal", *match.span(), low, high, match[0], outside, among))
    return found


def _livers(lower: str) -> list[Limit]:
    found = []
    for match in _LIVER.finditer(lower):
        if match["words"] and not _HELD.search(lower, max(0, match.start() - 30), match.start()):
            continue
        value = match["words"] or ""
        if match["class"]:
            first, last = match["class"], match["also"] or match["class"]
            value = "".join(c for c in "abc" if min(first, last) <= c <= max(first, last)).upper()
        outside, among = _flags(lower, match.start())
        found.append(Limit("hepatic", *match.span(), value=value, outside=outside, among=among))
    return found
