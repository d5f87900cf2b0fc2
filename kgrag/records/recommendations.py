"""What a guideline advises: a node of its own, opened at the characters that advise it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kgrag.ids import make_id

Direction = Literal["for", "against", "neither"]


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade as (system, raw, normalised): "Grade B" alone means nothing.

    ``system`` is GRADE, USPSTF, ACC/AHA, NICE or SIGN, or "unknown" when the source names none and
    none follows from its issuer. ``normalised`` is a term of ``ontologies/grades.toml``, None
    where the raw text has no agreed meaning. ``span`` holds the characters of ``raw`` in the stored
    text: in the recommendation itself, or in the heading or column that it inherits from.
    """

    system: str
    raw: str
    normalised: str | None
    span: tuple[int, int]
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Population, action, direction, strength and certainty, as one document version says them.

    ``quote`` equals stored text ``[start:end]``: whole sentences or one table row. The spans are
    offsets into the same text; ``population`` may stand in a heading or column outside the quote.
    ``neither`` is advice that says the evidence is insufficient. ``interventions`` and
    ``conditions`` are CURIEs of the mentions inside the action and of what it is for. ``sex`` and
    ages (years) are read from the population, None where it does not limit them. ``issuer`` and
    ``effective`` (ISO date, as exact as stated) come from the recommendation, else its document;
    ``supersedes`` holds what the text itself says it replaces, as stated. ``lead`` is the sentence
    or heading outside the quote that a list item or row continues ("Clinicians should:");
    ``exceptions`` are the parts of the quote that limit the advice ("unless ...").
    """

    document_id: str
    start: int
    end: int
    quote: str
    direction: Direction
    action: tuple[int, int]
    population: tuple[int, int] | None = None
    strength: Grade | None = None
    certainty: Grade | None = None
    interventions: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    sex: Literal["female", "male"] | None = None
    min_age: float | None = None
    max_age: float | None = None
    issuer: str | None = None
    effective: str | None = None
    supersedes: tuple[str, ...] = ()
    rule: str = ""
    lead: tuple[int, int] | None = None
    exceptions: tuple[tuple[int, int], ...] = ()

    @property
    def id(self) -> str:
        """``rec_...``: by document version, place, direction and action."""
        return make_id("rec", self.document_id, self.start, self.end, self.direction, self.action)
