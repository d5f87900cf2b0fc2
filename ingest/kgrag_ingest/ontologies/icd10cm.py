"""ICD-10-CM, from the tabular list in the package simple-icd-10-cm."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

from kgrag.vocabulary.lexicon import PREFERRED, SYNONYM
from kgrag_ingest.ontologies.base import (
    Entry,
    Name,
    Vocabulary,
    file_sha256,
    package_file,
)

_FILE: Final = "icd10c-tabular-April-1-2026.xml"
_DISEASES: Final = re.compile(r"[A-QU]")
_FINDINGS: Final = re.compile(r"[RST]")
_MAX_WORDS: Final = 6  # longer titles are sentences of a catalogue; no text writes them
_CATALOGUE: Final = re.compile(
    r"(?i)\b(?:unspecified|not elsewhere|elsewhere classified|other specified|encounter|with "
    r"other|and other|other)\b"
)


def read() -> Vocabulary:
    """The codes with titles and inclusion terms; catalogue wording is shown and never matched."""
    from lxml import etree

    path = package_file("simple-icd-10-cm", "simple_icd_10_cm", "data", _FILE)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    tree = etree.parse(path, parser)
    entries: list[Entry] = []
    counts: Counter[str] = Counter()
    for diagnosis in tree.iter("diag"):
        entry = _entry(diagnosis)
        if entry is not None:
            entries.append(entry)
            counts["names matched"] += sum(name.matched for name in entry.names)
    year = tree.findtext("version") or ""
    return Vocabulary(
        id="icd10cm",
        name="ICD-10-CM, tabular list",
        version=year,
        licence="public domain (U.S. government)",
        origin=f"pypi:simple-icd-10-cm/simple_icd_10_cm/data/{_FILE}",
        sha256=file_sha256(path),
        date="2026-04-01",
        entries=tuple(entries),
        counts=counts,
    )


def _entry(diagnosis: Any) -> Entry | None:
    code, title = diagnosis.findtext("name"), diagnosis.findtext("desc")
    if not code or not title or not (_DISEASES.match(code) or _FINDINGS.match(code)):
        return None  # external causes and contacts with services are no diseases
    above = diagnosis.getparent()
    parent = above.findtext("name") if above.tag == "diag" else None
    names = [Name(title, PREFERRED, matched=_is_matched(title))]
    for note in diagnosis.iterfind("inclusionTerm/note"):
        if note.text and _is_matched(note.text):
            names.append(Name(note.text, SYNONYM))
    return Entry(
        f"ICD10CM:{code}",
        title,
        "disease" if _DISEASES.match(code) else "phenotype",
        names,
        parents=[f"ICD10CM:{parent}"] if parent else [],
    )


def _is_matched(title: str) -> bool:
    return (
        len(title.split()) <= _MAX_WORDS
        and not _CATALOGUE.search(title)
        and not set("[](),;") & set(title)
    )
