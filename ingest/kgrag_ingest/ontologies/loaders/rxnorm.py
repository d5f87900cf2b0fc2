"""RxNorm in RRF: RXNCONSO, with RXNREL, RXNATOMARCHIVE and RXNCUI where they are there.

Ingredients and brands are read in texts; clinical drugs ("metformin 500 MG Oral Tablet") are
concepts, but no text writes their names. A brand stands under its ingredients.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kgrag.vocabulary.lexicon import PREFERRED, SYNONYM, Retired
from kgrag_ingest.ontologies.base import Entry, Name
from kgrag_ingest.ontologies.loaders.base import Draft, Options, named, needed, pipe_rows

# Term types: those that name a concept, in order of preference, and whether texts are searched.
_TYPES: Final = {
    "IN": True, "PIN": True, "MIN": True, "BN": True, "DF": False, "SCD": False, "SBD": False,
    "GPCK": False, "BPCK": False, "SCDC": False, "SCDF": False, "SBDF": False, "SBDC": False,
    "SCDG": False, "SBDG": False, "SCDFP": False, "SCDGP": False, "SBDFP": False,
}  # fmt: skip
_LEFT_OUT: Final = frozenset(("DF", "DFG", "ET"))
_SYNONYMS: Final = frozenset(("SY", "TMSY", "PSN"))
_SOURCES: Final = {
    "DRUGBANK": "DRUGBANK", "ATC": "ATC", "MTHSPL": "UNII", "MSH": "MESH",
    "SNOMEDCT_US": "SNOMEDCT",
}  # fmt: skip
_UNDER: Final = frozenset(("isa", "tradename_of", "form_of"))


class RxNorm:
    """Drugs by RXCUI."""

    kind = "rxnorm"

    def recognises(self, path: Path, head: str) -> bool:
        return path.is_dir() and named(path, "RXNCONSO.RRF") is not None

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        draft.authority.add("RXNORM")
        entries = _read_names(needed(path, "RXNCONSO.RRF"), draft)
        draft.entries.extend(entries.values())
        related = named(path, "RXNREL.RRF")
        if related is not None:
            for row in pipe_rows(related, draft, 8):
                # The second concept stands to the first as RELA says.
                if row[7] in _UNDER and row[4] in entries and row[0] in entries:
                    above = entries[row[4]].parents
                    if f"RXNORM:{row[0]}" not in above and row[0] != row[4]:
                        above.append(f"RXNORM:{row[0]}")
        _read_retired(path, draft, entries)


def _read_names(path: Path, draft: Draft) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    others: dict[str, list[str]] = {}
    codes: dict[str, dict[str, None]] = {}
    for row in pipe_rows(path, draft, 17):
        cui, language, source, kind, code, text = row[0], row[1], row[11], row[12], row[13], row[14]
        if row[16] in ("O", "E", "Y") or language not in ("ENG", ""):
            draft.counts["names suppressed"] += 1
        elif source == "RXNORM" and kind in _TYPES and kind not in _LEFT_OUT:
            if cui not in entries:
                first = Name(text, PREFERRED, matched=_TYPES[kind])
                entries[cui] = Entry(f"RXNORM:{cui}", text, "drug", [first])
                draft.counts["brands"] += kind == "BN"
        elif source == "RXNORM" and kind in _SYNONYMS:
            others.setdefault(cui, []).append(text)
        elif (prefix := _SOURCES.get(source)) is not None and code not in ("", "NOCODE"):
            codes.setdefault(cui, {})[f"{prefix}:{code}"] = None
    for cui, entry in entries.items():
        matched = entry.names[0].matched
        entry.names += [Name(text, SYNONYM, matched=matched) for text in others.get(cui, ())]
        entry.same_as = draft.xrefs(codes.get(cui, ()))
    return entries


def _read_retired(folder: Path, draft: Draft, entries: dict[str, Entry]) -> None:
    """RXCUIs of the archive, with what they were merged into."""
    names: dict[str, str] = {}
    replaced: dict[str, dict[str, None]] = {}
    archive = named(folder, "RXNATOMARCHIVE.RRF")
    if archive is not None:
        for row in pipe_rows(archive, draft, 16):
            old, new = row[12], row[15]
            if old and old not in entries:
                names.setdefault(old, row[2])
                replaced.setdefault(old, {})
                if new and new != old:
                    replaced[old][f"RXNORM:{new}"] = None
    history = named(folder, "RXNCUI.RRF")
    if history is not None:
        for row in pipe_rows(history, draft, 5):
            if row[0] not in entries and row[4] and row[4] != row[0]:
                replaced.setdefault(row[0], {})[f"RXNORM:{row[4]}"] = None
    for old, its in replaced.items():
        draft.retired.append(Retired(f"RXNORM:{old}", names.get(old, ""), tuple(its), ""))
