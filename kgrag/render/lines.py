"""Passages, mentions and verdicts as the command line prints them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kgrag.render.words import as_record, line, place, plain, short, wrapped


def hits_text(hits: Sequence[Any]) -> str:
    """Passages as ``kgrag search`` prints them, best first."""
    lines: list[str] = []
    for number, hit in enumerate(map(as_record, hits), start=1):
        marked = hit["document"].get("retracted")
        mark = f"  [{plain(marked).replace('_', ' ')}]" if marked else ""
        lines.append(f"{number}. {place(hit)}  ({hit['score']:.3f}){mark}")
        lines += [
            f"   {plain(hit['document']['id'])}  {plain(hit['passage_id'])}",
            wrapped(short(hit["text"], 60), "   "),
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
        lines.append(f"  - {line(one['name'])} ({line(one['concept'])})  {one['score']:.3f}")
        lines += [f"      finding: {_finding(f)}" for f in one["findings"][:_FINDINGS]]
        more = len(one["findings"]) - _FINDINGS
        lines += [f"      and {more} more"] if more > 0 else []
        lines += [f"      in: {line(title)}" for _, title in one["documents"]]
    return "\n".join(lines)


# Findings of a hypothesis that are printed, the most telling first; JSON has all.
_FINDINGS: Final = 4


def _finding(finding: Mapping[str, Any]) -> str:
    said = line(finding["text"] or finding["name"])
    same = finding["term"] == finding["concept"]
    shared = "" if same else f", as {line(finding['term_name'])}"
    return f"“{said}”{shared} ({finding['information']:.1f})"


def _reasons(explanation: Mapping[str, Any]) -> list[str]:
    """Why a passage was found, a line for the parts and one a concept."""
    scores = explanation["scores"]
    lines = ["   parts: " + ", ".join(f"{line(n)} {s:.3f}" for n, s in scores.items())]
    for met in explanation["concepts"]:
        asked = ("not " if met["question_denied"] else "") + f"“{line(met['question_text'])}”"
        found = ("not " if met["denied"] else "") + f"“{line(met['text'])}”"
        lines.append(
            f"   {asked} {_RELATIONS[met['relation']]} {found}"
            f" ({line(met['name'])}, {line(met['concept'])}; {met['weight']:.2f})"
        )
    return lines


# How the passage's concept stands to the question's.
_RELATIONS: Final = {
    "same": "is met by the same concept,",
    "equivalent": "is met by the same concept of another vocabulary,",
    "narrower": "is met by something narrower,",
    "broader": "is met by something broader,",
}


def mentions_text(mentions: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> str:
    """Mentions as ``kgrag link`` prints them, one a line; ``names`` are those of the concepts."""
    lines: list[str] = []
    for m in mentions:
        flags = f"  ({', '.join(m['flags'])})" if m["flags"] else ""
        where = f"{m['start']}-{m['end']}"
        name = plain(names.get(m["concept"], ""))
        lines.append(
            f"{where:>9}  {plain(m['text'])}  {m['concept']}  {name}, {m['type']}"
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
