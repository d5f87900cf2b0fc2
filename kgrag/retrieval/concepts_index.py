"""Which passages mention which concepts, kept beside the kb and brought up to the truth.

Derived from the truth's passages and mentions; stamped with the generation that it reflects. A
stale one is brought up to date by exchanging the documents that changed; a missing or damaged one
is built again.
"""

from __future__ import annotations

import shutil
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.retrieval.concepts_arrays import (
    FILE,
    ConceptArrays,
    Ints,
    Noted,
    Posted,
    build,
    exchange,
    load,
    save,
)
from kgrag.stores.base import Filters, TruthStore

# Up to so many changed documents are exchanged one by one whatever the size of the kb.
_FEW: Final = 100
# The kb's folder that keeps the index.
FOLDER: Final = "concepts"
# The parts of retrieval that read it.
READERS: Final = frozenset(("concepts", "graph", "hypotheses", "shared-concepts", "answer-types"))


class ConceptIndex:
    """Concepts by passage and passages by concept, of current documents. Immutable once made."""

    def __init__(self, arrays: ConceptArrays, stamp: int) -> None:
        self.arrays, self.stamp = arrays, stamp

    def __len__(self) -> int:
        """The number of passages."""
        return len(self.arrays.passages)

    @cached_property
    def _by_concept(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows in order of concept, then passage, and where each concept's begin."""
        rows = np.argsort(self.arrays.concept, kind="stable")
        start = np.zeros(len(self.arrays.concepts) + 1, dtype=np.int64)
        np.cumsum(
            np.bincount(self.arrays.concept, minlength=len(self.arrays.concepts)), out=start[1:]
        )
        return rows, start

    @cached_property
    def passage(self) -> Ints:
        """Shape (rows,): the passage of each row."""
        return self.arrays.passage

    def concept_number(self, curie: str) -> int | None:
        """The concept's place in ``arrays.concepts``; None when no passage mentions it."""
        return _number(self.arrays.concepts, curie)

    def passage_number(self, identifier: str) -> int | None:
        """The passage's place in ``arrays.passages``; None when it is not current here."""
        return _number(self.arrays.passages, identifier)

    def frequency(self, curie: str) -> int:
        """How many passages mention the concept."""
        number = self.concept_number(curie)
        if number is None:
            return 0
        _, start = self._by_concept
        return int(start[number + 1] - start[number])

    def rows_with(self, concept: int) -> NDArray[np.int64]:
        """The rows of the passages that mention the concept, in order of passage."""
        rows, start = self._by_concept
        return rows[start[concept] : start[concept + 1]]

    def rows_of(self, passage: int) -> slice:
        """The rows of the passage."""
        return slice(int(self.arrays.start[passage]), int(self.arrays.start[passage + 1]))

    def admitted(self, filters: Filters) -> NDArray[np.bool_] | None:
        """Shape (passages,): which ones the filters let through; None when they let through all."""
        arrays = self.arrays
        if filters == Filters():
            return None
        documents = np.ones(len(arrays.documents), dtype=np.bool_)
        if filters.collections:
            homes = np.isin(arrays.collections, _names(filters.collections))
            documents &= homes[arrays.collection_of]
        if filters.documents:
            documents &= np.isin(arrays.documents, _names(filters.documents))
        if filters.without_documents:
            documents &= ~np.isin(arrays.documents, _names(filters.without_documents))
        return documents[arrays.document_of]

    def passage_name(self, number: int) -> str:
        """The passage's id."""
        return str(self.arrays.passages[number].decode())

    def document_name(self, passage: int) -> str:
        """The id of the passage's document."""
        return str(self.arrays.documents[self.arrays.document_of[passage]].decode())


def _names(values: Sequence[str]) -> NDArray[np.bytes_]:
    return np.array([value.encode() for value in values], dtype=np.bytes_)


def _number(names: NDArray[np.bytes_], name: str) -> int | None:
    wanted = np.bytes_(name.encode())
    at = int(np.searchsorted(names, wanted))
    return at if at < len(names) and names[at] == wanted else None


def noted(truth: TruthStore, document_id: str, collection: str) -> Noted:
    """What the document's passages mention, each mention in every passage that holds it whole."""
    passages = sorted(truth.passages(document_id), key=lambda p: (p.start, p.end))
    starts = [p.start for p in passages]
    longest = max((p.end - p.start for p in passages), default=0)
    counted: dict[tuple[str, str], list[int]] = {}
    for mention in truth.mentions(document_id):
        at = bisect_right(starts, mention.start) - 1
        while at >= 0 and starts[at] + longest >= mention.end:
            passage = passages[at]
            if mention.end <= passage.end:
                held = counted.setdefault((passage.id, mention.concept), [0, 0])
                held[0] += 1
                held[1] += mention.negated or mention.absent
            at -= 1
    postings = tuple(Posted(*key, *held) for key, held in sorted(counted.items()))
    return Noted(collection, tuple(p.id for p in passages), postings)


def build_concepts(truth: TruthStore) -> ConceptIndex:
    """The index of the truth's current documents, stamped with its generation."""
    # Read before the rows: a change in between leaves the index stale, never falsely current.
    stamp = truth.generation
    found = {i.id: noted(truth, i.id, i.source.collection) for i in truth.documents()}
    return ConceptIndex(build(found), stamp)


def catch_up(index: ConceptIndex, truth: TruthStore) -> ConceptIndex:
    """The index at the truth's generation, equal to one built anew.

    Only documents that changed since its stamp are read, unless they are so many that reading all
    is as quick.
    """
    stamp = truth.generation
    if index.stamp == stamp:
        return index
    if index.stamp > stamp:  # another kb's, or one put back from a backup
        return build_concepts(truth)
    last = {change.document_id: change.op for change in truth.changes(index.stamp)}
    if len(last) > max(_FEW, len(index.arrays.documents) // 2):
        return build_concepts(truth)
    changed: Mapping[str, Noted | None] = {
        name: noted(truth, name, truth.info(name).source.collection) if op == "add" else None
        for name, op in last.items()
    }
    return ConceptIndex(exchange(index.arrays, changed), stamp)


def open_concepts(
    truth: TruthStore, directory: Path | None = None, *, write: bool = False
) -> ConceptIndex:
    """The index at the truth's generation: the saved one, brought up to date, else a new one.

    With a ``directory`` (the kb's ``concepts`` folder) and ``write`` what changed is saved there. A
    damaged file counts as missing, because the index can always be derived again.
    """
    saved: ConceptIndex | None = None
    if directory is not None and (directory / FILE).exists():
        try:
            saved = ConceptIndex(*load(directory))
        except ValueError:
            saved = None
        if saved is not None and saved.stamp == truth.generation:
            return saved
    made = build_concepts(truth) if saved is None else catch_up(saved, truth)
    if directory is not None and write:
        save(made.arrays, made.stamp, directory)
    return made


def keep_concepts(truth: TruthStore, kb: Path, parts: Sequence[str]) -> None:
    """The kb's folder ``concepts`` reflects the truth when one of ``parts`` reads it; else it is
    gone, so that nothing of a removed document stays in it. For the kb's writer."""
    folder = kb / FOLDER
    if not READERS.isdisjoint(parts):
        open_concepts(truth, folder, write=True)
    elif folder.exists():
        shutil.rmtree(folder)


class Following:
    """The index at the truth's generation, whenever it is asked for; opened when first asked."""

    def __init__(self, truth: TruthStore, directory: Path | None = None) -> None:
        self._truth, self._directory = truth, directory
        self._held: ConceptIndex | None = None

    def __call__(self) -> ConceptIndex:
        if self._held is None:
            self._held = open_concepts(self._truth, self._directory)
        elif self._held.stamp != self._truth.generation:
            self._held = catch_up(self._held, self._truth)
        return self._held
