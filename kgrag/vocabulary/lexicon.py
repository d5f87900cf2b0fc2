"""The compiled lexicon: one SQLite file of concepts and of the names by which texts call them.

Opening reads the names into one dictionary (some 0.2 s for half a million) and leaves the
concepts in the file until they are asked for. The file says of itself what it holds: ``sha256``
is of its content (concepts and names), so equal vocabularies have equal hashes on every machine.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from kgrag.errors import NotFound, SettingsError
from kgrag.paths import cache_dir
from kgrag.records.concepts import Concept, ConceptType

FORMAT: Final = 1
TYPES: Final[tuple[ConceptType, ...]] = get_args(ConceptType)

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


def default_path() -> Path:
    """Where ``kgrag vocab build`` puts the lexicon and everything else looks for it."""
    return cache_dir("lexicon") / "lexicon.sqlite"


class Lexicon:
    """A compiled lexicon, open for reading; safe to share between threads."""

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
                raise SettingsError(
                    f"{path} is a lexicon of another format", hint="kgrag vocab build"
                )
            text, starts, concepts, kinds, curies, types = self._connection.execute(
                "SELECT names, starts, concepts, kinds, curies, types FROM matching"
            ).fetchone()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise SettingsError(
                f"{path} is no lexicon ({error})", hint="kgrag vocab build"
            ) from error
        self._names = text.split("\n") if text else []
        self.index: dict[str, int] = dict(zip(self._names, range(len(self._names)), strict=True))
        self._starts: NDArray[np.uint32] = np.frombuffer(starts, dtype="<u4")
        self._concepts: NDArray[np.uint32] = np.frombuffer(concepts, dtype="<u4")
        self._kinds: bytes = kinds
        self._curies: list[str] = curies.split("\n") if curies else []
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
        """The hash of the content: concepts, names and kinds."""
        return self._meta["sha256"]

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """``concepts``, ``names``, and the number of concepts by prefix of their CURIE."""
        counts: dict[str, int] = {"concepts": len(self._curies), "names": len(self._names)}
        for curie in self._curies:
            prefix = curie.partition(":")[0]
            counts[prefix] = counts.get(prefix, 0) + 1
        return counts

    @cached_property
    def registry(self) -> tuple[Mapping[str, object], ...]:
        """One record a vocabulary: id, version, licence, sha256, origin, counts, date."""
        return tuple(json.loads(self._meta["registry"]))

    @cached_property
    def pairs(self) -> Mapping[str, int]:
        """The first two words of each longer name, to the most words such a name has."""
        pairs: dict[str, int] = {}
        for name in self._names:
            if " " in name:
                words = name.split(" ")
                pair = f"{words[0]} {words[1]}"
                if pairs.get(pair, 0) < len(words):
                    pairs[pair] = len(words)
        return pairs

    def candidates(self, name: int) -> tuple[Candidate, ...]:
        """The candidates of the name with that number, in order of kind, then of CURIE."""
        start, end = int(self._starts[name]), int(self._starts[name + 1])
        return tuple(
            Candidate(
                self._curies[number],
                TYPES[self._types[number]],
                self._kinds[at] & 15,
                bool(self._kinds[at] & CASED),
            )
            for at, number in enumerate(self._concepts[start:end].tolist(), start)
        )

    def names(self, normalised: str) -> tuple[Candidate, ...]:
        """The candidates of a folded name (see ``kgrag.linking.normalise``); none when unknown."""
        number = self.index.get(normalised)
        return () if number is None else self.candidates(number)

    def concept(self, curie: str) -> Concept:
        """The concept; an id that was merged into another or retired gives the one in use."""
        row = self._row(curie)
        if row is None:
            used = self._connection.execute(
                "SELECT concept FROM alias WHERE curie = ?", (curie,)
            ).fetchone()
            row = self._row(used[0]) if used else None
        if row is None:
            raise NotFound("concept", curie)
        return row

    def __contains__(self, curie: object) -> bool:
        if not isinstance(curie, str):
            return False
        try:
            self.concept(curie)
        except NotFound:
            return False
        return True

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


def _concept(row: tuple[str, str, ConceptType, str, str, str]) -> Concept:
    curie, name, type_, *lists = row
    synonyms, parents, same_as = (tuple(part.split("\n")) if part else () for part in lists)
    return Concept(curie, name, type_, synonyms, parents, same_as)
