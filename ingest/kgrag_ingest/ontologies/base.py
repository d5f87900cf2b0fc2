"""What a vocabulary gives: entries with their names, and the record of where they came from."""

from __future__ import annotations

import bz2
import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from kgrag.errors import DataError
from kgrag.ids import sha256
from kgrag.linking.normalise import key
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import PREFERRED, SYNONYM, Retired
from kgrag_ingest.ontologies.carriers import carrier_file, version_of


@dataclass(frozen=True, slots=True)
class Name:
    """A name of an entry. ``kind`` as in the lexicon; ``cased`` ones are read in capitals only.

    ``matched`` is False for names that are shown but never looked for in texts.
    """

    text: str
    kind: int = SYNONYM
    cased: bool = False
    matched: bool = True


@dataclass(slots=True)
class Entry:
    """A concept under construction: entries that mean the same are merged by the build."""

    curie: str
    name: str
    type: ConceptType
    names: list[Name] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    same_as: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.names or self.names[0].kind != PREFERRED:
            self.names.insert(0, Name(self.name, PREFERRED))


def own_curie(canonical: str) -> str:
    """The id that kgrag gives a record of which no vocabulary's id is known for sure."""
    return f"KGRAG:{key(canonical).replace(' ', '-')}"


def own_ids_retired(entries: Mapping[str, Entry], vocabulary: str) -> tuple[Retired, ...]:
    """Our ids of records (by their canonical names) that have an id of a vocabulary by now.

    An id that an earlier lexicon gave thus still leads to its concept.
    """
    return tuple(
        Retired(own_curie(canonical), "", (entry.curie,), vocabulary)
        for canonical, entry in entries.items()
        if entry.curie != own_curie(canonical)
    )


@dataclass(frozen=True, slots=True)
class Link:
    """What a mapping says of two ids: ``exact``, or the first is ``narrower`` than the second."""

    one: str
    relation: Literal["exact", "narrower"]
    other: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The entries of one source and its record for the registry.

    ``authority`` holds the prefixes whose ids this source itself gives out; ``problems`` are
    lines on what was left out. ``needs_licence`` says that a user must have a licence of their
    own. ``stored_sha256`` is of the file in which an added one is kept, ``request`` the hash of
    what was asked for when it was added.
    """

    id: str
    name: str
    version: str
    licence: str
    origin: str
    sha256: str
    date: str | None
    entries: tuple[Entry, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    retired: tuple[Retired, ...] = ()
    links: tuple[Link, ...] = ()
    kind: str = "default"
    needs_licence: bool = False
    authority: frozenset[str] = frozenset()
    problems: tuple[str, ...] = ()
    stored_sha256: str | None = None
    request: str | None = None

    def record(self) -> dict[str, object]:
        """What ``kgrag vocab list`` shows of it."""
        return {
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "licence": self.licence,
            "origin": self.origin,
            "sha256": self.sha256,
            "date": self.date,
            "counts": {**self._sizes(), **self.counts},
            "kind": self.kind,
            "needs_licence": self.needs_licence,
        }

    def _sizes(self) -> dict[str, int]:
        sizes = {"entries": len(self.entries), "retired ids": len(self.retired)}
        sizes["mappings"] = len(self.links)
        return {what: number for what, number in sizes.items() if number}


def package_file(distribution: str, module: str, *parts: str) -> Path:
    """A data file of a carrier package; see ``carriers``."""
    return carrier_file(distribution, module, *parts)


def package_version(distribution: str) -> str:
    """The version of the carrier package."""
    return version_of(distribution)


def file_sha256(path: Path) -> str:
    return sha256(path.read_bytes())


class _PlainUnpickler(pickle.Unpickler):
    """Builds dicts, lists and strings; a pickle that asks for anything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def plain_pickle(path: Path) -> dict[str, Any]:
    """The dictionary in a bzip2 pickle of plain values; nothing in it is executed."""
    try:
        value = _PlainUnpickler(io.BytesIO(bz2.decompress(path.read_bytes()))).load()
    except (OSError, pickle.UnpicklingError, EOFError) as error:
        raise DataError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise DataError(f"{path.name} holds no dictionary")
    return value
