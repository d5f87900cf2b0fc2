"""Whom a question tells of: the patient, and what in it is said of others or of nothing real.

``told`` blanks out the words about relatives, so that what is read from the rest is the patient's.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from kgrag.reasoning.phrases import plain
from kgrag.records.analysis import Patient

Sex = Literal["female", "male"]

_FEMALE_KIN: Final = (
    r"mother|mom|mum|mommy|mummy|sister|daughter|wife|girlfriend|aunt|grandmother|grandma|granny|"
    r"niece|granddaughter"
)
_MALE_KIN: Final = (
    r"father|dad|daddy|brother|son|husband|boyfriend|uncle|grandfather|grandpa|nephew|grandson"
)
_OTHER_KIN: Final = (
    r"child|baby|infant|toddler|newborn|kid|teenager|parents?|partner|spouse|cousin|sibling|twins?|"
    r"grandchild|grandparents?|siblings|relatives?|friend|parent|neighbou?r"
)
_KIN: Final = rf"(?P<kin>{_FEMALE_KIN}|{_MALE_KIN}|{_OTHER_KIN})\b(?!-in-law's|ren)"
_BETWEEN: Final = r"(?:[\w/-]+,?\s){0,4}?"
_MY: Final = re.compile(rf"\b(?:my|our)\s{_BETWEEN}{_KIN}")
_THEIR: Final = re.compile(
    rf"\b(?:his|her|their|whose|the\spatient's|patient's|maternal|paternal|the\s(?:child|boy|"
    rf"girl|man|"
    rf"woman)'s)\s{_BETWEEN}{_KIN}|\b(?:a|the)\s(?P<whole>family|strong\sfamily)\shistory\b|"
    rf"\bfamily\shistory\b|\b(?:mother|father|parents|brother|sister)\s(?:has|had|have|died|is|"
    rf"was)\b"
)
_I_HAVE_KIN: Final = re.compile(rf"\b(?:have|with|got)\s(?:a|an)\s{_BETWEEN}{_KIN}")
_CLAUSE_END: Final = re.compile(
    r"[.?!;\n]|,(?!\s(?:aged?\s)?\d)|\s(?:and|but)\s(?=(?:i|i'm|she|he|is|has|takes|was|presents|"
    r"asks|"
    r"now|can|should|what|my)\b)"
)
_FIRST: Final = re.compile(
    r"\b(?:i'm|i\sam|i\shave\s(?!an?\s(?:question|patient|daughter|son|child|baby|friend|\d)|"
    r"heard|read|"
    r"been\sasked|a\s\w+-old|some\squestion|given|two|three|four|five)|i\sweigh|i\stake|"
    r"i\swas\s(?!told|wondering)|"
    r"i\shad|i've\s(?!heard|read)|i\sgot|i\ssuffer|i\sfeel|i\sjust\sfound\sout|can\si\s(?!give)|"
    r"should\si\s(?!give|be\sworried)|may\si\s(?!give))"
)
_CARER: Final = re.compile(
    r"\bi(?:'m|\sam)\s(?:a|an|the|his|her|their|worried|concerned|looking|writing|asking|wondering|"
    r"trying|just|caring|seeing|not\ssure|really|so|very|confused|treating|sorry|desperate|"
    r"scared)\b"
    r"(?!\s(?:\d|diabetic|woman|man|female|male))"
)
_PATIENT: Final = re.compile(
    r"\b(?:patient|vignette|(?:year|month|week|day)s?[\s-]old\s(?:\w+\s){0,3}(?:man|woman|male|"
    r"female|boy|"
    r"girl|infant|child|patient|lady|gentleman|primigravida|g\d)|\d{1,3}\s?(?:yo|y/o|f|m)\b)"
)
_FEMALE: Final = re.compile(
    r"\b(?:wom[ae]n|females?|girls?|lady|ladies|primigravida|multigravida|primipara|housewife|"
    r"mothers)\b"
)
_MALE: Final = re.compile(r"\b(?:m[ae]n|males?|boys?|gentlem[ae]n)\b")
_LETTER: Final = re.compile(
    r"\d\s?(?:[-\s]?y/?o|[-\s]years?[-\s]old)?[\s/-]?(?P<sex>f|m)\b(?!['.])"
)
_SHE: Final = re.compile(r"\b(?:she|her|hers|herself)\b(?!-)")
_HE: Final = re.compile(r"\b(?:he|him|his|himself)\b")
_FEMALE_ONLY: Final = re.compile(
    r"\b(?:(?:post|peri|pre)-?menopausal|my\s(?:period|uterus|pregnancy)|primigravida|gravida|"
    r"g\d\s?p\d)\b"
)


def told(question: str) -> tuple[str, str, Sex | None]:
    """The ``plain`` question with what is said of others blanked, of the same length.

    Also the relative whom it is about ("" when the patient is someone else), with the sex that the
    word tells.
    """
    lower = plain(question)
    mine = list(_MY.finditer(lower)) or list(_I_HAVE_KIN.finditer(lower))
    kin, sex = "", None
    others = list(_THEIR.finditer(lower))
    if mine:
        clinical = _PATIENT.search(lower[: mine[0].start()])
        if clinical is None and not _first_person(lower):
            kin = mine[0]["kin"]
            sex = _sex_of_kin(kin)
            others += [m for m in mine if m["kin"] != kin]
        else:
            others += mine
    masked = list(lower)
    for match in others:
        if kin and kin in match[0]:
            continue
        end = _CLAUSE_END.search(lower, match.end())
        stop = end.start() if end else len(lower)
        masked[match.start() : stop] = " " * (stop - match.start())
    return "".join(masked), kin, sex


def _first_person(lower: str) -> bool:
    carers = {m.start() for m in _CARER.finditer(lower)}
    return any(m.start() not in carers for m in _FIRST.finditer(lower))


def _sex_of_kin(kin: str) -> Sex | None:
    if re.fullmatch(_FEMALE_KIN, kin):
        return "female"
    return "male" if re.fullmatch(_MALE_KIN, kin) else None


def find_sex(masked: str, near: int | None = None) -> tuple[Sex, int, int] | None:
    """The sex and the characters that tell it; None when both or neither are told.

    ``near`` is the end of the patient's age: the word that follows it decides.
    """
    if near is not None:
        letter = _LETTER.search(masked[max(0, near - 6) : near + 14])
        if letter is not None:
            at = max(0, near - 6) + letter.start("sex")
            return ("female" if letter["sex"] == "f" else "male"), at, at + 1
        span = masked[near : near + 40].split(".")[0]
        hits = [(m.start(), m.end(), s) for s, p in (("female", _FEMALE), ("male", _MALE))
                for m in p.finditer(span)]  # fmt: skip
        if hits:
            start, end, sex = min(hits)
            return ("female" if sex == "female" else "male"), near + start, near + end
    for female, male in ((_FEMALE, _MALE), (_SHE, _HE)):
        she, he = female.search(masked), male.search(masked)
        if she and he:
            return None
        if she:
            return "female", she.start(), she.end()
        if he:
            return "male", he.start(), he.end()
    only = _FEMALE_ONLY.search(masked)
    return ("female", only.start(), only.end()) if only else None


def impersonal(question: str, patient: Patient) -> str:
    """The question, or a part of it, without the words for the patient's age, sex and weight.

    Sources seldom name them, so what answers cannot be told by whether they do; whether it is for
    this patient is judged by what they say. What else is told of a patient may be what is asked
    about and stays.
    """
    for stated in (patient.age, patient.sex, patient.weight):
        if stated is not None and stated.of == "patient":
            found = re.search(rf"(?<!\w){re.escape(stated.text)}(?!\w)", question)
            if found is not None:
                question = f"{question[: found.start()]} {question[found.end() :]}"
    return " ".join(question.split())
