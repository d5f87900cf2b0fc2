"""Whatever a source holds, the stored text has the form that all offsets rely on."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from kgrag_ingest.readers import get
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder
from kgrag_ingest.readers.lines import add_lines

pieces = st.lists(
    st.tuples(
        st.sampled_from(["heading", "paragraph", "list_item", "table", "page", "extend", "lines"]),
        st.integers(1, 6),
        st.text(max_size=40),
        st.lists(st.lists(st.none() | st.text(max_size=8), max_size=4), max_size=4),
    ),
    max_size=12,
)


def check(reading: Reading) -> None:
    text = reading.text
    covered = list(text)
    for block in reading.blocks:
        piece = text[block.start : block.end]
        assert piece == " ".join(piece.split())
        assert piece
        covered[block.start : block.end] = " " * (block.end - block.start)
    assert not "".join(covered).strip()
    assert not re.search(r"\n{3}|^\s|\s$", text)
    text.encode()
    assert [b.start for b in reading.blocks] == sorted(b.start for b in reading.blocks)
    rows = {(b.start, b.end) for b in reading.blocks if b.kind == "table_row"}
    for table in reading.tables:
        assert {(r.start, r.end) for r in table.rows} <= rows
    open_sections: list[int] = []
    for section in reading.sections:
        assert text[section.start :].startswith(section.title)
        while open_sections and open_sections[-1] <= section.start:
            open_sections.pop()
        assert section.level == len(open_sections) + 1
        assert not open_sections or section.end <= open_sections[-1]
        open_sections.append(section.end)
    edges = [reading.pages[0].start, *(p.end for p in reading.pages)] if reading.pages else []
    assert edges == sorted(edges)


@given(pieces)
def test_blocks_tile_and_sections_nest(parts: list) -> None:  # type: ignore[type-arg]
    out = TextBuilder()
    for number, (kind, level, text, rows) in enumerate(parts, 1):
        if kind == "heading":
            out.heading(level, text)
        elif kind == "table":
            out.table([text, "B"], rows)
        elif kind == "page":
            out.page(number)
        elif kind == "extend":
            if out.last_kind in ("paragraph", "list_item"):
                out.extend(text)
        elif kind == "lines":
            add_lines(out, text.split("\n"))
        else:
            out.add(kind, text)
    check(out.build())


markup = st.lists(
    st.sampled_from(
        ["<table>", "<tr>", "<td rowspan=3>", "<th colspan=2>", "</table>", "<p>", "<li>", "<ul>",
         "<h2>", "</h2>", "<b>", "</p>", "text. ", "5", "<sup>1</sup>", "<br>", "\n", "# ", "- ",
         "| a | b |\n|---|---|\n| c |", "* ", "> ", "1. ", "・ x", "\n\n", "<pre>", "```", "CAPS"]
    ),
    max_size=30,
)  # fmt: skip


@given(markup, st.sampled_from(["html", "markdown", "text"]))
def test_any_markup_reads_to_the_form(parts: list[str], name: str) -> None:
    data = ("word " + "".join(parts)).encode()
    for reading in get(name).read(data, uri="x"):
        assert isinstance(reading, Reading)
        check(reading)
