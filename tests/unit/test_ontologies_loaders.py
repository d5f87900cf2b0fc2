"""What each loader takes from its format and what it leaves out, on invented look-alikes."""

from __future__ import annotations

from pathlib import Path

import pytest
from vocabulary_files import (
    FEVER,
    LOST,
    MESH_DESC,
    OBO,
    OWL,
    STORIES,
    conso,
    loinc,
    rrf,
    write_owl,
    write_snomedct,
    write_umls,
)  # fmt: skip

from kgrag.errors import UnreadableFile
from kgrag.vocabulary.lexicon import SYNONYM, WEAK
from kgrag_ingest.ontologies.base import Entry, Link
from kgrag_ingest.ontologies.loaders import detect, read
from kgrag_ingest.ontologies.loaders.base import Draft, Options


def load(kind: str, folder: Path, options: Options | None = None) -> Draft:
    return read(STORIES[kind][0](folder), kind, options)


def entry(draft: Draft, curie: str) -> Entry:
    return next(entry for entry in draft.entries if entry.curie == curie)


def names(draft: Draft, curie: str) -> dict[str, tuple[int, bool, bool]]:
    return {n.text: (n.kind, n.cased, n.matched) for n in entry(draft, curie).names}


def test_umls_takes_english_names_of_medical_types(tmp_path: Path) -> None:
    draft = load("umls", tmp_path)
    fever = entry(draft, "UMLS:C0900001")
    assert fever.name == "Zorbian fever"  # the preferred atom, though it is not the first row
    spelled = names(draft, "UMLS:C0900001")
    assert set(spelled) == {"Zorbian fever", "Fever, Zorbian", "marsh zorb", "ZF"}
    assert spelled["ZF"] == (SYNONYM, True, True)
    assert entry(draft, "UMLS:C0900004").type == "drug"
    assert "UMLS:C0900003" not in {e.curie for e in draft.entries}  # a gene
    assert "MESH:D900001" in fever.same_as
    assert fever.parents == ["UMLS:C0900002"]  # told twice, kept once
    assert {r.curie: r.replaced_by for r in draft.retired} == {
        "UMLS:C0800001": ("UMLS:C0900001",), "UMLS:C0800002": (),
    }  # fmt: skip


def test_umls_can_be_limited_to_sources(tmp_path: Path) -> None:
    draft = read(write_umls(tmp_path), "umls", Options(sources=("MSH",)))
    assert {e.curie for e in draft.entries} == {"UMLS:C0900001", "UMLS:C0900002"}
    assert set(names(draft, "UMLS:C0900001")) == {"Zorbian fever"}


def test_umls_rows_that_are_cut_off_are_named_by_line(tmp_path: Path) -> None:
    path = write_umls(tmp_path)
    with (path / "META" / "MRCONSO.RRF").open("a") as file:
        file.write("C0900009|ENG|P\n")
    draft = read(path, "umls")
    assert draft.problems == ["MRCONSO.RRF:10: has 3 fields of 17; left out"]
    assert len(draft.entries) == 3


def test_umls_without_semantic_types_is_refused(tmp_path: Path) -> None:
    path = write_umls(tmp_path)
    (path / "META" / "MRSTY.RRF").unlink()
    with pytest.raises(UnreadableFile, match=r"has no MRSTY\.RRF"):
        read(path, "umls")


def test_rxnorm_reads_ingredients_and_brands_in_texts_and_clinical_drugs_not(
    tmp_path: Path,
) -> None:
    draft = load("rxnorm", tmp_path)
    assert entry(draft, "RXNORM:900002").same_as == ["UNII:ZORB0SIS00", "DRUGBANK:DB99999"]
    assert not any(matched for _, _, matched in names(draft, "RXNORM:900003").values())
    assert entry(draft, "RXNORM:900003").parents == ["RXNORM:900002"]
    assert "RXNORM:900004" not in {e.curie for e in draft.entries}  # suppressed
    old = {r.curie: r for r in draft.retired}
    assert old["RXNORM:800001"].name == "old zorb"
    assert old["RXNORM:800002"].replaced_by == ()


def test_snomed_ct_follows_only_what_replaces(tmp_path: Path) -> None:
    draft = load("snomedct", tmp_path)
    old = {r.curie: r for r in draft.retired}
    assert old[f"SNOMEDCT:{LOST}"].replaced_by == ()  # "possibly equivalent" is no replacement
    assert old[f"SNOMEDCT:{LOST}"].name == "Lost zorb"
    assert entry(draft, f"SNOMEDCT:{FEVER}").name == "Zorbian fever"  # US English preferred term
    assert draft.version == "20260901"
    assert draft.date == "2026-09-01"
    assert len(draft.entries) == 2  # an environment is no concept of medicine
    assert "is no concept of the release" in draft.problems[0]


def test_a_snomed_ct_id_that_lost_its_digits_is_refused(tmp_path: Path) -> None:
    """What a spreadsheet does to long numbers: the check digit tells."""
    path = write_snomedct(tmp_path)
    rounded = FEVER[:-2] + "00"
    for file in path.rglob("*.txt"):
        file.write_text(file.read_text().replace(FEVER, rounded))
    draft = read(path, "snomedct")
    assert f"SNOMEDCT:{rounded}" not in {e.curie for e in draft.entries}
    assert any("check digit" in problem for problem in draft.problems)


def test_a_snomed_ct_release_without_a_snapshot_says_so(tmp_path: Path) -> None:
    path = write_snomedct(tmp_path)
    for file in sorted(path.rglob("sct2_*")):
        file.rename(file.with_name(file.name.replace("Snapshot", "Full")))
    with pytest.raises(UnreadableFile, match="only the Snapshot"):
        read(path, "snomedct")


def test_loinc_lets_one_code_speak_for_an_analyte(tmp_path: Path) -> None:
    draft = load("loinc", tmp_path)
    ranked, unranked = f"LOINC:{loinc(90002)}", f"LOINC:{loinc(90001)}"
    assert names(draft, ranked)["Zorbosis"] == (SYNONYM, False, True)
    assert "Zorbosis" not in names(draft, unranked)
    assert not names(draft, ranked)["Zorbosis [Mass/volume] in Serum or Plasma"][2]
    assert draft.counts["claims and surveys left out"] == 1


def test_mesh_reads_descriptors_and_supplementary_records(tmp_path: Path) -> None:
    draft = load("mesh", tmp_path)
    assert names(draft, "MESH:D990001")["ZF"] == (SYNONYM, True, True)
    assert entry(draft, "MESH:D990003").type == "chemical"
    assert entry(draft, "MESH:D990003").same_as == ["UNII:Z0RB1C1LL1"]
    assert entry(draft, "MESH:C990009").type == "disease"
    assert entry(draft, "MESH:C990009").parents == ["MESH:D990001"]
    assert "MESH:D990004" not in {e.curie for e in draft.entries}
    assert draft.version == "2026"


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE DescriptorRecordSet [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE DescriptorRecordSet [<!ENTITY b SYSTEM "file:///etc/hostname">]>',
    ],
    ids=["expansion", "external"],
)
def test_mesh_expands_no_entity_and_opens_no_file(tmp_path: Path, doctype: str) -> None:
    text = MESH_DESC.replace('<!DOCTYPE DescriptorRecordSet SYSTEM "desc.dtd">', doctype)
    path = tmp_path / "desc2026.xml"
    path.write_text(text.replace("<String>Zorbosis</String>", "<String>&b;</String>", 1))
    try:
        draft = read(path, "mesh")
    except UnreadableFile:
        return
    host = Path("/etc/hostname").read_text().strip() if Path("/etc/hostname").is_file() else "aaaa"
    for one in draft.entries:
        assert all(host not in n.text and "aaaa" not in n.text for n in one.names)


def test_obo_is_read_however_broken(tmp_path: Path) -> None:
    draft = load("obo", tmp_path)
    assert set(names(draft, "ZORB:0000001")) == {"zorbian fever", "marsh zorb"}
    fever = entry(draft, "ZORB:0000001")
    assert fever.same_as == ["ZORB:0000011", "MESH:D990001"]
    assert fever.parents == ["ZORB:0000002"]
    retired = {r.curie: r for r in draft.retired}
    assert retired["ZORB:0000003"].name == "swamp zorb"
    assert retired["ZORB:0000004"].replaced_by == ()  # to consider is not to replace
    assert retired["ZORB:0000011"].replaced_by == ("ZORB:0000001",)
    assert (draft.name, draft.version) == ("Zorb Ontology", "releases/2026-09-01")
    assert draft.licence == "https://example.org/licence"
    assert draft.authority == {"ZORB"}


def test_the_user_can_say_the_type(tmp_path: Path) -> None:
    draft = load("obo", tmp_path, Options(type="disease"))
    assert {e.type for e in draft.entries} == {"disease"}


def test_terms_imported_from_other_ontologies_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "zorb.obo"
    foreign = "".join(f"[Term]\nid: OTHER:{at}\nname: other {at}\n\n" for at in range(9))
    path.write_text(OBO + "\n" + foreign)
    draft = read(path, "obo")
    assert {e.curie.partition(":")[0] for e in draft.entries} == {"ZORB"}
    assert draft.counts["terms of other ontologies left out"] == 9


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE rdf:RDF [ <!ENTITY a "zz"> <!ENTITY b "&a;&a;&a;"> ]>',
        '<!DOCTYPE rdf:RDF [ <!ENTITY b SYSTEM "file:///etc/passwd"> ]>',
        '<!DOCTYPE rdf:RDF [ <!ENTITY % b "x"> ]>',
    ],
    ids=["nested", "external", "parameter"],
)
def test_owl_with_entities_that_do_more_than_name_is_refused(tmp_path: Path, doctype: str) -> None:
    path = write_owl(tmp_path)
    benign = '<!DOCTYPE rdf:RDF [ <!ENTITY owl "http://www.w3.org/2002/07/owl#" > ]>'
    assert benign in OWL
    path.write_text(OWL.replace(benign, doctype))
    with pytest.raises(UnreadableFile, match="entities"):
        read(path, "owl")


def test_owl_reads_superclasses_and_no_restrictions(tmp_path: Path) -> None:
    draft = load("owl", tmp_path)
    assert entry(draft, "ZORB:0000001").parents == ["ZORB:0000002"]
    assert entry(draft, "ZORB:0000001").same_as == ["MESH:D990001"]
    assert set(names(draft, "ZORB:0000002")) == {"zorbosis"}
    assert (draft.name, draft.version) == ("Zorb in OWL", "2026-09-01")


def test_skos_reads_english_and_exact_matches(tmp_path: Path) -> None:
    draft = load("skos", tmp_path)
    assert set(names(draft, "ZORB:1")) == {"zorbian fever", "marsh zorb"}
    assert entry(draft, "ZORB:1").same_as == ["MESH:D990001"]
    assert draft.licence == "https://example.org/licence"
    assert len(draft.entries) == 2


def test_atc_levels_are_a_hierarchy_and_catalogue_words_are_not_read(tmp_path: Path) -> None:
    draft = load("atc", tmp_path)
    assert entry(draft, "ATC:Z01AA01").parents == ["ATC:Z01AA"]
    assert entry(draft, "ATC:Z01AA").parents == ["ATC:Z01A"]
    assert not names(draft, "ATC:Z01A")["Other zorbs"][2]
    assert names(draft, "ATC:Z01AA")["Zorbillins"][2]
    assert len(draft.entries) == 5
    assert len(draft.problems) == 1


def test_icd11_takes_diseases_and_symptoms(tmp_path: Path) -> None:
    draft = load("icd11", tmp_path)
    assert entry(draft, "ICD11:1A00.Z").parents == ["ICD11:1A00"]
    assert not names(draft, "ICD11:1A00.Z")["Zorbian fever, unspecified"][2]
    assert entry(draft, "ICD11:MG30").type == "phenotype"
    assert entry(draft, "ICD11:MG30").parents == []
    assert "ICD11:PA00" not in {e.curie for e in draft.entries}


def test_sssom_keeps_what_is_said_surely(tmp_path: Path) -> None:
    draft = load("sssom", tmp_path)
    assert draft.links == [
        Link("MESH:D990001", "exact", "DOID:990001"),
        Link("MESH:D990001", "narrower", "MESH:D990002"),
    ]
    assert draft.counts["mappings that are denied"] == 1
    assert draft.counts["mappings that are unsure"] == 1
    assert draft.counts["mappings of unknown prefixes"] == 1
    assert len(draft.problems) == 1
    assert draft.name == "Zorb mappings"


def test_a_table_without_prefixes_gets_one(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code;name\n1;zorbian fever\n2;zorbosis\n")
    assert detect(path) == "table"
    with pytest.raises(UnreadableFile, match="--prefix"):
        read(path, "table")
    draft = read(path, "table", Options(prefix="ZORB", type="disease"))
    assert [e.curie for e in draft.entries] == ["ZORB:1", "ZORB:2"]


def test_brands_of_an_obo_file_are_weak(tmp_path: Path) -> None:
    path = tmp_path / "zorb.obo"
    path.write_text(OBO.replace('"marsh zorb" EXACT []', '"Zorbex" EXACT BRAND_NAME []'))
    assert names(read(path, "obo"), "ZORB:0000001")["Zorbex"][0] == WEAK


def test_a_wrong_kind_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UnreadableFile, match="has no column LOINC_NUM, COMPONENT"):
        read(path, "loinc")


def test_a_conso_row_without_a_name_is_no_concept(tmp_path: Path) -> None:
    path = write_umls(tmp_path)
    (path / "META" / "MRCONSO.RRF").write_text(rrf(conso("C0900001", " ", "MSH", "MH", "D900001")))
    (path / "META" / "MRCUI.RRF").unlink()
    with pytest.raises(UnreadableFile, match="no concept that could be read"):
        read(path, "umls")


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "kind", "at_least"),
    [
        ("maxo.obo", "obo", 1800), ("symp.obo", "obo", 850), ("dhimmel_do", "table", 6500),
        ("do_labels_parents.tsv", "table", 12_000), ("do_xrefs.tsv", "table", 11_000),
    ],
)  # fmt: skip
def test_real_files_load(name: str, kind: str, at_least: int) -> None:
    import os

    path = Path(os.environ["KGRAG_DATA"]) / "ontologies" / name
    assert detect(path) == kind
    draft = read(path, kind)
    assert len(draft.entries) >= at_least
    # Four in five have a parent where the format tells it: the hierarchy is not lost.
    if kind == "obo":
        assert sum(bool(e.parents) for e in draft.entries) > 0.8 * len(draft.entries)


@pytest.mark.data
def test_real_mappings_load() -> None:
    import os

    path = Path(os.environ["KGRAG_DATA"]) / "ontologies" / "biomappings_positive.sssom.tsv"
    draft = read(path, detect(path))
    assert len(draft.links) > 8000
