"""A SPARQL endpoint that the user named: asked over HTTP, with queries alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from email.message import Message
from typing import IO, Final, NoReturn

from kgrag.errors import DataError, RetryableError, SettingsError
from kgrag.stores.rdf.query import Query
from kgrag.stores.rdf.results import Result

_MOST_BYTES: Final = 256 << 20
_ROWS: Final = "application/sparql-results+json"
_TRIPLES: Final = "application/n-triples"


class _Stay(urllib.request.HTTPRedirectHandler):
    """Refuses to be sent elsewhere: the user named one address."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Message,
        newurl: str,
    ) -> NoReturn:
        raise DataError(f"the endpoint sends on to another address ({code}), which is refused")


def ask(url: str, query: Query, *, seconds: float, rows: int) -> Result:
    """What the endpoint at ``url`` answers, cut at ``rows``.

    SettingsError for what is no HTTP address, DataError when it refuses the query, RetryableError
    when it does not answer in ``seconds``.
    """
    if not url.startswith(("http://", "https://")):
        raise SettingsError(f"the endpoint {url!r} is no HTTP address")
    graph = query.kind in ("CONSTRUCT", "DESCRIBE")
    request = urllib.request.Request(  # noqa: S310 - the scheme was checked above
        url,
        data=query.text.encode(),
        headers={
            "Content-Type": "application/sparql-query",
            "Accept": _TRIPLES if graph else _ROWS,
        },
    )
    # No proxy of the environment hears of the question.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    try:
        with opener.open(request, timeout=seconds) as response:
            body = response.read(_MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        family = DataError if error.code < 500 else RetryableError
        raise family(f"the endpoint refused the query ({error.code})") from error
    except (urllib.error.URLError, TimeoutError) as error:
        raise RetryableError(f"the endpoint {url} does not answer") from error
    if len(body) > _MOST_BYTES:
        raise DataError("the endpoint's answer is too large", hint="add a LIMIT to the query")
    return _read(body, graph=graph, rows=rows)


def _read(body: bytes, *, graph: bool, rows: int) -> Result:
    try:
        if graph:
            lines = [line for line in body.decode().splitlines() if line.strip()]
            return Result(triples=tuple(lines[:rows]), truncated=len(lines) > rows)
        found = Result.of_json(json.loads(body))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError("the endpoint's answer is no SPARQL result") from error
    if found.boolean is not None or len(found.rows) <= rows:
        return found
    return Result(found.variables, found.rows[:rows], truncated=True)
