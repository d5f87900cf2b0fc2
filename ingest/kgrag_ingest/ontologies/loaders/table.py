"""A table of ids and names, with synonyms, parents and cross-references where it has them.

The columns are known by their names (``id``, ``label``, ``subClassOf``, ``xref``, ...). A folder
of such tables is read as one vocabulary. Of an id with two names the first is preferred.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kgrag.errors import UnreadableFile
from kgrag.vocabulary.lexicon import SYNONYM
from kgrag.vocabulary.prefixes import canonical
from kgrag_ingest.ontologies.base import Entry, Name
from kgrag_ingest.ontologies.loaders.base import Draft, Options, head_of, table_rows
from kgrag_ingest.ontologies.loaders.obo import type_of

_ID: Final = ("id", "curie", "identifier", "code", "doid", "doid_code", "disease_id", "concept_id")
_NAME: Final = ("label", "name", "preferred_name", "title", "doid_name", "term", "disease_name")
_SYNONYMS: Final = ("synonyms", "synonym", "alt_label", "altlabel")
_SORT: Final = ("type", "name_type", "synonym_type")
_PARENT: Final = ("subclassof", "parent", "parent_id", "parents", "broader", "is_a")
_XREF: Final = ("xref", "xrefs", "same_as", "mapping")
_RESOURCE: Final = ("resource", "resource_id")
_EXACT: Final = frozenset(("", "name", "label", "preferred", "exact", "exact_synonym", "synonym"))
_CURIE: Final = re.compile(r"[A-Za-z][\w.-]*:\S+")


class Table:
    """Ids with names, in TSV or CSV."""

    kind = "table"

    def recognises(self, path: Path, head: str) -> bool:
        if path.is_dir():
            return any(_columns(head_of(p)) for p in _files(path))
        return _columns(head) is not None

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        files = _files(path) if path.is_dir() else [path]
        tables = [p for p in files if _columns(head_of(p)) is not None]
        if not tables:
            raise UnreadableFile(str(path), "has no columns of ids and names")
        entries: dict[str, Entry] = {}
        above: dict[str, list[str]] = {}
        kin: dict[str, list[str]] = {}
        for file in tables:
            for row in table_rows(file, draft, ()):
                _take(_plain(row), draft, options, entries, above, kin)
        labels = {entry.name.lower(): curie for curie, entry in entries.items()}
        for curie, entry in entries.items():
            said = (p if _CURIE.fullmatch(p) else labels.get(p.lower()) for p in above[curie])
            entry.parents = list(dict.fromkeys(p for p in said if p and p != curie))
            entry.same_as = draft.xrefs(dict.fromkeys(kin[curie]))
        if path.is_dir():
            draft.name = path.name
        own = Counter(curie.partition(":")[0] for curie in entries)
        draft.counts["tables"] = len(tables)
        draft.counts["ids of several vocabularies"] = sum(own.values()) if len(own) > 1 else 0
        draft.entries.extend(entries.values())


def _files(folder: Path) -> list[Path]:
    names = ("*.tsv", "*.csv", "*.txt")
    return sorted(p for name in names for p in folder.rglob(name) if p.is_file())


def _columns(head: str) -> tuple[str, str] | None:
    """The columns of ids and names in the first line that is no comment; None without both."""
    line = next((line for line in head.splitlines() if line and line[0] != "#"), "")
    cells = [cell.strip().strip('"').lower() for cell in re.split(r"[\t,;|]", line)]
    identifier = next((name for name in _ID if name in cells), None)
    label = next((name for name in _NAME if name in cells), None)
    return (identifier, label) if identifier and label else None


def _plain(row: Mapping[str, str]) -> dict[str, str]:
    return {column.lower(): value.strip() for column, value in row.items()}


def _first(row: Mapping[str, str], columns: tuple[str, ...]) -> str:
    return next((row[name] for name in columns if name in row), "")


def _take(
    row: Mapping[str, str],
    draft: Draft,
    options: Options,
    entries: dict[str, Entry],
    above: dict[str, list[str]],
    kin: dict[str, list[str]],
) -> None:
    raw, name = _first(row, _ID), _first(row, _NAME)
    if options.prefix and ":" not in raw:
        raw = f"{options.prefix}:{raw}"
    curie = canonical(raw) or raw
    if not _CURIE.fullmatch(curie) or not name:
        draft.problem(raw[:60] or "a row", "is no id with a name; left out (--prefix may help)")
        return
    prefix = curie.partition(":")[0]
    if canonical(curie) is None:
        draft.authority.add(prefix)  # a prefix of the user's own
    entry = entries.get(curie)
    if entry is None:
        entry = entries[curie] = Entry(curie, name, type_of(prefix, options))
        above[curie], kin[curie] = [], []
    elif name not in {known.text for known in entry.names}:
        exact = _first(row, _SORT).lower().replace("-", "_") in _EXACT
        entry.names.append(Name(name, SYNONYM, matched=exact))
    for other in filter(None, map(str.strip, _first(row, _SYNONYMS).split("|"))):
        if other not in {known.text for known in entry.names}:
            entry.names.append(Name(other, SYNONYM))
    above[curie] += filter(None, map(str.strip, _first(row, _PARENT).split("|")))
    kin[curie] += filter(None, map(str.strip, _first(row, _XREF).split("|")))
    if all(column in row for column in _RESOURCE) and row["resource_id"]:
        kin[curie].append(f"{row['resource']}:{row['resource_id']}")
