"""Runs one query in a process of its own, because no engine can be stopped in the middle.

``python worker.py`` reads one line of JSON from standard input (engine, path, query, rows, named,
memory), then N-Quads where there is no path, and writes the result in the form of
``Result.to_json``, or {"error"}. It imports nothing of kgrag, so that a query waits for its engine
alone.
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

Found = dict[str, Any]


def oxigraph(source: Path | bytes, query: str, rows: int, *, named: bool = True) -> Found:
    """The answer over a store's folder, or over N-Quads that are loaded into memory."""
    import pyoxigraph as ox

    if isinstance(source, Path):
        store = ox.Store.read_only(str(source))
    else:
        store = ox.Store()
        store.bulk_load(source, format=ox.RdfFormat.N_QUADS)  # which N-Triples are, too
    found = store.query(query, use_default_graph_as_union=True)
    if isinstance(found, ox.QueryBoolean):
        return {"head": {}, "boolean": bool(found)}
    if isinstance(found, ox.QueryTriples):
        return _triples((f"{triple} ." for triple in found), rows)
    variables = [v.value for v in found.variables]
    solutions = ({v: _ox_term(s[v]) for v in variables if s[v] is not None} for s in found)
    return _rows(variables, solutions, rows)


def _ox_term(term: Any) -> dict[str, str]:
    import pyoxigraph as ox

    if isinstance(term, ox.NamedNode):
        return {"type": "uri", "value": term.value}
    if isinstance(term, ox.BlankNode):
        return {"type": "bnode", "value": term.value}
    return _literal(term.value, term.language, term.datatype.value)


def rdflib(source: Path | bytes, query: str, rows: int, *, named: bool = True) -> Found:
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
            return {"head": {}, "boolean": bool(found.askAnswer)}
        if found.type in ("CONSTRUCT", "DESCRIBE"):
            graph = found.graph
            assert graph is not None
            return _triples((_line(*triple) for triple in graph), rows)
        variables = [str(v) for v in found.vars or ()]
        solutions = (
            {str(v): _rdflib_term(t) for v, t in row.items() if str(v) in variables}
            for row in found.bindings
        )
        return _rows(variables, solutions, rows)


def _line(*terms: Any) -> str:
    from rdflib.plugins.serializers.nt import _nt_row

    return str(_nt_row(terms)).strip()


def _rdflib_term(term: Any) -> dict[str, str]:
    from rdflib import BNode, URIRef

    if isinstance(term, URIRef):
        return {"type": "uri", "value": str(term)}
    if isinstance(term, BNode):
        return {"type": "bnode", "value": str(term)}
    return _literal(str(term), term.language, term.datatype and str(term.datatype))


def _literal(value: str, language: str | None, datatype: str | None) -> dict[str, str]:
    if language:
        return {"type": "literal", "value": value, "xml:lang": language}
    if datatype and not datatype.endswith("#string"):
        return {"type": "literal", "value": value, "datatype": datatype}
    return {"type": "literal", "value": value}


def _triples(lines: Iterable[str], rows: int) -> Found:
    listed, more = _limited(lines, rows)
    return {"triples": listed, "truncated": more}


def _rows(variables: list[str], solutions: Iterable[dict[str, Any]], rows: int) -> Found:
    listed, more = _limited(solutions, rows)
    return {"head": {"vars": variables}, "results": {"bindings": listed}, "truncated": more}


def _limited(found: Iterable[Any], rows: int) -> tuple[list[Any], bool]:
    iterator: Iterator[Any] = iter(found)
    listed = list(islice(iterator, rows))
    return listed, next(iterator, None) is not None


ENGINES = {"oxigraph": oxigraph, "rdflib": rdflib}


def _bound(memory: int) -> None:
    """This process holds at most ``memory`` bytes; files that it maps do not count."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        least = memory if most == resource.RLIM_INFINITY else min(memory, most)
        resource.setrlimit(resource.RLIMIT_DATA, (least, most))


def main() -> None:
    """One query from standard input to standard output."""
    task = json.loads(sys.stdin.buffer.readline())
    _bound(task["memory"])
    source = Path(task["path"]) if task["path"] else sys.stdin.buffer.read()
    try:
        run = ENGINES[task["engine"]]
        found = run(source, task["query"], task["rows"], named=task["named"])
    except OSError:  # the store: no fault of the query
        raise
    except Exception as error:  # noqa: BLE001 - engines raise what they like for a bad query
        found = {"error": f"{type(error).__name__}: {error}"}
    # ASCII, so that no encoding of standard output can get in the way.
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
