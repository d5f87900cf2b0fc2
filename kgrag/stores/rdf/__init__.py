"""The kb as RDF: exports, and SPARQL over what its current documents say."""

from kgrag.stores.rdf.export import FORMATS, export
from kgrag.stores.rdf.names import BASE, PREFIXES, concept_iri
from kgrag.stores.rdf.results import Result
from kgrag.stores.rdf.sparql import at_endpoint, sparql
from kgrag.stores.rdf.store import forget

__all__ = [
    "BASE",
    "FORMATS",
    "PREFIXES",
    "Result",
    "at_endpoint",
    "concept_iri",
    "export",
    "forget",
    "sparql",
]
