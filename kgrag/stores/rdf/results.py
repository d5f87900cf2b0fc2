"""What a query gave, the same from every engine, in the forms that people and tools read.

Terms are those of the W3C's SPARQL JSON results: {"type", "value"} and, for literals,
"datatype" or "xml:lang".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kgrag.errors import DataError
from kgrag.stores.rdf import names as n
from kgrag.stores.rdf.quads import Block
from kgrag.stores.rdf.writers import write_turtle

Term = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Result:
    """Rows of a SELECT, the ``boolean`` of an ASK, or the ``triples`` of a CONSTRUCT or DESCRIBE.

    ``triples`` are lines of N-Triples. ``truncated`` says that a limit cut the rest off.
    """

    variables: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Term], ...] = ()
    boolean: bool | None = None
    triples: tuple[str, ...] | None = None
    truncated: bool = False

    @classmethod
    def of_json(cls, found: Mapping[str, Any]) -> Result:
        """From the W3C form, or from what ``to_json`` gives for triples."""
        truncated = bool(found.get("truncated", False))
        if "boolean" in found:
            return cls(boolean=bool(found["boolean"]))
        if "triples" in found:
            return cls(triples=tuple(found["triples"]), truncated=truncated)
        rows = tuple(found["results"]["bindings"])
        return cls(tuple(found["head"]["vars"]), rows, truncated=truncated)

    def to_json(self) -> dict[str, Any]:
        """The W3C form; triples as a list of lines."""
        more = {"truncated": True} if self.truncated else {}
        if self.boolean is not None:
            return {"head": {}, "boolean": self.boolean}
        if self.triples is not None:
            return {"triples": list(self.triples), **more}
        head = {"vars": list(self.variables)}
        return {"head": head, "results": {"bindings": [dict(r) for r in self.rows]}, **more}

    def plain_rows(self) -> list[Mapping[str, str]]:
        """Rows of the terms' text, without variables that have no value; DataError for triples."""
        if self.triples is not None:
            raise DataError("only SELECT and ASK give rows")
        if self.boolean is not None:
            return [{"result": str(self.boolean).lower()}]
        return [{name: term["value"] for name, term in row.items()} for row in self.rows]

    def csv(self) -> str:
        """The W3C's CSV results."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        if self.boolean is not None:
            writer.writerows([["result"], [str(self.boolean).lower()]])
        else:
            self._need_rows("csv")
            writer.writerow(self.variables)
            for row in self.rows:
                writer.writerow([row[v]["value"] if v in row else "" for v in self.variables])
        return out.getvalue()

    def turtle(self) -> str:
        """The triples as Turtle with the prefixes that they use; DataError for rows."""
        if self.triples is None:
            raise DataError("only CONSTRUCT and DESCRIBE give Turtle")
        out = io.StringIO()
        write_turtle(Block(None, tuple(split_line(line) for line in self.triples)), out)
        return out.getvalue()

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Header and cells for people: ids and IRIs shortened, literals as their text."""
        if self.boolean is not None:
            return ["answer"], [["yes" if self.boolean else "no"]]
        self._need_rows("a table")
        cells = [[_cell(row.get(v)) for v in self.variables] for row in self.rows]
        return list(self.variables), cells

    def _need_rows(self, form: str) -> None:
        if self.triples is not None:
            raise DataError(f"CONSTRUCT and DESCRIBE give no rows for {form}", hint="use ttl")


def _cell(term: Term | None) -> str:
    if term is None:
        return ""
    value = term["value"]
    if term["type"] != "uri":
        return value
    return value[len(n.ID) :] if value.startswith(n.ID) else n.shortened(value)


_END: Final = " ."


def split_line(line: str) -> tuple[str, str, str]:
    """Subject, predicate and object of one line of N-Triples."""
    subject, predicate, rest = line.rstrip().split(" ", 2)
    return subject, predicate, rest.removesuffix(_END).rstrip()
