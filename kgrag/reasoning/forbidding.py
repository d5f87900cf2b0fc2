"""Whether a warning is against what an advice advises this patient, or would be by an untold fact.

Only a clear conflict counts: the warning names the medicine that is advised, and is about a fact
that the question tells. Advice that is made for just those people stands, and so does advice for
everybody of whom another source advises against it: that is a disagreement of sources.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from kgrag.reasoning.applicability import Applicability, judge
from kgrag.reasoning.medicines import names_medicine, shared_drug
from kgrag.reasoning.phrases import plain
from kgrag.reasoning.populations import limits, warning_ends, warns
from kgrag.records.analysis import Patient
from kgrag.records.concepts import Mention
from kgrag.retrieval.seeds import Hierarchy, Links
from kgrag.sentences import sentences
from kgrag.verification.units import has_dose

_IMPAIRED: Final = 60.0  # mL/min
_GROWN: Final = 21.0  # years
_OLD: Final = 60.0
_DISEASES: Final = frozenset(("disease", "phenotype"))
_NARROWER: Final = 3
_MOST_NARROWER: Final = 2000
# Before a condition in which something is warned of; and what makes it that which is treated.
_IN: Final = re.compile(r"\b(?:in|with|of|have|has|having|had)\s(?:[\w,-]+\s){0,3}\Z")
_TREATED: Final = re.compile(
    r"\b(?:treat\w*|prevent\w*|therap\w*|manag\w*|relief|reliev\w*|prophyla\w*|diagnos\w*|screen\w*|for)\b"
)
_BUT: Final = re.compile(r"\b(?:unless|except|without|no|not|other\sthan|absence)\b")


@dataclass(frozen=True, slots=True)
class Caution:
    """What a warning says of an advice: ``reason`` why it forbids it to the patient, "" when it
    does not; ``missing`` the fields of ``Patient`` that decide it and that nobody told."""

    reason: str = ""
    missing: tuple[str, ...] = ()


def forbids(
    patient: Patient,
    advice: str,
    warning: str,
    place: str | Sequence[str] = (),
    *,
    linker: Links | None = None,
    names: Hierarchy | None = None,
) -> Caution:
    """What ``warning``, which stands under ``place``, says of ``advice`` for this patient.

    Each of its sentences is read by itself. Nothing is said against what itself warns.
    """
    if warns(advice) or not warns(warning):
        return Caution()
    missing: dict[str, None] = {}
    for said, named in _sentences(warning, linker):
        above = () if _says_whom(said) else place
        judged = judge(patient, said, above, linker=linker, names=names)
        reason = _told(patient, advice, judged, said, above)
        reason = reason or _condition(patient, advice, said, linker, names)
        untold = () if judged.result == "not_applicable" else judged.missing
        if not reason and not untold:
            continue
        # A warning of use with what the patient takes is against the other medicine.
        taken = frozenset(str(one.value) for one in patient.medicines)
        beside = taken if judged.fact == "medicines" else frozenset()
        drug = shared_drug(advice, named, linker, names, beside)
        if drug and reason:
            return Caution(f"{drug}: {reason}")
        if drug:
            missing.update(dict.fromkeys(untold))
    return Caution("", tuple(missing))


def falls_with(
    patient: Patient, fact: str, advice: str, other: str, near: bool, linker: Links | None
) -> bool:
    """Whether ``other`` is no answer either, since ``advice`` of its document is not for a patient.

    It is not when it advises the same medicine, or, ``near`` in its section, tells a dose of none
    by name, and the patient is one of those for whom care is taken: advice for people who are not
    pregnant speaks against its dose in pregnancy, advice for children not against an adult's.
    """
    if warns(other) or not _exposed(patient, fact, advice):
        return False
    if near and has_dose(other) and not names_medicine(other, linker):
        return True
    both = shared_drug(advice, other, linker, None) and shared_drug(other, advice, linker, None)
    return bool(both)


def _exposed(patient: Patient, fact: str, advice: str) -> bool:
    if fact in ("pregnant", "breastfeeding"):
        told = getattr(patient, fact)
        return told is not None and told.value is True
    if fact == "renal":
        renal = patient.renal
        high = None if renal is None else renal.high
        if renal is not None and isinstance(renal.value, float) and renal.unit != "mg/dL":
            high = renal.value
        return high is not None and high <= _IMPAIRED
    if fact == "hepatic":
        return True
    if fact == "age" and patient.age is not None and patient.age.low is not None:
        young = patient.age.high is not None and patient.age.high <= _GROWN
        groups = [limit for limit in limits(advice) if limit.topic == "age"]
        grown = all(limit.high is None or limit.high > _GROWN for limit in groups)
        return grown and (young or patient.age.low >= _OLD)
    return False


def _sentences(warning: str, linker: Links | None) -> Iterator[tuple[str, str]]:
    """The sentences that warn, each with the words that name the medicine: its own, or those of
    the sentence before ("It must not be used in pregnancy.")."""
    before = ""
    for span in sentences(warning):
        said = span.of(warning)
        if warns(said):
            yield said, said if names_medicine(said, linker) else f"{before} {said}".strip()
        before = said


def _says_whom(said: str) -> bool:
    """Whether the warning itself says for whom, so that no heading adds to it."""
    return any(x.topic != "sex" and x.value != "adult" for x in limits(said))


def _told(
    patient: Patient, advice: str, judged: Applicability, said: str, place: str | Sequence[str]
) -> str:
    """The reason of a warning about a fact that the question tells; "" when it forbids nothing."""
    if judged.result != "applies" or judged.fact in ("", "sex"):
        return ""
    if judged.fact == "age" and _of_adults(said, place):
        return ""
    meant = judge(patient, advice)
    if meant.result == "applies" and meant.fact == judged.fact:
        return ""  # made for just those people
    return judged.reason.replace("the source is about ", "the source warns of it for ", 1)


def _of_adults(said: str, place: str | Sequence[str]) -> bool:
    """Whether the warning is about adults at large."""
    above = (place,) if isinstance(place, str) else place
    found = [*limits(said), *(limit for text in above for limit in limits(text, heading=True))]
    return all(limit.value == "adult" for limit in found if limit.topic == "age")


def _condition(
    patient: Patient, advice: str, said: str, linker: Links | None, names: Hierarchy | None
) -> str:
    """The reason of a warning of use in a condition that the patient has; "" when there is none.

    A condition that the advice is about is none: there the sources disagree.
    """
    if linker is None or not patient.conditions:
        return ""
    about = {m.concept for m in linker.link(advice)}
    warned = [m for m in linker.link(said) if m.type in _DISEASES and _warned_in(said, m)]
    for condition in patient.conditions:
        if condition.concept is None:
            continue
        same = {condition.concept}
        if names is not None:
            same.update(names.equivalents(condition.concept))
        for mention in warned:
            if same & about or mention.concept in about:
                continue
            if mention.concept in same or _narrower(mention.concept, same, names):
                return (
                    f"the source warns of it in {mention.text}; "
                    f"the question says {condition.text.strip()}"
                )
    return ""


def _narrower(broad: str, same: set[str], names: Hierarchy | None) -> bool:
    if names is None:
        return False
    return bool(same & set(names.descendants(broad, depth=_NARROWER, limit=_MOST_NARROWER)))


def _warned_in(said: str, mention: Mention) -> bool:
    """Whether the words warn of something in people with the condition, not as its treatment."""
    lower = plain(said)
    if not _IN.search(lower, max(0, mention.start - 60), mention.start):
        return False
    for begin, end in warning_ends(said):
        first, last = (end, mention.start) if end <= mention.start else (mention.end, begin)
        between = lower[first:last]
        if not _TREATED.search(between) and not _BUT.search(between) and ";" not in between:
            return True
    return False
