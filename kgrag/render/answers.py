"""An answer as blocks, in the order in which it is to be read.

Warnings come first, an emergency before all; then the statements by part of the question; what
sources have in common and where they differ; what is not for this patient, apart; what would
change the answer; and last how it was found.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from kgrag.paths import resource
from kgrag.records.answer import Answer
from kgrag.render.blocks import (
    Alert,
    Block,
    Details,
    Heading,
    Listing,
    Para,
    Quoted,
    Side,
    Sides,
)
from kgrag.render.words import (
    STANCES,
    as_record,
    disagreement,
    grade_line,
    line,
    mark_of,
    opened_at,
    other_paths,
    other_side,
    path_line,
    place,
    short,
    verdict_line,
)


def answer_blocks(answer: Answer | Mapping[str, Any]) -> tuple[Block, ...]:
    """The blocks of an answer or of its JSON form, also of one that lacks newer fields."""
    record = as_record(answer)
    return (
        Heading(record["question"], 1),
        *_alerts(record["warnings"]),
        *(_abstention(record) if record["abstained"] else _statements(record)),
        *_agreements(record),
        *_conflicts(record),
        *_inapplicable(record),
        *_follow_up(record),
        *_paths(record),
        *_patient(record),
        *_rounds(record),
    )


def reading_order(statements: Sequence[Mapping[str, Any]]) -> list[int]:
    """The places of the statements in the order in which they are read.

    By part of the question; within a part the documents in the order of their first statement,
    and what is of one document as it stands there.
    """
    first: dict[tuple[int, str], int] = {}
    keys: list[tuple[int, int, int, int]] = []
    for number, statement in enumerate(statements):
        cited = statement["citations"][0] if statement["citations"] else None
        part = statement.get("part", 0)
        part = -1 if part is None else part
        document = cited["document"]["id"] if cited else ""
        at = first.setdefault((part, document), number)
        keys.append((part, at, cited["start"] if cited else 0, number))
    return [key[-1] for key in sorted(keys)]


def _alerts(warnings: Sequence[str]) -> Iterator[Block]:
    emergency = _emergency()
    first = [w for w in warnings if w == emergency]
    yield from (Alert(w, "emergency") for w in first)
    yield from (Alert(w) for w in warnings if w not in first)


@cache
def _emergency() -> str:
    """The notice of an emergency, as the reviewed file has it."""
    path = resource("ontologies", "notices.toml")
    text: str = tomllib.loads(path.read_text(encoding="utf-8"))["emergency"]["text"]
    return text


def _abstention(record: Mapping[str, Any]) -> Iterator[Block]:
    yield Para(f"No answer. {record['reason']}")
    hits = record["evidence"]["passages"]
    if hits:
        yield Para("Nearest evidence (not an answer):")
    for hit in hits:
        yield Quoted(short(hit["text"]), (place(hit) + mark_of(hit),), exact=False, apart=True)


def _statements(record: Mapping[str, Any]) -> Iterator[Block]:
    parts = (record.get("analysis") or {}).get("parts") or []
    statements = record["statements"]
    said = [s.get("part", 0) for s in statements]
    order = reading_order(statements)
    number = 0
    # What answers the question as a whole stands under no part of it.
    several = len(parts) > 1 and any(part is not None for part in said)
    last = max((part for part in said if part is not None), default=0)
    for part in (None, *range(max(len(parts), last + 1))):
        if several and part is not None and part < len(parts):
            yield Heading(parts[part])
            if part not in said:
                yield Para("No answer to this part of the question.")
        for index in order:
            if said[index] == part:
                block = _statement(statements[index], number)
                number += len(statements[index]["citations"])
                yield block


def _statement(statement: Mapping[str, Any], before: int, reason: str = "") -> Quoted:
    exact = statement["kind"] == "quote"
    lines: list[str] = []
    for number, citation in enumerate(statement["citations"], start=before + 1):
        lines.append(f"[{number}] {place(citation)}{mark_of(citation)}")
        if not exact:
            lines.append(f"“{line(citation['quote'])}”")
        lines.append(opened_at(citation))
    told = (*lines, verdict_line(statement))
    return Quoted(statement["text"], told, exact, reason, apart=bool(reason))


def _agreements(record: Mapping[str, Any]) -> Iterator[Block]:
    for agreement in record.get("agreements") or ():
        sides = agreement["sides"]
        known = agreement.get("publishers") or 0
        who = f", of {known} publishers" if known > 1 else ""
        yield Sides(
            f"{len(sides)} sources agree{who}",
            tuple(_side(side, ()) for side in sides),
        )


def _conflicts(record: Mapping[str, Any]) -> Iterator[Block]:
    for conflict in record["conflicts"]:
        yield Sides(
            f"Sources disagree: {disagreement(conflict)}",
            tuple(
                _side(side, (STANCES.get(side["direction"], ""), other_side(conflict, index)))
                for index, side in enumerate(conflict["sides"])
            ),
        )


def _side(side: Mapping[str, Any], told: Sequence[str]) -> Side:
    citation = side["citation"]
    document = citation["document"]
    who = side.get("publisher") or document.get("publisher") or document["title"]
    date = side.get("date") or document.get("date") or "no date"
    head = [line(who), line(date), grade_line(side.get("grade")), *told]
    return Side(
        "; ".join(h for h in head if h), citation["quote"], (place(citation) + mark_of(citation),)
    )


def _inapplicable(record: Mapping[str, Any]) -> Iterator[Block]:
    found = record.get("inapplicable") or ()
    if found:
        yield Heading("Not for this patient")
        yield Para("What these say does not apply here, and is no part of the answer.")
    number = sum(len(statement["citations"]) for statement in record["statements"])
    for one in found:
        yield _statement(one["statement"], number, f"Not applicable: {one['reason']}")
        number += len(one["statement"]["citations"])


def _follow_up(record: Mapping[str, Any]) -> Iterator[Block]:
    found = record.get("follow_up") or ()
    if found:
        yield Heading("What would change the answer")
        yield Listing(tuple(found))


def _paths(record: Mapping[str, Any]) -> Iterator[Block]:
    paths = other_paths(record)
    cited = [c for i in reading_order(record["statements"])
             for c in record["statements"][i]["citations"]]  # fmt: skip
    blocks: list[Block] = []
    for path in paths:
        known = [_number_of(step["citation"], cited) for step in path]
        seen = ", ".join(f"[{number}]" for number in dict.fromkeys(known) if number)
        blocks.append(Para(f"Path: {path_line(path)}" + (f" (in {seen})" if seen else "")))
        for step, number in zip(path, known, strict=True):
            citation = step["citation"]
            if not number:
                blocks.append(Quoted(citation["quote"], (place(citation) + mark_of(citation),)))
    if blocks:
        word = "path" if len(paths) == 1 else "paths"
        yield Details(f"How the concepts hang together ({len(paths)} {word})", tuple(blocks))


def _number_of(citation: Mapping[str, Any], cited: Sequence[Mapping[str, Any]]) -> int:
    """The number under which the answer shows the whole of the citation; 0 when it does not."""
    for number, one in enumerate(cited, start=1):
        same = one["document"]["id"] == citation["document"]["id"]
        if same and one["start"] <= citation["start"] and citation["end"] <= one["end"]:
            return number
    return 0


_FACTS = (
    ("age", "age"), ("sex", "sex"), ("pregnant", "pregnancy"), ("gestation", "gestation"),
    ("breastfeeding", "breastfeeding"), ("weight", "weight"), ("renal", "kidneys"),
    ("hepatic", "liver"), ("allergies", "allergy"), ("medicines", "medicine taken"),
    ("conditions", "condition"),
)  # fmt: skip


def _patient(record: Mapping[str, Any]) -> Iterator[Block]:
    patient = (record.get("analysis") or {}).get("patient") or {}
    items = []
    for name, told in _FACTS:
        stated = patient.get(name) or []
        for one in [stated] if isinstance(stated, Mapping) else stated:
            items.append(f"{told}: “{line(one['text'])}”")
    if items:
        yield Details(
            "What was taken into account",
            (Listing(tuple(items)),),
            "Taken into account: " + "; ".join(items),
        )


def _rounds(record: Mapping[str, Any]) -> Iterator[Block]:
    rounds = record.get("rounds") or ()
    lines = []
    for one in rounds:
        missing = ", ".join(one.get("missing") or ())
        lines.append(
            f"{one['action']}: {one['passages']} passages, {one['pieces']} pieces to quote, "
            f"chance that the best answers {one['chance']:.2f}, {one['ms']:.0f} ms"
            + (f"; not answered yet: {line(missing)}" if missing else "")
        )
    models = ", ".join(f"{name} {line(value)}" for name, value in record["models"].items())
    if models:
        lines.append(f"models: {models}")
    total = record["timings_ms"].get("total")
    if total is not None:
        lines.append(f"in all {total:.0f} ms")
    if lines:
        yield Details(
            "How it was found", (Listing(tuple(lines)),),
            f"Looked {len(rounds)} times." if len(rounds) > 1 else None,
        )  # fmt: skip
