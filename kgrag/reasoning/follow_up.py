"""What to ask back: the patient facts on which the answer depends and that were not told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from typing import Final

from kgrag.reasoning.applicability import Applicability
from kgrag.reasoning.notices import notice
from kgrag.reasoning.phrases import listed, plain
from kgrag.records.analysis import Analysis, Intent, Patient

MOST: Final = 3
# In the order in which a clinician would ask; ties go to the first.
FACTS: Final = ("pregnant", "age", "renal", "allergies", "weight", "medicines", "hepatic",
                "gestation", "breastfeeding", "sex")  # fmt: skip
_ADVICE: Final[frozenset[Intent]] = frozenset(
    ("treatment", "dose", "contraindication", "interaction", "screening", "comparison")
)


def questions(analysis: Analysis, judged: Sequence[Applicability]) -> tuple[str, ...]:
    """At most ``MOST`` fixed sentences, each about a fact that is missing and that decides whether
    one of the ``judged`` pieces is for the patient; none when nothing depends on one.

    Only advice depends on a patient: what a disease is, or what causes it, does not, unless the
    question tells of one. What the question says is not so ("no known allergies") is not asked.
    """
    if not _ADVICE & set(analysis.intents) and not _tells_of_one(analysis.patient):
        return ()
    if listed("asks_whom").search(plain(analysis.question)):
        return ()
    denied = {
        fact
        for fact in ("allergies", "renal", "hepatic", "medicines")
        if listed(f"denies_{fact}").search(plain(analysis.question))
    }
    standing = [one for one in judged if one.result != "not_applicable"]
    wanted = Counter(fact for one in standing for fact in one.missing if fact not in denied)
    ordered = sorted(wanted, key=lambda fact: (-wanted[fact], FACTS.index(fact)))
    return tuple(notice(f"ask_{fact}") for fact in ordered[:MOST])


def _tells_of_one(patient: Patient) -> bool:
    """Whether the question tells of one patient, not of a group."""
    facts = [getattr(patient, field.name) for field in fields(patient)]
    stated = [s for fact in facts for s in (fact if isinstance(fact, tuple) else (fact,))]
    return any(one is not None and one.of == "patient" for one in stated)
