"""Blocks as HTML: a fragment for notebooks, and a whole page that needs nothing besides itself.

No script, no link, no image, nothing from elsewhere; everything of a source is escaped. The page
forbids all of these to the browser too.
"""

from __future__ import annotations

import html
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
from kgrag.render.style import STYLE
from kgrag.render.words import line, plain

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)


def answer_html(answer: Answer | Mapping[str, Any]) -> str:
    """The answer as one HTML fragment, for notebooks; headings begin at level 3."""
    return blocks_html(answer_blocks(answer))


def answer_page(answer: Answer | Mapping[str, Any]) -> str:
    """The answer as a whole HTML page."""
    return blocks_page(answer_blocks(answer))


def blocks_html(blocks: Sequence[Block], *, top: int = 3) -> str:
    """The blocks as a fragment with its own style; the title is a heading of level ``top``."""
    inner = "\n".join(_block(block, top) for block in blocks)
    return f"<style>{STYLE}</style>\n<div class='kgrag' lang='en'>\n{inner}\n</div>"


def blocks_page(blocks: Sequence[Block]) -> str:
    """The blocks as a page: title from the first heading, language, viewport, no outside source."""
    title = next((b.text for b in blocks if isinstance(b, Heading)), "kgrag")
    inner = "\n".join(_block(block, 1) for block in blocks)
    return (
        "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f"<title>{_line(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body class='kgrag-page'>\n<main class='kgrag'>\n{inner}\n</main>\n</body>\n</html>\n"
    )


def escaped(value: object) -> str:
    """``value`` as HTML that shows just these characters; lines are kept."""
    return html.escape(plain(value), quote=True).replace("\n", "<br>")


def _line(value: object) -> str:
    return html.escape(line(value), quote=True)


def _block(block: Block, top: int) -> str:
    match block:
        case Heading(text, level):
            tag = f"h{min(6, top + level - 1)}"
            return f"<{tag}>{escaped(text)}</{tag}>"
        case Alert(text, level):
            role = "alert" if level == "emergency" else "note"
            return f"<p class='{level}' role='{role}'>{escaped(text)}</p>"
        case Para(text):
            return f"<p>{escaped(text)}</p>"
        case Quoted():
            return _quoted(block)
        case Sides():
            return _sides(block)
        case Listing(items):
            return "<ul>" + "".join(f"<li>{_line(item)}</li>" for item in items) + "</ul>"
        case Marked(segments):
            return "<div class='note'>" + "".join(map(_segment, segments)) + "</div>"
        case Details(summary, blocks, _):
            inner = "\n".join(_block(b, top) for b in blocks)
            return f"<details><summary>{_line(summary)}</summary>\n{inner}\n</details>"


def _quoted(block: Quoted) -> str:
    text = f"“{block.text}”" if block.exact else block.text
    label = f"<p class='label'>{_line(block.label)}</p>" if block.label else ""
    figure = "<figure class='apart'>" if block.apart else "<figure>"
    return (
        f"{figure}{label}<blockquote>{escaped(text)}</blockquote>"
        f"<figcaption>{_small(block.lines)}</figcaption></figure>"
    )


def _small(lines: Sequence[str]) -> str:
    return "".join(f"<div>{_line(row)}</div>" for row in lines)


def _sides(block: Sides) -> str:
    """Two sources as two columns; more as a row each."""
    caption = f"<caption>{_line(block.title)}</caption>"
    if len(block.sides) == 2:
        heads = "".join(f"<th scope='col'>{_line(s.head)}</th>" for s in block.sides)
        # On a narrow screen the columns lie one below the other, each with its own head.
        cells = "".join(f"<td data-head='{_line(s.head)}'>{_cell(s)}</td>" for s in block.sides)
        body = f"<thead><tr>{heads}</tr></thead><tbody><tr>{cells}</tr></tbody>"
        return f"<table class='sides'>{caption}{body}</table>"
    rows = "".join(
        f"<tr><th scope='row'>{_line(s.head)}</th><td>{_cell(s)}</td></tr>" for s in block.sides
    )
    return f"<table class='sources'>{caption}<tbody>{rows}</tbody></table>"


def _cell(side: Side) -> str:
    return f"<p>“{escaped(side.quote)}”</p><div class='small'>{_small(side.lines)}</div>"


def _segment(segment: Segment) -> str:
    text = escaped(segment.text)
    if not segment.mark:
        return text
    number = f" {segment.number}" if segment.number is not None else ""
    # The verdict is said in words too: colour alone reaches not everybody.
    told = f"<span class='verdict'>{NAMES[segment.mark]}{number}</span>"
    return f"<mark class='{segment.mark}'>{text} {told}</mark>"
