"""Blocks for the terminal: plain characters in lines of a fixed width."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kgrag.records.answer import Answer
from kgrag.render.answers import answer_blocks
from kgrag.render.blocks import (
    NAMES,
    Alert,
    Block,
    Details,
    Heading,
    Listing,
    Marked,
    Para,
    Quoted,
    Segment,
    Side,
    Sides,
)
from kgrag.render.words import plain, wrapped

_BLANKS: Final = re.compile(r"\n{3,}")


def answer_text(answer: Answer | Mapping[str, Any]) -> str:
    """The answer as ``kgrag ask`` prints it: quotations, places, verdicts, paths, warnings."""
    return blocks_text(answer_blocks(answer))


def blocks_text(blocks: Sequence[Block]) -> str:
    """The blocks as plain text: no control or directional character of a source is passed on."""
    lines: list[str] = []
    for block in blocks:
        lines += _lines(block)
    return _BLANKS.sub("\n\n", "\n".join(lines)).rstrip()


def _lines(block: Block) -> list[str]:
    match block:
        case Heading(text, 1):
            return [wrapped(text, ""), ""]
        case Heading(text, _):
            return ["", wrapped(text, ""), ""]
        case Alert(text, level):
            return [wrapped(("!! " if level == "emergency" else "! ") + text, ""), ""]
        case Para(text):
            return [wrapped(text, "")]
        case Quoted():
            return _quoted(block)
        case Sides(title, sides):
            return [wrapped(title, ""), *(row for side in sides for row in _side(side)), ""]
        case Listing(items):
            return [*(wrapped("- " + item, "  ") for item in items), ""]
        case Marked(segments):
            return [wrapped("".join(map(_segment, segments)), "  "), ""]
        case Details(_, blocks, brief):
            if brief is not None:
                return [wrapped(brief, "")]
            if all(isinstance(b, Listing) for b in blocks):
                return []
            return [row for b in blocks for row in _lines(b)]


def _quoted(block: Quoted) -> list[str]:
    text = f"“{block.text}”" if block.exact else block.text
    label = [wrapped(block.label, "  ")] if block.label else []
    return [*label, wrapped(text, "  "), *(wrapped(row, "      ") for row in block.lines), ""]


def _side(side: Side) -> list[str]:
    return [
        wrapped(side.head + ":", "  "),
        wrapped(f"“{side.quote}”", "    "),
        *(wrapped(row, "      ") for row in side.lines),
    ]


def _segment(segment: Segment) -> str:
    if not segment.mark:
        return plain(segment.text)
    number = f" {segment.number}" if segment.number is not None else ""
    return f"{plain(segment.text)} [{NAMES[segment.mark]}{number}]"
