"""The UMLS Metathesaurus in RRF: MRCONSO with MRSTY, and MRREL and MRCUI where they are there.

A concept is a CUI of a semantic type that medicine's questions are about; genes, proteins,
organisms and the rest are left out. Names are English and not suppressed. Codes of known sources
become cross-references.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import PREFERRED, SYNONYM, Retired
from kgrag_ingest.ontologies.base import Entry, Name
from kgrag_ingest.ontologies.loaders.base import Draft, Options, named, needed, pipe_rows

# Semantic types in the order in which they decide.
TYPES: Final[tuple[tuple[ConceptType, frozenset[str]], ...]] = (
    ("disease", frozenset("T019 T020 T037 T046 T047 T048 T049 T190 T191".split())),
    ("phenotype", frozenset("T033 T184".split())),
    ("drug", frozenset("T121 T195 T200".split())),
    ("procedure", frozenset("T058 T059 T060 T061".split())),
    ("analyte", frozenset("T034 T201".split())),
    ("chemical", frozenset("T103 T104 T109 T120 T122 T125 T127 T130 T131 T196 T197".split())),
    ("anatomy", frozenset("T017 T022 T023 T024 T029 T030".split())),
    ("other", frozenset("T098 T099 T100 T101".split())),
)
_SOURCES: Final = {
    "MSH": "MESH", "SNOMEDCT_US": "SNOMEDCT", "HPO": "HP", "ICD10CM": "ICD10CM", "ICD10": "ICD10",
    "ICD9CM": "ICD9CM", "RXNORM": "RXNORM", "DRUGBANK": "DRUGBANK", "LNC": "LOINC", "ATC": "ATC",
    "OMIM": "OMIM", "NCI": "NCIT", "ORPHANET": "ORPHA", "MONDO": "MONDO", "MDR": "MEDDRA",
    "MTHSPL": "UNII", "FMA": "FMA", "UBERON": "UBERON",
}  # fmt: skip
_ACRONYMS: Final = frozenset(("AB", "ACR", "AA"))
_PARENT_OF: Final = {"PAR": (0, 4), "CHD": (4, 0)}  # where child and parent stand in a row
_MOST_CODES: Final = 40


class Umls:
    """Concepts by CUI, with the names and codes that the sources give them."""

    kind = "umls"

    def recognises(self, path: Path, head: str) -> bool:
        return path.is_dir() and named(path, "MRCONSO.RRF") is not None

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        names = needed(path, "MRCONSO.RRF")
        types = _types(needed(path, "MRSTY.RRF"), draft)
        draft.authority.add("UMLS")
        entries = _read_names(names, types, draft, frozenset(options.sources))
        draft.entries.extend(entries.values())
        related = named(path, "MRREL.RRF")
        if related is not None:
            _read_parents(related, entries, draft)
        history = named(path, "MRCUI.RRF")
        if history is not None:
            _read_retired(history, draft)


def _types(path: Path, draft: Draft) -> dict[str, ConceptType]:
    rank = {code: at for at, (_, codes) in enumerate(TYPES) for code in codes}
    best: dict[str, int] = {}
    for row in pipe_rows(path, draft, 4):
        at = rank.get(row[1])
        if at is not None and at < best.get(row[0], len(TYPES)):
            best[row[0]] = at
    return {cui: TYPES[at][0] for cui, at in best.items()}


def _read_names(
    path: Path, types: dict[str, ConceptType], draft: Draft, sources: frozenset[str]
) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    codes: dict[str, list[str]] = {}
    left_out: set[str] = set()
    for row in pipe_rows(path, draft, 17):
        cui, language, status, form, preferred = row[0], row[1], row[2], row[4], row[6]
        source, kind, code, text, suppressed = row[11], row[12], row[13], row[14], row[16]
        type_ = types.get(cui)
        if type_ is None:
            left_out.add(cui)
            continue
        if suppressed in ("O", "E", "Y") or (sources and source not in sources):
            draft.counts["names suppressed or of other sources"] += 1
            continue
        if (prefix := _SOURCES.get(source)) is not None and code not in ("", "NOCODE"):
            its = codes.setdefault(cui, [])
            if len(its) < _MOST_CODES:
                its.append(code if ":" in code else f"{prefix}:{code}")
        if language != "ENG" or not text.strip():
            draft.counts["names in other languages"] += language != "ENG"
            continue
        is_first = status == "P" and form == "PF" and preferred == "Y"
        entry = entries.get(cui)
        if entry is None:
            entries[cui] = entry = Entry(f"UMLS:{cui}", text, type_)
        elif is_first and entry.names[0].text != text:
            entry.names[0] = Name(entry.names[0].text, SYNONYM)
            entry.names.insert(0, Name(text, PREFERRED))
            entry.name = text
        else:
            entry.names.append(Name(text, SYNONYM, kind in _ACRONYMS))
    for cui, entry in entries.items():
        unique = {name.text: name for name in reversed(entry.names)}
        entry.names = list(reversed(unique.values()))
        entry.same_as = draft.xrefs(dict.fromkeys(codes.get(cui, ())))
    draft.counts["concepts of other semantic types left out"] = len(left_out)
    return entries


def _read_parents(path: Path, entries: dict[str, Entry], draft: Draft) -> None:
    """In a row the second concept stands to the first as REL says."""
    above: Counter[tuple[str, str]] = Counter()
    for row in pipe_rows(path, draft, 15):
        places = _PARENT_OF.get(row[3])
        if places is None or row[14] in ("O", "E", "Y"):
            continue
        child, parent = row[places[0]], row[places[1]]
        if child != parent and child in entries and parent in entries:
            above[child, parent] += 1
    for child, parent in above:
        entries[child].parents.append(f"UMLS:{parent}")


def _read_retired(path: Path, draft: Draft) -> None:
    """CUIs that were merged into another one, or deleted."""
    replaced: dict[str, list[str]] = {}
    for row in pipe_rows(path, draft, 7):
        if row[2] == "SY" and row[5]:
            replaced.setdefault(row[0], []).append(f"UMLS:{row[5]}")
        elif row[2] == "DEL":
            replaced.setdefault(row[0], [])
    for cui, others in replaced.items():
        draft.retired.append(Retired(f"UMLS:{cui}", "", tuple(dict.fromkeys(others)), ""))
