"""What may be asked: one reading SPARQL query that reaches nothing but the kb.

Updates are refused because a kb changes by ingest alone; SERVICE and FROM because an engine would
fetch what they name. The words are looked for twice, in the parsed query and in its text, so that
no difference between two parsers lets one through.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import Any, Final, Literal

from kgrag.errors import DataError
from kgrag.stores.rdf.names import all_prefixes

Kind = Literal["SELECT", "ASK", "CONSTRUCT", "DESCRIBE"]

MAX_CHARS: Final = 100_000
_KINDS: Final[dict[str, Kind]] = {
    "SelectQuery": "SELECT",
    "AskQuery": "ASK",
    "ConstructQuery": "CONSTRUCT",
    "DescribeQuery": "DESCRIBE",
}
_TOKEN: Final = re.compile(
    r"""
      (?P<skip> <[^<>"{}|^`\\\s]*>                          # an IRI
        | \"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\" | '''(?:[^'\\]|\\.|'(?!''))*'''
        | "(?:[^"\\\n\r]|\\.)*" | '(?:[^'\\\n\r]|\\.)*'
        | \#[^\n\r]*                                        # a comment
        | [?$]\w+                                           # a variable
        | @[A-Za-z-]+                                       # a language
        | [\w.-]*:[\w.:%-]* )                               # a prefixed name
    | (?P<word> [^\W\d]\w* )
    | (?P<escape> \\[uU] )
    """,
    re.VERBOSE | re.DOTALL,
)
_REFUSED: Final = {
    "SERVICE": "SERVICE is refused: nothing is asked elsewhere",
    "FROM": "FROM is refused: what the kb says is what is asked",
}


@dataclass(frozen=True, slots=True)
class Query:
    """A query that may be asked. ``text`` declares every prefix that it uses.

    ``named`` says that it speaks of named graphs.
    """

    text: str
    kind: Kind
    named: bool


def checked(text: str) -> Query:
    """The query, with the prefixes of kgrag declared; DataError says why it may not be asked."""
    if len(text) > MAX_CHARS:
        raise DataError(f"the query has more than {MAX_CHARS:,} characters")
    used: set[str] = set()
    named = False
    for found in _TOKEN.finditer(text):
        word = found["word"]
        if found["escape"]:
            raise DataError("an escape outside a string is refused: write the character")
        if word and word.upper() in _REFUSED:
            raise DataError(_REFUSED[word.upper()])
        named |= bool(word) and word.upper() == "GRAPH"
        if found["skip"] and found["skip"][0] not in "<\"'#?$@":
            used.add(found["skip"].partition(":")[0])
    declared = set(re.findall(r"(?i)\bPREFIX\s+([\w.-]*):", text))
    added = [(p, i) for p, i in all_prefixes().items() if p in used - declared]
    # On one line, so that the line numbers of messages stay those of the user's text.
    whole = "".join(f"PREFIX {prefix}: <{base}> " for prefix, base in added) + text
    algebra = _parsed(whole)
    if "ServiceGraphPattern" in str(algebra):
        raise DataError(_REFUSED["SERVICE"])
    if algebra.datasetClause:
        raise DataError(_REFUSED["FROM"])
    return Query(whole, _KINDS[algebra.name], named)


def _parsed(text: str) -> Any:
    from pyparsing import ParseException
    from rdflib.plugins.sparql import prepareQuery

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return prepareQuery(text).algebra
    except ParseException as error:
        # The parser's words repeat the query's text; where it stopped is enough.
        raise DataError(
            f"not a SPARQL query: it stops making sense at line {error.lineno}",
            hint="updates are refused: a kb changes by ingest alone",
        ) from error
    except RecursionError as error:
        raise DataError("the query is nested too deeply") from error
    except Exception as error:
        raise DataError(f"not a SPARQL query: {error}") from error
