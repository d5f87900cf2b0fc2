"""What a question asks for of its concepts: types of concepts, and relations of the graph.

"What are the treatments for gout?" asks for drugs and procedures, and for what treats gout. A
passage on gout that names none answers something else about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.records.answer import Hit
from kgrag.records.concepts import ConceptType
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.concepts_index import ConceptIndex


@dataclass(frozen=True, slots=True)
class Asking:
    """``types`` of concepts that an answer names; ``into`` and ``out`` are the predicates of the
    assertions that an answer states, with the question's concept as their object or subject."""

    types: frozenset[ConceptType] = frozenset()
    into: tuple[str, ...] = ()
    out: tuple[str, ...] = ()


_NOTHING: Final = Asking()


def _words(*stems: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(stems)})\b", re.IGNORECASE)


# The first that fits counts, so what is narrower comes first.
_ASKING: Final[tuple[tuple[re.Pattern[str], Asking], ...]] = (
    (
        _words(r"contraindicat\w*"),
        Asking(into=("contraindicated_in",), out=("contraindicated_in",)),
    ),
    (_words(r"side effects?", r"adverse (?:effects?|reactions?|events?)"), Asking(out=("causes",))),
    (
        _words(r"treat\w*", r"therap\w*", r"manage\w*", r"medication\w*", r"drug\w*"),
        Asking(frozenset(("drug", "chemical", "procedure")), into=("treats",)),
    ),
    (
        _words(r"symptom\w*", r"signs?", r"manifest\w*", r"features?"),
        Asking(frozenset(("phenotype",)), out=("has_phenotype",)),
    ),
    (
        _words(r"diagnos\w*", r"tests?", r"detect\w*"),
        Asking(frozenset(("procedure", "analyte")), into=("diagnoses",)),
    ),
    (_words(r"prevent\w*"), Asking(into=("prevents",))),
    (_words(r"risk factors?", r"at risk"), Asking(into=("risk_factor_for",))),
    (_words(r"caus\w*"), Asking(into=("causes",))),
)
# Such a question asks whether, not what.
_WHETHER: Final = re.compile(
    r"(?:is|are|was|were|do|does|did|can|could|has|have|should|will|may)\b", re.IGNORECASE
)


def asking(question: str) -> Asking:
    """What the question asks for; nothing where it asks whether something is so."""
    if _WHETHER.match(question):
        return _NOTHING
    return next((found for words, found in _ASKING if words.search(question)), _NOTHING)


class AnswerTypes:
    """How many concepts of the types that are asked for a passage names. A ``Scorer``.

    ``type_of`` gives the type of a concept, None when it is not known any more.
    """

    name = "answer-types"

    def __init__(
        self, index: Callable[[], ConceptIndex], type_of: Callable[[str], ConceptType | None]
    ) -> None:
        self._index, self._type_of = index, type_of
        self._known: dict[str, ConceptType | None] = {}

    def score(self, asked: Asked, hits: Sequence[Hit]) -> NDArray[np.float64]:
        """See ``Scorer``: ln(1 + concepts of those types, the question's own left out).

        NaN for all when the question asks for none or names no concept, and for a passage that the
        index does not hold.
        """
        found = np.full(len(hits), np.nan)
        wanted = asking(asked.text).types
        if not wanted or not asked.mentions:
            return found
        own = {mention.concept for mention in asked.mentions}
        index = self._index()
        names = index.arrays.concepts
        for at, hit in enumerate(hits):
            number = index.passage_number(hit.passage_id)
            if number is not None:
                concepts = index.arrays.concept[index.rows_of(number)]
                curies = (names[concept].decode() for concept in concepts.tolist())
                others = sum(c not in own and self._type(c) in wanted for c in curies)
                found[at] = np.log1p(others)
        return found

    def _type(self, curie: str) -> ConceptType | None:
        if curie not in self._known:
            self._known[curie] = self._type_of(curie)
        return self._known[curie]
