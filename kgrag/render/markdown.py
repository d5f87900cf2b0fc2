"""Blocks as Markdown (CommonMark with tables), for notes, tickets and files.

Words of sources cannot become markup: HTML is written as entities, and every character that
could begin a link, an image, a heading, a list or a table cell is escaped.
"""

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
from kgrag.render.words import plain

_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]|~#$^=!])")
# Renderers make links of bare addresses; an escaped colon, dot or at sign keeps them words.
_ADDRESS: Final = re.compile(r"(?i)(:)(?=//)|(?<=\bwww)(\.)|(@)|(?<=\bmailto)(:)|(?<=\bxmpp)(:)")
_LINE_START: Final = re.compile(r"^(\s*)(?:([-+])|(\d{1,9})([.)]))(?=\s|$)", re.MULTILINE)


def escaped(value: object) -> str:
    """``value`` as Markdown that shows just these characters; its lines stay lines."""
    text = _MARKUP.sub(r"\\\1", plain(value).translate(_ENTITIES))
    # A character reference is text for every reader, and no part of an address.
    text = _ADDRESS.sub(lambda m: f"&#{ord(m.group())};", text)
    return _LINE_START.sub(_no_list, text)


def _no_list(match: re.Match[str]) -> str:
    space, bullet, number, mark = match.groups()
    return f"{space}\\{bullet}" if bullet else f"{space}{number}\\{mark}"


def _line(value: object) -> str:
    return " ".join(escaped(value).split())


def answer_markdown(answer: Answer | Mapping[str, Any]) -> str:
    """The answer as Markdown that ends with a line end."""
    return blocks_markdown(answer_blocks(answer))


def blocks_markdown(blocks: Sequence[Block]) -> str:
    """The blocks as Markdown, parted by empty lines."""
    return "\n\n".join(_block(block) for block in blocks) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_line(text)}"
        case Alert(text, level):
            word = "Emergency" if level == "emergency" else "Note"
            return f"> **{word}:** {_line(text)}"
        case Para(text):
            return _line(text)
        case Quoted():
            return _quoted(block)
        case Sides():
            return _sides(block)
        case Listing(items):
            return "\n".join(f"- {_line(item)}" for item in items)
        case Marked(segments):
            return "".join(map(_segment, segments)).replace("\n", "  \n").strip()
        case Details(summary, blocks, _):
            inner = "\n\n".join(_block(b) for b in blocks)
            return f"<details>\n<summary>{_line(summary)}</summary>\n\n{inner}\n\n</details>"


def _quoted(block: Quoted) -> str:
    text = f"“{block.text}”" if block.exact else block.text
    label = [f"**{_line(block.label)}**", ""] if block.label else []
    quote = [f"> {row}  " for row in escaped(text).split("\n")]
    small = [f"- {_line(row)}" for row in block.lines]
    return "\n".join([*label, *quote, "", *small])


def _sides(block: Sides) -> str:
    """Two sources as two columns; more as a row each."""
    rows = [f"**{_line(block.title)}**", ""]
    if len(block.sides) == 2:
        one, other = block.sides
        rows += [f"| {_line(one.head)} | {_line(other.head)} |", "|---|---|",
                 f"| {_cell(one)} | {_cell(other)} |"]  # fmt: skip
    else:
        rows += ["| Source | Says |", "|---|---|"]
        rows += [f"| {_line(side.head)} | {_cell(side)} |" for side in block.sides]
    return "\n".join(rows)


def _cell(side: Side) -> str:
    return "<br>".join(_line(row) for row in (f"“{side.quote}”", *side.lines))


def _segment(segment: Segment) -> str:
    text = escaped(segment.text)
    if not segment.mark:
        return text
    number = f" {segment.number}" if segment.number is not None else ""
    return f"{text} **\\[{NAMES[segment.mark]}{number}\\]**"
