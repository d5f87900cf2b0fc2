"""Every form of export reads back by a library of others, whole, and opens at its characters."""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import pyoxigraph as ox
import pytest
from advised_world import ADVICE, HOSTILE, world
from asserted_world import PlainNames
from hypothesis import given
from hypothesis import strategies as st
from rdflib import Dataset, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS, SKOS, XSD

from kgrag.errors import DataError, UnknownName
from kgrag.reasoning.belief import belief
from kgrag.records.concepts import Concept
from kgrag.stores import rdf
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.stores.rdf import names as n
from kgrag.stores.rdf.quads import Block
from kgrag.stores.rdf.writers import write_jsonld, write_nq, write_nt, write_trig

KG = Namespace(rdf.BASE)
KGI = Namespace(n.ID)
FORMS = {
    "trig": ("trig", ox.RdfFormat.TRIG),
    "nt": ("nt", ox.RdfFormat.N_TRIPLES),
    "nq": ("nquads", ox.RdfFormat.N_QUADS),
    "jsonld": ("json-ld", ox.RdfFormat.JSON_LD),
}
Quad = tuple[str, str, str, str]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """rdflib 7.6: its own parsers call what its Dataset deprecates."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(Dataset\.|ConjunctiveGraph)", DeprecationWarning)
        yield


@pytest.fixture
def truth() -> MemoryTruth:
    return world()


def by_rdflib(path: Path, form: str) -> Dataset:
    dataset = Dataset(default_union=True)
    dataset.parse(path, format=FORMS[form][0])
    return dataset


def by_oxigraph(path: Path, form: str) -> set[Quad]:
    return {
        (str(q.subject), str(q.predicate), str(q.object), str(getattr(q, "graph_name", "DEFAULT")))
        for q in ox.parse(path=str(path), format=FORMS[form][1])
    }


def written(truth: Any, form: str, folder: Path, **options: Any) -> Path:
    out = folder / f"out.{form}"
    rdf.export(truth, PlainNames(), form, out, **options)
    return out


@pytest.mark.parametrize("form", FORMS)
def test_two_parsers_read_the_same(truth: MemoryTruth, form: str, tmp_path: Path) -> None:
    path = written(truth, form, tmp_path)
    others = {
        (s.n3(), p.n3(), o.n3(), "DEFAULT" if form == "nt" else str(g))
        for s, p, o, g in by_rdflib(path, form).quads()
    }
    mine = by_oxigraph(path, form)
    assert len(others) == len(mine) > 100
    strings = {str(Literal(q)) for q in (HOSTILE, ADVICE)}
    for value in strings:
        assert sum(str(o) == value for o in by_rdflib(path, form).objects()) >= 1


def test_all_rdf_forms_say_the_same(truth: MemoryTruth, tmp_path: Path) -> None:
    found = {form: by_oxigraph(written(truth, form, tmp_path), form) for form in FORMS}
    assert found["trig"] == found["nq"] == found["jsonld"]
    assert found["nt"] == {(s, p, o, "DEFAULT") for s, p, o, _ in found["nq"]}


def test_what_is_counted_is_what_is_written(truth: MemoryTruth, tmp_path: Path) -> None:
    counts = rdf.export(truth, PlainNames(), "nq", tmp_path / "out")
    quads = by_oxigraph(tmp_path / "out", "nq")
    kinds = Counter(o for _, p, o, _ in quads if p.endswith("#type>"))
    assert counts == {
        "assertions": kinds[n.term("Assertion")],
        "documents": kinds[n.term("Document")],
        "recommendations": kinds[n.term("Recommendation")],
        "concepts": kinds[n.term("Concept")],
        "statements": len(quads),
    }
    assert (counts["assertions"], counts["documents"], counts["recommendations"]) == (4, 2, 1)


def test_no_statement_stands_in_two_graphs(truth: MemoryTruth, tmp_path: Path) -> None:
    quads = by_oxigraph(written(truth, "nq", tmp_path), "nq")
    assert len({q[:3] for q in quads}) == len(quads)


@pytest.mark.parametrize("form", FORMS)
def test_assertions_read_back_whole(truth: MemoryTruth, form: str, tmp_path: Path) -> None:
    dataset = by_rdflib(written(truth, form, tmp_path), form)
    assertions = list(truth.assertions())
    assert set(dataset.subjects(KG.negated)) == {KGI[a.id] for a in assertions}
    for a in assertions:
        name = KGI[a.id]
        assert dataset.value(name, KG.negated) == Literal(a.negated)
        assert float(str(dataset.value(name, KG.belief))) == pytest.approx(belief(a), abs=1e-4)
        assert dataset.value(name, KG.predicate) == URIRef(n.RELATION + a.predicate)
        assert dataset.value(name, KG.subject) == URIRef(rdf.concept_iri(a.subject))
        assert dataset.value(name, KG.object) == URIRef(rdf.concept_iri(a.object))
        found = set()
        for node in dataset.objects(name, KG.evidence):
            spans = [
                tuple(
                    int(str(dataset.value(dataset.value(node, p), q))) for q in (KG.start, KG.end)
                )
                for p in (KG.subjectMention, KG.objectMention)
            ]
            document = str(dataset.value(node, KG.document)).removeprefix(n.ID)
            start, end = (int(str(dataset.value(node, p))) for p in (KG.start, KG.end))
            quote = str(dataset.value(node, KG.quote))
            assert truth.document(document).text[start:end] == quote
            found.add((document, start, end, quote, *spans))
        assert found == {
            (e.document_id, e.start, e.end, e.quote, e.subject_span, e.object_span)
            for e in a.evidence
        }


@pytest.mark.parametrize("form", FORMS)
def test_recommendations_read_back_whole(truth: MemoryTruth, form: str, tmp_path: Path) -> None:
    dataset = by_rdflib(written(truth, form, tmp_path), form)
    (r,) = truth.recommendations()
    name = KGI[r.id]
    text = truth.document(r.document_id).text
    assert str(dataset.value(name, KG.quote)) == r.quote == ADVICE
    assert str(dataset.value(dataset.value(name, KG.action), KG.quote)) == "Offer aspirin"
    population = dataset.value(name, KG.population)
    span = slice(*(int(str(dataset.value(population, p))) for p in (KG.start, KG.end)))
    assert text[span] == str(dataset.value(population, KG.quote)) == "women over 50"
    grade = dataset.value(name, KG.strength)
    said = [str(dataset.value(grade, p)) for p in (KG.system, KG.raw, KG.normalised)]
    assert said == ["USPSTF", "Grade B", "moderate"]
    assert dataset.value(name, KG.minimumAge) == Literal("50", datatype=XSD.decimal)
    assert dataset.value(name, KG.maximumAge) is None
    assert dataset.value(name, KG.effective) == Literal("2024-05", datatype=XSD.gYearMonth)
    assert str(dataset.value(name, KG.page)) == "2"
    assert str(dataset.value(name, KG.section)) == "Advice"
    assert dataset.value(name, KG.intervention) == URIRef(rdf.concept_iri("X:aspirin"))


@pytest.mark.parametrize("form", ["trig", "jsonld", "nq"])
def test_each_assertion_has_a_graph_of_its_own(
    truth: MemoryTruth, form: str, tmp_path: Path
) -> None:
    dataset = by_rdflib(written(truth, form, tmp_path), form)
    for a in truth.assertions():
        graph = dataset.graph(KGI[a.id])
        assert list(graph.subjects(KG.negated)) == [KGI[a.id]]
        assert len(list(graph.objects(KGI[a.id], KG.evidence))) == len(a.evidence)
        told = {str(o).removeprefix(n.ID) for o in graph.objects(KGI[a.id], n_derived())}
        assert told == {e.document_id for e in a.evidence}


def n_derived() -> URIRef:
    return URIRef(n.PROV + "wasDerivedFrom")


@pytest.mark.parametrize("form", FORMS)
def test_only_the_vocabulary_links_concepts(truth: MemoryTruth, form: str, tmp_path: Path) -> None:
    dataset = by_rdflib(written(truth, form, tmp_path), form)
    concepts = set(dataset.subjects(SKOS.notation))
    assert len(concepts) == 4
    for s, p, o, _ in dataset.quads():
        if s in concepts and o in concepts:
            assert p in (SKOS.broader, SKOS.exactMatch)


def test_the_concepts_above_are_told(tmp_path: Path) -> None:
    class Tree(PlainNames):
        """Everything is below ``X:top``, through ``X:middle``; ``X:stroke`` has a new id."""

        def concept(self, curie: str) -> Concept:
            parents = {"X:top": (), "X:middle": ("X:top",)}.get(curie, ("X:middle",))
            name = "X:new" if curie == "X:stroke" else curie
            return Concept(name, name[2:], "drug", ("synonym",), parents, ("MESH:D1",))

    rdf.export(world(), Tree(), "trig", tmp_path / "out")
    dataset = by_rdflib(tmp_path / "out", "trig")
    aspirin, middle, top, stroke, new = (
        URIRef(rdf.concept_iri(f"X:{x}")) for x in ("aspirin", "middle", "top", "stroke", "new")
    )
    assert (aspirin, SKOS.broader, middle) in dataset
    assert (middle, SKOS.broader, top) in dataset
    assert (aspirin, SKOS.exactMatch, URIRef("http://id.nlm.nih.gov/mesh/D1")) in dataset
    assert (stroke, DCTERMS.isReplacedBy, new) in dataset


def test_graphml_reads_back(truth: MemoryTruth, tmp_path: Path) -> None:
    graph = nx.read_graphml(written(truth, "graphml", tmp_path), force_multigraph=True)
    edges = {
        (s, d["predicate"], o, d["negated"], d["pieces"], d["assertion"])
        for s, o, d in graph.edges(data=True)
        if "assertion" in d
    }
    assert edges == {
        (a.subject, a.predicate, a.object, a.negated, len(a.evidence), a.id)
        for a in truth.assertions()
    }
    for _, _, data in graph.edges(data=True):
        if "assertion" in data:
            opens(truth, json.loads(data["evidence"]))
    assert graph.nodes["X:aspirin"]["name"] == "Aspirin"
    assert graph.nodes["X:unnamed"]["name"] == "X:unnamed"
    (r,) = truth.recommendations()
    assert graph.nodes[r.id]["kind"] == "recommendation"
    assert set(graph.successors(r.id)) == {"X:aspirin", "X:stroke"}


def opens(truth: MemoryTruth, evidence: list[dict[str, Any]]) -> None:
    assert evidence
    for piece in evidence:
        text = truth.document(piece["document"]).text
        assert text[piece["start"] : piece["end"]] == piece["quote"]
        assert piece["start"] <= piece["subject"][0] < piece["subject"][1] <= piece["end"]


def tsv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert {len(row) for row in rows} == {len(rows[0])}
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_kgx_reads_back(truth: MemoryTruth, tmp_path: Path) -> None:
    folder = written(truth, "kgx", tmp_path)
    nodes, edges = tsv(folder / "nodes.tsv"), tsv(folder / "edges.tsv")
    said = {e["id"]: e for e in edges if e["tier"]}
    assert set(said) == {f"kgrag:{a.id}" for a in truth.assertions()}
    for a in truth.assertions():
        edge = said[f"kgrag:{a.id}"]
        assert (edge["subject"], edge["object"]) == (a.subject, a.object)
        assert edge["negated"] == str(a.negated).lower()
        assert edge["knowledge_level"] == "knowledge_assertion"
        assert edge["agent_type"] == "text_mining_agent"
        evidence = json.loads(edge["evidence"])
        assert len(evidence) == len(a.evidence) == len(edge["supporting_text"].split("|"))
        assert {f"kgrag:{e['document']}" for e in evidence} <= set(edge["publications"].split("|"))
        opens(truth, evidence)
        assert "|" not in edge["evidence"]  # tools split on it
    known = {node["id"] for node in nodes}
    assert {e[end] for e in edges for end in ("subject", "object")} <= known
    assert len(known) == len(nodes)
    (advice,) = (x for x in nodes if x["category"] == "biolink:InformationContentEntity")
    assert json.loads(advice["details"])["quote"] == ADVICE
    first = next(e for e in said.values() if e["predicate"] == "biolink:preventative_for_condition")
    assert first["publications"].split("|")[:2] == ["PMID:123", "DOI:10.1/x¦y"]


def test_one_collection_is_exported_alone(truth: MemoryTruth, tmp_path: Path) -> None:
    counts = rdf.export(truth, PlainNames(), "nq", tmp_path / "out", collection="other")
    assert (counts["assertions"], counts["documents"], counts["recommendations"]) == (1, 1, 0)
    own = {e.document_id for a in truth.assertions() for e in a.evidence}
    told = (tmp_path / "out").read_text(encoding="utf-8")
    assert sum(name in told for name in own) == 1
    with pytest.raises(DataError, match="collection"):
        rdf.export(truth, PlainNames(), "nq", tmp_path / "none", collection="nowhere")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("form", rdf.FORMATS)
def test_an_export_that_fails_leaves_what_was_there(form: str, tmp_path: Path) -> None:
    class Broken(MemoryTruth):
        def documents(self, **options: Any) -> Any:
            raise OSError("the disk is gone")

    broken = Broken()
    out = tmp_path / "out"
    rdf.export(world(), PlainNames(), form, out)
    before = {p.name: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    with pytest.raises(OSError, match="gone"):
        rdf.export(broken, PlainNames(), form, out)
    assert {p.name: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_an_unknown_form_is_refused_and_writes_nothing(truth: MemoryTruth, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="trig"):
        rdf.export(truth, PlainNames(), "turtle", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", rdf.FORMATS)
def test_an_empty_truth_exports(form: str, tmp_path: Path) -> None:
    counts = rdf.export(MemoryTruth(), PlainNames(), form, tmp_path / "out")
    assert counts["assertions"] == counts["documents"] == 0
    if form in FORMS:
        by_rdflib(tmp_path / "out", form)
    elif form == "graphml":
        assert len(nx.read_graphml(tmp_path / "out")) == 0


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2024", "gYear"), ("2024-05", "gYearMonth"), ("2024-05-17", "date"), ("2024-02-30", None),
        ("2024-13", None), ("May 2024", None), ("0000", None), ("２０２４", None), ("", None),
    ],
)  # fmt: skip
def test_a_date_is_typed_as_precisely_as_it_is_known(value: str, kind: str | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert n.parse_term(n.day(value)) == (value, n.XSD + (kind or "string"))


WRITERS = {"nt": write_nt, "nq": write_nq, "trig": write_trig, "jsonld": write_jsonld}
_TEXT = st.text(st.characters(exclude_categories=("Cs",)))


@given(_TEXT)
def test_any_text_survives_every_form(value: str) -> None:
    """Whatever a source holds, control characters too, comes out as it went in."""
    me = n.kept("doc_1")
    block = Block(me, ((me, n.term("quote"), n.text(value)), (me, n.qualifier(value), me)))
    for form, write in WRITERS.items():
        out = io.StringIO()
        write([block], out)
        found = list(ox.parse(out.getvalue().encode(), format=FORMS[form][1]))
        assert [q.object.value for q in found if q.predicate.value == KG + "quote"] == [value]
        assert {q.predicate.value for q in found} - {KG + "quote"} == {n.qualifier(value)[1:-1]}


@pytest.mark.parametrize("prefix", n.all_prefixes())
def test_every_prefix_reads_back(prefix: str, tmp_path: Path) -> None:
    """As subject, object and type, in both parsers: each form has rules of its own for prefixes."""
    iri = f"<{n.all_prefixes()[prefix]}D01>"
    block = Block(iri, ((iri, f"<{n.RDF}type>", iri), (iri, f"<{n.SKOS}broader>", iri)))
    for form, write in WRITERS.items():
        path = tmp_path / form
        with path.open("w", encoding="utf-8") as file:
            write([block], file)
        found = {str(t) for q in by_rdflib(path, form).quads() for t in (q[0], q[2])}
        assert found == {iri[1:-1]}, form
        assert {t for q in by_oxigraph(path, form) for t in (q[0], q[2])} == {iri}, form


@given(_TEXT)
def test_any_curie_has_a_valid_iri_of_its_own(value: str) -> None:
    for curie in (value, f"MESH:{value}", f"{value}:1"):
        assert (
            ox.NamedNode(rdf.concept_iri(curie)).value == URIRef(rdf.concept_iri(curie)).toPython()
        )
        assert re.fullmatch(r"[\x21-\x7e]+", rdf.concept_iri(curie))
    assert rdf.concept_iri("HP:0001250") == "http://purl.obolibrary.org/obo/HP_0001250"


def test_half_a_character_is_replaced() -> None:
    assert n.parse_term(n.text("a\ud800b"))[0] == "a\ufffdb"
