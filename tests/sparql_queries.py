"""Queries over the advised world that every engine must answer alike."""

from __future__ import annotations

from typing import Any

from kgrag.stores.rdf import Result

QUERIES = {
    "edges": "SELECT ?a ?s ?p ?o ?n WHERE { ?a kg:subject ?s ; kg:predicate ?p ; kg:object ?o ;"
    " kg:negated ?n }",
    "denied, with its words": "SELECT ?a ?q ?t WHERE { ?a kg:negated true ; kg:evidence ?e ."
    " ?e kg:quote ?q ; kg:document/dct:title ?t }",
    "counted": "SELECT ?p (COUNT(?a) AS ?n) WHERE { ?a kg:predicate ?p } GROUP BY ?p ORDER BY ?p",
    "two steps": "SELECT ?x ?y WHERE { ?a kg:subject ?x ; kg:object ?z ."
    " ?b kg:object ?z ; kg:subject ?y FILTER (?x != ?y) }",
    "a graph of its own": "SELECT ?g (COUNT(*) AS ?n) WHERE { GRAPH ?g { ?g a kg:Assertion ;"
    " kg:evidence ?e } } GROUP BY ?g",
    "by name": "SELECT ?a WHERE { ?a kg:object/skos:prefLabel 'Stroke' }",
    "advice": "SELECT ?r ?q ?sys ?raw ?age WHERE { ?r a kg:Recommendation ; kg:direction 'for' ;"
    " kg:action/kg:quote ?q ; kg:strength [ kg:system ?sys ; kg:raw ?raw ]"
    " OPTIONAL { ?r kg:minimumAge ?age } OPTIONAL { ?r kg:maximumAge ?none } }",
    "places": "SELECT DISTINCT ?doc ?page ?section WHERE { ?e kg:document ?doc ; kg:page ?page ;"
    " kg:section ?section } ORDER BY ?page",
    "hostile": "SELECT (STRLEN(?q) AS ?n) WHERE { ?e a kg:Evidence ; kg:quote ?q"
    ' FILTER CONTAINS(?q, "\\"prevents\\" \\\\stroke\\\\") }',
    "nothing": "SELECT ?a WHERE { ?a kg:certainty 'possible' }",
    "ask": "ASK { ?a kg:negated true ; kg:predicate kgr:treats }",
    "construct": "CONSTRUCT { ?s ?p ?o } WHERE { ?a kg:subject ?s ; kg:predicate ?p ;"
    " kg:object ?o ; kg:negated false }",
}


def comparable(result: Result) -> Any:
    """The result without an order, and without differences of writing a literal."""
    if result.triples is not None:
        return sorted(line.rstrip(" .") for line in result.triples)
    if result.boolean is not None:
        return result.boolean
    return sorted(
        tuple(sorted((name, tuple(sorted(term.items()))) for name, term in row.items()))
        for row in result.rows
    )
