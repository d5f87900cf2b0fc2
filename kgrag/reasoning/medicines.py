"""Medicines in a source's words against what the patient is allergic to or takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from kgrag.reasoning.drug_classes import drug_classes, names_pattern, spoken_against
from kgrag.reasoning.phrases import listed, plain
from kgrag.reasoning.populations import warning_ends
from kgrag.records.analysis import Stated
from kgrag.retrieval.seeds import Hierarchy, Links

_SUBSTANCES: Final = ("drug", "chemical")
_ALLERGY: Final = re.compile(
    r"\b(?:allerg\w+|hypersensitiv\w+|anaphyla\w+|intoleran\w+|desensiti\w+)\b"
)
_INSTEAD: Final = re.compile(
    r"(?:\b(?:instead\sof|rather\sthan|unless|other\sthan|alternative\sto|alternatives\sto|"
    r"except|not|no|avoid\w*|without|replac\w+|in\splace\sof)\s(?:\w+\s){0,2})\Z"
)
_SENTENCE: Final = re.compile(r"[.;?!](?=\s|\Z)|\n")
# A stored row of a table: "Drug: X; Dose: Y".
_ROW: Final = re.compile(r"^[^:;\n]{1,60}:[^;\n]{1,300}(?:;\s?[^:;\n]{1,60}:[^;\n]{0,300})+$", re.M)
# What is told of harm speaks of use and advises nothing, unless stronger words do.
_HARM: Final = re.compile(
    r"\b(?:can|may|could|might)\s(?:\w+\s)?(?:cause|lead|result|increase|raise|worsen|induce)\b|"
    r"\bcauses?\b|\b(?:adverse|side)\s(?:effects?|reactions?)\b"
)
_STRONG: Final = re.compile(
    r"\b(?:recommend\w*|should|first[\s-]line|of\schoice|prefer\w*|offer\w*|prescrib\w*|mg|mcg)\b"
)
# Behind the name of a medicine: what is meant is a disorder, or another medicine.
_NOT_IT: Final = re.compile(
    r"[\s-](?:use\sdisorders?|overdoses?|misuse|abuse|dependen\w+|addiction|withdrawal|poisoning|"
    r"toxicity|intoxication|antagonists?|allerg\w+|na[iï]ve)\b"
)


def allergy_conflict(
    allergies: Sequence[Stated], text: str, linker: Links | None, names: Hierarchy | None
) -> str:
    """Why the text advises what the patient is allergic to, naming both; "" when it does not.

    A text that speaks of the allergy itself, or warns of the medicine, advises nothing of the kind.
    """
    if not allergies:
        return ""
    lower = plain(text)
    for allergy in allergies:
        substance = str(allergy.value)
        barred = spoken_against(substance)
        for begin, end, name in _named(text, lower, allergy, barred, linker, names):
            first, last = _clause(lower, begin, end)
            if not _ALLERGY.search(lower, first, last) and _advised(lower, begin, end):
                group = barred.get(name, "")
                why = f" ({group})" if group and group != substance else ""
                said = allergy.text.strip()
                told = f"the question tells of an allergy to {said}"
                return f"the source advises {text[begin:end]}{why}; {told}"
    return ""


def _named(
    text: str,
    lower: str,
    allergy: Stated,
    barred: Mapping[str, str],
    linker: Links | None,
    names: Hierarchy | None,
) -> list[tuple[int, int, str]]:
    """Where the text names the substance of the allergy or what belongs to its class."""
    found = [(*m.span(), m[0]) for m in names_pattern(frozenset(barred)).finditer(lower)]
    if linker is None or allergy.concept is None:
        return found
    below = {allergy.concept}
    if names is not None:
        below.update(names.equivalents(allergy.concept))
        below.update(names.descendants(allergy.concept, depth=3, limit=2000))
    for mention in linker.link(text):
        if mention.type in _SUBSTANCES and mention.concept in below:
            found.append((mention.start, mention.end, mention.text.lower()))
    return found


def _clause(lower: str, begin: int, end: int) -> tuple[int, int]:
    """The sentence or part of one around the characters, or the row of a table."""
    for row in _ROW.finditer(lower):
        if row.start() <= begin and end <= row.end():
            return row.span()
    first = 0
    for match in _SENTENCE.finditer(lower, 0, begin):
        first = match.end()
    last = _SENTENCE.search(lower, end)
    return first, last.start() if last else len(lower)


def _advised(lower: str, begin: int, end: int) -> bool:
    """Whether the medicine at these characters is advised, not warned of or told of."""
    first, last = _clause(lower, begin, end)
    clause = lower[first:last]
    if any(first <= at < last for at, _ in warning_ends(lower)):
        return False
    if _INSTEAD.search(lower, max(first, begin - 40), begin):
        return False
    if _HARM.search(clause) and not _STRONG.search(clause):
        return False
    return listed("advises").search(clause) is not None


def interaction(medicines: Sequence[Stated], text: str) -> str:
    """What the text says of taking something together with one of ``medicines``, in our words."""
    if not medicines:
        return ""
    lower = plain(text)
    if not listed("interacts").search(lower):
        return ""
    for medicine in medicines:
        named = frozenset((str(medicine.value), *_groups(str(medicine.value))))
        match = names_pattern(named).search(lower)
        if match is None:
            continue
        first, last = _clause(lower, *match.span())
        if listed("interacts").search(lower[first:last]):
            name = text[match.start() : match.end()]
            return f"the source is about use with {name}, which the patient takes"
    return ""


def _groups(name: str) -> frozenset[str]:
    """Words for the classes that the substance is in."""
    return frozenset(word for group in drug_classes() if name in group.names for word in group.of)


def shared_drug(
    advice: str,
    warning: str,
    linker: Links | None,
    names: Hierarchy | None,
    beside: frozenset[str] = frozenset(),
) -> str:
    """The medicine that the advice advises and the warning warns of; "" when there is none.

    What ``beside`` names is in the warning for another's sake, and is not warned of. Without a
    linker only the medicines of the class table are known.
    """
    others = beside.union(*(_groups(name) for name in beside))
    lower = plain(warning)
    warned = {name for name, _, _ in _table_names(lower)}
    advised = _table_names(plain(advice))
    for name, begin, end in advised:
        kin = {name, *_groups(name)}
        if name not in others and kin & warned and _advised(plain(advice), begin, end):
            return name
    if linker is None:
        return ""
    concepts = {m.concept for m in linker.link(warning) if m.type in _SUBSTANCES}
    for mention in linker.link(advice):
        if mention.type not in _SUBSTANCES or mention.text.lower() in others:
            continue
        wider = {mention.concept}
        if names is not None:
            wider.update(names.equivalents(mention.concept))
        if wider & concepts and _advised(plain(advice), mention.start, mention.end):
            return mention.text
    return ""


def names_medicine(text: str, linker: Links | None) -> bool:
    """Whether the text names any medicine, by the class table or the linker."""
    if _table_names(plain(text)):
        return True
    return linker is not None and any(m.type in _SUBSTANCES for m in linker.link(text))


def listed_medicines(text: str) -> list[tuple[str, int]]:
    """The medicines and classes of the class table that the text names, with where."""
    return [(name, start) for name, start, _ in _table_names(plain(text))]


def kin(name: str) -> re.Pattern[str]:
    """Finds the medicine, its class, or for a class its members, in ``plain`` text."""
    names = {name, *_groups(name)}
    for group in drug_classes():
        if name in group.of:
            names |= group.of | group.names
    return names_pattern(frozenset(names))


def _table_names(lower: str) -> list[tuple[str, int, int]]:
    every = frozenset(n for group in drug_classes() for n in group.names | group.of)
    found = names_pattern(every).finditer(lower)
    return [(m[0], *m.span()) for m in found if not _NOT_IT.match(lower, m.end())]
