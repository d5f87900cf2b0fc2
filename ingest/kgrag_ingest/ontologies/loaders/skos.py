"""Concept schemes in SKOS (RDF/XML or Turtle), through rdflib."""

from __future__ import annotations

from pathlib import Path

from kgrag.vocabulary.lexicon import SYNONYM, Retired
from kgrag_ingest.ontologies.base import Entry, Name
from kgrag_ingest.ontologies.loaders.base import Draft, Options
from kgrag_ingest.ontologies.loaders.obo import type_of
from kgrag_ingest.ontologies.loaders.rdf import curie, english, graph, is_rdf, read_metadata


class Skos:
    """Concepts with English labels, broader concepts and exact matches."""

    kind = "skos"

    def recognises(self, path: Path, head: str) -> bool:
        return is_rdf(path) and "skos/core#" in head and "owl#Class" not in head

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        from rdflib.namespace import DCTERMS, OWL, RDF, SKOS

        made = graph(path)
        read_metadata(made, draft, SKOS.ConceptScheme)
        below: dict[str, list[str]] = {}
        for parent, child in made.subject_objects(SKOS.narrower):
            one, other = curie(parent, options, draft), curie(child, options, draft)
            if one is not None and other is not None:
                below.setdefault(other, []).append(one)
        for subject in sorted(made.subjects(RDF.type, SKOS.Concept), key=str):
            identifier = curie(subject, options, draft)
            labels = english(made, subject, SKOS.prefLabel)
            if identifier is None or not labels:
                draft.counts["concepts without a usable id or English label left out"] += 1
                continue
            others = made.objects(subject, DCTERMS.isReplacedBy)
            replaced = [curie(other, options, draft) for other in others]
            if replaced or str(made.value(subject, OWL.deprecated)).lower() in ("true", "1"):
                named = tuple(sorted(other for other in replaced if other is not None))
                draft.retired.append(Retired(identifier, labels[0], named, ""))
                continue
            above = [curie(o, options, draft) for o in made.objects(subject, SKOS.broader)]
            parents = sorted({*(c for c in above if c), *below.get(identifier, ())})
            exact = [curie(o, options, draft) for o in made.objects(subject, SKOS.exactMatch)]
            draft.entries.append(
                Entry(
                    identifier,
                    labels[0],
                    type_of(identifier.partition(":")[0], options),
                    [Name(text, SYNONYM) for text in english(made, subject, SKOS.altLabel)],
                    parents,
                    draft.xrefs(sorted(c for c in exact if c is not None)),
                )
            )
