"""The PDF reader on the demonstration PDFs and on small ones made here."""

from __future__ import annotations

import io
from collections.abc import Callable

import mini_world
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from kgrag.errors import UnreadableFile
from kgrag.sentences import sentences
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.pdf import PdfReader
from kgrag_ingest.readers.pdf.glyphs import _Pending


def read(data: bytes) -> Reading:
    readings = list(PdfReader().read(data, uri="test.pdf"))
    assert len(readings) == 1
    assert isinstance(readings[0], Reading)
    return readings[0]


def demo(name: str) -> Reading:
    return read((mini_world.GUIDELINES / name).read_bytes())


def drawn(draw: Callable[[Canvas], None]) -> Reading:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    draw(canvas)
    canvas.save()
    return read(out.getvalue())


PROSE = (
    "The patient is seen again after four weeks and",
    "the blood pressure is taken twice on both arms",
    "before the dose of the medicine is changed or a",
    "second one is added to it. Blood is drawn for",
    "potassium and creatinine at the same visit so",
    "that harm is found early. The result is told to",
    "the patient by telephone on the next working day.",
)


@pytest.mark.parametrize(
    "expected",
    [e for e in mini_world.EXPECTED_ASSERTIONS if e.file.endswith(".pdf")],
    ids=lambda e: f"{e.subject}-{e.predicate}-{e.object}",
)
def test_expected_sentences_are_sentences_of_the_stored_text(
    expected: mini_world.Expected,
) -> None:
    text = demo(expected.file).text
    assert expected.sentence in {span.of(text) for span in sentences(text)}


def test_running_lines_and_page_numbers_are_left_out() -> None:
    reading = demo("oral-antibiotics.pdf")
    assert "Page 1" not in reading.text
    assert "Demo Guideline Group |" not in reading.text
    assert [(p.number, p.label) for p in reading.pages] == [(1, "1"), (2, "2")]
    assert reading.text[reading.pages[1].start :].startswith("3 Cautions")


def test_ruled_table_has_self_contained_rows() -> None:
    reading = demo("oral-antibiotics.pdf")
    (table,) = reading.tables
    assert table.header == ("Drug", "Indication", "Adult dose", "Duration")
    assert [row.of(reading.text) for row in table.rows][1] == (
        "Drug: Doxycycline; Indication: Community-acquired pneumonia; "
        "Adult dose: 200 mg on the first day, then 100 mg once daily; Duration: 5 days"
    )
    # Nothing of the table comes a second time as running text.
    assert reading.text.count("Flucloxacillin") == 1


def test_sections_follow_the_fonts() -> None:
    sections = [(s.level, s.title) for s in demo("oral-antibiotics.pdf").sections]
    assert (2, "3.1 Kidney and pregnancy") in sections
    assert [title for level, title in sections if level == 1][-1] == "3 Cautions"


def test_only_pages_with_rules_take_the_slow_reader() -> None:
    reader = PdfReader()
    list(reader.read((mini_world.GUIDELINES / "oral-antibiotics.pdf").read_bytes(), uri="a.pdf"))
    assert (reader.pages_read, reader.pages_slow) == (2, 1)


def test_two_columns_are_read_one_after_the_other() -> None:
    reading = demo("epilepsy-two-columns.pdf")
    titles = [s.title for s in reading.sections]
    assert titles[1:] == [
        "Diagnosis",
        "Causes",
        "First choice",
        "Valproate",
        "Carbamazepine",
        "Febrile seizures",
        "Living with epilepsy",
    ]
    # A sentence that begins in the left column and ends in the right one is whole.
    assert "about one child in ten is affected. Every woman" in reading.text
    assert reading.doubts == ()


def test_a_broken_scan_lands_with_doubts_on_every_page() -> None:
    doubts = {(d.kind, d.page): d.level for d in demo("heart-failure-broken-scan.pdf").doubts}
    assert doubts[("scanned", 1)] >= 0.5
    assert doubts[("garbled", 2)] >= 0.5


def test_clean_pages_have_no_doubt() -> None:
    assert demo("oral-antibiotics.pdf").doubts == ()


def test_printed_line_numbers_are_left_out_but_numbers_of_the_text_stay() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        for page in range(3):
            canvas.setFont("Helvetica", 11)
            for at, line in enumerate(PROSE):
                canvas.drawRightString(60, 760 - 24 * at, str(101 + at + page * len(PROSE)))
                canvas.drawString(80, 760 - 24 * at, line)
            canvas.drawRightString(60, 760 - 24 * len(PROSE), "999")
            canvas.drawString(80, 760 - 24 * len(PROSE), "12 tablets are enough for page two.")
            canvas.showPage()

    text = drawn(draw).text
    assert "101" not in text
    assert "104" not in text
    assert "12 tablets are enough" in text


def test_hyphens_of_line_ends_are_joined_and_those_of_words_kept() -> None:
    lines = (
        "Well-known medicines are listed and the hyper-",
        "tension of pregnancy is treated by a special-",
        "ist. A well-",
        "known danger is bleeding. Hypertension needs",
        "care by a specialist at every visit.",
    )

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        for at, line in enumerate(lines):
            canvas.drawString(80, 700 - 14 * at, line)

    text = drawn(draw).text
    assert "the hypertension of pregnancy" in text
    assert "a specialist. A well-known danger" in text


def test_a_paragraph_runs_over_the_page_break() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        for at, line in enumerate(PROSE[:3]):
            canvas.drawString(80, 760 - 14 * at, line)
        canvas.showPage()
        canvas.setFont("Helvetica", 11)
        for at, line in enumerate(PROSE[3:]):
            canvas.drawString(80, 760 - 14 * at, line)

    reading = drawn(draw)
    assert "is changed or a second one is added to it." in reading.text
    assert reading.text[reading.pages[1].start :].startswith("second one")
    assert len(reading.blocks) == 1


def test_turned_text_such_as_a_watermark_is_left_out() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        for at, line in enumerate(PROSE):
            canvas.drawString(80, 700 - 14 * at, line)
        canvas.saveState()
        canvas.translate(100, 300)
        canvas.rotate(45)
        canvas.setFont("Helvetica", 60)
        canvas.drawString(0, 0, "DRAFT")
        canvas.restoreState()

    assert "DRAFT" not in drawn(draw).text


def test_cells_side_by_side_without_rules_raise_a_doubt() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        for at, (drug, dose) in enumerate(
            [("Morphine", "1"), ("Codeine", "0.15"), ("Oxycodone", "1.5"), ("Tramadol", "0.2")]
        ):
            canvas.drawString(80, 700 - 14 * at, drug)
            canvas.drawString(300, 700 - 14 * at, dose)

    (doubt,) = drawn(draw).doubts
    assert (doubt.kind, doubt.page) == ("reading_order", 1)
    assert doubt.level >= 0.5


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
def test_a_cut_file_is_refused(keep: float) -> None:
    data = (mini_world.GUIDELINES / "oral-antibiotics.pdf").read_bytes()
    with pytest.raises(UnreadableFile, match="cut off"):
        list(PdfReader().read(data[: int(keep * len(data))], uri="cut.pdf"))


def test_a_file_of_pictures_alone_is_refused_with_advice() -> None:
    from PIL import Image
    from reportlab.lib.utils import ImageReader

    with pytest.raises(UnreadableFile, match="picture without text") as caught:
        drawn(lambda c: c.drawImage(ImageReader(Image.new("L", (60, 80), 128)), 0, 0, *A4))
    assert "text recognition" in str(caught.value.hint)


def test_blocks_tile_the_text() -> None:
    for name in ("oral-antibiotics.pdf", "epilepsy-two-columns.pdf"):
        reading = demo(name)
        rest = list(reading.text)
        for block in reading.blocks:
            assert "\n" not in reading.text[block.start : block.end]
            rest[block.start : block.end] = [" "] * (block.end - block.start)
        assert not "".join(rest).strip()


def pages_slow(draw: Callable[[Canvas], None]) -> int:
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    canvas.setFont("Helvetica", 11)
    for at, line in enumerate(PROSE):
        canvas.drawString(80, 700 - 24 * at, line)
    draw(canvas)
    canvas.save()
    reader = PdfReader()
    list(reader.read(out.getvalue(), uri="a.pdf"))
    return reader.pages_slow


def shaded_lines(canvas: Canvas) -> None:
    """Boxes behind lines of text, some of them side by side, as word processors shade words."""
    canvas.setFillColorRGB(1, 1, 1)
    for at in range(12):
        canvas.rect(80 + 7 * (at % 5), 400 - 13 * at, 430 - 9 * (at % 4), 13, stroke=0, fill=1)
    for at, (left, width) in enumerate([(100, 66), (230, 70), (300, 120)]):
        canvas.rect(left, 180 - 27 * (at % 2), width, 13, stroke=0, fill=1)


def underlines_and_bars(canvas: Canvas) -> None:
    for at in range(6):
        canvas.line(80, 400 - 20 * at, 300 + 10 * at, 400 - 20 * at)
        canvas.line(30, 400 - 20 * at, 30, 412 - 20 * at)
        canvas.line(560, 400 - 20 * at, 560, 412 - 20 * at)


def framed_note(canvas: Canvas) -> None:
    canvas.rect(70, 100, 450, 200)
    canvas.line(70, 280, 520, 280)
    canvas.rect(20, 20, 555, 800)


def drawn_cells(canvas: Canvas) -> None:
    for row in range(3):
        for column in range(2):
            canvas.rect(80 + 150 * column, 300 - 20 * row, 150, 20)


def shaded_cells(canvas: Canvas) -> None:
    canvas.setFillColorRGB(0.8, 0.9, 0.8)
    for row in range(3):
        for column in range(3):
            canvas.rect(80 + 101 * column, 300 - 21 * row, 100, 20, stroke=0, fill=1)


def long_rules(canvas: Canvas) -> None:
    for row in range(4):
        canvas.line(80, 300 - 20 * row, 480, 300 - 20 * row)
    for column in range(3):
        canvas.line(80 + 200 * column, 240, 80 + 200 * column, 300)


@pytest.mark.parametrize("draw", [shaded_lines, underlines_and_bars, framed_note])
def test_boxes_and_rules_without_cells_are_no_table(draw: Callable[[Canvas], None]) -> None:
    assert pages_slow(draw) == 0


@pytest.mark.parametrize("draw", [drawn_cells, shaded_cells, long_rules])
def test_cells_are_found_however_they_are_drawn(draw: Callable[[Canvas], None]) -> None:
    assert pages_slow(draw) == 1


def test_a_table_that_cannot_be_read_leaves_a_doubt_and_the_text() -> None:
    data = (mini_world.GUIDELINES / "oral-antibiotics.pdf").read_bytes()
    # pdfium mends this page, pdfminer refuses the whole file.
    reading = read(data.replace(b"/Rotate 0", b"/Rotate ]"))
    assert "Doxycycline" in reading.text
    assert reading.tables == ()
    (doubt,) = reading.doubts
    assert (doubt.kind, doubt.page) == ("reading_order", 1)
    assert "could not be read" in doubt.message


def test_bold_advice_stays_whole_with_its_grade() -> None:
    """The bold lines of one paragraph are no headings, whatever each begins with."""
    lines = (
        "When amoxicillin is given to a child with otitis, the doctor tells the family,",
        "at the first visit, what to do when the fever lasts more than two days",
        "(recommendation category: A, evidence type: 4).",
    )

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 15)
        canvas.drawString(80, 760, "Advice that fills the line of its")
        canvas.drawString(80, 742, "own heading")
        canvas.setFont("Helvetica-Bold", 11)
        for at, line in enumerate(lines):
            canvas.drawString(80, 710 - 14 * at, line)
        canvas.setFont("Helvetica", 11)
        for at, line in enumerate(PROSE):
            canvas.drawString(80, 650 - 14 * at, line)

    reading = drawn(draw)
    blocks = [(b.kind, reading.text[b.start : b.end]) for b in reading.blocks]
    assert blocks[0] == ("heading", "Advice that fills the line of its own heading")
    assert blocks[1] == ("paragraph", " ".join(lines))


def test_a_number_at_a_line_start_may_belong_to_the_sentence() -> None:
    lines = (
        "• The lowest dose that works is given to every patient (see Recommendation",
        "3) and it is given for no longer than the pain lasts. The dose is halved in stage",
        "4. Then the patient is asked to come back.",
        "1) Ask the patient how the pain is.",
        "2) Write it down.",
    )

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 11)
        for at, line in enumerate(lines):
            canvas.drawString(80 if at in (0, 3, 4) else 90, 700 - 14 * at, line)

    reading = drawn(draw)
    blocks = [(b.kind, reading.text[b.start : b.end]) for b in reading.blocks]
    assert blocks == [
        ("list_item", " ".join(lines[:3]).removeprefix("• ")),
        ("list_item", lines[3]),
        ("list_item", lines[4]),
    ]


def test_an_accent_drawn_by_itself_is_part_of_its_letter() -> None:
    pending = _Pending()
    pending.letters = [*"nai", "\u0308", *"ve"]
    pending.end_word()
    assert [word.text for word in pending.words] == ["na\u00efve"]
