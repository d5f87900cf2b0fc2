"""Answers for people in four forms: what stands where, and that no source can write markup."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from kgrag.reasoning.notices import notice
from kgrag.records.analysis import Analysis, Patient, Stated
from kgrag.records.answer import (
    Answer,
    Check,
    Citation,
    CitedDocument,
    EvidenceChain,
    Hit,
    Inapplicable,
    PathStep,
    Round,
    Statement,
    to_plain,
)
from kgrag.records.notes import CheckedSentence, NoteCheck, NoteEvidence
from kgrag.render import (
    answer_html,
    answer_markdown,
    answer_page,
    answer_text,
    note_html,
    note_markdown,
    note_page,
    note_text,
)

HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(2)> [open](javascript:alert(3))"
    " ![see](https://evil.example/a.png) https://evil.example/b www.evil.example"
    " <https://evil.example/c> `code` **bold** _em_ ~~no~~ | cell | # head\n"
    "- item\n1. first\n> quoted\n| a | b |\n|---|---|\n```\nfence\n```\n===\n[x]: http://evil"
    "\n\x1b[31mred \u202egnp.exe &lt;b&gt; &#60;i&#62; a@evil.example \\ $x$ end"
)  # fmt: skip


def cited(quote: str, name: str = "a", start: int = 0, **fields: Any) -> Citation:
    document = CitedDocument(f"doc_{name}", f"file:///{name}", f"On {name}", **fields)
    return Citation(document, "pas_1", ("Part",), 3, start, start + len(quote), quote)


def statement(quote: str, name: str = "a", start: int = 0, part: int = 0) -> Statement:
    checks = (Check("span", "pass"), Check("dose", "not_applicable"))
    return Statement(
        quote, "quote", "supported", 0.9, (cited(quote, name, start),), (), checks, part
    )


def side(quote: str, direction: str, grade: str | None = None, **fields: Any) -> dict[str, Any]:
    citation = cited(quote, **fields)
    given = {"strength": {"system": "USPSTF", "raw": grade, "normalised": None}, "certainty": None}
    return {
        "kind": None, "predicate": "treats", "direction": direction,
        "citation": to_plain(citation), "date": citation.document.date,
        "publisher": citation.document.publisher, "grade": given if grade else None,
    }  # fmt: skip


def full(text: str = "Drug A is first.") -> Answer:
    """An answer that has something of everything, all of it ``text``."""
    one, other = (
        side(text, "for", "Grade B", name="one", publisher=text, date="2020"),
        side(text, "against", name="two", publisher="Two", date="2024-05"),
    )
    conflict = {
        "kind": "opposite_direction", "between": "different_issuers", "newer": 1,
        "subject_name": text, "object_name": "gout", "differs": ["for", "against"],
        "sides": [one, other],
    }  # fmt: skip
    agreement = {"statement": 0, "kinds": ["same_words"], "publishers": 2, "sides": [one, other]}
    three = agreement | {"sides": [one, other, other]}
    step = PathStep("ast", "X:a", text, "treats", "X:b", "gout", False, cited(text))
    stated = Stated(67.0, text, 0, len(text), "a")
    return Answer(
        "answer_1", f"Question? {text}", False, None,
        (statement(text, "b", 50), statement(text, "a", 9), statement(text, "b", 5)),
        EvidenceChain(paths=((step,),)), (conflict,),
        (notice("superseded"), notice("emergency")),
        {"encoder": text}, {"total": 12.0},
        Analysis(f"Question? {text}", patient=Patient(age=stated), parts=(f"Question? {text}",)),
        (Round("first", text, 20, 40, 0.4, (text,), 3.0), Round("passages", text, 40, 80, 0.8)),
        (Inapplicable(statement(text, "c"), f"not for them: {text}", "age"),),
        (agreement, three), ("How old is the patient?",),
    )  # fmt: skip


def note(text: str = "Drug A is first.") -> NoteCheck:
    whole = f"Intro. {text}"
    against = NoteEvidence(cited(text), "contradicted", None, (Check("numbers", "fail", text),))
    one = CheckedSentence(0, 6, "Intro.", "claim", "not_covered", reason=text)
    two = CheckedSentence(7, 7 + len(text), text, "claim", "contradicted", (against,))
    return NoteCheck("note", whole, (one, two), warnings=(text,))


FORMS = {"text": answer_text, "markdown": answer_markdown, "fragment": answer_html,
         "page": answer_page}  # fmt: skip
NOTE_FORMS = {"text": note_text, "markdown": note_markdown, "fragment": note_html,
              "page": note_page}  # fmt: skip


class Tags(HTMLParser):
    """What an HTML text is made of."""

    ALLOWED = frozenset(
        "html head meta title style body main div h1 h2 h3 h4 p figure blockquote figcaption table"
        " caption thead tbody tr th td details summary ul li span mark br".split()
    )

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.ALLOWED, tag
        for name, _ in attrs:
            assert name in {"class", "role", "lang", "charset", "name", "content", "scope",
                            "http-equiv", "data-head"}, name  # fmt: skip
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("form", ["fragment", "page"])
def test_html_is_well_formed_and_has_only_our_tags_whatever_a_source_says(form: str) -> None:
    for text in (HOSTILE, "Drug A is first.", "' onclick='x", '" onclick="x', "</style><p>"):
        for shown in (FORMS[form](full(text)), NOTE_FORMS[form](note(text))):
            found = Tags(shown)
            top = 1 if form == "page" else 3
            assert found.headings[0] == top and found.headings.count(top) == 1
            assert all(h in (top, top + 1) for h in found.headings)


def test_markdown_makes_no_tag_link_image_heading_or_code_of_a_source() -> None:
    reader = MarkdownIt("gfm-like", {"linkify": False}).enable("table")
    for made, plain in ((answer_markdown(full(HOSTILE)), answer_markdown(full("Plain."))),
                        (note_markdown(note(HOSTILE)), note_markdown(note("Plain.")))):  # fmt: skip
        tokens = reader.parse(made)
        kinds = [t.type for t in tokens]
        inner = [c for t in tokens if t.children for c in t.children]
        assert not {"link_open", "image", "code_inline", "s_open", "em_open"} & {
            c.type for c in inner
        }
        assert not {"fence", "code_block", "hr"} & set(kinds)
        inline = {c.content for c in inner if c.type == "html_inline"}
        assert inline <= {"<br>"}
        blocks = {t.content.split("\n")[0] for t in tokens if t.type == "html_block"}
        assert blocks <= {"<details>", "</details>"}
        expected = [t.type for t in reader.parse(plain)]
        for kind in ("heading_open", "table_open", "tr_open", "bullet_list_open"):
            assert kinds.count(kind) == expected.count(kind), kind
        assert "https://evil" not in made and "www.evil" not in made
        shown = " ".join(c.content for c in inner if c.type == "text")
        assert "[open](javascript:alert(3))" in shown and "**bold**" in shown


@pytest.mark.parametrize("form", [*FORMS])
def test_no_control_or_directional_character_is_passed_on(form: str) -> None:
    for shown in (FORMS[form](full(HOSTILE)), NOTE_FORMS[form](note(HOSTILE))):
        assert "\x1b" not in shown and "\u202e" not in shown


@pytest.mark.parametrize("form", [*FORMS])
def test_record_and_json_render_alike_and_old_answers_render(form: str) -> None:
    answer = full()
    plain = json.loads(json.dumps(answer.to_json()))
    assert FORMS[form](answer) == FORMS[form](plain)
    for newer in ("analysis", "rounds", "inapplicable", "agreements", "follow_up"):
        del plain[newer]
    for statement in plain["statements"]:
        del statement["part"]
    assert "Drug A is first." in FORMS[form](plain)
    assert NOTE_FORMS[form](note()) == NOTE_FORMS[form](note().to_json())


@pytest.mark.parametrize("form", [*FORMS])
def test_all_that_an_answer_has_is_shown_the_emergency_first(form: str) -> None:
    shown = " ".join(FORMS[form](full()).split())
    for words in (
        "2 sources agree, of 2 publishers", "3 sources agree", "Sources disagree",
        "Grade B (USPSTF)", "2024-05", "newer", "older", "advised against",
        "Not for this patient", "Not applicable: not for them", "How old is the patient?",
        "—treats→ gout",
    ):  # fmt: skip
        assert words in shown, words
    emergency, warning = notice("emergency")[:30], notice("superseded")[:30]
    assert shown.index(emergency) < shown.index(warning) < shown.index("page 3")
    assert shown.index("Sources disagree") < shown.index("Not for this patient")


def test_statements_of_one_document_stand_as_they_stand_there() -> None:
    made = full()
    shown = answer_text(made)
    places = [int(n) for n in re.findall(r"\] On \w; Part; page 3; characters (\d+)", shown)]
    assert places[:3] == [5, 50, 9]


def test_parts_of_a_question_have_their_own_heading_and_an_unanswered_one_says_so() -> None:
    parts = ("What is gout?", "How is gout treated?", "What does gout cost?")
    answer = Answer(
        "answer_1", "What is gout, how is it treated and what does it cost?", False, None,
        (statement("Colchicine first.", "b", part=1), statement("Gout is a disease.", "a")),
        analysis=Analysis("q", parts=parts),
    )  # fmt: skip
    shown = answer_text(answer)
    order = [
        parts[0], "Gout is a disease.", parts[1], "Colchicine first.", parts[2], "No answer to this"
    ]  # fmt: skip
    assert [shown.index(words) for words in order] == sorted(shown.index(w) for w in order)


def test_what_answers_the_whole_stands_under_no_part() -> None:
    answer = Answer(
        "answer_1", "Is A better than B for gout?", False, None,
        (replace(statement("A and B are alike.", "b"), part=None),),
        analysis=Analysis("q", parts=("What is known of A?", "What is known of B?")),
    )  # fmt: skip
    for render in (answer_text, answer_markdown, answer_html):
        shown = render(answer)
        assert "alike" in shown
        assert "What is known" not in shown
        assert "No answer" not in shown


def test_a_path_that_a_citation_shows_is_not_quoted_again() -> None:
    made = full("Drug A is first.")
    step = made.evidence.paths[0][0]
    statement_ = statement("Drug A is first.")
    again = replace(made, statements=(statement_,), evidence=EvidenceChain(paths=((step,),)))
    shown = answer_text(again).partition("Path:")[2]
    assert "(in [1])" in shown
    assert "“Drug A" not in shown.partition("Taken into")[0]
    far = replace(step, citation=cited("Drug A is first.", "z"))
    other = replace(again, evidence=EvidenceChain(paths=((far,),)))
    assert "“Drug A" in answer_text(other).partition("Path:")[2].partition("Taken into")[0]


def test_what_is_no_answer_looks_like_none() -> None:
    page = answer_page(full())
    assert page.count("<figure class='apart'>") == len(full().inapplicable)
    none = Answer(
        "a", "q?", True, "No.",
        evidence=EvidenceChain(passages=(Hit(cited("Gout.").document, "psg", "Gout.", 0, 5, 1.0),)),
    )  # fmt: skip
    shown = answer_page(none)
    assert shown.count("<figure") == shown.count("<figure class='apart'>") == 1


def test_places_are_numbered_through() -> None:
    shown = answer_text(full())
    said = [int(n) for n in re.findall(r"\[(\d+)\] On", shown)]
    assert said == list(range(1, len(said) + 1))


def test_an_abstention_shows_the_nearest_as_no_answer() -> None:
    hit = Hit(cited("x").document, "pas", "Some words.", 0, 11, 1.0)
    answer = Answer("a", "q?", True, "Not covered.", evidence=EvidenceChain(passages=(hit,)))
    for form in FORMS.values():
        shown = form(answer)
        assert shown.index("Not covered.") < shown.index("Nearest evidence (not an answer)")
        assert "“Some words.”" not in shown  # no quotation marks: it is none of the answer


def test_a_page_loads_nothing_and_says_its_language() -> None:
    for page in (answer_page(full()), note_page(note())):
        assert "<html lang='en'>" in page and "default-src 'none'" in page
        assert "http" not in page.replace("http-equiv", "")
        assert "@import" not in page and "url(" not in page


def test_text_and_ground_have_contrast() -> None:
    from kgrag.render.style import STYLE

    pairs = 0
    for rule in re.findall(r"\{([^{}]*)\}", STYLE):
        ground = re.search(r"background:(#\w+)", rule)
        ink = re.search(r"(?<![-\w])color:(#\w+)", rule)
        if ground and ink:
            pairs += 1
            assert contrast(ground[1], ink[1]) >= 4.5, rule
    assert pairs >= 5
    for small in ("#4b5563", "#7a3b00", "#1f4f8b"):
        assert contrast("#ffffff", small) >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""

    def light(colour: str) -> float:
        digits = colour[1:]
        full = digits if len(digits) == 6 else "".join(d * 2 for d in digits)
        parts = [int(full[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_a_note_is_marked_in_place_with_its_correction() -> None:
    made = note("The dose is 5 mg.")
    for form in NOTE_FORMS.values():
        shown = form(made)
        assert "contradicted 1" in shown and "Correction proposed" in shown
        assert "1 contradicted, 0 supported, 1 not covered" in shown


def test_what_is_not_judged_is_counted_apart() -> None:
    made = note("The dose is 5 mg.")
    told = CheckedSentence(0, 6, "Intro.", "patient", "not_covered", reason="of this patient")
    aside = replace(made, sentences=(told, made.sentences[1]))
    assert "1 contradicted, 0 supported, 0 not covered, 1 of this patient" in note_text(aside)
    assert "of this patient" not in note_text(made)


def test_the_methods_of_the_records_give_the_forms(capsys: pytest.CaptureFixture[str]) -> None:
    answer, checked = full(), note()
    assert answer.to_markdown() == answer_markdown(answer)
    assert answer.to_html() == answer_page(answer)
    assert checked.to_markdown() == note_markdown(checked)
    assert checked.to_html() == note_page(checked)
    assert checked._repr_html_() == note_html(checked)
    checked.show()
    assert capsys.readouterr().out == note_text(checked) + "\n"
    plain: Mapping[str, Any] = answer.to_json()
    assert plain["statements"][0]["part"] == 0
