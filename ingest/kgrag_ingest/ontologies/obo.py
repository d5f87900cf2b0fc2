"""A tolerant reader of OBO files: what it does not know it passes over, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_SYNONYM: Final = re.compile(
    r'"((?:[^"\\]|\\.)*)"\s*(EXACT|NARROW|BROAD|RELATED)?\s*([\w:.-]+)?\s*\['
)


@dataclass(slots=True)
class Term:
    """One ``[Term]`` of an OBO file. A synonym is (text, scope, kind)."""

    id: str
    name: str = ""
    synonyms: list[tuple[str, str, str]] = field(default_factory=list)
    parents: list[str] = field(default_factory=list)
    alternatives: list[str] = field(default_factory=list)
    xrefs: list[str] = field(default_factory=list)
    obsolete: bool = False
    replaced_by: list[str] = field(default_factory=list)


def read_terms(path: Path) -> Iterator[Term]:
    """The terms of the file in its order, obsolete ones among them."""
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from parse(file)


def parse(lines: Iterable[str], header: list[str] | None = None) -> Iterator[Term]:
    """The terms in the lines; those before the first stanza are added to ``header``.

    Nothing is an error: a stanza of another kind, an unknown tag and a malformed line are passed
    over, and a term ends where the next stanza begins or the file does.
    """
    term: Term | None = None
    at_top = True
    for raw in lines:
        line = raw.strip()
        if line.startswith("["):
            if term is not None and term.id:
                yield term
            at_top = False
            term = Term("") if line == "[Term]" else None
        elif at_top and header is not None:
            header.append(line)
        elif term is not None and ":" in line:
            tag, _, value = line.partition(":")
            _put(term, tag, value.strip())
    if term is not None and term.id:
        yield term


def data_version(path: Path) -> str | None:
    """The ``data-version`` of the header, None when there is none."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("data-version:"):
                return line.partition(":")[2].strip()
            if line.startswith("["):
                break
    return None


def _put(term: Term, tag: str, value: str) -> None:
    plain = value.partition(" ! ")[0].partition(" {")[0].strip()
    if tag == "id":
        term.id = plain
    elif tag == "name":
        term.name = re.sub(r"\\(.)", r"\1", value.partition(" {")[0]).strip()
    elif tag == "is_a":
        term.parents.append(plain)
    elif tag == "alt_id":
        term.alternatives.append(plain)
    elif tag == "xref":
        term.xrefs.append(plain.partition(' "')[0])
    elif tag == "replaced_by":
        term.replaced_by.append(plain)
    elif tag == "is_obsolete":
        term.obsolete = plain == "true"
    elif tag == "synonym":
        found = _SYNONYM.match(value)
        if found:
            text = re.sub(r"\\(.)", r"\1", found.group(1))
            term.synonyms.append((text, found.group(2) or "RELATED", found.group(3) or ""))
