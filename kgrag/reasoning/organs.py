"""Weight, kidneys, liver and pregnancy as a question tells them, with UCUM units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from kgrag.records.analysis import Stated

_NUMBER: Final = r"(?P<n>\d{1,4}(?:[.,]\d{1,2})?)"
_IS: Final = (
    r"(?:\s?(?:is|was|of|at|:|=|about|around|approximately|only|now|currently|<|>|≤|≥|below|under|"
    r"less\sthan|above|has\sfallen\sto|fell\sto|dropped\sto|estimated\sat)){0,3}\s?"
)

_WEIGHT: Final = re.compile(
    r"(?<![\d.,/])(?P<n>\d{1,3}(?:\.\d{1,2})?)[\s-]?(?P<u>kg|kgs|kilos?|kilograms?|lbs?|pounds?|"
    r"stone|st)\b(?!/|\s?per|\s?of)(?:[\s-]{1,2}(?P<oz>\d{1,2})[\s-]?(?:oz|ounces?)\b)?"
    r"|(?<![\d.,/])(?P<grams>\d{3,4})[\s-]?(?:g|grams?)\b(?!/)"
)
_PERSON_AFTER: Final = re.compile(
    r"(?:[\s-]?\([^)]{1,20}\))?[\s-](?:\w+\s)?"
    r"(?:wom|man|male|fem|boy|girl|child|pat|adult|baby|infant|newborn|neonat)"
)
_WEIGHS: Final = re.compile(r"\b(?:weigh\w*|weight|wt|bw)\b[^.?!\d]{0,20}\Z")
_NO_WEIGHT_BEFORE: Final = re.compile(
    r"(?:\b(?:lost|lose|losing|gain\w*|loss\sof|by|per|every|mg|lifts?|lifting|than|least|over|"
    r"under|above|put\son|birth\s?weight\w*(?:\s\w+)?|weighed|/)\s?|mg\s?/\s?|/)\Z"
)
_KG: Final[Mapping[str, float]] = {"k": 1.0, "l": 0.45359237, "p": 0.45359237, "s": 6.35029318}

_RENAL: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(rf"\b(?:e-?gfr|gfr|"
                rf"(?:estimated\s)?glomerular\sfiltration\srate)(?:\s\([^)]{{0,12}}\))?{_IS}{_NUMBER}"
                r"(?:\s?ml(?:\s?/\s?min(?:ute)?)?(?:\s?/\s?1[.,]73\s?m(?:2|²)?)?)?"),
     "mL/min/{1.73_m2}"),
    (re.compile(rf"\b(?:creatinine\sclearance|cr\s?cl|clcr|"
                rf"crcl)(?:\s\([^)]{{0,12}}\))?{_IS}{_NUMBER}(?:\s?ml(?:\s?/\s?min)?)?"),
     "mL/min"),
    (re.compile(rf"\b(?:serum\s)?(?:creatinine|scr)\b(?!\sclearance|\skinase)(?:\slevel|"
                rf"\sconcentration)?{_IS}{_NUMBER}\s?"
                r"(?P<u>mg\s?/\s?dl|[uμµ]mol\s?/\s?l|micromol\s?/\s?l)"), "creatinine"),
)  # fmt: skip
_STAGE: Final = re.compile(
    r"\b(?:(?:ckd|chronic\skidney\sdisease|chronic\srenal\sfailure|"
    r"kidney\sdisease)(?:\s\([^)]{0,12}\))?,?\s?(?:stage\s|grade\s|"
    r"g)?(?P<n>[1-5][ab]?)\b(?![.%\d])"
    r"|stage\s(?P<n2>[1-5][ab]?|i{1,3}|iv|v)\s(?:ckd|chronic\skidney\sdisease|kidney\sdisease|"
    r"chronic\srenal)"
    r"|(?:ckd|chronic\skidney\sdisease)\sstage\s(?P<n3>i{1,3}|iv|v)\b)"
)
_STAGES: Final[Mapping[str, tuple[float, float | None]]] = {
    "1": (90.0, None), "2": (60.0, 90.0), "3": (30.0, 60.0), "3a": (45.0, 60.0),
    "3b": (30.0, 45.0), "4": (15.0, 30.0), "5": (0.0, 15.0),
}  # fmt: skip
_ROMAN: Final = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5"}
_DIALYSIS: Final = re.compile(
    r"\b(?:on|receives|received|receiving|undergo\w+|start\w+|needs?|chronic|maintenance|having)\s(?:regular\s|"
    r"chronic\s|maintenance\s)?(?:peritoneal\s|home\s)?"
    r"(?:ha?emo)?dialysis\b|\b(?:dialysis|dialysed|dialyzed)\spatients?\b|"
    r"\bpatients?\son\s(?:ha?emo)?dialysis\b|\b(?:end[\s-]stage\s(?:renal|kidney)\s(?:disease|"
    r"failure)|esrd|eskd)\b"
)
DEGREES: Final[Mapping[str, tuple[float, float | None]]] = {
    "mild": (60.0, 90.0), "moderate": (30.0, 60.0), "severe": (0.0, 30.0), "advanced": (0.0, 30.0),
    "mild to moderate": (30.0, 90.0), "moderate to severe": (0.0, 60.0), "end-stage": (0.0, 15.0),
    "end stage": (0.0, 15.0), "normal": (60.0, None), "significant": (0.0, 60.0),
}  # fmt: skip
"""What labels mean by a degree of renal impairment, in mL/min."""
_IMPAIRED: Final = re.compile(
    r"\b(?:(?P<degree>mild|moderate|severe|advanced|mild\sto\smoderate|"
    r"moderate\sto\ssevere)\s)?(?:chronic\s)?(?:(?:renal|kidney)\s(?:impairment|insufficiency|"
    r"failure|disease|dysfunction)|ckd|"
    r"(?:impaired|reduced|decreased|poor)\s(?:renal|kidney)\sfunction|bad\skidneys)\b"
)

_HEPATIC: Final = re.compile(
    r"\bchild[\s-]{0,3}(?:turcotte[\s-])?pugh(?:\s(?:class|score|grade|"
    r"stage))?\s?(?P<class>[abc])\b"
    r"|\b(?P<words>(?:(?:decompensated|compensated|alcoholic|liver|hepatic|"
    r"advanced)\s){0,2}cirrhosis"
    r"|(?:(?:mild|moderate|severe|acute|chronic|end[\s-]stage)\s)?(?:liver|hepatic)\s(?:failure|"
    r"impairment|insufficiency|disease|dysfunction)"
    r"|(?:impaired|reduced|poor)\s(?:liver|hepatic)\sfunction)\b"
)

_PREGNANT: Final = re.compile(
    r"\b(?:non-?pregnant|pregnant|pregnancy|pregnancies|gravid|primigravida|multigravida|"
    r"expecting\s(?:a\sbaby|my|our|a\schild|twins)|gestation(?!al\sdiabetes)|expectant\smothers?|"
    r"mother-to-be)\b"
)
_NOT_PREGNANT: Final = re.compile(
    r"(?:\b(?:not|never|isn't|non|nor|neither|no\slonger|not\scurrently|ruled\sout|"
    r"no)[\s-](?:\w+\s){0,2}?|"
    r"\bnegative\s(?:for\s)?(?:a\s)?)\Z"
)
_UNREAL: Final = re.compile(
    r"(?:\b(?:plan\w*|trying|try|want\w*|wish\w*|hop\w+|attempt\w*|if|when|before|after|since|"
    r"could|may|might|able|how|become|becomes|becoming|get|gets|getting|got|fall|falls|falling|"
    r"prevent\w*|avoid\w*|risk\sof|previous|prior|first|second|last|past|contemplating|"
    r"considering|unintended|unwanted|during\sa|during\sher\sfirst|whether|in\sany|end\w*|"
    r"terminat\w*|history\sof|ectopic|future|(?:is|was|am|are|were)\s(?:she|i|he|you|they|"
    r"the\spatient))\s"
    r"(?:(?:a|an|to|for|her|my|their|the|she|i|you|he|is|be|were|was|am|are|get|become|getting|"
    r"becoming|of|she's|i'm|last|first|previous|another)\s){0,4})\Z"
)
_NO_PREGNANCY: Final = re.compile(
    r"\A\s(?:test|tests|prevention|planning|rate|rates|wish|loss\sin\sthe\spast|category|"
    r"categories|was|were|has\sbeen\sexcluded|is\sexcluded|excluded)\b|\A[\s-]?(?:related|"
    r"associated|induced)\b"
)
_GESTATION: Final = re.compile(
    r"\b(?P<n>\d{1,2}|five|six|seven|eight|nine|ten|twelve)(?:\s?(?:\+|"
    r"and)\s?\d/?7?)?[\s-]{0,2}(?P<u>weeks?|wks?|w|months?)(?:'s?|\sof)?[\s-]{1,2}(?:pregnant|"
    r"gestation|pregnancy|gestational\sage|along(?=[\s,.]))\b"
    r"|\b(?:pregnant\s(?:at|for|of)?\s?|gestation(?:al\sage)?\s(?:of|at)?\s?|pregnancy\sof\s|"
    r"pregnant[,:(]\s?)(?P<n2>\d{1,2})[\s-]?(?P<u2>weeks?|wks?|months?)\b|\b(?:at|"
    r"in\sweek)\s(?P<n3>\d{1,2})\s(?P<u3>weeks)(?:'\sgestation|'\spregnancy|\sgestation)"
)
_TRIMESTER: Final = re.compile(
    r"\b(?P<which>first|1st|second|2nd|third|3rd|early|mid|"
    r"late)(?:\sand\s\w+)?[\s-](?P<of>trimester|pregnancy)\b"
)
_TRIMESTERS: Final[Mapping[str, tuple[str, float, float]]] = {
    "first": ("first trimester", 0.0, 14.0), "1st": ("first trimester", 0.0, 14.0),
    "early": ("early pregnancy", 0.0, 20.0), "second": ("second trimester", 14.0, 28.0),
    "2nd": ("second trimester", 14.0, 28.0), "mid": ("mid pregnancy", 14.0, 28.0),
    "third": ("third trimester", 28.0, 43.0), "3rd": ("third trimester", 28.0, 43.0),
    "late": ("late pregnancy", 28.0, 43.0),
}  # fmt: skip
_NURSING: Final = re.compile(
    r"\b(?:breast[\s-]?feed(?:s|ing)?|lactating|lactation|nursing\s(?:mothers?|women|woman|mom|"
    r"my|her|an?)|nursing(?=\s?[.?!,]|\s(?:and|a)\b)|breast[\s-]?fed(?=\sby)|chestfeeding)\b"
)
_NOT_NURSING: Final = re.compile(
    r"(?:\b(?:not|never|no\slonger|isn't|stopped|finished|plan\w*\sto|want\w*\sto|after|before|"
    r"if\sshe|non)[\s-](?:\w+\s)?)\Z"
)


def weight(masked: str, question: str) -> Stated | None:
    """The body weight in kg; amounts of a dose, of a gain or a loss are none."""
    refused = -1
    for match in _WEIGHT.finditer(masked):
        beside = masked[refused : match.start()] if refused >= 0 else ""
        refused = -1
        if beside.strip() == "(" or _NO_WEIGHT_BEFORE.search(
            masked, max(0, match.start() - 30), match.start()
        ):
            refused = match.end()  # "lost 10 kg (22 lb)"
            continue
        told = _WEIGHS.search(masked[: match.start()][-40:])
        whose = told or _PERSON_AFTER.match(masked, match.end())
        if match["grams"]:
            value = float(match["grams"]) / 1000
            if not whose or value < 0.3:
                continue
            return _stated(question, match, round(value, 2), "kg")
        unit = match["u"]
        if (
            unit in ("st", "stone", "pound", "pounds", "lb", "lbs")
            and not whose
            and (match.end() == len(masked) or "-" not in match[0])
        ):
            continue
        value = float(match["n"]) * _KG[unit[0]] + float(match["oz"] or 0) * 0.028349523
        if 0.3 <= value <= 400:
            return _stated(question, match, round(value, 2), "kg")
    return None


def renal(masked: str, question: str) -> Stated | None:
    """Kidney function: a measured value before a stage, a stage before words."""
    for pattern, code in _RENAL:
        if match := pattern.search(masked):
            value = float(match["n"].replace(",", "."))
            if code == "creatinine":
                unit = "mg/dL" if match["u"].startswith("mg") else "umol/L"
                return _stated(question, match, value, unit)
            return _stated(question, match, value, code)
    denied = re.compile(r"(?:\b(?:no|without|not|denies|normal)\s(?:\w+\s){0,3})\Z")
    if (match := _DIALYSIS.search(masked)) and not denied.search(masked, 0, match.start()):
        return _stated(question, match, "dialysis", "mL/min/{1.73_m2}", 0.0, 15.0)
    if match := _STAGE.search(masked):
        stage = match["n"] or match["n2"] or match["n3"]
        stage = _ROMAN.get(stage, stage)
        low, high = _STAGES.get(stage, _STAGES[stage[0]])
        return _stated(question, match, f"CKD stage {stage}", "mL/min/{1.73_m2}", low, high)
    for match in _IMPAIRED.finditer(masked):
        if not denied.search(masked, max(0, match.start() - 30), match.start()):
            degree = f"{match['degree']} " if match["degree"] else ""
            if not degree:
                return _stated(question, match, "renal impairment")
            return _stated(question, match, f"{degree}renal impairment", "mL/min/{1.73_m2}",
                           *DEGREES[match["degree"]])  # fmt: skip
    return None


def hepatic(masked: str, question: str) -> Stated | None:
    """Liver function in words; "Child-Pugh A", "B" or "C" where the class is told."""
    denied = re.compile(r"(?:\b(?:no|without|not|denies)\s(?:\w+\s){0,3})\Z")
    for match in sorted(_HEPATIC.finditer(masked), key=lambda m: m["class"] is None):
        if denied.search(masked, max(0, match.start() - 30), match.start()):
            continue
        words = f"Child-Pugh {match['class'].upper()}" if match["class"] else match["words"]
        return _stated(question, match, words)
    return None


def pregnancy(masked: str, question: str) -> tuple[Stated | None, Stated | None]:
    """Whether pregnant, and how far in weeks; what is planned, past or supposed is neither."""
    far = _gestation(masked, question)
    denied: Stated | None = None
    for match in _PREGNANT.finditer(masked):
        begin = max(0, match.start() - 60)
        if _NO_PREGNANCY.match(masked[match.end() : match.end() + 40]):
            continue
        if match[0] == "gestation" and _BORN.search(
            masked[begin : match.start()].rpartition(" at ")[0] + " "
        ):
            continue
        if _NOT_PREGNANT.search(masked, begin, match.start()) or match[0].startswith("non"):
            denied = denied or _stated(question, match, False)
        elif far is not None or not _UNREAL.search(masked, begin, match.start()):
            return _stated(question, match, True), far
    if denied is None and far is not None:
        return Stated(True, far.text, far.start, far.end), far
    return denied, None


_BORN: Final = re.compile(r"\b(?:born|deliver\w+|birth)\s(?:\w+\s){0,2}\Z")


def _gestation(masked: str, question: str) -> Stated | None:
    match = _GESTATION.search(masked)
    if match and not _BORN.search(masked, max(0, match.start() - 30), match.start()):
        number = match["n"] or match["n2"] or match["n3"]
        words = {"five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12}
        unit = match["u"] or match["u2"] or match["u3"]
        weeks = float(words.get(number) or int(number)) * (4.345 if unit.startswith("m") else 1.0)
        if weeks <= 43 and not re.match(r"[\s-]?postpartum", masked[match.end() :]):
            value = round(weeks, 1)
            return _stated(question, match, value, "wk", value, value + 1)
    if (match := _TRIMESTER.search(masked)) and (
        match["of"] == "trimester" or match["which"] in ("early", "mid", "late")
    ):
        name, low, high = _TRIMESTERS[match["which"]]
        return _stated(question, match, name, "wk", low, high)
    return None


def breastfeeding(masked: str, question: str) -> Stated | None:
    """True or False, None when nothing is told."""
    for match in _NURSING.finditer(masked):
        denied = _NOT_NURSING.search(masked, max(0, match.start() - 30), match.start())
        return _stated(question, match, denied is None)
    return None


def _stated(
    question: str,
    match: re.Match[str],
    value: float | str | bool,
    unit: str | None = None,
    low: float | None = None,
    high: float | None = None,
) -> Stated:
    start, end = match.span()
    while end > start and question[end - 1] in " -,":
        end -= 1
    return Stated(value, question[start:end], start, end, unit, None, low, high)
