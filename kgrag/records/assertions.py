"""What sources say, kept apart from the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from kgrag.ids import make_id

Tier = Literal["asserted", "candidate"]
Certainty = Literal["stated", "probable", "possible"]


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """The characters that state an assertion, in the version that stated it.

    ``quote`` equals stored text ``[start:end]`` of the document: a whole sentence or table row.
    ``subject_span`` and ``object_span`` are offsets of the two mentions in the same text.
    """

    document_id: str
    start: int
    end: int
    quote: str
    subject_span: tuple[int, int]
    object_span: tuple[int, int]
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Assertion:
    """Subject, predicate, object and qualifiers, as sources say it, with their evidence.

    ``negated`` is part of the identity: "is not indicated for" is another assertion than
    "treats", never the same edge. Qualifiers are sorted (name, value) pairs: population,
    condition, comparator, dose, timing, setting.
    """

    subject: str
    predicate: str
    object: str
    negated: bool = False
    qualifiers: tuple[tuple[str, str], ...] = ()
    tier: Tier = "asserted"
    certainty: Certainty = "stated"
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        if tuple(sorted(self.qualifiers)) != self.qualifiers:
            object.__setattr__(self, "qualifiers", tuple(sorted(self.qualifiers)))

    @property
    def id(self) -> str:
        """``ast_...``: by subject, predicate, object, polarity and qualifiers alone."""
        return make_id(
            "ast", self.subject, self.predicate, self.object, self.negated, self.qualifiers
        )

    def merged(self, *others: Assertion) -> Assertion:
        """This assertion with the evidence of all; the strongest tier and certainty win.

        Associative, commutative and idempotent. All must have the same id. Many are merged in one
        call: one after the other costs the square of their number.
        """
        own = self.id
        for other in others:
            if other.id != own:
                raise ValueError(f"{own} and {other.id} are different assertions")
        order: tuple[Certainty, ...] = ("stated", "probable", "possible")
        together = (self, *others)
        return replace(
            self,
            tier="asserted" if any(a.tier == "asserted" for a in together) else "candidate",
            certainty=min((a.certainty for a in together), key=order.index),
            evidence=tuple(sorted({e for a in together for e in a.evidence})),
        )
