"""Sentence spans of stored text.

A newline always ends a sentence (a block of stored text is one line). Inside a block a sentence
ends at ``.``, ``!`` or ``?`` with the quotes, brackets and reference marks that follow it, when
white space comes next and the next sentence can begin there. A full stop does not end one after
an abbreviation, an initial, a list number or inside a number. Rules only, one pass, no model.
"""

from __future__ import annotations

import re
from typing import Final

from kgrag.records.text import Span

# A full stop after these is part of the word. Lower case, without the stop.
_ABBREVIATIONS: Final = frozenset(
    """
    al approx art assn ca cf cp cps ch chap col dept dr ed eds e.g eg eq eqs esp est et etc
    ex fig figs hon i.e ie inc incl jr lab lt ltd max med min mr mrs ms mt no nos obs op p
    para pp prof pt pts ref refs resp sec sect sp spp sr ss st subsp suppl tab tabs temp u.s
    u.k univ vol vols viz vs var
    """.split()
)
# These end a sentence when a capital follows, because they often stand last.
_MAY_END: Final = frozenset({"etc", "al", "inc", "ltd", "jr", "sr", "spp", "pts"})
# A bracket that is still open after so many characters is a slip, not a parenthesis.
_LONGEST_BRACKET: Final = 400

_END: Final = re.compile(
    r"""
    [.!?…]+                              # the end mark
    (?:["'’”»)\]]+)?                     # closing quotes and brackets
    (?:\[[\d,\s–-]{1,20}\]|\(\d{1,3}(?:[,–-]\s?\d{1,3})*\))*   # [1, 2] or (3): references
    (?=\s)
    """,
    re.VERBOSE,
)
_WORD_BEFORE: Final = re.compile(r"([A-Za-z][A-Za-z.]*|\d+)$")
_STARTS: Final = re.compile(r"[\s\"'“‘«(\[]*(?:[^\W\d_]|\d|[≥≤<>~±•*–—-])")
_LINE: Final = re.compile(r"[^\n]+")


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """The sentence spans of ``text[start:end]``, in order, without outer white space.

    Together they cover every character that is not white space. Offsets are into ``text``.
    """
    stop = len(text) if end is None else end
    spans: list[Span] = []
    for line in _LINE.finditer(text, start, stop):
        begin = line.start()
        for mark in _END.finditer(text, line.start(), line.end()):
            if mark.end() < line.end() and _is_boundary(text, begin, mark, line.end()):
                _append(spans, text, begin, mark.end())
                begin = mark.end()
        _append(spans, text, begin, line.end())
    return spans


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        begin = start + len(piece) - len(piece.lstrip())
        spans.append(Span(begin, begin + len(stripped)))


def _is_boundary(text: str, begin: int, mark: re.Match[str], line_end: int) -> bool:
    following = _STARTS.match(text, mark.end(), line_end)
    if following is None:
        return False
    if _in_bracket(text, begin, mark.end()):
        return False
    next_char = text[following.end() - 1]
    if not mark.group().startswith(".") or mark.group().startswith(".."):
        return not next_char.islower() or mark.group()[0] in "!?"
    word = _WORD_BEFORE.search(text, max(begin, mark.start() - 24), mark.start())
    if word is not None:
        token = word.group(1)
        lower = token.lower()
        if lower in _ABBREVIATIONS:
            return lower in _MAY_END and next_char.isupper()
        # "J. Smith", "E. coli": an initial, unless it ends a phrase ("vitamin C.").
        if len(token) == 1 and token.isupper():
            return next_char.isupper() and _ends_phrase(text, begin, word.start())
        # "1. Assess the airway": a list number at the start of the sentence.
        if token.isdigit() and text[begin : word.start()].strip() == "":
            return False
    return not next_char.islower()


def _in_bracket(text: str, begin: int, end: int) -> bool:
    """A round bracket is open at ``end`` that was opened not long before."""
    opened = text.rfind("(", max(begin, end - _LONGEST_BRACKET), end)
    return opened >= 0 and text.count("(", opened, end) > text.count(")", opened, end)


_PHRASE_BEFORE_LETTER: Final = re.compile(
    r"(?i)\b(?:vitamins?|hepatitis|grade|class|type|group|stage|category|level|influenza|factor|"
    r"appendix|table|figure|and|or)\s+$"
)


def _ends_phrase(text: str, begin: int, at: int) -> bool:
    return _PHRASE_BEFORE_LETTER.search(text, begin, at) is not None


_LABEL: Final = re.compile(
    r"\s*(?:(?:key|main|general|practical|practice|clinical|implementation|supporting|good|other)\s)?"
    r"(?:considerations?|points?|recommendations?|remarks?|notes?|rationale|background|summary|"
    r"overview|principles|messages|comments?|statements?)\s*:\s*",
    re.IGNORECASE,
)


def is_label(sentence: str) -> bool:
    """Whether a lead-in only says what kind of text follows ("Implementation considerations:").

    Its items say as much without it. Every other lead-in may hold whom or what they are about.
    """
    return _LABEL.fullmatch(sentence) is not None


def stands_alone(line: str) -> bool:
    """Whether an item of a list is a sentence: of five words or more, with an end mark."""
    return len(line.split()) >= 5 and line.rstrip().endswith((".", "!", ";"))
