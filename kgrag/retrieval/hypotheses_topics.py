"""Which conditions documents are about, told by what they mention.

A condition is a document's topic as far as it is named often there and seldom elsewhere. Titles
are not needed: answers and sections come without one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.records.concepts import ConceptType
from kgrag.retrieval.concepts_index import ConceptIndex

# A disease is a topic sooner than a finding that is mentioned as often.
_DISEASE: Final = 1.3
# Of the weight of a document's first topic: those below are mentioned and no topic.
LEAST: Final = 0.5

_CONDITIONS: Final = ("disease", "phenotype")


class Topics:
    """Documents with their topics. Immutable; made of one state of the concept index.

    ``conditions`` are CURIEs. The three arrays are rows of one table, by document and then by
    condition: a number in ``index.arrays.documents``, one in ``conditions``, and the weight in
    [``LEAST``, 1], which is 1 for the document's first topic.
    """

    def __init__(self, index: ConceptIndex, type_of: Callable[[str], ConceptType | None]) -> None:
        self.index = index
        arrays = index.arrays
        names = [name.decode() for name in arrays.concepts.tolist()]
        types = [type_of(name) for name in names]
        stated = (arrays.count - arrays.denied > 0) & np.array(
            [t in _CONDITIONS for t in types], dtype=np.bool_
        )[arrays.concept]
        document = arrays.document_of[index.passage[stated]].astype(np.int64)
        concept = arrays.concept[stated].astype(np.int64)
        size = max(len(names), 1)
        pairs, inverse = np.unique(document * size + concept, return_inverse=True)
        counts = np.bincount(
            inverse, weights=(arrays.count - arrays.denied)[stated], minlength=len(pairs)
        )
        document, concept = pairs // size, pairs % size
        documents = max(len(arrays.documents), 1)
        frequency = np.bincount(concept, minlength=len(names))
        favoured = np.array([_DISEASE if t == "disease" else 1.0 for t in types])
        # One is added, so that a kb of one document has topics too.
        rarity = np.log((documents + 1) / np.maximum(frequency, 1))
        weight = np.sqrt(counts) * rarity[concept] * favoured[concept]
        most = np.zeros(documents)
        np.maximum.at(most, document, weight)
        weight = weight / np.where(most[document] > 0, most[document], 1.0)
        kept = weight >= LEAST
        used, condition = np.unique(concept[kept], return_inverse=True)
        self.conditions: tuple[str, ...] = tuple(names[at] for at in used.tolist())
        self.document: NDArray[np.int64] = document[kept]
        self.condition: NDArray[np.int64] = condition
        self.weight: NDArray[np.float64] = weight[kept]
        self._place = {curie: at for at, curie in enumerate(self.conditions)}

    def place(self, curie: str) -> int | None:
        """The condition's number; None when no document is about it."""
        return self._place.get(curie)

    def documents(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Shape (ids,): their numbers in ``index.arrays.documents``; -1 for those not current."""
        known = self.index.arrays.documents
        if not len(known) or not ids:
            return np.full(len(ids), -1, dtype=np.int64)
        wanted = np.array([name.encode() for name in ids], dtype=np.bytes_)
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        found: NDArray[np.int64] = np.where(known[at] == wanted, at, -1).astype(np.int64)
        return found
