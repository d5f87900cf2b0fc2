"""MeSH ids: what is vouched for is used, what disagrees is refused or repaired."""

from __future__ import annotations

import bz2
import pickle
from pathlib import Path

import pytest

from kgrag.errors import DataError
from kgrag_ingest.ontologies.base import Entry, Name, own_ids_retired, plain_pickle
from kgrag_ingest.ontologies.crosswalk import Crosswalk, Row, borne_out
from kgrag_ingest.ontologies.merge import Merged
from kgrag_ingest.ontologies.mesh_diseases import branch_type
from kgrag_ingest.ontologies.repair import Claim, Repair

ROWS = [
    Row(f"MESH:D{number:06d}", name, f"DOID:{number}", name.lower())
    for number, name in [
        (10, "Alpha Disease"), (20, "Beta Disease"), (30, "Gamma Disease"), (40, "Hotel Disease"),
        (50, "India Disease"), (60, "Kilo Disease"), (70, "Lima Disease"),
    ]
]  # fmt: skip
ROWS.append(Row("MESH:D000082", "Sierrol", "CHEBI:1", "sierrol"))


def verdict(name: str, mesh: str, *synonyms: str, claimed: int = 1, listed: str = "") -> str:
    repair = Repair(
        Crosswalk(ROWS), [mesh] * claimed, ("DOID",), {name.lower(): listed} if listed else {}
    )
    found = repair.judge(Claim((name, *synonyms), mesh))
    return f"{found.how} {found.mesh}"


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (("alpha disease", "MESH:D000010"), "verified MESH:D000010"),
        (("renamed disease", "MESH:D000010", "alpha disease"), "verified MESH:D000010"),
        # the id belongs to another name: refused, and repaired where the name is known
        (("alpha disease", "MESH:D000020"), "repaired MESH:D000010"),
        (("unheard disease", "MESH:D000020"), "refused None"),
        (("unheard disease", "MESH:D000020", "lima disease"), "repaired MESH:D000070"),
        # two synonyms that lead to two ids repair nothing
        (("unheard disease", "MESH:D000020", "lima disease", "kilo disease"), "refused None"),
        # an unknown id has its place in the alphabet, or has not
        (("golf disease", "MESH:D000035"), "corroborated MESH:D000035"),
        (("zulu disease", "MESH:D000035"), "refused None"),
        # of an id of the later, unordered headings nothing can be known
        (("golf disease", "MESH:D050000"), "refused None"),
        # a drug of that name is no disease
        (("sierrol", "MESH:D000020"), "refused None"),
    ],
)
def test_verdicts(case: tuple[str, ...], expected: str) -> None:
    assert verdict(*case) == expected


def test_an_id_that_two_rows_claim_is_not_corroborated() -> None:
    assert verdict("golf disease", "MESH:D000035", claimed=2) == "refused None"


LABELS = {
    "MESH:D050000": {"Golf Disease"},
    "MESH:D000035": {"Golf Ball"},
    "MESH:D060000": {"Papa Tumor"},
    "MESH:D060001": {"Quebec Disease"},
    "MESH:D060002": {"Quebec Disease"},
}


@pytest.mark.parametrize(
    ("names", "mesh", "expected"),
    [
        # MeSH's own name bears the id out, or a synonym's
        (["golf disease"], "MESH:D050000", "verified MESH:D050000"),
        (["the golf", "golf diseases", "golf disease"], "MESH:D050000", "verified MESH:D050000"),
        # it stands at its place in the alphabet, but MeSH gives it another name
        (["golf"], "MESH:D000035", "refused None"),
        # MeSH has one id of that name, in either number, and not two
        (["papa tumors"], "MESH:D000035", "repaired MESH:D060000"),
        (["quebec disease"], "MESH:D000035", "refused None"),
        (["papa tumor"], "", "repaired MESH:D060000"),
        # what MeSH calls so comes before what the cross-walk's kin is called
        (["gamma disease"], "MESH:D000035", "repaired MESH:D000030"),
    ],
)
def test_the_names_of_mesh_itself_decide(names: list[str], mesh: str, expected: str) -> None:
    repair = Repair(Crosswalk(ROWS, LABELS), [mesh], ("DOID",))
    found = repair.judge(Claim(tuple(names), mesh or None))
    assert f"{found.how} {found.mesh}" == expected


def test_cross_walk_rows_whose_names_are_of_two_records_are_refused() -> None:
    known = {
        "acute leukemia": {"disease leukemia"}, "leukemia": {"disease leukemia"},
        "meningism": {"disease meningism"}, "stiff neck": {"disease meningism"},
    }  # fmt: skip
    wrong = Row("MESH:D000650", "Amnion", "DOID:1", "acute leukemia")
    kept = [
        Row("MESH:D1", "Leukemia", "DOID:2", "acute leukemias"),
        Row("MESH:D2", "Meningism", "HP:3", "stiff neck"),
        Row("MESH:D3", "Unheard", "HP:4", "unknown to all"),
        Row("MESH:D4", "Amnion", "CHEBI:5", "acute leukemia"),  # chemicals have many names
        Row("MESH:D5", "acute leukemia", "DOID:6", "Acute Leukemia"),
    ]
    assert borne_out([wrong, *kept], known) == kept


def test_two_ids_of_one_vocabulary_are_never_joined_by_name() -> None:
    merged = Merged()
    merged.add([Entry("MESH:D1", "Ergocalciferol", "drug", [Name("vitamin d")])])
    assert merged.add([Entry("MESH:D2", "Vitamin D", "drug")]) == 0
    assert merged.add([Entry("DRUGBANK:DB00001", "Vitamin D", "drug")]) == 1
    assert merged.curie("DRUGBANK:DB00001") == "MESH:D2"


def test_an_id_of_ours_leads_to_the_id_that_was_found_later() -> None:
    entries = {
        "tetanus": Entry("MESH:D013742", "Tetanus", "disease"),
        "zorb": Entry("KGRAG:zorb", "Zorb", "disease"),
    }
    (record,) = own_ids_retired(entries, "x")
    assert (record.curie, record.replaced_by) == ("KGRAG:tetanus", ("MESH:D013742",))


def test_the_list_written_by_hand_comes_before_an_id_without_a_name() -> None:
    assert verdict("golf disease", "MESH:D050000", listed="MESH:D000036") == "listed MESH:D000036"


def test_the_verified_id_comes_before_the_list() -> None:
    found = verdict("alpha disease", "MESH:D000010", listed="MESH:D000099")
    assert found == "verified MESH:D000010"


@pytest.mark.parametrize(
    ("numbers", "type_"),
    [
        (["C10.228"], "disease"),
        (["C23.888.592"], "phenotype"),
        (["C23.888.592", "C10.597"], "disease"),
        (["E02.319"], "procedure"),
        (["N05.300", "F01.145"], None),
    ],
)
def test_tree_numbers_give_the_type(numbers: list[str], type_: str | None) -> None:
    assert branch_type(numbers) == type_


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path, ("/",))


def test_a_pickle_that_wants_to_call_something_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.pkl.bz2"
    path.write_bytes(bz2.compress(pickle.dumps({"a": Harmful()})))
    with pytest.raises(DataError, match="asks for"):
        plain_pickle(path)


def test_merging_keeps_siblings_apart_and_prefers_mesh() -> None:
    merged = Merged()
    merged.add([Entry("KGRAG:x", "Xylosis", "disease", [Name("X disease")])])
    joined = merged.add(
        [
            Entry("HP:1", "Xylosis", "phenotype", [Name("xyl")], same_as=["UMLS:C1"]),
            Entry("HP:2", "Other", "phenotype", [Name("xyl")], same_as=["UMLS:C1"]),
            Entry("CHEBI:3", "Xylosis", "chemical"),
        ]
    )
    assert joined == 1
    assert set(merged.entries) == {"HP:1", "HP:2", "CHEBI:3"}
    assert merged.curie("KGRAG:x") == "HP:1"
    assert merged.entries["HP:1"].type == "disease"


def test_entries_of_one_id_in_one_vocabulary_become_one() -> None:
    merged = Merged()
    merged.add([Entry("MESH:1", "A", "drug"), Entry("MESH:1", "B", "drug")])
    assert [name.text for name in merged.entries["MESH:1"].names] == ["A", "B"]
