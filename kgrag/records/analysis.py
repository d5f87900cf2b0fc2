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
    condition, where the lexicon has one.
    """

    value: float | str | bool
    text: str
    start: int
    end: int
    unit: str | None = None
    concept: str | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient whom the question tells of; what it does not say is None or empty."""

    age: Stated | None = None
    sex: Stated | None = None
    pregnant: Stated | None = None
    breastfeeding: Stated | None = None
    weight: Stated | None = None
    renal: Stated | None = None
    hepatic: Stated | None = None
    allergies: tuple[Stated, ...] = ()
    medicines: tuple[Stated, ...] = ()
    conditions: tuple[Stated, ...] = ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """A question taken apart. ``parts`` are the questions in it, itself alone when it is one;
    ``time`` is a day, duration or date that it names; ``connects`` whether it asks how its
    concepts hang together."""

    question: str
    intents: tuple[Intent, ...] = ("other",)
    seeds: tuple[Seed, ...] = ()
    patient: Patient = Patient()
    time: Stated | None = None
    parts: tuple[str, ...] = ()
    connects: bool = False
