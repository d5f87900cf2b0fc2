"""SPARQL over the kb: by rdflib when it is small, by its on-disk store otherwise."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path
from typing import Final, Literal

from kgrag.errors import BrokenInvariant, DataError
from kgrag.progress import SILENT, Progress
from kgrag.stores.base import TruthStore
from kgrag.stores.rdf import endpoint as remote
from kgrag.stores.rdf import worker
from kgrag.stores.rdf.material import Material, Names
from kgrag.stores.rdf.places import Layouts
from kgrag.stores.rdf.quads import blocks
from kgrag.stores.rdf.query import Query, checked
from kgrag.stores.rdf.results import Result
from kgrag.stores.rdf.store import up_to_date
from kgrag.stores.rdf.writers import write_nq, write_nt

EngineName = Literal["auto", "oxigraph", "rdflib"]

SECONDS: Final = 30.0
ROWS: Final = 10_000
# Sorting or grouping everything with everything fills gigabytes within the time that it has.
MEMORY: Final = 4 * 2**30
_ABORTED: Final = -6
# Beyond this many assertions rdflib may take longer for a query than a store to be built: it joins
# in the order of constants, and two steps over 229 assertions took a second (bench/rdf.py).
_SMALL: Final = 50


def sparql(
    truth: TruthStore,
    names: Names | None,
    directory: Path | None,
    text: str,
    *,
    engine: EngineName = "auto",
    edition: str = "",
    seconds: float = SECONDS,
    rows: int = ROWS,
    progress: Progress = SILENT,
) -> Result:
    """What the query ``text`` gives over what the current documents say.

    All named graphs together are the default graph, and the prefixes of kgrag need not be
    declared. At most ``rows`` rows or triples come back. DataError when the query may not be asked
    (updates, SERVICE, FROM), takes longer than ``seconds`` or needs more than ``MEMORY``. The
    on-disk store lies in ``directory``; without one, or where it cannot be written, one is made
    for this query alone.
    """
    query = checked(text)
    small = len(list(islice(truth.assertions(), _SMALL + 1))) <= _SMALL
    chosen = ("rdflib" if small else "oxigraph") if engine == "auto" else engine
    if chosen == "rdflib":
        data = quads(truth, names, named=query.named)
        return _run("rdflib", data, query, seconds, rows)
    if directory is not None and os.access(directory, os.W_OK):
        return _on_disk(truth, names, directory, query, edition, seconds, rows, progress)
    with tempfile.TemporaryDirectory(prefix="kgrag-rdf-") as folder:
        return _on_disk(truth, names, Path(folder), query, edition, seconds, rows, progress)


def quads(truth: TruthStore, names: Names | None, *, named: bool = True) -> bytes:
    """What the current documents say as N-Quads, all in memory: for small kbs.

    As N-Triples when not ``named``: rdflib joins several times as fast in one graph.
    """
    out = io.StringIO()
    with Layouts(truth) as layouts:
        write = write_nq if named else write_nt
        write(blocks(Material(truth, names, layouts)), out)
    return out.getvalue().encode("utf-8", "replace")


def at_endpoint(url: str, text: str, *, seconds: float = SECONDS, rows: int = ROWS) -> Result:
    """What the query gives at the endpoint ``url``; the same queries are refused."""
    return remote.ask(url, checked(text), seconds=seconds, rows=rows)


def _on_disk(
    truth: TruthStore,
    names: Names | None,
    directory: Path,
    query: Query,
    edition: str,
    seconds: float,
    rows: int,
    progress: Progress,
) -> Result:
    for last in (False, True):
        source = up_to_date(truth, names, directory, edition=edition, progress=progress)
        try:
            return _run("oxigraph", source, query, seconds, rows)
        except BrokenInvariant:
            # Another process may have published a newer store and deleted this one meanwhile.
            if last or source.exists():
                raise
    raise AssertionError("unreachable")


def _run(
    engine: str,
    source: Path | bytes,
    query: Query,
    seconds: float,
    rows: int,
    memory: int = MEMORY,
) -> Result:
    """The query in a process of its own, which is ended when its time is over."""
    path = str(source) if isinstance(source, Path) else None
    task = {"engine": engine, "path": path, "query": query.text, "rows": rows}
    task |= {"named": query.named, "memory": memory}
    data = source if isinstance(source, bytes) else b""
    try:
        done = subprocess.run(  # noqa: S603 - our own file, its input on standard input
            # -P: the worker's own folder is no place to import from.
            [sys.executable, "-P", worker.__file__],
            input=json.dumps(task).encode() + b"\n" + data,
            capture_output=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(
            f"the query took longer than {seconds:g} seconds",
            hint="bind more of its variables, add a LIMIT, or give it more time",
        ) from error
    if done.returncode == _ABORTED:  # how the on-disk engine ends when it gets no more memory
        raise DataError(
            f"the query needs more than {memory / 2**30:g} GiB of memory",
            hint="bind more of its variables, or add a LIMIT",
        )
    if done.returncode != 0:
        raise BrokenInvariant(f"the query's process ended with code {done.returncode}")
    found = json.loads(done.stdout)
    if "error" in found:
        raise DataError(f"the query cannot be answered: {found['error']}")
    return Result.of_json(found)
