"""Which facts of the question's patient nothing that is quoted speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from kgrag.reasoning.medicines import kin
from kgrag.reasoning.phrases import plain
from kgrag.records.analysis import Analysis, Intent, Patient, Stated
from kgrag.records.answer import Statement

_ADVICE: Final[frozenset[Intent]] = frozenset(
    ("treatment", "dose", "contraindication", "interaction", "comparison")
)
_CHILD: Final = 18.0
# Words by which a source speaks of a fact at all, whatever it says of it.
_SPOKEN: Final = {
    "pregnant": re.compile(r"pregnan|gestation|fet(?:al|us)|foet|trimester|childbearing|matern"),
    "breastfeeding": re.compile(r"breast-?\s?f|lactat|nursing\s(?:mother|wom|infant)|breast\smilk"),
    "renal": re.compile(r"renal|kidney|nephr|gfr|creatinine|dialysis|\bckd\b"),
    "hepatic": re.compile(r"hepat|liver|cirrho|child[\s-]pugh"),
    "allergies": re.compile(r"allerg|hypersensitiv|anaphyla"),
    "age": re.compile(r"child|infant|newborn|neonat|p(?:a)?ediatric|adolescen|\bage|\byears?\b"),
}


def unaddressed(analysis: Analysis, statements: Iterable[Statement]) -> tuple[str, ...]:
    """The question's words for each fact of its patient that no statement, nor the headings that
    it stands under, speaks of; none for a question that asks for no advice."""
    if not _ADVICE & set(analysis.intents):
        return ()
    said = plain(" . ".join(_texts(statements)))
    return tuple(fact.text.strip() for name, fact in facts(analysis.patient)
                 if not _spoken(name, fact, said))  # fmt: skip


def facts(patient: Patient) -> Iterator[tuple[str, Stated]]:
    """The facts on which advice may depend, with the names of their fields: a pregnancy, nursing,
    kidneys, liver, allergies, medicines, and the age of a child."""
    for name in ("pregnant", "breastfeeding", "renal", "hepatic"):
        told: Stated | None = getattr(patient, name)
        if told is not None and told.value is not False:
            yield name, told
    age = patient.age
    if age is not None and age.high is not None and age.high <= _CHILD:
        yield "age", age
    for name in ("allergies", "medicines"):
        for one in getattr(patient, name):
            yield name, one


def _spoken(name: str, fact: Stated, said: str) -> bool:
    pattern = _SPOKEN.get(name)
    if pattern is not None and pattern.search(said):
        return True
    return name in ("allergies", "medicines") and kin(str(fact.value)).search(said) is not None


def _texts(statements: Iterable[Statement]) -> Iterator[str]:
    for statement in statements:
        for citation in statement.citations:
            yield from (citation.document.title, *citation.section, citation.quote)
