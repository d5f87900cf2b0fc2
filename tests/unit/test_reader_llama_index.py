"""Readers of LlamaIndex, real ones on real files, as readers of kgrag."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mini_world
import pytest

from kgrag.errors import MissingExtra, SettingsError, UnreadableFile
from kgrag_ingest.readers import select
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.llama_index import LlamaIndexReader

# The first import of LlamaIndex warns of its own parts.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:llama_index"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pydantic"),
]
DIRECTORY = "llama_index.core.SimpleDirectoryReader"

OWN = '''
from llama_index.core import Document
from llama_index.core.readers.base import BaseReader


class Pages(BaseReader):
    """A page a form feed, as readers of paged files give them."""

    def lazy_load_data(self, file, extra_info=None):
        for number, text in enumerate(file.read_text(encoding="utf-8").split("\\f"), 1):
            about = {"page_label": f" {number} ", "title": "Pages", "date": "2024-05-02", "n": 3}
            yield Document(text=text, metadata=about)


class Failing(BaseReader):
    def load_data(self, file):
        raise RuntimeError("a secret of the text")


class Odd(BaseReader):
    def load_data(self, file):
        return ["no document"]


class NeedsMore(BaseReader):
    def load_data(self, file):
        import a_package_that_is_not_there


class Demanding(BaseReader):
    def __init__(self, key):
        self.key = key

    def load_data(self, file):
        return []
'''


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module of the user's own readers."""
    (tmp_path / "own_llama_readers.py").write_text(OWN, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "own_llama_readers"
    sys.modules.pop("own_llama_readers", None)


def read(name: str, data: bytes, uri: str = "a.txt") -> Reading:
    reader = select(data, uri, reader=f"llama-index:{name}")
    (reading,) = reader.read(data, uri=uri)
    assert isinstance(reading, Reading)
    return reading


def test_the_directory_reader_reads_a_file_as_the_text_reader_does() -> None:
    path = mini_world.GUIDELINES / "asthma.txt"
    data = path.read_bytes()
    (plain,) = select(data, path.name).read(data, uri=path.name)
    assert isinstance(plain, Reading)
    assert read(DIRECTORY, data, path.name).text == plain.text


def test_the_json_reader_of_llama_index() -> None:
    data = json.dumps({"drug": "amoxicillin", "dose": {"adult": "500 mg"}}).encode()
    text = read("llama_index.core.readers.json.JSONReader", data, "a.json").text
    assert "amoxicillin" in text
    assert "500 mg" in text


def test_pages_and_metadata_of_a_reader_of_ones_own(own: str) -> None:
    reading = read(f"{own}.Pages", b"First page.\fSecond page.\n\n- an item\n")
    assert reading.text == "First page.\n\nSecond page.\n\nan item"
    assert [(p.number, p.label) for p in reading.pages] == [(1, "1"), (2, "2")]
    assert (reading.metadata.title, reading.metadata.date) == ("Pages", "2024-05-02")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"caf\xe9 " * 20, "UnicodeDecodeError"),
        (b"\x00\x01\x02\x03text" * 50, "binary data"),
        (b"\n \n", "nothing but white space"),
    ],
)
def test_what_the_directory_reader_would_pass_over_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read(DIRECTORY, data)


@pytest.mark.parametrize(("kind", "reason"), [("Failing", "RuntimeError"), ("Odd", "Attribute")])
def test_a_failing_reader_refuses_the_file_and_tells_nothing_of_it(
    own: str, kind: str, reason: str
) -> None:
    with pytest.raises(UnreadableFile, match=reason) as refusal:
        read(f"{own}.{kind}", b"text")
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "error", "reason"),
    [
        ("{own}.Demanding", SettingsError, "cannot be made without arguments"),
        ("{own}.Nothing", SettingsError, "no LlamaIndex reader"),
        ("{own}.BaseReader.x", MissingExtra, "own_llama_readers.BaseReader"),
        ("Reader", SettingsError, "names no class"),
        ("no_such_package.Reader", MissingExtra, "no_such_package"),
    ],
)
def test_what_is_no_usable_reader_is_a_matter_of_settings(
    own: str, name: str, error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        LlamaIndexReader(name.format(own=own))


def test_a_package_that_the_reader_needs_ends_the_batch(own: str) -> None:
    with pytest.raises(SettingsError, match="a_package_that_is_not_there"):
        read(f"{own}.NeedsMore", b"text")


def test_the_version_is_that_of_the_package_with_the_reader(own: str) -> None:
    from importlib.metadata import version

    assert LlamaIndexReader(DIRECTORY).version.endswith(f"+{version('llama-index-core')}")
    assert LlamaIndexReader(f"{own}.Pages").version.endswith("+0")


def test_no_file_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    read(DIRECTORY, b"Some text.")
    left: list[Any] = list(tmp_path.iterdir())
    assert left == []
