"""XML from strangers: parsed with no entities, no DTD, no network and a limit on depth."""

from __future__ import annotations

import html
import re
from typing import Final

from lxml import etree

from kgrag.errors import UnreadableFile
from kgrag_ingest.readers.encoding import Decoded, decode
from kgrag_ingest.readers.limits import check_size, too_deep

_ENTITY: Final = re.compile(r"<!ENTITY\b", re.IGNORECASE)
_NAMED: Final = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")
_KEPT: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})


def parse(data: bytes, uri: str) -> tuple[etree._Element, Decoded]:
    """The root element and the text that it was parsed from.

    Named characters (``&alpha;``) that a DTD would define are those of HTML; a document that
    declares entities of its own is refused. UnreadableFile with line and reason when the XML is
    broken.
    """
    check_size(data, uri)
    decoded = decode(data, uri)
    if _ENTITY.search(decoded.text):
        raise UnreadableFile(uri, "it declares entities, which are not expanded")
    text = _NAMED.sub(_character, decoded.text)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        if "xcessive depth" in str(error):
            raise too_deep(uri, "elements") from error
        reason = re.sub(r", line \d+, column \d+.*", "", str(error.msg or error))
        raise UnreadableFile(
            uri, f"it is broken XML, line {error.lineno}: {' '.join(reason.split())[:160]}"
        ) from error
    return root, decoded


def _character(found: re.Match[str]) -> str:
    name = found.group(1)
    return found.group() if name in _KEPT else html.unescape(found.group())


def local(element: etree._Element) -> str:
    """The tag without its namespace; empty for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def words(element: etree._Element | None) -> str:
    """All text inside ``element`` on one line; empty for None."""
    if element is None:
        return ""
    return " ".join("".join(str(piece) for piece in element.itertext()).split())
