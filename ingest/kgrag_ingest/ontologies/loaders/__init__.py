"""Loaders of the vocabularies that users bring: one module a format, chosen by kind."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kgrag.errors import UnreadableFile
from kgrag.resolve import Resolver
from kgrag_ingest.ontologies.loaders.base import Draft, Loader, Options, head_of

_PACKAGE = "kgrag_ingest.ontologies.loaders"

resolver: Final = Resolver(
    "kind of vocabulary",
    {
        "atc": (f"{_PACKAGE}.atc:Atc", "ingest"),
        "icd11": (f"{_PACKAGE}.icd11:Icd11", "ingest"),
        "loinc": (f"{_PACKAGE}.loinc:Loinc", "ingest"),
        "mesh": (f"{_PACKAGE}.mesh:Mesh", "ingest"),
        "obo": (f"{_PACKAGE}.obo:Obo", "ingest"),
        "owl": (f"{_PACKAGE}.owl:Owl", "rdf"),
        "rxnorm": (f"{_PACKAGE}.rxnorm:RxNorm", "ingest"),
        "skos": (f"{_PACKAGE}.skos:Skos", "rdf"),
        "snomedct": (f"{_PACKAGE}.snomedct:SnomedCt", "ingest"),
        "sssom": (f"{_PACKAGE}.sssom:Sssom", "ingest"),
        "table": (f"{_PACKAGE}.table:Table", "ingest"),
        "umls": (f"{_PACKAGE}.umls:Umls", "ingest"),
    },
)

# A table is what has columns that could be anything: it is asked last.
_LAST: Final = "table"


def loader(kind: str) -> Loader:
    """The loader of that kind; UnknownName lists the kinds."""
    made: Loader = resolver.get(kind)()
    return made


def detect(path: Path) -> str:
    """The kind of the file or folder; UnreadableFile when no loader knows it."""
    if not path.exists():
        raise UnreadableFile(str(path), "there is no such file or folder")
    head = head_of(path)
    for kind in sorted(resolver.names(), key=lambda name: (name == _LAST, name)):
        if loader(kind).recognises(path, head):
            return kind
    raise UnreadableFile(
        str(path),
        "no loader recognises it",
        hint=f"give --as with one of {', '.join(resolver.names())}",
    )


def read(path: Path, kind: str, options: Options | None = None) -> Draft:
    """What the loader of that kind read; UnreadableFile when it is nothing that can be used."""
    draft = Draft(path)
    loader(kind).read(path, draft, options or Options())
    draft.finish()
    return draft
