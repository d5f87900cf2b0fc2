"""Mappings in SSSOM: which ids of different vocabularies mean the same, or the narrower."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kgrag.vocabulary.prefixes import canonical, flaw
from kgrag_ingest.ontologies.base import Link
from kgrag_ingest.ontologies.loaders.base import Draft, Options, table_rows, text_lines

_NEEDED: Final = ("subject_id", "predicate_id", "object_id")
_EXACT: Final = frozenset(("skos:exactmatch", "owl:sameas", "owl:equivalentclass"))
_NARROWER: Final = frozenset(("skos:broadmatch", "rdfs:subclassof"))
_BROADER: Final = frozenset(("skos:narrowmatch",))
_SURE: Final = 0.8  # mappings that say a lower confidence are left out


class Sssom:
    """Exact mappings join concepts, broad and narrow ones become hierarchy; others are left out."""

    kind = "sssom"

    def recognises(self, path: Path, head: str) -> bool:
        return path.is_file() and (
            ".sssom." in path.name.lower() or all(column in head for column in _NEEDED)
        )

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        _read_header(path, draft)
        for row in table_rows(path, draft, _NEEDED):
            predicate = row["predicate_id"].lower()
            confidence = row.get("confidence", "").strip()
            if row.get("predicate_modifier", "").lower() == "not":
                draft.counts["mappings that are denied"] += 1
                continue
            if confidence and _is_unsure(confidence, draft):
                draft.counts["mappings that are unsure"] += 1
                continue
            one, other = canonical(row["subject_id"]), canonical(row["object_id"])
            if one is None or other is None:
                draft.counts["mappings of unknown prefixes"] += 1
            elif wrong := flaw(one) or flaw(other):
                draft.problem(f"{row['subject_id']} to {row['object_id']}", wrong)
            elif predicate in _EXACT:
                draft.links.append(Link(one, "exact", other))
            elif predicate in _NARROWER:
                draft.links.append(Link(one, "narrower", other))
            elif predicate in _BROADER:
                draft.links.append(Link(other, "narrower", one))
            else:
                draft.counts["mappings of other predicates left out"] += 1


def _is_unsure(confidence: str, draft: Draft) -> bool:
    try:
        return float(confidence) < _SURE
    except ValueError:
        draft.problem("confidence", f"{confidence[:20]!r} is no number")
        return True


def _read_header(path: Path, draft: Draft) -> None:
    """The licence, title and version of the metadata in the lines that begin with ``#``."""
    for _, line in text_lines(path, draft):
        if not line.startswith("#"):
            break
        key, colon, value = line.lstrip("# ").partition(":")
        value = value.strip().strip("'\"")
        if colon and value:
            if key == "license":
                draft.licence = value
            elif key == "mapping_set_title":
                draft.name = value
            elif key == "mapping_set_version":
                draft.version = value
            elif key == "mapping_date":
                draft.date = value
