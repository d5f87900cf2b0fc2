"""Whether diseases have the right MeSH id: against the Disease Ontology's own cross-references.

    KGRAG_DATA=... python bench/mesh_ids.py

Every disease of the Disease Ontology that has a cross-reference to MeSH, and whose label is a name
of the package that the default diseases come from, is looked up. *Right* is the share of these
with an id that the cross-references name; *precision* that share of those with any MeSH id.
Compared are the ids that the package claims, the ids as judged without MeSH's own names, and as
judged with them. The build reads none of the file that judges here; but the cross-walk that it
reads maps some of MeSH to the Disease Ontology, so that the two are not quite independent.
Intervals are Wilson's, 95%.
"""

from __future__ import annotations

import csv
import os
import sys
from collections import defaultdict
from pathlib import Path

from machine import describe
from statistics_of import share

from kgrag.linking.normalise import key
from kgrag_ingest.ontologies import crosswalk, drugs, headings, mesh_diseases, mesh_names
from kgrag_ingest.ontologies.build import records_of_names
from kgrag_ingest.ontologies.crosswalk import Crosswalk


def references(path: Path) -> tuple[dict[str, set[str]], dict[str, str]]:
    """MeSH ids by DOID, and labels by DOID."""
    ids: dict[str, set[str]] = defaultdict(set)
    labels: dict[str, str] = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["xref"].startswith("MESH:"):
                ids[row["id"]].add(row["xref"])
                labels[row["id"]] = row["label"]
    return ids, labels


def judged(table: Crosswalk, claimed: list[str]) -> dict[str, str]:
    """Folded names to the id of the one entry that has them."""
    _, listed = headings.read(table)
    found: dict[str, set[str]] = defaultdict(set)
    for entry in mesh_diseases.read(table, claimed, listed).entries:
        for name in entry.names:
            found[key(name.text)].add(entry.curie)
    return {name: next(iter(ids)) for name, ids in found.items() if len(ids) == 1}


def main() -> None:
    data = os.environ.get("KGRAG_DATA")
    if not data:
        sys.exit("set KGRAG_DATA to the folder of benchmark data")
    ids, labels = references(Path(data) / "ontologies" / "do_xrefs.tsv")
    package, medicines = mesh_diseases.read_package(), drugs.read_package()
    claims = [*mesh_diseases.claimed_ids(package), *drugs.claimed_ids(medicines)]
    _, names = mesh_names.read()
    known = records_of_names(package, "disease")
    for form, records in records_of_names(medicines, "drug").items():
        known.setdefault(form, set()).update(records)
    claimed: dict[str, set[str]] = defaultdict(set)
    records = package["disease_canonical_to_data"]
    for name, rows in package["disease_variant_to_canonical"].items():
        claimed[key(name)].update(f"MESH:{records[row]['mesh_id']}" for row in rows)
    for row, record in records.items():
        claimed[key(row)].add(f"MESH:{record['mesh_id']}")
    compared = {
        "as the package claims": {n: next(iter(i)) for n, i in claimed.items() if len(i) == 1},
        "judged by the cross-walk": judged(crosswalk.read({}, {})[1], claims),
        "judged by MeSH's names too": judged(crosswalk.read(names, known)[1], claims),
    }
    asked = [d for d in ids if all(key(labels[d]) in table for table in compared.values())]
    print(describe())
    print(f"{len(asked):,} diseases of {len(ids):,} with a cross-reference to MeSH")
    for what, table in compared.items():
        given = [(d, table[key(labels[d])]) for d in asked]
        right = sum(curie in ids[d] for d, curie in given)
        meshes = sum(curie.startswith("MESH:") for _, curie in given)
        print(f"{what:28} right {share(right, len(asked))}  precision {share(right, meshes)}")


if __name__ == "__main__":
    main()
