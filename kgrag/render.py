"""Answers and records for people: text for the terminal, HTML for notebooks.

Both take the record or its JSON form, and make what documents say harmless: no terminal control
character and no HTML of a source is ever passed on.
"""

from __future__ import annotations

import html
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kgrag.records.answer import Answer, to_plain

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


def _wrapped(text: str, indent: str) -> str:
    lines = plain(text).split("\n")
    return "\n".join(
        textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=indent)
        for line in lines
    )


def _record(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else to_plain(value)


def _place(citation: Mapping[str, Any]) -> str:
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


def answer_text(answer: Answer | Mapping[str, Any]) -> str:
    """The answer as ``kgrag ask`` prints it: quotations, places, verdicts, paths, warnings."""
    record = _record(answer)
    lines = [_wrapped(record["question"], ""), ""]
    lines += [f"! {plain(w)}" for w in record["warnings"]]
    if record["abstained"]:
        lines.append(f"No answer. {plain(record['reason'])}")
        if record["evidence"]["passages"]:
            lines.append("Nearest evidence (not an answer):")
        for hit in record["evidence"]["passages"]:
            lines += [f"  - {_place(hit)}", _wrapped(_short(hit["text"]), "    ")]
        return "\n".join(lines)
    number = 0
    for statement in record["statements"]:
        quoted = statement["kind"] == "quote"
        text = f"“{statement['text']}”" if quoted else statement["text"]
        lines.append(_wrapped(text, "  "))
        for citation in statement["citations"]:
            number += 1
            lines.append(f"  [{number}] {_place(citation)}")
            lines.append(f"      {plain(citation['document']['id'])}  {_uri(citation)}")
            if not quoted:
                lines.append(_wrapped(f"“{citation['quote']}”", "      "))
        lines += [f"      {_verdict(statement)}", ""]
    for path in _other_paths(record):
        lines.append("Path: " + _path(path))
        for step in path:
            lines += [_wrapped(f"“{step['citation']['quote']}”", "  "),
                      f"    {_place(step['citation'])}"]  # fmt: skip
    for conflict in record["conflicts"]:
        lines.append(f"Sources disagree: {_disagreement(conflict)}")
        for side in conflict["sides"]:
            lines += [_wrapped(f"“{side['citation']['quote']}”", "  "),
                      f"    {_place(side['citation'])}"]  # fmt: skip
    return "\n".join(lines).rstrip()


def _other_paths(record: Mapping[str, Any]) -> list[Sequence[Mapping[str, Any]]]:
    """The paths that no statement of the answer is made of."""
    said = {tuple(s["assertions"]) for s in record["statements"] if s["kind"] == "path"}
    paths = record["evidence"]["paths"]
    return [p for p in paths if tuple(step["assertion"] for step in p) not in said]


_BETWEEN: Final = {
    "older_and_newer_version": "an older and a newer version",
    "older_and_newer_document": "an older and a newer document",
    "different_issuers": "different issuers",
    "one_document": "one document",
}


_STANCES: Final = {
    "says": "stated",
    "denies": "denied",
    "for": "advised",
    "against": "advised against",
    "neither": "undecided",
}


def _disagreement(conflict: Mapping[str, Any]) -> str:
    """What the sides disagree about and in what, and who they are where that is known."""
    pair = f"{conflict['subject_name']} and {conflict['object_name']}"
    if conflict["kind"] in ("different_dose", "different_threshold", "different_population"):
        kind = conflict["kind"].removeprefix("different_")
        told = f"{kind}: {' / '.join(d or 'not said' for d in conflict['differs'])}"
    else:
        told = " / ".join(
            f"{side['predicate'].replace('_', ' ')}: {_STANCES[side['direction']]}"
            for side in conflict["sides"]
        )
    between = _BETWEEN.get(conflict["between"])
    who = f", between {between}" if between else ""
    return plain(f"{pair} ({told}){who}").replace("\n", " ")


def _uri(citation: Mapping[str, Any]) -> str:
    return plain(citation["document"]["uri"]).replace("\n", " ")


def _short(text: str, words: int = 40) -> str:
    pieces = text.split()
    return " ".join(pieces[:words]) + (" …" if len(pieces) > words else "")


def _verdict(statement: Mapping[str, Any]) -> str:
    checks = ", ".join(
        f"{c['layer']} {c['result']}"
        for c in statement["checks"]
        if c["result"] != "not_applicable"
    )
    confidence = statement["confidence"]
    sure = "" if confidence is None else f", confidence {confidence:.2f}"
    return plain(f"{statement['kind']}, {statement['verdict']}{sure} ({checks})")


def _path(path: Sequence[Mapping[str, Any]]) -> str:
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


def hits_text(hits: Sequence[Any]) -> str:
    """Passages as ``kgrag search`` prints them, best first."""
    lines: list[str] = []
    for number, hit in enumerate(map(_record, hits), start=1):
        marked = hit["document"].get("retracted")
        mark = f"  [{plain(marked).replace('_', ' ')}]" if marked else ""
        lines.append(f"{number}. {_place(hit)}  ({hit['score']:.3f}){mark}")
        lines += [
            f"   {plain(hit['document']['id'])}  {plain(hit['passage_id'])}",
            _wrapped(_short(hit["text"], 60), "   "),
        ]
        lines += _reasons(hit["explanation"]) if "explanation" in hit else []
        lines.append("")
    return "\n".join(lines).rstrip() or "No passage was found."


def explained_text(found: Mapping[str, Any]) -> str:
    """What ``kgrag search --explain`` prints: passages, each with why, then the hypotheses."""
    lines = [hits_text(found["hits"])]
    if found["hypotheses"]:
        lines += ["", "Passages were also looked for by these conditions, which the findings of the"
                  " report suggest.", "They order passages; they are no diagnosis and no"
                  " answer:"]  # fmt: skip
    for one in found["hypotheses"]:
        lines.append(f"  - {_line(one['name'])} ({_line(one['concept'])})  {one['score']:.3f}")
        lines += [f"      finding: {_finding(f)}" for f in one["findings"][:_FINDINGS]]
        more = len(one["findings"]) - _FINDINGS
        lines += [f"      and {more} more"] if more > 0 else []
        lines += [f"      in: {_line(title)}" for _, title in one["documents"]]
    return "\n".join(lines)


# Findings of a hypothesis that are printed, the most telling first; JSON has all.
_FINDINGS: Final = 4


def _finding(finding: Mapping[str, Any]) -> str:
    said = _line(finding["text"] or finding["name"])
    same = finding["term"] == finding["concept"]
    shared = "" if same else f", as {_line(finding['term_name'])}"
    return f"“{said}”{shared} ({finding['information']:.1f})"


def _reasons(explanation: Mapping[str, Any]) -> list[str]:
    """Why a passage was found, a line for the parts and one a concept."""
    scores = explanation["scores"]
    lines = ["   parts: " + ", ".join(f"{_line(n)} {s:.3f}" for n, s in scores.items())]
    for met in explanation["concepts"]:
        asked = ("not " if met["question_denied"] else "") + f"“{_line(met['question_text'])}”"
        found = ("not " if met["denied"] else "") + f"“{_line(met['text'])}”"
        lines.append(
            f"   {asked} {_RELATIONS[met['relation']]} {found}"
            f" ({_line(met['name'])}, {_line(met['concept'])}; {met['weight']:.2f})"
        )
    return lines


# How the passage's concept stands to the question's.
_RELATIONS: Final = {
    "same": "is met by the same concept,",
    "equivalent": "is met by the same concept of another vocabulary,",
    "narrower": "is met by something narrower,",
    "broader": "is met by something broader,",
}


def _line(value: object) -> str:
    return plain(value).replace("\n", " ")


def mentions_text(mentions: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Mentions as ``kgrag link`` prints them, one a line; ``names`` are those of the concepts."""
    lines: list[str] = []
    for m in mentions:
        flags = f"  ({', '.join(m['flags'])})" if m["flags"] else ""
        place = f"{m['start']}-{m['end']}"
        name = plain(names.get(m["concept"], ""))
        lines.append(
            f"{place:>9}  {plain(m['text'])}  {m['concept']}  {name}, {m['type']}"
            f"  {m['score']:.2f}{flags}"
        )
    return "\n".join(lines) or "No concept was found."


def verdict_text(verdict: Mapping[str, Any]) -> str:
    """A verdict as ``kgrag verify`` prints it: the verdict, then a line a check that applied."""
    lines = [verdict["verdict"].replace("_", " ")]
    for check in verdict["checks"]:
        if check["result"] != "not_applicable":
            detail = f": {plain(check['detail'])}" if check.get("detail") else ""
            lines.append(f"  {check['layer']} {check['result']}{detail}")
    return "\n".join(lines)


def answer_html(answer: Answer | Mapping[str, Any]) -> str:
    """The answer as one HTML fragment: no script, no link, everything of a source escaped."""
    record = _record(answer)
    parts = [f"<p><b>{_e(record['question'])}</b></p>"]
    parts += [f"<p>⚠ {_e(w)}</p>" for w in record["warnings"]]
    if record["abstained"]:
        parts.append(f"<p>No answer. {_e(record['reason'])}</p>")
        items = [
            f"<li>{_e(_place(h))}<br><i>{_e(_short(h['text']))}</i></li>"
            for h in record["evidence"]["passages"]
        ]
        if items:
            parts.append(f"<p>Nearest evidence (not an answer):</p><ul>{''.join(items)}</ul>")
        return f"<div class='kgrag-answer'>{''.join(parts)}</div>"
    for statement in record["statements"]:
        quoted = statement["kind"] == "quote"
        places = "<br>".join(
            _e(_place(c) if quoted else f"“{c['quote']}” {_place(c)}")
            for c in statement["citations"]
        )
        parts.append(
            f"<blockquote>{_e(statement['text'])}<footer><small>{places}<br>"
            f"{_e(_verdict(statement))}</small></footer></blockquote>"
        )
    for path in _other_paths(record):
        parts.append(f"<p>Path: {_e(_path(path))}</p>{_cited(path)}")
    for conflict in record["conflicts"]:
        parts.append(
            f"<p>Sources disagree: {_e(_disagreement(conflict))}</p>{_cited(conflict['sides'])}"
        )
    return f"<div class='kgrag-answer'>{''.join(parts)}</div>"


def _cited(steps: Sequence[Mapping[str, Any]]) -> str:
    """The quotations of steps or sides as a list."""
    items = [f"<li>“{_e(s['citation']['quote'])}” {_e(_place(s['citation']))}</li>" for s in steps]
    return f"<ul>{''.join(items)}</ul>"


def _e(value: object) -> str:
    return html.escape(plain(value), quote=True).replace("\n", "<br>")
