"""What a service says and logs of its own defects: their type, and no text of a question."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from kgrag_services.api import create_app


def _fails(*args: Any, **kwargs: Any) -> Any:
    raise ValueError("secret words of the question")


def posted(app: Any) -> list[dict[str, Any]]:
    """All that the application sends for one question, as a server calls it."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b'{"question": "x"}', "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "path": "/v1/ask", "raw_path": b"/v1/ask", "query_string": b"", "root_path": "",
        "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1),
        "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    return sent


def test_no_exception_with_its_message_reaches_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = create_app(SimpleNamespace(ask=_fails))  # type: ignore[arg-type]
    with caplog.at_level(logging.DEBUG):
        sent = posted(app)  # raises nothing: a server would log what it raises
    assert sent[0]["status"] == 500
    assert b"ValueError" in sent[1]["body"]
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text + str(sent)
