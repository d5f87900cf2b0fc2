"""Blocks to N-Triples, TriG and JSON-LD, one block after the other in bounded memory."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, TextIO

from kgrag.stores.rdf import names as n
from kgrag.stores.rdf.quads import Block, Statement

_TYPE: Final = f"<{n.RDF}type>"
# Properties of the model whose values are resources.
OBJECTS: Final = (
    "subject", "predicate", "object", "evidence", "document", "passage", "subjectMention",
    "objectMention", "concept", "action", "population", "lead", "exception", "strength",
    "certaintyOfEvidence", "intervention", "condition",
)  # fmt: skip


def write_nt(blocks: Iterable[Block], out: TextIO) -> int:
    """N-Triples without the graphs: how many lines were written."""
    count = 0
    for block in blocks:
        for s, p, o in block.statements:
            out.write(f"{s} {p} {o} .\n")
        count += len(block.statements)
    return count


def write_nq(blocks: Iterable[Block], out: TextIO) -> int:
    """N-Quads: how many lines were written."""
    count = 0
    for block in blocks:
        graph = "" if block.graph is None else f" {block.graph}"
        for s, p, o in block.statements:
            out.write(f"{s} {p} {o}{graph} .\n")
        count += len(block.statements)
    return count


def write_trig(blocks: Iterable[Block], out: TextIO) -> int:
    """TriG, one pair of braces a named graph: how many statements were written."""
    for prefix, base in n.all_prefixes().items():
        out.write(f"@prefix {prefix}: <{base}> .\n")
    count = 0
    for block in blocks:
        out.write("\n" if block.graph is None else f"\n{_short(block.graph)} {{\n")
        _subjects(block, "" if block.graph is None else "  ", out)
        count += len(block.statements)
        if block.graph is not None:
            out.write("}\n")
    return count


def write_turtle(block: Block, out: TextIO) -> None:
    """The statements of one block without its graph, with the prefixes that they use."""
    body = io.StringIO()
    _subjects(block, "", body)
    shown = body.getvalue()
    terms = {t for s, p, o in block.statements for t in (s, o, *((p,) if p != _TYPE else ()))}
    used = {_short(t).rpartition("^^")[2].partition(":")[0] for t in terms}
    for prefix, base in n.all_prefixes().items():
        if prefix in used:
            out.write(f"@prefix {prefix}: <{base}> .\n")
    out.write(("\n" if shown else "") + shown)


def _subjects(block: Block, inside: str, out: TextIO) -> None:
    lines: dict[str, list[str]] = {}
    for s, p, o in block.statements:
        lines.setdefault(s, []).append(f"{_predicate(p)} {_short(o)}")
    for subject, said in lines.items():
        out.write(f"{inside}{_short(subject)} " + f" ;\n{inside}  ".join(said) + " .\n")


def _predicate(value: str) -> str:
    return "a" if value == _TYPE else _short(value)


def _short(value: str) -> str:
    """The term with its IRI, or that of its datatype, shortened; numbers and booleans bare."""
    if value.startswith("<"):
        short = n.shortened(value[1:-1])
        return value if short == value[1:-1] else short
    if not value.endswith(">"):
        return value
    body, _, kind = value[:-1].rpartition("^^<")
    if kind in (n.XSD + "integer", n.XSD + "boolean"):
        return body[1:-1]
    return f"{body}^^{n.shortened(kind)}"


def context() -> dict[str, Any]:
    """The JSON-LD context: bare names are the model's, bare ids are what the kb holds."""
    made: dict[str, Any] = {"@version": 1.1, "@base": n.ID, "@vocab": n.BASE}
    for prefix, base in n.all_prefixes().items():
        # Without the mark only IRIs that end in one of RFC 3986's gen-delims are prefixes.
        made[prefix] = base if base[-1] in ":/?#[]@" else {"@id": base, "@prefix": True}
    for name in OBJECTS:
        made[name] = {"@id": n.BASE + name, "@type": "@id"}
    return made


def write_jsonld(blocks: Iterable[Block], out: TextIO) -> int:
    """JSON-LD, one line a block: how many statements were written."""
    out.write('{"@context":' + json.dumps(context(), ensure_ascii=False) + ',\n"@graph":[')
    count = 0
    for at, block in enumerate(blocks):
        found = list(_objects(block.statements))
        value = (
            found[0] if block.graph is None else {"@id": _reference(block.graph), "@graph": found}
        )
        out.write(",\n" if at else "\n")
        out.write(json.dumps(value, ensure_ascii=False))
        count += len(block.statements)
    out.write("\n]}\n")
    return count


def _objects(statements: tuple[Statement, ...]) -> Iterator[dict[str, Any]]:
    """One object a subject; a subject that another one names is written inside that one."""
    made: dict[str, dict[str, Any]] = {}
    for subject, *_ in statements:
        made.setdefault(subject, {"@id": _reference(subject)})
    first = statements[0][0]
    nested: set[str] = set()
    for subject, prop, value in statements:
        shown: Any
        if prop == _TYPE:
            key, shown = "@type", _class(value)
        else:
            key = _key(prop)
            if value in made and value not in nested and value not in (subject, first):
                nested.add(value)
                shown = made[value]
            else:
                shown = _value(value, coerced=key in OBJECTS)
        held = made[subject]
        if key not in held:
            held[key] = shown
        elif isinstance(held[key], list):
            held[key].append(shown)
        else:
            held[key] = [held[key], shown]
    return (value for name, value in made.items() if name not in nested)


def _reference(value: str) -> str:
    """An IRI relative to the ids of the kb, or shortened, or as it is."""
    plain = value[1:-1]
    return plain[len(n.ID) :] if plain.startswith(n.ID) else n.shortened(plain)


def _class(value: str) -> str:
    plain = value[1:-1]
    return plain[len(n.BASE) :] if plain.startswith(n.BASE) else n.shortened(plain)


def _key(prop: str) -> str:
    plain = prop[1:-1]
    local = plain[len(n.BASE) :]
    if plain.startswith(n.BASE) and "/" not in local:
        return local
    return n.shortened(plain)


def _value(value: str, *, coerced: bool) -> Any:
    if value.startswith("<"):
        return _reference(value) if coerced else {"@id": _reference(value)}
    characters, kind = n.parse_term(value)
    if kind == n.XSD + "integer":
        return int(characters)
    if kind == n.XSD + "boolean":
        return characters == "true"
    if kind == n.XSD + "string":
        return characters
    return {"@type": n.shortened(kind or ""), "@value": characters}
