"""Records to the JSON text of the columns and back; what is read equals what was written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Final, get_args, get_type_hints

from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.concepts import Mention
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Block, Document, Doubt, Metadata, Page, Section, Span, Table

_FLAGS: Final = ("negated", "hypothetical", "family", "historical", "absent", "against")


def dump(value: object) -> str:
    """Compact JSON text."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def dump_metadata(metadata: Metadata) -> str:
    return dump({f.name: getattr(metadata, f.name) for f in fields(metadata)})


def load_metadata(text: str) -> Metadata:
    found: dict[str, Any] = json.loads(text)
    found["identifiers"] = tuple((k, v) for k, v in found["identifiers"])
    found["extra"] = tuple((k, v) for k, v in found["extra"])
    return Metadata(**found)


def dump_structure(document: Document) -> str:
    return dump(
        {
            "blocks": [(b.kind, b.start, b.end) for b in document.blocks],
            "sections": [(s.title, s.level, s.start, s.end) for s in document.sections],
            "pages": [(p.number, p.start, p.end, p.label) for p in document.pages],
            "tables": [
                (t.header, [(r.start, r.end) for r in t.rows], t.caption) for t in document.tables
            ],
            "doubts": [(d.kind, d.level, d.message, d.page) for d in document.doubts],
        }
    )


def load_structure(text: str) -> dict[str, Any]:
    """The structural fields of a ``Document``, by name."""
    found: dict[str, Any] = json.loads(text)
    return {
        "blocks": tuple(Block(*b) for b in found["blocks"]),
        "sections": tuple(Section(*s) for s in found["sections"]),
        "pages": tuple(Page(*p) for p in found["pages"]),
        "tables": tuple(
            Table(tuple(header), tuple(Span(*r) for r in rows), caption)
            for header, rows, caption in found["tables"]
        ),
        "doubts": tuple(Doubt(*d) for d in found["doubts"]),
    }


def dump_mentions(mentions: Sequence[Mention]) -> str:
    """By columns: half the size of rows, and several times as quick."""
    return dump(
        [
            [m.start for m in mentions],
            [m.end for m in mentions],
            [m.text for m in mentions],
            [m.concept for m in mentions],
            [m.type for m in mentions],
            [m.score for m in mentions],
            [
                m.negated
                | m.hypothetical << 1
                | m.family << 2
                | m.historical << 3
                | m.absent << 4
                | m.against << 5
                for m in mentions
            ],
        ]
    )


def load_mentions(text: str) -> tuple[Mention, ...]:
    return tuple(
        Mention(*head, *(bool(flags >> bit & 1) for bit in range(len(_FLAGS))))
        for *head, flags in zip(*json.loads(text), strict=True)
    )


def dump_evidence(evidence: Sequence[Evidence]) -> str:
    """Without the document, which the row names."""
    return dump(
        [(e.start, e.end, e.quote, e.subject_span, e.object_span, e.rule) for e in evidence]
    )


def load_evidence(document_id: str, text: str) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(document_id, start, end, quote, tuple(subject), tuple(object_), rule)
        for start, end, quote, subject, object_, rule in json.loads(text)
    )


def dump_recommendation(recommendation: Recommendation) -> str:
    """Without the document, which the row names, and without what is as by default."""
    return dump(_plain(recommendation, leave=("document_id",)))


def load_recommendation(document_id: str, text: str) -> Recommendation:
    """A field that a later version added has its default."""
    found: Recommendation = _revive(
        Recommendation, {"document_id": document_id, **json.loads(text)}
    )
    return found


def _plain(value: Any, *, leave: Sequence[str] = ()) -> Any:
    if not is_dataclass(value):
        return value
    return {
        f.name: _plain(getattr(value, f.name))
        for f in fields(value)
        if f.name not in leave and getattr(value, f.name) != f.default
    }


def _revive(kind: Any, value: Any) -> Any:
    """``value`` as JSON gave it, as the record or tuple that ``kind`` says."""
    if isinstance(value, dict):
        record: Any = next(r for r in (kind, *get_args(kind)) if is_dataclass(r))
        hints = _hints(record)
        return record(**{name: _revive(hints[name], part) for name, part in value.items()})
    if isinstance(value, list):
        return tuple(_revive(kind, part) for part in value)
    return value


@cache
def _hints(record: Any) -> dict[str, Any]:
    return get_type_hints(record)


def load_assertion(row: Any) -> Assertion:
    """The assertion of one ``stated`` row that also has ``document_id``."""
    return Assertion(
        row.subject,
        row.predicate,
        row.object,
        bool(row.negated),
        tuple((k, v) for k, v in json.loads(row.qualifiers)),
        row.tier,
        row.certainty,
        load_evidence(row.document_id, row.evidence),
    )
