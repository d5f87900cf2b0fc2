"""Drugs and chemicals, from the package drug-named-entity-recognition, with ids repaired."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import SYNONYM, WEAK
from kgrag_ingest.ontologies.base import (
    Entry,
    Name,
    Vocabulary,
    file_sha256,
    own_curie,
    own_ids_retired,
    package_file,
    package_version,
    plain_pickle,
)
from kgrag_ingest.ontologies.crosswalk import Crosswalk
from kgrag_ingest.ontologies.mesh_diseases import looks_like_acronym
from kgrag_ingest.ontologies.repair import Claim, Repair

_FILE: Final = "drug_ner_dictionary.pkl.bz2"
_CHEMICAL: Final = ("D01", "D02", "D03", "D04", "D06", "D09", "D10", "D20", "D26", "D27")


def read_package() -> Mapping[str, Any]:
    """The dictionaries of the package: names to rows, rows to ids and tree numbers."""
    path = package_file("drug-named-entity-recognition", "drug_named_entity_recognition", _FILE)
    return plain_pickle(path)


def claimed_ids(data: Mapping[str, Any]) -> list[str]:
    """All MeSH ids that the rows claim."""
    rows = data["drug_canonical_to_data"].values()
    return [f"MESH:{row['mesh_id']}" for row in rows if row.get("mesh_id")]


def read(crosswalk: Crosswalk, claimed: Iterable[str], listed: Mapping[str, str]) -> Vocabulary:
    """Drugs and chemicals with names and repaired ids; proteins that are no drugs are left out."""
    data = read_package()
    spelled: defaultdict[str, list[str]] = defaultdict(list)
    for name, rows in data["drug_variant_to_canonical"].items():
        for row in rows:
            spelled[row].append(name)
    repair = Repair(crosswalk, claimed, ("CHEBI",), listed)
    counts: Counter[str] = Counter()
    entries: dict[str, Entry] = {}
    brands = data["drug_variant_to_variant_data"]
    for canonical, row in data["drug_canonical_to_data"].items():
        type_ = _type(row)
        if type_ is None:
            counts["left out: protein or gene product"] += 1
            continue
        others = sorted(name for name in spelled[canonical] if name != canonical)
        mesh = row.get("mesh_id")
        verdict = repair.judge(Claim((canonical, *others), f"MESH:{mesh}" if mesh else None))
        counts[f"ids {verdict.how}" if mesh else f"no id claimed: {verdict.how}"] += 1
        bank = f"DRUGBANK:{row['drugbank_id']}" if row.get("drugbank_id") else None
        curie = verdict.mesh or bank or own_curie(canonical)
        names = [
            Name(
                name,
                WEAK if brands.get(name, {}).get("is_brand") else SYNONYM,
                looks_like_acronym(name),
            )
            for name in others
        ]
        same_as = [bank] if bank and bank != curie else []
        name = row.get("name", canonical)
        entries[canonical] = Entry(curie, name, type_, names, same_as=same_as)
    path = package_file("drug-named-entity-recognition", "drug_named_entity_recognition", _FILE)
    return Vocabulary(
        id="drugs",
        name="Drugs and chemicals with DrugBank and MeSH ids",
        version=package_version("drug-named-entity-recognition"),
        licence="MIT; DrugBank vocabulary CC0, MeSH courtesy of the U.S. NLM",
        origin=f"pypi:drug-named-entity-recognition/drug_named_entity_recognition/{_FILE}",
        sha256=file_sha256(path),
        date=None,
        entries=tuple(entries.values()),
        counts=counts,
        retired=own_ids_retired(entries, "drugs"),
    )


def _type(row: Mapping[str, Any]) -> ConceptType | None:
    trees = row.get("mesh_tree") or ()
    if any(number.startswith(_CHEMICAL) for number in trees):
        return "drug" if row.get("drugbank_id") else "chemical"
    if trees and not row.get("drugbank_id"):
        return None
    return "drug"
