"""A Qdrant client whose failures to reach its server are errors to try again after."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from kgrag.errors import RetryableError


def reaching(client: QdrantClient, address: str) -> QdrantClient:
    """``client``, of which every call raises RetryableError when ``address`` does not answer.

    That it refuses what it was asked (a status below 500) is raised as the client's own error.
    """
    return cast("QdrantClient", _Reaching(client, address))


class _Reaching:
    def __init__(self, client: QdrantClient, address: str) -> None:
        self._reached, self._address = client, address

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._reached, name)
        return self._guarded(attribute) if callable(attribute) else attribute

    def _guarded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(call)
        def guarded(*arguments: Any, **named: Any) -> Any:
            try:
                return call(*arguments, **named)
            except ResponseHandlingException as error:
                raise self._gone("does not answer") from error
            except UnexpectedResponse as error:
                if error.status_code is not None and error.status_code < 500:
                    raise
                raise self._gone(f"answers with status {error.status_code}") from error

        return guarded

    def _gone(self, what: str) -> RetryableError:
        return RetryableError(
            f"the vector server at {self._address} {what}",
            hint="start it, or try again; nothing that was committed is lost",
        )
