"""Whether a quotation is of what the question asks: its drug, its condition and how severe that is;
and whether it states anything at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kgrag.reasoning.coverage import content_words
from kgrag.reasoning.medicines import kin, listed_medicines
from kgrag.reasoning.phrases import plain
from kgrag.records.analysis import Analysis, Patient
from kgrag.records.answer import Check
from kgrag.records.concepts import Mention
from kgrag.retrieval.seeds import Links
from kgrag.verification.units import has_dose

# The cell of a row that says what the row is for.
_INDICATION: Final = re.compile(
    r"(?:^|;\s?)(?:indications?|conditions?|diseases?|diagnos[ie]s|infections?|used for|for)"
    r"(?:\s[^:;]{1,30})?:(?P<what>[^;\n]{1,200})",
    re.IGNORECASE | re.MULTILINE,
)
# A row of what was measured in the arms of a trial: its amounts are no advice.
_ARMS: Final = re.compile(
    r"(?:^|;\s?)(?:[^:;\n]{0,40}\s)?(?:arm|group|placebo|controls?|participants|cohort|baseline)"
    r"(?:\s[^:;\n]{0,30})?:\s?[<>]?\d",
    re.IGNORECASE,
)
_NO_STATEMENT: Final = (
    (re.compile(r"(?:[A-Z][\w'’-]{1,30},\s(?:[A-Z]\.\s?){1,3}[,&(]?\s?(?:&\s)?){3}"
                r"|\b(?:19|20)\d{2};\s?\d{1,4}(?:\(\d{1,4}\))?:\s?\w{1,8}(?:[-–]\w{1,8})?\W*\Z"),
     "a list of references"),
    (re.compile(r"\bby\sthe\send\sof\sthis\s\w+,\syou\s(?:should|will)\sbe\sable\sto\b", re.I),
     "the plan of a text"),
    (re.compile(r"\A\W{0,3}(?:in|for|with|during|after|before)\s[^,.;]{1,60},\s(?:it|this|they|"
                r"these|those)\s(?:is|are|was|were|can|may|should|has|have|must)\b", re.I),
     "it does not name what it is about"),
)  # fmt: skip
_SEVERE: Final = r"(?:very\s)?(?:severe|complicated|life-threatening|critical|fulminant)"
_MILD: Final = r"(?:mild|uncomplicated|non-severe|low-severity)"


def no_statement(text: str) -> str:
    """Why the text states nothing that could answer; "" when it may."""
    return next((why for pattern, why in _NO_STATEMENT if pattern.search(text)), "")


def meets(
    asked: str,
    analysis: Analysis | None,
    text: str,
    place: Sequence[str],
    linker: Links,
    *,
    told: bool = True,
) -> list[Check]:
    """The checks of whether ``text``, which stands under ``place``, is of what is ``asked``.

    ``told`` says that ``asked`` is the question of the analysis, in which what the patient takes
    or is allergic to is not what is asked about.
    """
    patient = analysis.patient if analysis is not None and told else Patient()
    own = {one.start for one in (*patient.medicines, *patient.allergies)}
    mentions = [m for m in linker.link(asked) if m.start not in own]
    quoted = linker.link(text)
    checks = [_severity(asked, mentions, text)]
    takes = {one.start for one in patient.medicines}
    taken = _concepts([m for m in linker.link(asked) if m.start in takes], "drug")
    if taken & _concepts(quoted, "drug"):
        checks.append(_not_of_another(mentions, quoted, (*place, text)))
    main = analysis.intents[:1] if analysis is not None else ()
    if has_dose(text):
        checks.append(_same_drug(mentions, quoted))
        checks.append(_same_indication(asked, mentions, text, linker))
    elif main in (("contraindication",), ("interaction",)):
        names = {name for name, at in listed_medicines(asked) if at not in own}
        checks.append(_of_the_drug(mentions, names, quoted, (*place, text), linker))
    if _ARMS.search(text) and analysis is not None and "dose" in analysis.intents:
        checks.append(Check("dose", "fail", "what was measured in a trial is no dose"))
    return [check for check in checks if check.result != "not_applicable"]


def _concepts(mentions: Sequence[Mention], kind: str) -> set[str]:
    return {m.concept for m in mentions if m.type == kind}


def _same_drug(asked: Sequence[Mention], quoted: Sequence[Mention]) -> Check:
    """A dose is that of a drug the question asks about, when it names any."""
    wanted, found = _concepts(asked, "drug"), _concepts(quoted, "drug")
    if not wanted or not found:
        return Check("drug", "not_applicable")
    if wanted & found:
        return Check("drug", "pass")
    return Check("drug", "fail", "a dose of another drug than the one asked about", "factual error")


def _same_indication(asked: str, mentions: Sequence[Mention], text: str, linker: Links) -> Check:
    """A row of a table that says what its dose is for is for a condition that is asked about."""
    cells = " ; ".join(m["what"] for m in _INDICATION.finditer(text))
    wanted, told = _concepts(mentions, "disease"), _concepts(linker.link(cells), "disease")
    if not wanted or not told:
        return Check("indication", "not_applicable")
    if wanted & told or set(content_words(cells)) & set(content_words(asked)):
        return Check("indication", "pass")
    return Check("indication", "fail", "a dose for another condition", "factual error")


def _of_the_drug(
    asked: Sequence[Mention],
    names: set[str],
    quoted: Sequence[Mention],
    where: Sequence[str],
    linker: Links,
) -> Check:
    """What is asked of a drug is answered of it or its class, not of another one alone."""
    names = names | {plain(m.text) for m in asked if m.type == "drug"}
    if not names or not _concepts(quoted, "drug"):
        return Check("drug", "not_applicable")
    said = " . ".join(where)
    here = {m.concept for m in linker.link(said)}
    if here & _concepts(asked, "drug") or any(kin(name).search(plain(said)) for name in names):
        return Check("drug", "pass")
    return Check("drug", "fail", "of another drug than the one asked about", "factual error")


def _not_of_another(
    asked: Sequence[Mention], quoted: Sequence[Mention], where: Sequence[str]
) -> Check:
    """What speaks of a medicine that the patient takes speaks of the one that is asked about too,
    or of its class."""
    said = plain(" . ".join(where))
    wanted = [m for m in asked if m.type == "drug"]
    here = _concepts(quoted, "drug")
    if (
        all(m.concept not in here and not kin(plain(m.text)).search(said) for m in wanted)
        and wanted
    ):
        return Check("drug", "fail", "of what the patient takes, not of what is asked about",
                     "incomplete chain")  # fmt: skip
    return Check("drug", "not_applicable")


def _severity(asked: str, mentions: Sequence[Mention], text: str) -> Check:
    """What is asked of a severe condition is not answered by what is said of a mild one."""
    question, said = plain(asked), plain(text)
    for mention in mentions:
        if mention.type != "disease":
            continue
        before = question[max(0, mention.start - 30) : mention.start]
        name = re.escape(plain(mention.text).split()[-1])
        wanted, other = _SEVERE, _MILD
        if re.search(rf"\b{_MILD}\s(?:\w+\s)?\Z", before):
            wanted, other = other, wanted
        elif not re.search(rf"\b{_SEVERE}\s(?:\w+\s)?\Z", before):
            continue
        if _called(wanted, name, said):
            return Check("severity", "pass")
        if _called(other, name, said):
            return Check("severity", "fail", "of another severity than asked", "factual error")
    return Check("severity", "not_applicable")


def _called(severity: str, name: str, said: str) -> bool:
    return re.search(rf"\b{severity}\s(?:[\w-]+\s){{0,3}}{name}\b", said) is not None
