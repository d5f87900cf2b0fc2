"""Which diseases the annotations of the lexicon make of findings: sums of shared information.

A finding speaks for a disease by the most informative term that both are or are below of (Resnik,
IJCAI 1995), where a term informs by how few diseases have it. Frequencies of findings and findings
that are denied were tried too and did not pay (``bench/RESULTS.md``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

PART: Final = "disease-findings"


class Vocabulary(Protocol):
    """What knows the annotations and other ids of concepts: the ``Lexicon``."""

    def part(self, name: str) -> Any: ...
    def equivalents(self, curie: str) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Shared:
    """A finding of the text and the term by which it speaks for a disease, with what it informs.

    ``information`` is -ln of the share of diseases that have ``term``.
    """

    finding: str
    term: str
    information: float


class Annotations:
    """Findings of diseases, held as terms with those above them. Immutable.

    ``diseases`` are CURIEs, ascending.
    """

    def __init__(self, part: Mapping[str, Any], equivalents: Any) -> None:
        self.terms: tuple[str, ...] = tuple(part["terms"])
        self.diseases: tuple[str, ...] = tuple(part["diseases"])
        self._equivalents = equivalents
        self._number = {term: at for at, term in enumerate(self.terms)}
        self._place = {curie: at for at, curie in enumerate(self.diseases)}
        self._parents: list[list[int]] = part["parents"]
        self._above: dict[int, frozenset[int]] = {}
        having: dict[int, list[int]] = {}
        for at, curie in enumerate(self.diseases):
            closed: set[int] = set()
            for term in part["diseases"][curie]:
                closed |= self._closed(term)
            for term in closed:
                having.setdefault(term, []).append(at)
        self._having = {term: np.array(places) for term, places in having.items()}

    @classmethod
    def of(cls, lexicon: Vocabulary) -> Annotations | None:
        """Those of a lexicon; None when it was compiled without."""
        part = lexicon.part(PART)
        return None if part is None else cls(part, lexicon.equivalents)

    def scores(self, findings: Sequence[str]) -> NDArray[np.float64]:
        """Shape (diseases,): the information that each shares with the findings (CURIEs), summed.

        A finding that has no term says nothing.
        """
        total = np.zeros(len(self.diseases))
        for finding in findings:
            best = np.zeros(len(self.diseases))
            for term in self._reached(finding):
                places = self._having.get(term)
                if places is not None:
                    best[places] = np.maximum(best[places], self._information(term))
            total += best
        return total

    def shared(self, findings: Sequence[str], disease: str) -> tuple[Shared, ...]:
        """What speaks for the disease, the most informative first; none for an unknown one."""
        at = self._place.get(disease)
        found: list[Shared] = []
        for finding in findings if at is not None else ():
            held = [
                (self._information(t), self.terms[t])
                for t in self._reached(finding)
                if t in self._having and at in self._having[t]
            ]
            information, term = max(held, default=(0.0, ""))
            if information > 0:
                found.append(Shared(finding, term, information))
        return tuple(sorted(found, key=lambda s: (-s.information, s.finding)))

    def _information(self, term: int) -> float:
        return -math.log(len(self._having[term]) / len(self.diseases))

    def _reached(self, finding: str) -> frozenset[int]:
        numbers = {self._number.get(i) for i in (finding, *self._equivalents(finding))}
        reached: frozenset[int] = frozenset()
        for number in numbers:
            if number is not None:
                reached |= self._closed(number)
        return reached

    def _closed(self, term: int) -> frozenset[int]:
        held = self._above.get(term)
        if held is None:
            held = frozenset((term,)).union(*(self._closed(up) for up in self._parents[term]))
            self._above[term] = held
        return held
