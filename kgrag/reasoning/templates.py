"""Fixed sentences from ``ontologies/templates.toml``, their slots filled from quotations.

A slot is one span of stored text, and what may fill it is checked against the stored text: all
cells of one row of a table, whole sentences, or a heading with the sentence right under it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from kgrag.errors import UnknownName
from kgrag.paths import resource
from kgrag.records.answer import Check, Citation, Statement
from kgrag.records.text import Document, Span
from kgrag.retrieval.instructions import speaks_to_model
from kgrag.sentences import sentences
from kgrag.verification.quotes import ReadsDocuments, check_span

LAYER: Final = "template"
_TERM_WORDS: Final = 6


@cache
def _templates() -> dict[str, dict[str, Any]]:
    path = resource("ontologies", "templates.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


def fill(template: str, slots: Sequence[Citation], *, truth: ReadsDocuments) -> Statement | None:
    """The sentence of ``template`` with ``slots`` in it, None when a slot may not stand there.

    ``dose``: the cells of one row, all of them, in any order. ``comparison``: two quotations of
    whole sentences. ``definition``: a heading that is a name, and the first sentence under it.
    The statement cites its slots in the order of its text. UnknownName for another template.
    """
    told = _templates().get(template)
    if told is None:
        raise UnknownName("template", template, tuple(_templates()))
    if not slots or any(speaks_to_model(c.quote) for c in slots):
        return None
    if any(_read(c, truth) is None for c in slots):
        return None
    if told["kind"] == "cells":
        ordered, text = _cells_text(told, slots, truth)
    elif told["kind"] == "headed":
        ordered, text = _headed_text(told, slots, truth)
    else:
        ordered, text = _sentences_text(told, slots, truth)
    if not ordered:
        return None
    check = Check(LAYER, "pass", f"{template}: {len(ordered)} slots, each a span of stored text")
    return Statement(text, "template", "supported", None, ordered, checks=(check,))


def from_row(citation: Citation, *, truth: ReadsDocuments) -> Statement | None:
    """The template ``dose`` filled from a quotation of one whole row; None when it does not fit."""
    document = _read(citation, truth)
    cells = None if document is None else _row_cells(document, citation.start, citation.end)
    if document is None or not cells:
        return None
    parts = [_part(citation, span, document.text) for _, span in cells]
    return fill("dose", parts, truth=truth)


def check_template(statement: Statement, truth: ReadsDocuments) -> Check:
    """Pass when a template, filled anew from the statement's citations, gives its very text."""
    for name in _templates():
        made = fill(name, statement.citations, truth=truth)
        if made is not None and made.text == statement.text:
            return Check(LAYER, "pass", f"{name}: read again from stored text")
    return Check(LAYER, "fail", "no template gives this sentence", "fabricated source")


def _read(citation: Citation, truth: ReadsDocuments) -> Document | None:
    """The document, when it holds the quotation at its place."""
    document = truth.document(citation.document.id)
    held = document.text[citation.start : citation.end] == citation.quote
    return document if held else None


def _part(citation: Citation, span: Span, text: str) -> Citation:
    return Citation(
        citation.document, citation.passage_id, citation.section, citation.page,
        span.start, span.end, span.of(text),
    )  # fmt: skip


_Filled = tuple[tuple[Citation, ...], str]
_NOTHING: Final[_Filled] = ((), "")


def _cells_text(
    told: Mapping[str, Any], slots: Sequence[Citation], truth: ReadsDocuments
) -> _Filled:
    document = truth.document(slots[0].document.id)
    if any(c.document.id != document.id for c in slots):
        return _NOTHING
    row = next((r for t in document.tables for r in t.rows
                if r.start <= slots[0].start and slots[0].end <= r.end), None)  # fmt: skip
    cells = _row_cells(document, row.start, row.end) if row else None
    if not cells or len(cells) != len(slots):
        return _NOTHING
    meanings = {h: role for role, headers in told["headers"].items() for h in headers}
    by_span = {(c.start, c.end): c for c in slots}
    filled: dict[str, Citation] = {}
    for header, span in cells:
        role = "group" if header is None else meanings.get(header.casefold())
        cell = by_span.get((span.start, span.end))
        if role is None or cell is None or role in filled:
            return _NOTHING
        filled[role] = cell
    if not set(told["required"]) <= filled.keys():
        return _NOTHING
    said = [(role, before, after) for role, before, after in told["parts"] if role in filled]
    if len(said) != len(filled):
        return _NOTHING
    text = "".join(f"{before}{filled[role].quote}{after}" for role, before, after in said)
    return tuple(filled[role] for role, _, _ in said), text.rstrip(".") + told["end"]


def _row_cells(document: Document, start: int, end: int) -> list[tuple[str | None, Span]] | None:
    """Header and span of each cell of the row ``[start, end)``, None when they cannot be told.

    A first cell without a header is the group that the row belongs to.
    """
    row = Span(start, end)
    table = next((t for t in document.tables if row in t.rows), None)
    if table is None or not table.header:
        return None
    headers = {name.rstrip(":").rstrip() for name in table.header if name}
    cells: list[tuple[str | None, Span]] = []
    at = start
    for piece in row.of(document.text).split("; "):
        name, colon, value = piece.partition(": ")
        if colon and name in headers and value:
            cells.append((name, Span(at + len(name) + 2, at + len(piece))))
        elif at == start and piece:
            cells.append((None, Span(at, at + len(piece))))
        else:
            return None  # a cell that holds a semicolon, or has no header
        at += len(piece) + 2
    names = [name for name, _ in cells]
    return cells if len(set(names)) == len(names) else None


def _sentences_text(
    told: Mapping[str, Any], slots: Sequence[Citation], truth: ReadsDocuments
) -> _Filled:
    if len(slots) != len(told["slots"]) or len({(c.document.id, c.start) for c in slots}) == 1:
        return _NOTHING
    if any(check_span(c, c.quote, truth).result != "pass" for c in slots):
        return _NOTHING
    return tuple(slots), _put(told, slots)


def _headed_text(
    told: Mapping[str, Any], slots: Sequence[Citation], truth: ReadsDocuments
) -> _Filled:
    if len(slots) != 2 or slots[0].document.id != slots[1].document.id:
        return _NOTHING
    term, definition = slots
    document = truth.document(term.document.id)
    under = [s for s in document.sections if s.start <= definition.start < s.end]
    name = term.quote.strip().rstrip(":")
    fits = (
        bool(under)
        and (under[-1].start, under[-1].title) == (term.start, term.quote)
        and len(name.split()) <= _TERM_WORDS
        and not name.endswith("?")
        and name.casefold() not in told["not_terms"]
        and definition.quote.startswith(tuple(f"{word} " for word in told["begins"]))
    )
    if not fits or check_span(definition, definition.quote, truth).result != "pass":
        return _NOTHING
    following = sentences(document.text, term.end, definition.end)
    if not following or following[0].start != definition.start:
        return _NOTHING
    return tuple(slots), _put(told, slots)


def _put(told: Mapping[str, Any], slots: Sequence[Citation]) -> str:
    text: str = told["text"]
    # In one pass over the template: what a quotation says is never a slot.
    pieces = text.split("{")
    values = dict(zip(told["slots"], (c.quote for c in slots), strict=True))
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}")
        filled.append(values[name] + rest)
    return "".join(filled)
