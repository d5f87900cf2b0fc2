"""Edges from structure: index headings of citations and rows of curated annotations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kgrag.ids import sha256
from kgrag.linking import Linker
from kgrag.reasoning.belief import error_rates
from kgrag.reasoning.paths import seed_paths
from kgrag.records.answer import Seed
from kgrag.records.assertions import Assertion
from kgrag.records.text import Document, Source
from kgrag.stores.base import Ingested
from kgrag.stores.graph import build_graph
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.testing.lexicon import small_lexicon
from kgrag_ingest.extract import Extraction, extract
from kgrag_ingest.extract.learned import abstract
from kgrag_ingest.extract.rules import rules
from kgrag_ingest.passages import passages
from kgrag_ingest.readers import get
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.hpoa import COLUMNS
from kgrag_ingest.recommend import recommend


@pytest.fixture(scope="module")
def linker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linker]:
    with small_lexicon(tmp_path_factory.mktemp("lexicon") / "lexicon.sqlite") as lexicon:
        yield Linker(lexicon)


def document(reader: str, data: bytes) -> Document:
    made = get(reader)
    (reading,) = made.read(data, uri="x")
    assert isinstance(reading, Reading)
    return Document(
        "doc_x", Source("c", "x"), "x", made.media_types[0], "0" * 64, f"{reader}/{made.version}",
        reading.text, reading.metadata, reading.blocks, reading.sections, (), reading.tables,
    )  # fmt: skip


def edges(found: Extraction) -> set[tuple[str, str, str]]:
    return {(a.subject, "not " * a.negated + a.predicate, a.object) for a in found.assertions}


def rejected(found: Extraction) -> set[str]:
    return {str(r["reason"]) for r in found.rejects}


# MeSH headings -------------------------------------------------------------------------------


def citation(*headings: tuple[str, str, tuple[str, ...]]) -> Document:
    listed = "".join(
        f"<MeshHeading><DescriptorName UI='{ui}' MajorTopicYN='N'>{name}</DescriptorName>"
        + "".join(f"<QualifierName MajorTopicYN='Y'>{use}</QualifierName>" for use in uses)
        + "</MeshHeading>"
        for name, ui, uses in headings
    )
    xml = (
        "<PubmedArticle><MedlineCitation><PMID>1</PMID><Article><ArticleTitle>A trial."
        "</ArticleTitle><Abstract><AbstractText>Two groups were compared over a year."
        f"</AbstractText></Abstract></Article><MeshHeadingList>{listed}</MeshHeadingList></MedlineCitation>"
        "</PubmedArticle>"
    )
    return document("medline", xml.encode())


METFORMIN = ("Metformin", "D008687", ("therapeutic use",))
DIABETES = ("Diabetes Mellitus", "D003920", ("drug therapy",))
AGED = ("Aged", "D000368", ())


def test_headings_are_characters_of_the_document() -> None:
    read = citation(DIABETES, AGED, METFORMIN)
    assert read.text.endswith(
        "over a year.\n\nMeSH headings\n\nDiabetes Mellitus (MESH:D003920) / drug therapy*\n\n"
        "Aged (MESH:D000368)\n\nMetformin (MESH:D008687) / therapeutic use*"
    )
    assert [b.kind for b in read.blocks[-3:]] == ["reference"] * 3


@pytest.mark.parametrize(
    ("subject", "object_", "predicate"),
    [
        ("therapeutic use", "drug therapy", "treats"),
        ("therapeutic use", "prevention &amp; control", "prevents"),
        ("adverse effects", "chemically induced", "causes"),
    ],
)
def test_a_pair_of_qualifiers_makes_a_candidate(
    linker: Linker, subject: str, object_: str, predicate: str
) -> None:
    drug, disease = ("Metformin", "D008687", (subject,)), ("Anemia", "D000740", (object_,))
    for order in ((drug, AGED, disease), (disease, AGED, drug)):
        read = citation(*order)
        (made,) = extract(read, linker.link(read.text)).assertions
        assert (made.subject, made.predicate, made.object) == (
            "MESH:D008687", predicate, "MESH:D000740",
        )  # fmt: skip
        assert (made.tier, made.certainty, made.negated) == ("candidate", "probable", False)
        (evidence,) = made.evidence
        assert evidence.rule == f"mesh.{predicate}"
        quote = read.text[evidence.start : evidence.end]
        assert quote == evidence.quote
        assert "Metformin" in quote
        assert "Aged" in quote
        assert "Anemia" in quote


def test_other_qualifiers_and_unlike_types_say_nothing(linker: Linker) -> None:
    for pair in (
        (("Metformin", "D008687", ("pharmacology",)), DIABETES),
        (METFORMIN, ("Diabetes Mellitus", "D003920", ("epidemiology",))),
        (METFORMIN, ("Diabetes Mellitus", "D003920", ())),
        (("Anemia", "D000740", ("therapeutic use",)), DIABETES),
        (("Metformin", "", ("therapeutic use",)), ("Old Diabetes Mellitus", "", ("drug therapy",))),
    ):
        read = citation(*pair)
        assert extract(read, linker.link(read.text)).assertions == ()


def test_headings_far_apart_give_no_edge(linker: Linker) -> None:
    between = [(f"Heading of number {n}", f"D{n:06}", ("methods",)) for n in range(20)]
    read = citation(DIABETES, *between, METFORMIN)
    found = extract(read, linker.link(read.text))
    assert found.assertions == ()
    assert rejected(found) == {"the two headings stand too far apart"}


def test_headings_answer_nothing_and_are_no_words_of_the_abstract(linker: Linker) -> None:
    read = citation(DIABETES, METFORMIN)
    start = read.text.index("MeSH headings")
    assert all(p.end <= start for p in passages(read))
    assert recommend(read, linker.link(read.text)) == ()
    span = abstract(read)
    assert span is not None
    assert span.end <= start
    induced = citation(
        ("Metformin", "D008687", ("adverse effects",)), ("Anemia", "D000740", ())
    )  # fmt: skip
    assert extract(induced, linker.link(induced.text)).assertions == ()


def test_a_path_quotes_no_headings(linker: Linker) -> None:
    read = citation(DIABETES, METFORMIN)
    kept = replace(read, original_sha256=sha256(b"x"))
    mentions = linker.link(kept.text)
    found = extract(kept, mentions).assertions
    truth = MemoryTruth()
    truth.put(Ingested(kept, b"x", passages(kept), mentions, found))
    graph = build_graph(truth)
    ends = [Seed(0, 1, "x", curie, "x", 1.0) for curie in ("MESH:D008687", "MESH:D003920")]
    assert len(graph.paths(["MESH:D008687"], ["MESH:D003920"])) == 1
    assert seed_paths(ends, graph, truth, linker.lexicon) == ()


# Annotations ---------------------------------------------------------------------------------


def annotated(**cells: str) -> Document:
    given = {
        "database_id": "OMIM:1", "disease_name": "Heart failure", "hpo_id": "MESH:D004487",
        "aspect": "P", "evidence": "PCS", "reference": "PMID:1",
    } | cells  # fmt: skip
    line = "\t".join(given.get(name, "") for name in COLUMNS)
    return document(
        "hpoa", ("#version: 2024-01-01\n" + "\t".join(COLUMNS) + f"\n{line}\n").encode()
    )


def read(linker: Linker, **cells: str) -> Extraction:
    made = annotated(**cells)
    return extract(made, linker.link(made.text))


EDGE = ("MESH:D006333", "has_phenotype", "MESH:D004487")


def test_a_row_asserts_what_its_ids_and_whole_names_are(linker: Linker) -> None:
    made = annotated(frequency="3/5", sex="FEMALE")
    (edge,) = extract(made, linker.link(made.text)).assertions
    assert isinstance(edge, Assertion)
    assert (edge.subject, edge.predicate, edge.object) == EDGE
    assert (edge.tier, edge.negated) == ("asserted", False)
    assert edge.qualifiers == (("population", "FEMALE"),)
    (evidence,) = edge.evidence
    assert evidence.rule == "hpo.phenotype"
    assert evidence.quote == (
        "Disease: Heart failure (OMIM:1); Phenotype: MESH:D004487; Frequency: 3/5; Sex: FEMALE; "
        "Evidence: PCS; Reference: PMID:1"
    )
    assert made.text[evidence.start : evidence.end] == evidence.quote


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"qualifier": "NOT"}, {(EDGE[0], "not has_phenotype", EDGE[2])}),
        ({"qualifier": "NOT", "frequency": "0/4"}, {(EDGE[0], "not has_phenotype", EDGE[2])}),
        ({"frequency": "HP:0040285"}, {(EDGE[0], "not has_phenotype", EDGE[2])}),
        ({"frequency": "0/12"}, set()),
        ({"frequency": "0%"}, set()),
        ({"frequency": "10/12"}, {EDGE}),
        # the id goes before the name; a part of a name is not the disease
        ({"database_id": "DOID:9351"}, {("MESH:D003920", *EDGE[1:])}),
        ({"disease_name": "Heart failure 7"}, set()),
        ({"disease_name": "Congenital heart failure"}, set()),
        # a mode of inheritance is no finding, an unknown term none that is known
        ({"aspect": "I"}, set()),
        ({"hpo_id": "HP:0009999"}, set()),
        ({"disease_name": "Edema"}, set()),
    ],
)
def test_what_rows_say(
    linker: Linker, cells: dict[str, str], found: set[tuple[str, str, str]]
) -> None:
    assert edges(read(linker, **cells)) == found


def test_none_of_those_seen_is_kept_as_a_reject(linker: Linker) -> None:
    assert rejected(read(linker, frequency="0/12")) == {"found in none of those who were seen"}


def test_every_rule_has_an_error_rate() -> None:
    ruled = [(r.id, r.predicate) for r in rules().annotations]
    ruled += [(r.id, r.predicate) for r in rules().headings]
    for rule, predicate in ruled:
        assert error_rates().of(rule, predicate).family != "unknown", rule
    assert {error_rates().of(r.id, r.predicate).family for r in rules().headings} == {"indexing"}


def test_a_recipe_names_the_reader_and_the_licence() -> None:
    from kgrag_ingest.recipes import load

    recipe = load("hpo-annotations")
    assert recipe.reader == "hpoa"
    assert "citation" in recipe.metadata["licence"]
    assert Path("phenotype.hpoa").match(recipe.include[0])
