"""Errors as application/problem+json (RFC 9457). Nothing of the question is repeated in them."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kgrag import errors

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


def problem(
    status: int, title: str, detail: str, *, retry: bool = False, **more: Any
) -> JSONResponse:
    """A problem document with its status; with ``retry`` it says when to try again."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    headers = {"Retry-After": "5"} if retry else None
    return JSONResponse(body, status, headers, media_type=MEDIA_TYPE)


def status_of(error: errors.KgragError) -> int:
    """The HTTP status of an error, by its family."""
    if isinstance(error, errors.NotFound):
        return 404
    if isinstance(error, errors.DataError):
        return 422
    return 503 if isinstance(error, errors.RetryableError | errors.SettingsError) else 500


def install(app: FastAPI) -> None:
    """Every error of ``app`` ends as a problem document."""

    @app.exception_handler(errors.KgragError)
    async def known(_: Request, error: errors.KgragError) -> JSONResponse:
        # What settings keep from working is not mended by asking again.
        retry = isinstance(error, errors.RetryableError)
        told = {} if error.hint is None else {"hint": error.hint}
        return problem(status_of(error), type(error).__name__, str(error), retry=retry, **told)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # The input itself stays out of the reply: it may end in a log on the way.
        found = [
            {"field": ".".join(str(p) for p in e["loc"]), "message": e["msg"]}
            for e in error.errors()
        ]
        return problem(422, "InvalidRequest", "the request is not valid", errors=found)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, "RequestRefused", str(error.detail))

    app.add_middleware(_Defects)


class _Defects:
    """Every other exception is a problem document too, and goes no further.

    A server logs what reaches it with its message, which may be text of a question or a document;
    here the type alone is logged. Handlers of the framework pass such exceptions on.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sent(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except Exception as error:
            if scope["type"] != "http":
                raise
            name = type(error).__name__
            logger.error("a defect of kgrag: %s", name)
            if begun:
                raise RuntimeError(f"a reply broke off: {name}") from None
            reply = problem(500, "InternalError", f"a defect of kgrag ({name}); nothing was said")
            await reply(scope, receive, send)
