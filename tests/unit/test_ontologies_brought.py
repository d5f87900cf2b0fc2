"""Whose id it is, and what is one concept: vocabularies of users among those that are there."""

from __future__ import annotations

from kgrag.vocabulary.lexicon import Retired
from kgrag_ingest.ontologies.base import Entry, Link, Name, Vocabulary
from kgrag_ingest.ontologies.brought import Joined, join
from kgrag_ingest.ontologies.hierarchy import parents
from kgrag_ingest.ontologies.merge import Merged


def lexicon() -> Merged:
    merged = Merged()
    merged.add(
        [
            Entry("MESH:D000001", "Zorbosis", "disease", [Name("zorb disease")],
                  same_as=["DOID:1", "SNOMEDCT:1"]),
            Entry("MESH:D000002", "Marsh fever", "disease", same_as=["SNOMEDCT:2"]),
            Entry("MESH:D000003", "Zorbin", "drug", same_as=["SNOMEDCT:2"]),
        ]
    )  # fmt: skip
    return merged


def vocabulary(*entries: Entry, authority: str = "", **other: object) -> Vocabulary:
    return Vocabulary(
        id="mine", name="Mine", version="1", licence="CC0", origin="", sha256="", date=None,
        entries=entries, authority=frozenset(authority.split()), **other,  # type: ignore[arg-type]
    )  # fmt: skip


def joined(merged: Merged, *entries: Entry, authority: str = "") -> Joined:
    return join(merged, vocabulary(*entries, authority=authority))


def test_an_id_that_the_lexicon_names_otherwise_is_refused() -> None:
    merged = lexicon()
    outcome = joined(merged, Entry("MESH:D000001", "Marsh fever", "disease"))
    assert outcome.problems == [
        "MESH:D000001: refused, 'Marsh fever' here and 'Zorbosis' in the lexicon"
    ]
    assert outcome.counts["ids refused: named otherwise"] == 1
    assert [n.text for n in merged.entries["MESH:D000001"].names] == ["Zorbosis", "zorb disease"]


def test_an_id_of_a_cross_walk_is_held_to_its_name_too() -> None:
    merged = lexicon()
    assert joined(merged, Entry("DOID:1", "Marsh fever", "disease")).problems
    assert joined(merged, Entry("DOID:1", "zorb diseases", "disease")).problems == []


def test_an_id_with_a_name_of_the_lexicon_joins_it() -> None:
    merged = lexicon()
    entry = Entry("MESH:D000001", "zorb diseases", "disease", [Name("Z syndrome")])
    outcome = joined(merged, entry)
    assert not outcome.problems
    assert "Z syndrome" in {n.text for n in merged.entries["MESH:D000001"].names}


def test_the_vocabulary_that_gives_an_id_out_takes_it_back() -> None:
    merged = lexicon()
    outcome = joined(merged, Entry("MESH:D000001", "Quux", "disease"), authority="MESH")
    assert outcome.counts["ids taken back from other names"] == 1
    assert merged.entries["MESH:D000001"].name == "Quux"
    evicted = merged.entries["KGRAG:zorbosis"]
    assert evicted.name == "Zorbosis"
    assert "MESH:D000001" not in evicted.same_as
    assert merged.curie("DOID:1") == "KGRAG:zorbosis"


def test_a_cross_reference_joins_when_it_is_the_only_one_of_its_kind() -> None:
    merged = lexicon()
    joined(merged, Entry("ZORB:1", "morbus zorb", "disease", same_as=["MESH:D000001"]))
    assert merged.curie("ZORB:1") == "MESH:D000001"
    merged = lexicon()
    outcome = joined(
        merged,
        Entry("ZORB:1", "zorb of the left", "disease", same_as=["MESH:D000001"]),
        Entry("ZORB:2", "zorb of the right", "disease", same_as=["MESH:D000001"]),
    )
    assert {"ZORB:1", "ZORB:2", "MESH:D000001"} <= set(merged.entries)
    assert merged.entries["ZORB:1"].same_as == []
    assert outcome.counts["cross-references that lead elsewhere"] == 2


def test_a_drug_is_never_joined_to_a_disease() -> None:
    merged = lexicon()
    joined(merged, Entry("ZORB:1", "zorb pill", "drug", same_as=["MESH:D000001"]))
    assert set(merged.entries) >= {"ZORB:1", "MESH:D000001"}


def test_an_id_that_says_kinship_joins_the_one_concept_of_its_kind() -> None:
    merged = lexicon()
    joined(
        merged,
        Entry("SNOMEDCT:1", "Morbus zorb", "disease"),
        Entry("SNOMEDCT:2", "Fever of two", "disease"),  # stands at two concepts: it joins none
    )
    assert merged.curie("SNOMEDCT:1") == "MESH:D000001"
    assert "SNOMEDCT:2" in merged.entries


def test_a_vocabulary_keeps_its_own_terms_apart() -> None:
    merged = lexicon()
    joined(
        merged,
        Entry("ZORB:1", "morbus zorb", "disease", same_as=["MESH:D000001"]),
        Entry("ZORB:2", "zorbosis", "disease"),
    )
    assert merged.curie("ZORB:1") == "MESH:D000001"
    assert "ZORB:2" in merged.entries


def test_entries_join_by_name_as_default_ones_do() -> None:
    merged = lexicon()
    joined(merged, Entry("ZORB:1", "zorbosis", "disease"), Entry("ZORB:2", "zorbin", "disease"))
    assert merged.curie("ZORB:1") == "MESH:D000001"
    assert "ZORB:2" in merged.entries  # a disease of a drug's name


def test_names_of_retired_ids_lead_to_the_one_replacement() -> None:
    merged = lexicon()
    retired = (
        Retired("ZORB:8", "swamp zorb", ("MESH:D000001",), "mine"),
        Retired("ZORB:9", "either zorb", ("MESH:D000001", "MESH:D000002"), "mine"),
    )
    join(merged, vocabulary(retired=retired))
    spelled = {n.text for e in merged.entries.values() for n in e.names}
    assert "swamp zorb" in spelled
    assert "either zorb" not in spelled


def test_mappings_unite_extend_and_order() -> None:
    merged = lexicon()
    merged.add(
        [Entry("HP:0000001", "zorbing", "phenotype"), Entry("HP:0000002", "bog", "phenotype")]
    )
    links = (
        Link("MESH:D000001", "exact", "HP:0000001"),
        Link("MESH:D000002", "exact", "EFO:0000001"),
        Link("HP:0000002", "narrower", "MESH:D000002"),
        Link("MESH:D000003", "exact", "HP:0000002"),  # a drug and a finding
        Link("MESH:D000001", "exact", "MESH:D000002"),  # both of one vocabulary
        Link("X:1", "exact", "X:2"),
    )
    counts = join(merged, vocabulary(links=links)).counts
    assert merged.curie("HP:0000001") == "MESH:D000001"
    assert "HP:0000001" not in merged.entries
    assert "zorbing" in {n.text for n in merged.entries["MESH:D000001"].names}
    assert merged.curie("EFO:0000001") == "MESH:D000002"
    assert parents(merged)[0]["HP:0000002"] == ("MESH:D000002",)
    assert {what: n for what, n in counts.items() if what.startswith("mappings refused")} == {
        "mappings refused: different kinds": 1,
        "mappings refused: both are of one vocabulary": 1,
    }
    assert counts["mappings between unknown ids"] == 1


def test_united_concepts_are_found_by_name_no_longer_apart() -> None:
    merged = lexicon()
    merged.add([Entry("HP:0000001", "zorbing", "phenotype")])
    join(merged, vocabulary(links=(Link("MESH:D000001", "exact", "HP:0000001"),)))
    assert merged.add([Entry("OTHER:1", "zorbing", "disease")]) == 1
    assert merged.curie("OTHER:1") == "MESH:D000001"


def test_no_concept_is_above_itself() -> None:
    merged = Merged()
    merged.add(
        [
            Entry("A:1", "a", "disease", parents=["A:2", "A:1"]),
            Entry("A:2", "b", "disease", parents=["A:3"]),
            Entry("A:3", "c", "disease", parents=["A:1", "A:4"]),
            Entry("A:4", "d", "disease"),
        ]
    )
    above, left_out = parents(merged)
    assert left_out == 1
    assert above == {"A:1": ("A:2",), "A:2": ("A:3",), "A:3": ("A:4",)}
