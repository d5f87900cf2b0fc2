"""Quotations: the same characters, or the same words written with other code points.

A citation of the engine must be equal to the stored text, character by character. Statements
that come from outside may differ in dashes, spaces, quotes and Greek letters of other code
points, and in case; ``fold`` removes just these differences and keeps a map back.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final, Protocol

from kgrag.records.answer import Check, Citation
from kgrag.records.text import Document, Span
from kgrag.sentences import sentences

DASHES: Final = dict.fromkeys("‐‑‒–—―−﹣－⁃", "-")
APOSTROPHES: Final = dict.fromkeys("‘’‚‛′ʼ`´", "'")
_QUOTES: Final = {**APOSTROPHES, **dict.fromkeys("“”„‟″«»", '"')}
_LETTERS: Final = {
    "µ": "μ", "Ω": "ω", "Å": "å", "K": "k", "ϐ": "β", "ϑ": "θ", "ϕ": "φ", "ϵ": "ε", "ς": "σ",
    "×": "x", "⁄": "/", "∕": "/", "≦": "≤", "≧": "≥", "⩽": "≤", "⩾": "≥",
}  # fmt: skip
_SAME: Final = {**DASHES, **_QUOTES, **_LETTERS}
_INVISIBLE: Final = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff")


@dataclass(frozen=True, slots=True)
class Folded:
    """``text`` with the differences removed; character i came from ``origin[i]``.

    ``origin`` has one more entry than ``text``: the length of what was folded.
    """

    text: str
    origin: tuple[int, ...]


def fold(text: str) -> Folded:
    """Case, dashes, quotes, Greek look-alikes and runs of white space made one form."""
    characters: list[str] = []
    origin: list[int] = []
    for at, character in enumerate(text):
        if character in _INVISIBLE:
            continue
        if character.isspace():
            if characters and characters[-1] != " ":
                characters.append(" ")
                origin.append(at)
            continue
        same = _SAME.get(character)
        if same is None:
            # Full-width forms and ligatures; superscripts stay, since 10² is not 102.
            kind = unicodedata.decomposition(character).partition(" ")[0]
            compatible = kind in ("<wide>", "<narrow>") or character in "ﬀﬁﬂﬃﬄ"
            same = unicodedata.normalize("NFKC", character) if compatible else character
        for piece in same.lower():
            characters.append(piece)
            origin.append(at)
    while characters and characters[-1] == " ":
        characters.pop()
        origin.pop()
    return Folded("".join(characters), (*origin, len(text)))


def fold_text(text: str) -> str:
    """``fold(text).text``, made without the way back: much faster for plain text."""
    if not text.isascii():
        return fold(text).text
    return " ".join(text.translate(_ASCII).lower().split())


_ASCII: Final = {ord(c): to for c, to in _SAME.items() if c.isascii()}


def find_quote(quote: str, text: str) -> Span | None:
    """The first span of ``text`` that reads like ``quote``, on word boundaries; else None.

    The characters of the span are those of ``text``, which may differ from ``quote`` in what
    ``fold`` removes. An empty quotation is found nowhere.
    """
    needle, hay = fold(quote).text, fold(text)
    at = hay.text.find(needle) if needle else -1
    while at >= 0:
        end = at + len(needle)
        if _is_edge(hay.text, at) and _is_edge(hay.text, end):
            return Span(hay.origin[at], hay.origin[end - 1] + 1)
        at = hay.text.find(needle, at + 1)
    return None


def _is_edge(text: str, at: int) -> bool:
    if at in (0, len(text)):
        return True
    before, after = text[at - 1], text[at]
    if before.isalnum() and after.isalnum():
        return False
    # "0.5 mg" must not be found in "10.5 mg", nor "5 mg" in "0.5 mg" or "2,5 mg".
    if after.isdigit() and before in ".,-/" and at >= 2 and text[at - 2].isdigit():
        return False
    return not (before.isdigit() and after in ".,/" and text[at + 1 : at + 2].isdigit())


def whole_sentences(text: str, start: int, end: int) -> bool:
    """Whether ``[start, end)`` begins and ends where sentences of ``text`` begin and end."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    spans = sentences(text, line_start, len(text) if line_end < 0 else line_end)
    return any(s.start == start for s in spans) and any(s.end == end for s in spans)


class ReadsDocuments(Protocol):
    """What the check of a citation reads the stored text from."""

    def document(self, document_id: str) -> Document: ...


def check_span(citation: Citation, text: str, truth: ReadsDocuments) -> Check:
    """Pass when the stored text, read anew, holds the quotation at its offsets, as the statement.

    The quotation must be whole sentences or whole rows and equal to the statement's ``text``.
    """
    stored = truth.document(citation.document.id).text
    if stored[citation.start : citation.end] != citation.quote:
        return Check("span", "fail", "the stored text reads otherwise", "fabricated source")
    if citation.quote != text:
        return Check("span", "fail", "the statement is not its quotation", "fabricated source")
    if not whole_sentences(stored, citation.start, citation.end):
        return Check("span", "fail", "the quotation cuts a sentence", "incomplete chain")
    return Check("span", "pass", f"stored text [{citation.start}, {citation.end})")
