"""What a running server tells the command line: an error keeps its family and its exit code."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kgrag import errors
from kgrag.cli import exit_code
from kgrag.cli.remote import Remote


@contextmanager
def replying(status: int, body: bytes) -> Iterator[str]:
    """The address of a server that answers everything so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "title", "family", "code"),
    [
        (422, "BadQuestion", errors.DataError, 4),
        (404, "NotFound", errors.DataError, 4),
        (422, "InvalidRequest", errors.DataError, 4),
        (503, "SettingsError", errors.SettingsError, 3),
        (503, "KnowledgeBaseError", errors.SettingsError, 3),
        (503, "KnowledgeBaseBusy", errors.RetryableError, 5),
        (503, "NotReady", errors.RetryableError, 5),
        (500, "InternalError", errors.KgragError, 70),
        (500, "BrokenInvariant", errors.KgragError, 70),
    ],
)
def test_a_problem_of_the_server_is_of_its_family_here(
    status: int, title: str, family: type[errors.KgragError], code: int
) -> None:
    body = json.dumps({"title": title, "status": status, "detail": "what to do"}).encode()
    with replying(status, body) as url, pytest.raises(family, match="what to do") as caught:
        Remote(url).ask("What treats gout?")
    assert exit_code(caught.value) == code


@pytest.mark.parametrize("body", [b"", b"<html>no</html>", b"[]", b"{}"])
def test_what_is_no_problem_document_is_told_by_its_status(body: bytes) -> None:
    with replying(502, body) as url, pytest.raises(errors.KgragError, match="502"):
        Remote(url).ask("What treats gout?")
