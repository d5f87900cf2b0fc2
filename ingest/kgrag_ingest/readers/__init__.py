"""Readers: bytes of one format to stored text with its structure.

``select`` chooses the reader of a file by its name and its content; ``resolver`` knows readers by
name, those that other packages add included.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

from kgrag.errors import MissingExtra, UnreadableFile
from kgrag.resolve import Resolver
from kgrag_ingest.readers.base import Reader
from kgrag_ingest.readers.encoding import known_binary
from kgrag_ingest.readers.limits import check_size

resolver: Final = Resolver(
    "reader",
    {
        "docx": ("kgrag_ingest.readers.docx:DocxReader", "ingest"),
        "fhir": ("kgrag_ingest.readers.fhir:FhirReader", "ingest"),
        "hpoa": ("kgrag_ingest.readers.hpoa:HpoaReader", "ingest"),
        "html": ("kgrag_ingest.readers.html:HtmlReader", "ingest"),
        "jats": ("kgrag_ingest.readers.jats:JatsReader", "ingest"),
        "jsonl": ("kgrag_ingest.readers.jsonl:JsonlReader", "ingest"),
        "markdown": ("kgrag_ingest.readers.markdown:MarkdownReader", "ingest"),
        "medline": ("kgrag_ingest.readers.medline:MedlineReader", "ingest"),
        "pdf": ("kgrag_ingest.readers.pdf:PdfReader", "ingest"),
        "text": ("kgrag_ingest.readers.text:TextReader", "ingest"),
        "xlsx": ("kgrag_ingest.readers.xlsx:XlsxReader", "ingest"),
    },
)

_BY_SUFFIX: Final = {
    ".docx": "docx",
    ".hpoa": "hpoa",
    ".htm": "html",
    ".html": "html",
    ".jsonl": "jsonl",
    ".markdown": "markdown",
    ".md": "markdown",
    ".ndjson": "jsonl",
    ".pdf": "pdf",
    ".text": "text",
    ".txt": "text",
    ".xhtml": "html",
    ".xlsx": "xlsx",
}
_XML_SUFFIXES: Final = frozenset({".xml", ".nxml"})
_JATS_ROOTS: Final = frozenset({"article", "pmc-articleset"})
_MEDLINE_ROOTS: Final = frozenset({"PubmedArticleSet", "PubmedArticle", "MedlineCitationSet"})
# An XHTML fragment, as FHIR implementation guides write their pages, begins with a div.
_HTML_ROOTS: Final = frozenset({"html", "div", "body", "section"})
_NO_TEXT: Final = {
    ".csv": "a table of comma-separated values",
    ".dcm": "a DICOM image",
    ".doc": "an old Word file; save it as DOCX",
    ".epub": "an e-book",
    ".gif": "an image",
    ".jpeg": "an image",
    ".jpg": "an image",
    ".png": "an image",
    ".pptx": "a presentation",
    ".rtf": "an RTF file; save it as DOCX",
    ".tiff": "an image",
    ".tsv": "a table of tab-separated values",
    ".xls": "an old spreadsheet; save it as XLSX",
    ".zip": "an archive; unpack it",
}
_MISC: Final = re.compile(
    r"\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE
)
_ROOT: Final = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)([^>]*)")
_RESOURCE: Final = re.compile(r'"resourceType"\s*:\s*"(\w{1,60})"')
_SNIFF_BYTES: Final = 65_536


def select(data: bytes, uri: str, *, reader: str | Reader | None = None) -> Reader:
    """The reader for ``data``: that named or given, else by the suffix of ``uri`` and content.

    Content decides where a suffix covers several formats (``.xml``) and where the suffix is
    unknown. Raises UnreadableFile, with what the file is, when no reader reads it; UnknownName
    for an unknown ``reader``.
    """
    check_size(data, uri)
    if reader is not None:
        return get(reader) if isinstance(reader, str) else reader
    suffix = PurePosixPath(uri.partition("#")[0]).suffix.lower()
    return get(_name(data, uri, suffix))


def get(name: str) -> Reader:
    """The reader of that name; ``llama-index:module.Class`` adapts a LlamaIndex reader."""
    if name.startswith("llama-index:"):
        from kgrag_ingest.readers.llama_index import LlamaIndexReader

        return LlamaIndexReader(name.partition(":")[2])
    reader: Reader = resolver.get(name)()
    return reader


def versions() -> dict[str, str]:
    """The version of every installed reader by name: what shapes stored text."""
    found: dict[str, str] = {}
    for name in resolver.names():
        try:
            found[name] = resolver.get(name).version
        except MissingExtra:
            found[name] = "not installed"
    return found


def _name(data: bytes, uri: str, suffix: str) -> str:
    binary = known_binary(data)
    if binary == "a PDF":
        return "pdf"
    if suffix in (".docx", ".pdf", ".xlsx"):
        if suffix != ".pdf" and binary is not None and "ZIP" not in binary:
            raise UnreadableFile(uri, f"it is {binary}, not a {suffix[1:].upper()} file")
        return _BY_SUFFIX[suffix]
    if binary == "a ZIP archive" and b"word/" in data[:_SNIFF_BYTES] + data[-_SNIFF_BYTES:]:
        return "docx"
    if suffix in _NO_TEXT:
        what, _, advice = _NO_TEXT[suffix].partition("; ")
        raise UnreadableFile(uri, f"it is {what}, which is not supported", hint=advice or None)
    if binary is not None:
        raise UnreadableFile(uri, f"it is {binary}, which is not supported")
    if suffix in _XML_SUFFIXES:
        return _xml(data, uri)
    if suffix == ".json":
        if _RESOURCE.findall(_head(data))[:1] == ["PlanDefinition"]:
            return "fhir"
        raise UnreadableFile(uri, _json(data))
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    return _by_content(data, uri)


def _head(data: bytes) -> str:
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    return data[:_SNIFF_BYTES].decode("utf-16" if wide else "utf-8-sig", "replace").lstrip("\ufeff")


def _root(head: str) -> tuple[str, str] | None:
    """The local name of the root element and the rest of its start tag."""
    at = 0
    while skipped := _MISC.match(head, at):
        at = skipped.end()
    found = _ROOT.match(head, at)
    return (found.group(1), found.group(2)) if found else None


def _xml(data: bytes, uri: str) -> str:
    root = _root(_head(data))
    if root is None:
        raise UnreadableFile(uri, "it is not XML: no root element was found")
    name, attributes = root
    if name in _JATS_ROOTS:
        return "jats"
    if name in _MEDLINE_ROOTS:
        return "medline"
    if "http://hl7.org/fhir" in attributes and "xhtml" not in attributes:
        raise UnreadableFile(uri, f"it is a FHIR resource ({name}), which is not supported")
    if name.lower() in _HTML_ROOTS:
        return "html"
    raise UnreadableFile(
        uri, f"it is XML with the root <{name[:60]}>, which is not supported (JATS, MEDLINE and "
        "XHTML are)"
    )  # fmt: skip


def _json(data: bytes) -> str:
    kind = _RESOURCE.search(_head(data))
    if kind:
        return f"it is a FHIR resource ({kind.group(1)}), which is not supported"
    return "it is JSON, which is not supported (JSONL is, one record a line)"


def _by_content(data: bytes, uri: str) -> str:
    head = _head(data).lstrip()
    if head.startswith("<"):
        root = _root(head)
        return "html" if root and root[0].lower() in _HTML_ROOTS else _xml(data, uri)
    if head.startswith("{"):
        if head.rstrip() == "{" or re.match(r"\{\s*\n", head):
            raise UnreadableFile(uri, _json(data))
        return "jsonl"
    return "text"
