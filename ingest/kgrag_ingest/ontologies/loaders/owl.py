"""Ontologies in OWL (RDF/XML or Turtle), through rdflib."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kgrag.vocabulary.lexicon import SYNONYM, Retired
from kgrag_ingest.ontologies.base import Entry, Name
from kgrag_ingest.ontologies.loaders.base import Draft, Options
from kgrag_ingest.ontologies.loaders.obo import type_of
from kgrag_ingest.ontologies.loaders.rdf import curie, english, graph, is_rdf, read_metadata

if TYPE_CHECKING:
    from rdflib import URIRef

_OBO: Final = "http://www.geneontology.org/formats/oboInOwl#"
_REPLACED_BY: Final = "http://purl.obolibrary.org/obo/IAO_0100001"


class Owl:
    """Named classes with labels, exact synonyms, superclasses and cross-references."""

    kind = "owl"

    def recognises(self, path: Path, head: str) -> bool:
        return is_rdf(path) and ("owl#Class" in head or "owl:Class" in head or ":Ontology" in head)

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        from rdflib import URIRef
        from rdflib.namespace import OWL, RDF, RDFS, SKOS

        made = graph(path)
        read_metadata(made, draft, OWL.Ontology)
        obo = {name: URIRef(_OBO + name) for name in ("hasExactSynonym", "hasDbXref")}
        for subject in _named(made.subjects(RDF.type, OWL.Class)):
            identifier = curie(subject, options, draft)
            labels = english(made, subject, RDFS.label, SKOS.prefLabel)
            if identifier is None or not labels:
                draft.counts["classes without a usable id or label left out"] += 1
                continue
            if str(made.value(subject, OWL.deprecated)).lower() in ("true", "1"):
                others = made.objects(subject, URIRef(_REPLACED_BY))
                replaced = [curie(other, options, draft) or str(other) for other in others]
                name = labels[0].removeprefix("obsolete ")
                draft.retired.append(Retired(identifier, name, tuple(sorted(replaced)), ""))
                continue
            prefix = identifier.partition(":")[0]
            synonyms = english(made, subject, obo["hasExactSynonym"], SKOS.altLabel)
            above = _named(made.objects(subject, RDFS.subClassOf))
            kin = sorted(str(value) for value in made.objects(subject, obo["hasDbXref"]))
            exact = [curie(s, options, draft) for s in made.objects(subject, SKOS.exactMatch)]
            draft.entries.append(
                Entry(
                    identifier,
                    labels[0],
                    type_of(prefix, options),
                    [Name(text, SYNONYM) for text in (*labels[1:], *synonyms)],
                    [c for s in above if (c := curie(s, options, draft)) is not None],
                    draft.xrefs([*kin, *sorted(c for c in exact if c is not None)]),
                )
            )


def _named(nodes: Iterable[object]) -> list[URIRef]:
    """The nodes that are no blank ones (restrictions, unions), in order of IRI."""
    from rdflib import URIRef

    return sorted((node for node in nodes if isinstance(node, URIRef)), key=str)
