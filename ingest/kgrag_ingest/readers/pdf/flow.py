"""From columns of lines to blocks: headings, paragraphs, list items, tables, across pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from kgrag_ingest.readers.build import Row, TextBuilder
from kgrag_ingest.readers.pdf.glyphs import Line
from kgrag_ingest.readers.pdf.layout import Grid, Item, PageContent

Kind = Literal["heading", "paragraph", "list_item"]

_BULLET = re.compile(r"o$|[●•◦○▪■‣⁃∙·\uf0b7\uf0a7➢✓–-]$")
_NUMBERED = re.compile(r"(?:\d{1,2}[.)]|[a-z][.)]|\((?:\d{1,2}|[a-z]|[ivx]{1,4})\))$")
_ENDS = re.compile(r"[.?!:;…][\"'”’)\]]*\d{0,3}$")
_OPEN_END = re.compile(r"[.?!:][\"'”’)\]]*\d{0,3}$")
_TAGGED = re.compile(r"(?:Title|H([1-6])?)$")
_REFERENCES = re.compile(r"(?i)(?:\d+\.?\s+)?(?:references|bibliography|literature cited)$")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
# Times the size of the body: from here on, lines are headings.
_BIG = 1.08
_QUOTES = "\"'“”‘’«»([{"
# Words that a number comes after: at a line's end, the number of the next line is theirs.
_WANTS_NUMBER = re.compile(
    r"(?i)(?:^|[\s(])(?:recommendations?|tables?|fig(?:ures?|s)?\.?|box(?:es)?|sections?|chapters?|"
    r"appendix|steps?|stages?|types?|grades?|class|categor(?:y|ies)|pages?|parts?|to|of|than|for|at|"
    r"with|by|in|from|about|every|least|most|is|are|was|were|[≥≤<>=±~–-])$"
)


@dataclass(slots=True)
class _Run:
    """Lines that make one block."""

    kind: Kind
    lines: list[Line]
    level: int = 0


@dataclass(slots=True)
class Fonts:
    """What the document's own fonts mean: the body's size, and a level for each heading font."""

    body: float
    levels: dict[tuple[float, bool], int]


@dataclass(slots=True)
class Spelling:
    """Words of the document, to tell a hyphen of the line break from one of the word."""

    words: Counter[str] = field(default_factory=Counter)
    breaks: bool = False

    @classmethod
    def of(cls, pages: Sequence[PageContent]) -> Spelling:
        made = cls()
        hyphens = lines = 0
        for page in pages:
            for line in page.lines:
                text = line.text
                lines += 1
                hyphens += text.endswith("-")
                made.words.update(w.lower() for w in _WORD.findall(text.rstrip("-")))
        made.breaks = hyphens > 0.03 * lines
        return made

    def joined(self, before: str, after: str) -> str:
        """Two lines of one block as one text."""
        if not before.endswith("-") or before.endswith((" -", "--")) or not after:
            return f"{before} {after}"
        left = re.search(r"[^\W\d_]+(?:-[^\W\d_]+)*-$", before)
        right = re.match(r"[^\W\d_]+", after)
        if not left or not right:
            return before + after
        head, tail = left.group()[:-1].lower(), right.group().lower()
        whole, kept = self.words[head + tail], self.words[f"{head}-{tail}"]
        hard = kept > whole or (not whole and not self.breaks) or not right.group().islower()
        return before + after if hard else before[:-1] + after


def fonts_of(pages: Sequence[PageContent]) -> Fonts:
    """The body size by characters, and heading levels by size, then weight."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page.lines:
            sizes[line.size] += len(line.text)
    body = sizes.most_common(1)[0][0] if sizes else 10.0
    looks = {
        (line.size, line.bold)
        for page in pages
        for line in page.lines
        if line.size >= body * _BIG or (line.bold and line.size >= body * 0.95)
    }
    order = sorted(looks, reverse=True)
    return Fonts(body, {look: min(at + 1, 6) for at, look in enumerate(order)})


class Flow:
    """Writes pages to a builder, joining what runs over columns and pages."""

    def __init__(self, builder: TextBuilder, fonts: Fonts, spelling: Spelling) -> None:
        self._out, self._fonts, self._spelling = builder, fonts, spelling
        self._open: Kind | None = None  # the last block, when it may go on
        self._tail = ""
        self._fresh = False  # at the first block of a column
        self._header: tuple[str, ...] = ()
        self._references = False
        self.title: str | None = None
        self._title_size = 0.0

    def page(self, page: PageContent, columns: Sequence[Sequence[Item]]) -> None:
        """Add a page."""
        self._out.page(page.number, page.label)
        for column in columns:
            start = True
            for part in self._runs(column, page.width):
                self._fresh = start
                start = False
                if isinstance(part, Grid):
                    self._table(part)
                else:
                    self._block(part, page.number)

    def _block(self, run: _Run, number: int) -> None:
        text = run.lines[0].text
        for line in run.lines[1:]:
            text = self._spelling.joined(text, line.text)
        if run.kind == "heading" and self._breaks_sentence(run, text):
            run = _Run("paragraph", run.lines)
        if run.kind == "heading":
            self._references = bool(_REFERENCES.match(text))
            self._out.heading(run.level, text)
            if number == 1 and run.lines[0].size > self._title_size:
                self.title, self._title_size = text, run.lines[0].size
            self._open = None
            return
        if self._goes_on(run, text):
            glued = self._spelling.joined(self._tail, text)
            start = len(self._tail)
            if glued.startswith(self._tail):
                more = glued[start:]
                self._out.extend(more, "" if not more.startswith(" ") else " ")
            else:
                # The hyphen of the break is already written: the word keeps it.
                self._out.extend(text, "")
        elif self._references:
            self._out.reference(text)
            self._open = None
            return
        elif run.kind == "list_item":
            self._out.list_item(_unbulleted(text))
        else:
            self._out.paragraph(text)
        self._open, self._tail = run.kind, text

    def _goes_on(self, run: _Run, text: str) -> bool:
        """Whether the block runs on from the column or page before."""
        if self._open is None or run.kind != "paragraph" or _OPEN_END.search(self._tail):
            return False
        return self._fresh and (
            text[0].islower() or text[0] in "(,;≥≤<>" or text[0].isdigit() or len(self._tail) > 60
        )

    def _breaks_sentence(self, run: _Run, text: str) -> bool:
        """Bold words at the top of a page that carry on the paragraph before it."""
        return (
            not _TAGGED.match(run.lines[0].tag or "")
            and self._open is not None
            and self._fresh
            and not _ENDS.search(self._tail)
            and (len(self._tail) > 60 or not text[0].isupper())
        )

    def _table(self, grid: Grid) -> None:
        head, rows = grid.rows[0], grid.rows[1:]
        header = tuple(cell or "" for cell in head)
        if self._header and len(self._header) == len(header) and not _is_header(head):
            header, rows = self._header, grid.rows
        elif not _is_header(head):
            header, rows = (), grid.rows
        body: list[Row] = [tuple(cell if cell else "" for cell in row) for row in rows]
        self._out.table(header, body)
        self._header = header
        self._open = None

    def _runs(self, column: Sequence[Item], width: float) -> list[_Run | Grid]:
        lines = [item for item in column if isinstance(item, Line)]
        leading = _leading(lines)
        left = _mode([round(line.x0) for line in lines])
        right = max((line.x1 for line in lines), default=width)
        first = min((line.x0 for line in lines), default=0.0)
        # Bold words in a tagged paragraph that goes on plainly are emphasis.
        plain = {
            line.element
            for line in lines
            if line.element is not None and not line.bold and line.size < self._fonts.body * _BIG
        }
        references = self._references
        runs: list[_Run | Grid] = []
        last: Line | None = None
        for item in column:
            if isinstance(item, Grid):
                runs.append(item)
                last = None
                continue
            kind, level = self._kind(item)
            if (
                kind == "heading"
                and not _TAGGED.match(item.tag or "")
                and (
                    item.element in plain
                    or (last is not None and _mid_sentence(last, item, leading))
                )
            ):
                kind, level = "paragraph", 0
            run = runs[-1] if runs and isinstance(runs[-1], _Run) else None
            if kind != "list_item" and run is not None and _same_look(run, item, leading):
                kind, level = run.kind, run.level
            if (
                run is None
                or last is None
                or self._parts(
                    run, last, item, kind, level, leading, left, right, first, references
                )
            ):
                runs.append(_Run(kind, [item], level))
                if kind == "heading":
                    references = bool(_REFERENCES.match(item.text))
            else:
                run.lines.append(item)
            last = item
        runs = _mended(runs)
        for at, run_ in enumerate(runs):
            if isinstance(run_, _Run) and run_.kind == "heading" and not _heading_like(run_):
                runs[at] = _Run("paragraph", run_.lines)
        return runs

    def _kind(self, line: Line) -> tuple[Kind, int]:
        first = line.words[0].text
        tagged = _TAGGED.match(line.tag or "")
        if tagged:
            return "heading", int(tagged.group(1) or 1)
        numbered = len(line.words) > 1 and _NUMBERED.match(first)
        if len(line.words) > 1 and _BULLET.match(first):
            return "list_item", 0
        # Many sources tag their headings as paragraphs, so the font has a say there too.
        if line.tag in (None, "P", "Document") and not first.lstrip(_QUOTES)[:1].islower():
            big = line.size >= self._fonts.body * _BIG
            if big or (line.bold and line.size >= self._fonts.body * 0.95 and not numbered):
                return "heading", self._fonts.levels.get((line.size, line.bold), 6)
        return ("list_item", 0) if numbered else ("paragraph", 0)

    def _parts(
        self,
        run: _Run,
        last: Line,
        line: Line,
        kind: Kind,
        level: int,
        leading: float,
        left: float,
        right: float,
        first: float,
        references: bool,
    ) -> bool:
        """Whether ``line`` begins a new block after ``last``."""
        gap = line.middle - last.middle
        ended = bool(_ENDS.search(last.text))
        if kind == "heading" or run.kind == "heading":
            same = line.element == last.element
            return kind != run.kind or level != run.level or gap > 1.7 * leading or not same
        if references:
            # Entries hang: the first line of each stands further left than the rest.
            return line.x0 <= first + 2
        if line.element is not None and line.element == last.element:
            # A tag that says "one block" is believed, less a bullet or number of its own.
            return kind == "list_item" and ended and not _wants(run, line)
        if line.element is not None and last.element is not None:
            return True
        if len(run.lines) > 1:
            # A block set wider than the rest of the page keeps its own spacing.
            leading = max(leading, run.lines[-1].middle - run.lines[-2].middle)
        if gap > 1.9 * leading or gap < -leading:
            return True
        if kind == "list_item":
            return not _wants(run, line)
        if run.kind == "list_item":
            return line.x0 < run.lines[0].x0 + 0.4 * line.size and (ended or gap > 1.3 * leading)
        if gap > 1.45 * leading:
            return True
        indented = line.x0 > left + 0.8 * line.size
        short = last.x1 < right - 0.25 * (right - left)
        if ended and (short or (indented and last.x0 < line.x0 - 0.8 * line.size)):
            return True
        return abs(line.size - last.size) > 0.15 * last.size and ended


def _wants(run: _Run, line: Line) -> bool:
    """Whether the number that ``line`` begins with belongs to the sentence before it."""
    number = line.words[0].text
    if not _NUMBERED.match(number) or number.startswith("("):
        return False
    before = " ".join(part.text for part in run.lines)
    if number.endswith(")") and before.count("(") > before.count(")"):
        return True
    # A short line such as "Recommendations" introduces the list that begins after it.
    wrapped = len(run.lines[-1].text) > 40
    return wrapped and number[0].isdigit() and _WANTS_NUMBER.search(before) is not None


def _mended(runs: list[_Run | Grid]) -> list[_Run | Grid]:
    """A heading and the paragraph that carries on its words, as one block."""
    out: list[_Run | Grid] = []
    for run in runs:
        last = out[-1] if out else None
        if (
            isinstance(run, _Run)
            and isinstance(last, _Run)
            and last.kind == "heading"
            and run.kind == "paragraph"
            and run.lines[0].text[0].islower()
        ):
            tagged = _TAGGED.match(last.lines[0].tag or "")
            both = [*last.lines, *run.lines]
            keep = tagged and len(both) <= 4
            out[-1] = _Run("heading" if keep else "paragraph", both, last.level)
        else:
            out.append(run)
    return out


def _same_look(run: _Run, line: Line, leading: float) -> bool:
    """Whether ``line`` is the next of a heading's own lines, whatever letter it begins with."""
    last = run.lines[-1]
    return (
        run.kind == "heading"
        and (line.size, line.bold, line.tag) == (last.size, last.bold, last.tag)
        and 0 < line.middle - last.middle < 1.3 * max(leading, 1.2 * line.size)
        and not _OPEN_END.search(last.text)
    )


def _mid_sentence(last: Line, line: Line, leading: float) -> bool:
    """A line set in bold that only carries on the sentence before it."""
    return (
        line.tag is None
        and line.size == last.size
        and not last.bold
        and not _ENDS.search(last.text)
        and line.middle - last.middle < 1.3 * leading
    )


def _heading_like(run: _Run) -> bool:
    text = " ".join(line.text for line in run.lines)
    words = len(text.split())
    if _TAGGED.match(run.lines[0].tag or ""):
        return not (text.endswith((".", ".)", ");")) and words > 12) and words <= 60
    if len(run.lines) > 4 or words > 20 or not any(c.isalpha() for c in text):
        return False
    return not (text.endswith((".", ";", ",")) and words > 6)


def _unbulleted(text: str) -> str:
    first, _, rest = text.partition(" ")
    return rest if _BULLET.match(first) and rest else text


def _is_header(cells: Sequence[str | None]) -> bool:
    """Cells that name columns: all filled, short, and without numbers of their own."""
    return all(cell and len(cell) < 60 and not re.match(r"[\d.,<>≥≤]", cell) for cell in cells)


def _leading(lines: Sequence[Line]) -> float:
    gaps = [
        round(b.middle - a.middle, 0) for a, b in pairwise(lines) if 4 < b.middle - a.middle < 60
    ]
    return _mode(gaps) or 14.0


def _mode(values: Sequence[float]) -> float:
    counts = Counter(values)
    return min(counts, key=lambda v: (-counts[v], v)) if counts else 0.0
