"""Every form of export reads back, and both SPARQL engines give the same rows."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import networkx as nx
import pytest
from asserted_world import PlainNames, Said, document
from rdflib import Dataset, Literal, Namespace, URIRef

from kgrag.errors import DataError, UnknownName
from kgrag.records.assertions import Assertion
from kgrag.stores import rdf
from kgrag.stores.memory_truth import MemoryTruth

KG = Namespace(rdf.BASE)
SAID: list[Said] = [
    ("aspirin", "prevents", "stroke", False, 'aspirin "prevents" stroke – β, 100 %.'),
    ("aspirin", "treats", "gout", True, "aspirin never treats gout\\."),
    ("unnamed", "causes", "stroke", False, "unnamed causes stroke."),
]
PREFIX = f"PREFIX kg: <{rdf.BASE}> "
QUERIES = {
    "no named graphs": "SELECT (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?s ?p ?o } }",
    "all": "SELECT ?a ?s ?p ?o ?n WHERE { ?a kg:subject ?s; kg:predicate ?p; kg:object ?o; "
    "kg:negated ?n }",
    "denied": "SELECT ?a WHERE { ?a kg:negated true }",
    "quotes": "SELECT ?q ?s WHERE { ?a kg:evidence ?e . ?e kg:quote ?q; kg:start ?s }",
    "count": "SELECT ?p (COUNT(?a) AS ?n) WHERE { ?a kg:predicate ?p } GROUP BY ?p",
    "optional": "SELECT ?a ?d WHERE { ?a a kg:Assertion OPTIONAL { ?a kg:dose ?d } }",
    "none": "SELECT ?a WHERE { ?a kg:certainty 'possible' }",
    "ask": "ASK { ?a kg:negated true }",
    "ask-none": "ASK { ?a kg:tier 'candidate' }",
}
Engine = Callable[[list[Assertion], str], Iterator[Mapping[str, str]]]
ENGINES: list[Engine] = [rdf._rdflib, rdf._oxi]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """rdflib 7.6: its own parsers and serializers call what its Dataset deprecates."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(Dataset\.|ConjunctiveGraph)", DeprecationWarning)
        yield


@pytest.fixture
def truth() -> MemoryTruth:
    made = MemoryTruth()
    made.put(document("one", SAID))
    made.put(document("two", SAID[:1]))
    return made


def parsed(truth: MemoryTruth, form: str, folder: Path) -> Dataset:
    out = folder / f"out.{form}"
    assert rdf.export(truth, PlainNames(), form, out) == 3
    dataset = Dataset(default_union=True)
    dataset.parse(out, format={"jsonld": "json-ld"}.get(form, form))
    return dataset


@pytest.mark.parametrize("form", ["trig", "nt", "jsonld"])
def test_rdf_reads_back_whole(truth: MemoryTruth, form: str, tmp_path: Path) -> None:
    dataset = parsed(truth, form, tmp_path)
    for assertion in truth.assertions():
        name = KG[assertion.id]
        assert dataset.value(name, KG.negated) == Literal(assertion.negated)
        assert dataset.value(name, KG.predicate) == KG[assertion.predicate]
        assert str(dataset.value(name, KG.object)).endswith(assertion.object[1:])
        found = {
            (
                str(dataset.value(node, KG.quote)),
                str(dataset.value(node, KG.document)),
                dataset.value(node, KG.start),
            )
            for node in dataset.objects(name, KG.evidence)
        }
        assert found == {
            (e.quote, str(KG[e.document_id]), Literal(e.start)) for e in assertion.evidence
        }
    assert len(set(dataset.subjects(KG.subject))) == 3


@pytest.mark.parametrize("form", ["trig", "jsonld"])
def test_each_assertion_has_a_graph_of_its_own(
    truth: MemoryTruth, form: str, tmp_path: Path
) -> None:
    dataset = parsed(truth, form, tmp_path)
    for assertion in truth.assertions():
        graph = dataset.graph(KG[assertion.id])
        assert list(graph.subjects(KG.subject)) == [KG[assertion.id]]


@pytest.mark.parametrize("form", ["trig", "nt", "jsonld"])
def test_no_concept_points_at_another(truth: MemoryTruth, form: str, tmp_path: Path) -> None:
    concepts = re.compile(re.escape(rdf.CURIES))
    for subject, _, obj, _ in parsed(truth, form, tmp_path).quads():
        both = [t for t in (subject, obj) if isinstance(t, URIRef) and concepts.match(t)]
        assert len(both) < 2


def test_graphml_reads_back(truth: MemoryTruth, tmp_path: Path) -> None:
    out = tmp_path / "out.graphml"
    rdf.export(truth, PlainNames(), "graphml", out)
    graph = nx.read_graphml(out, force_multigraph=True)
    edges = {
        (s, d["predicate"], o, d["negated"], d["evidence"], d["assertion"])
        for s, o, d in graph.edges(data=True)
    }
    assert edges == {
        (a.subject, a.predicate, a.object, a.negated, len(a.evidence), a.id)
        for a in truth.assertions()
    }
    assert graph.nodes["X:aspirin"]["name"] == "Aspirin"
    assert graph.nodes["X:unnamed"]["name"] == "X:unnamed"


def test_an_unknown_form_is_refused_and_writes_nothing(truth: MemoryTruth, tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        rdf.export(truth, PlainNames(), "turtle", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_truth_exports(tmp_path: Path) -> None:
    for form in rdf.FORMATS:
        assert rdf.export(MemoryTruth(), PlainNames(), form, tmp_path / form) == 0


@pytest.mark.parametrize("name", QUERIES)
def test_both_engines_give_the_same_rows(truth: MemoryTruth, name: str) -> None:
    assertions = list(truth.assertions())
    one, other = (
        sorted(tuple(sorted(row.items())) for row in engine(assertions, PREFIX + QUERIES[name]))
        for engine in ENGINES
    )
    assert one == other
    assert bool(one) == (name != "none")


def test_a_variable_without_a_value_is_left_out(truth: MemoryTruth) -> None:
    assert all(set(row) == {"a"} for row in rdf.sparql(truth, PREFIX + QUERIES["optional"]))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "query",
    [
        "SELECT * WHERE { SERVICE <http://localhost:1/> { ?s ?p ?o } }",
        "ASK { SERVICE SILENT <http://localhost:1/> { ?s ?p ?o } }",
        "SELECT * FROM <http://localhost:1/> WHERE { ?s ?p ?o }",
        "SELECT * FROM NAMED <http://localhost:1/> WHERE { GRAPH ?g { ?s ?p ?o } }",
        "INSERT DATA { <a:a> <a:a> <a:a> }",
        "LOAD <http://localhost:1/>",
        "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }",
        "SELECT nothing",
        "",
    ],
)
def test_what_is_no_plain_question_is_refused(
    truth: MemoryTruth, engine: Engine, query: str
) -> None:
    with pytest.raises(DataError):
        list(engine(list(truth.assertions()), query))
