"""Laboratory analytes keyed by LOINC, from the package labunits."""

from __future__ import annotations

import json
import re
from typing import Final

from kgrag.vocabulary.lexicon import SYNONYM
from kgrag_ingest.ontologies.base import (
    Entry,
    Name,
    Vocabulary,
    file_sha256,
    package_file,
    package_version,
)

_BRACKETS: Final = re.compile(r"\s*\(([^)]*)\)")


def read() -> Vocabulary:
    """Analytes with the names in their brackets as synonyms, one a name whatever the specimen."""
    path = package_file("labunits", "labunits", "data", "analytes.json")
    rows = json.loads(path.read_text(encoding="utf-8"))
    entries: dict[str, Entry] = {}
    for code, row in sorted(rows.items()):
        title = row["name"]
        plain = _BRACKETS.sub("", title).strip()
        names = [
            Name(part.strip(), SYNONYM, cased=" " not in part.strip())
            for bracket in _BRACKETS.findall(title)
            for part in bracket.split(",")
            # Brackets also hold qualifiers ("cardiac", "supine"); only short forms are names.
            if any(char.isupper() for char in part)
        ]
        # Other specimens of an analyte have codes of their own; a text seldom names the specimen.
        entries.setdefault(plain.lower(), Entry(f"LOINC:{code}", plain, "analyte", names))
    return Vocabulary(
        id="analytes",
        name="Laboratory analytes keyed by LOINC",
        version=package_version("labunits"),
        licence="MIT; LOINC codes under the LOINC licence",
        origin="pypi:labunits/labunits/data/analytes.json",
        sha256=file_sha256(path),
        date=None,
        entries=tuple(entries.values()),
        counts={"codes": len(rows)},
    )
