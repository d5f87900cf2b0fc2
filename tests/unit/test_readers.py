"""What readers make of each format."""

from __future__ import annotations

import pytest

from kgrag_ingest.readers import select
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.metadata import doi, from_pairs, iso_date, language_of, licence_of
from kgrag_ingest.recipes import load, names


def read(text: str, uri: str) -> Reading:
    data = text.encode()
    (reading,) = select(data, uri).read(data, uri=uri)
    assert isinstance(reading, Reading)
    return reading


def kinds(reading: Reading) -> list[tuple[str, str]]:
    return [(b.kind, reading.text[b.start : b.end]) for b in reading.blocks]


def test_markdown_joins_wrapped_lines_and_knows_bullets_of_other_kinds() -> None:
    reading = read(
        "---\ntitle: T\ndate: 2024-03\ndoi: 10.5555/x\n---\n# T\n\nIntroduction\n"
        "A sentence that the source has wrapped at about seventy characters of\n"
        "text. Another one.\n\nRISK FACTORS\n・ Age\n・ Smoking\n",
        "a.md",
    )
    assert kinds(reading) == [
        ("heading", "T"),
        ("heading", "Introduction"),
        (
            "paragraph",
            "A sentence that the source has wrapped at about seventy characters of text. "
            "Another one.",
        ),
        ("heading", "RISK FACTORS"),
        ("list_item", "Age"),
        ("list_item", "Smoking"),
    ]
    assert reading.metadata.identifiers == (("doi", "10.5555/x"),)
    assert reading.metadata.date == "2024-03"


def test_markdown_tables_html_and_commands() -> None:
    reading = read(
        "{% include x.html %}\n\n| Drug | Dose |\n|---|---|\n| a | 5 mg |\n| b | |\n\n"
        "<table>\n<tr><th>X</th></tr>\n\n<tr><td>1</td></tr>\n</table>\n\n- one<sup>3</sup>\n"
        "  - two\n",
        "a.md",
    )
    assert [t for _, t in kinds(reading)] == [
        "Drug: a; Dose: 5 mg",
        "Drug: b",
        "X: 1",
        "one[3]",
        "two",
    ]
    assert [t.header for t in reading.tables] == [("Drug", "Dose"), ("X",)]


def test_html_spans_groups_and_superscripts() -> None:
    reading = read(
        "<title>T</title><meta name='date' content='2 May 2024'><h1>T</h1>"
        "<p>Rate.<sup>1,2</sup> Area 5 m<sup>2</sup>, 10<sup>9</sup>/L.</p>"
        "<table><caption>Doses</caption><tr><th rowspan=2>Drug</th><th colspan=2>Dose</th></tr>"
        "<tr><th>Start</th><th>Most</th></tr><tr><td colspan=3>Children</td></tr>"
        "<tr><td rowspan=2>a</td><td>1 mg</td><td>2 mg</td></tr><tr><td colspan=2>none</td></tr>"
        "</table><ul><li>one<ul><li>in one</li></ul></li><li>two</li></ul>",
        "a.html",
    )
    assert [t for _, t in kinds(reading)] == [
        "T",
        "Rate.[1,2] Area 5 m2, 109/L.",
        "Doses",
        "Children; Drug: a; Dose – Start: 1 mg; Dose – Most: 2 mg",
        "Children; Drug: a; Dose – Start / Dose – Most: none",
        "one",
        "in one",
        "two",
    ]
    assert reading.metadata.title == "T"
    assert reading.metadata.date == "2024-05-02"


def test_jats_sections_references_and_retraction() -> None:
    reading = read(
        '<article xmlns:xlink="http://www.w3.org/1999/xlink" article-type="research-article">'
        "<front><journal-meta><journal-title>J</journal-title></journal-meta><article-meta>"
        '<article-id pub-id-type="pmid">12</article-id>'
        '<article-id pub-id-type="doi">10.5555/y</article-id>'
        "<title-group><article-title>On &alpha;</article-title></title-group>"
        '<pub-date pub-type="epub"><day>3</day><month>2</month><year>2020</year></pub-date>'
        '<permissions><license xlink:href="http://creativecommons.org/licenses/by/4.0/">'
        "<license-p>x</license-p></license></permissions>"
        '<related-article related-article-type="retraction-forward"/>'
        "<abstract><sec><title>Aim</title><p>To see.</p></sec></abstract></article-meta></front>"
        "<body><sec><title>Methods</title><p>Before.<list list-type='bullet'><list-item>"
        "<p>item</p></list-item></list>After<xref>1</xref>.</p><sec><title>Sub</title>"
        "<fig><label>Figure 1</label><caption><p>Flow.</p></caption></fig></sec></sec></body>"
        "<back><ref-list><title>References</title><ref><label>1</label><element-citation>"
        "<source>J</source><year>2001</year></element-citation></ref></ref-list></back></article>",
        "a.nxml",
    )
    assert [(s.level, s.title) for s in reading.sections] == [
        (1, "On α"),
        (2, "Abstract"),
        (3, "Aim"),
        (2, "Methods"),
        (3, "Sub"),
        (2, "References"),
    ]
    assert ("caption", "Figure 1 Flow.") in kinds(reading)
    assert ("reference", "1 J 2001") in kinds(reading)
    assert ("list_item", "item") in kinds(reading)
    found = reading.metadata
    assert (found.retracted, found.date, found.licence) == ("retraction", "2020-02-03", "CC BY 4.0")
    assert found.identifiers == (("doi", "10.5555/y"), ("pmid", "12"))


def test_medline_marks_retraction_and_refuses_a_bad_citation_alone() -> None:
    data = (
        b"<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>1</PMID><Article>"
        b"<ArticleTitle>T.</ArticleTitle><Abstract><AbstractText Label='AIM'>To see.</AbstractText>"
        b"</Abstract></Article><CommentsCorrectionsList><CommentsCorrections "
        b"RefType='RetractionIn'/></CommentsCorrectionsList></MedlineCitation></PubmedArticle>"
        b"<PubmedArticle/></PubmedArticleSet>"
    )
    good, bad = select(data, "m.xml").read(data, uri="m.xml")
    assert isinstance(good, Reading)
    assert (good.record, good.metadata.retracted) == ("1", "retraction")
    assert good.text == "T.\n\nAIM\n\nTo see."
    assert "no PMID" in str(bad)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2018", "2018"),
        ("2018-5", "2018-05"),
        ("17 May 2018", "2018-05-17"),
        ("May 17, 2018", "2018-05-17"),
        ("20180517", "2018-05-17"),
        ("2018-05-17T10:00:00Z", "2018-05-17"),
        ("03/04/2020", None),
        ("soon", None),
    ],
)
def test_dates(text: str, date: str | None) -> None:
    assert iso_date(text) == date


def test_identifiers_and_licences() -> None:
    assert doi("https://doi.org/10.1000/182.") == "10.1000/182"
    assert doi("none") is None
    assert licence_of("http://creativecommons.org/publicdomain/zero/1.0/") == "CC0 1.0"


def test_medquad_recipe_leaves_the_question_out() -> None:
    data = b'{"id": "7", "focus": "Gout", "question": "What is it?", "answer": "A disease."}'
    recipe = load("medquad")
    (reading,) = select(data, "a.jsonl", reader=recipe.reader).read(data, uri="a.jsonl")
    assert isinstance(reading, Reading)
    assert (reading.text, reading.metadata.title) == ("Gout\n\nA disease.", "Gout")


def test_every_shipped_recipe_loads() -> None:
    assert {load(name).name for name in names()} == set(names())
    assert len(names()) >= 12


def test_torn_off_bullets_leave_the_sentence_whole_and_hyphens_inside_it_stay() -> None:
    reading = read(
        "Once the patient can\n・\ntolerate oral therapy, go on.\n\n"
        " - Signs on the chest X-Ray and Stevens-Johnson syndrome\n -Skin\n -Drugs: a, b\n",
        "a.md",
    )
    assert kinds(reading) == [
        ("paragraph", "Once the patient can tolerate oral therapy, go on."),
        ("list_item", "Signs on the chest X-Ray and Stevens-Johnson syndrome"),
        ("list_item", "Skin"),
        ("list_item", "Drugs: a, b"),
    ]


def test_text_in_the_arguments_of_an_include_is_read() -> None:
    reading = read(
        "<div>{% include page.html topic='Dosages' description='Prescribe the lowest dose.'\n"
        "  flow='a.png' data-elements='b.html' %}</div>",
        "a.html",
    )
    assert kinds(reading) == [
        ("paragraph", "Dosages"),
        ("paragraph", "Prescribe the lowest dose."),
    ]


def test_lines_below_an_item_join_it_only_when_they_carry_it_on() -> None:
    reading = read(
        "# T\n\nThis paragraph says at about which length the lines of this source are wrapped,\n"
        "so that a line of that length is known to go on in the one that comes after it.\n\n"
        "- Diclofenac 100 mg once daily\nOr:\n- Stevens-Johnson syndrome, which begins with fever "
        "and with pain\nin the eyes\n- Contraindicated in recent myocardial infarction, in "
        "arrhythmias, in\nGraves disease\n- Indented\n  Goes on\n- Last\nPrevention\nWash hands "
        "before each meal and after each visit to the ward.\n",
        "a.md",
    )
    assert kinds(reading)[2:] == [
        ("list_item", "Diclofenac 100 mg once daily"),
        ("paragraph", "Or:"),
        (
            "list_item",
            "Stevens-Johnson syndrome, which begins with fever and with pain in the eyes",
        ),
        (
            "list_item",
            "Contraindicated in recent myocardial infarction, in arrhythmias, in Graves disease",
        ),
        ("list_item", "Indented Goes on"),
        ("list_item", "Last"),
        ("heading", "Prevention"),
        ("paragraph", "Wash hands before each meal and after each visit to the ward."),
    ]


def test_what_a_site_generator_would_put_in_is_a_doubt() -> None:
    page = "# T\n\nText. [a]({{ site.url }}b) {% include fig.svg %}{% include x y='1' %}\n"
    assert read(page, "a.md").doubts == ()
    (doubt,) = read(
        page + "\n{% include_relative doses.md %}\n{% include doses.md %}", "a.md"
    ).doubts
    assert (doubt.kind, doubt.level < 0.5) == ("truncated", True)
    assert doubt.message == "the page includes other files, left out: doses.md"
    page = "<p><a href='{{ site.url }}'>Give</a> {{ site.dose }} mg.{% include doses.html %}</p>"
    assert [d.level >= 0.5 for d in read(page, "a.html").doubts] == [False, True]
    reading = read("# T\n\nGive {{ site.dose }} mg.\n\n- and {{ x }} more", "a.md")
    assert reading.text.endswith("Give mg.\n\nand more")
    (doubt,) = reading.doubts
    assert doubt.level >= 0.5  # no dose of such a page is quoted
    assert "2 values" in doubt.message


def test_many_brackets_are_text_and_links_between_them_are_links() -> None:
    link = "[see [1] `]`](http://127.0.0.1/a) and ![picture](b.png)[ref][r] \\[x\\](y)"
    few = read(f"{link}\n\n[r]: http://127.0.0.1/r", "a.md").text
    assert few == "see [1] ] and ref [x](y)"
    many = "[1] " * 300
    link = link.replace(" `]`", "")
    found = read(f"{many}{link} {many}\n\n[r]: http://127.0.0.1/r", "a.md").text
    assert found == f"{many}see [1] and ref [x](y) {many.strip()}"


@pytest.mark.parametrize(
    ("text", "tag"),
    [("eng", "en"), ("en-US", "en-US"), ("pt_BR", "pt-BR"), ("EN", "en"), ("und", None),
     ("English, mostly", None), ("swa", "swa"), (None, None)],
)  # fmt: skip
def test_languages(text: str | None, tag: str | None) -> None:
    assert language_of(text) == tag


def test_the_demonstration_recipe_says_what_its_formats_cannot() -> None:
    assert load("examples").metadata == {
        "publisher": "Demo Guideline Group",
        "licence": "Apache-2.0",
        "language": "en",
    }


@pytest.mark.parametrize(
    ("name", "said", "mark"),
    [
        ("retracted", "true", "retraction"),
        ("Retracted", "2024-05-01", "retraction"),
        ("withdrawn", "yes", "retraction"),
        ("retracted", "retraction", "retraction"),
        ("retracted", "Expression of concern", "expression_of_concern"),
        ("retracted", "expression_of_concern", "expression_of_concern"),
        ("retracted", "False", None),
        ("withdrawn", "no", None),
    ],
)
def test_a_document_that_says_it_is_retracted_is(name: str, said: str, mark: str | None) -> None:
    assert from_pairs({name: said}).retracted == mark
