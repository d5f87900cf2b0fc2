"""What every ``Reader`` does. Subclass, give ``make`` and ``samples``, and pytest runs the suite.

class TestMine(ReaderContract):
    def make(self): ...
    def samples(self): ...

The suite knows a reader by its look alone, so that packages which plug one in can run it too.
"""

from __future__ import annotations

import random
import re
import sys
import tempfile
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, Protocol

import pytest

from kgrag.errors import UnreadableFile
from kgrag.records.text import Block, Doubt, Metadata, Page, Section, Table

_DATE = re.compile(r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?$")
_KIND = re.compile(r"[a-z][a-z0-9_]*$")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$")
_RECORD = re.compile(r"[\w:@+=,-][\w.:@+=,-]*$")
_DOUBTS = ("scanned", "garbled", "reading_order", "encoding", "truncated")
_TIGHT = ("list_item", "table_row")


class ReadingLook(Protocol):
    """What the suite asks of a reading."""

    @property
    def text(self) -> str: ...
    @property
    def metadata(self) -> Metadata: ...
    @property
    def blocks(self) -> tuple[Block, ...]: ...
    @property
    def sections(self) -> tuple[Section, ...]: ...
    @property
    def pages(self) -> tuple[Page, ...]: ...
    @property
    def tables(self) -> tuple[Table, ...]: ...
    @property
    def doubts(self) -> tuple[Doubt, ...]: ...
    @property
    def record(self) -> str | None: ...
    @property
    def original(self) -> bytes | None: ...


class ReaderLook(Protocol):
    """What the suite asks of a reader."""

    name: str
    version: str
    media_types: tuple[str, ...]
    suffixes: tuple[str, ...]

    def read(self, data: bytes, *, uri: str) -> Iterator[Any]: ...


def check_reading(reading: ReadingLook) -> None:
    """AssertionError unless ``reading`` has the form of ``kgrag.records.text``."""
    _check_text(reading.text, reading.blocks)
    _check_sections(reading.text, reading.blocks, reading.sections)
    _check_pages(reading.text, reading.pages)
    _check_tables(reading.text, reading.blocks, reading.tables)
    for doubt in reading.doubts:
        assert doubt.kind in _DOUBTS
        assert 0.0 <= doubt.level <= 1.0
        assert _is_line(doubt.message)
        assert doubt.page is None or doubt.page in {page.number for page in reading.pages}
    _check_metadata(reading.metadata)
    assert (reading.record is None) == (reading.original is None)
    if reading.record is not None:
        assert _RECORD.match(reading.record), "a record's name is safe in a path"


def _is_line(text: str) -> bool:
    """Whether ``text`` is one line of stored text: nothing unseen, no white space but spaces."""
    unseen = any(unicodedata.category(c) in ("Cc", "Cs") or c == "\u00ad" for c in text)
    return bool(text) and not unseen and text == " ".join(text.split())


def _check_text(text: str, blocks: tuple[Block, ...]) -> None:
    text.encode("utf-8")
    assert text and blocks, "an empty document is refused, not read"
    assert blocks[0].start == 0 and blocks[-1].end == len(text)
    for block in blocks:
        assert _is_line(text[block.start : block.end]), block
    for before, after in pairwise(blocks):
        gap = text[before.end : after.start]
        assert gap in ("\n", "\n\n"), (before, after)
        assert gap == "\n\n" or (before.kind == after.kind and before.kind in _TIGHT)


def _check_sections(text: str, blocks: tuple[Block, ...], sections: tuple[Section, ...]) -> None:
    """Each heading opens one section, which ends where the next of its level or above begins."""
    headings = [(b.start, text[b.start : b.end]) for b in blocks if b.kind == "heading"]
    assert [(s.start, s.title) for s in sections] == headings
    ends = {block.end for block in blocks}
    for at, section in enumerate(sections):
        assert section.start + len(section.title) <= section.end <= len(text)
        assert section.end in ends
        over = [s for s in sections[:at] if s.end > section.start]
        assert [s.level for s in over] == list(range(1, len(over) + 1))
        assert section.level == len(over) + 1
        assert all(section.end <= s.end for s in over), "a section ends within the one above it"
        rest = (s for s in sections[at + 1 :] if s.level <= section.level)
        closing = next((s.start for s in rest), None)
        tail = text[section.end : closing]
        assert not tail.strip(), "nothing under a heading is outside its section"


def _check_pages(text: str, pages: tuple[Page, ...]) -> None:
    if not pages:
        return
    assert pages[0].start == 0 and pages[-1].end == len(text), "pages cover the text"
    for before, after in pairwise(pages):
        assert before.end == after.start and before.number < after.number
    for page in pages:
        assert page.number >= 1 and page.start <= page.end
        assert page.label is None or _is_line(page.label)


def _check_tables(text: str, blocks: tuple[Block, ...], tables: tuple[Table, ...]) -> None:
    """Each row is a block that names its columns; no row is in no table or in two."""
    rows = [(row.start, row.end) for table in tables for row in table.rows]
    assert rows == [(b.start, b.end) for b in blocks if b.kind == "table_row"]
    captions = {text[b.start : b.end] for b in blocks if b.kind == "caption"}
    for table in tables:
        assert table.rows
        assert table.caption is None or table.caption in captions
        assert not table.header or any(table.header)
        assert all(not name or _is_line(name) for name in table.header)
        names = [name.rstrip(":").rstrip() for name in table.header if name]
        for row in table.rows if names else ():
            # A single cell over the whole width ("No dose is known.") has no column to name.
            line = row.of(text)
            assert "; " not in line or any(name in line for name in names), line


def _check_metadata(metadata: Metadata) -> None:
    for value in (metadata.title, metadata.publisher, metadata.version, metadata.licence):
        assert value is None or _is_line(value)
    assert metadata.date is None or _DATE.match(metadata.date), metadata.date
    assert metadata.language is None or _LANGUAGE.match(metadata.language), metadata.language
    assert metadata.retracted in (None, "retraction", "expression_of_concern")
    for kind, value in metadata.identifiers:
        assert _KIND.match(kind) and value and " " not in value, (kind, value)
        assert kind != "doi" or value.startswith("10.")
        assert kind != "pmid" or value.isdigit()
    for name, value in metadata.extra:
        assert name and _is_line(value), (name, value)


class ReaderContract(ABC):
    """The suite. ``make`` gives a new reader, ``samples`` whole files that it reads, by name."""

    #: Whether the reader may write and read files of its own making in the temporary folder.
    own_files = False
    #: How many broken forms of each sample are read, a kind.
    broken = 12

    @abstractmethod
    def make(self) -> ReaderLook: ...

    @abstractmethod
    def samples(self) -> Mapping[str, bytes]: ...

    def read(self, data: bytes, uri: str) -> list[ReadingLook]:
        """The readings of ``data``; what is refused must be refused in the one right way."""
        found: list[ReadingLook] = []
        try:
            for item in self.make().read(data, uri=uri):
                if isinstance(item, Exception):
                    self._check_refusal(item)
                else:
                    found.append(item)
        except UnreadableFile as refusal:
            self._check_refusal(refusal)
            assert not found, "a refusal of the whole comes before the first reading"
        return found

    def _check_refusal(self, refusal: Exception) -> None:
        assert isinstance(refusal, UnreadableFile), repr(refusal)
        assert _is_line(str(refusal)), "a refusal is one line"
        assert refusal.reason and len(refusal.reason) < 300

    def test_identity(self) -> None:
        reader = self.make()
        assert reader.name == self.make().name and _is_line(reader.name)
        assert re.match(r"[\w.+-]+$", reader.version)
        assert reader.media_types and all("/" in kind for kind in reader.media_types)
        assert all(s.startswith(".") and s == s.lower() for s in reader.suffixes)

    def test_samples_are_read_in_the_one_form(self) -> None:
        assert self.samples()
        for uri, data in self.samples().items():
            readings = self.read(data, uri)
            assert readings, f"{uri} is a sample, and nothing of it was read"
            for reading in readings:
                check_reading(reading)
            records = [reading.record for reading in readings]
            assert len(set(records)) == len(records)

    def test_same_bytes_same_reading(self) -> None:
        for uri, data in self.samples().items():
            reader = self.make()
            first, second = (list(reader.read(data, uri=uri)) for _ in range(2))
            readings = [item for item in first if not isinstance(item, Exception)]
            assert readings == [item for item in second if not isinstance(item, Exception)]
            assert readings == self.read(data, uri)
            moved = self.read(data, f"another/folder/{uri}")
            assert readings == moved, "where a file lies is no part of what it says"

    def test_a_record_is_read_alone_as_in_its_file(self) -> None:
        for uri, data in self.samples().items():
            for reading in self.read(data, uri):
                if reading.original is None:
                    continue
                (alone,) = self.read(reading.original, uri)
                assert (alone.text, alone.blocks) == (reading.text, reading.blocks)
                assert alone.metadata == reading.metadata

    @pytest.mark.parametrize("data", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", b"\x00" * 5_000])
    def test_nothing_is_refused(self, data: bytes) -> None:
        for uri in self.samples():
            assert self.read(data, uri) == []

    def test_cut_files_are_refused_or_read_in_the_one_form(self) -> None:
        for uri, data in self.samples().items():
            for step in range(1, self.broken):
                for reading in self.read(data[: len(data) * step // self.broken], uri):
                    check_reading(reading)

    def test_damaged_files_are_refused_or_read_in_the_one_form(self) -> None:
        chance = random.Random(20)
        for uri, data in self.samples().items():
            for _ in range(self.broken):
                broken = bytearray(data)
                for _ in range(chance.choice((1, 8, 64))):
                    broken[chance.randrange(len(broken))] = chance.randrange(256)
                for reading in self.read(bytes(broken), uri):
                    check_reading(reading)
                start = chance.randrange(len(data))
                hole = data[:start] + data[start + chance.randrange(1, 400) :]
                for reading in self.read(hole, uri):
                    check_reading(reading)

    def test_noise_is_refused_or_read_in_the_one_form(self) -> None:
        chance = random.Random(21)
        for uri, data in self.samples().items():
            for size in (1, 7, 4_000):
                for reading in self.read(chance.randbytes(size), uri):
                    check_reading(reading)
                for reading in self.read(data[:16] + chance.randbytes(size), uri):
                    check_reading(reading)

    def test_nothing_is_opened_fetched_or_started(self) -> None:
        for uri, data in self.samples().items():
            reader = self.make()
            list(reader.read(data, uri=uri))  # what is imported late is imported now
            with _watched() as events:
                list(reader.read(data, uri=uri))
            if self.own_files:
                events = [e for e in events if not (e[0] in _OWN and _is_own(e[1]))]
            assert not events, events


_WATCHED = (
    "open", "socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen",
    "os.system", "os.exec", "os.posix_spawn", "os.startfile", "os.listdir", "os.scandir",
    "urllib.Request", "tempfile.mkstemp", "tempfile.mkdtemp", "exec", "webbrowser.open",
)  # fmt: skip
# What making, filling and removing a folder of one's own calls.
_OWN = ("open", "tempfile.mkdtemp", "os.scandir", "os.listdir")


def _is_own(path: object) -> bool:
    """Whether ``path`` is below the temporary folder; removing a folder opens it by number."""
    return isinstance(path, int) or str(path).startswith(tempfile.gettempdir())


_sinks: list[list[tuple[str, object]]] = []
_hooked: list[bool] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _sinks and event in _WATCHED:
        for sink in _sinks:
            sink.append((event, arguments[0] if arguments else None))


@contextmanager
def _watched() -> Iterator[list[tuple[str, object]]]:
    """What Python opened, connected to and started inside the block, as audit events."""
    if not _hooked:
        # A hook stays for the life of the process; it does nothing outside the block.
        sys.addaudithook(_hook)
        _hooked.append(True)
    events: list[tuple[str, object]] = []
    _sinks.append(events)
    try:
        yield events
    finally:
        _sinks.remove(events)
