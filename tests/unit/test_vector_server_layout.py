"""Shards, replicas and quantisation of a vector server, from the URL to what it is asked for."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest

from kgrag.errors import SettingsError, UnknownName
from kgrag.stores.base import Filters
from kgrag.stores.qdrant import open_index
from kgrag.stores.qdrant.cluster import Layout, parse

URL = "http://me:x@h:6333/kb?shards=6&replicas=2&write_consistency=2&on_disk=true&quantization=int8"


def test_the_url_tells_address_name_and_layout() -> None:
    assert parse(URL) == ("http://me:x@h:6333", "kb", Layout(6, 2, 2, True, "int8"))
    assert parse("https://h:1") == ("https://h:1", "kgrag", Layout())


@pytest.mark.parametrize(
    ("query", "error", "told"),
    [
        ("shard=6", UnknownName, "did you mean 'shards'"),
        ("shards=0", SettingsError, "shards is '0'"),
        ("shards=many", SettingsError, "positive whole number"),
        ("on_disk=yes", SettingsError, "neither true nor false"),
        ("quantization=int4", UnknownName, "int8"),
        ("write_consistency=2", SettingsError, "more than its replicas"),
    ],
)
def test_what_is_not_known_is_refused(query: str, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        parse(f"http://h:6333/kb?{query}")


class Asked(BaseHTTPRequestHandler):
    """Keeps what it is asked and answers as a server that has one empty collection does."""

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked: list[tuple[str, str, Any]] = self.server.asked  # type: ignore[attr-defined]
        asked.append((self.command, self.path.partition("?")[0], json.loads(body or b"null")))
        results: dict[str, Any] = {
            "/aliases": {"aliases": self.server.aliases},  # type: ignore[attr-defined]
            "/collections": {"collections": []},
        }
        path = asked[-1][1]
        if path.endswith("/points/query"):
            result: Any = {"points": []}
        elif path.endswith("/index"):
            result = {"operation_id": 1, "status": "completed"}
        else:
            result = results.get(path, True)
        if path == "/collections/aliases":
            alias = asked[-1][2]["actions"][-1]["create_alias"]
            self.server.aliases.append(alias)  # type: ignore[attr-defined]
        said = json.dumps({"result": result, "status": "ok", "time": 0.0}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_PUT = do_POST = _answer  # noqa: N815  # names that http.server calls


@pytest.fixture
def server() -> Iterator[Any]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Asked) as serving:
        serving.asked, serving.aliases = [], []  # type: ignore[attr-defined]
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield serving
        serving.shutdown()


def created(server: Any, query: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The body that makes the collection, and the one of a dense search."""
    url = f"http://127.0.0.1:{server.server_address[1]}/kb{query}"
    index = open_index(url, dimensions=4, encoder="e", mode="write")
    index.dense(np.full(4, 0.5, dtype=np.float32), limit=3, filters=Filters())
    index.close()
    made = [b for verb, path, b in server.asked if verb == "PUT" and path.count("/") == 2]
    searched = [b for _, path, b in server.asked if path.endswith("/points/query")]
    return made[0], searched[0]["params"]


def test_a_new_collection_is_made_with_them(server: Any) -> None:
    made, params = created(server, URL[URL.index("?") :])
    assert (made["shard_number"], made["replication_factor"]) == (6, 2)
    assert made["write_consistency_factor"] == 2
    assert made["vectors"]["dense"]["on_disk"] is True
    assert made["quantization_config"]["scalar"]["type"] == "int8"
    assert params["quantization"] == {"oversampling": 3.0, "rescore": True}
    assert not params.get("exact")


def test_without_them_the_server_decides_and_search_is_exact(server: Any) -> None:
    made, params = created(server, "")
    assert made.get("shard_number") is None
    assert made.get("quantization_config") is None
    assert params["exact"] is True


@pytest.mark.parametrize(
    "url",
    ["http://u:secret@h:port/kg", "http://h:99999999/kg", "ftp://u:secret@h/kg", "http:///kg", "h"],
)
def test_what_is_no_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(SettingsError, match="no address of a vector server") as told:
        parse(url)
    assert "secret" not in str(told.value)
