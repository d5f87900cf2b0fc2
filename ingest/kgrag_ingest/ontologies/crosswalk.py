"""The cross-walk of gilda-slim: MeSH ids with their right names and their kin elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
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
    """MeSH ids by name and names by MeSH id."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = {row.mesh: row for row in rows}
        by_name: defaultdict[str, set[str]] = defaultdict(set)
        by_kin_name: defaultdict[str, set[str]] = defaultdict(set)
        for row in rows:
            by_name[key(row.name)].add(row.mesh)
            by_kin_name[key(row.kin_name)].add(row.mesh)
        self._by_name = by_name
        self._by_kin_name = by_kin_name

    def name(self, mesh: str) -> str | None:
        """The name of a MeSH id (``MESH:D003920``); None when it is not in the table."""
        row = self.rows.get(mesh)
        return row.name if row else None

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


def read() -> tuple[Vocabulary, Crosswalk]:
    """Chemicals, diseases and findings of the table as entries, and the table itself."""
    rows = list(read_rows())
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
        counts={"rows": len(rows)},
    )
    return vocabulary, Crosswalk([row for row in rows if row.prefix in _KIN])
