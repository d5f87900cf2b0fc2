"""FHIR PlanDefinition (JSON): a guideline's rules as headings, advice and conditions.

Of a computable guideline, what its authors wrote for people is read: titles, descriptions, the
condition of each action in words, what it says, and the sources that it names. Expressions in a
programming language are not text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kgrag.errors import UnreadableFile
from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.encoding import decode
from kgrag_ingest.readers.limits import MAX_DEPTH, check_size, no_text, too_deep

KIND: Final = "PlanDefinition"
# Strings are skipped whole, so that brackets in them do not count.
_MARKS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{\]}]')
# Sections of the definition itself, in the order in which they are read.
_PARTS: Final = (
    ("description", None), ("purpose", "Purpose"), ("usage", "Usage"),
)  # fmt: skip


class FhirReader:
    """Reads a PlanDefinition: a heading for each action, its condition and advice below it."""

    name = "fhir"
    version = "1"
    media_types: tuple[str, ...] = ("application/fhir+json",)
    suffixes: tuple[str, ...] = (".json",)

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """One reading; UnreadableFile for any other resource."""
        check_size(data, uri)
        value = _parse(decode(data, uri).text, uri)
        kind = value.get("resourceType") if isinstance(value, dict) else None
        if kind != KIND:
            what = f"a FHIR resource ({kind})" if isinstance(kind, str) else "no FHIR resource"
            raise UnreadableFile(uri, f"it is {clean(what)[:80]}, which is not supported")
        out = TextBuilder()
        title = _string(value, "title") or _string(value, "name")
        out.heading(1, title)
        for name, heading in _PARTS:
            _prose(out, _string(value, name), heading)
        _sources(out, value.get("relatedArtifact"))
        _actions(out, value.get("action"), 2, title)
        if not out.size:
            raise no_text(uri)
        yield out.build(
            meta.of(
                title=title,
                publisher=_string(value, "publisher"),
                date=_string(value, "date") or _string(value, "approvalDate"),
                version=_string(value, "version"),
                licence=_string(value, "copyright"),
                url=_string(value, "url"),
            )
        )


def _parse(text: str, uri: str) -> Any:
    depth = 0
    for mark in _MARKS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark.group(), 0)
        if depth > MAX_DEPTH:
            raise too_deep(uri, "values")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableFile(uri, f"it is broken JSON, line {error.lineno}: {error.msg}") from error
    except ValueError as error:  # a number of thousands of digits
        raise UnreadableFile(uri, "it is broken JSON: a number is too long") from error


def _actions(out: TextBuilder, actions: Any, level: int, above: str) -> None:
    """The actions and those inside them, each under its title; JSON is no deeper than a limit."""
    for action in actions if isinstance(actions, list) else ():
        if not isinstance(action, dict):
            continue
        title = _string(action, "title")
        if title and title != above:
            out.heading(min(level, 9), title)
        said = {title, above}
        for name in ("description", "textEquivalent"):
            text = _string(action, name)
            if text not in said:
                _prose(out, text, None)
                said.add(text)
        _conditions(out, action.get("condition"))
        _sources(out, action.get("documentation"))
        _actions(out, action.get("action"), level + 1, title or above)


def _conditions(out: TextBuilder, conditions: Any) -> None:
    found = []
    for condition in conditions if isinstance(conditions, list) else ():
        expression = condition.get("expression") if isinstance(condition, dict) else None
        text = _string(expression, "description") if isinstance(expression, dict) else ""
        if text:
            found.append(text)
    if found:
        out.paragraph(f"Applies when: {'; '.join(found)}")


def _sources(out: TextBuilder, artifacts: Any) -> None:
    for artifact in artifacts if isinstance(artifacts, list) else ():
        if isinstance(artifact, dict):
            words = [_string(artifact, name) for name in ("label", "display", "citation")]
            out.reference(" ".join(dict.fromkeys(w for w in words if w)))


def _prose(out: TextBuilder, text: str, heading: str | None) -> None:
    if heading and text.strip():
        out.heading(2, heading)
    for paragraph in text.replace("\r", "").split("\n\n"):
        out.paragraph(paragraph)


def _string(value: Mapping[str, Any], name: str) -> str:
    """The string of that name; empty for anything else. Paragraphs stay apart."""
    found = value.get(name)
    return found.strip() if isinstance(found, str) else ""
