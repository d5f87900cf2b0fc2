"""Documents cut into passages: what is embedded, indexed and retrieved.

A passage is one contiguous span of stored text inside one section, made of whole blocks where
they fit and of whole sentences where one block is too long. It begins with the section's heading
when it is the section's first. References are not indexed: they answer nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kgrag.ids import passage_id
from kgrag.records.text import Block, Document, Passage, Span
from kgrag.sentences import sentences

# Characters. 700 is about 150 tokens of clinical prose, well inside the encoder's 256.
TARGET: Final = 700
LIMIT: Final = 1000

VERSION: Final = "1"


def passages(document: Document) -> tuple[Passage, ...]:
    """The passages of ``document`` in text order; they do not overlap.

    Every block but references lies in passages, sentence by sentence.
    """
    return tuple(
        Passage(
            id=passage_id(document.id, span.start, span.end),
            document_id=document.id,
            start=span.start,
            end=span.end,
            section=document.section_path(span.start),
            page=document.page_at(span.start),
        )
        for span in _spans(document)
    )


def _spans(document: Document) -> Iterator[Span]:
    starts = sorted({s.start for s in document.sections})
    start: int | None = None  # of the open passage
    end = 0
    body = False  # whether the open passage holds more than headings
    following_section = 0
    for piece, kind in _pieces(document):
        crosses = False
        while following_section < len(starts) and starts[following_section] <= piece.start:
            crosses = True
            following_section += 1
        if start is not None and (
            (crosses and body)
            or piece.end - start > LIMIT
            or (body and end - start >= TARGET and kind != "list_item")
        ):
            yield Span(start, end)
            start, body = None, False
        if kind == "reference":
            if start is not None and body:
                yield Span(start, end)
                start, body = None, False
            continue
        if start is None:
            start = piece.start
        end = piece.end
        body = body or kind != "heading"
    if start is not None and body:
        yield Span(start, end)


def _pieces(document: Document) -> Iterator[tuple[Span, str]]:
    whole = (Block("paragraph", 0, len(document.text)),) if document.text else ()
    for block in document.blocks or whole:
        if block.end - block.start <= LIMIT:
            yield Span(block.start, block.end), block.kind
            continue
        # A long block goes in runs of sentences, each run about TARGET characters.
        run: Span | None = None
        for sentence in sentences(document.text, block.start, block.end):
            for part in _hard_split(document.text, sentence):
                if run is not None and part.end - run.start > TARGET:
                    yield run, block.kind
                    run = None
                run = part if run is None else Span(run.start, part.end)
        if run is not None:
            yield run, block.kind


def _hard_split(text: str, sentence: Span) -> Iterator[Span]:
    """The sentence, or pieces of at most LIMIT characters cut at white space."""
    start = sentence.start
    while sentence.end - start > LIMIT:
        cut = text.rfind(" ", start + 1, start + LIMIT)
        cut = cut if cut > start else start + LIMIT
        yield Span(start, cut)
        start = cut + 1 if text[cut : cut + 1] == " " else cut
    if start < sentence.end:
        yield Span(start, sentence.end)
