"""What the workers of a cluster do: read files, prepare documents, embed passages.

Rows go between the steps as Arrow tables: the file's number, what the row is, the seconds it took
and pickled records. No error leaves a worker as an exception, because Ray writes exceptions to its
logs and their words may be a document's: it becomes a row, and the driver decides.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray

from kgrag.encoding import load_encoder
from kgrag.encoding.base import Encoder, TokenEncoder
from kgrag.encoding.late import StateCode, encode_both
from kgrag.errors import DataError, KgragError, UnreadableFile
from kgrag.ids import sha256
from kgrag.linking import Linker
from kgrag.retrieval.index import cache_name, indexed_text
from kgrag.stores.tokens import Codes
from kgrag.vocabulary.lexicon import Lexicon, default_path
from kgrag_ingest.discover import Found
from kgrag_ingest.prepare import Prepared, Read, prepare, read, reason, shape
from kgrag_ingest.recipes import Recipe

# ``read`` and ``prepared`` hold a document; ``refused`` a record's reason, ``failed`` the file's;
# ``end`` follows the last row of a file. ``problem``: this worker cannot work, and why;
# ``defect``: an error that nobody foresaw, by its name.
Kind = Literal["file", "read", "prepared", "refused", "failed", "end", "problem", "defect"]
Vectors = dict[str, NDArray[np.float32]]
_SCHEMA: Final = pa.schema(
    [
        ("file", pa.int32()),
        ("kind", pa.string()),
        ("seconds", pa.float64()),
        ("payload", pa.large_binary()),
    ]
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table between two steps; ``payload`` is what its kind says."""

    file: int
    kind: Kind
    payload: Any = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """What shapes the results; the same for all workers, and checked by each.

    ``shape`` is the driver's ``prepare.shape``. ``encoder`` is a name of ``load_encoder`` and
    ``cache`` the name that the driver's has in the cache of embeddings; None embeds nothing. With
    ``states`` its packed token states are made in the same pass.
    ``known`` are numbers (see ``number_of``) of documents whose vectors the kb has.
    """

    collection: str
    recipe: Recipe | None
    lexicon: str
    shape: str
    encoder: str | None
    cache: str | None
    states: bool
    known: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A prepared document, the vectors of its texts by hash, and packed states by passage.

    ``states`` is None where none were made: of a document that the kb knows, or without a need.
    """

    prepared: Prepared
    vectors: Vectors
    states: list[tuple[str, Codes]] | None
    seconds: dict[str, float]


def number_of(document_id: str) -> int:
    """64 bits of a document's id."""
    return int(document_id.rpartition("_")[2][:16], 16)


def table_of(rows: list[Row]) -> pa.Table:
    """The rows as a table."""
    return pa.Table.from_arrays(
        [
            pa.array([r.file for r in rows], pa.int32()),
            pa.array([r.kind for r in rows], pa.string()),
            pa.array([r.seconds for r in rows], pa.float64()),
            pa.array([pickle.dumps(r.payload) for r in rows], pa.large_binary()),
        ],
        schema=_SCHEMA,
    )


def rows_of(table: pa.Table) -> Iterator[Row]:
    """The rows of a table, in order, unpickled one at a time."""
    columns = (table[name] for name in _SCHEMA.names)
    for file, kind, seconds, payload in zip(*columns, strict=True):
        yield Row(
            file.as_py(),
            kind.as_py(),
            pickle.loads(payload.as_buffer()),  # noqa: S301 - made by our own workers
            seconds.as_py(),
        )


def load_files(table: pa.Table) -> Iterator[pa.Table]:
    """Adds the bytes to rows of files; runs where the files are."""
    for row in rows_of(table):
        item, digest = row.payload
        try:
            data = item.read()
            if sha256(data) != digest:
                raise UnreadableFile(item.uri, "it changed while it was being read")
        except (DataError, OSError) as error:
            yield table_of([Row(row.file, "failed", reason(error, item.uri))])
        else:
            yield table_of([Row(row.file, "file", (item, digest, data))])


def read_files(
    table: pa.Table, recipe: Recipe | None = None, collection: str = "default"
) -> Iterator[pa.Table]:
    """Rows of documents from rows of files, and an ``end`` after each file's last."""
    for row in rows_of(table):
        if row.kind != "file":
            yield table_of([row, Row(row.file, "end")])
            continue
        item, digest, data = row.payload
        for one in _read(row.file, item, digest, data, recipe, collection):
            yield table_of([one])


def _read(
    file: int, item: Found, digest: str, data: bytes, recipe: Recipe | None, collection: str
) -> Iterator[Row]:
    documents = read(data, item, digest=digest, recipe=recipe, collection=collection)
    while True:
        began = time.perf_counter()
        try:
            one = next(documents, None)
        except (DataError, OSError) as error:
            yield Row(file, "failed", reason(error, item.uri))
            break
        except Exception as error:  # noqa: BLE001 - see the module
            yield Row(file, "defect", (item.uri, type(error).__name__))
            break
        if one is None:
            break
        seconds = time.perf_counter() - began
        if isinstance(one, Exception):
            yield Row(file, "refused", reason(one, item.uri), seconds)
        else:
            yield Row(file, "read", one, seconds)
    yield Row(file, "end")


class Prepare:
    """Holds linker and encoder; gives documents with all that was found in them."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def __call__(self, table: pa.Table) -> pa.Table:
        """``read`` rows become ``prepared`` rows of what ``Arrived`` holds; others pass."""
        try:
            linker = self._linker
        except (KgragError, OSError) as error:
            return table_of([Row(-1, "problem", reason(error, ""))])
        rows = [self._prepared(row, linker) for row in rows_of(table)]
        return self._embedded(rows)

    @cached_property
    def _linker(self) -> Linker:
        own = Path(self._work.lexicon)
        linker = Linker(Lexicon.open(own if own.is_file() else default_path()))
        if shape(linker, self._work.recipe) != self._work.shape:
            raise DataError("its kgrag, packages or lexicon are not those of the driver")
        return linker

    @cached_property
    def _encoder(self) -> Encoder | None:
        if self._work.encoder is None:
            return None
        encoder = load_encoder(self._work.encoder)
        if cache_name(encoder) != self._work.cache:
            raise DataError("its encoder is not that of the driver")
        return encoder

    def _prepared(self, row: Row, linker: Linker) -> Row:
        if row.kind != "read":
            return row
        one: Read = row.payload
        try:
            prepared = prepare(one, linker, self._work.recipe)
        except (DataError, OSError) as error:
            return Row(row.file, "failed", reason(error, one.document.uri))
        except Exception as error:  # noqa: BLE001 - see the module
            return Row(row.file, "defect", (one.document.uri, type(error).__name__))
        return Row(row.file, "prepared", prepared, row.seconds)

    def _embedded(self, rows: list[Row]) -> pa.Table:
        """The table of ``rows``, with the vectors of the documents that the kb does not know."""
        began = time.perf_counter()
        texts: dict[str, str] = {}
        held: dict[int, list[str]] = {}
        for at, row in enumerate(rows):
            if row.kind == "prepared" and not self._known(row.payload):
                found = [indexed_text(row.payload.document, p) for p in row.payload.passages]
                held[at] = [sha256(text.encode()) for text in found]
                texts.update(zip(held[at], found, strict=True))
        vectors: Vectors = {}
        packed: dict[str, Codes] = {}
        try:
            if texts and self._encoder is not None:
                vectors, packed = self._encoded(self._encoder, texts)
        except KgragError as error:
            return table_of([Row(-1, "problem", reason(error, ""))])
        except Exception as error:  # noqa: BLE001 - see the module
            return table_of([Row(-1, "defect", ("embedding", type(error).__name__))])
        share = (time.perf_counter() - began) / max(1, len(texts))
        done: list[Row] = []
        for at, row in enumerate(rows):
            if row.kind != "prepared":
                done.append(row)
                continue
            prepared: Prepared = row.payload
            digests = held.get(at, [])
            own = {digest: vectors[digest] for digest in digests if digest in vectors}
            states = None
            if at in held and self._work.states:
                passages = zip(prepared.passages, digests, strict=True)
                states = [(passage.id, packed[digest]) for passage, digest in passages]
            spent = {"read": row.seconds, "embed": share * len(own)}
            done.append(Row(row.file, "prepared", Arrived(prepared, own, states, spent)))
        return table_of(done)

    def _encoded(self, encoder: Encoder, texts: dict[str, str]) -> tuple[Vectors, dict[str, Codes]]:
        packed: dict[str, Codes] = {}
        if self._work.states:
            if not isinstance(encoder, TokenEncoder):
                raise DataError("its encoder gives no token states")
            code = StateCode(encoder.dimensions)
            encoded, tokens = encode_both(encoder, list(texts.values()))
            packed = {d: code.pack(rows) for d, rows in zip(texts, tokens, strict=True)}
        else:
            encoded = encoder.encode(list(texts.values()))
        return dict(zip(texts, np.asarray(encoded, dtype=np.float32), strict=True)), packed

    def _known(self, prepared: Prepared) -> bool:
        known, number = self._work.known, np.uint64(number_of(prepared.document.id))
        at = int(np.searchsorted(known, number))
        return at < len(known) and known[at] == number
