"""Whether what a source says is for this patient: applies, is clearly not for them, or is unknown.

Advice for people of whom the patient is none is not applicable; so is advice to take what the
patient must not have. A warning is applicable to those whom it warns of. Only a clear conflict
excludes: whatever was not read in the question or in the source leaves the piece standing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kgrag.reasoning.fits import MEASURED, TOPICS, Result, cannot_be, fits
from kgrag.reasoning.medicines import allergy_conflict, interaction
from kgrag.reasoning.phrases import listed, plain
from kgrag.reasoning.populations import Limit, limits, warning_ends, warns
from kgrag.records.analysis import Patient
from kgrag.retrieval.seeds import Hierarchy, Links

_ANY_ALLERGY: Final = re.compile(
    r"\b(?:allergic\sto|allerg(?:y|ies)\sto|hypersensitiv\w+\sto|[\w-]+\sallerg(?:y|ic)\b)"
)
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
        result, reason = fits(patient, topic, here)
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
    met_by, out = {topic for topic, _ in applies}, {topic for topic, _, _ in excluded}
    for topic, reason, here in excluded:
        if topic in said:
            beside = _joined(text, here, [x for x in own if x.topic in met_by])
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


def _untold(patient: Patient, topic: str) -> bool:
    """Whether the fact is missing and could be asked for."""
    if topic in ("pregnant", "breastfeeding"):
        return getattr(patient, topic) is None and not cannot_be(patient)
    if topic == "gestation":
        pregnant = patient.pregnant is not None and patient.pregnant.value is True
        return patient.gestation is None and pregnant
    if topic == "renal" and patient.renal is not None:
        return not str(patient.renal.unit or "").startswith(MEASURED)
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
