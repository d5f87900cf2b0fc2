"""Index and token states brought up to the truth: what a passage is indexed by, and the replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder, TokenEncoder
from kgrag.encoding.late import Codes, StateCode, encode_both
from kgrag.errors import BrokenInvariant, KnowledgeBaseError
from kgrag.ids import sha256
from kgrag.progress import SILENT, Progress
from kgrag.records.text import Document, Passage
from kgrag.retrieval import terms
from kgrag.stores.base import Change, Point, TruthStore, VectorIndex
from kgrag.stores.tokens import TokenStates

# Raised whenever ``indexed_text`` changes: the index is then rebuilt.
VERSION: Final = "1"

# Texts embedded between two commits of the embeddings to the truth: what a kill can lose.
EMBED_BATCH: Final = 256
# Passages between two commits of the index. Each one adds a part, and parts are joined later at a
# cost; what a kill loses is only replayed, not embedded again: so they are rare.
COMMIT_EVERY: Final = 20_000
# Passages between two commits of the token states, which are only appended to.
STATES_EVERY: Final = 2_048


def shape(encoder: Encoder) -> str:
    """What shapes the points: pass it to ``open_index`` as ``encoder``."""
    return f"{cache_name(encoder)}/terms-{terms.VERSION}/text-{VERSION}"


def states_shape(encoder: Encoder) -> str:
    """What shapes the token states of passages: encoder, indexed text, form of packing."""
    return f"{cache_name(encoder)}/text-{VERSION}/{StateCode.name}"


def open_states(folder: Path, encoder: Encoder, *, mode: Literal["read", "write"]) -> TokenStates:
    """The token states in ``folder``, for what ``encoder`` makes; see ``TokenStates``."""
    return TokenStates(
        folder,
        width=StateCode(encoder.dimensions).width,
        shape=states_shape(encoder),
        mode=mode,
    )


def cache_name(encoder: Encoder) -> str:
    """The encoder's name in the cache of embeddings."""
    return f"{encoder.name}@{encoder.sha256[:16]}"


def indexed_text(document: Document, passage: Passage) -> str:
    """What of a passage is embedded and counted: its titles as one line, then its text.

    Titles that the passage itself begins with are not repeated.
    """
    text = document.text[passage.start : passage.end]
    return titled(document.metadata.title, passage.section, text)


def titled(title: str | None, section: Sequence[str], text: str) -> str:
    """``indexed_text`` of a passage of that text, in a document of that title."""
    titles: list[str] = []
    for name in (title or "", *section):
        if name and name not in titles and not text.startswith(name):
            titles.append(name)
    return f"{' > '.join(titles)}\n{text}" if titles else text


@dataclass(frozen=True, slots=True)
class _Pending:
    """A passage that waits to be embedded, and for what."""

    passage: Passage
    collection: str
    text: str
    to_index: bool
    to_states: bool


def catch_up(
    truth: TruthStore,
    index: VectorIndex,
    encoder: Encoder,
    *,
    states: TokenStates | None = None,
    progress: Progress | None = None,
) -> int:
    """Index and token states reflect the truth; returns how many passages were indexed.

    Only each document's last change since the stamps is replayed. Embeddings come from the truth's
    cache or are made and cached there batch by batch, so that a kill loses at most one batch; token
    states come from the same pass, and a kill loses those of ``STATES_EVERY`` passages. Killed
    anywhere and called again, the result is the same: that of a rebuild.
    """
    target = truth.generation
    seen, seen_states = index.stamp, target if states is None else states.stamp
    for what, stamp in (("vector index is", seen), ("token states are", seen_states)):
        if stamp > target:
            raise KnowledgeBaseError(
                f"the {what} of generation {stamp}, the knowledge base of {target}",
                hint="delete its folder; it is rebuilt from the knowledge base",
            )
    if seen == seen_states == target:
        return 0
    changes = list(truth.changes(min(seen, seen_states)))
    # Retired ones go first: each step is another document's, so the order between them is free.
    # One that was retired and came back may have been cut otherwise.
    index.delete_documents(_retired(changes, seen))
    if states is not None:
        states.delete_documents(_retired(changes, seen_states))
    last = {change.document_id: change for change in changes}
    steps = sorted(last.values(), key=lambda c: (c.generation, c.document_id))
    added = [c for c in steps if c.op == "add"]
    shown = progress or SILENT
    shown.stage("index", len(added), "documents")
    waiting: list[_Pending] = []
    done = committed = kept = kept_committed = 0
    for at, change in enumerate(added):
        waiting.extend(
            _pending(
                truth,
                change.document_id,
                to_index=change.generation > seen,
                to_states=change.generation > seen_states,
            )
        )
        whole = at + 1 == len(added)
        index_due = done - committed + len(waiting) >= COMMIT_EVERY
        states_due = kept - kept_committed + len(waiting) >= STATES_EVERY
        # What is committed ends with a document, so all that waits is embedded before.
        drain = whole or index_due or (states is not None and states_due)
        while len(waiting) >= EMBED_BATCH or (drain and waiting):
            batch, waiting = waiting[:EMBED_BATCH], waiting[EMBED_BATCH:]
            points, packed = _made(truth, batch, encoder)
            index.upsert(points)
            done += len(points)
            if states is not None:
                states.put(packed)
                kept += len(packed)
        shown.advance()
        if whole:
            break
        reached = added[at + 1].generation - 1
        if done - committed >= COMMIT_EVERY and not waiting:
            index.commit(max(index.stamp, reached))
            committed = done
        if states is not None and kept - kept_committed >= STATES_EVERY and not waiting:
            states.commit(max(states.stamp, reached))
            kept_committed = kept
    index.commit(target)
    if states is not None:
        states.commit(target)
    return done


def _retired(changes: Sequence[Change], since: int) -> list[str]:
    return sorted({c.document_id for c in changes if c.op == "retire" and c.generation > since})


def _pending(
    truth: TruthStore, document_id: str, *, to_index: bool, to_states: bool
) -> Iterator[_Pending]:
    document = truth.document(document_id)
    for passage in truth.passages(document_id):
        text = indexed_text(document, passage)
        yield _Pending(passage, document.source.collection, text, to_index, to_states)


def _made(
    truth: TruthStore, batch: Sequence[_Pending], encoder: Encoder
) -> tuple[list[Point], list[tuple[str, str, Codes]]]:
    """The points and the packed token states of those of ``batch`` that wait for them."""
    digests = [sha256(item.text.encode()) for item in batch]
    made: dict[str, NDArray[np.float32]] = {}
    packed: dict[str, Codes] = {}
    texts = {d: item.text for d, item in zip(digests, batch, strict=True) if item.to_states}
    if texts:
        if not isinstance(encoder, TokenEncoder):
            raise BrokenInvariant(f"the encoder {encoder.name} gives no token states")
        code = StateCode(encoder.dimensions)
        encoded, states = encode_both(encoder, list(texts.values()))
        made = dict(zip(texts, encoded, strict=True))
        packed = {d: code.pack(rows) for d, rows in zip(texts, states, strict=True)}
    pairs = list(zip(batch, digests, strict=True))
    vectors = _vectors(truth, [(i, d) for i, d in pairs if i.to_index], made, encoder)
    points = [
        Point(
            passage_id=item.passage.id,
            document_id=item.passage.document_id,
            collection=item.collection,
            vector=vectors[digest],
            terms=terms.passage_terms(item.text),
        )
        for item, digest in pairs
        if item.to_index
    ]
    kept = [
        (item.passage.id, item.passage.document_id, packed[digest])
        for item, digest in pairs
        if item.to_states
    ]
    return points, kept


def _vectors(
    truth: TruthStore,
    pairs: Sequence[tuple[_Pending, str]],
    encoded: Mapping[str, NDArray[np.float32]],
    encoder: Encoder,
) -> dict[str, NDArray[np.float32]]:
    """The vector of each digest: from the cache, from ``encoded``, or made; new ones are cached."""
    name = cache_name(encoder)
    found = dict(truth.embeddings(name, list(dict.fromkeys(d for _, d in pairs))))
    texts = {digest: item.text for item, digest in pairs if digest not in found}
    made = {digest: encoded[digest] for digest in texts if digest in encoded}
    missing = {digest: text for digest, text in texts.items() if digest not in made}
    if missing:
        rows = np.asarray(encoder.encode(list(missing.values())), dtype=np.float32)
        if len(rows) != len(missing):
            raise BrokenInvariant(f"the encoder {encoder.name} gave another number of vectors")
        made |= dict(zip(missing, rows, strict=True))
    if any(vector.shape != (encoder.dimensions,) for vector in made.values()):
        raise BrokenInvariant(f"the encoder {encoder.name} gave vectors of another shape")
    # Who holds a text decides when its vector is deleted, so it is recorded of cached ones too.
    owners: dict[str, set[str]] = {}
    for item, digest in pairs:
        owners.setdefault(digest, set()).add(item.passage.document_id)
    if owners:
        truth.put_embeddings(name, made, owners={d: sorted(ids) for d, ids in owners.items()})
    return found | made
