"""A server of OpenAI's protocol behind a real socket that behaves as it is told, mostly badly."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str, dict[str, Any]], Any]
"""From the path and the body of a request to the JSON value, (status, value), or raw bytes."""


class Odd:
    """What was asked of the server, and how it answers."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""


@contextmanager
def serving(answer: Answer) -> Iterator[Odd]:
    """The server runs inside, at ``url``."""
    odd = Odd(answer)
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Quiet."""

        def _reply(self, body: dict[str, Any]) -> None:
            path = self.path.removeprefix("/v1")
            odd.asked.append((path, body))
            odd.headers.append(dict(self.headers))
            value = odd.answer(path, body)
            status = 200
            if isinstance(value, tuple):
                status, value = value
            if value == "hang":
                over.wait(20)
                return
            raw = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            try:
                self.wfile.write(raw)
            except OSError:
                self.close_connection = True  # the client had enough

        def do_GET(self) -> None:
            self._reply({})

        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            self._reply(json.loads(self.rfile.read(size)))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    odd.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield odd
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def said(text: object, **more: Any) -> dict[str, Any]:
    """A chat completion that says ``text``."""
    message = {"role": "assistant", "content": text}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop", **more}]}


def told(text: str, value: float = -0.5) -> dict[str, Any]:
    """Log-probabilities of a chat completion, each word a token."""
    rows = []
    for word in re.findall(r"\s*\S+", text):
        best = [{"token": word, "logprob": value}, {"token": " x", "logprob": -2.0}]
        rows.append({"token": word, "logprob": value, "top_logprobs": best})
    return {"logprobs": {"content": rows}}


def echoed(prompt: str, value: Callable[[str], float]) -> dict[str, Any]:
    """A completion that repeats ``prompt`` with the likelihood of each of its words."""
    tokens = re.findall(r"\s*\S+\s*$|\s*\S+", prompt)
    values: list[float | None] = [value(token) for token in tokens]
    values[0] = None
    tokens, values = [*tokens, " the"], [*values, -0.1]
    return {
        "choices": [
            {"text": f"{prompt} the", "logprobs": {"tokens": tokens, "token_logprobs": values}}
        ]
    }


def texts_of(body: dict[str, Any]) -> list[str] | None:
    """The texts that a request allows by any way of guiding, None when it does not guide."""
    choice = body.get("guided_choice") or body.get("structured_outputs", {}).get("choice")
    if choice:
        return list(choice)
    form = body.get("response_format")
    if form is not None:
        schema = form.get("schema") or form["json_schema"]["schema"]
        return [json.dumps({"said": t}) for t in schema["properties"]["said"]["enum"]]
    if "guided_regex" in body:
        return [
            re.sub(r"\\(.)", r"\1", t)
            for t in re.findall(r"\((.*?)\)(?:\||$)", body["guided_regex"])
        ]
    return None


def closed_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
