"""Where a quotation stands in its document: page, sections and passage, looked up in any order.

An export meets the evidence of a document again and again, in the order of assertions. What is
needed of a document is read once and laid into a private temporary database, which is nameless and
ends with the process, so that memory stays bounded however many documents there are.
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import astuple, dataclass
from types import TracebackType
from typing import Final, Self

from kgrag.reasoning.belief import Origin
from kgrag.records.answer import CitedDocument
from kgrag.stores.base import TruthStore

_HELD: Final = 512


@dataclass(frozen=True, slots=True)
class Layout:
    """A document without its text. ``sections`` are (title, start, end), ``pages`` (number,
    start), ``passages`` (id, start, end), each in text order."""

    cited: CitedDocument
    identifiers: tuple[tuple[str, str], ...]
    collection: str
    source: str
    sections: tuple[tuple[str, int, int], ...]
    pages: tuple[tuple[int, int], ...]
    passages: tuple[tuple[str, int, int], ...]

    @property
    def origin(self) -> Origin:
        """What belief counts as one source."""
        return Origin(f"{self.collection}\n{self.source}", self.cited.uri)

    def section(self, offset: int) -> tuple[str, ...]:
        """The titles of the sections that hold ``offset``, outermost first."""
        return tuple(title for title, start, end in self.sections if start <= offset < end)

    def page(self, offset: int) -> int | None:
        """The number of the page that holds ``offset``; None for a source without pages."""
        at = bisect_right(self.pages, offset, key=lambda page: page[1]) - 1
        return self.pages[at][0] if at >= 0 else None

    def passage(self, offset: int) -> str | None:
        """The first passage that holds ``offset``."""
        return next((name for name, start, end in self.passages if start <= offset < end), None)


class Layouts:
    """The layouts of a truth's documents by id; a context manager."""

    def __init__(self, truth: TruthStore) -> None:
        self._truth = truth
        self._held: OrderedDict[str, Layout] = OrderedDict()
        self._spool = sqlite3.connect("")  # SQLite's own temporary file, deleted as it is opened
        self._spool.execute("PRAGMA journal_mode=OFF")
        self._spool.execute("CREATE TABLE layout (id TEXT PRIMARY KEY, body TEXT) WITHOUT ROWID")

    def of(self, document_id: str) -> Layout:
        """The layout; NotFound for a tombstone or an unknown id."""
        held = self._held.get(document_id)
        if held is not None:
            self._held.move_to_end(document_id)
            return held
        query = "SELECT body FROM layout WHERE id = ?"
        row = self._spool.execute(query, (document_id,)).fetchone()
        layout = self._read(document_id) if row is None else _load(row[0])
        self._held[document_id] = layout
        if len(self._held) > _HELD:
            self._held.popitem(last=False)
        return layout

    def _read(self, document_id: str) -> Layout:
        document = self._truth.document(document_id)
        layout = Layout(
            CitedDocument.of(document),
            document.metadata.identifiers,
            document.source.collection,
            document.source.identifier,
            tuple((s.title, s.start, s.end) for s in document.sections),
            tuple((p.number, p.start) for p in document.pages),
            tuple((p.id, p.start, p.end) for p in self._truth.passages(document_id)),
        )
        self._spool.execute("INSERT INTO layout VALUES (?, ?)", (document_id, _dump(layout)))
        return layout

    def close(self) -> None:
        """Let go of the temporary database."""
        self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _dump(layout: Layout) -> str:
    c = layout.cited
    cited = astuple(c)
    lists = (layout.identifiers, layout.sections, layout.pages, layout.passages)
    return json.dumps([cited, layout.collection, layout.source, *lists])


def _load(body: str) -> Layout:
    cited, collection, source, *lists = json.loads(body)
    identifiers, *rest = (tuple(tuple(item) for item in part) for part in lists)
    return Layout(CitedDocument(*cited), identifiers, collection, source, *rest)
