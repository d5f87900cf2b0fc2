"""The arrays of the graph, and how a few documents are exchanged in them without a rebuild.

Their form is canonical: documents, concepts, predicates and assertions are in order of their
names, rows and incidence lists in order of these. Equal contents are equal arrays, whatever the
order of putting and removing that led to them.

An exchange reads only what the changed documents state. Numbers move up or down where names are
inserted or left out, which keeps every order, so nothing is sorted again: the cost is copying the
arrays, tens of milliseconds for a million edges.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Names = NDArray[np.bytes_]
_T = TypeVar("_T", bound=np.generic)

FILE: Final = "graph.npz"
_FORMAT: Final = 2


class StatedRow(NamedTuple):
    """What one document states: an assertion, with ``pieces`` pieces of evidence, at least one."""

    document: str
    assertion: str
    subject: str
    predicate: str
    object: str
    negated: bool
    pieces: int


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """Edges by number, who states them, and for each concept the edges that touch it.

    With c concepts, m edges, d documents, r rows of who states what, and i incidences (an edge
    twice, a loop once):

    - ``concepts`` (c), ``predicates``, ``assertions`` (m), ``documents`` (d): names, ascending;
    - ``subjects``, ``objects``, ``kinds``, ``counts``, ``negated`` (m): of the edge; ``counts`` is
      the pieces of evidence of all documents;
    - ``row_edge``, ``row_pieces`` (r), ``row_start`` (d + 1): document k states the edges
      ``row_edge[row_start[k]:row_start[k + 1]]``, ascending;
    - ``neighbour``, ``edge`` (i), ``start`` (c + 1): concept k is joined to
      ``neighbour[start[k]:start[k + 1]]`` by the edges beside them, by neighbour, then edge.
    """

    concepts: Names
    predicates: Names
    assertions: Names
    documents: Names
    subjects: Ints
    objects: Ints
    kinds: Ints
    counts: Ints
    negated: NDArray[np.bool_]
    row_edge: Ints
    row_pieces: Ints
    row_start: NDArray[np.int64]
    neighbour: Ints
    edge: Ints
    start: NDArray[np.int64]

    @property
    def nbytes(self) -> int:
        """The memory of all arrays, in bytes."""
        return sum(getattr(self, f.name).nbytes for f in fields(self))

    def equals(self, other: Arrays) -> bool:
        """Every array is the same, element by element."""
        return all(
            np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)
        )


def build(rows: Iterable[StatedRow]) -> Arrays:
    """The arrays of what all documents state; rows in any order."""
    concepts: dict[str, int] = {}
    predicates: dict[str, int] = {}
    documents: dict[str, int] = {}
    edges: dict[str, int] = {}
    told: list[tuple[int, int, int, bool]] = []
    row_doc: list[int] = []
    row_edge: list[int] = []
    pieces: list[int] = []
    for row in rows:
        number = edges.setdefault(row.assertion, len(edges))
        if number == len(told):
            told.append(
                (
                    concepts.setdefault(row.subject, len(concepts)),
                    concepts.setdefault(row.object, len(concepts)),
                    predicates.setdefault(row.predicate, len(predicates)),
                    row.negated,
                )
            )
        row_doc.append(documents.setdefault(row.document, len(documents)))
        row_edge.append(number)
        pieces.append(row.pieces)
    concept_names, concept_place = _ordered(concepts)
    predicate_names, predicate_place = _ordered(predicates)
    document_names, document_place = _ordered(documents)
    edge_names, edge_place = _ordered(edges)
    ends = np.array(told, dtype=np.int32).reshape(-1, 4)[np.argsort(edge_place)]
    subjects = concept_place[ends[:, 0]]
    objects = concept_place[ends[:, 1]]
    by_doc = document_place[np.array(row_doc, dtype=np.int32)]
    by_edge = edge_place[np.array(row_edge, dtype=np.int32)]
    order = np.lexsort((by_edge, by_doc))
    amount = np.array(pieces, dtype=np.int32)
    m, c = len(edge_names), len(concept_names)
    back = np.flatnonzero(subjects != objects).astype(np.int32)
    near = np.concatenate([subjects, objects[back]])
    far = np.concatenate([objects, subjects[back]])
    joining = np.concatenate([np.arange(m, dtype=np.int32), back])
    incidence = np.lexsort((joining, far, near))
    return Arrays(
        concepts=concept_names,
        predicates=predicate_names,
        assertions=edge_names,
        documents=document_names,
        subjects=subjects,
        objects=objects,
        kinds=predicate_place[ends[:, 2]],
        counts=np.bincount(by_edge, weights=amount, minlength=m).astype(np.int32),
        negated=ends[:, 3].astype(np.bool_),
        row_edge=by_edge[order],
        row_pieces=amount[order],
        row_start=_starts(np.bincount(by_doc, minlength=len(document_names))),
        neighbour=far[incidence],
        edge=joining[incidence],
        start=_starts(np.bincount(near, minlength=c)),
    )


def exchange(old: Arrays, documents: Mapping[str, Sequence[StatedRow]]) -> Arrays:
    """The arrays in which each of ``documents`` states its rows and nothing else.

    A document without rows is left out. Equal to ``build`` of all rows; ``old`` is not changed.
    """
    changed = {name.encode(): list(rows) for name, rows in documents.items()}
    known = _find(old.documents, sorted(changed))
    gone_rows = np.zeros(len(old.row_edge), dtype=np.bool_)
    for number in known[known >= 0].tolist():
        gone_rows[old.row_start[number] : old.row_start[number + 1]] = True
    counts = old.counts.copy()
    np.subtract.at(counts, old.row_edge[gone_rows], old.row_pieces[gone_rows])

    told = {row.assertion.encode(): row for rows in changed.values() for row in rows}
    names = sorted(told)
    held = _find(old.assertions, names)
    at = dict(zip(names, held.tolist(), strict=True))
    for rows in changed.values():
        for row in rows:
            if at[row.assertion.encode()] >= 0:
                counts[at[row.assertion.encode()]] += row.pieces
    dead_edges = counts == 0
    new_edges = [told[name] for name in names if at[name] < 0]
    edges = _Move.of(old.assertions, dead_edges, [row.assertion.encode() for row in new_edges])

    # A concept, and a predicate, is there as long as an edge is.
    dead_at = np.flatnonzero(dead_edges)
    loops = old.subjects[dead_at] == old.objects[dead_at]
    touched = np.concatenate([old.subjects[dead_at], old.objects[dead_at[~loops]]])
    degree = np.diff(old.start)
    np.subtract.at(degree, touched, 1)
    ends = {end.encode() for row in new_edges for end in (row.subject, row.object)}
    concepts = _Move.of(old.concepts, degree == 0, sorted(ends))
    used = np.bincount(old.kinds[~dead_edges], minlength=len(old.predicates))
    predicates = _Move.of(
        old.predicates, used == 0, sorted({row.predicate.encode() for row in new_edges})
    )

    subjects = edges.carry(old.subjects, concepts.to)
    objects = edges.carry(old.objects, concepts.to)
    kinds = edges.carry(old.kinds, predicates.to)
    negated = edges.carry(old.negated)
    counts = edges.carry(counts)
    for row, number in zip(new_edges, edges.fresh.tolist(), strict=True):
        subjects[number] = concepts.number(row.subject)
        objects[number] = concepts.number(row.object)
        kinds[number] = predicates.number(row.predicate)
        negated[number] = row.negated
    for rows in changed.values():
        for row in rows:
            if at[row.assertion.encode()] < 0:
                counts[edges.number(row.assertion)] += row.pieces

    neighbour, edge, start = _joined(old, dead_edges, degree, edges, concepts, subjects, objects)
    names_of, row_edge, row_pieces, row_start = _rows(old, changed, gone_rows, edges)
    return Arrays(
        concepts=concepts.names,
        predicates=predicates.names,
        assertions=edges.names,
        documents=names_of,
        subjects=subjects,
        objects=objects,
        kinds=kinds,
        counts=counts,
        negated=negated,
        row_edge=row_edge,
        row_pieces=row_pieces,
        row_start=row_start,
        neighbour=neighbour,
        edge=edge,
        start=start,
    )


def _joined(
    old: Arrays,
    dead_edges: NDArray[np.bool_],
    degree: NDArray[np.int64],
    edges: _Move,
    concepts: _Move,
    subjects: Ints,
    objects: Ints,
) -> tuple[Ints, Ints, NDArray[np.int64]]:
    """The incidence lists: old ones renumbered, those of new edges put into their places."""
    if dead_edges.any():
        keep = ~dead_edges[old.edge]
        neighbour, edge = concepts.to[old.neighbour[keep]], edges.to[old.edge[keep]]
    else:
        neighbour, edge = concepts.to[old.neighbour], edges.to[old.edge]
    size = np.zeros(len(concepts.names), dtype=np.int64)
    alive = concepts.to >= 0
    size[concepts.to[alive]] = degree[alive]
    start = _starts(size)
    coming = sorted(
        {
            pair
            for number in edges.fresh.tolist()
            for pair in (
                (int(subjects[number]), int(objects[number]), number),
                (int(objects[number]), int(subjects[number]), number),
            )
        }
    )
    places = []
    for near, far, number in coming:
        low, high = int(start[near]), int(start[near + 1])
        left = low + int(np.searchsorted(neighbour[low:high], far, "left"))
        right = low + int(np.searchsorted(neighbour[low:high], far, "right"))
        places.append(left + int(np.searchsorted(edge[left:right], number)))
        size[near] += 1
    return (
        np.insert(neighbour, places, [far for _, far, _ in coming]),
        np.insert(edge, places, [number for _, _, number in coming]),
        _starts(size),
    )


def _rows(
    old: Arrays,
    changed: Mapping[bytes, Sequence[StatedRow]],
    gone: NDArray[np.bool_],
    edges: _Move,
) -> tuple[Names, Ints, Ints, NDArray[np.int64]]:
    """Who states what: the rows of the changed documents exchanged."""
    size = np.diff(old.row_start)
    known = _find(old.documents, sorted(changed))
    size[known[known >= 0]] = 0
    coming = sorted(name for name, rows in changed.items() if rows)
    documents = _Move.of(old.documents, size == 0, coming)
    kept = ~gone
    row_edge, row_pieces = edges.to[old.row_edge[kept]], old.row_pieces[kept]
    lengths = documents.carry(size.astype(np.int64))
    start = _starts(lengths)
    places: list[int] = []
    numbers: list[int] = []
    pieces: list[int] = []
    for name in coming:
        slot = documents.number(name.decode())
        stated: dict[int, int] = {}
        for row in changed[name]:
            number = edges.number(row.assertion)
            stated[number] = stated.get(number, 0) + row.pieces
        for number in sorted(stated):
            places.append(int(start[slot]))
            numbers.append(number)
            pieces.append(stated[number])
        lengths[slot] += len(stated)
    return (
        documents.names,
        np.insert(row_edge, places, numbers),
        np.insert(row_pieces, places, pieces),
        _starts(lengths),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Move:
    """Names of which some went and some came, and the new number of each old one.

    ``to`` is -1 for those that went; ``fresh`` are the numbers of those that came.
    """

    names: Names
    to: Ints
    fresh: Ints

    @classmethod
    def of(cls, names: Names, gone: NDArray[np.bool_], coming: Sequence[bytes]) -> _Move:
        """``coming`` are ascending; those that are there already, and stay, change nothing.

        One that goes and comes keeps its place, and is not fresh.
        """
        held = _find(names, coming)
        stays = held[held >= 0]
        gone = gone.copy()
        gone[stays] = False
        new = [name for name, number in zip(coming, held.tolist(), strict=True) if number < 0]
        kept = names[~gone] if gone.any() else names
        to = np.full(len(names), -1, dtype=np.int32)
        if not new:
            to[~gone] = np.arange(len(kept), dtype=np.int32)
            return cls(kept, to, np.empty(0, dtype=np.int32))
        inserted = np.array(new, dtype=np.bytes_)
        wide = np.promote_types(kept.dtype, inserted.dtype)
        places = np.searchsorted(kept, inserted)
        steps = np.zeros(len(kept) + 1, dtype=np.int32)
        np.add.at(steps, places, 1)
        to[~gone] = np.arange(len(kept), dtype=np.int32) + np.cumsum(steps[:-1], dtype=np.int32)
        return cls(
            np.insert(kept.astype(wide), places, inserted),
            to,
            (places + np.arange(len(new))).astype(np.int32),
        )

    def carry(self, values: NDArray[_T], through: NDArray[_T] | None = None) -> NDArray[_T]:
        """``values`` of the old names at their new numbers, 0 for those that came.

        ``through`` renumbers the values themselves.
        """
        kept = self.to >= 0
        found: NDArray[_T] = np.zeros(len(self.names), dtype=values.dtype)
        found[self.to[kept]] = values[kept] if through is None else through[values[kept]]
        return found

    def number(self, name: str) -> int:
        """The new number of a name that is there."""
        return int(np.searchsorted(self.names, np.bytes_(name.encode())))


def _find(names: Names, wanted: Sequence[bytes]) -> Ints:
    """The number of each of ``wanted``, -1 where it is not there."""
    if not len(names) or not wanted:
        return np.full(len(wanted), -1, dtype=np.int32)
    values = np.array(wanted, dtype=np.bytes_)
    at = np.searchsorted(names, values)
    there = names[np.minimum(at, len(names) - 1)] == values
    return np.where(there, at, -1).astype(np.int32)


def _ordered(numbers: Mapping[str, int]) -> tuple[Names, Ints]:
    """Names in order, and the place in it of each number."""
    encoded = [name.encode() for name in numbers]
    order = sorted(range(len(encoded)), key=encoded.__getitem__)
    place = np.empty(len(encoded), dtype=np.int32)
    place[order] = np.arange(len(encoded), dtype=np.int32)
    names = np.array([encoded[i] for i in order], dtype=np.bytes_)
    return names if len(order) else np.empty(0, dtype="S1"), place


def _starts(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    start = np.zeros(len(sizes) + 1, dtype=np.int64)
    np.cumsum(sizes, out=start[1:])
    return start


def save(arrays: Arrays, stamp: int, directory: Path) -> None:
    """Write ``graph.npz`` in one step: a reader sees the old file or the new one, whole.

    The file is written anew also after an exchange, so that no name of a removed document stays.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # What a killed save left may name a document that was removed since.
    for left in directory.glob(".graph-*.npz"):
        left.unlink()
    handle, name = tempfile.mkstemp(dir=directory, prefix=".graph-", suffix=".npz")
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


def load(directory: Path) -> tuple[Arrays, int]:
    """The saved arrays and their stamp. FileNotFoundError when there are none, ValueError when the
    file is damaged or of another format."""
    path = directory / FILE
    try:
        # Opened here, because numpy leaves a file that it cannot read open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as data:
            found = {name: data[name] for name in data.files}
    except (zipfile.BadZipFile, EOFError, KeyError, OSError, RuntimeError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{path} is damaged") from error
    header = found.pop("header", None)
    wanted = {f.name for f in fields(Arrays)}
    if header is None or header[0] != _FORMAT or set(found) != wanted:
        raise ValueError(f"{path} has another format")
    return Arrays(**found), int(header[1])
