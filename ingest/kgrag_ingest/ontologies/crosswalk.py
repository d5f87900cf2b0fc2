"""The cross-walk of gilda-slim: MeSH ids with their right names and their kin elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Final

from kgrag.linking.normalise import key, numbers
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import SYNONYM
from kgrag_ingest.ontologies.base import (
    Entry,
    Name,
    Vocabulary,
    file_sha256,
    package_file,
    package_version,
)

_TYPES: Final[dict[str, ConceptType]] = {
    "CHEBI": "chemical",
    "DOID": "disease",
    "HP": "phenotype",
}
_KIN: Final = ("CHEBI", "DOID", "HP", "EFO")
_CONDITIONS: Final = frozenset(("DOID", "HP", "EFO"))


@dataclass(frozen=True, slots=True)
class Row:
    """One MeSH record: its name, and the id and name of its kin in another vocabulary."""

    mesh: str
    name: str
    kin: str
    kin_name: str

    @property
    def prefix(self) -> str:
        return self.kin.partition(":")[0]


class Crosswalk:
    """MeSH ids by name and names by MeSH id.

    ``labels`` are the names that MeSH gives its ids, as far as they are known.
    """

    def __init__(self, rows: list[Row], labels: Mapping[str, Set[str]] | None = None) -> None:
        self.rows = {row.mesh: row for row in rows}
        self._labels: Mapping[str, Set[str]] = labels or {}
        self._by_label: defaultdict[str, set[str]] = defaultdict(set)
        for mesh, names in self._labels.items():
            for name in names:
                self._by_label[key(name)].add(mesh)
        by_name: defaultdict[str, set[str]] = defaultdict(set)
        by_kin_name: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows:
            by_name[key(row.name)].add(row.mesh)
            by_kin_name[key(row.kin_name)].add(row.mesh)
        self._by_name = by_name
        self._by_kin_name = by_kin_name

    def name(self, mesh: str) -> str | None:
        """The name of a MeSH id (``MESH:D003920``); None when it is not known for sure."""
        row = self.rows.get(mesh)
        if row:
            return row.name
        labels = self._labels.get(mesh, ())
        return next(iter(labels)) if len(labels) == 1 else None

    def names(self, mesh: str) -> frozenset[str]:
        """All names that are known of a MeSH id; none when it is in no table."""
        row = self.rows.get(mesh)
        return frozenset((*self._labels.get(mesh, ()), *((row.name,) if row else ())))

    def named(self, name: str) -> str | None:
        """The one id to which MeSH gives this name, in either number of its last word."""
        for folded in dict.fromkeys((key(name), *numbers(key(name)))):
            found = self._by_label.get(folded, ())
            if len(found) == 1:
                return next(iter(found))
        return None

    def find(self, name: str, prefixes: tuple[str, ...]) -> str | None:
        """The one MeSH id of that name, or of that name elsewhere, with kin of these prefixes."""
        for folded in dict.fromkeys((key(name), *numbers(key(name)))):
            for table in (self._by_name, self._by_kin_name):
                fit = {m for m in table.get(folded, ()) if self.rows[m].prefix in prefixes}
                if len(fit) == 1:
                    return fit.pop()
        return None


def _curie(prefix: str, identifier: str) -> str:
    return identifier if identifier.startswith(f"{prefix}:") else f"{prefix}:{identifier}"


def read_rows() -> Iterator[Row]:
    """The rows of the installed table."""
    path = package_file("gilda-slim", "gilda", "resources", "mesh_mappings.tsv")
    with path.open(encoding="utf-8") as file:
        for line in file:
            _, mesh, name, prefix, identifier, kin_name = line.rstrip("\n").split("\t")
            yield Row(f"MESH:{mesh}", name, _curie(prefix, identifier), kin_name)


def borne_out(rows: Iterable[Row], known: Mapping[str, Set[str]]) -> list[Row]:
    """The rows whose two names no vocabulary tells apart.

    ``known`` maps folded names of conditions and substances to the records that have them. Where
    the kin's name belongs to records that do not have MeSH's name, the row was matched by a short
    form or too broadly ("Amnion" to a leukemia, both "AML"); rows of chemicals, whose names
    differ by system, are all kept.
    """
    kept = []
    for row in rows:
        if row.prefix in _CONDITIONS and key(row.name) != key(row.kin_name):
            kin = _records(row.kin_name, known)
            if kin and kin.isdisjoint(_records(row.name, known)):
                continue
        kept.append(row)
    return kept


def _records(name: str, known: Mapping[str, Set[str]]) -> set[str]:
    found: set[str] = set()
    for folded in numbers(key(name)):
        found |= known.get(folded, set())
    return found


def read(
    labels: Mapping[str, Set[str]], known: Mapping[str, Set[str]]
) -> tuple[Vocabulary, Crosswalk]:
    """Chemicals, diseases and findings of the table as entries, and the table itself.

    ``labels`` are MeSH's own names by id, ``known`` is as for ``borne_out``.
    """
    everything = list(read_rows())
    rows = borne_out(everything, known)
    entries = []
    for row in rows:
        type_ = _TYPES.get(row.prefix)
        if type_ is not None:
            names = [] if key(row.kin_name) == key(row.name) else [Name(row.kin_name, SYNONYM)]
            entries.append(Entry(row.mesh, row.name, type_, names, same_as=[row.kin]))
    path = package_file("gilda-slim", "gilda", "resources", "mesh_mappings.tsv")
    vocabulary = Vocabulary(
        id="mesh-crosswalk",
        name="MeSH records with their kin in ChEBI, DOID and HPO",
        version=package_version("gilda-slim"),
        licence="BSD-2-Clause; ChEBI CC BY 4.0, DOID CC0, MeSH courtesy of the U.S. NLM",
        origin="pypi:gilda-slim/gilda/resources/mesh_mappings.tsv",
        sha256=file_sha256(path),
        date=None,
        entries=tuple(entries),
        counts={
            "rows": len(rows),
            "rows refused: the names are of two records": len(everything) - len(rows),
        },
    )
    return vocabulary, Crosswalk([row for row in rows if row.prefix in _KIN], labels)
