"""A database that is gone for the moment: an error to try again after, in words of our own."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from kgrag.errors import RetryableError

# SQLSTATE classes and codes after which the same call may succeed: connection lost, the server
# starts or stops, too many connections, a deadlock or a conflict of transactions.
_CLASSES: Final = ("08", "57P", "40")
_CODES: Final = frozenset({"53300"})
# Those after which the connection is still good.
_CONNECTED: Final = ("40",)
# What the driver says, without a code, of a connection that it cannot make or has no more.
_DRIVER: Final = ("network error", "communication error", "can't create a connection", "is closed")


def retryable(engine: Engine, name: str) -> None:
    """From now on a lost server raises RetryableError from every call of ``engine``.

    Connections of before are let go, so that a later call makes new ones. ``name`` is what the
    message calls the database; the driver's words, which may hold a password, are not told.
    """

    @event.listens_for(engine, "handle_error")
    def gone(context: ExceptionContext) -> None:
        error = context.original_exception
        code = sqlstate(error)
        if code is not None:
            if not code.startswith(_CLASSES) and code not in _CODES:
                return
        elif not isinstance(error, OSError) and not _says_lost(error):
            return
        if code is None or not code.startswith(_CONNECTED):
            context.is_disconnect = True
        if context.is_pre_ping:
            return  # the pool lets go of this connection and makes another
        raise RetryableError(
            f"the database {name} does not answer ({code or type(error).__name__})",
            hint="try again when its server runs; what was committed is kept",
        ) from error


def sqlstate(error: BaseException | None) -> str | None:
    """The SQLSTATE that the server gave with an error; None without one."""
    if isinstance(error, DBAPIError):
        error = error.orig
    told = error.args[0] if error is not None and error.args else None
    code = told.get("C") if isinstance(told, dict) else None
    return code if isinstance(code, str) else None


def _says_lost(error: BaseException) -> bool:
    said = str(error).lower()
    return type(error).__name__ == "InterfaceError" and any(word in said for word in _DRIVER)
