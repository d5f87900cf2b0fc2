"""What the DOCX reader makes of the content of a document."""

from __future__ import annotations

import io
import zipfile

import docx
import pytest

from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.docx import DocxReader

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def read(body: str, **parts: str) -> Reading:
    """The reading of a document with this XML as its body; ``parts`` are other parts by name."""
    blank = io.BytesIO()
    docx.Document().save(blank)
    packed = io.BytesIO()
    with zipfile.ZipFile(blank) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            if name != "word/document.xml":
                new.writestr(name, old.read(name))
        new.writestr(
            "word/document.xml", f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'
        )
        for name, content in parts.items():
            new.writestr(f"word/{name}.xml", content)
    (reading,) = DocxReader().read(packed.getvalue(), uri="a.docx")
    assert isinstance(reading, Reading)
    return reading


def p(text: str, style: str = "", properties: str = "") -> str:
    chosen = f'<w:pStyle w:val="{style}"/>' if style else ""
    run = f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>' if text else ""
    return f"<w:p><w:pPr>{chosen}{properties}</w:pPr>{run}</w:p>"


def cell(content: str, properties: str = "") -> str:
    inner = content if content.startswith("<") else p(content)
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{inner}</w:tc>"


def row(*cells: str, head: bool = False) -> str:
    marks = "<w:trPr><w:tblHeader/></w:trPr>" if head else ""
    return f"<w:tr>{marks}{''.join(c if c.startswith('<w:tc>') else cell(c) for c in cells)}</w:tr>"


def table(*rows: str) -> str:
    return f"<w:tbl>{''.join(rows)}</w:tbl>"


def kinds(reading: Reading) -> list[tuple[str, str]]:
    return [(b.kind, reading.text[b.start : b.end]) for b in reading.blocks]


def test_headings_make_the_section_tree_and_empty_paragraphs_leave_no_trace() -> None:
    reading = read(
        p("The title", "Title") + p("") + p("One", "Heading1") + p("  ") + p("Text.")
        + p("Under one", "Heading2") + p("") + p("Two", "Heading1") + p("", "Heading1")
    )  # fmt: skip
    assert [(s.level, s.title) for s in reading.sections] == [
        (1, "The title"),
        (2, "One"),
        (3, "Under one"),
        (2, "Two"),
    ]
    assert reading.metadata.title == "The title"
    assert reading.text == "The title\n\nOne\n\nText.\n\nUnder one\n\nTwo"


def test_a_paragraph_with_an_outline_level_is_a_heading() -> None:
    reading = read(p("Part", properties='<w:outlineLvl w:val="0"/>') + p("Text."))
    assert kinds(reading) == [("heading", "Part"), ("paragraph", "Text.")]


def test_nested_lists_are_items_in_order() -> None:
    def item(text: str, level: int) -> str:
        numbering = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>'
        return p(text, "ListParagraph", numbering)

    off = '<w:numPr><w:numId w:val="0"/></w:numPr>'
    reading = read(
        item("first", 0) + item("inner", 1) + item("deeper", 2) + item("second", 0)
        + p("by style", "ListBullet") + p("no item", properties=off)
    )  # fmt: skip
    assert kinds(reading) == [
        *(("list_item", t) for t in ("first", "inner", "deeper", "second", "by style")),
        ("paragraph", "no item"),
    ]


def test_merged_cells_are_said_in_each_row() -> None:
    start, more = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    reading = read(
        table(
            row("Drug", cell("Dose", '<w:gridSpan w:val="2"/>'), head=True),
            row("", "Adult", "Child", head=True),
            row(cell("amoxicillin", start), "500 mg", "40 mg/kg"),
            row(cell("", more), cell("none at night", '<w:gridSpan w:val="2"/>')),
            row(cell("All doses by mouth", '<w:gridSpan w:val="3"/>')),
            row("doxycycline", "100 mg", ""),
        )
    )
    assert reading.text.split("\n") == [
        "Drug: amoxicillin; Dose – Adult: 500 mg; Dose – Child: 40 mg/kg",
        "Drug: amoxicillin; Dose – Adult / Dose – Child: none at night",
        "All doses by mouth; Drug: doxycycline; Dose – Adult: 100 mg",
    ]
    (found,) = reading.tables
    assert found.header == ("Drug", "Dose – Adult", "Dose – Child")


def test_cells_that_a_row_leaves_out_keep_the_others_in_their_columns() -> None:
    short = (
        '<w:tr><w:trPr><w:gridBefore w:val="1"/></w:trPr>'
        + cell("2 mg")
        + cell("daily")
        + "</w:tr>"
    )
    reading = read(table(row("Drug", "Dose", "When"), row("a", "1 mg", "once"), short))
    assert reading.text.split("\n")[1] == "Dose: 2 mg; When: daily"


def test_a_table_inside_a_cell_is_not_mixed_into_its_words() -> None:
    inner = table(row("Age", "Dose"), row("under 5", "5 mL"), row("over 5", "10 mL"))
    reading = read(
        table(row("Drug", "Advice"), row("syrup", cell(p("By age:") + inner + p("Shake it."))))
        + p("After.")
    )
    lines = [text for _, text in kinds(reading)]
    assert lines == [
        "Drug: syrup; Advice: By age: Shake it.",
        "syrup; Age: under 5; Dose: 5 mL",
        "syrup; Age: over 5; Dose: 10 mL",
        "After.",
    ]
    assert [t.header for t in reading.tables] == [("Drug", "Advice"), ("Age", "Dose")]


def test_tracked_changes_are_read_as_accepted() -> None:
    reading = read(
        '<w:p><w:r><w:t xml:space="preserve">Give </w:t></w:r>'
        "<w:del><w:r><w:delText>50</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>5</w:t></w:r></w:ins>"
        "<w:moveFrom><w:r><w:t>old </w:t></w:r></w:moveFrom>"
        '<w:r><w:t xml:space="preserve"> mg</w:t></w:r>'
        "<w:moveTo><w:r><w:t> daily</w:t></w:r></w:moveTo><w:r><w:t>.</w:t></w:r></w:p>"
        + table(
            row("Drug", "Dose"),
            row("a", "1 mg"),
            "<w:tr><w:trPr><w:del/></w:trPr>" + cell("b") + cell("2 mg") + "</w:tr>",
        )
    )
    assert [t for _, t in kinds(reading)] == ["Give 5 mg daily.", "Drug: a; Dose: 1 mg"]


def test_a_deleted_paragraph_mark_joins_what_it_parted() -> None:
    gone = "<w:rPr><w:del/></w:rPr>"
    reading = read(p("Do not give", properties=gone) + p(" codeine to children.") + p("Next."))
    assert [t for _, t in kinds(reading)] == ["Do not give codeine to children.", "Next."]


def test_hidden_text_is_left_out_and_superscripts_are_kept_apart() -> None:
    reading = read(
        '<w:p><w:r><w:t>Rate</w:t></w:r><w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr>'
        "<w:t>12</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r>"
        '<w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>.</w:t></w:r>'
        "<w:r><w:noBreakHyphen/><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t>"
        '<w:sym w:font="Symbol" w:char="F0B3"/></w:r></w:p>'
    )
    assert reading.text == "Rate[12].-a b c≥"


NOTES = (
    f'<w:{{0}}s xmlns:w="{W}"><w:{{0}} w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r>'
    '</w:p></w:{0}><w:{0} w:id="2"><w:p><w:r><w:t>Not below 18 years.</w:t></w:r></w:p>'
    "<w:p><w:r><w:t>See the label.</w:t></w:r></w:p></w:{0}>"
    '<w:{0} w:id="3"><w:p><w:r><w:t>Never cited.</w:t></w:r></w:p></w:{0}></w:{0}s>'
)


@pytest.mark.parametrize("kind", ["footnote", "endnote"])
def test_notes_stand_after_the_text_with_their_number(kind: str) -> None:
    reading = read(
        "<w:p><w:r><w:t>Codeine is given</w:t></w:r>"
        f'<w:r><w:{kind}Reference w:id="2"/></w:r><w:r><w:t>.</w:t></w:r></w:p>' + p("Last."),
        **{f"{kind}s": NOTES.format(kind)},
    )
    assert [t for _, t in kinds(reading)] == [
        "Codeine is given[1].",
        "Last.",
        "[1] Not below 18 years. See the label.",
    ]
    assert "Never cited" not in reading.text


def test_text_boxes_are_blocks_of_their_own_and_read_once() -> None:
    box = f"<w:txbxContent>{p('In a box.')}</w:txbxContent>"
    reading = read(
        "<w:p><w:r><w:t>Before</w:t></w:r><w:r>"
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>"
        "<w:r><w:t> after.</w:t></w:r></w:p>"
    )
    assert [t for _, t in kinds(reading)] == ["Before after.", "In a box."]


def test_a_frame_of_one_cell_is_read_as_what_is_in_it() -> None:
    reading = read(table(row(cell(p("Key points", "Heading2") + p("One.") + p("a", "ListBullet")))))
    assert kinds(reading) == [("heading", "Key points"), ("paragraph", "One."), ("list_item", "a")]
    assert reading.tables == ()


def test_symbols_of_unknown_meaning_are_a_doubt() -> None:
    reading = read('<w:p><w:r><w:t>At </w:t><w:sym w:font="Odd" w:char="F0C1"/></w:r></w:p>')
    assert reading.text == "At \ufffd"
    (doubt,) = reading.doubts
    assert (doubt.kind, doubt.level) == ("garbled", 0.5)


def test_formulas_keep_their_powers_and_fractions() -> None:
    math = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    part = "<m:r><m:t>{}</m:t></m:r>"
    reading = read(
        f"<w:p><m:oMath {math}><m:sSup><m:e>{part.format(10)}</m:e><m:sup>{part.format(9)}</m:sup>"
        f"</m:sSup><m:f><m:num>{part.format('a')}</m:num><m:den>{part.format('b')}</m:den></m:f>"
        "</m:oMath></w:p>"
    )
    assert reading.text == "10^9a/b"
