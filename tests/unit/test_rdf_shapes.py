"""Exports pass the shapes, graphs that are broken do not, and the model declares what is used."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyshacl
import pytest
import yaml
from advised_world import world
from asserted_world import PlainNames
from rdflib import OWL, RDF, RDFS, SH, Dataset, Graph, Literal, Namespace, URIRef
from rdflib.namespace import PROV, SKOS

from kgrag.errors import KgragError
from kgrag.paths import resource
from kgrag.stores import rdf
from kgrag.stores.rdf import names as n
from kgrag.stores.rdf.kgx import EDGE_COLUMNS, NODE_COLUMNS
from kgrag.stores.rdf.quads import CATEGORIES

KG = Namespace(rdf.BASE)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """rdflib 7.6 and pyshacl call what rdflib deprecates."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


@pytest.fixture(scope="module")
def shapes() -> Graph:
    return Graph().parse(resource("ontologies", "shapes.ttl"))


@pytest.fixture(scope="module")
def model() -> Graph:
    return Graph().parse(resource("ontologies", "kgrag.ttl"))


def exported(folder: Path, form: str = "nt") -> Graph:
    """An export as one graph."""
    rdf.export(world(), PlainNames(), form, folder / "out")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        dataset = Dataset(default_union=True)
        dataset.parse(folder / "out", format={"jsonld": "json-ld"}.get(form, form))
        graph = Graph()
        for s, p, o, _ in dataset.quads():
            graph.add((s, p, o))
    return graph


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    return exported(tmp_path_factory.mktemp("whole"))


def violated(graph: Graph, shapes: Graph) -> set[str]:
    """The names of the properties and shapes that the graph violates."""
    _, report, _ = pyshacl.validate(graph, shacl_graph=shapes, inference="none")
    assert isinstance(report, Graph)
    found = {str(o) for o in report.objects(None, SH.resultPath)}
    found |= {str(o) for o in report.objects(None, SH.resultMessage)}
    return {name.removeprefix(rdf.BASE) for name in found}


@pytest.mark.parametrize("form", ["trig", "nt", "jsonld"])
def test_exports_pass(form: str, shapes: Graph, tmp_path: Path) -> None:
    graph = exported(tmp_path, form)
    assert len(graph) > 100
    assert violated(graph, shapes) == set()


def the(graph: Graph, kind: str) -> Any:
    return min(graph.subjects(RDF.type, KG[kind]))


def drop(kind: str, prop: str) -> Callable[[Graph], None]:
    return lambda graph: graph.remove((the(graph, kind), KG[prop], None))


def put(kind: str, prop: str, value: Any) -> Callable[[Graph], None]:
    return lambda graph: graph.set((the(graph, kind), KG[prop], Literal(value)))


def more(kind: str, prop: str, value: Any) -> Callable[[Graph], None]:
    return lambda graph: graph.add((the(graph, kind), KG[prop], Literal(value)))


def linked(graph: Graph) -> None:
    """A denied assertion that became a bare link, as a careless export would write it."""
    concepts = sorted(graph.subjects(RDF.type, KG.Concept))
    graph.add((concepts[0], URIRef(n.RELATION + "treats"), concepts[1]))


def misplaced(graph: Graph) -> None:
    evidence = the(graph, "Evidence")
    now = graph.value(evidence, KG.document)
    other = next(d for d in graph.subjects(RDF.type, KG.Document) if d != now)
    graph.set((evidence, KG.document, other))


def swapped(graph: Graph) -> None:
    evidence = the(graph, "Evidence")
    ends = [graph.value(evidence, p) for p in (KG.subjectMention, KG.objectMention)]
    graph.set((evidence, KG.subjectMention, ends[1]))
    graph.set((evidence, KG.objectMention, ends[0]))


def untyped(graph: Graph) -> None:
    graph.remove((the(graph, "Assertion"), RDF.type, None))


def beyond(graph: Graph) -> None:
    for document in graph.subjects(RDF.type, KG.Document):
        graph.set((document, KG.characters, Literal(3)))


BROKEN: dict[str, tuple[Callable[[Graph], None], str]] = {
    "an edge without evidence": (drop("Assertion", "evidence"), "evidence"),
    "an edge without polarity": (drop("Assertion", "negated"), "negated"),
    "two polarities": (
        lambda g: [more("Assertion", "negated", v)(g) for v in (True, False)] and None,
        "negated",
    ),
    "polarity in words": (put("Assertion", "negated", "no"), "negated"),
    "an edge without object": (drop("Assertion", "object"), "object"),
    "an unknown tier": (put("Assertion", "tier", "sure"), "tier"),
    "a belief beyond certainty": (put("Assertion", "belief", Decimal("1.5")), "belief"),
    "an unknown predicate": (put("Assertion", "predicate", "treats"), "predicate"),
    "an assertion without its type": (untyped, "Value does not have class kg:Assertion"),
    "a quotation without its text": (drop("Evidence", "quote"), "quote"),
    "a quotation cut short": (
        put("Evidence", "quote", "as"),
        "the quotation has as many characters as its offsets say",
    ),
    "offsets turned round": (put("Evidence", "start", 100_000), "start"),
    "an offset in words": (put("Evidence", "start", "0"), "start"),
    "evidence of no document": (drop("Evidence", "document"), "document"),
    "evidence of another document": (
        misplaced, "what it is derived from is what its evidence stands in"
    ),
    "the mentions of others": (
        swapped, "the mentions are those of the assertion's subject and object"
    ),
    "a mention of nothing": (drop("Mention", "concept"), "concept"),
    "characters beyond the document": (beyond, "the characters lie inside the document"),
    "a document without collection": (drop("Document", "collection"), "collection"),
    "advice without direction": (drop("Recommendation", "direction"), "direction"),
    "advice in an unknown direction": (put("Recommendation", "direction", "maybe"), "direction"),
    "advice without action": (drop("Recommendation", "action"), "action"),
    "an age below none": (
        put("Recommendation", "minimumAge", Decimal(-1)), "minimumAge"
    ),
    "a grade without system": (drop("Grade", "system"), "system"),
    "a grade without place": (drop("Grade", "start"), "start"),
    "a concept without CURIE": (
        lambda g: g.remove((the(g, "Concept"), SKOS.notation, None)) and None,
        str(SKOS.notation),
    ),
    "a bare link between concepts": (linked, "relation/treats"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found(name: str, whole: Graph, shapes: Graph) -> None:
    graph = Graph()
    for triple in whole:
        graph.add(triple)
    breaking, expected = BROKEN[name]
    breaking(graph)
    found = violated(graph, shapes)
    assert any(expected in item for item in found), found


def test_the_model_declares_what_exports_and_shapes_use(
    whole: Graph, shapes: Graph, model: Graph
) -> None:
    used = {p for p in whole.predicates() if p.startswith(rdf.BASE)}
    used |= {o for o in whole.objects(None, RDF.type) if str(o).startswith(rdf.BASE)}
    used |= {t for triple in shapes for t in triple if str(t).startswith(rdf.BASE)}
    used = {t for t in used if not str(t).startswith(f"{rdf.BASE}shape/") and str(t) != rdf.BASE}
    declared = set(model.subjects(RDF.type, None)) | set(model.subjects(RDFS.subPropertyOf, None))
    assert len(used) > 40
    assert {t for t in used if isinstance(t, URIRef)} <= declared
    for name in declared - {URIRef(rdf.BASE)}:
        assert model.value(name, RDFS.label), name
    assert {
        c for c in model.subjects(RDF.type, OWL.Class) if not model.value(c, RDFS.comment)
    } == set()


def test_the_model_is_aligned(model: Graph) -> None:
    links = {(s, o) for p in (SKOS.closeMatch, RDFS.subClassOf, RDFS.subPropertyOf)
             for s, o in model.subject_objects(p)}  # fmt: skip
    for start in (n.BIOLINK, n.SKOS, n.PROV, n.SCHEMA):
        assert [s for s, o in links if str(o).startswith(start)], start
    assert (KG.Assertion, URIRef(n.BIOLINK + "Association")) in links
    assert (KG.evidence, PROV.wasDerivedFrom) in links


@pytest.fixture(scope="module")
def biolink() -> dict[str, Any]:
    from kgrag_ingest.ontologies.base import package_file

    try:
        path = package_file("biolink-model", "biolink_model", "schema", "biolink_model.yaml")
    except KgragError as error:
        pytest.skip(str(error))
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), loader)
    return found


def camel(words: str) -> str:
    return "".join(w[:1].upper() + w[1:] for w in words.split())


def test_the_words_of_biolink_exist(biolink: dict[str, Any], model: Graph) -> None:
    classes = {camel(name) for name in biolink["classes"]}
    slots = {name.replace(" ", "_") for name in biolink["slots"]}
    assert {*CATEGORIES.values(), "NamedThing", "Publication", "Association"} <= classes
    assert {
        "InformationContentEntity", "InformationContentEntityToNamedThingAssociation"
    } <= classes  # fmt: skip
    assert "mentions" in slots
    named = {str(o).removeprefix(n.BIOLINK) for o in model.objects() if n.BIOLINK in str(o)}
    assert named <= classes | slots
    own = {"id", "details", "certainty", "tier", "evidence"}
    assert {*NODE_COLUMNS, *EDGE_COLUMNS} - own <= slots
    levels = biolink["enums"]["KnowledgeLevelEnum"]["permissible_values"]
    assert {"knowledge_assertion", "not_provided"} <= set(levels)
    agents = biolink["enums"]["AgentTypeEnum"]["permissible_values"]
    assert "text_mining_agent" in agents
