"""Text that a page keeps from the eye is not read; text that it only lays out or folds is."""

from __future__ import annotations

import time

import pytest

from kgrag_ingest.readers.html import HtmlReader


def read(body: str, head: str = "") -> str:
    page = (
        f"<html><head>{head}</head><body><p>Seen before.</p>{body}<p>Seen after.</p></body></html>"
    )
    (reading,) = HtmlReader().read(page.encode(), uri="page.html")
    assert not isinstance(reading, Exception)
    assert "Seen before." in reading.text and "Seen after." in reading.text
    return reading.text


UNSEEN = [
    "display:none",
    "DISPLAY : NONE !important",
    "visibility:hidden",
    "opacity:0",
    "opacity: 0%",
    "position:absolute; left:-9999px",
    "position:fixed;top:-200em",
    "position:relative; left:-5000px",
    "text-indent:-9999px",
    "font-size:0",
    "font-size: 0.5px",
    "transform: scale(0)",
    "clip: rect(0,0,0,0); position:absolute",
    "clip-path: inset(50%)",
    "height:0; overflow:hidden",
    "color: transparent",
    "color: rgba(0, 0, 0, 0)",
    "color:#fff; background:#ffffff",
    "color: white; background-color: rgb(255, 255, 255)",
]
SEEN = [
    "",
    "color: white",  # on what ground is not said here
    "color:#fff; background:#003366",
    "opacity:0.9",
    "opacity: 60%",
    "position:relative; left:-100%",
    "position:absolute; left:-12px",
    "margin-left:-100%",
    "text-indent:-18pt",
    "font-size:0.8em",
    "font-size: small",
    "transform: scale(0.9)",
    "height: 0.5in; overflow: hidden",
    "overflow:hidden",
    "display:block; content: none",
    "broken",
]


@pytest.mark.parametrize("style", UNSEEN)
def test_what_nobody_sees_is_not_read(style: str) -> None:
    assert "secret" not in read(f'<p style="{style}">A secret order.</p>')
    assert "secret" not in read(
        '<p class="x">A secret order.</p>', f"<style>.x {{{style}}}</style>"
    )
    cell = f'<td>5 mg<span style="{style}">secret</span></td>'
    row = f"<table><tr><th>Dose</th></tr><tr>{cell}</tr></table>"
    assert "secret" not in read(row)


@pytest.mark.parametrize("style", SEEN)
def test_what_is_laid_out_is_read(style: str) -> None:
    assert "Advice" in read(f'<p style="{style}">Advice in full.</p>')
    assert "Advice" in read('<p class="x">Advice in full.</p>', f"<style>.x{{{style}}}</style>")


def test_what_a_script_may_unfold_is_read() -> None:
    folded = "<style>.panel{display:none}</style>"
    panel = '<div class="panel">Advice in full.</div>'
    assert "Advice" not in read(panel, folded)
    assert "Advice" in read(panel, folded + "<script>open()</script>")
    moved = "<style>.panel{position:absolute;left:-9999px}</style><script>open()</script>"
    assert "Advice" not in read(panel, moved)


@pytest.mark.parametrize(
    "sheet",
    [
        "@media print {.x{display:none}}",
        ".x:hover{display:none}",
        ".y{color:red} .x{color:red",
        "}}}{{{",
        ".x{}",
        "/* .x{display:none} */",
        "@import url(a.css); .y{display:none}",
        "body{display:none}",
        "[[[{display:none}",
    ],
)
def test_rules_for_a_moment_or_a_medium_hide_nothing(sheet: str) -> None:
    assert "Advice" in read('<p class="x">Advice in full.</p>', f"<style>{sheet}</style>")


def test_letters_of_no_size_around_others_are_a_way_to_lay_out() -> None:
    assert "Advice" in read('<div style="font-size:0"><p>Advice in full.</p></div>')
    assert "secret" not in read('<p>Advice.<span style="font-size:0">secret</span></p>')


def test_nested_media_rules_end_where_they_end() -> None:
    sheet = "<style>@media print {.a{color:red} .b{color:red}} .x{display:none}</style>"
    assert "secret" not in read('<p class="x">secret</p>', sheet)


def test_hidden_elements_inside_each_other_are_harmless() -> None:
    inside = "<div class='x'>" * 40 + "secret" + "</div>" * 40
    assert "secret" not in read(inside, "<style>.x{display:none} div div{opacity:0}</style>")


def test_many_rules_take_no_long_time() -> None:
    rules = "".join(f".a{n}{{display:none}}" for n in range(5000))
    body = "".join(f"<p class='b{n}'>Advice {n}.</p>" for n in range(2000))
    begin = time.process_time()
    assert "Advice 1999." in read(body, f"<style>{rules}</style>")
    assert time.process_time() - begin < 10
