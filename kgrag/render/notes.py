"""A checked note as blocks: the text with its sentences marked in place, then what is said of them.

Sentences that are not covered are counted and not listed: a note is full of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from kgrag.records.notes import NoteCheck
from kgrag.render.blocks import Alert, Block, Heading, Mark, Marked, Para, Quoted, Segment
from kgrag.render.html import blocks_html, blocks_page
from kgrag.render.markdown import blocks_markdown
from kgrag.render.text import blocks_text
from kgrag.render.words import mark_of, opened_at, place


def note_text(check: NoteCheck | Mapping[str, Any]) -> str:
    """The checked note as ``kgrag verify --note`` prints it."""
    return blocks_text(note_blocks(check))


# A sentence of another kind tells of the patient, asks, or is a heading: it is never judged.
_JUDGED: Final = ("claim", "plan")


def note_markdown(check: NoteCheck | Mapping[str, Any]) -> str:
    """The checked note as Markdown."""
    return blocks_markdown(note_blocks(check))


def note_html(check: NoteCheck | Mapping[str, Any]) -> str:
    """The checked note as one HTML fragment, for notebooks."""
    return blocks_html(note_blocks(check))


def note_page(check: NoteCheck | Mapping[str, Any]) -> str:
    """The checked note as a whole HTML page."""
    return blocks_page(note_blocks(check))


def note_blocks(check: NoteCheck | Mapping[str, Any]) -> tuple[Block, ...]:
    """The blocks of a checked note, of the record or its JSON form."""
    record = check.to_json() if isinstance(check, NoteCheck) else check
    counts = record["counts"]
    numbers = _numbers(record["sentences"])
    aside = sum(one["kind"] not in _JUDGED for one in record["sentences"])
    others = f", {aside} of this patient, questions or headings (no mark)" if aside else ""
    return (
        Heading("A text checked against the knowledge base", 1),
        *(Alert(w) for w in record["warnings"]),
        Para(
            f"{len(record['sentences'])} sentences: {counts['contradicted']} contradicted, "
            f"{counts['supported']} supported, {counts['not_covered'] - aside} not covered{others}."
        ),
        Marked(tuple(_segments(record, numbers))),
        *_listed(record["sentences"], numbers, "contradicted", "Contradicted"),
        *_listed(record["sentences"], numbers, "supported", "Supported"),
    )


def _numbers(sentences: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """The number of each sentence that something is said of, from 1, by its place."""
    told = [i for i, one in enumerate(sentences) if one["verdict"] != "not_covered"]
    return {place: number for number, place in enumerate(told, start=1)}


def _segments(record: Mapping[str, Any], numbers: Mapping[int, int]) -> Iterator[Segment]:
    note: str = record["note"]
    at = 0
    for index, one in enumerate(record["sentences"]):
        if one["start"] > at:
            yield Segment(note[at : one["start"]])
        mark: Mark = one["verdict"] if one["kind"] in _JUDGED else ""
        yield Segment(note[one["start"] : one["end"]], mark, numbers.get(index))
        at = one["end"]
    if at < len(note):
        yield Segment(note[at:])


def _listed(
    sentences: Sequence[Mapping[str, Any]],
    numbers: Mapping[int, int],
    verdict: str,
    title: str,
) -> Iterator[Block]:
    chosen = [(numbers[i], s) for i, s in enumerate(sentences) if s["verdict"] == verdict]
    if chosen:
        yield Heading(title)
    for number, sentence in chosen:
        yield Para(f"{number}. {' '.join(sentence['text'].split())}")
        word = "Correction proposed:" if verdict == "contradicted" else "Supported by:"
        yield from _evidence(sentence["evidence"][:1], word)
        yield from _evidence(sentence["evidence"][1:2], "Also:")
        yield from _evidence(sentence["against"][:1], "Another source says otherwise:")


def _evidence(found: Sequence[Mapping[str, Any]], label: str) -> Iterator[Block]:
    for one in found:
        citation = one["citation"]
        failed = "; ".join(
            f"{c['layer']}: {c['detail']}" for c in one["checks"] if c["result"] == "fail"
        )
        lines = [place(citation) + mark_of(citation), opened_at(citation)]
        yield Quoted(citation["quote"], (*lines, *([failed] if failed else [])), label=label)
