"""``kgrag sparql`` on a kb on disk; removal; several processes; and a real SPARQL server."""

from __future__ import annotations

import csv
import io
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from advised_world import ONE, guideline, world
from asserted_world import PlainNames, document
from kept_world import Kept
from sparql_queries import QUERIES, comparable

from kgrag.engine import Engine
from kgrag.stores import rdf
from kgrag.stores.rdf.query import checked
from kgrag.stores.rdf.sparql import quads
from kgrag.stores.rdf.worker import ENGINES

EDGES = "SELECT ?s ?o ?n WHERE { ?a kg:subject ?s ; kg:object ?o ; kg:negated ?n }"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    made = Kept(tmp_path_factory.mktemp("sparql"))
    made.put(guideline(), document("two", ONE[:1], collection="other"))
    return made


@pytest.mark.parametrize("engine", ["auto", "rdflib", "oxigraph"])
def test_rows_in_every_form(kept: Kept, engine: str) -> None:
    found = json.loads(kept.run("sparql", EDGES, "--json", "--engine", engine))
    assert found["head"]["vars"] == ["s", "o", "n"]
    assert len(found["results"]["bindings"]) == 4
    rows = list(csv.reader(io.StringIO(kept.run("sparql", EDGES, "--format", "csv"))))
    assert rows[0] == ["s", "o", "n"] and len(rows) == 5
    table = kept.run("sparql", EDGES, "--engine", engine).splitlines()
    assert table[0] == "s\to\tn" and len(table) == 5


def test_a_query_in_a_file(kept: Kept, tmp_path: Path) -> None:
    path = tmp_path / "query.rq"
    path.write_text(f"# edges\n{EDGES}")
    assert kept.run("sparql", path) == kept.run("sparql", EDGES)


def test_a_file_that_holds_no_text(kept: Kept, tmp_path: Path) -> None:
    path = tmp_path / "query.rq"
    path.write_bytes(b"SELECT \xff")
    assert "cannot be read" in kept.run("sparql", path, expect=4)
    assert "not a SPARQL query" in kept.run("sparql", tmp_path / "none.rq", expect=4)
    assert "cannot be read" in kept.run("sparql", "x" * 900, expect=4)


def test_triples_and_answers(kept: Kept) -> None:
    turtle = kept.run("sparql", QUERIES["construct"])
    assert turtle.startswith("@prefix kgr:") and "kgr:prevents" in turtle
    assert kept.run("sparql", QUERIES["ask"]) == "answer\nyes\n"


def test_limits_and_refusals(kept: Kept) -> None:
    assert len(kept.run("sparql", EDGES, "--rows", 2).splitlines()) == 3
    assert "refused" in kept.run("sparql", "ASK { SERVICE <http://localhost/> {} }", expect=4)
    assert "not a SPARQL query" in kept.run("sparql", "DROP ALL", expect=4)
    endless = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l }"
    assert "longer than" in kept.run("sparql", endless, "--timeout", 1, expect=4)


def test_several_processes_ask_at_once(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.put()
    running = [kept.start("sparql", EDGES, "--json", "--engine", "oxigraph") for _ in range(3)]
    found = [process.communicate(timeout=120) for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], found
    assert len({comparable_text(out) for out, _ in found}) == 1
    assert len(list((kept.kb / "rdf").glob("gen-*"))) == 1


def comparable_text(text: str) -> str:
    return str(comparable(rdf.Result.of_json(json.loads(text))))


def test_what_was_removed_is_in_no_file_and_in_no_answer(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    secret = [("gout", "causes", "asthma", False, "gout causes asthma under zugzwang.")]
    kept.put(guideline(), document("secret", secret))
    quotes = "SELECT ?q WHERE { ?e a kg:Evidence ; kg:quote ?q }"
    assert "zugzwang" in kept.run("sparql", quotes, "--engine", "oxigraph")
    kept.put(document("three", ONE[2:]))  # the store is caught up on a copy, links and all
    assert "zugzwang" in kept.run("sparql", quotes, "--engine", "oxigraph")
    assert holds(kept.kb / "rdf", b"zugzwang")
    with Engine.open(kept.kb) as engine:
        (found,) = (i.id for i in engine.truth.documents() if i.source.identifier == "secret")
    kept.run("remove", found)
    assert not holds(kept.kb, b"zugzwang")
    assert "zugzwang" not in kept.run("sparql", quotes, "--engine", "oxigraph")
    assert not holds(kept.kb, b"zugzwang")


def holds(folder: Path, needle: bytes) -> bool:
    return any(needle in p.read_bytes() for p in folder.rglob("*") if p.is_file())


# A server of others ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an oxigraph server on this machine that was loaded with our TriG."""
    binary = Path(sys.executable).parent / "oxigraph"
    if not binary.exists():
        pytest.skip("the package oxigraph, which carries the server, is not installed")
    folder = tmp_path_factory.mktemp("server")
    rdf.export(world(), PlainNames(), "trig", folder / "kb.trig")
    subprocess.run(
        [binary, "load", "--location", folder / "store", "--file", folder / "kb.trig"],
        check=True,
        capture_output=True,
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen(
        [binary, "serve-read-only", "--location", folder / "store", "--bind", address,
         "--union-default-graph"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(f"http://{address}/", process)
        yield f"http://{address}/query"
    finally:
        process.terminate()
        process.wait(timeout=20)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.05)
    raise AssertionError("the server does not answer")


@pytest.mark.server
@pytest.mark.parametrize("name", QUERIES)
def test_a_real_server_gives_the_same(server: str, name: str) -> None:
    theirs = comparable(rdf.at_endpoint(server, QUERIES[name]))
    data = quads(world(), PlainNames())
    for engine in ENGINES.values():
        ours = engine(data, checked(QUERIES[name]).text, 1000)
        assert comparable(rdf.Result.of_json(ours)) == theirs
    assert bool(theirs) == (name != "nothing")


@pytest.mark.server
def test_the_command_asks_a_real_server(server: str, kept: Kept) -> None:
    found = json.loads(kept.run("sparql", EDGES, "--endpoint", server, "--json"))
    assert len(found["results"]["bindings"]) == 4
    assert "not both" in kept.run("sparql", EDGES, "--endpoint", server, "--kb", kept.kb, expect=2)
