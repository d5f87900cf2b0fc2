"""IRIs of the model, of what a kb holds and of concepts; and terms in the form of N-Triples.

Throughout this package an RDF term is a string as N-Triples writes it (``<http://...>`` or
``"text"^^<...>``): every writer and every store here reads that form, and nothing is converted
twice.
"""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from functools import cache, lru_cache
from typing import Final
from urllib.parse import quote

from kgrag.paths import resource

BASE: Final = "https://w3id.org/kgrag/"
ID: Final = BASE + "id/"
RELATION: Final = BASE + "relation/"
QUALIFIER: Final = BASE + "qualifier/"
# Where CURIEs go whose prefix ``ontologies/prefixes.toml`` does not know.
OTHER: Final = "https://bioregistry.io/"

RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
SKOS: Final = "http://www.w3.org/2004/02/skos/core#"
DCT: Final = "http://purl.org/dc/terms/"
PROV: Final = "http://www.w3.org/ns/prov#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
SCHEMA: Final = "https://schema.org/"
BIOLINK: Final = "https://w3id.org/biolink/vocab/"

# Shown in every export and known to every query without being declared.
PREFIXES: Final = {
    "kg": BASE,
    "kgi": ID,
    "kgr": RELATION,
    "kgq": QUALIFIER,
    "rdf": RDF,
    "rdfs": RDFS,
    "skos": SKOS,
    "dct": DCT,
    "prov": PROV,
    "xsd": XSD,
    "schema": SCHEMA,
    "biolink": BIOLINK,
}

# The escapes of a JSON string are those of N-Triples; made once, which halves its cost.
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False).encode
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@cache
def concept_prefixes() -> dict[str, str]:
    """The prefixes of CURIEs and the IRIs that they stand for."""
    with resource("ontologies", "prefixes.toml").open("rb") as file:
        return {name: str(value) for name, value in tomllib.load(file).items()}


@cache
def all_prefixes() -> dict[str, str]:
    """``PREFIXES`` and those of the concepts."""
    return {**concept_prefixes(), **PREFIXES}


def concept_iri(curie: str) -> str:
    """The IRI of a concept, by the prefix of its CURIE; always a valid IRI."""
    prefix, colon, local = curie.partition(":")
    known = concept_prefixes().get(prefix)
    if not colon or known is None:
        return f"{OTHER}{quote(prefix.lower(), safe='')}:{quote(local, safe='')}"
    return known + quote(local, safe="")


def iri(value: str) -> str:
    """``value``, a valid IRI, as a term."""
    return f"<{value}>"


def kept(identifier: str, part: str = "") -> str:
    """The term of what the kb holds under ``identifier``; ``part`` names a part of it."""
    safe = identifier if _PLAIN_NAME.fullmatch(identifier) else quote(identifier, safe="")
    return f"<{ID}{safe}-{part}>" if part else f"<{ID}{safe}>"


def term(name: str) -> str:
    """The class or property of the model called ``name``."""
    return f"<{BASE}{name}>"


@lru_cache(maxsize=100_000)
def concept(curie: str) -> str:
    """The term of a concept."""
    return f"<{concept_iri(curie)}>"


@lru_cache(maxsize=1000)
def relation(name: str) -> str:
    """The term of a predicate of ``ontologies/relations.toml``."""
    return f"<{RELATION}{quote(name, safe='')}>"


@lru_cache(maxsize=1000)
def qualifier(name: str) -> str:
    """The property of a qualifier."""
    return f"<{QUALIFIER}{quote(name, safe='')}>"


def text(value: str) -> str:
    """A plain literal. Half a character (a lone surrogate), which no format holds, is U+FFFD."""
    if not value.isascii():
        value = _SURROGATE.sub("\ufffd", value)
    return _ENCODE(value)


def number(value: int) -> str:
    """An ``xsd:integer``."""
    return f'"{value}"^^<{XSD}integer>'


def decimal(value: float) -> str:
    """An ``xsd:decimal`` of at most four digits after the point."""
    shown = f"{value:.4f}".rstrip("0").rstrip(".")
    return f'"{shown or "0"}"^^<{XSD}decimal>'


def truth_value(value: bool) -> str:
    """An ``xsd:boolean``."""
    return f'"{"true" if value else "false"}"^^<{XSD}boolean>'


def day(value: str) -> str:
    """A date typed as precisely as it is stated; a plain literal when it is no ISO date."""
    parts = value.split("-")
    if value.isascii() and all(p.isdigit() for p in parts) and len(parts[0]) == 4:
        kinds = {(4,): "gYear", (4, 2): "gYearMonth", (4, 2, 2): "date"}
        kind = kinds.get(tuple(len(p) for p in parts))
        numbers = [int(p) for p in parts] + [1, 1]
        if kind is not None and numbers[0] > 0:
            try:
                date(*numbers[:3])
            except ValueError:
                return text(value)
            return f'"{value}"^^<{XSD}{kind}>'
    return text(value)


def parse_term(value: str) -> tuple[str, str | None]:
    """An IRI with None, or the characters of a literal with its datatype."""
    if value.startswith("<"):
        return value[1:-1], None
    body, mark, kind = value.rpartition('"^^<')
    if mark and kind.endswith(">"):
        return json.loads(body + '"'), kind[:-1]
    return json.loads(value), XSD + "string"


@lru_cache(maxsize=100_000)
def shortened(value: str) -> str:
    """An IRI as ``prefix:name`` where one of the known prefixes allows it, else as it is."""
    for prefix, base in _by_length():
        if value.startswith(base):
            local = value[len(base) :]
            if _PLAIN_NAME.fullmatch(local):
                return f"{prefix}:{local}"
    return value


@cache
def _by_length() -> tuple[tuple[str, str], ...]:
    return tuple(sorted(all_prefixes().items(), key=lambda item: (-len(item[1]), item[0])))
