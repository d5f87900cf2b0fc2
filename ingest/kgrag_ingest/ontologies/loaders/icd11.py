"""ICD-11: the simple tabulation of a linearization, a tab-separated file.

The depth of an entry is told by the dashes before its title. Chapters of injuries' causes,
functioning, traditional medicine and extension codes are no diseases and are left out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import PREFERRED
from kgrag_ingest.ontologies.base import Entry, Name
from kgrag_ingest.ontologies.loaders.base import Draft, Options, table_rows

_DASHES: Final = re.compile(r"^(?:- ?)*")
_SYMPTOMS: Final = "21"
_LEFT_OUT: Final = frozenset(("23", "24", "25", "26", "V", "X"))
_CATALOGUE: Final = re.compile(
    r"(?i)\bunspecified\b|\bother specified\b|\bnot elsewhere\b|[\[\](),;]"
)
_MAX_WORDS: Final = 6


class Icd11:
    """Diseases and symptoms by ICD-11 code."""

    kind = "icd11"

    def recognises(self, path: Path, head: str) -> bool:
        first = head.partition("\n")[0]
        return path.is_file() and "Linearization" in first and "ClassKind" in first

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        draft.authority.add("ICD11")
        above: list[str | None] = []  # the id at each depth on the way down to here
        for row in table_rows(path, draft, ("Code", "Title", "ClassKind", "ChapterNo")):
            raw = row["Title"].strip()
            dashes = _DASHES.match(raw)
            depth = dashes[0].count("-") if dashes else 0
            title = raw[dashes.end() :].strip() if dashes else raw
            chapter = row["ChapterNo"].strip().lstrip("0")
            code = row["Code"].strip() or row.get("BlockId", "").strip()
            del above[depth:]
            above.extend([None] * (depth - len(above)))
            if chapter in _LEFT_OUT:
                draft.counts["entries of other chapters left out"] += 1
                above.append(None)
                continue
            curie = f"ICD11:{code}" if code else None
            above.append(curie)
            if curie is None:
                continue  # a chapter: it has a number and no code
            parent = next((other for other in reversed(above[:-1]) if other), None)
            type_: ConceptType = "phenotype" if chapter == _SYMPTOMS else "disease"
            first = Name(title, PREFERRED, matched=_is_matched(title, row))
            draft.entries.append(Entry(curie, title, type_, [first], [parent] if parent else []))


def _is_matched(title: str, row: object) -> bool:
    residual = isinstance(row, dict) and row.get("IsResidual", "").lower() == "true"
    return not residual and len(title.split()) <= _MAX_WORDS and not _CATALOGUE.search(title)
