"""The compiled lexicon: one SQLite file of concepts and of the names by which texts call them.

Opening reads the table of names as bytes and makes nothing of it; names are fetched by the words
of the texts (``kgrag.vocabulary.names``) and concepts when they are asked for. The file says of
itself what it holds: ``sha256`` is of its content (concepts, names, retired ids), so equal
vocabularies have equal hashes on every machine.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from kgrag.errors import NotFound, SettingsError
from kgrag.paths import cache_dir
from kgrag.records.concepts import Concept, ConceptType
from kgrag.vocabulary.names import NameTable, pairs

FORMAT: Final = 2
TYPES: Final[tuple[ConceptType, ...]] = get_args(ConceptType)

_Step = Callable[[str], tuple[str, ...]]

# How a name belongs to its concept, best first: what disambiguation weighs.
PREFERRED, SYNONYM, GENERATED, WEAK = range(4)
CASED: Final = 16  # this bit is set when a text must write the name in capitals


@dataclass(frozen=True, slots=True)
class Candidate:
    """A concept that a name may mean. ``kind``: 0 preferred, 1 synonym, 2 generated, 3 weak.

    ``cased`` names are read only where the text writes them with capitals, as acronyms are.
    """

    curie: str
    type: ConceptType
    kind: int
    cased: bool


@dataclass(frozen=True, slots=True)
class Retired:
    """An id that its vocabulary withdrew or merged, with the ids that it names in its stead.

    With one replacement the id leads to that concept; with none or several it leads nowhere.
    """

    curie: str
    name: str
    replaced_by: tuple[str, ...]
    vocabulary: str


def default_path() -> Path:
    """Where ``kgrag vocab build`` puts the lexicon and everything else looks for it."""
    return cache_dir("lexicon") / "lexicon.sqlite"


class Lexicon:
    """A compiled lexicon, open for reading; safe to share between threads.

    ``table`` holds the names: give it the words of a text, then look them up in its ``index``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        try:
            self._meta: Mapping[str, str] = dict(
                self._connection.execute("SELECT name, value FROM meta")
            )
            if self._meta.get("format") != str(FORMAT):
                self._connection.close()
                raise SettingsError(
                    f"{path} is a lexicon of another format", hint="kgrag vocab build"
                )
            names, shelves, starts, concepts, kinds, curies, types = self._connection.execute(
                "SELECT names, shelves, starts, concepts, kinds, curies, types FROM matching"
            ).fetchone()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise SettingsError(
                f"{path} is no lexicon ({error})", hint="kgrag vocab build"
            ) from error
        self.table = NameTable(names, shelves)
        self._starts: NDArray[np.uint32] = np.frombuffer(starts, dtype="<u4")
        self._concepts: NDArray[np.uint32] = np.frombuffer(concepts, dtype="<u4")
        self._kinds: bytes = kinds
        self._curie_text: bytes = curies
        self._types: bytes = types

    @classmethod
    def open(cls, path: Path | str | None = None) -> Lexicon:
        """The lexicon at ``path``, or the default one; SettingsError says how to make it."""
        chosen = default_path() if path is None else Path(path)
        if not chosen.is_file():
            raise SettingsError(f"there is no lexicon at {chosen}", hint="kgrag vocab build")
        return cls(chosen)

    @property
    def sha256(self) -> str:
        """The hash of the content: concepts, names and kinds, retired ids, units, model."""
        return self._meta["sha256"]

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """``concepts``, ``names``, and the number of concepts by prefix of their CURIE."""
        counts = {"concepts": len(self._types), "names": len(self._starts) - 1}
        for curie in self._curie_text.decode().split("\n")[:-1]:
            prefix = curie.partition(":")[0]
            counts[prefix] = counts.get(prefix, 0) + 1
        return counts

    @cached_property
    def registry(self) -> tuple[Mapping[str, object], ...]:
        """One record a vocabulary: id, version, licence, sha256, origin, counts, date."""
        return tuple(json.loads(self._meta["registry"]))

    def part(self, name: str) -> Any:
        """A further table (``units``, ``biolink``) as it was compiled; None without it."""
        row = self._connection.execute("SELECT value FROM part WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Every name to its number. Some 0.5 s for a million: to read text, use ``table``."""
        return {name: number for number, name in enumerate(self.table)}

    @cached_property
    def pairs(self) -> Mapping[str, int]:
        """The first two words of each longer name, to the most words such a name has."""
        return pairs(self.table)

    @cached_property
    def _curie_ends(self) -> NDArray[np.int64]:
        return np.flatnonzero(np.frombuffer(self._curie_text, dtype=np.uint8) == 10)

    def _curie(self, number: int) -> str:
        begin = int(self._curie_ends[number - 1]) + 1 if number else 0
        return self._curie_text[begin : int(self._curie_ends[number])].decode()

    def candidates(self, name: int) -> tuple[Candidate, ...]:
        """The candidates of the name with that number, in order of kind, then of CURIE."""
        start, end = int(self._starts[name]), int(self._starts[name + 1])
        return tuple(
            Candidate(
                self._curie(number),
                TYPES[self._types[number]],
                self._kinds[at] & 15,
                bool(self._kinds[at] & CASED),
            )
            for at, number in enumerate(self._concepts[start:end].tolist(), start)
        )

    def names(self, normalised: str) -> tuple[Candidate, ...]:
        """The candidates of a folded name (see ``kgrag.linking.normalise``); none when unknown."""
        self.table.load((normalised.partition(" ")[0],))
        number = self.table.index.get(normalised)
        return () if number is None else self.candidates(number)

    def concept(self, curie: str) -> Concept:
        """The concept; an id that was merged into another or retired gives the one in use."""
        used = self.current(curie)
        row = None if used is None else self._row(used)
        if row is None:
            raise NotFound("concept", curie)
        return row

    def current(self, curie: str) -> str | None:
        """The id in use of the concept that has or had this id; None when there is no one such."""
        if self._connection.execute("SELECT 1 FROM concept WHERE curie = ?", (curie,)).fetchone():
            return curie
        query = "SELECT concept FROM alias WHERE curie = ?"
        row = self._connection.execute(query, (curie,)).fetchone()
        return str(row[0]) if row else None

    def retired(self, curie: str) -> Retired | None:
        """The record of a withdrawn id; None for an id in use and for an unknown one."""
        row = self._connection.execute(
            "SELECT curie, name, replaced_by, vocabulary FROM retired WHERE curie = ?", (curie,)
        ).fetchone()
        return None if row is None else Retired(row[0], row[1], _lines(row[2]), row[3])

    def all_retired(self) -> Iterator[Retired]:
        """The records of all withdrawn ids in order of id."""
        query = "SELECT curie, name, replaced_by, vocabulary FROM retired ORDER BY curie"
        for row in self._connection.execute(query):
            yield Retired(row[0], row[1], _lines(row[2]), row[3])

    def equivalents(self, curie: str) -> tuple[str, ...]:
        """All ids in use of the concept, the one that it goes by first; none when unknown."""
        used = self.current(curie)
        row = None if used is None else self._row(used)
        return () if row is None else (row.curie, *row.same_as)

    def parents(self, curie: str) -> tuple[str, ...]:
        """The concepts next above, sorted; none for a root and for an unknown id."""
        used = self.current(curie)
        row = None if used is None else self._row(used)
        return () if row is None else row.parents

    def children(self, curie: str) -> tuple[str, ...]:
        """The concepts next below, sorted; none for a leaf and for an unknown id."""
        used = self.current(curie)
        query = "SELECT child FROM narrower WHERE parent = ? ORDER BY child"
        return tuple(row[0] for row in self._connection.execute(query, (used,)))

    def ancestors(
        self, curie: str, *, depth: int | None = None, limit: int = 10_000
    ) -> tuple[str, ...]:
        """All concepts above, nearest first, at most ``limit``; ``depth`` steps far."""
        return self._walk(curie, self.parents, depth, limit)

    def descendants(
        self, curie: str, *, depth: int | None = None, limit: int = 10_000
    ) -> tuple[str, ...]:
        """All concepts below, nearest first, at most ``limit``; ``depth`` steps far."""
        return self._walk(curie, self.children, depth, limit)

    def _walk(self, curie: str, step: _Step, depth: int | None, limit: int) -> tuple[str, ...]:
        start = self.current(curie)
        if start is None:
            return ()
        found = {start: None}
        edge, far = [start], 0
        while edge and (depth is None or far < depth) and len(found) <= limit:
            near = (other for at in edge for other in step(at))
            edge = [other for other in dict.fromkeys(near) if other not in found]
            found.update(dict.fromkeys(edge))
            far += 1
        return tuple(found)[1 : limit + 1]

    def __contains__(self, curie: object) -> bool:
        return isinstance(curie, str) and self.current(curie) is not None

    def __iter__(self) -> Iterator[Concept]:
        """All concepts in order of CURIE."""
        for row in self._connection.execute(_SELECT + " ORDER BY curie"):
            yield _concept(row)

    def _row(self, curie: str) -> Concept | None:
        row = self._connection.execute(_SELECT + " WHERE curie = ?", (curie,)).fetchone()
        return None if row is None else _concept(row)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Lexicon:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


_SELECT: Final = "SELECT curie, name, type, synonyms, parents, same_as FROM concept"


def _lines(text: str) -> tuple[str, ...]:
    return tuple(text.split("\n")) if text else ()


def _concept(row: tuple[str, str, ConceptType, str, str, str]) -> Concept:
    curie, name, type_, synonyms, parents, same_as = row
    return Concept(curie, name, type_, _lines(synonyms), _lines(parents), _lines(same_as))
