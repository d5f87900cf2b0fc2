"""Full-text articles in JATS (and its NLM forerunners): the XML of PubMed Central."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from kgrag.errors import UnreadableFile
from kgrag.records.text import Metadata
from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.inline import add_superscript
from kgrag_ingest.readers.limits import no_text
from kgrag_ingest.readers.tables import Cell, lay_out, span_of
from kgrag_ingest.readers.xml import local, parse, words

_HREF: Final = "{http://www.w3.org/1999/xlink}href"
_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_SECTIONS: Final = frozenset(
    {"sec", "app", "ack", "boxed-text", "glossary", "notes", "fn-group", "bio", "app-group"}
)
_THROUGH: Final = frozenset(
    {"body", "back", "floats-group", "disp-quote", "statement", "fig-group", "table-wrap-group",
     "fn", "speech", "verse-group", "sec-meta", "supplementary-material", "floats-wrap"}
)  # fmt: skip
_PARTS: Final = frozenset(
    {"list", "def-list", "table-wrap", "fig", "ref-list", "p", "title", "array", *_SECTIONS,
     *_THROUGH}
)  # fmt: skip
_UNSEEN: Final = frozenset(
    {"tex-math", "graphic", "inline-graphic", "object-id", "media", "label", "annotation",
     "email", "permissions", "alt-text", "long-desc"}
)  # fmt: skip
_RETRACTION: Final = frozenset({"retraction", "retracted-article", "retraction-forward"})
_CONCERN: Final = frozenset(
    {"expression-of-concern", "concern", "concern-forward", "expression-of-concern-forward"}
)


class JatsReader:
    """Reads title, abstract, body, tables, captions, notes and references of an article."""

    name = "jats"
    version = "2"
    media_types: tuple[str, ...] = ("application/jats+xml",)
    suffixes: tuple[str, ...] = (".nxml", ".xml")

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """A reading an article; of a set each is a record, named by its PMC id or number."""
        root, decoded = parse(data, uri)
        if local(root) == "article":
            articles, many = [root], False
        else:
            articles, many = [e for e in root if local(e) == "article"], True
        if not articles:
            raise UnreadableFile(uri, f"it has the root <{local(root)}> and no JATS article")
        for number, article in enumerate(articles, 1):
            out = TextBuilder()
            metadata = _metadata(article)
            _Article(out, uri).run(article)
            if not out.size:
                refusal = no_text(uri, "the article")
                if not many:
                    raise refusal
                yield refusal
                continue
            if decoded.doubt:
                out.doubt(decoded.doubt.kind, decoded.doubt.level, decoded.doubt.message)
            if many:
                record = dict(metadata.identifiers).get("pmcid", f"article-{number}")
                own = etree.tostring(article, encoding="utf-8", with_tail=False)
                yield out.build(metadata, record=record, original=own)
            else:
                yield out.build(metadata)


def _metadata(article: etree._Element) -> Metadata:
    front = article.find("front")
    front = article if front is None else front
    ids: dict[str, str] = {}
    for element in front.iterfind("article-meta/article-id"):
        kind = element.get("pub-id-type") or ""
        ids.setdefault("pmcid" if kind in ("pmc", "pmcid") else kind, words(element))
    journal = words(front.find(".//journal-meta//journal-title"))
    title = words(front.find("article-meta/title-group/article-title"))
    return meta.of(
        title=title,
        publisher=journal or words(front.find(".//publisher-name")),
        date=_date(front),
        version=words(front.find("article-meta/article-version")),
        licence=_licence(front),
        language=article.get(_LANG),
        doi=ids.get("doi"),
        pmid=ids.get("pmid"),
        pmcid=ids.get("pmcid"),
        retracted=_retracted(article, front, title),
        extra=[("article_type", form)] if (form := article.get("article-type")) else (),
    )


def _date(front: etree._Element) -> str | None:
    dates: dict[str, str] = {}
    for element in front.iterfind("article-meta/pub-date"):
        kind = element.get("pub-type") or element.get("date-type") or ""
        parts = [words(element.find(name)) for name in ("year", "month", "day")]
        if date := meta.make_date(*parts):
            dates.setdefault(kind, date)
    order = ("epub", "pub", "ppub", "epub-ppub", "collection")
    return next((dates[k] for k in order if k in dates), next(iter(dates.values()), None))


def _licence(front: etree._Element) -> str | None:
    element = front.find("article-meta/permissions")
    element = front.find("article-meta") if element is None else element
    if element is None:
        return None
    for part in element.iter():
        if found := meta.licence_of(part.get(_HREF)) or meta.licence_of(part.text):
            return found
    licence = element.find("license")
    return None if licence is None else (words(licence)[:200] or licence.get("license-type"))


def _retracted(article: etree._Element, front: etree._Element, title: str) -> str | None:
    marks = {article.get("article-type") or ""}
    for element in front.iter("related-article"):
        kind = element.get("related-article-type") or ""
        # A notice names the article that it retracts; that article names its notice.
        marks.add(kind if kind != "retracted-article" else "")
    if marks & _RETRACTION or title.lower().startswith(("retracted:", "retracted article")):
        return "retraction"
    return "expression_of_concern" if marks & _CONCERN else None


class _Article:
    """Walks an article; recursion is bounded by the parser's limit on depth."""

    def __init__(self, out: TextBuilder, uri: str) -> None:
        self.out, self.uri = out, uri

    def run(self, article: etree._Element) -> None:
        for front in (article.find("front"), article.find("front-stub")):
            if front is None:
                continue
            start = front.find("article-meta")
            start = front if start is None else start
            self.out.heading(1, self.inline(start.find("title-group/article-title")))
            for abstract in (*start.iterfind("abstract"), *start.iterfind("trans-abstract")):
                if abstract.get("abstract-type") == "graphical":
                    continue
                if abstract.find("title") is None:
                    self.out.heading(2, "Abstract")
                self.section(abstract, 2)
        for name in ("body", "floats-group", "floats-wrap", "back"):
            for part in article.iterfind(name):
                self.parts(part, 2)
        for sub in (*article.iterfind("sub-article"), *article.iterfind("response")):
            self.run(sub)

    def parts(self, element: etree._Element, level: int) -> None:
        for child in element:
            self.part(child, level)

    def section(self, element: etree._Element, level: int) -> None:
        """The title of ``element`` opens a section of ``level``; what is below it goes deeper."""
        for child in element:
            self.part(child, level if local(child) == "title" else level + 1)

    def part(self, element: etree._Element, level: int) -> None:
        """The blocks of ``element``; a title in it opens a section of ``level``."""
        tag = local(element)
        if not tag or tag in _UNSEEN or tag in ("sec-meta", "front-stub"):
            return
        if tag == "title":
            label = element.getparent().find("label")  # type: ignore[union-attr]
            self.out.heading(level, f"{words(label)} {self.inline(element)}")
        elif tag in _SECTIONS:
            self.section(element, level)
        elif tag == "list":
            self.items(element)
        elif tag == "def-list":
            for item in element.iterfind("def-item"):
                self.out.list_item(
                    f"{self.inline(item.find('term'))}: {self.inline(item.find('def'))}"
                )
        elif tag == "table-wrap":
            self.table(element, level)
        elif tag == "fig":
            self.out.caption(self.caption(element))
        elif tag == "ref-list":
            self.references(element, level)
        elif tag in _THROUGH:
            self.parts(element, level)
        else:
            self.paragraph(element, level)

    def paragraph(self, element: etree._Element, level: int) -> None:
        """A paragraph; lists, tables and figures inside it part it."""
        parts: list[str] = [element.text or ""]
        for child in element:
            if local(child) in _PARTS:
                self.out.paragraph("".join(parts))
                parts = []
                self.part(child, level)
            else:
                self.add(child, parts)
            parts.append(child.tail or "")
        self.out.paragraph("".join(parts))

    def items(self, element: etree._Element) -> None:
        for item in element.iterfind("list-item"):
            parts = [f"{words(item.find('label'))} "]
            rest: list[etree._Element] = []
            for child in item:
                if local(child) == "p" and not rest:
                    nested = [e for e in child if local(e) in _PARTS]
                    parts.append(f" {self.inline(child, without=nested)}")
                    rest.extend(nested)
                elif local(child) != "label":
                    rest.append(child)
            self.out.list_item("".join(parts))
            for child in rest:
                self.part(child, 6)

    def table(self, element: etree._Element, level: int) -> None:
        caption: str | None = self.caption(element)
        for table in element.iter("table"):
            head = table.find("thead")
            rows = [
                [
                    Cell(
                        self.inline(cell),
                        local(cell) == "th",
                        span_of(cell.get("colspan")),
                        span_of(cell.get("rowspan")),
                    )
                    for cell in row
                    if local(cell) in ("td", "th")
                ]
                for row in table.iter("tr")
            ]
            count = None if head is None else len(list(head.iter("tr")))
            grid = lay_out(rows, count, self.uri)
            self.out.table(grid.header, grid.rows, caption)
            caption = None
        if caption:
            self.out.caption(caption)
        foot = element.find("table-wrap-foot")
        if foot is not None:
            self.parts(foot, level)

    def references(self, element: etree._Element, level: int) -> None:
        if element.find("title") is None:
            self.out.heading(level, "References")
        for child in element:
            if local(child) != "ref":
                self.part(child, level)
                continue
            label = words(child.find("label"))
            for entry in child:
                if local(entry) in ("label", "note"):
                    continue
                punctuated = bool((entry.text or "").strip()) or any(
                    (piece.tail or "").strip() for piece in entry
                )
                text = (
                    self.inline(entry)
                    if punctuated
                    else " ".join(clean(str(piece)) for piece in entry.itertext())
                )
                self.out.reference(f"{label} {text}")

    def caption(self, element: etree._Element) -> str:
        """Label and caption on one line."""
        label = words(element.find("label"))
        caption = element.find("caption")
        pieces = [label, *(self.inline(child) for child in caption)] if caption is not None else []
        return " ".join(piece for piece in pieces or [label] if piece)

    def inline(
        self, element: etree._Element | None, without: list[etree._Element] | None = None
    ) -> str:
        """What is seen inside ``element`` as one line; empty for None."""
        if element is None:
            return ""
        parts: list[str] = [element.text or ""]
        for child in element:
            if without is None or child not in without:
                self.add(child, parts)
            parts.append(child.tail or "")
        return clean("".join(parts))

    def add(self, element: etree._Element, parts: list[str]) -> None:
        tag = local(element)
        if not tag or tag in _UNSEEN:
            return
        if tag == "sup":
            add_superscript(parts, self.inline(element))
            return
        apart = tag in _PARTS or tag in ("break", "list-item", "disp-formula", "def", "term")
        if apart:
            parts.append(" ")
        if tag == "alternatives":
            shown = next((e for e in element if local(e) not in _UNSEEN), None)
            if shown is not None:
                self.add(shown, parts)
            return
        parts.append(element.text or "")
        for child in element:
            self.add(child, parts)
            parts.append(child.tail or "")
        if apart:
            parts.append(" ")
