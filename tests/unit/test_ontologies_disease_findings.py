"""Findings of diseases become a part of the lexicon: joined by id or by whole name, denials out."""

from __future__ import annotations

from pathlib import Path

import pytest

from kgrag.errors import DataError
from kgrag_ingest.ontologies import disease_findings
from kgrag_ingest.ontologies.base import Entry, Name

HEADER = "\t".join(
    ("database_id", "disease_name", "qualifier", "hpo_id", "reference", "evidence", "onset",
     "frequency", "sex", "modifier", "aspect", "biocuration")
)  # fmt: skip


def line(disease: str, name: str, term: str, *, qualifier: str = "", aspect: str = "P") -> str:
    return "\t".join(
        (disease, name, qualifier, term, "PMID:1", "PCS", "", "", "", "", aspect, "X[2026-01-01]")
    )


def test_denied_lines_and_what_is_no_finding_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "phenotype.hpoa"
    rows = [
        line("OMIM:2", "Murkel fever", "HP:0000020"),
        line("OMIM:1", "Zorbosis", "HP:0000010"),
        line("OMIM:1", "Zorbosis", "HP:0000020", qualifier="NOT"),
        line("OMIM:1", "Zorbosis", "HP:0000007", aspect="I"),
    ]
    path.write_text("#description: own\n#version: 2026-01-01\n" + "\n".join([HEADER, *rows]) + "\n")
    assert disease_findings._diseases(path) == (
        "2026-01-01",
        [("OMIM:1", "Zorbosis", ["HP:0000010"]), ("OMIM:2", "Murkel fever", ["HP:0000020"])],
    )
    path.write_text(HEADER + "\nOMIM:1\tZorbosis\n")
    with pytest.raises(DataError, match="2 columns"):
        disease_findings._diseases(path)


def test_diseases_are_joined_by_id_then_by_name_then_by_name_without_its_number() -> None:
    terms = {"HP:1": (), "HP:2": ("HP:1",), "HP:3": ("HP:1",), "HP:9": ()}
    diseases = [
        ("OMIM:1", "something else", ["HP:2"]),
        ("OMIM:2", "Murkel fever", ["HP:3", "HP:404"]),
        ("OMIM:3", "Murkel Fever, type 2B", ["HP:2"]),
        ("OMIM:4", "unknown", ["HP:9"]),
        ("OMIM:5", "zorbosis", ["HP:404"]),
    ]
    names = {"murkel fever": "MESH:D2", "zorbosis": "MESH:D5"}
    part = disease_findings.made(diseases, terms, {"OMIM:1": "MESH:D1"}.get, names.get)
    assert part["terms"] == ["HP:1", "HP:2", "HP:3"]  # none that only left-out diseases have
    assert part["parents"] == [[], [0], [0]]
    assert part["diseases"] == {"MESH:D1": [1], "MESH:D2": [1, 2]}


def test_a_name_of_several_means_the_one_that_goes_by_it() -> None:
    entries = [
        Entry("A:1", "Cold", "disease", [Name("chill")]),
        Entry("A:2", "Chill", "phenotype"),
        Entry("A:3", "Sniffles", "disease", [Name("rheum")]),
        Entry("A:4", "Snuffles", "disease", [Name("rheum"), Name("hidden", matched=False)]),
        Entry("A:5", "Aspirin", "drug"),
    ]
    names = disease_findings.condition_names(entries)
    assert names["chill"] == "A:2" and names["cold"] == "A:1"
    assert {"rheum", "hidden", "aspirin"}.isdisjoint(names)
