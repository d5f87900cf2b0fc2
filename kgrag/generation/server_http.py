"""JSON over HTTP to one server: bounded in time, size and tries, and kept to this network."""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from kgrag.errors import RetryableError, SettingsError

LARGEST_REPLY: Final = 4 << 20
"""Bytes of a reply at most; a longer one is a failed one."""
TRIES: Final = 3
_WAIT_SECONDS: Final = 0.2
# What another try may mend.
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class Refused(RetryableError):
    """The server said no to a request: ``status`` of HTTP."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Access:
    """How a server may be talked to. ``key`` is never shown, not in errors and not by ``repr``."""

    allow_remote: bool = False
    key_variable: str | None = None
    timeout_seconds: float = 60.0

    def headers(self) -> dict[str, str]:
        """With the key of the environment variable; SettingsError when that is not set."""
        if self.key_variable is None:
            return {}
        key = os.environ.get(self.key_variable)
        if not key:
            raise SettingsError(
                f"the environment variable {self.key_variable} is not set",
                hint="it holds the key of the server of the language model",
            )
        if not key.isascii() or not key.isprintable():
            raise SettingsError(f"the key in {self.key_variable} has characters that no key has")
        return {"Authorization": f"Bearer {key}"}


class Server:
    """An OpenAI-compatible server at ``url``, such as ``http://127.0.0.1:8000/v1``.

    SettingsError when the URL is none, or leads out of this network and ``access`` does not allow
    that: text of the kb would leave it. No proxy is used and no redirection followed.
    """

    def __init__(self, url: str, access: Access) -> None:
        if "@" in url or "?" in url:  # before it is repeated in any message
            raise SettingsError(
                "the address of the language model's server holds a name, a key or a query",
                hint="put the key into an environment variable, named by generation.key_variable",
            )
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https"):
            raise SettingsError(f"{url!r} is no address of a server", hint="openai:URL#MODEL")
        self.url = url.rstrip("/")
        self._host, self._access = host, access
        self._port = port or (443 if parts.scheme == "https" else 80)
        self._check_place()
        self._client = httpx.Client(
            headers=access.headers(),
            timeout=httpx.Timeout(access.timeout_seconds, connect=min(5.0, access.timeout_seconds)),
            follow_redirects=False,
            trust_env=False,
            # A connection a call: each is to an address that was looked at just before, and none
            # stays open when the model is forgotten.
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def _check_place(self) -> None:
        """Names are looked up for every request: where one leads may change."""
        if self._access.allow_remote:
            return
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise RetryableError(f"no address is known for {self._host!r}") from error
        for *_, address in found:
            if not _is_near(str(address[0])):
                raise SettingsError(
                    f"{self._host!r} is outside of this machine and its network",
                    hint="generation.allow_remote = true lets questions and quotations go there",
                )

    def get(self, path: str) -> Any:
        """The JSON value at ``path``; see ``post``."""
        return self._ask("GET", path, None)

    def post(self, path: str, body: Mapping[str, Any], *, tries: int = TRIES) -> Any:
        """The JSON value that the server gives for ``body``.

        SettingsError when it does not let us in. Refused when it says no, RetryableError when it
        cannot be reached, takes longer than the time allowed for the whole call, says too much or
        sends no JSON. Errors hold the status and never what either side wrote.
        """
        return self._ask("POST", path, body, tries)

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None, tries: int = TRIES
    ) -> Any:
        last = time.monotonic() + self._access.timeout_seconds
        for number in range(1, tries + 1):
            try:
                return self._once(method, path, body, last)
            except RetryableError as error:
                passing = not isinstance(error, Refused) or error.status in _PASSING
                wait = _WAIT_SECONDS * 2 ** (number - 1)
                if not passing or number == tries or time.monotonic() + wait >= last:
                    raise
                time.sleep(wait)
        raise RetryableError(f"{self.url} was not asked")

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None, last: float) -> Any:
        self._check_place()
        read = bytearray()
        try:
            left = max(0.01, last - time.monotonic())
            timeout = httpx.Timeout(left, connect=min(5.0, left))
            with self._client.stream(
                method, f"{self.url}{path}", json=body, timeout=timeout
            ) as reply:
                for piece in reply.iter_bytes():
                    read += piece
                    if len(read) > LARGEST_REPLY:
                        raise RetryableError(f"{self.url} replied with too much")
                    if time.monotonic() > last:
                        raise RetryableError(f"{self.url} took too long")
                status = reply.status_code
        except httpx.TimeoutException as error:
            raise RetryableError(f"{self.url} took too long") from error
        except httpx.HTTPError as error:
            raise RetryableError(
                f"{self.url} could not be asked ({type(error).__name__})",
                hint="is the server of the language model running?",
            ) from None
        if status in (401, 403):
            raise SettingsError(
                f"{self.url} did not let us in ({status})",
                hint="generation.key_variable names the environment variable that holds the key",
            )
        if status != 200:
            raise Refused(f"{self.url}{path} replied with status {status}", status=status)
        try:
            return json.loads(read)
        except (ValueError, RecursionError):
            raise RetryableError(f"{self.url}{path} did not reply with JSON") from None


def _is_near(address: str) -> bool:
    """Whether it is of this machine or of a private network."""
    where = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(where, ipaddress.IPv6Address) and where.ipv4_mapped is not None:
        where = where.ipv4_mapped
    return where.is_loopback or (where.is_private and not where.is_link_local)
