"""RDF files of users, parsed by rdflib after a look at what they could do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kgrag.errors import MissingExtra, UnreadableFile
from kgrag.vocabulary.prefixes import from_iri
from kgrag_ingest.ontologies.loaders.base import Draft, Options, open_bytes

if TYPE_CHECKING:
    from rdflib import Graph

# JSON-LD is not among them: its contexts are fetched from the network.
_FORMATS: Final = {
    ".owl": "xml", ".rdf": "xml", ".xml": "xml", ".ttl": "turtle", ".nt": "nt", ".skos": "xml",
}  # fmt: skip
_ENTITY: Final = re.compile(rb"<!ENTITY\s+(%\s*)?(\S+)\s+(SYSTEM|PUBLIC|[\"'])([^>]{0,2000})>")
_MOST_ENTITIES: Final = 100
_LARGEST: Final = 2_000_000_000  # bytes; rdflib keeps the whole graph in memory
_NAME: Final = re.compile(r"[#/:]([^#/:]+)$")


def is_rdf(path: Path) -> bool:
    return path.is_file() and _suffix(path) in _FORMATS


def graph(path: Path) -> Graph:
    """The graph of the file; UnreadableFile when it is malformed or wants more than to be read.

    Entities may only be short names of namespaces, as ontology editors write them: none that
    refers to another or reaches outside the file.
    """
    try:
        from rdflib import Graph
    except ModuleNotFoundError as error:
        raise MissingExtra("rdflib", extra="rdf", purpose="reading OWL and SKOS") from error
    if path.stat().st_size > _LARGEST:
        raise UnreadableFile(str(path), "is larger than 2 GB", hint="bring it as OBO or a table")
    with open_bytes(path) as file:
        data = file.read()
    if _FORMATS[_suffix(path)] == "xml":
        _refuse_entities(path, data)
    made = Graph()
    try:
        made.parse(data=data, format=_FORMATS[_suffix(path)])
    except Exception as error:
        text = " ".join(str(error).split())[:200]
        raise UnreadableFile(str(path), f"cannot be parsed as RDF ({text})") from error
    return made


def _suffix(path: Path) -> str:
    name = path.name.removesuffix(".gz").lower()
    return name[name.rfind(".") :] if "." in name else ""


def _refuse_entities(path: Path, data: bytes) -> None:
    declared = data.count(b"<!ENTITY")
    if declared == 0:
        return
    found = _ENTITY.findall(data)
    plain = [value for percent, _, how, value in found if not percent and len(how) == 1]
    if declared > _MOST_ENTITIES or len(plain) != declared or any(b"&" in v for v in plain):
        raise UnreadableFile(str(path), "declares entities that are no names of namespaces")


def curie(iri: Any, options: Options, draft: Draft) -> str | None:
    """The CURIE of an IRI: of a known prefix, else of the user's ``--prefix``, else None."""
    known = from_iri(str(iri))
    if known is not None:
        return known
    named = _NAME.search(str(iri))
    if named is None:
        return None
    local = named[1]
    space, underscore, rest = local.partition("_")
    if options.prefix:
        draft.authority.add(options.prefix)
        return f"{options.prefix}:{local}"
    if underscore and rest and space.isalpha():
        draft.authority.add(space)
        return f"{space}:{rest}"
    return None


def english(graph: Graph, subject: Any, *predicates: Any) -> list[str]:
    """The literals of these predicates that are English or of no language, in a fixed order."""
    found: list[tuple[int, bool, str]] = []
    for at, predicate in enumerate(predicates):
        for value in graph.objects(subject, predicate):
            language = getattr(value, "language", None)
            if language is None or language.lower().startswith("en"):
                found.append((at, language is None, str(value).strip()))
    return list(dict.fromkeys(text for _, _, text in sorted(found) if text))


def read_metadata(graph: Graph, draft: Draft, kind: Any) -> None:
    """Name, version and licence that the ontology or the scheme states of itself."""
    from rdflib.namespace import DC, DCTERMS, OWL, RDF, RDFS

    for subject in sorted(graph.subjects(RDF.type, kind), key=str):
        names = english(graph, subject, DCTERMS.title, DC.title, RDFS.label)
        draft.name = draft.name or next(iter(names), None)
        version = next(iter(english(graph, subject, OWL.versionInfo)), None)
        iri = graph.value(subject, OWL.versionIRI)
        draft.version = draft.version or version or (str(iri) if iri else None)
        licence = graph.value(subject, DCTERMS.license) or graph.value(subject, DCTERMS.rights)
        draft.licence = draft.licence or (str(licence) if licence else None)
