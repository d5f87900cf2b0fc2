"""The engine behind a command: the kb itself, or the server that already has it open."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from kgrag import errors
from kgrag.errors import DataError, KgragError, RetryableError, SettingsError
from kgrag.progress import Progress

_NOTE_SECONDS: Final = 900  # a long note takes minutes


class Asking(Protocol):
    """What ``search``, ``ask`` and ``verify`` need; plain JSON values come back."""

    def search(self, question: str, **options: Any) -> list[dict[str, Any]]: ...
    def explain(self, question: str, **options: Any) -> dict[str, Any]: ...
    def ask(self, question: str, **options: Any) -> dict[str, Any]: ...
    def check_note(self, note: str, *, progress: Progress, **options: Any) -> dict[str, Any]: ...


@contextmanager
def open_engine(kb: Path, encoder: str | None = None) -> Iterator[Asking]:
    """A running server of this kb when there is one, else the kb opened for reading.

    ``encoder`` stands in for that of the settings. SettingsError when a server has the kb open,
    which answers with its own.
    """
    from kgrag.stores.lock import read_writer

    writer = read_writer(kb) if kb.is_dir() else None
    if writer is not None and writer[1]:
        if encoder is not None:
            raise SettingsError(
                f"a server has {kb} open and asks with the encoder of its own settings",
                hint="stop it, or leave --encoder out",
            )
        yield Remote(writer[1])
        return
    from kgrag.cli.options import encoder_settings
    from kgrag.engine import Engine

    with Engine.open(kb, settings=encoder_settings(kb, encoder)) as engine:
        yield Local(engine)


class Local:
    """The engine in this process."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def search(self, question: str, **options: Any) -> list[dict[str, Any]]:
        from kgrag.records.answer import to_plain

        hits: list[dict[str, Any]] = to_plain(self._engine.search(question, **_read(options)))
        return hits

    def explain(self, question: str, **options: Any) -> dict[str, Any]:
        explained: dict[str, Any] = self._engine.explain(question, **_read(options)).to_json()
        return explained

    def ask(self, question: str, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._engine.ask(question, **_read(options)).to_json()
        return answer

    def check_note(self, note: str, *, progress: Progress, **options: Any) -> dict[str, Any]:
        check = self._engine.check_note(note, progress=progress, **_read(options))
        found: dict[str, Any] = check.to_json()
        return found


def _read(options: dict[str, Any]) -> dict[str, Any]:
    """The options with their selection as the engine takes it."""
    from kgrag.records.question import selection

    return options | {"selection": selection(options.get("selection") or {})}


def _told(reply: urllib.error.HTTPError) -> KgragError:
    """The error that the server tells of, of the family that it has there."""
    try:
        problem = json.loads(reply.read())
        title, message = str(problem["title"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        title, message = "", f"the server answered {reply.code}"
    known = getattr(errors, title, None)
    for family in (DataError, SettingsError, RetryableError):
        if isinstance(known, type) and issubclass(known, family):
            return family(message)
    if reply.code < 500:
        return DataError(message)
    return RetryableError(message) if reply.code == 503 else KgragError(message)


class Remote:
    """The engine of the server at ``url``, an address of this machine."""

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise SettingsError(f"the server's address {url!r} is no HTTP address")
        self._url = url.rstrip("/")

    def search(self, question: str, **options: Any) -> list[dict[str, Any]]:
        found = self._post("/v1/search", {"question": question} | options)
        hits: list[dict[str, Any]] = found["hits"]
        return hits

    def explain(self, question: str, **options: Any) -> dict[str, Any]:
        explained: dict[str, Any] = self._post(
            "/v1/search", {"question": question, "explain": True} | options
        )
        return explained

    def ask(self, question: str, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._post("/v1/ask", {"question": question} | options)
        return answer

    def check_note(self, note: str, *, progress: Progress, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = self._post("/v1/verify", {"note": note} | options, _NOTE_SECONDS)
        return found

    def _post(self, path: str, options: dict[str, Any], seconds: float = 120) -> Any:
        body = {k: v for k, v in options.items() if v is not None}
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
            self._url + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        # Proxies of the environment must never see a question that stays on this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=seconds) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise _told(error) from error
        except (urllib.error.URLError, TimeoutError) as error:
            raise RetryableError(
                f"the server at {self._url} does not answer",
                hint="it may be starting or stopping; try again",
            ) from error
