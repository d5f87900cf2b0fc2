"""What a question says, read without a language model: what is asked, of whom, in which parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kgrag.records.answer import Seed

Intent = Literal[
    "definition", "cause", "diagnosis", "treatment", "dose", "contraindication", "interaction",
    "prognosis", "screening", "comparison", "yes_no", "other",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stated:
    """Something that the question says, with its characters: ``question[start:end] == text``.

    ``unit`` is UCUM ("a" for years, "mL/min"); ``concept`` the CURIE of a named substance or
    condition, where the lexicon has one. What is a range or a group holds the values
    ``low <= x < high`` in ``unit``, open where None: "67-year-old" has the value 67 and is in
    [67, 68), "in her 70s" has the value "70-79", "in children" the value "child" and [0, 18).
    ``of`` is "population" for a group that is asked about ("in children"), not a patient told of.
    """

    value: float | str | bool
    text: str
    start: int
    end: int
    unit: str | None = None
    concept: str | None = None
    low: float | None = None
    high: float | None = None
    of: Literal["patient", "population"] = "patient"


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient whom the question tells of; what it does not say is None or empty.

    ``age`` is in years, ``weight`` in kg. ``sex`` is "female" or "male". ``pregnant`` is True or
    False; ``gestation``, in weeks, how far ("second trimester": [14, 28)). ``renal`` is a number
    (eGFR in mL/min/{1.73_m2}, clearance in mL/min, creatinine in mg/dL or umol/L) or words ("CKD
    stage 4", "dialysis", "renal impairment"), with the eGFR that a stage means as its range.
    ``hepatic`` is words ("Child-Pugh B", "cirrhosis"). ``medicines`` are those taken.
    """

    age: Stated | None = None
    sex: Stated | None = None
    pregnant: Stated | None = None
    gestation: Stated | None = None
    breastfeeding: Stated | None = None
    weight: Stated | None = None
    renal: Stated | None = None
    hepatic: Stated | None = None
    allergies: tuple[Stated, ...] = ()
    medicines: tuple[Stated, ...] = ()
    conditions: tuple[Stated, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """A question taken apart. ``intents`` are all that are asked, the main one first; ``parts``
    the questions in it, itself alone when it is one; ``time`` is a day, duration or date that it
    names; ``connects`` whether it asks how its concepts hang together."""

    question: str
    intents: tuple[Intent, ...] = ("other",)
    seeds: tuple[Seed, ...] = ()
    patient: Patient = Patient()
    time: Stated | None = None
    parts: tuple[str, ...] = ()
    connects: bool = False
