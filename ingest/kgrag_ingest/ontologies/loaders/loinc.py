"""LOINC: the table Loinc.csv, with MapTo.csv for retired codes.

Many codes measure one analyte in different specimens and units, and a text names only the
analyte. So its name leads to the one code that laboratories use most (COMMON_TEST_RANK); each
code keeps its own long name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kgrag.errors import UnreadableFile
from kgrag.linking.normalise import key
from kgrag.vocabulary.lexicon import PREFERRED, SYNONYM, Retired
from kgrag_ingest.ontologies.base import Entry, Name
from kgrag_ingest.ontologies.loaders.base import Draft, Options, table_rows

_NEEDED: Final = ("LOINC_NUM", "COMPONENT", "STATUS", "LONG_COMMON_NAME")
_CLASSES: Final = frozenset(("1", "2", ""))  # laboratory and clinical; no claims, no surveys
_UNRANKED: Final = 10**9


class Loinc:
    """Analytes by LOINC code."""

    kind = "loinc"

    def recognises(self, path: Path, head: str) -> bool:
        if path.is_dir():
            return _table(path) is not None
        first = head.lstrip("#\n").partition("\n")[0]
        return "LOINC_NUM" in first and "LONG_COMMON_NAME" in first

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        table = _table(path)
        if table is None:
            raise UnreadableFile(str(path), "has no Loinc.csv")
        draft.authority.add("LOINC")
        used: list[Mapping[str, str]] = []
        old: list[Mapping[str, str]] = []
        for row in table_rows(table, draft, _NEEDED):
            if row["STATUS"].upper() == "DEPRECATED":
                old.append(row)
            elif row.get("CLASSTYPE", "") in _CLASSES:
                used.append(row)
            else:
                draft.counts["claims and surveys left out"] += 1
            draft.version = max(draft.version or "", row.get("VersionLastChanged", "")) or None
        speaking = _speaking(used)
        draft.entries.extend(_entry(row, speaking) for row in used)
        replaced = _read_map(path, draft)
        for row in old:
            code = row["LOINC_NUM"]
            others = tuple(f"LOINC:{other}" for other in replaced.get(code, ()))
            # The name of a deprecated code has been the analyte's all along.
            draft.retired.append(Retired(f"LOINC:{code}", "", others, ""))


def _table(path: Path) -> Path | None:
    if path.is_file():
        return path
    found = sorted(p for p in path.rglob("*.csv") if p.name.lower() == "loinc.csv")
    return found[0] if found else None


def _speaking(rows: list[Mapping[str, str]]) -> dict[str, str]:
    """Folded components, to the code by which a text that names one is read."""
    best: dict[str, tuple[int, str]] = {}
    for row in rows:
        rank = row.get("COMMON_TEST_RANK", "")
        place = int(rank) if rank.isdigit() and int(rank) else _UNRANKED
        component = key(_component(row))
        offer = (place, row["LOINC_NUM"])
        if component and (component not in best or offer < best[component]):
            best[component] = offer
    return {component: code for component, (_, code) in best.items()}


def _component(row: Mapping[str, str]) -> str:
    """The analyte without challenge and adjustment (``Glucose^1.5H post dose glucose``)."""
    return row["COMPONENT"].partition("^")[0]


def _entry(row: Mapping[str, str], speaking: Mapping[str, str]) -> Entry:
    code, title = row["LOINC_NUM"], row["LONG_COMMON_NAME"]
    component = _component(row)
    names = [Name(title, PREFERRED, matched="[" not in title)]
    if speaking.get(key(component)) == code:
        names.append(Name(component, SYNONYM))
        consumer = row.get("CONSUMER_NAME", "").partition(",")[0]
        if consumer and key(consumer) != key(component):
            names.append(Name(consumer, SYNONYM))
    if short := row.get("SHORTNAME", ""):
        names.append(Name(short, SYNONYM, matched=False))
    return Entry(f"LOINC:{code}", title, "analyte", names)


def _read_map(path: Path, draft: Draft) -> dict[str, list[str]]:
    folder = path if path.is_dir() else path.parent
    found = sorted(p for p in folder.rglob("*.csv") if p.name.lower() == "mapto.csv")
    replaced: dict[str, list[str]] = {}
    if found:
        for row in table_rows(found[0], draft, ("LOINC", "MAP_TO")):
            if row["MAP_TO"]:
                replaced.setdefault(row["LOINC"], []).append(row["MAP_TO"])
    return replaced
