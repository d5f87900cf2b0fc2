"""The kb as an on-disk RDF store, derived from the truth and safe to delete.

    rdf/
      current.json     which folder is current, the generation it reflects, what shaped it
      gen-000003/      the engine's files; never changed once published
      lock             held by the process that builds, and by a removal

Any process may bring it up to date, one at a time: it works on a copy whose large files are hard
links, replays the truth's changes, and publishes by replacing the pointer. The engine keeps bytes
of deleted statements in its files, so a removal deletes the whole store (``forget``), and the next
query builds it anew.
"""

from __future__ import annotations

import gc
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import FileLock, Timeout

from kgrag.errors import NotFound, RetryableError
from kgrag.ids import canonical, sha256
from kgrag.paths import resource
from kgrag.progress import SILENT, Progress
from kgrag.stores.base import TruthStore
from kgrag.stores.rdf import names as n
from kgrag.stores.rdf.material import Material, Names
from kgrag.stores.rdf.places import Layouts
from kgrag.stores.rdf.quads import (
    Block,
    assertion_block,
    blocks,
    concept_block,
    document_blocks,
)
from kgrag.stores.rdf.writers import write_nq

if TYPE_CHECKING:
    import pyoxigraph as ox

FOLDER: Final = "rdf"
_POINTER: Final = "current.json"
_FORMAT: Final = 1
# Beyond this share of the documents a new build is quicker than replaying their changes.
_REPLAYED: Final = 0.2
_WAIT_S: Final = 600.0


def shape(edition: str) -> str:
    """What a store was shaped by: this format, the vocabularies' edition, and the data files."""
    names = ("relations.toml", "prefixes.toml", "error_rates.toml")
    files = (resource("ontologies", name) for name in names)
    return sha256(canonical([_FORMAT, edition, *(sha256(f.read_bytes()) for f in files)]))


def forget(directory: Path) -> None:
    """No file of the store is left in the kb's ``directory``; RetryableError while one is built."""
    root = directory / FOLDER
    if not root.exists():
        return
    with _locked(root):
        for path in root.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != "lock":
                path.unlink()


def up_to_date(
    truth: TruthStore,
    names: Names | None,
    directory: Path,
    *,
    edition: str = "",
    progress: Progress = SILENT,
) -> Path:
    """The folder of a store that reflects the truth; built, or caught up by replay, when needed."""
    root = directory / FOLDER
    wanted = shape(edition)
    found = _current(root, truth.generation, wanted)
    if found is not None:
        return found
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root):
        # Read under the lock: a removal in between waits for it, and then deletes what is built.
        generation = truth.generation
        found = _current(root, generation, wanted)
        if found is not None:
            return found
        pointer = _read(root)
        number = int(pointer["folder"].rpartition("-")[2]) + 1 if pointer else 1
        folder = root / f"gen-{number:06d}"
        _sweep(root, keep=pointer["folder"] if pointer else None)
        changed = None
        if pointer and pointer["shape"] == wanted:
            changed = _changed(truth, pointer["stamp"])
        if pointer and changed is not None:
            _copy(root / pointer["folder"], folder)
            _replay(folder, truth, names, changed, progress)
        else:
            _build(folder, truth, names, progress)
        _publish(root, {"folder": folder.name, "stamp": generation, "shape": wanted})
        _sweep(root, keep=folder.name)
        return folder


def _current(root: Path, generation: int, wanted: str) -> Path | None:
    pointer = _read(root)
    if pointer is None or pointer["stamp"] != generation or pointer["shape"] != wanted:
        return None
    return root / str(pointer["folder"])


def _read(root: Path) -> dict[str, Any] | None:
    """The pointer; None where there is none, or it or its folder is not whole."""
    try:
        found = json.loads((root / _POINTER).read_text(encoding="utf-8"))
        whole = isinstance(found["stamp"], int) and (root / found["folder"] / "CURRENT").is_file()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if whole and "shape" in found else None


def _publish(root: Path, pointer: dict[str, Any]) -> None:
    part = root / f"{_POINTER}.new"
    with part.open("w", encoding="utf-8") as file:
        json.dump(pointer, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(root / _POINTER)


def _sweep(root: Path, keep: str | None) -> None:
    for path in root.glob("gen-*"):
        if path.name != keep:
            shutil.rmtree(path)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    lock = FileLock(root / "lock")
    try:
        lock.acquire(timeout=_WAIT_S)
    except Timeout as error:
        raise RetryableError("another process builds the RDF store") from error
    try:
        yield
    finally:
        lock.release()


def _changed(truth: TruthStore, stamp: int) -> set[str] | None:
    """The documents that changed since ``stamp``; None when replaying them would not pay."""
    most = max(20, int(_REPLAYED * truth.counts().get("documents", 0)))
    changed: set[str] = set()
    for change in truth.changes(stamp):
        changed.add(change.document_id)
        if len(changed) > most:
            return None
    return changed


def _copy(source: Path, target: Path) -> None:
    """A copy to write into. The engine never changes an ``.sst`` file, so those are shared."""
    target.mkdir()
    for path in source.iterdir():
        if path.suffix == ".sst":
            try:
                (target / path.name).hardlink_to(path)
                continue
            except OSError:  # a file system without links
                pass
        shutil.copyfile(path, target / path.name)


class _Reading(io.RawIOBase):
    """Blocks as a file of N-Quads that is written while it is read."""

    def __init__(self, source: Iterable[Block]) -> None:
        self._blocks = iter(source)
        self._left = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts, have = [self._left], len(self._left)
        while size < 0 or have < size:
            block = next(self._blocks, None)
            if block is None:
                break
            text = io.StringIO()
            write_nq([block], text)
            parts.append(text.getvalue().encode())
            have += len(parts[-1])
        whole = b"".join(parts)
        if size < 0:
            size = len(whole)
        self._left = whole[size:]
        return whole[:size]


def _load(store: ox.Store, source: Iterable[Block], *, bulk: bool) -> None:
    import pyoxigraph as ox

    load = store.bulk_load if bulk else store.load
    load(_Reading(source), format=ox.RdfFormat.N_QUADS)  # type: ignore[arg-type]


def _build(folder: Path, truth: TruthStore, names: Names | None, progress: Progress) -> None:
    import pyoxigraph as ox

    store = ox.Store(str(folder))
    with Layouts(truth) as layouts:
        material = Material(truth, names, layouts, progress=progress)
        _load(store, blocks(material), bulk=True)
    store.flush()
    del store
    gc.collect()  # the engine closes its files when the last reference goes


def _replay(
    folder: Path, truth: TruthStore, names: Names | None, changed: set[str], progress: Progress
) -> None:
    """What the changed documents said is told anew; all else stays as it is."""
    import pyoxigraph as ox

    store = ox.Store(str(folder))
    with Layouts(truth) as layouts:
        material = Material(truth, names, layouts, progress=progress)
        affected = _take_out(store, truth, changed)
        known = [name for name in sorted(changed) if _known(truth, name)]
        told = [assertion_block(a) for a in material.assertions(sorted(affected))]
        for document in material.documents(known):
            told += document_blocks(document)
        _load(store, told, bulk=False)
        _settle_concepts(store, material)
    store.flush()
    del store
    gc.collect()


def _known(truth: TruthStore, document_id: str) -> bool:
    try:
        return truth.info(document_id).status == "current"
    except NotFound:
        return False


def _take_out(store: ox.Store, truth: TruthStore, changed: set[str]) -> set[str]:
    """Delete every graph that the documents have a part in: the ids of the assertions affected."""
    import pyoxigraph as ox

    affected: set[str] = set()
    property_ = ox.NamedNode(n.BASE + "document")
    graphs: set[ox.NamedNode] = set()
    for document_id in changed:
        here = ox.NamedNode(n.kept(document_id)[1:-1])
        graphs.add(here)
        for quad in store.quads_for_pattern(None, property_, here, None):
            if isinstance(quad.graph_name, ox.NamedNode):
                graphs.add(quad.graph_name)
        affected.update(a.id for a in truth.assertions(document_id=document_id, current=False))
    names = {graph.value[len(n.ID) :] for graph in graphs}
    affected |= {name for name in names if name.startswith("ast_")}
    for graph in graphs | {ox.NamedNode(n.kept(name)[1:-1]) for name in affected}:
        store.remove_graph(graph)
    return affected


def _settle_concepts(store: ox.Store, material: Material) -> None:
    """The default graph has exactly the concepts that the graphs name, and all above them."""
    import pyoxigraph as ox

    default = ox.DefaultGraph()
    notation, broader = ox.NamedNode(n.SKOS + "notation"), ox.NamedNode(n.SKOS + "broader")
    quads: Any = store.quads_for_pattern(None, notation, None, default)
    present = {quad.subject.value for quad in quads}
    told = [concept_block(c) for c in material.concepts()]
    _load(store, (b for b in told if b.statements[0][0][1:-1] not in present), bulk=False)
    above: dict[str, list[str]] = {}
    quads = store.quads_for_pattern(None, broader, None, default)
    for quad in quads:
        above.setdefault(quad.subject.value, []).append(quad.object.value)
    query = (
        "SELECT DISTINCT ?c WHERE { GRAPH ?g { ?x ?p ?c } VALUES ?p { "
        + " ".join(n.term(p) for p in ("subject", "object", "intervention", "condition"))
        + " } }"
    )
    solutions: Any = store.query(query)
    waiting = [row["c"].value for row in solutions]
    keep: set[str] = set()
    while waiting:
        concept = waiting.pop()
        if concept not in keep:
            keep.add(concept)
            waiting += above.get(concept, [])
    for concept in present - keep:
        node = ox.NamedNode(concept)
        for quad in list(store.quads_for_pattern(node, None, None, default)):
            store.remove(quad)
