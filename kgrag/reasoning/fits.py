"""Each fact of a patient against whom a source's words are about, with the reason in our words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from kgrag.reasoning.populations import Limit
from kgrag.records.analysis import Patient, Stated

Result = Literal["applies", "not_applicable", "unknown"]
Verdict = tuple[Result, str]

# In this order the first conflict is the one that is told.
TOPICS: Final = ("age", "pregnant", "sex", "gestation", "breastfeeding", "renal", "hepatic")
# A woman outside of these years is taken not to be pregnant.
_FERTILE: Final = (10.0, 56.0)
MEASURED: Final = "mL/min"
"""Begins the unit of a kidney function that can be compared with the bounds of a text."""


def fits(patient: Patient, topic: str, here: Sequence[Limit]) -> Verdict:
    """Whether the limits of one topic are met by the patient, clearly not, or nobody can tell."""
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
    barred = cannot_be(patient)
    return ("not_applicable", f"{about}; the question says {barred}") if barred else ("unknown", "")


def cannot_be(patient: Patient) -> str:
    """What tells that the patient is not pregnant nor breastfeeding; "" when nothing does."""
    if patient.sex is not None and patient.sex.value == "male":
        return patient.sex.text.strip()
    age = patient.age
    if age is None or age.low is None or age.of == "population":
        return ""
    old = age.low >= _FERTILE[1]
    young = age.high is not None and age.high <= _FERTILE[0]
    return age.text.strip() if old or young else ""


def _renal(renal: Stated | None, here: Sequence[Limit]) -> Verdict:
    if renal is None:
        return "unknown", ""
    if isinstance(renal.value, float):
        if renal.unit is None or not renal.unit.startswith(MEASURED):
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
