"""Lines of plain prose to blocks: wrapped lines joined, bullets and plain headings recognised.

For text whose structure is on the page and not in marks: plain text files, Markdown that was
pasted from a PDF, text fields of JSONL records.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from kgrag_ingest.readers.build import TextBuilder, clean

BULLETS: Final = "•◦▪▫■□●○‣⁃∙·・➢➤►▶✓✔❖◆◇⇒\uf0b7\uf0a7\uf0d8"
_BULLET: Final = re.compile(
    rf"\s*(?:[{BULLETS}]+|[-*+–—o](?=\s)|-(?=[A-Z][a-z])|\\[-*+](?=\s))\s*(?=\S)"
)
# A bullet on a line of its own was torn off its item; which one it was is not known.
_LONE_BULLET: Final = re.compile(rf"\s*[{BULLETS}]+\s*$")
_NUMBER: Final = re.compile(r"\s*(?:\d{1,3}[.)]|\(?[a-zA-Z]\)|\(?[ivx]{1,5}\)|[a-z]\.)\s+(?=\S)")
_NUMBERED_HEADING: Final = re.compile(r"\s*\d{1,3}(?:\.\d{1,3}){0,4}\.?\s+[A-Z]")
_BOX_RULE: Final = re.compile(r"^[\s─-╿+=|-]*$")
_BOX: Final = re.compile("[│┃║]")
_RULE: Final = re.compile(r"^\s*[-=_*~#]{3,}\s*$")
_ENDS: Final = (".", "!", "?", ";", "…", ".”", '."', ".)")
# Words that a heading does not end with, but a wrapped line often does.
_GOES_ON: Final = frozenset(
    re.findall(
        r"\S+",
        """
        a an the of and or to in for with by at from on as is are be was were has have that which
        who if when than not no may should must can will e.g. i.e. per via its their this these
        also such including between into over under any all each other
        """,
    )
)
# Lines of these words join what stands around them, and head nothing.
_JOINS: Final = frozenset(
    {"or", "and", "plus", "then", "and/or", "either", "alternatively", "otherwise", "note", "nb"}
)
_HEADING_CHARS: Final = 80
_HEADING_WORDS: Final = 9
_INTRO_WORDS: Final = 3
# Shorter than this beside long lines, a line was ended on purpose and not wrapped.
_WRAP_MIN: Final = 60
_WRAP_MAX: Final = 140


def add_lines(
    out: TextBuilder,
    lines: Sequence[str],
    *,
    level: int = 2,
    headings: bool = True,
    width: int | None = None,
    more: bool = False,
) -> None:
    """The blocks of ``lines``; headings found by their look open sections of ``level``.

    A line in capitals opens ``level``, another short line without an end mark that is followed by
    its text opens ``level + 1``. Lines that were wrapped are joined by a space; a bullet or a
    number begins a list item. ``width`` is where the whole source wraps its lines (see
    ``wrap_width``), by default that of ``lines``; ``more`` says that text follows them.
    """
    _Prose(out, lines, level, headings, wrap_width(lines) if width is None else width, more).run()


def wrap_width(lines: Sequence[str]) -> int:
    """The length that one line in ten reaches: where a source that wraps its lines does so."""
    lengths = sorted(len(line.rstrip()) for line in lines if line.strip())
    return lengths[int(len(lengths) * 0.9)] if lengths else 0


class _Prose:
    def __init__(
        self,
        out: TextBuilder,
        lines: Sequence[str],
        level: int,
        headings: bool,
        width: int,
        more: bool,
    ) -> None:
        self.out, self.level, self.headings = out, level, headings
        self.lines = [line for line in lines if not _LONE_BULLET.match(line)]
        self.width, self.more = width, more
        self.kind = ""
        self.pending: list[str] = []
        self.last_raw = 0

    def run(self) -> None:
        at = 0
        while at < len(self.lines):
            line = self.lines[at]
            if not line.strip() or _RULE.match(line):
                self.flush()
            elif _BOX.search(line) or (_BOX_RULE.match(line) and not line.strip(" ").isascii()):
                self.flush()
                at = self.box(at)
                continue
            elif (bullet := _BULLET.match(line)) is not None:
                self.begin("list_item", line[bullet.end() :], line)
            elif _NUMBER.match(line) and not self.is_number_within(line):
                self.begin("list_item", line, line)
            elif self.goes_on(line):
                self.pending.append(line)
                self.last_raw = len(line.rstrip())
            elif self.headings and (depth := self.heading_depth(at)):
                self.flush()
                self.out.heading(depth, line)
            else:
                self.begin("paragraph", line, line)
            at += 1
        self.flush()

    def begin(self, kind: str, text: str, raw: str) -> None:
        self.flush()
        self.kind, self.pending, self.last_raw = kind, [text], len(raw.rstrip())

    def flush(self) -> None:
        if not self.pending:
            return
        text = " ".join(self.pending)
        if self.kind == "list_item":
            self.out.list_item(text)
        else:
            self.out.paragraph(text)
        self.pending = []

    def goes_on(self, line: str) -> bool:
        """Whether ``line`` is the rest of the block before it."""
        if not self.pending:
            return False
        before = self.pending[-1].rstrip()
        text = line.strip()
        if text[0].islower() or before.endswith((",", "-", "–", "(", "/")):
            return True
        last = before.rsplit(None, 1)[-1].lower() if before else ""
        if last in _GOES_ON:
            return True
        if before.endswith((*_ENDS, ":")):
            # A full line may end with a full stop by accident; a short one ends its block.
            return not before.endswith(":") and self.is_full(self.last_raw)
        return self.is_full(self.last_raw)

    def is_full(self, length: int) -> bool:
        """Whether a line of that length was probably wrapped by its source."""
        if not _WRAP_MIN <= self.width <= _WRAP_MAX:
            return False
        # Far longer lines than the rest were not wrapped: a line is a paragraph there.
        return max(0.8 * self.width, _WRAP_MIN) <= length <= 1.3 * self.width

    def is_number_within(self, line: str) -> bool:
        """Whether a leading number belongs to a wrapped sentence ("… for \\n 5. Then")."""
        if not self.pending or self.kind != "paragraph":
            return False
        before = self.pending[-1].rstrip()
        return bool(before) and before.rsplit(None, 1)[-1].lower() in _GOES_ON

    def heading_depth(self, at: int) -> int:
        """The level that the line opens as a heading, 0 when it is none."""
        text = self.lines[at].strip()
        words = text.split()
        if len(text) > _HEADING_CHARS or not any(c.isalpha() for c in text):
            return 0
        if words[-1].lower() in _GOES_ON or text.endswith((*_ENDS, ",", "-")):
            return 0
        if text.rstrip(":").rstrip().lower() in _JOINS:
            return 0
        if text.endswith(":") and len(words) > _INTRO_WORDS:
            return 0  # it introduces a list and belongs to the text
        following = self.following(at)
        letters = [c for c in text if c.isalpha()]
        if len(letters) > 3 and all(c.isupper() for c in letters):
            return self.level if following or self.more else 0
        if _NUMBERED_HEADING.match(text) and following:
            return self.level
        if not text[0].isupper() or len(words) > _HEADING_WORDS or not following:
            return 0
        if self.wrapped_next(at):
            return 0
        return self.level + 1

    def following(self, at: int) -> str:
        return next((line.strip() for line in self.lines[at + 1 : at + 4] if line.strip()), "")

    def wrapped_next(self, at: int) -> bool:
        """Whether the next line goes on with this one, or this is one of several short lines."""
        if at + 1 >= len(self.lines) or not self.lines[at + 1].strip():
            return False
        after = self.lines[at + 1].strip()
        if after[0].islower():
            return True
        if _BULLET.match(after) or _NUMBER.match(after) or len(after) > 60:
            return False
        # "Urinalysis / Blood cultures / Chest X-ray": items of a list without bullets, unless a
        # list or a longer text comes right after the second line.
        return not after.endswith((".", ":"))

    def box(self, at: int) -> int:
        """The rows of a table drawn with lines; the index after it."""
        rows: list[list[str | None]] = []
        while at < len(self.lines):
            line = self.lines[at]
            if _BOX.search(line):
                cells = [clean(cell) for cell in _BOX.split(line.strip().strip("│┃║"))]
                if any(cells):
                    rows.append(list(cells))
            elif not (line.strip() and _BOX_RULE.match(line) and not line.strip().isascii()):
                break
            at += 1
        self.out.table((), rows)
        return at
