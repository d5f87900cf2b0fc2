"""SNOMED CT in Release Format 2: the snapshot of an edition, English.

The type of a concept is read from the tag of its fully specified name. Preferred terms come from
the language reference set (US English before others). Inactive concepts are retired, with what
the association reference sets "same as" and "replaced by" name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kgrag.errors import UnreadableFile
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import PREFERRED, SYNONYM, Retired
from kgrag_ingest.ontologies.base import Entry, Name
from kgrag_ingest.ontologies.loaders.base import Draft, Options, text_lines

_TAGS: Final[dict[str, ConceptType]] = {
    "disorder": "disease", "finding": "phenotype", "morphologic abnormality": "disease",
    "procedure": "procedure", "regime/therapy": "procedure", "substance": "chemical",
    "product": "drug", "medicinal product": "drug", "medicinal product form": "drug",
    "clinical drug": "drug", "body structure": "anatomy", "observable entity": "analyte",
    "person": "other", "event": "other",
}  # fmt: skip
# Morphologic abnormalities repeat the names of disorders, and events are no concepts of advice.
_SKIPPED: Final = frozenset(("morphologic abnormality", "event"))
_TAG: Final = re.compile(r" \(([^()]+)\)$")
_FULL_NAME: Final = "900000000000003001"
_PREFERRED: Final = "900000000000548007"
_US_ENGLISH: Final = "900000000000509007"
_IS_A: Final = "116680003"
_REPLACING: Final = frozenset(("900000000000527005", "900000000000526001"))  # same as, replaced by
_RELEASE: Final = re.compile(r"_(\d{8})(?:T\d+Z?)?\.txt")


class SnomedCt:
    """Concepts by SCTID."""

    kind = "snomedct"

    def recognises(self, path: Path, head: str) -> bool:
        return path.is_dir() and "sct2_Concept_" in head

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        concepts = _file(path, "sct2_Concept_")
        draft.authority.add("SNOMEDCT")
        dated = _RELEASE.search(concepts.name)
        if dated:
            digits = draft.version = dated[1]
            draft.date = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
        active = {row[0]: row[2] == "1" for row in _rows(concepts, draft, 5)}
        entries, names = _read_descriptions(path, active, draft)
        for row in _rows(_file(path, "sct2_Relationship_"), draft, 10):
            if row[2] == "1" and row[7] == _IS_A and row[4] in entries and row[5] in entries:
                entries[row[4]].parents.append(f"SNOMEDCT:{row[5]}")
        draft.entries.extend(entries.values())
        replaced = _read_associations(path, draft)
        for identifier, is_active in active.items():
            if not is_active:
                others = tuple(f"SNOMEDCT:{other}" for other in replaced.get(identifier, ()))
                name = _TAG.sub("", names.get(identifier, ""))
                draft.retired.append(Retired(f"SNOMEDCT:{identifier}", name, others, ""))


def _file(folder: Path, start: str, *, optional: bool = False) -> Path:
    """The snapshot file whose name begins so, English where there are several languages."""
    found = sorted(p for p in folder.rglob(f"{start}*.txt") if "Snapshot" in p.name)
    english = [p for p in found if "-en" in p.name]
    if not found and not optional:
        others = any(folder.rglob(f"{start}*.txt"))
        hint = "only the Snapshot of a release is read" if others else None
        raise UnreadableFile(str(folder), f"has no {start}Snapshot*.txt", hint=hint)
    return (english or found or [folder])[0]


def _rows(path: Path, draft: Draft, fields: int) -> Iterator[list[str]]:
    """The rows behind the header, by columns: RF2 quotes nothing."""
    for number, line in text_lines(path, draft):
        row = line.split("\t")
        if len(row) < fields:
            draft.problem(f"{path.name}:{number}", f"has {len(row)} fields of {fields}; left out")
        elif number > 1:
            yield row


def _read_descriptions(
    folder: Path, active: dict[str, bool], draft: Draft
) -> tuple[dict[str, Entry], dict[str, str]]:
    """The entries, and the full names of inactive concepts."""
    full: dict[str, str] = {}
    terms: dict[str, list[tuple[str, str]]] = {}
    for row in _rows(_file(folder, "sct2_Description_"), draft, 9):
        concept, language, kind, text = row[4], row[5], row[6], row[7]
        if row[2] != "1" or not language.startswith("en"):
            continue
        if concept not in active:
            draft.problem(f"SNOMEDCT:{concept}", "is described and is no concept of the release")
        elif kind == _FULL_NAME:
            full[concept] = text
        else:
            terms.setdefault(concept, []).append((row[0], text))
    preferred = _read_preferred(folder, draft)
    entries: dict[str, Entry] = {}
    for concept, is_active in active.items():
        tagged = _TAG.search(full.get(concept, ""))
        tag = tagged[1] if tagged else ""
        if not is_active:
            continue
        if tag not in _TAGS or tag in _SKIPPED:
            draft.counts["concepts of other kinds left out"] += 1
            continue
        plain = _TAG.sub("", full[concept])
        first = next((text for id_, text in terms.get(concept, ()) if preferred.get(id_)), plain)
        others = dict.fromkeys(text for _, text in terms.get(concept, ()) if text != first)
        names = [Name(first, PREFERRED), *(Name(o, SYNONYM, _is_acronym(o)) for o in others)]
        entries[concept] = Entry(f"SNOMEDCT:{concept}", first, _TAGS[tag], names)
    return entries, full


def _is_acronym(text: str) -> bool:
    return text.isupper() and len(text) <= 6


def _read_preferred(folder: Path, draft: Draft) -> dict[str, bool]:
    """Descriptions that are preferred: in US English where that is told, else in any English."""
    path = _file(folder, "der2_cRefset_Language", optional=True)
    if path == folder:
        draft.problem(folder.name, "has no language reference set: the first term is shown")
        return {}
    us: dict[str, bool] = {}
    other: dict[str, bool] = {}
    for row in _rows(path, draft, 7):
        if row[2] == "1" and row[6] == _PREFERRED:
            (us if row[4] == _US_ENGLISH else other)[row[5]] = True
    return us or other


def _read_associations(folder: Path, draft: Draft) -> dict[str, list[str]]:
    replaced: dict[str, list[str]] = {}
    path = _file(folder, "der2_cRefset_Association", optional=True)
    if path != folder:
        for row in _rows(path, draft, 7):
            if row[2] == "1" and row[4] in _REPLACING:
                replaced.setdefault(row[5], []).append(row[6])
    return replaced
