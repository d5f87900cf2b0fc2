"""MEDLINE and PubMed citations with their abstracts, one document a citation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from kgrag.errors import UnreadableFile
from kgrag.records.text import Metadata
from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder
from kgrag_ingest.readers.xml import local, parse, words

_UI: Final = re.compile(r"D\d{6,9}")
_RETRACTED: Final = frozenset({"Retracted Publication", "Retraction of Publication"})


class MedlineReader:
    """Reads title, abstract and MeSH headings; labels of a structured abstract are headings.

    The MeSH headings stand at the end, in a section of their own, one a line with its id, its
    qualifiers and ``*`` where it is a major topic. Their blocks are references: words of an index,
    which no passage holds and no answer quotes.
    """

    name = "medline"
    version = "3"
    media_types: tuple[str, ...] = ("application/vnd.nlm.medline+xml",)
    suffixes: tuple[str, ...] = (".xml",)

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """A reading a citation, named by its PMID; ``original`` is the citation's own XML."""
        root, decoded = parse(data, uri)
        if local(root) in ("PubmedArticle", "MedlineCitation"):
            articles = [root]
        else:
            articles = [e for e in root if local(e) in ("PubmedArticle", "MedlineCitation")]
        if not articles:
            raise UnreadableFile(uri, f"it has the root <{local(root)}> and no MEDLINE citation")
        for number, article in enumerate(articles, 1):
            citation = article if local(article) == "MedlineCitation" else article.find(
                "MedlineCitation"
            )  # fmt: skip
            pmid = "" if citation is None else words(citation.find("PMID"))
            if citation is None or not pmid.isdigit():
                yield UnreadableFile(uri, f"citation {number} has no PMID")
                continue
            out = TextBuilder()
            title = _title(citation)
            out.heading(1, title)
            _abstract(out, citation)
            if not out.size:
                yield UnreadableFile(uri, f"citation {pmid} has neither title nor abstract")
                continue
            _headings(out, citation)
            if decoded.doubt:
                out.doubt(decoded.doubt.kind, decoded.doubt.level, decoded.doubt.message)
            own = etree.tostring(article, encoding="utf-8", with_tail=False)
            yield out.build(_metadata(article, citation, title, pmid), record=pmid, original=own)


def _title(citation: etree._Element) -> str:
    """The title; translated titles stand in square brackets, which are taken off."""
    text = words(citation.find("Article/ArticleTitle"))
    text = text or words(citation.find("Article/VernacularTitle"))
    if text.startswith("[") and text.rstrip(".").endswith("]"):
        return text.rstrip(".")[1:-1]
    return text


def _abstract(out: TextBuilder, citation: etree._Element) -> None:
    part = citation.find("Article/Abstract")
    for element in () if part is None else part.iterfind("AbstractText"):
        text = words(element)
        label = element.get("Label")
        if text and label and label.upper() != "UNLABELLED":
            out.heading(2, label)
        out.paragraph(text)


def _headings(out: TextBuilder, citation: etree._Element) -> None:
    """``Asthma (MESH:D001249) / drug therapy* / prevention & control``, as the file orders them."""
    lines = []
    for heading in citation.iterfind("MeshHeadingList/MeshHeading"):
        descriptor = heading.find("DescriptorName")
        if descriptor is None or not words(descriptor):
            continue
        ui = descriptor.get("UI") or ""
        line = _marked(descriptor) + (f" (MESH:{ui})" if _UI.fullmatch(ui) else "")
        uses = [_marked(e) for e in heading.iterfind("QualifierName") if words(e)]
        lines.append(" / ".join([line, *uses]))
    if lines:
        out.heading(2, "MeSH headings")
    for line in lines:
        out.reference(line)


def _marked(name: etree._Element) -> str:
    return words(name) + ("*" if name.get("MajorTopicYN") == "Y" else "")


def _metadata(article: etree._Element, citation: etree._Element, title: str, pmid: str) -> Metadata:
    ids = {
        e.get("IdType"): words(e) for e in article.iterfind("PubmedData/ArticleIdList/ArticleId")
    }
    doi = next(
        (words(e) for e in citation.iterfind("Article/ELocationID") if e.get("EIdType") == "doi"),
        ids.get("doi"),
    )
    types = {words(e) for e in citation.iterfind("Article/PublicationTypeList/PublicationType")}
    mesh = [
        ("mesh", ui)
        for e in citation.iterfind("MeshHeadingList/MeshHeading/DescriptorName")
        if (ui := e.get("UI"))
    ]
    return meta.of(
        title=title,
        publisher=words(citation.find("Article/Journal/Title")),
        date=_date(citation),
        language=words(citation.find("Article/Language")),
        doi=doi,
        pmid=pmid,
        pmcid=ids.get("pmc"),
        retracted=_retracted(citation, types),
        extra=mesh,
    )


def _date(citation: etree._Element) -> str | None:
    for path in ("Article/Journal/JournalIssue/PubDate", "Article/ArticleDate"):
        element = citation.find(path)
        if element is None:
            continue
        parts = [words(element.find(name)) for name in ("Year", "Month", "Day")]
        if date := meta.make_date(*parts) or meta.make_date(words(element.find("MedlineDate"))[:4]):
            return date
    return None


def _retracted(citation: etree._Element, types: set[str]) -> str | None:
    notes = {
        e.get("RefType") for e in citation.iterfind("CommentsCorrectionsList/CommentsCorrections")
    }
    if types & _RETRACTED or "RetractionIn" in notes:
        return "retraction"
    concern = "ExpressionOfConcernIn" in notes or "Expression of Concern" in types
    return "expression_of_concern" if concern else None
