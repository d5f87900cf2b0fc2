"""JSONL: one record a line, each a document of its own, by a map of its fields."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from kgrag.errors import UnreadableFile
from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.encoding import decode
from kgrag_ingest.readers.limits import MAX_DEPTH, check_size
from kgrag_ingest.readers.lines import add_lines

if TYPE_CHECKING:
    from kgrag_ingest.recipes import FieldMap

_TITLE: Final = ("title", "name")
_RECORD: Final = ("id", "_id")
_TEXT: Final = ("text", "body", "abstract", "contents", "content")
_METADATA: Final = (
    "publisher", "date", "version", "licence", "language", "doi", "pmid", "pmcid", "url",
)  # fmt: skip
_RECORD_CHARS: Final = 120
_UNFIT: Final = re.compile(r"[^\w.:@+=,-]+")
_OPENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]')


class JsonlReader:
    """Reads JSON records by a field map; without one, by the usual names of fields.

    The text of a record is read as plain text: empty lines part paragraphs, bullets make list
    items, and no headings are guessed.
    """

    name = "jsonl"
    version = "3"
    media_types: tuple[str, ...] = ("application/jsonl",)
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")

    def __init__(self, fields: FieldMap | None = None) -> None:
        self.fields = fields

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """A reading a record, named by its id or else ``line-N``; a bad line is refused alone."""
        check_size(data, uri)
        seen: set[str] = set()
        wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
        body = decode(data, uri).text.encode() if wide else data.removeprefix(b"\xef\xbb\xbf")
        for number, line in enumerate(body.split(b"\n"), 1):
            line = line.strip()
            if not line:
                continue
            try:
                yield self._record(line, number, uri, seen)
            except UnreadableFile as refusal:
                yield refusal

    def _record(self, line: bytes, number: int, uri: str, seen: set[str]) -> Reading:
        where = f"{uri}#line-{number}"
        value = _parse(line, where)
        if not isinstance(value, dict):
            raise UnreadableFile(where, f"line {number} is no JSON object")
        record = self._name(value, number)
        if record in seen:
            raise UnreadableFile(where, f"line {number} has the id {record!r} of a line before it")
        title = _first(value, self.fields.title if self.fields else _TITLE)
        texts = [
            text
            for name in (self.fields.text if self.fields else _TEXT)
            if (text := _text(_reach(value, name)))
        ]
        if not texts:
            wanted = ", ".join(self.fields.text if self.fields else _TEXT)
            raise UnreadableFile(
                where,
                f"line {number} has no text in {wanted}",
                hint=None if self.fields else "name its fields in a recipe",
            )
        out = TextBuilder()
        if title:
            out.heading(1, title)
        for text in texts if self.fields else texts[:1]:
            add_lines(out, text.splitlines(), headings=False)
        if out.last_kind in (None, "heading"):
            raise UnreadableFile(where, f"line {number} has no readable text")
        seen.add(record)
        return out.build(self._metadata(value, title), record=record, original=line)

    def _name(self, value: Mapping[str, Any], number: int) -> str:
        """The record's id as a name that is safe in a path, else ``line-N``."""
        given = _first(value, self.fields.record if self.fields else _RECORD)
        name = _UNFIT.sub("_", given)[:_RECORD_CHARS].lstrip(".")
        return name or f"line-{number}"

    def _metadata(self, value: Mapping[str, Any], title: str) -> Any:
        if self.fields:
            paths: Mapping[str, tuple[str, ...]] = self.fields.metadata
        else:
            paths = {name: (name,) for name in _METADATA}
        found = {k: _first(value, names) for k, names in paths.items()}
        extra = [
            (name, text)
            for name in (self.fields.extra if self.fields else ())
            if (text := clean(_text(_reach(value, name), glue="; ")))
        ]
        return meta.of(title=title, extra=extra, **{k: v for k, v in found.items() if v})


def _parse(line: bytes, where: str) -> Any:
    depth = deepest = 0
    for mark in _OPENS.finditer(line) if line.count(b"[") + line.count(b"{") > MAX_DEPTH else ():
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(mark.group(), 0)
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise UnreadableFile(where, f"values are nested more than {MAX_DEPTH} deep")
    try:
        return json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnreadableFile(where, f"the line is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise UnreadableFile(
            where, f"the line is not JSON: {error.msg} at character {error.pos + 1}"
        ) from error
    except ValueError as error:  # a number of thousands of digits
        raise UnreadableFile(where, "the line is not JSON: a number is too long") from error


def _reach(value: Any, path: str) -> Any:
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def _text(value: Any, glue: str = "\n\n") -> str:
    """The text of a string, a number or a list of them; else empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return glue.join(text for item in value if not isinstance(item, list)
                         if (text := _text(item)))  # fmt: skip
    return ""


def _first(value: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((t for name in names if (t := clean(_text(_reach(value, name))))), "")
