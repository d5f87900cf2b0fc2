"""Assertions as RDF and GraphML, and SPARQL over them.

An assertion is an n-ary resource with subject, predicate, object, polarity, qualifiers and
evidence; in TriG and JSON-LD each has a named graph of its own. A direct edge between two concepts
is never written, because a denied assertion would read as its opposite.
"""

from __future__ import annotations

import io
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from kgrag.errors import DataError, UnknownName
from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Concept
from kgrag.stores.base import TruthStore

if TYPE_CHECKING:
    from rdflib import Dataset, Graph, URIRef
    from rdflib.plugins.sparql.sparql import Query
    from rdflib.query import Result

BASE: Final = "https://w3id.org/kgrag/"
CURIES: Final = "https://bioregistry.io/"
_FORMATS: Final = {"trig": "trig", "nt": "nt", "jsonld": "json-ld"}
FORMATS: Final = (*_FORMATS, "graphml")
# Beyond this many assertions rdflib is too slow to query (measured: minutes at 20,000).
_SMALL: Final = 500


class Names(Protocol):
    def concept(self, curie: str) -> Concept: ...
    def __contains__(self, curie: object) -> bool: ...


def export(truth: TruthStore, lexicon: Names, form: str, out: Path) -> int:
    """Write the current assertions to ``out``, whole or not at all; how many they were."""
    if form not in FORMATS:
        raise UnknownName("export format", form, FORMATS)
    assertions = list(truth.assertions())
    if form == "graphml":
        data = _graphml(assertions, lexicon)
    else:
        dataset = to_dataset(assertions, lexicon, named=form != "nt")
        source: Graph = dataset if form != "nt" else dataset.default_graph
        with warnings.catch_warnings():
            # rdflib 7.6: its own serializers call what its Dataset deprecates.
            warnings.filterwarnings("ignore", r"Dataset\.", DeprecationWarning)
            data = source.serialize(format=_FORMATS[form], encoding="utf-8")
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return len(assertions)


def to_dataset(
    assertions: list[Assertion], lexicon: Names | None = None, *, named: bool = True
) -> Dataset:
    """The assertions as an rdflib dataset; ``named`` gives each a graph, else one default graph."""
    from rdflib import RDF, RDFS, BNode, Dataset, Literal, Namespace

    kg = Namespace(BASE)
    dataset = Dataset()
    dataset.bind("kg", kg)
    labels = dataset.default_graph
    for assertion in assertions:
        name = kg[assertion.id]
        graph = dataset.graph(name) if named else dataset.default_graph
        graph.add((name, RDF.type, kg.Assertion))
        graph.add((name, kg.subject, _concept(assertion.subject)))
        graph.add((name, kg.predicate, kg[assertion.predicate]))
        graph.add((name, kg.object, _concept(assertion.object)))
        graph.add((name, kg.negated, Literal(assertion.negated)))
        graph.add((name, kg.tier, Literal(assertion.tier)))
        graph.add((name, kg.certainty, Literal(assertion.certainty)))
        for key, value in assertion.qualifiers:
            graph.add((name, kg[key], Literal(value)))
        for item in assertion.evidence:
            node = BNode()
            graph.add((name, kg.evidence, node))
            graph.add((node, kg.document, kg[item.document_id]))
            graph.add((node, kg.start, Literal(item.start)))
            graph.add((node, kg.end, Literal(item.end)))
            graph.add((node, kg.quote, Literal(item.quote)))
        for curie in (assertion.subject, assertion.object):
            if lexicon is not None and curie in lexicon:
                labels.add((_concept(curie), RDFS.label, Literal(lexicon.concept(curie).name)))
    return dataset


def _concept(curie: str) -> URIRef:
    from urllib.parse import quote

    from rdflib import URIRef

    prefix, _, local = curie.partition(":")
    return URIRef(f"{CURIES}{prefix.lower()}:{quote(local, safe='')}")


def _graphml(assertions: list[Assertion], lexicon: Names) -> bytes:
    import networkx as nx

    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    for a in assertions:
        for curie in (a.subject, a.object):
            graph.add_node(curie, name=lexicon.concept(curie).name if curie in lexicon else curie)
        graph.add_edge(
            a.subject,
            a.object,
            key=a.id,
            assertion=a.id,
            predicate=a.predicate,
            negated=a.negated,
            tier=a.tier,
            certainty=a.certainty,
            evidence=len(a.evidence),
        )
    buffer = io.BytesIO()
    nx.write_graphml(graph, buffer)
    return buffer.getvalue()


def sparql(truth: TruthStore, query: str) -> list[Mapping[str, str]]:
    """The rows of a SELECT (or one row ``result`` of an ASK) over the current assertions.

    Terms are given as their text; a variable without a value is left out. Updates and federated
    queries are refused: the kb changes by ingest alone, and nothing is asked elsewhere.
    """
    assertions = list(truth.assertions())
    return list(
        _rdflib(assertions, query) if len(assertions) <= _SMALL else _oxi(assertions, query)
    )


def _rdflib(assertions: list[Assertion], query: str) -> Iterator[Mapping[str, str]]:
    prepared = _prepared(query)
    with warnings.catch_warnings():
        # rdflib 7.6: its own query engine calls what its Dataset deprecates.
        warnings.filterwarnings("ignore", r"Dataset\.", DeprecationWarning)
        result = to_dataset(assertions, named=False).query(prepared)
        yield from _rows(result)


def _rows(result: Result) -> Iterator[Mapping[str, str]]:
    if result.type == "ASK":
        yield {"result": str(bool(result.askAnswer)).lower()}
    elif result.type == "SELECT":
        for binding in result.bindings:
            yield {str(k): str(v) for k, v in binding.items()}
    else:
        raise DataError("only SELECT and ASK give rows")


def _prepared(query: str) -> Query:
    """The parsed query; DataError when it is none, or would read anything but the kb."""
    from pyparsing import ParseException
    from rdflib.plugins.sparql import prepareQuery

    try:
        prepared = prepareQuery(query)
    except (ParseException, ValueError) as error:
        raise DataError(f"not a SPARQL query: {error}") from error
    if "ServiceGraphPattern" in str(prepared.algebra):
        raise DataError("SERVICE is refused: nothing is asked elsewhere")
    # rdflib would fetch the named address.
    if prepared.algebra.datasetClause:
        raise DataError("FROM is refused: the assertions of the kb are what is asked")
    return prepared


def _oxi(assertions: list[Assertion], query: str) -> Iterator[Mapping[str, str]]:
    import pyoxigraph as ox

    _prepared(query)
    store = ox.Store()
    data = to_dataset(assertions, named=False).default_graph.serialize(
        format="nt", encoding="utf-8"
    )
    store.bulk_load(data, format=ox.RdfFormat.N_TRIPLES)
    try:
        result = store.query(query)
    except SyntaxError as error:
        raise DataError(f"not a SPARQL query: {error}") from error
    if isinstance(result, ox.QueryBoolean):
        yield {"result": str(bool(result)).lower()}
    elif isinstance(result, ox.QuerySolutions):
        names = [v.value for v in result.variables]
        for row in result:
            terms = ((name, row[name]) for name in names)
            yield {n: getattr(t, "value", str(t)) for n, t in terms if t is not None}
    else:
        raise DataError("only SELECT and ASK give rows")
