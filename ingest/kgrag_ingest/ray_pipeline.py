"""An ingest whose reading, linking, extraction and embedding are done by a Ray cluster.

The workers give documents with what was found in them and the vectors of their passages, in the
order of the files, and this process alone commits them: so documents, ids and history are those of
a local run. A step whose worker dies is done again elsewhere. What is on its way is bounded by
Ray's object store, however much is ingested.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder
from kgrag.errors import BrokenInvariant, DataError, RetryableError, SettingsError, UnreadableFile
from kgrag.ids import sha256
from kgrag.linking import Linker
from kgrag.progress import SILENT, Progress
from kgrag.retrieval.index import cache_name
from kgrag.stores.base import TruthStore
from kgrag.stores.tokens import Codes, TokenStates
from kgrag_ingest.discover import discover
from kgrag_ingest.pipeline import OpenFile, Writing
from kgrag_ingest.prepare import reason, shape
from kgrag_ingest.ray_cluster import cluster
from kgrag_ingest.ray_states import ArrivingStates
from kgrag_ingest.recipes import Recipe
from kgrag_ingest.report import Report, timed

if TYPE_CHECKING:
    from kgrag_ingest.ray_worker import Arrived

# Bytes of rows that a worker gets at a time: some seconds of linking and embedding.
_BLOCK: Final = 256 * 1024
_FILES: Final = 64  # files of one task of reading, when they are small
# Shares of a processor that a step reserves. Those of the workers are small, because they hold
# theirs: on what is left of a cluster that lost most nodes all of them still find a place.
_LOADING, _READING, _PREPARING = 0.1, 0.5, 0.25


@dataclass(frozen=True, slots=True)
class Embedding:
    """The encoder by its name in the settings, and as it is loaded here.

    ``states``: where token states are kept, too; None keeps none.
    """

    name: str
    encoder: Encoder
    states: TokenStates | None = None


def ingest_on_ray(
    paths: Sequence[Path],
    truth: TruthStore,
    linker: Linker,
    *,
    address: str,
    embedding: Embedding | None = None,
    recipe: Recipe | None = None,
    collection: str = "default",
    root: Path | None = None,
    progress: Progress = SILENT,
) -> Report:
    """What ``pipeline.ingest`` does, by the cluster at ``address`` (see ``ray_cluster.cluster``).

    With ``embedding`` the truth holds the vectors of what was committed, too. Workers need the
    same kgrag, lexicon and models: SettingsError otherwise. RetryableError when the cluster is
    lost; what was committed stays, and the same call goes on from there.
    """
    writing = Writing(truth, collection, shape(linker, recipe))
    found = list(discover(paths, root=root, recipe=recipe))
    progress.stage("reading", len(found), "files")
    files: list[OpenFile] = []
    sizes: list[int] = []
    for item in found:
        data = writing.bytes_of(item)
        file = None if data is None else writing.open(item, sha256(data))
        if data is None or file is None:
            progress.advance()
            continue
        files.append(file)
        sizes.append(len(data))
    if not files:
        return writing.report
    from kgrag_ingest.ray_worker import Work

    work = Work(
        collection=collection,
        recipe=recipe,
        lexicon=str(linker.lexicon.path),
        shape=writing.shape,
        encoder=embedding.name if embedding else None,
        cache=cache_name(embedding.encoder) if embedding else None,
        states=embedding is not None and embedding.states is not None,
        known=_known(truth, collection),
    )
    states = ArrivingStates(truth, embedding.states if embedding else None)
    with cluster(address) as processors, _lost(address):
        tables = _tables(files, sizes, work, processors)
        _commit(tables, files, writing, work.cache, states, progress)
    return writing.report


def _known(truth: TruthStore, collection: str) -> NDArray[np.uint64]:
    """Sorted numbers of the current documents: their vectors are cached, or made afterwards."""
    from kgrag_ingest.ray_worker import number_of

    ids = [number_of(info.id) for info in truth.documents(collection=collection)]
    return np.sort(np.array(ids, dtype=np.uint64))


def _tables(
    files: Sequence[OpenFile], sizes: Sequence[int], work: Any, processors: int
) -> Iterator[Any]:
    """The workers' tables in the order of ``files``."""
    import ray
    from ray import data

    from kgrag_ingest.ray_worker import Prepare, Row, load_files, read_files, table_of

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    groups = [
        table_of([Row(at, "file", (files[at].item, files[at].digest)) for at in group])
        for group in _groups(sizes)
    ]
    dataset = data.from_arrow(groups)
    context = dataset.context
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.target_max_block_size = _BLOCK
    context.execution_options.preserve_order = True
    here = ray.get_runtime_context().get_node_id()
    prepared = (
        dataset.map_batches(
            load_files,
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=_LOADING,
            label_selector={"ray.io/node-id": here},
        )
        .map_batches(
            read_files,
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=_READING,
            fn_kwargs={"recipe": work.recipe, "collection": work.collection},
        )
        .map_batches(
            Prepare,
            batch_size=None,
            batch_format="pyarrow",
            num_cpus=_PREPARING,
            fn_constructor_kwargs={"work": work},
            compute=data.ActorPoolStrategy(min_size=1, max_size=processors),
        )
    )
    yield from prepared.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1)


def _groups(sizes: Sequence[int]) -> Iterator[list[int]]:
    """Runs of files, each of about one block."""
    group: list[int] = []
    total = 0
    for at, size in enumerate(sizes):
        if group and (total + size > _BLOCK or len(group) == _FILES):
            yield group
            group, total = [], 0
        group.append(at)
        total += size
    if group:
        yield group


def _commit(
    tables: Iterator[Any],
    files: Sequence[OpenFile],
    writing: Writing,
    cache: str | None,
    states: ArrivingStates,
    progress: Progress,
) -> None:
    from kgrag_ingest.ray_worker import rows_of

    failed: set[int] = set()  # the rest of such a file is not taken, as in a local run
    closed = 0
    last: tuple[int, bytes] | None = None  # the file in hand and its bytes
    for table in tables:
        vectors: dict[str, NDArray[np.float32]] = {}
        owners: dict[str, set[str]] = {}
        arrived: dict[str, list[tuple[str, Codes]]] = {}
        for row in rows_of(table):
            if row.kind == "problem":
                raise SettingsError(
                    f"a worker of the Ray cluster cannot work: {row.payload}",
                    hint="install the same kgrag, models and lexicon on all of its nodes",
                )
            if row.kind == "defect":
                raise BrokenInvariant(f"{row.payload[0]}: {row.payload[1]} on a worker")
            file = files[row.file]
            if row.kind == "end":
                file.close()
                closed += 1
                progress.advance()
            elif row.kind in ("refused", "failed") and row.file not in failed:
                file.refuse(row.payload)
                if row.kind == "failed":
                    failed.add(row.file)
            elif row.kind == "prepared" and row.file not in failed:
                one: Arrived = row.payload
                prepared = one.prepared
                try:
                    if prepared.original is None and (last is None or last[0] != row.file):
                        last = row.file, _again(file)
                    file.commit(prepared, last[1] if last else b"")
                except (DataError, OSError) as error:
                    file.refuse(reason(error, file.item.uri))
                    failed.add(row.file)
                    continue
                for step, seconds in one.seconds.items():
                    writing.report.seconds[step] += seconds
                vectors |= one.vectors
                for digest in one.vectors:
                    owners.setdefault(digest, set()).add(prepared.document.id)
                if one.states is not None:
                    arrived[prepared.document.id] = one.states
        if cache is not None and vectors:
            with timed(writing.report.seconds, "commit"):
                writing.truth.put_embeddings(
                    cache, vectors, owners={d: sorted(ids) for d, ids in owners.items()}
                )
        with timed(writing.report.seconds, "commit"):
            states.add(arrived)
    states.commit()
    if closed != len(files):
        raise BrokenInvariant(f"the cluster ended {closed} of {len(files)} files")


def _again(file: OpenFile) -> bytes:
    """The bytes of the file, which are still those that were read."""
    data = file.item.read()
    if sha256(data) != file.digest:
        raise UnreadableFile(file.item.uri, "it changed while it was being read")
    return data


@contextmanager
def _lost(address: str) -> Iterator[None]:
    """Errors of Ray itself become RetryableError, without their words."""
    from ray.exceptions import RayError

    try:
        yield
    except (RayError, ConnectionError) as error:
        raise RetryableError(
            f"the Ray cluster ({address}) was lost ({type(error).__name__})",
            hint="what was committed stays: the same ingest goes on from there",
        ) from error
