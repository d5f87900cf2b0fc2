"""What every rendering says in the same words: places, grades, verdicts, paths, disagreements.

All values come out without control or directional characters; each form escapes what is special
to itself besides.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kgrag.records.answer import to_plain

WIDTH: Final = 96
# Directional marks can make a text look like another one.
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(value: object) -> str:
    """``value`` as text without control or directional characters; newlines stay."""
    return "".join(
        " " if c == "\t" else c
        for c in str(value)
        if c in "\n\t" or (unicodedata.category(c) not in ("Cc", "Cs") and c not in _BIDI)
    )


def wrapped(text: str, indent: str) -> str:
    """The text in lines of at most ``WIDTH`` characters, each after ``indent``."""
    return "\n".join(
        textwrap.fill(one, WIDTH, initial_indent=indent, subsequent_indent=indent)
        for one in plain(text).split("\n")
    )


def as_record(value: Any) -> Mapping[str, Any]:
    """The JSON form of a record, or the mapping itself."""
    return value if isinstance(value, Mapping) else to_plain(value)


def place(citation: Mapping[str, Any]) -> str:
    """Document, edition, headings, page and characters of a citation, as one line."""
    document = citation["document"]
    parts = [plain(document["title"])]
    parts += [plain(document[key]) for key in ("publisher", "version", "date") if document.get(key)]
    headings = [s for s in citation.get("section") or () if s != document["title"]]
    if headings:
        parts.append(" › ".join(plain(s) for s in headings))
    if citation.get("page") is not None:
        parts.append(f"page {citation['page']}")
    parts.append(f"characters {citation['start']} to {citation['end']}")
    return "; ".join(p.replace("\n", " ") for p in parts)


def other_paths(record: Mapping[str, Any]) -> list[Sequence[Mapping[str, Any]]]:
    """The paths that no statement of the answer is made of."""
    said = {tuple(s["assertions"]) for s in record["statements"] if s["kind"] == "path"}
    paths = record["evidence"]["paths"]
    return [p for p in paths if tuple(step["assertion"] for step in p) not in said]


def other_side(conflict: Mapping[str, Any], index: int) -> str:
    """Whether the side of that index is the newer or the older one; empty when not known."""
    newer = conflict.get("newer")
    return "" if newer is None else ("newer" if newer == index else "older")


_BETWEEN: Final = {
    "older_and_newer_version": "an older and a newer version",
    "older_and_newer_document": "an older and a newer document",
    "different_issuers": "different issuers",
    "one_document": "one document",
}
STANCES: Final = {
    "says": "stated",
    "denies": "denied",
    "for": "advised",
    "against": "advised against",
    "neither": "undecided",
}


def disagreement(conflict: Mapping[str, Any]) -> str:
    """What the sides disagree about and in what, and who they are where that is known."""
    pair = f"{conflict['subject_name']} and {conflict['object_name']}"
    if conflict["kind"] in ("different_dose", "different_threshold", "different_population"):
        kind = conflict["kind"].removeprefix("different_")
        told = f"{kind}: {' / '.join(d or 'not said' for d in conflict['differs'])}"
    else:
        told = " / ".join(
            f"{side['predicate'].replace('_', ' ')}: {STANCES[side['direction']]}"
            for side in conflict["sides"]
        )
    between = _BETWEEN.get(conflict["between"])
    who = f", between {between}" if between else ""
    return plain(f"{pair} ({told}){who}").replace("\n", " ")


def opened_at(citation: Mapping[str, Any]) -> str:
    """The id and address of the document, as one line."""
    return line(f"{citation['document']['id']}  {citation['document']['uri']}")


def mark_of(citation: Mapping[str, Any]) -> str:
    """What the publisher said of the document later on, in brackets; empty for nothing."""
    marked = citation["document"].get("retracted")
    return f" [{line(marked).replace('_', ' ')}]" if marked else ""


def grade_line(grade: Mapping[str, Any] | None) -> str:
    """Strength and certainty of advice as its source prints them; empty when it says none."""
    if grade is None:
        return ""
    told = []
    for name in ("strength", "certainty"):
        if one := grade.get(name):
            system = one["system"]
            known = system != "unknown" and system.casefold() not in one["raw"].casefold()
            raw = f"{one['raw']} ({system})" if known else one["raw"]
            told.append(raw if name == "strength" else f"certainty: {raw}")
    return line("; ".join(told))


def short(text: str, words: int = 40) -> str:
    """The first ``words`` words."""
    pieces = text.split()
    return " ".join(pieces[:words]) + (" …" if len(pieces) > words else "")


def verdict_line(statement: Mapping[str, Any]) -> str:
    """Kind, verdict, confidence and the checks that applied."""
    checks = ", ".join(
        f"{c['layer']} {c['result']}"
        for c in statement["checks"]
        if c["result"] != "not_applicable"
    )
    confidence = statement["confidence"]
    sure = "" if confidence is None else f", confidence {confidence:.2f}"
    return plain(f"{statement['kind']}, {statement['verdict']}{sure} ({checks})")


def path_line(path: Sequence[Mapping[str, Any]]) -> str:
    """The edges, each in its own direction; joined where one goes on from the last."""
    shown = ""
    at = None
    for step in path:
        if step["subject"] != at:
            shown += (" | " if shown else "") + step["subject_name"]
        word = ("not " if step["negated"] else "") + step["predicate"].replace("_", " ")
        shown += f" —{word}→ {step['object_name']}"
        at = step["object"]
    return plain(shown).replace("\n", " ")


def line(value: object) -> str:
    """``plain`` as one line."""
    return plain(value).replace("\n", " ")
