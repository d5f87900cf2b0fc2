"""Exports: one file (for KGX a folder with two), whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO

from kgrag.errors import DataError, UnknownName
from kgrag.progress import SILENT, Progress
from kgrag.stores.base import TruthStore
from kgrag.stores.rdf.graphml import write_graphml
from kgrag.stores.rdf.kgx import write_kgx
from kgrag.stores.rdf.material import Material, Names
from kgrag.stores.rdf.places import Layouts
from kgrag.stores.rdf.quads import Block, blocks
from kgrag.stores.rdf.writers import write_jsonld, write_nq, write_nt, write_trig
from kgrag.stores.standing import is_date

_RDF: Final[dict[str, Callable[[Iterator[Block], TextIO], int]]] = {
    "trig": write_trig,
    "nt": write_nt,
    "nq": write_nq,
    "jsonld": write_jsonld,
}
FORMATS: Final = ("trig", "nt", "jsonld", "graphml", "kgx")


def export(
    truth: TruthStore,
    lexicon: Names | None,
    form: str,
    out: Path,
    *,
    collection: str | None = None,
    as_of: str | None = None,
    progress: Progress = SILENT,
) -> dict[str, int]:
    """Write what the current documents say to ``out``: counts of what was written.

    ``out`` is a file, for ``kgx`` a folder, and is replaced in one step. Memory does not grow with
    the number of assertions. ``collection`` restricts documents and evidence to one collection,
    ``as_of`` (YYYY, YYYY-MM or YYYY-MM-DD) tells what was in force then instead of what is.
    DataError when the kb has no such collection, or for what is no date.
    """
    if form not in FORMATS and form != "nq":
        raise UnknownName("export format", form, FORMATS)
    if as_of is not None and not is_date(as_of):
        raise DataError(f"{as_of!r} is no date", hint="give YYYY, YYYY-MM or YYYY-MM-DD")
    anything = truth.documents(collection=collection, status=None)
    if collection is not None and next(iter(anything), None) is None:
        raise DataError(f"there is no document in a collection {collection!r}")
    with Layouts(truth) as layouts:
        material = Material(
            truth, lexicon, layouts, collection=collection, as_of=as_of, progress=progress
        )
        if form == "kgx":
            with (
                _folder(out) as folder,
                _writing(folder / "nodes.tsv") as nodes,
                _writing(folder / "edges.tsv") as edges,
            ):
                return write_kgx(material, nodes, edges)
        with _file(out) as file:
            if form == "graphml":
                return write_graphml(material, file)
            statements = _RDF[form](blocks(material), file)
    return {**material.counts, "statements": statements}


def _writing(path: Path) -> TextIO:
    # Half a character (a lone surrogate) becomes "?": no encoding can hold it.
    return path.open("w", encoding="utf-8", errors="replace", newline="\n")


@contextmanager
def _file(out: Path) -> Iterator[TextIO]:
    """A file that becomes ``out`` when all went well, and leaves nothing otherwise."""
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}-")
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace", newline="\n") as file:
            yield file
        part.chmod(0o644)
        part.replace(out)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _folder(out: Path) -> Iterator[Path]:
    """A folder whose files move into ``out`` when all went well, and leaves nothing otherwise."""
    out.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-"))
    try:
        yield part
        out.mkdir(exist_ok=True)
        for path in sorted(part.iterdir()):
            path.replace(out / path.name)
    finally:
        shutil.rmtree(part)
