"""Whether what a source says is for this patient: applies, is clearly not for them, or is unknown.

Advice for people of whom the patient is none is not applicable; so is advice to take what the
patient must not have. A warning is applicable to those whom it warns of. Only a clear conflict
excludes: whatever was not read in the question or in the source leaves the piece standing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from kgrag.reasoning.medicines import allergy_conflict, interaction
from kgrag.reasoning.phrases import listed, plain
from kgrag.reasoning.populations import Limit, limits, warning_ends, warns
from kgrag.records.analysis import Patient, Stated
from kgrag.retrieval.seeds import Hierarchy, Links

Result = Literal["applies", "not_applicable", "unknown"]
Verdict = tuple[Result, str]

# A woman outside of these years is taken not to be pregnant.
_FERTILE: Final = (10.0, 56.0)
_ANY_ALLERGY: Final = re.compile(
    r"\b(?:allergic\sto|allerg(?:y|ies)\sto|hypersensitiv\w+\sto|[\w-]+\sallerg(?:y|ic)\b)"
)
# In this order the first conflict is the one that is told.
TOPICS: Final = ("age", "pregnant", "sex", "gestation", "breastfeeding", "renal", "hepatic")
_A_KILO: Final = re.compile(r"\b(?:mg|mcg|g|ml|units?|micrograms?)\s?/\s?kg\b|\bper\skg\b")
_TAKING: Final = re.compile(
    r"\b(?:patients|people|women|those|if|when|adults)\s(?:\w+\s){0,2}(?:taking|receiving|"
    r"on)\s(?!dialysis)"
)
# "Potassium is checked in patients taking it" depends on nothing else that they take.
_WATCHED: Final = re.compile(r"\b(?:monitor|check|measur|test|review|follow)\w*\b[^.;\n]{0,80}\Z")
# Where a further clause begins.
_FURTHER: Final = re.compile(r"[.;!?]\s|\n|,\sbut\s|\s(?:unless|except)\s")
_AND: Final = re.compile(r"\b(?:and|or)\b|[,/;:.]")
_JOINED: Final = re.compile(r"[^.;:?!]{0,25}?(?:\band\b|\bor\b|,|/)[^.;:?!]{0,25}")


@dataclass(frozen=True, slots=True)
class Applicability:
    """``fact`` is the field of ``Patient`` that decided ("" when none did), ``reason`` says why in
    one line, and ``missing`` names the fields on which the text depends and which the question does
    not tell. ``warns``: the text advises against something, for this patient unless not applicable.
    """

    result: Result
    reason: str = ""
    fact: str = ""
    missing: tuple[str, ...] = ()
    warns: bool = False


def judge(
    patient: Patient,
    text: str,
    place: str | Sequence[str] = (),
    *,
    linker: Links | None = None,
    names: Hierarchy | None = None,
) -> Applicability:
    """Whether ``text`` is for ``patient``. ``place`` is the title and the section path it stands
    under, which count where the text itself does not say whom it is for.

    With a ``linker`` and ``names`` an allergy to a class also rules out what the vocabulary holds
    below it.
    """
    warning = warns(text)
    against = allergy_conflict(patient.allergies, text, linker, names)
    if against:
        return Applicability("not_applicable", against, "allergies", (), warning)
    own = limits(text)
    said = {limit.topic for limit in own}
    headings = [
        (heading, [x for x in limits(heading, heading=True) if x.topic not in said])
        for heading in ((place,) if isinstance(place, str) else place)
    ]
    above = [limit for _, found in headings for limit in found]
    missing: list[str] = []
    applies: list[tuple[str, str]] = []
    excluded: list[tuple[str, str, list[Limit]]] = []
    for topic in TOPICS:
        here = [limit for limit in (*own, *above) if limit.topic == topic and not limit.among]
        if not here:
            continue
        result, reason = _fits(patient, topic, here)
        if result == "not_applicable" and here[0] in own and _beside(text, here[0]):
            continue
        if result == "not_applicable" and topic == "age" and warning and topic not in said:
            continue  # a title "in adults" does not make a warning one for adults alone
        if result == "not_applicable":
            excluded.append((topic, reason, here))
        elif result == "applies":
            applies.append((topic, reason))
        elif _untold(patient, topic) and any(limit.value != "adult" for limit in here):
            missing.append(topic)
    missing += _depends(patient, text)
    told = tuple(dict.fromkeys(missing))
    fits, out = {topic for topic, _ in applies}, {topic for topic, _, _ in excluded}
    for topic, reason, here in excluded:
        if topic in said:
            beside = _joined(text, here, [x for x in own if x.topic in fits])
        else:
            beside = any(
                _joined(
                    heading,
                    [x for x in found if x.topic == topic],
                    [x for x in found if x.topic not in out],
                )
                for heading, found in headings
            )
        if not beside:
            return Applicability("not_applicable", reason, topic, told, warning)
    met = interaction(patient.medicines, text)
    if met:
        return Applicability("applies", met, "medicines", told, warning)
    # What says most of a patient is what few share.
    applies.sort(key=lambda one: ("age", "sex").count(one[0]))
    if applies:
        return Applicability("applies", applies[0][1], applies[0][0], told, warning)
    return Applicability("unknown", "", "", told, warning)


def _fits(patient: Patient, topic: str, here: Sequence[Limit]) -> Verdict:
    if topic == "age":
        return _age(patient.age, here)
    if topic == "sex":
        return _sex(patient.sex, here)
    if topic == "pregnant":
        return _pregnant(patient, here)
    if topic == "gestation":
        return _ranged(patient.gestation, here, "weeks of gestation")
    if topic == "breastfeeding":
        return _yes_no(patient, patient.breastfeeding, here, "breastfeeding")
    if topic == "renal":
        return _renal(patient.renal, here)
    return _hepatic(patient.hepatic, here)


def _age(age: Stated | None, here: Sequence[Limit]) -> Verdict:
    if age is None or age.low is None:
        return "unknown", ""
    return _ranged(age, here, "years")


def _ranged(stated: Stated | None, here: Sequence[Limit], unit: str) -> Verdict:
    """Against the union of the ranges: within one, outside of all, or between."""
    if stated is None or stated.low is None:
        return "unknown", ""
    low, high = stated.low, stated.high if stated.high is not None else float("inf")
    clear = True
    for limit in here:
        first = limit.low if limit.low is not None else 0.0
        last = limit.high if limit.high is not None else float("inf")
        inside, apart = first <= low and high <= last, high <= first or last <= low
        if limit.outside:
            inside, apart = apart, inside
        if inside:
            return "applies", f"{_said(here, unit)}; the question says {stated.text.strip()}"
        clear = clear and apart
    if clear:
        return "not_applicable", f"{_said(here, unit)}; the question says {stated.text.strip()}"
    return "unknown", ""


def _said(here: Sequence[Limit], unit: str) -> str:
    """What the source is about, in our words."""
    parts = []
    for limit in here:
        if limit.value and unit == "years":
            said = _PLURAL.get(limit.value, limit.value)
        elif limit.high is None:
            said = f"{_OF[unit]} {limit.low or 0:.3g} {unit} and over"
        elif not limit.low:
            said = f"{_OF[unit]} below {limit.high:.3g} {unit}"
        else:
            said = f"{_OF[unit]} from {limit.low:.3g} to below {limit.high:.3g} {unit}"
        parts.append(f"others than {said}" if limit.outside else said)
    return "the source is about " + " or ".join(dict.fromkeys(parts))


_OF: Final = {"years": "ages", "mL/min": "a kidney function", "weeks of gestation": "pregnancies"}
_PLURAL: Final = {
    "newborn": "newborns", "infant": "infants", "toddler": "toddlers", "child": "children",
    "adolescent": "adolescents", "adult": "adults", "young adult": "young adults",
    "older adult": "older adults",
}  # fmt: skip


def _sex(sex: Stated | None, here: Sequence[Limit]) -> Verdict:
    named = {limit.value for limit in here if not limit.outside}
    if sex is None or len(named) != 1:
        return "unknown", ""
    (only,) = named
    whom = "women" if only == "female" else "men"
    if only == sex.value:
        return "applies", f"the source is about {whom}"
    return "not_applicable", f"the source is about {whom}; the question says {sex.text.strip()}"


def _pregnant(patient: Patient, here: Sequence[Limit]) -> Verdict:
    return _yes_no(patient, patient.pregnant, here, "pregnancy")


def _yes_no(patient: Patient, fact: Stated | None, here: Sequence[Limit], name: str) -> Verdict:
    """Pregnant or breastfeeding, against what is about those who are or those who are not."""
    outside = {limit.outside for limit in here}
    if len(outside) == 2:
        return "unknown", ""
    about = f"the source is about people {'outside of ' if True in outside else 'in '}{name}"
    if name == "breastfeeding":
        about = f"the source is about {'not ' if True in outside else ''}breastfeeding"
    if fact is not None:
        if fact.value is not (True in outside):
            return "applies", about
        said = fact.text.strip() if fact.value else f"no {name}"
        return "not_applicable", f"{about}; the question says {said}"
    if True in outside:
        return "unknown", ""
    barred = _cannot_be(patient)
    return ("not_applicable", f"{about}; the question says {barred}") if barred else ("unknown", "")


def _cannot_be(patient: Patient) -> str:
    """What tells that the patient is not pregnant nor breastfeeding; "" when nothing does."""
    if patient.sex is not None and patient.sex.value == "male":
        return patient.sex.text.strip()
    age = patient.age
    if age is None or age.low is None or age.of == "population":
        return ""
    old = age.low >= _FERTILE[1]
    young = age.high is not None and age.high <= _FERTILE[0]
    return age.text.strip() if old or young else ""


# Stages in words, and what a number in mL/min means beside them.
_UNMEASURED: Final = "mL/min"


def _renal(renal: Stated | None, here: Sequence[Limit]) -> Verdict:
    if renal is None:
        return "unknown", ""
    if isinstance(renal.value, float):
        if renal.unit is None or not renal.unit.startswith(_UNMEASURED):
            return "unknown", ""  # a creatinine says nothing of filtration without age and sex
        as_range = Stated(
            renal.value, renal.text, renal.start, renal.end, renal.unit, None, renal.value,
            renal.value + 1e-6,
        )  # fmt: skip
        return _ranged(as_range, here, "mL/min")
    if renal.low is not None:
        return _ranged(renal, here, "mL/min")
    # "Renal impairment" without a figure: only normal function is clearly something else.
    if all(limit.low is not None and limit.low >= 60 and limit.high is None for limit in here):
        return "unknown", ""
    words = [limit for limit in here if limit.value and (limit.high or 0) >= 90]
    return ("applies", "the source is about renal impairment") if words else ("unknown", "")


def _hepatic(hepatic: Stated | None, here: Sequence[Limit]) -> Verdict:
    if hepatic is None:
        return "unknown", ""
    value = str(hepatic.value)
    classes = "".join(limit.value for limit in here if limit.value.isupper() and not limit.outside)
    if value.startswith("Child-Pugh") and classes:
        about = f"the source is about Child-Pugh {' or '.join(sorted(set(classes)))}"
        if value[-1] in classes:
            return "applies", about
        return "not_applicable", f"{about}; the question says {hepatic.text.strip()}"
    words = any(limit.value.islower() and not limit.outside for limit in here)
    return ("applies", "the source is about liver disease") if words else ("unknown", "")


def _untold(patient: Patient, topic: str) -> bool:
    """Whether the fact is missing and could be asked for."""
    if topic in ("pregnant", "breastfeeding"):
        return getattr(patient, topic) is None and not _cannot_be(patient)
    if topic == "gestation":
        pregnant = patient.pregnant is not None and patient.pregnant.value is True
        return patient.gestation is None and pregnant
    if topic == "renal" and patient.renal is not None:
        return not str(patient.renal.unit or "").startswith(_UNMEASURED)
    return getattr(patient, topic) is None


def _depends(patient: Patient, text: str) -> list[str]:
    """Facts beside the population on which the text depends and that are not told."""
    lower = plain(text)
    found = []
    if patient.weight is None and _A_KILO.search(lower):
        found.append("weight")
    if not patient.allergies and _ANY_ALLERGY.search(lower):
        found.append("allergies")
    taking = None if patient.medicines else _TAKING.search(lower)
    if taking is not None and not _WATCHED.search(lower, 0, taking.start()):
        found.append("medicines")
    return found


def _beside(text: str, limit: Limit) -> bool:
    """Whether the limit stands in a further clause, so that what comes before it is for all:
    "give 100 mg; avoid in pregnancy" is advice for who is not pregnant too."""
    if limit.start <= 0 or limit.end > len(text):
        return False
    lower = plain(text)
    ends = [m.start() for m in _FURTHER.finditer(lower, 0, limit.start)]
    if ends and len(lower[: ends[-1]].split()) >= 3:
        return True
    warned = [begin for begin, _ in warning_ends(text) if begin < limit.start]
    return bool(warned) and listed("says").search(lower, 0, warned[0]) is not None


def _adjoin(text: str, one: Limit, other: Limit) -> bool:
    first, second = sorted((one, other), key=lambda limit: limit.start)
    between = text[first.end : second.start]
    return len(between) <= 15 and not _AND.search(between)


def _joined(text: str, excluding: Sequence[Limit], fitting: Sequence[Limit]) -> bool:
    """Whether a limit that fits is listed beside the excluding ones: "children and pregnant
    women" are two groups, and to be one of them is enough."""
    for one in excluding:
        for other in fitting:
            if any(_adjoin(text, other, each) for each in excluding):
                continue  # "women aged 25 years": two limits on the same people
            first, second = sorted((one, other), key=lambda limit: limit.start)
            if _JOINED.fullmatch(text, min(first.end, len(text)), min(second.start, len(text))):
                return True
    return False
