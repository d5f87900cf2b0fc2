"""Makes the demonstration documents of binary formats again, byte for byte; for developers only.

    python examples/make_guidelines.py [FOLDER]      (default: examples/guidelines)

Needs python-docx, reportlab and pypdfium2. The outputs are committed; everything else in the
folder is written by hand.
"""

from __future__ import annotations

import io
import os
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from docx import Document
from docx.document import Document as DocxDocument
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

MARK = "Demonstration document, not clinical advice."
FIXED = datetime(2024, 1, 1, tzinfo=UTC)
# reportlab takes the creation date of its files from here.
os.environ["SOURCE_DATE_EPOCH"] = str(int(FIXED.timestamp()))
STYLES = getSampleStyleSheet()
BODY = ParagraphStyle("body", parent=STYLES["BodyText"], alignment=4, leading=14)


def pneumonia_docx() -> bytes:
    doc = _docx("Community-acquired pneumonia in adults", "Demo Guideline Group", "2.0", 2024, 6)
    doc.add_heading("Community-acquired pneumonia in adults", 1)
    doc.add_paragraph(MARK)
    doc.add_heading("Presentation", 2)
    doc.add_paragraph(
        "Community-acquired pneumonia often presents with cough and fever. "
        "Old people may only be confused."
    )
    doc.add_paragraph("Smoking is a risk factor for pneumonia.")
    doc.add_heading("Diagnosis", 2)
    doc.add_paragraph(
        "Chest radiography is used to diagnose pneumonia in hospital. "
        "C-reactive protein helps to decide when no film can be had."
    )
    doc.add_heading("Treatment", 2)
    doc.add_paragraph(
        "Amoxicillin is recommended for the treatment of pneumonia of low severity "
        "(strong recommendation, moderate certainty)."
    )
    doc.add_paragraph("Doxycycline is used to treat pneumonia in patients with penicillin allergy.")
    doc.add_paragraph("Give the first dose within four hours of the diagnosis.")
    doc.add_paragraph("Stop after five days when these hold:")
    for item in (
        "no fever for 48 hours",
        "a heart rate of 100 beats per minute or less",
        "normal mental state",
    ):
        doc.add_paragraph(item, style="List Bullet")
    doc.add_heading("Cautions", 2)
    doc.add_paragraph("Amoxicillin is contraindicated in patients with penicillin allergy.")
    doc.add_paragraph("Clarithromycin interacts with simvastatin.")
    doc.add_paragraph("Corticosteroids are not recommended for the treatment of pneumonia.")
    doc.add_heading("Where to treat", 2)
    _docx_table(
        doc,
        ("CURB-65 score", "Risk of death", "Place of care"),
        (
            ("0 to 1", "low", "home"),
            ("2", "moderate", "hospital, short stay"),
            ("3 to 5", "high", "hospital, consider intensive care"),
        ),
    )
    return _docx_bytes(doc)


def kidney_docx() -> bytes:
    doc = _docx("Chronic kidney disease: first steps", "Northern Demo Panel", "1.1", 2024, 8)
    doc.add_heading("Chronic kidney disease: first steps", 1)
    doc.add_paragraph(MARK)
    doc.add_heading("Finding it", 2)
    doc.add_paragraph(
        "Serum creatinine is used to diagnose chronic kidney disease, with the ratio of albumin "
        "to creatinine in urine. Both are repeated after three months."
    )
    doc.add_paragraph("Hypertension is a risk factor for chronic kidney disease.")
    doc.add_heading("Slowing it", 2)
    doc.add_paragraph(
        "Lisinopril is recommended for the treatment of proteinuria in adults with diabetes "
        "(strong recommendation, high certainty)."
    )
    doc.add_paragraph(
        "Dapagliflozin is recommended for the treatment of chronic kidney disease "
        "(strong recommendation, high certainty)."
    )
    doc.add_heading("Protecting what is left", 2)
    doc.add_paragraph("Ibuprofen should be avoided in patients with chronic kidney disease.")
    doc.add_paragraph("Chronic kidney disease can cause anemia.")
    doc.add_paragraph(
        "Serum creatinine should be monitored at least once a year in patients with chronic "
        "kidney disease."
    )
    return _docx_bytes(doc)


def antibiotics_pdf() -> bytes:
    """Two pages with a running header and footer, page numbers, and a ruled dose table."""
    rows = (
        ("Drug", "Indication", "Adult dose", "Duration"),
        ("Amoxicillin", "Community-acquired pneumonia", "500 mg three times daily", "5 days"),
        (
            "Doxycycline",
            "Community-acquired pneumonia",
            "200 mg on the first day, then 100 mg once daily",
            "5 days",
        ),
        ("Nitrofurantoin", "Cystitis", "100 mg twice daily", "3 days"),
        ("Phenoxymethylpenicillin", "Pharyngitis", "500 mg four times daily", "5 days"),
        ("Flucloxacillin", "Cellulitis", "500 mg four times daily", "7 days"),
    )
    table = Table(
        [[Paragraph(cell, BODY) for cell in row] for row in rows],
        colWidths=[42 * mm, 42 * mm, 54 * mm, 25 * mm],
        repeatRows=1,
    )
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.5, colors.black),
                ("BACKGROUND", (0, 0), (-1, 0), colors.lightgrey),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    story: list[Flowable] = [
        Paragraph("Oral antibiotics for adults", STYLES["Title"]),
        Paragraph(MARK, BODY),
        Paragraph("1 Before you prescribe", STYLES["Heading1"]),
        Paragraph(
            "Most sore throats and most coughs get better without an antibiotic. Ask about "
            "allergy every time, and write down what happened and when. Nitrofurantoin is "
            "recommended for the treatment of cystitis in women who are not pregnant (strong "
            "recommendation, moderate certainty).",
            BODY,
        ),
        Paragraph("2 Doses", STYLES["Heading1"]),
        Paragraph("The doses hold for adults with normal kidney function.", BODY),
        Spacer(1, 4 * mm),
        table,
        PageBreak(),
        Paragraph("3 Cautions", STYLES["Heading1"]),
        Paragraph("3.1 Kidney and pregnancy", STYLES["Heading2"]),
        Paragraph(
            "Nitrofurantoin should not be used in patients with severe renal impairment. "
            "Doxycycline is contraindicated in pregnancy, and other tetracyc\u00adlines are too.",
            BODY,
        ),
        Paragraph("3.2 Other medicines", STYLES["Heading2"]),
        Paragraph(
            "Clarithromycin interacts with simvastatin, so the statin is stopped for the length "
            "of the course. Doxycycline is taken two hours apart from iron and antacids.",
            BODY,
        ),
        Paragraph("3.3 Harms", STYLES["Heading2"]),
        Paragraph(
            "Clindamycin can cause pseudomembranous colitis. Doxycycline can cause "
            "photosensitivity; advise a hat and long sleeves.",
            BODY,
        ),
    ]

    def running(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(25 * mm, 285 * mm, "Demo Guideline Group | Oral antibiotics for adults")
        canvas.drawCentredString(105 * mm, 12 * mm, f"Page {canvas.getPageNumber()} of 2")

    out = io.BytesIO()
    frame = Frame(22 * mm, 20 * mm, 166 * mm, 258 * mm)
    template = _template(out, "Oral antibiotics for adults", "Demo Guideline Group")
    template.addPageTemplates(PageTemplate("page", [frame], onPage=running))
    template.build(story)
    return out.getvalue()


def epilepsy_pdf() -> bytes:
    """One page with a title over both columns and justified text in two."""
    text: list[tuple[str, str]] = [
        ("Heading2", "Diagnosis"),
        (
            "body",
            "Electroencephalography is used to diagnose epilepsy when the story of the attack "
            "leaves doubt. A normal recording between attacks does not exclude it. "
            "Magnetic resonance imaging looks for a cause in adults whose first seizure began "
            "in one part of the body.",
        ),
        ("Heading2", "Causes"),
        (
            "body",
            "Stroke is a risk factor for epilepsy, above all in later life. Hyponatremia can "
            "cause seizures, and these stop when the sodium is put right. Alcohol withdrawal "
            "can cause seizures as well.",
        ),
        ("Heading2", "First choice"),
        (
            "body",
            "Lamotrigine is recommended for the treatment of epilepsy with focal seizures "
            "(strong recommendation, high certainty). Begin low and go slowly, over at least "
            "six weeks, because a fast rise in dose makes a severe rash more likely. "
            "Levetiracetam is used to treat epilepsy when lamotrigine is not tolerated.",
        ),
        ("Heading2", "Valproate"),
        (
            "body",
            "Valproic acid is contraindicated in pregnancy. Valproic acid can cause congenital "
            "abnormalities, and about one child in ten is affected. Every woman who could "
            "become pregnant is told this in plain words and is offered another medicine "
            "(strong recommendation, high certainty).",
        ),
        ("Heading2", "Carbamazepine"),
        (
            "body",
            "Carbamazepine can cause hyponatremia. Carbamazepine interacts with warfarin, and "
            "the effect of the anticoagulant falls within two weeks. Serum sodium should be "
            "monitored in patients taking carbamazepine who also take a diuretic.",
        ),
        ("Heading2", "Febrile seizures"),
        (
            "body",
            "Phenobarbital is not recommended for the prevention of febrile seizures. Parents "
            "are told that simple febrile seizures do no lasting harm.",
        ),
        ("Heading2", "Living with epilepsy"),
        (
            "body",
            "Sleep, regular meals and tablets taken on time prevent many attacks. Advice on "
            "driving, swimming, heights and open fires is given at the first visit and again "
            "when something changes. Medicines may be withdrawn after two years without an "
            "attack, slowly, one at a time, when the patient wishes it.",
        ),
    ]
    out = io.BytesIO()
    template = _template(out, "Epilepsy in adults", "Northern Demo Panel")
    width, height, left = 80 * mm, 150 * mm, 21 * mm
    frames = [
        Frame(left, 90 * mm, width, height, id="left"),
        Frame(left + width + 8 * mm, 90 * mm, width, height, id="right"),
    ]

    def top(canvas: Canvas, _: BaseDocTemplate) -> None:
        canvas.setFont("Helvetica-Bold", 18)
        canvas.drawCentredString(105 * mm, 265 * mm, "Epilepsy in adults")
        canvas.setFont("Helvetica", 10)
        canvas.drawCentredString(105 * mm, 256 * mm, f"Northern Demo Panel. {MARK}")
        canvas.setFont("Helvetica", 8)
        canvas.drawCentredString(105 * mm, 12 * mm, "1")

    template.addPageTemplates(PageTemplate("columns", frames, onPage=top))
    template.build(
        [Paragraph(line, BODY if style == "body" else STYLES[style]) for style, line in text]
    )
    return out.getvalue()


def broken_scan_pdf() -> bytes:
    """A page that is only a picture, and a page whose text layer is nonsense."""
    lines = (
        "Heart failure, outpatient sheet",
        MARK,
        "Bisoprolol is recommended for the treatment of heart failure.",
        "The starting dose of bisoprolol is 1.25 mg once daily.",
        "Weight is taken every morning.",
    )
    garbled = (
        "He@rt f~il#re, 0utp^t|ent sh€€t",
        "D3m0n$tr@t|0n d0cum3nt, n0t c1|n|c@l @dv|c3.",
        "B|s0pr0|0| 1s r~c0mm€nd3d f0r th3 tr3@tm~nt 0f h€@rt f@||ur3.",
        "Th~ st@rt1ng d0s~ 0f b|s0pr0|0| ¡s 12.5 rng 0nc3 d@1|y.",
        "W€|gh~ i$ t@k~n €v€ry m0rn|ng ^nd wr1tt~n d0wn. ¤¤¤ ~~ #| §§",
        "Fur0s3m|d~ 4O rng 1n th~ m0rn|ng; m~~sur~ p0t@$$|um §0dium ~ft€r 0n~ w~~k.",
    )
    # A page is drawn, photographed at a low resolution, and only the picture is kept.
    source = io.BytesIO()
    canvas = Canvas(source, pagesize=A4, invariant=1)
    canvas.setFont("Courier", 12)
    for at, line in enumerate(lines):
        canvas.drawString(25 * mm, (270 - 9 * at) * mm, line)
    canvas.showPage()
    canvas.save()
    picture = _picture(source.getvalue())

    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    canvas.setTitle("scan0001")
    canvas.drawImage(ImageReader(picture), 0, 0, *A4)
    canvas.showPage()
    canvas.setFont("Courier", 11)
    for at, line in enumerate(garbled * 4):
        canvas.drawString(20 * mm, (270 - 9 * at) * mm, line)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _picture(pdf: bytes) -> io.BytesIO:
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    image = document[0].render(scale=1.0, grayscale=True).to_pil()
    document.close()
    out = io.BytesIO()
    image.convert("1").save(out, "PNG", optimize=True)
    out.seek(0)
    return out


def _template(out: io.BytesIO, title: str, author: str) -> BaseDocTemplate:
    return BaseDocTemplate(
        out,
        pagesize=A4,
        title=title,
        author=author,
        subject=MARK,
        keywords=["demonstration"],
        invariant=1,
    )


def _docx(title: str, publisher: str, version: str, year: int, month: int) -> DocxDocument:
    doc = Document()
    properties = doc.core_properties
    properties.title, properties.author, properties.version = title, publisher, version
    properties.subject = MARK
    properties.comments = "Licence: Apache-2.0"
    properties.language = "en"
    properties.identifier = ""
    properties.created = properties.modified = datetime(year, month, 1, tzinfo=UTC)
    properties.last_modified_by = publisher
    return doc


def _docx_table(
    doc: DocxDocument, header: tuple[str, ...], rows: tuple[tuple[str, ...], ...]
) -> None:
    table = doc.add_table(rows=1, cols=len(header), style="Table Grid")
    for cell, text in zip(table.rows[0].cells, header, strict=True):
        cell.text = text
        cell.paragraphs[0].runs[0].bold = True
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text


def _docx_bytes(doc: DocxDocument) -> bytes:
    """The document with a fixed time on every part, so that it is the same on every run."""
    raw = io.BytesIO()
    doc.save(raw)
    out = io.BytesIO()
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, FIXED.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            new.writestr(info, old.read(name))
    return out.getvalue()


DOCUMENTS = {
    "community-acquired-pneumonia.docx": pneumonia_docx,
    "chronic-kidney-disease.docx": kidney_docx,
    "oral-antibiotics.pdf": antibiotics_pdf,
    "epilepsy-two-columns.pdf": epilepsy_pdf,
    "heart-failure-broken-scan.pdf": broken_scan_pdf,
}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in DOCUMENTS.items():
        data = make()
        (folder / name).write_bytes(data)
        print(f"{name}: {len(data):,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "guidelines")
