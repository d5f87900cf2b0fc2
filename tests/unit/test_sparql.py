"""What may be asked, the same answers from every engine, limits, and a store that follows."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
from advised_world import ONE, guideline, world
from asserted_world import PlainNames, Said, document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sparql_queries import QUERIES, comparable

from kgrag.errors import DataError, RetryableError, SettingsError
from kgrag.stores import rdf
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.stores.rdf import names as n
from kgrag.stores.rdf.query import checked
from kgrag.stores.rdf.sparql import _run, quads
from kgrag.stores.rdf.store import FOLDER, forget, shape, up_to_date
from kgrag.stores.rdf.worker import ENGINES

NAMES = PlainNames()


@pytest.fixture
def truth() -> MemoryTruth:
    return world()


def asked(engine: str, source: Path | bytes, text: str, rows: int = 1000) -> rdf.Result:
    return rdf.Result.of_json(ENGINES[engine](source, checked(text).text, rows))


@pytest.mark.parametrize("name", QUERIES)
def test_every_engine_gives_the_same(truth: MemoryTruth, name: str, tmp_path: Path) -> None:
    data = quads(truth, NAMES)
    query = checked(QUERIES[name])
    flat = quads(truth, NAMES, named=query.named)
    assert query.named == ("GRAPH" in QUERIES[name])
    found = [
        comparable(asked("rdflib", data, QUERIES[name])),
        comparable(
            rdf.Result.of_json(ENGINES["rdflib"](flat, query.text, 1000, named=query.named))
        ),
        comparable(asked("oxigraph", data, QUERIES[name])),
        comparable(asked("oxigraph", up_to_date(truth, NAMES, tmp_path), QUERIES[name])),
    ]
    assert all(one == found[0] for one in found)
    assert bool(found[0]) == (name != "nothing")


@pytest.mark.parametrize("engine", ["auto", "rdflib", "oxigraph"])
def test_a_query_runs_in_a_process_of_its_own(
    truth: MemoryTruth, engine: Any, tmp_path: Path
) -> None:
    query = "SELECT ?q WHERE { ?a kg:negated true ; kg:evidence/kg:quote ?q }"
    found = rdf.sparql(truth, NAMES, tmp_path, query, engine=engine)
    assert found.plain_rows() == [{"q": ONE[1][4]}]
    assert (tmp_path / FOLDER).exists() == (engine == "oxigraph")


REFUSED = [
    "SELECT * WHERE { SERVICE <http://localhost:1/> { ?s ?p ?o } }",
    "ASK { SERVICE SILENT <http://localhost:1/> { ?s ?p ?o } }",
    "select * where { service <http://localhost:1/> { ?s ?p ?o } }",
    "SELECT * WHERE { { SELECT * { seRVice ?x { ?s ?p ?o } } } }",
    "SELECT * WHERE { FILTER EXISTS { SERVICE <http://localhost:1/> { ?s ?p ?o } } }",
    "SELECT * WHERE { ?s ?p ?o # comment\n SERVICE\n<http://localhost:1/> { ?s ?p ?o } }",
    "SELECT * WHERE { \\u0053ERVICE <http://localhost:1/> { ?s ?p ?o } }",
    "SELECT * FROM <http://localhost:1/> WHERE { ?s ?p ?o }",
    "SELECT * FROM NAMED <http://localhost:1/> WHERE { GRAPH ?g { ?s ?p ?o } }",
    "INSERT DATA { <a:a> <a:a> <a:a> }",
    "DELETE WHERE { ?s ?p ?o }",
    "DELETE { ?s ?p ?o } INSERT { ?s ?p 1 } WHERE { ?s ?p ?o }",
    "LOAD <http://localhost:1/>",
    "CLEAR ALL",
    "DROP SILENT ALL",
    "CREATE GRAPH <a:a>",
    "COPY <a:a> TO <a:b>",
    "SELECT ?x WHERE { ?x nowhere:p ?y }",
    "SELECT nothing",
    "SELECT * WHERE { ?s ?p ?o } ; DROP ALL",
    "",
    "{" * 5000,
    "#" + "x" * 200_000,
]


@pytest.mark.parametrize("query", REFUSED)
def test_what_is_no_plain_question_is_refused(query: str) -> None:
    with pytest.raises(DataError):
        checked(query)


@pytest.mark.parametrize(
    "query",
    [
        'SELECT ?service WHERE { ?service kg:quote "SERVICE <http://x/> FROM" }',
        "SELECT * WHERE { ?s <http://from.service/SERVICE> ?o }",
        "SELECT * WHERE { ?s ?p ?o } # SERVICE FROM",
        "SELECT * WHERE { ?s kgq:service '''FROM \" SERVICE''' }",
        "SELECT (COUNT(*) AS ?from) WHERE { ?s kg:start ?from2 FILTER(?from2<5 && ?from2>1) }",
    ],
)
def test_the_words_may_stand_in_names_and_strings(query: str) -> None:
    assert checked(query).kind == "SELECT"


class _Listener(BaseHTTPRequestHandler):
    """Remembers who calls; answers what its server was given."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.calls.append((body, dict(self.headers)))  # type: ignore[attr-defined]
        status, kind, answer = self.server.answer  # type: ignore[attr-defined]
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status == 307:
            self.send_header("Location", "http://localhost:1/")
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815 - the name is the base class's

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Any]:
    server: Any = HTTPServer(("127.0.0.1", 0), _Listener)
    server.calls, server.answer = [], (500, "text/plain", b"")
    server.url = f"http://127.0.0.1:{server.server_port}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_nothing_is_asked_elsewhere(truth: MemoryTruth, listener: Any, tmp_path: Path) -> None:
    for query in REFUSED:
        with pytest.raises(DataError):
            rdf.sparql(truth, NAMES, tmp_path, query.replace("http://localhost:1/", listener.url))
    assert listener.calls == []


def answer(rows: int) -> bytes:
    found = [{"x": {"type": "literal", "value": str(i)}} for i in range(rows)]
    return json.dumps({"head": {"vars": ["x"]}, "results": {"bindings": found}}).encode()


def test_an_endpoint_is_asked_what_was_given(listener: Any) -> None:
    listener.answer = (200, "application/sparql-results+json", answer(5))
    found = rdf.at_endpoint(listener.url, "SELECT ?x WHERE { ?s kg:quote ?x }", rows=3)
    assert [row["x"] for row in found.plain_rows()] == ["0", "1", "2"]
    assert found.truncated
    ((body, headers),) = listener.calls
    assert body.startswith(f"PREFIX kg: <{n.BASE}>") and "?s kg:quote ?x" in body
    assert headers["Content-Type"] == "application/sparql-query"


@pytest.mark.parametrize(
    ("given_", "error"),
    [
        ((307, "text/plain", b""), DataError),
        ((400, "text/plain", b"no"), DataError),
        ((503, "text/plain", b"no"), RetryableError),
        ((200, "text/html", b"<html>"), DataError),
        ((200, "application/json", b'{"rows": []}'), DataError),
    ],
)
def test_an_endpoint_that_answers_otherwise(listener: Any, given_: Any, error: Any) -> None:
    listener.answer = given_
    with pytest.raises(error):
        rdf.at_endpoint(listener.url, "ASK { ?s ?p ?o }")


def test_an_endpoint_is_an_http_address_that_answers() -> None:
    for url in ("file:///etc/passwd", "ftp://localhost/", "localhost:7878"):
        with pytest.raises(SettingsError):
            rdf.at_endpoint(url, "ASK { ?s ?p ?o }")
    with pytest.raises(RetryableError):
        rdf.at_endpoint("http://127.0.0.1:1/", "ASK { ?s ?p ?o }", seconds=2)
    with pytest.raises(DataError):
        rdf.at_endpoint("http://127.0.0.1:1/", "DROP ALL")


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_are_limited(truth: MemoryTruth, engine: str) -> None:
    data = quads(truth, NAMES)
    for query in ("SELECT ?s WHERE { ?s ?p ?o }", "CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }"):
        found = asked(engine, data, query, rows=5)
        assert found.truncated and len(found.triples or found.rows) == 5
    one = asked(engine, data, "SELECT ?a WHERE { ?a kg:negated true }", rows=1)
    assert not one.truncated and len(one.rows) == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_time_is_limited(truth: MemoryTruth, engine: Any, tmp_path: Path) -> None:
    endless = "SELECT (COUNT(*) AS ?n) WHERE { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
    with pytest.raises(DataError, match=r"longer than 1\.5 seconds"):
        rdf.sparql(truth, NAMES, tmp_path, endless, engine=engine, seconds=1.5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds what a process holds")
@pytest.mark.parametrize("engine", ENGINES)
def test_memory_is_limited(truth: MemoryTruth, engine: Any) -> None:
    greedy = checked("SELECT * WHERE { GRAPH ?x {?a ?b ?c} ?d ?e ?f . ?g ?h ?i } ORDER BY ?c ?f ?i")
    with pytest.raises(DataError, match=r"memory|MemoryError"):
        _run(engine, quads(truth, NAMES), greedy, 60, 10, memory=96 * 2**20)


def test_what_an_engine_cannot_answer_is_told(truth: MemoryTruth, tmp_path: Path) -> None:
    # rdflib's parser takes this number, oxigraph does not.
    query = "SELECT ?s WHERE { ?s kg:start 1 } LIMIT 99999999999999999999999"
    with pytest.raises(DataError, match="cannot be answered"):
        rdf.sparql(truth, NAMES, tmp_path, query, engine="oxigraph")


def test_results_in_every_form(truth: MemoryTruth) -> None:
    data = quads(truth, NAMES)
    found = asked("oxigraph", data, 'SELECT ?q ?n WHERE { ?a kg:tier "asserted" ; kg:negated ?n ;'
                  " kg:evidence/kg:quote ?q FILTER(?n) }")  # fmt: skip
    assert found.csv() == f"q,n\r\n{ONE[1][4]},true\r\n"
    assert rdf.Result.of_json(json.loads(json.dumps(found.to_json()))) == found
    assert found.rows[0]["n"]["datatype"] == n.XSD + "boolean"
    with pytest.raises(DataError):
        found.turtle()
    made = asked("oxigraph", data, "CONSTRUCT { ?a kg:object ?o } WHERE { ?a kg:object ?o }")
    assert len(list(ox.parse(made.turtle().encode(), format=ox.RdfFormat.TURTLE))) == 4
    for form in (made.csv, made.table, made.plain_rows):
        with pytest.raises(DataError):
            form()
    yes = asked("oxigraph", data, "ASK { ?a kg:negated true }")
    assert (yes.csv(), yes.table()) == ("result\r\ntrue\r\n", (["answer"], [["yes"]]))


# The on-disk store -----------------------------------------------------------------------------


def content(folder: Path) -> set[str]:
    return {str(quad) for quad in ox.Store.read_only(str(folder))}


def rebuilt(truth: Any) -> set[str]:
    store = ox.Store()
    store.load(quads(truth, NAMES), format=ox.RdfFormat.N_QUADS)
    return {str(quad) for quad in store}


def test_the_store_is_built_once_and_follows(truth: MemoryTruth, tmp_path: Path) -> None:
    first = up_to_date(truth, NAMES, tmp_path)
    assert content(first) == rebuilt(truth)
    assert up_to_date(truth, NAMES, tmp_path) == first
    truth.put(document("three", [("gout", "causes", "stroke", False, "gout causes stroke.")]))
    second = up_to_date(truth, NAMES, tmp_path)
    assert second != first and not first.exists()
    assert content(second) == rebuilt(truth)


def test_a_store_shaped_otherwise_is_built_anew(truth: MemoryTruth, tmp_path: Path) -> None:
    first = up_to_date(truth, NAMES, tmp_path, edition="one")
    assert up_to_date(truth, NAMES, tmp_path, edition="two") != first
    assert shape("one") != shape("two")


@pytest.mark.parametrize("damage", ["pointer", "half pointer", "folder", "leftover"])
def test_a_damaged_store_is_built_anew(truth: MemoryTruth, damage: str, tmp_path: Path) -> None:
    folder = up_to_date(truth, NAMES, tmp_path)
    pointer = folder.parent / "current.json"
    if damage == "pointer":
        pointer.unlink()
    elif damage == "half pointer":
        pointer.write_text(pointer.read_text()[:20])
    elif damage == "folder":
        (folder / "CURRENT").unlink()
    else:  # of a process that was killed while it built
        (folder.parent / "gen-000009").mkdir()
        (folder.parent / "gen-000009" / "x.sst").write_text("half")
        truth.put(document("three", ONE[2:]))
    assert content(up_to_date(truth, NAMES, tmp_path)) == rebuilt(truth)
    assert len(list(folder.parent.glob("gen-*"))) == 1


NAMED = ("aspirin", "stroke", "gout", "asthma")


@st.composite
def said(draw: st.DrawFn) -> Said:
    subject, object_ = draw(st.permutations(NAMED))[:2]
    predicate = draw(st.sampled_from(("treats", "causes")))
    negated = draw(st.booleans())
    return subject, predicate, object_, negated, f"{subject} {predicate} {object_} {negated}."


_STEP = st.tuples(
    st.sampled_from(("put", "advise", "remove")),
    st.sampled_from(("one", "two", "three")),
    st.lists(said(), min_size=1, max_size=3),
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(_STEP, min_size=1, max_size=3), min_size=1, max_size=4))
def test_replaying_changes_equals_a_new_build(
    tmp_path_factory: pytest.TempPathFactory, rounds: Any
) -> None:
    folder = tmp_path_factory.mktemp("store")
    truth = MemoryTruth()
    for steps in rounds:
        for op, name, sentences in steps:
            if op == "put":
                truth.put(document(name, sentences))
            elif op == "advise":
                truth.put(guideline(name, sentences))
            else:
                for info in list(truth.documents()):
                    if info.source.identifier == name:
                        truth.remove(info.id)
        assert content(up_to_date(truth, NAMES, folder)) == rebuilt(truth)


def test_what_is_forgotten_is_in_no_file(truth: MemoryTruth, tmp_path: Path) -> None:
    up_to_date(truth, NAMES, tmp_path)
    truth.put(
        document("three", [("gout", "causes", "asthma", False, "gout causes asthma, oddly.")])
    )
    up_to_date(truth, NAMES, tmp_path)
    assert _holds(tmp_path, b"oddly")
    forget(tmp_path)
    assert not _holds(tmp_path, b"oddly")
    forget(tmp_path / "none")


def _holds(folder: Path, needle: bytes) -> bool:
    return any(needle in p.read_bytes() for p in folder.rglob("*") if p.is_file())
