"""From the bytes of a file to what a transaction commits; no store is touched.

The local run and the workers of a cluster both go through here, so that both find the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from kgrag.errors import UnreadableFile
from kgrag.ids import document_id, make_id, sha256
from kgrag.linking import Linker
from kgrag.paths import resource
from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Mention
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document, Metadata, Passage, Source
from kgrag.stores.base import Ingested
from kgrag_ingest import passages as cutting
from kgrag_ingest import recommend as recommending
from kgrag_ingest.discover import Found
from kgrag_ingest.extract import extract
from kgrag_ingest.readers import select
from kgrag_ingest.readers.base import Reader, Reading
from kgrag_ingest.recipes import Recipe
from kgrag_ingest.recommend import recommend
from kgrag_ingest.report import timed

# Raised when the steps after reading change what they make of the same document.
VERSION = "1"


@dataclass(frozen=True, slots=True)
class Read:
    """A document as read. ``original`` is its own bytes; None when they are those of the file."""

    document: Document
    original: bytes | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was found in a document, and the seconds that each step took.

    ``original`` is as in ``Read``: the bytes of a file are not carried about.
    """

    document: Document
    original: bytes | None
    passages: tuple[Passage, ...]
    mentions: tuple[Mention, ...]
    assertions: tuple[Assertion, ...]
    rejects: tuple[Mapping[str, Any], ...]
    recommendations: tuple[Recommendation, ...]
    seconds: Mapping[str, float]

    def ingested(self, file: bytes) -> Ingested:
        """What one transaction commits; ``file`` is the bytes of the document's file."""
        return Ingested(
            document=self.document,
            original=file if self.original is None else self.original,
            passages=self.passages,
            mentions=self.mentions,
            assertions=self.assertions,
            rejects=self.rejects,
            recommendations=self.recommendations,
        )


def read(
    data: bytes, item: Found, *, digest: str, recipe: Recipe | None, collection: str
) -> Iterator[Read | Exception]:
    """The documents of a file in source order; an exception stands for a record refused.

    ``digest`` is the SHA-256 of ``data``. Raises UnreadableFile when the whole is refused, some
    documents later too.
    """
    reader = select(data, item.uri, reader=recipe.reader if recipe else None)
    for reading in reader.read(data, uri=item.uri):
        if isinstance(reading, Exception):
            yield reading
        else:
            document = _document(reading, digest, item, reader, recipe, collection)
            yield Read(document, reading.original)


def _document(
    reading: Reading,
    digest: str,
    item: Found,
    reader: Reader,
    recipe: Recipe | None,
    collection: str,
) -> Document:
    original_sha256 = digest if reading.original is None else sha256(reading.original)
    metadata = with_defaults(reading.metadata, recipe)
    identifier = _identifier(metadata, item.relative, reading.record)
    name = f"{reader.name}/{reader.version}"
    return Document(
        id=document_id(collection, identifier, original_sha256, name),
        source=Source(collection, identifier),
        uri=item.uri if reading.record is None else f"{item.uri}#{reading.record}",
        media_type=reader.media_types[0],
        original_sha256=original_sha256,
        reader=name,
        text=reading.text,
        metadata=metadata,
        blocks=reading.blocks,
        sections=reading.sections,
        pages=reading.pages,
        tables=reading.tables,
        doubts=reading.doubts,
    )


def prepare(one: Read, linker: Linker, recipe: Recipe | None) -> Prepared:
    """The document cut, linked, and what it asserts and recommends."""
    document = one.document
    seconds: dict[str, float] = {}
    with timed(seconds, "cut"):
        passages = cutting.passages(document)
    with timed(seconds, "link"):
        mentions = linker.link(document.text)
    with timed(seconds, "extract"):
        extraction = extract(document, mentions)
    with timed(seconds, "recommend"):
        recommendations = recommend(document, mentions, system=recipe.grades if recipe else None)
    return Prepared(
        document=document,
        original=one.original,
        passages=passages,
        mentions=mentions,
        assertions=extraction.assertions,
        rejects=extraction.rejects,
        recommendations=recommendations,
        seconds=seconds,
    )


def _identifier(metadata: Metadata, relative: str, record: str | None) -> str:
    """``doi:``, else ``pmid:``, else the path with the record's name."""
    known = dict(metadata.identifiers)
    for scheme in ("doi", "pmid"):
        if known.get(scheme):
            return f"{scheme}:{known[scheme].lower()}"
    return relative if record is None else f"{relative}#{record}"


def with_defaults(metadata: Metadata, recipe: Recipe | None) -> Metadata:
    """What the recipe says of all its documents, where the document itself says nothing."""
    if recipe is None:
        return metadata
    defaults: Mapping[str, str] = recipe.metadata
    missing = {k: v for k, v in defaults.items() if getattr(metadata, k, "") is None}
    return replace(metadata, **missing) if missing else metadata  # type: ignore[arg-type]


def shape(linker: Linker, recipe: Recipe | None) -> str:
    """The hash of all that shapes documents besides their bytes."""
    from kgrag_ingest.readers import versions

    return make_id(
        "shape",
        VERSION,
        cutting.VERSION,
        recommending.VERSION,
        _rules_sha256(),
        linker.lexicon.sha256,
        versions(),
        recipe.sha256 if recipe else None,
    )


# Read when a question is asked or a lexicon is compiled; no document becomes another by them.
_SHAPES_NOTHING: Final = frozenset(
    {"advice_words.toml", "error_rates.toml", "notices.toml", "packages.toml", "registry.toml"}
)


def _rules_sha256() -> str:
    """Of all rules and weights: linking and extraction are what they say."""
    folder = resource("ontologies")
    found = (p for kind in ("toml", "tsv", "json") for p in folder.rglob(f"*.{kind}"))
    files = sorted(path for path in found if path.name not in _SHAPES_NOTHING)
    return sha256(b"".join(path.read_bytes() for path in files))


def reason(error: Exception, uri: str) -> str:
    """The error on one line, without the file's name that the line already has."""
    if isinstance(error, UnreadableFile):
        text = error.reason + (f" ({error.hint})" if error.hint else "")
    elif isinstance(error, OSError):
        text = error.strerror or type(error).__name__
    else:
        text = str(error)
    return " ".join(text.replace(f"{uri}: ", "").split())
