"""What ``kgrag show`` prints: one page for a concept, an assertion, a recommendation, a document.

Everything that a source says goes through ``plain``, so that no control character of a document
reaches the terminal, and into ``Text``, so that none of it is read as markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kgrag.cli.records import by_predicate
from kgrag.render import plain

# A quotation's parts, by what they are.
_STYLES: Final = {
    "subject": "bold cyan",
    "object": "bold magenta",
    "action": "bold green",
    "population": "bold cyan",
    "grade": "bold yellow",
    "exception": "bold red",
}
# What ends a line for some terminal or tool.
_BREAK: Final = re.compile("[\n\u2028\u2029]")
_SHOWN: Final = 8
_WIDEST: Final = 100


def print_page(page: RenderableType) -> None:
    """Print the page; without colours when the output is no terminal."""
    console = Console(highlight=False)
    if console.width > _WIDEST:
        console.width = _WIDEST
    if console.is_terminal:
        console.print(page)
        return
    with console.capture() as captured:
        console.print(page)
    # Cells are filled with blanks, which nobody wants in a file.
    print("\n".join(line.rstrip() for line in captured.get().split("\n")), end="")


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows for people on a terminal; one line a row, parted by tabs, where output is piped."""
    console = Console(highlight=False)
    if not console.is_terminal:
        for row in (header, *rows):
            print("\t".join(_line(cell) for cell in row))
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in header:
        table.add_column(_line(name), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_line(cell)) for cell in row))
    console.print(table)
    console.print(Text(_many(len(rows), "row"), style="dim"))


def _line(value: object) -> str:
    return _BREAK.sub(" ", plain(value)).strip(" ")


def _quoted(
    quote: str, start: int = 0, marks: Sequence[tuple[str, Sequence[int] | None]] = ()
) -> Text:
    """The quotation in quotation marks; ``marks`` are (kind, span in the document) to show."""
    text = Text("“")
    at = 0
    spans = sorted((s[0] - start, s[1] - start, kind) for kind, s in marks if s is not None)
    for begin, end, kind in spans:
        if at <= begin < end <= len(quote):
            text.append(_BREAK.sub(" ", plain(quote[at:begin])))
            text.append(_BREAK.sub(" ", plain(quote[begin:end])), style=_STYLES[kind])
            at = end
    text.append(_BREAK.sub(" ", plain(quote[at:])))
    text.append("”")
    return text


def _place(citation: Mapping[str, Any]) -> Text:
    document = citation["document"]
    text = Text(_line(document["title"]), style="italic")
    facts = [_line(document[k]) for k in ("publisher", "version", "date") if document.get(k)]
    text.append("".join(f" · {fact}" for fact in facts), style="not italic")
    where = []
    if citation["section"]:
        where.append(" › ".join(_line(s) for s in citation["section"]))
    if citation["page"] is not None:
        where.append(f"page {citation['page']}")
    where.append(f"characters {citation['start']:,} to {citation['end']:,}")
    text.append("\n" + " · ".join(where), style="not italic dim")
    text.append(f"\n{document['id']}", style="not italic dim")
    status = document.get("status", "current")
    if status != "current":
        text.append(f"  {status}: not cited as current", style="bold red")
    return text


def _rows(rows: Sequence[tuple[str, RenderableType]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(name, value)
    return table


def _indented(page: RenderableType, by: int = 2) -> Padding:
    return Padding(page, (0, 0, 0, by))


def _heading(words: str) -> Text:
    return Text(f"\n{words}", style="bold")


def concept_page(record: Mapping[str, Any]) -> RenderableType:
    """A concept: what it is, then what is said of it, both ways, and what is advised."""
    title = Text(_line(record["name"]), style="bold")
    title.append(f"  {record['curie']}  {record['type']}", style="not bold dim")
    parts: list[RenderableType] = [title]
    if record["asked_for"] != record["curie"]:
        parts.append(Text(f"asked for as {_line(record['asked_for'])}", style="dim"))
    parts.append(_indented(_rows(_facts(record))))
    for key, words, arrow in (("as_subject", "label", "→"), ("as_object", "inverse", "←")):
        for predicate, said in by_predicate(record[key], words).items():
            end = "object" if key == "as_subject" else "subject"
            parts.append(_heading(_line(predicate)))
            parts += [_edge(a, end, arrow) for a in said[:_SHOWN]]
            parts += _left_out(len(said))
    if record["recommendations"]:
        parts.append(_heading("recommendations"))
        parts += [_indented(_advice(r)) for r in record["recommendations"][:_SHOWN]]
        parts += _left_out(len(record["recommendations"]))
    if not (record["as_subject"] or record["as_object"] or record["recommendations"]):
        parts.append(Text("\nNo current document states anything of it.", style="dim"))
    return Group(*parts)


def _facts(record: Mapping[str, Any]) -> list[tuple[str, RenderableType]]:
    rows: list[tuple[str, RenderableType]] = []
    synonyms = [_line(s) for s in record["synonyms"]]
    if synonyms:
        more = f" (and {len(synonyms) - 12} more)" if len(synonyms) > 12 else ""
        rows.append(("also called", Text("; ".join(synonyms[:12]) + more)))
    if record["parents"]:
        names = "; ".join(f"{_line(p['name'])} ({p['curie']})" for p in record["parents"])
        rows.append(("a kind of", Text(names)))
    if record["same_as"]:
        rows.append(("same as", Text(", ".join(map(_line, record["same_as"])))))
    vocabulary = record["vocabulary"]
    said = Text(vocabulary["iri"])
    registered = [f"{_line(e['name'])} {_line(e['version'])}" for e in vocabulary["registered"]]
    if registered:
        said.append("\n" + "; ".join(registered), style="dim")
    rows.append(("vocabulary", said))
    m = record["mentions"]
    if not m["passages"]:
        shown = "nowhere in current documents"
    elif m["mentions"] is None:
        shown = f"in {m['passages']:,} passages"
    else:
        shown = (
            f"{_many(m['mentions'], 'time')} in {_many(m['passages'], 'passage')}"
            f" of {_many(m['documents'], 'document')}"
        )
    rows.append(("mentioned", Text(shown)))
    return rows


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("" if count == 1 else "s")


def _left_out(count: int) -> list[RenderableType]:
    if count <= _SHOWN:
        return []
    return [Text(f"  … and {count - _SHOWN} more; --json gives all", style="dim")]


def _edge(a: Mapping[str, Any], end: str, arrow: str) -> RenderableType:
    """One line of an assertion from one of its ends, with its first quotation."""
    head = Text(f"{arrow} ")
    head.append(_line(a[f"{end}_name"]), style="bold")
    head.append(f"  {a[end]}  {a['id']}", style="dim")
    notes = [f"{k}: {_line(v)}" for k, v in a["qualifiers"].items()]
    notes += [a["tier"]] if a["tier"] != "asserted" else []
    notes += [a["certainty"]] if a["certainty"] != "stated" else []
    if notes:
        head.append("\n  " + "; ".join(notes), style="yellow")
    first = a["evidence"][0]
    body = _quoted(first["quote"], first["start"], _ends(first))
    source = f"{_line(first['document']['title'])}"
    if len(a["evidence"]) > 1:
        source += f" and {_many(len(a['evidence']) - 1, 'more place')}"
    return _indented(Group(head, _indented(body), _indented(Text(source, style="dim italic"))))


def _ends(evidence: Mapping[str, Any]) -> list[tuple[str, Sequence[int] | None]]:
    return [("subject", evidence["subject_span"]), ("object", evidence["object_span"])]


def assertion_page(record: Mapping[str, Any]) -> RenderableType:
    """An assertion with every quotation that states it, its two ends marked."""
    title = Text(_line(record["subject_name"]), style=_STYLES["subject"])
    word = f"denied: {record['label']}" if record["negated"] else record["label"]
    title.append(f" — {_line(word)} → ", style="bold red" if record["negated"] else "default")
    title.append(_line(record["object_name"]), style=_STYLES["object"])
    rows: list[tuple[str, RenderableType]] = [
        ("assertion", Text(record["id"])),
        ("subject", Text(record["subject"])),
        ("object", Text(record["object"])),
        ("polarity", Text("denied" if record["negated"] else "affirmed")),
        ("certainty", Text(f"{record['certainty']}, {record['tier']}")),
        ("belief", Text(f"{record['belief']:.2f} that it was read right")),
    ]
    rows += [(_line(name), Text(_line(v))) for name, v in record["qualifiers"].items()]
    parts: list[RenderableType] = [title, _indented(_rows(rows))]
    if not record.get("current", True):
        parts.append(Text("  no current document states this", style="bold red"))
    count = len(record["evidence"])
    parts.append(_heading(f"{_many(count, 'place')} that {'states' if count == 1 else 'state'} it"))
    for number, e in enumerate(record["evidence"], 1):
        quote = _quoted(e["quote"], e["start"], _ends(e))
        parts.append(_numbered(number, Group(quote, _place(e))))
    return Group(*parts)


def _numbered(number: int, body: RenderableType) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", no_wrap=True, width=5, justify="right")
    table.add_column(overflow="fold")
    table.add_row(f"[{number}]", body)
    return Padding(table, (0, 0, 1, 0))


def recommendation_page(record: Mapping[str, Any]) -> RenderableType:
    """A recommendation with its quotation, whose parts are marked, and where it stands."""
    parts: list[RenderableType] = [
        _direction(record),
        Text(""),
        _indented(_advised(record)),
        Text(""),
        _indented(_rows(_advice_facts(record))),
        Text(""),
        _indented(_place(record)),
    ]
    if not record.get("current", True):
        parts.append(Text("\n  this document is not current", style="bold red"))
    return Group(*parts)


def _direction(record: Mapping[str, Any]) -> Text:
    words = {
        "for": ("Recommends for", "bold green"),
        "against": ("Recommends against", "bold red"),
        "neither": ("Says that the evidence is insufficient", "bold yellow"),
    }
    text = Text(*words[record["direction"]])
    for name in ("strength", "certainty"):
        grade = record[name]
        if grade is not None:
            known = grade["normalised"]
            common = f" = {known}" if known and known not in grade["raw"].casefold() else ""
            text.append(f" · {name}: {_line(grade['raw'])}{common} ({grade['system']})", "default")
    return text


def _advised(record: Mapping[str, Any]) -> Text:
    grades = [record[name] for name in ("strength", "certainty") if record[name] is not None]
    marks: list[tuple[str, Sequence[int] | None]] = [("grade", g["span"]) for g in grades]
    for kind in ("action", "population"):
        span = record[kind]
        marks.append((kind, span and (span["start"], span["end"])))
    marks += [("exception", (s["start"], s["end"])) for s in record["exceptions"]]
    return _quoted(record["quote"], record["start"], marks)


def _advice_facts(record: Mapping[str, Any]) -> list[tuple[str, RenderableType]]:
    ages = [record[k] for k in ("min_age", "max_age")]
    age = None
    if any(a is not None for a in ages):
        low, high = (f"{a:g}" if a is not None else None for a in ages)
        age = f"{low} to {high} years" if low and high else (
            f"from {low} years" if low else f"to {high} years")  # fmt: skip
    named = {
        key: "; ".join(f"{_line(c['name'])} ({c['curie']})" for c in record[key])
        for key in ("interventions", "conditions")
    }
    rows = [
        ("recommendation", record["id"]),
        ("continues", record["lead"] and record["lead"]["text"]),
        ("action", record["action"]["text"]),
        ("population", record["population"] and record["population"]["text"]),
        ("unless", "; ".join(s["text"] for s in record["exceptions"])),
        ("sex", record["sex"]),
        ("age", age),
        ("interventions", named["interventions"]),
        ("conditions", named["conditions"]),
        ("issuer", record["issuer"]),
        ("effective", record["effective"]),
        ("supersedes", "; ".join(record["supersedes"])),
    ]
    return [(name, Text(_line(value))) for name, value in rows if value]


def _advice(record: Mapping[str, Any]) -> RenderableType:
    head = _direction(record)
    head.append(f"  {record['id']}", style="not bold dim")
    title = Text(_line(record["document"]["title"]), style="dim italic")
    return Group(head, _indented(_advised(record)), _indented(title))


def passage_page(record: Mapping[str, Any]) -> RenderableType:
    """A passage with its place, and what was found in it."""
    rows: list[tuple[str, RenderableType]] = [
        (name, Text(_line(value)))
        for name, value in (
            ("passage", record["id"]),
            ("concepts", "; ".join(f"{c['name']} ({c['curie']})" for c in record["concepts"])),
            ("assertions", ", ".join(record["assertions"])),
            ("advice", ", ".join(record["recommendations"])),
        )
        if value
    ]
    text = Text(plain(record["quote"]))
    return Group(_place(record), _indented(text), _indented(_rows(rows)))


def document_page(record: Mapping[str, Any]) -> RenderableType:
    """A document's own description, what was found in it, its sections and its beginning."""
    m, found = record["metadata"], record["found"]
    title = Text(_line(record["title"]), style="bold")
    if record["status"] != "current":
        title.append(f"  {record['status']}: not cited as current", style="bold red")
    rows: list[tuple[str, object]] = [
        ("document", record["id"]),
        ("source", f"{record['source']['collection']}: {record['source']['identifier']}"),
        ("uri", record["uri"]),
        ("publisher", m["publisher"]),
        ("date", m["date"]),
        ("version", m["version"]),
        ("licence", m["licence"]),
        ("language", m["language"]),
        ("identifiers", ", ".join(f"{k}:{v}" for k, v in m["identifiers"])),
        ("retracted", m["retracted"]),
        ("reader", f"{record['reader']}, {record['media_type']}"),
        ("text", f"{len(record['text']):,} characters"),
        (
            "found in it",
            f"{_many(found['passages'], 'passage')}, {_many(found['mentions'], 'mention')}, "
            f"{_many(len(found['assertions']), 'assertion')}, "
            f"{_many(len(found['recommendations']), 'recommendation')}",
        ),
    ]
    parts: list[RenderableType] = [
        title,
        _indented(_rows([(name, Text(_line(v))) for name, v in rows if v])),
    ]
    for doubt in record["doubts"]:
        page = f" (page {doubt['page']})" if doubt["page"] is not None else ""
        said = f"  doubt: {doubt['kind']}{page}: {_line(doubt['message'])}"
        parts.append(Text(said, style="bold yellow"))
    if record["sections"]:
        parts.append(_heading("sections"))
        for section in record["sections"][:30]:
            indent = "  " * section["level"]
            shown = f"{indent}{_line(section['title'])}"
            parts.append(Text(shown, no_wrap=True, overflow="ellipsis"))
        if len(record["sections"]) > 30:
            parts.append(Text(f"  … and {len(record['sections']) - 30} more", style="dim"))
    parts.append(_heading("beginning of the text"))
    parts.append(_indented(Text(plain(record["text"][:800]).rstrip("\n"))))
    if len(record["text"]) > 800:
        parts.append(Text("  … --json gives the whole text", style="dim"))
    return Group(*parts)
