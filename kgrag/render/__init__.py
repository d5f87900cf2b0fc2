"""Answers, checked notes and lists for people: text for the terminal, Markdown, HTML.

All take the record or its JSON form, and make what documents say harmless: no terminal control
character, no markup and no HTML of a source is ever passed on.
"""

from __future__ import annotations

from kgrag.render.html import answer_html, answer_page
from kgrag.render.lines import explained_text, hits_text, mentions_text, verdict_text
from kgrag.render.markdown import answer_markdown
from kgrag.render.notes import note_html, note_markdown, note_page, note_text
from kgrag.render.text import answer_text
from kgrag.render.words import plain

__all__ = [
    "answer_html",
    "answer_markdown",
    "answer_page",
    "answer_text",
    "explained_text",
    "hits_text",
    "mentions_text",
    "note_html",
    "note_markdown",
    "note_page",
    "note_text",
    "plain",
    "verdict_text",
]
