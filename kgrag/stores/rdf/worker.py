"""Runs one query in a process of its own, because no engine can be stopped in the middle.

``python -m kgrag.stores.rdf.worker`` reads one line of JSON from standard input (engine, path,
query, rows, named), then N-Quads where there is no path, and writes the result, or {"error"}.
"""

from __future__ import annotations

import io
import json
import sys
import warnings
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from kgrag.stores.rdf.results import Result, Term, dump


def oxigraph(source: Path | bytes, query: str, rows: int, *, named: bool = True) -> Result:
    """The answer over a store's folder, or over N-Quads that are loaded into memory."""
    import pyoxigraph as ox

    if isinstance(source, Path):
        store = ox.Store.read_only(str(source))
    else:
        store = ox.Store()
        store.bulk_load(source, format=ox.RdfFormat.N_QUADS)  # which N-Triples are, too
    found = store.query(query, use_default_graph_as_union=True)
    if isinstance(found, ox.QueryBoolean):
        return Result(boolean=bool(found))
    if isinstance(found, ox.QueryTriples):
        lines, more = _limited((f"{triple} ." for triple in found), rows)
        return Result(triples=tuple(lines), truncated=more)
    variables = tuple(v.value for v in found.variables)
    solutions = ({v: s[v] for v in variables if s[v] is not None} for s in found)
    listed, more = _limited(solutions, rows)
    shown = tuple({v: _ox_term(t) for v, t in row.items()} for row in listed)
    return Result(variables, shown, truncated=more)


def _ox_term(term: Any) -> Term:
    import pyoxigraph as ox

    if isinstance(term, ox.NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, ox.BlankNode):
        return {"type": "bnode", "value": term.value}
    return _literal(term.value, term.language, term.datatype.value)


def _literal(value: str, language: str | None, datatype: str | None) -> Term:
    if language:
        return {"type": "literal", "value": value, "xml:lang": language}
    if datatype and not datatype.endswith("#string"):
        return {"type": "literal", "value": value, "datatype": datatype}
    return {"type": "literal", "value": value}


def rdflib(source: Path | bytes, query: str, rows: int, *, named: bool = True) -> Result:
    """The answer over N-Quads, or N-Triples when not ``named``, or a file of them."""
    from rdflib import Dataset, Graph

    with warnings.catch_warnings():
        # rdflib 7.6: its own engine calls what its Dataset deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        dataset: Graph = Dataset(default_union=True) if named else Graph()
        data = source.read_bytes() if isinstance(source, Path) else source
        dataset.parse(io.BytesIO(data), format="nquads" if named else "nt")
        found = dataset.query(query)
        if found.type == "ASK":
            return Result(boolean=bool(found.askAnswer))
        if found.type in ("CONSTRUCT", "DESCRIBE"):
            graph = found.graph
            assert graph is not None
            lines, more = _limited((_line(*triple) for triple in graph), rows)
            return Result(triples=tuple(lines), truncated=more)
        variables = tuple(str(v) for v in found.vars or ())
        listed, more = _limited(found.bindings, rows)
        shown = tuple(
            {str(v): _rdflib_term(t) for v, t in row.items() if str(v) in variables}
            for row in listed
        )
    return Result(variables, shown, truncated=more)


def _line(*terms: Any) -> str:
    from rdflib.plugins.serializers.nt import _nt_row

    return str(_nt_row(terms)).strip()


def _rdflib_term(term: Any) -> Term:
    from rdflib import BNode, URIRef

    if isinstance(term, URIRef):
        return {"type": "uri", "value": str(term)}
    if isinstance(term, BNode):
        return {"type": "bnode", "value": str(term)}
    return _literal(str(term), term.language, term.datatype and str(term.datatype))


def _limited(found: Iterable[Any], rows: int) -> tuple[list[Any], bool]:
    iterator: Iterator[Any] = iter(found)
    listed = list(islice(iterator, rows))
    return listed, next(iterator, None) is not None


ENGINES = {"oxigraph": oxigraph, "rdflib": rdflib}


def main() -> None:
    """One query from standard input to standard output."""
    task = json.loads(sys.stdin.buffer.readline())
    source = Path(task["path"]) if task["path"] else sys.stdin.buffer.read()
    try:
        run = ENGINES[task["engine"]]
        result = run(source, task["query"], task["rows"], named=task["named"])
    except OSError:  # the store: no fault of the query
        raise
    except Exception as error:  # noqa: BLE001 - engines raise what they like for a bad query
        sys.stdout.write(json.dumps({"error": f"{type(error).__name__}: {error}"}))
        return
    sys.stdout.write(dump(result))


if __name__ == "__main__":
    main()
