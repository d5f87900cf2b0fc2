"""The index brought up to the truth: what a passage is indexed by, and the replay of changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder
from kgrag.errors import BrokenInvariant, KnowledgeBaseError
from kgrag.ids import sha256
from kgrag.progress import SILENT, Progress
from kgrag.records.text import Document, Passage
from kgrag.retrieval import terms
from kgrag.stores.base import Point, TruthStore, VectorIndex

# Raised whenever ``indexed_text`` changes: the index is then rebuilt.
VERSION: Final = "1"

# Texts embedded between two commits of the embeddings to the truth: what a kill can lose.
EMBED_BATCH: Final = 256
# Passages between two commits of the index. Each one copies the index's files, and what a kill
# loses is only replayed, not embedded again: so they are rare.
COMMIT_EVERY: Final = 20_000


def shape(encoder: Encoder) -> str:
    """What shapes the points: pass it to ``open_index`` as ``encoder``."""
    return f"{cache_name(encoder)}/terms-{terms.VERSION}/text-{VERSION}"


def cache_name(encoder: Encoder) -> str:
    """The encoder's name in the cache of embeddings."""
    return f"{encoder.name}@{encoder.sha256[:16]}"


def indexed_text(document: Document, passage: Passage) -> str:
    """What of a passage is embedded and counted: its titles as one line, then its text.

    Titles that the passage itself begins with are not repeated.
    """
    text = document.text[passage.start : passage.end]
    titles: list[str] = []
    for title in (document.metadata.title or "", *passage.section):
        if title and title not in titles and not text.startswith(title):
            titles.append(title)
    return f"{' > '.join(titles)}\n{text}" if titles else text


@dataclass(frozen=True, slots=True)
class _Pending:
    """A passage that waits to be embedded and indexed."""

    passage: Passage
    collection: str
    text: str


def catch_up(
    truth: TruthStore, index: VectorIndex, encoder: Encoder, *, progress: Progress | None = None
) -> int:
    """The index reflects the truth's generation; returns how many passages were indexed.

    Only each document's last change since the stamp is replayed. Embeddings come from the truth's
    cache or are made and cached there batch by batch, so that a kill loses at most one batch.
    Killed anywhere and called again, the result is the same: that of a rebuild.
    """
    target = truth.generation
    if index.stamp > target:
        raise KnowledgeBaseError(
            f"the vector index is of generation {index.stamp}, the knowledge base of {target}",
            hint="delete the index folder; it is rebuilt from the knowledge base",
        )
    if index.stamp == target:
        return 0
    changes = list(truth.changes(index.stamp))
    last = {change.document_id: change for change in changes}
    steps = sorted(last.values(), key=lambda c: (c.generation, c.document_id))
    # Retired ones go first: each step is another document's, so the order between them is free.
    # One that was retired and came back may have been cut otherwise.
    index.delete_documents(sorted({c.document_id for c in changes if c.op == "retire"}))
    added = [c for c in steps if c.op == "add"]
    shown = progress or SILENT
    shown.stage("index", len(added), "documents")
    waiting: list[_Pending] = []
    done = committed = 0
    for at, change in enumerate(added):
        waiting.extend(_pending(truth, change.document_id))
        whole = at + 1 == len(added)
        while len(waiting) >= EMBED_BATCH or (whole and waiting):
            batch, waiting = waiting[:EMBED_BATCH], waiting[EMBED_BATCH:]
            index.upsert(_points(truth, batch, encoder))
            done += len(batch)
        shown.advance()
        if not waiting and not whole and done - committed >= COMMIT_EVERY:
            index.commit(max(index.stamp, added[at + 1].generation - 1))
            committed = done
    index.commit(target)
    return done


def _pending(truth: TruthStore, document_id: str) -> Iterator[_Pending]:
    document = truth.document(document_id)
    for passage in truth.passages(document_id):
        text = indexed_text(document, passage)
        yield _Pending(passage, document.source.collection, text)


def _points(truth: TruthStore, batch: Sequence[_Pending], encoder: Encoder) -> list[Point]:
    digests = [sha256(item.text.encode()) for item in batch]
    vectors = _vectors(truth, batch, digests, encoder)
    return [
        Point(
            passage_id=item.passage.id,
            document_id=item.passage.document_id,
            collection=item.collection,
            vector=vectors[digest],
            terms=terms.passage_terms(item.text),
        )
        for item, digest in zip(batch, digests, strict=True)
    ]


def _vectors(
    truth: TruthStore, batch: Sequence[_Pending], digests: Sequence[str], encoder: Encoder
) -> dict[str, NDArray[np.float32]]:
    """The vector of each digest, from the cache where it is there; made ones are cached."""
    name = cache_name(encoder)
    found = dict(truth.embeddings(name, list(dict.fromkeys(digests))))
    texts = {
        digest: item.text
        for digest, item in zip(digests, batch, strict=True)
        if digest not in found
    }
    made: dict[str, NDArray[np.float32]] = {}
    if texts:
        encoded = encoder.encode(list(texts.values()))
        if encoded.shape != (len(texts), encoder.dimensions):
            raise BrokenInvariant(f"the encoder {encoder.name} gave vectors of another shape")
        made = dict(zip(texts, np.asarray(encoded, dtype=np.float32), strict=True))
    # Who holds a text decides when its vector is deleted, so it is recorded of cached ones too.
    owners: dict[str, set[str]] = {}
    for digest, item in zip(digests, batch, strict=True):
        owners.setdefault(digest, set()).add(item.passage.document_id)
    truth.put_embeddings(name, made, owners={d: sorted(ids) for d, ids in owners.items()})
    return found | made
