"""Every reader keeps the contract, on the demonstration documents and on small files made here."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping

import docx
import mini_world
import pytest

from kgrag.testing.reader_contract import ReaderContract, ReaderLook
from kgrag_ingest.readers import get, resolver, select

# The first import of LlamaIndex warns of its own parts.
LLAMA_WARNINGS = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:llama_index"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pydantic"),
]


def demo(*suffixes: str) -> dict[str, bytes]:
    """The demonstration documents with one of these suffixes, by name."""
    paths = sorted(mini_world.GUIDELINES.iterdir())
    return {path.name: path.read_bytes() for path in paths if path.suffix in suffixes}


class Registered(ReaderContract):
    """A reader that the resolver knows by ``reader``."""

    reader: str

    def make(self) -> ReaderLook:
        return get(self.reader)

    def test_samples_are_given_to_this_reader(self) -> None:
        for uri, data in self.samples().items():
            assert select(data, uri).name == self.reader


class TestText(Registered):
    reader = "text"

    def samples(self) -> Mapping[str, bytes]:
        paged = "A title\n\nFirst page, \x07with a bell.\n\f\nSecond page:\n• one\n• two\n"
        odd = "Café au lait\u00ad\u200b; e\u0301 stays as it is.\n  ·  \u202ereversed\n"
        return {
            **demo(".txt"),
            "paged.txt": paged.encode(),
            "odd.txt": odd.encode(),
            "wide.txt": odd.encode("utf-16"),
            "old.txt": ("Ménière’s disease: vertige et surdité. " * 9).encode("cp1252"),
        }


class TestMarkdown(Registered):
    reader = "markdown"

    def samples(self) -> Mapping[str, bytes]:
        mixed = (
            "---\ntitle: 'T'\ndate: 3 May 2024\ndoi: https://doi.org/10.5555/x.\n---\n"
            "## Second level first\n\n| Drug | Dose |\n|---|---|\n| a | 5 mg |\n\n"
            "| | |\n|--|--|\n| b | 6 mg |\n\n- one\n  - two\n\n    more of two\n1. three\n\n"
            "<table><tr><th>X<th>Y</tr><tr><td colspan=2>All<tr><td>1<td>2</table>\n\n"
            "```\ncode  here\n\nmore\n```\n\n# First level\n\n### Third\n> quoted<sup>3</sup>\n"
        )
        return {**demo(".md"), "mixed.md": mixed.encode(), "windows.md": mixed.encode("utf-16")}


class TestHtml(Registered):
    reader = "html"

    def samples(self) -> Mapping[str, bytes]:
        odd = (
            "<!doctype html><html lang=en><head><title> A\ttitle </title>"
            "<meta name=citation_pmid content='123'><meta name=date content='2021/5'></head>"
            "<h3>Deep first</h3><p>One\u00adtwo&#7;<br>three<h1>Then high</h1><ul><li>a<li>b"
            "<ol><li>c</ol></ul><table><tr><td>Drug<td>Dose<tr><td>x<td>1 mg</table>"
            "<pre>a  b\n\n c</pre><img src='file:///etc/passwd'>"
            "<link rel=stylesheet href='http://127.0.0.1:9/x.css'>"
        )
        return {**demo(".html"), "odd.html": odd.encode(), "part.xhtml": b"<div><p>Text.</p></div>"}


class TestJats(Registered):
    reader = "jats"

    def samples(self) -> Mapping[str, bytes]:
        article = (
            "<article><front><article-meta><article-id pub-id-type='pmc'>{0}</article-id>"
            "<title-group><article-title>Title {0}</article-title></title-group></article-meta>"
            "</front><body><sec><title>Part</title><p>Words &alpha; here.</p><table-wrap><caption>"
            "<p>Doses</p></caption><table><thead><tr><th>Drug</th><th>Dose</th></tr></thead><tbody>"
            "<tr><td>a</td><td>1 mg</td></tr></tbody></table></table-wrap></sec></body></article>"
        )
        both = "".join(article.format(n) for n in (1234, 5678))
        many = f"<pmc-articleset>{both}</pmc-articleset>"
        return {**demo(".nxml"), "set.xml": many.encode()}


class TestMedline(Registered):
    reader = "medline"

    def samples(self) -> Mapping[str, bytes]:
        return demo(".xml")


class TestHpoa(Registered):
    reader = "hpoa"

    def samples(self) -> Mapping[str, bytes]:
        head = '#description: "Made for a test"\n#version: 2024-02-03\n'
        columns = (
            "database_id disease_name qualifier hpo_id reference evidence onset frequency sex "
            "modifier aspect biocuration"
        )
        lines = [
            "OMIM:1 First\u00ad\u00a0disease;  HP:0000001 PMID:1 PCS  1/2   P X:x[2020-01-01]",
            "ORPHA:2 Second NOT HP:0000002 ORPHA:2 TAS HP:0003577 HP:0040281 MALE  P X:x",
            "OMIM:1 First HP:0000003 no line of annotations",
            "OMIM:1 First  HP:0000006 PMID:1 PCS     I X:x",
        ]
        body = "\n".join("\t".join(line.split(" ")) for line in (columns, *lines))
        return {
            "made.hpoa": f"{head}{body}\n".encode(),
            "windows.hpoa": f"{head}{body}".replace("\n", "\r\n").encode("utf-16"),
        }

    def test_a_row_stands_alone_with_ids_and_codes(self) -> None:
        data = self.samples()["made.hpoa"]
        bad, first, second = self.make().read(data, uri="made.hpoa")
        assert isinstance(bad, Exception)
        assert not isinstance(first, Exception)
        assert not isinstance(second, Exception)
        assert (first.record, first.metadata.version) == ("OMIM:1", "2024-02-03")
        assert [row.of(first.text) for row in first.tables[0].rows] == [
            "Disease: First disease; (OMIM:1); Phenotype: HP:0000001; Frequency: 1/2; "
            "Evidence: PCS; Reference: PMID:1",
            "Disease: First (OMIM:1); Inheritance: HP:0000006; Evidence: PCS; Reference: PMID:1",
        ]
        assert "Disease: Second (ORPHA:2); Qualifier: NOT; Phenotype: HP:0000002" in second.text


class TestJsonl(Registered):
    reader = "jsonl"

    def samples(self) -> Mapping[str, bytes]:
        records = [
            {"id": "../a b", "title": "T\n1", "text": "One.\n\nTwo \ud83d\ude00.\n- x\n- y"},
            {"text": ["First.", "Second \ud800."], "doi": "10.5555/Z", "date": "2020-2"},
            {"id": 7, "abstract": "An abstract.", "url": "https://example.org/a b"},
        ]
        lines = "\n".join(json.dumps(record) for record in records)
        return {**demo(".jsonl"), "odd.jsonl": lines.encode()}


class TestDocx(Registered):
    reader = "docx"
    broken = 8

    def samples(self) -> Mapping[str, bytes]:
        made = docx.Document()
        made.add_heading("Title", 0)
        made.add_heading("Second level first", 2)
        made.add_paragraph("")
        made.add_paragraph("One\u00ad two\tthree")
        made.add_paragraph("item", style="List Bullet")
        table = made.add_table(rows=3, cols=2)
        for row, cells in zip(
            table.rows, (("Drug", "Dose"), ("a", "1 mg"), ("b", "")), strict=True
        ):
            for cell, text in zip(row.cells, cells, strict=True):
                cell.text = text
        made.core_properties.title = " A\ttitle "
        out = io.BytesIO()
        made.save(out)
        return {**demo(".docx"), "made.docx": out.getvalue()}


class TestFhir(Registered):
    reader = "fhir"

    def samples(self) -> Mapping[str, bytes]:
        plan = {
            "resourceType": "PlanDefinition",
            "title": "A plan\n1",
            "url": "https://example.org/plan",
            "date": "2021-06-11T23:49:11-06:00",
            "description": "What it is for.\n\nMore of it.",
            "relatedArtifact": [{"type": "citation", "display": "A guideline", "label": "G"}],
            "action": [
                {
                    "title": "A plan\n1",
                    "condition": [{"expression": {"description": "age \u2265 5", "language": "x"}}],
                    "action": [
                        {"title": "Give iron", "description": "Give iron", "textEquivalent": "T."},
                        {"description": "Only \u00e9 words", "documentation": [{"label": "S"}]},
                        "no action",
                    ],
                }
            ],
        }
        bare = {"resourceType": "PlanDefinition", "name": "Bare", "purpose": "P.", "action": {}}
        return {"plan.json": json.dumps(plan).encode(), "bare.json": json.dumps(bare).encode()}


class TestXlsx(Registered):
    reader = "xlsx"
    broken = 8

    def samples(self) -> Mapping[str, bytes]:
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        sheet = (
            f'<worksheet xmlns="{main}"><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row>'
            '<row r="2"><c r="A2" t="inlineStr"><is><t>Drug</t></is></c><c r="B2" t="str"><v>Dose'
            '</v></c><c r="C2" t="s"><v>1</v></c></row><row r="3"><c r="A3" t="s"><v>2</v></c>'
            '<c r="B3"><v>5</v></c></row><row r="4"><c r="C4" t="e"><v>#REF!</v></c></row>'
            '<row r="5" hidden="1"><c r="A5"><v>9</v></c></row></sheetData></worksheet>'
        )
        parts = {
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
            '<sheet name="Doses" sheetId="1" r:id="a"/>'
            '<sheet name="Notes" sheetId="2" state="hidden" r:id="b"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": '<Relationships xmlns="x"><Relationship Id="a" '
            'Target="worksheets/one.xml"/><Relationship Id="b" Target="/xl/worksheets/two.xml"/>'
            "</Relationships>",
            "xl/sharedStrings.xml": f'<sst xmlns="{main}"><si><t>About the sheet</t></si><si><r>'
            "<t>Re</t></r><r><t>mark</t></r><rPh><t>hint</t></rPh></si><si><t>iron \u00e9</t></si>"
            "</sst>",
            "xl/worksheets/one.xml": sheet,
            "xl/worksheets/two.xml": sheet.replace("Dose", "Hidden"),
        }
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in parts.items():
                archive.writestr(name, text)
        return {"made.xlsx": out.getvalue()}

    def test_what_is_shown_is_read(self) -> None:
        (data,) = self.samples().values()
        (reading,) = self.make().read(data, uri="made.xlsx")
        assert reading.text == "Doses\n\nAbout the sheet\n\nDrug: iron \u00e9; Dose: 5"


class TestPdf(Registered):
    reader = "pdf"
    broken = 6

    def samples(self) -> Mapping[str, bytes]:
        return demo(".pdf")


class TestLlamaIndex(ReaderContract):
    """An adapted reader gets a file of its own to read, so it may open that one."""

    pytestmark = LLAMA_WARNINGS
    own_files = True
    broken = 6

    def make(self) -> ReaderLook:
        return get("llama-index:llama_index.core.SimpleDirectoryReader")

    def samples(self) -> Mapping[str, bytes]:
        return demo(".txt")


def test_every_reader_has_a_suite() -> None:
    suites = {kind.reader for kind in Registered.__subclasses__()}
    assert suites == set(resolver.names())
