"""A stand-in of a Qdrant server with its points in memory, and a proxy that breaks connections."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal


class StandIn(BaseHTTPRequestHandler):
    """As much of the REST interface as one index needs; scores are dot products."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer({})

    def do_PUT(self) -> None:
        self._answer(self._body())

    do_POST = do_PATCH = do_PUT  # noqa: N815 - the names that the base class calls

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def _body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return body

    def _answer(self, body: dict[str, Any]) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        with self.server.lock:
            result = self._result(parts, body)
        reply = json.dumps({"result": result, "status": "ok", "time": 0.0}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def _result(self, parts: list[str], body: dict[str, Any]) -> Any:
        store = self.server
        if parts == ["aliases"]:
            return {"aliases": [{"alias_name": a, "collection_name": c} for a, c in store.aliases]}
        if parts == ["collections"]:
            return {"collections": [{"name": name} for name in store.metadata]}
        if parts[1] == "aliases":
            for action in body["actions"]:
                made = action["create_alias"]
                store.aliases.append((made["alias_name"], made["collection_name"]))
            return True
        name = dict(store.aliases).get(parts[1], parts[1])
        match self.command, parts[2:]:
            case "PUT" | "PATCH", []:
                store.metadata.setdefault(name, {}).update(body["metadata"])
                return True
            case "GET", []:
                return _described(store.metadata[name])
            case "PUT", ["points"]:
                store.points.update({point["id"]: point for point in body["points"]})
            case "POST", ["points", "count"]:
                return {"count": 0}
            case "POST", ["points", "query"]:
                return {"points": self._nearest(body)}
        return {"operation_id": 1, "status": "completed"}

    def _nearest(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        wanted = body["query"]["nearest"]
        scored = [
            (sum(a * b for a, b in zip(wanted, point["vector"]["dense"], strict=True)), point)
            for point in self.server.points.values()
        ]
        scored.sort(key=lambda one: -one[0])
        return [
            {"id": point["id"], "version": 1, "score": score, "payload": point["payload"]}
            for score, point in scored[: body["limit"]]
        ]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StandIn)
        self.lock = threading.Lock()
        self.aliases: list[tuple[str, str]] = []
        self.metadata: dict[str, dict[str, Any]] = {}
        self.points: dict[str, dict[str, Any]] = {}


def _described(metadata: dict[str, Any]) -> dict[str, Any]:
    hnsw = {"m": 0, "ef_construct": 100, "full_scan_threshold": 10000}
    optimizer = {"deleted_threshold": 0.2, "vacuum_min_vector_number": 1000,
                 "default_segment_number": 0, "flush_interval_sec": 5}  # fmt: skip
    config = {"params": {}, "hnsw_config": hnsw, "optimizer_config": optimizer,
              "metadata": metadata}  # fmt: skip
    return {"status": "green", "optimizer_status": "ok", "segments_count": 1, "config": config,
            "payload_schema": {}}  # fmt: skip


class Proxy:
    """Passes connections on to a port, or breaks them as ``mode`` says at the time.

    ``refuse`` closes at once, ``drop`` in the midst of the server's first answer, ``hang`` never
    gives that answer. ``seen`` counts connections.
    """

    def __init__(self, port: int) -> None:
        self.mode: Literal["pass", "refuse", "drop", "hang"] = "pass"
        self.after = 0  # answers that still come through before ``mode`` counts
        self.seen = 0
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                client, _ = self._listener.accept()
                self.seen += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        if self.mode == "refuse" and not self.after:
            client.close()
            return
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self._to)) as server:
            threading.Thread(target=_pump, args=(client, server), daemon=True).start()
            while data := server.recv(65_536):
                if self.mode != "pass":
                    if not self.after:
                        if self.mode == "drop":
                            client.sendall(data[:40])
                            client.shutdown(socket.SHUT_RDWR)
                            return
                        while self.mode == "hang":
                            threading.Event().wait(0.05)
                        return
                    self.after -= 1
                client.sendall(data)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # the other side ended it
        while data := source.recv(65_536):
            target.sendall(data)


@contextmanager
def stand_in() -> Iterator[tuple[Server, Proxy]]:
    """The server and a proxy before it; both end with the block."""
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        proxy = Proxy(server.server_address[1])
        try:
            yield server, proxy
        finally:
            proxy.close()
            server.shutdown()
