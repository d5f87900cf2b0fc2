"""The contract of readers refuses readings that break it, each in one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kgrag.errors import UnreadableFile
from kgrag.records.text import Block, Doubt, Metadata, Page, Section, Span, Table
from kgrag.testing.reader_contract import ReaderContract, ReaderLook, check_reading
from kgrag_ingest.readers.base import Reading

TEXT = "Title\n\nDrug: a; Dose: 1 mg\n\nEnd."
GOOD = Reading(
    text=TEXT,
    metadata=Metadata(title="Title", date="2024-05", language="en"),
    blocks=(Block("heading", 0, 5), Block("table_row", 7, 26), Block("paragraph", 28, 32)),
    sections=(Section("Title", 1, 0, 32),),
    pages=(Page(1, 0, 28), Page(2, 28, 32)),
    tables=(Table(("Drug", "Dose"), (Span(7, 26),)),),
    doubts=(Doubt("scanned", 0.5, "a picture", 2),),
)
BROKEN: dict[str, dict[str, Any]] = {
    "control character": {"text": TEXT.replace("End", "E\x07d")},
    "soft hyphen": {"text": TEXT.replace("End", "E\xadd")},
    "two spaces": {"text": TEXT.replace("1 mg", "  mg")},
    "newline in a block": {"text": TEXT.replace("1 mg", "1\nmg")},
    "text outside blocks": {"blocks": GOOD.blocks[:2]},
    "gap": {"blocks": (GOOD.blocks[0], Block("table_row", 8, 26), GOOD.blocks[2])},
    "heading without a section": {"sections": ()},
    "level": {"sections": (Section("Title", 2, 0, 32),)},
    "section ends early": {"sections": (Section("Title", 1, 0, 26),)},
    "section out of range": {"sections": (Section("Title", 1, 0, 33),)},
    "pages leave text out": {"pages": (Page(1, 0, 20), Page(2, 28, 32))},
    "page numbers": {"pages": (Page(2, 0, 28), Page(2, 28, 32))},
    "row in no table": {"tables": ()},
    "row without its column": {"tables": (Table(("Name", "Amount"), (Span(7, 26),)),)},
    "row is no block": {"tables": (Table((), (Span(7, 25),)),)},
    "doubt level": {"doubts": (Doubt("scanned", 1.5, "a picture"),)},
    "doubt of no page": {"doubts": (Doubt("scanned", 0.5, "a picture", 3),)},
    "date": {"metadata": Metadata(date="May 2024")},
    "month": {"metadata": Metadata(date="2024-13")},
    "language": {"metadata": Metadata(language="English")},
    "identifier": {"metadata": Metadata(identifiers=(("doi", "https://doi.org/10.5/x"),))},
    "title of two lines": {"metadata": Metadata(title="a\nb")},
    "record without its bytes": {"record": "a"},
    "record that is a path": {"record": "../a", "original": b"a"},
}


def test_a_good_reading_passes() -> None:
    check_reading(GOOD)


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_reading_fails(what: str) -> None:
    with pytest.raises(AssertionError):
        check_reading(replace(GOOD, **BROKEN[what]))


class Careless:
    """A reader that breaks one promise, named by ``fault``."""

    name, version = "careless", "1"
    media_types, suffixes = ("text/plain",), (".txt",)

    def __init__(self, fault: str) -> None:
        self.fault, self.read_before = fault, 0

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        self.read_before += 1
        if self.fault == "opens a file":
            Path(__file__).read_bytes()
        if not data.strip(b" \r\n\t\0\xef\xbb\xbf"):
            if self.fault == "raises anything":
                raise KeyError("empty")
            raise UnreadableFile(uri, "two\nlines" if self.fault == "two lines" else "it is empty")
        told = self.read_before if self.fault == "changes" else "x"
        yield replace(
            GOOD, metadata=Metadata(title=uri if self.fault == "says where" else str(told))
        )


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("opens a file", "test_nothing_is_opened_fetched_or_started"),
        ("changes", "test_same_bytes_same_reading"),
        ("says where", "test_same_bytes_same_reading"),
        ("raises anything", "test_nothing_is_refused"),
        ("two lines", "test_nothing_is_refused"),
    ],
)
def test_a_careless_reader_fails(fault: str, test: str) -> None:
    class Suite(ReaderContract):
        def __init__(self, fault: str) -> None:
            self.fault = fault

        def make(self) -> ReaderLook:
            return Careless(self.fault)

        def samples(self) -> Mapping[str, bytes]:
            return {"a.txt": b"text"}

    arguments = (b"",) if test == "test_nothing_is_refused" else ()
    getattr(Suite("none"), test)(*arguments)
    with pytest.raises((AssertionError, KeyError)):
        getattr(Suite(fault), test)(*arguments)
