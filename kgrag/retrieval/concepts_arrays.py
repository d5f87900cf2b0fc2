"""The arrays of concepts by passage, and how a few documents are exchanged in them.

Their form is canonical: documents, passages, concepts and collections are in order of their names,
rows in order of passage and concept. Equal contents are equal arrays, whatever the order of putting
and removing that led to them. They hold ids and numbers, never text.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Names = NDArray[np.bytes_]

FILE: Final = "concepts.npz"
_FORMAT: Final = 1


class Posted(NamedTuple):
    """A passage mentions a concept ``often`` times, ``denied`` of them as negated or absent."""

    passage: str
    concept: str
    often: int
    denied: int


@dataclass(frozen=True, slots=True)
class Noted:
    """What a document's passages mention; ``passages`` are all of its, also those without."""

    collection: str
    passages: tuple[str, ...]
    postings: tuple[Posted, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ConceptArrays:
    """With d documents, p passages, c concepts and r rows:

    - ``collections``, ``documents`` (d), ``passages`` (p), ``concepts`` (c): names, ascending;
    - ``collection_of`` (d) and ``document_of`` (p): numbers of those;
    - ``concept``, ``count``, ``denied`` (r) and ``start`` (p + 1): passage k mentions the concepts
      ``concept[start[k]:start[k + 1]]``, ascending, so often, of which so often denied.
    """

    collections: Names
    documents: Names
    passages: Names
    concepts: Names
    collection_of: Ints
    document_of: Ints
    concept: Ints
    count: Ints
    denied: Ints
    start: NDArray[np.int64]

    def equals(self, other: ConceptArrays) -> bool:
        """Every array is the same, element by element."""
        return all(
            np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)
        )

    @property
    def nbytes(self) -> int:
        """The memory of all arrays, in bytes."""
        return sum(getattr(self, f.name).nbytes for f in fields(self))

    @property
    def passage(self) -> Ints:
        """Shape (r,): the passage of each row."""
        sizes = np.diff(self.start)
        return np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)


def build(documents: Mapping[str, Noted]) -> ConceptArrays:
    """The arrays of these documents."""
    return exchange(_EMPTY, documents)


def exchange(old: ConceptArrays, documents: Mapping[str, Noted | None]) -> ConceptArrays:
    """The arrays in which each of ``documents`` mentions what it says here; None leaves it out.

    Equal to ``build`` of all that is then there; ``old`` is not changed.
    """
    changed = np.array([name.encode() for name in documents], dtype=np.bytes_)
    stays = ~np.isin(old.documents, changed)
    passage_stays = stays[old.document_of]
    row_stays = passage_stays[old.passage]
    added = [(name, noted) for name, noted in documents.items() if noted is not None]
    rows = [row for _, noted in added for row in noted.postings]
    owned = [(p, name) for name, noted in added for p in noted.passages]

    used = np.zeros(len(old.concepts), dtype=np.bool_)
    used[old.concept[row_stays]] = True
    homes = np.zeros(len(old.collections), dtype=np.bool_)
    homes[old.collection_of[stays]] = True
    names, new_document = _merge(old.documents, stays, [name for name, _ in added])
    passages, new_passage = _merge(old.passages, passage_stays, [p for p, _ in owned])
    concepts, new_concept = _merge(old.concepts, used, [row.concept for row in rows])
    collections, new_home = _merge(old.collections, homes, [noted.collection for _, noted in added])
    collection_of = np.zeros(len(names), dtype=np.int32)
    collection_of[new_document[stays]] = new_home[old.collection_of[stays]]
    collection_of[_find(names, [name for name, _ in added])] = _find(
        collections, [noted.collection for _, noted in added]
    )
    document_of = np.zeros(len(passages), dtype=np.int32)
    document_of[new_passage[passage_stays]] = new_document[old.document_of[passage_stays]]
    document_of[_find(passages, [p for p, _ in owned])] = _find(names, [name for _, name in owned])

    passage = np.concatenate(
        [new_passage[old.passage[row_stays]], _find(passages, [row.passage for row in rows])]
    )
    concept = np.concatenate(
        [new_concept[old.concept[row_stays]], _find(concepts, [row.concept for row in rows])]
    )
    order = np.lexsort((concept, passage))
    start = np.zeros(len(passages) + 1, dtype=np.int64)
    np.cumsum(np.bincount(passage, minlength=len(passages)), out=start[1:])
    return ConceptArrays(
        collections=collections,
        documents=names,
        passages=passages,
        concepts=concepts,
        collection_of=collection_of,
        document_of=document_of,
        concept=concept[order],
        count=np.concatenate([old.count[row_stays], _ints([r.often for r in rows])])[order],
        denied=np.concatenate([old.denied[row_stays], _ints([r.denied for r in rows])])[order],
        start=start,
    )


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, dtype=np.int32)


def _merge(old: Names, stays: NDArray[np.bool_], added: Sequence[str]) -> tuple[Names, Ints]:
    """All names that stay or are added once, ascending, and the new place of each of ``old``.

    The place is of no meaning for one that does not stay. The names are no wider than needed, so
    that equal names are equal arrays. What stays is in order already and is not sorted again.
    """
    kept, new = old[stays], np.unique(np.array([a.encode() for a in added], dtype="S"))
    at = np.searchsorted(kept, new)
    if len(kept):
        fresh = kept[np.minimum(at, len(kept) - 1)] != new
        at, new = at[fresh], new[fresh]
    wide = np.promote_types(kept.dtype, new.dtype)
    found = np.insert(kept.astype(wide), at, new.astype(wide))
    width = int(np.char.str_len(found).max()) if len(found) else 1
    rank = np.cumsum(stays) - 1
    place = (rank + np.searchsorted(at, rank, side="right")).astype(np.int32)
    return found.astype(f"S{max(width, 1)}"), place


def _find(names: Names, wanted: Sequence[str]) -> Ints:
    """Where each of ``wanted``, which are all there, is in ``names``."""
    encoded = np.array([name.encode() for name in wanted], dtype="S")
    return np.searchsorted(names, encoded).astype(np.int32)


_EMPTY: Final = ConceptArrays(
    *(np.empty(0, dtype="S1"),) * 4,
    *(np.empty(0, dtype=np.int32),) * 5,
    np.zeros(1, dtype=np.int64),
)


def save(arrays: ConceptArrays, stamp: int, directory: Path) -> None:
    """Write ``concepts.npz`` in one step: a reader sees the old file or the new one, whole.

    It is written anew whatever changed, so that nothing of a removed document stays.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # What a killed save left may name a document that was removed since.
    for left in directory.glob(".concepts-*.npz"):
        left.unlink()
    handle, name = tempfile.mkstemp(dir=directory, prefix=".concepts-", suffix=".npz")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                allow_pickle=False,
                header=np.array([_FORMAT, stamp], dtype=np.int64),
                **{f.name: getattr(arrays, f.name) for f in fields(arrays)},
            )
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(directory / FILE)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(directory: Path) -> tuple[ConceptArrays, int]:
    """The saved arrays and their stamp. FileNotFoundError when there are none, ValueError when the
    file is damaged or of another format."""
    path = directory / FILE
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            found = {name: data[name] for name in data.files}
    except FileNotFoundError:
        raise
    except (zipfile.BadZipFile, EOFError, KeyError, OSError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged") from error
    header = found.pop("header", None)
    wanted = {f.name for f in fields(ConceptArrays)}
    if header is None or header[0] != _FORMAT or set(found) != wanted:
        raise ValueError(f"{path} has another format")
    return ConceptArrays(**found), int(header[1])
