"""The passages that questions are trained against: those of kbs, and texts that the pairs bring.

All have the vectors that a search compares with. Text is looked at here and kept nowhere.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder
from kgrag.errors import KnowledgeBaseError, UnreadableFile
from kgrag.ids import sha256
from kgrag.retrieval import terms
from kgrag.retrieval.index import cache_name, indexed_text
from kgrag.sentences import sentences
from kgrag.stores.base import Filters, IndexHit, Point, VectorIndex
from kgrag.stores.memory_index import MemoryIndex
from kgrag.training.pairs import Learnt

if TYPE_CHECKING:
    from kgrag.engine import Engine
    from kgrag.records.text import Document, Passage

_EVERY: Final = Filters()
# Sentences of an anchor: short ones stand for claims and questions, runs for long messages.
_RUNS: Final = (1, 1, 2, 4)
_ANCHOR_CHARS: Final = 1500
Array = NDArray[np.float32]


class Corpus(Protocol):
    """Passages that can be searched, by key."""

    @property
    def index(self) -> VectorIndex: ...

    def texts(self, keys: Sequence[str]) -> Mapping[str, str]:
        """What of each passage is embedded, for those that it holds."""
        ...

    def vectors(self, texts: Mapping[str, str]) -> Mapping[str, Array]:
        """The vectors of passages, by key, for their texts by key."""
        ...

    def sample(self, count: int, rng: random.Random) -> list[str]:
        """Texts of at most ``count`` passages drawn at random."""
        ...


class KnowledgeBase:
    """The current passages of an open kb with the vectors it was indexed with."""

    def __init__(self, engine: Engine, encoder: Encoder) -> None:
        self._engine, self._name = engine, cache_name(encoder)
        self._last: Document | None = None
        if cache_name(engine.encoder) != self._name:
            raise KnowledgeBaseError(
                f"{engine.directory} was made with the encoder {engine.encoder.name}, not with "
                f"{encoder.name}, as the others were",
                hint="train on kbs of one encoder",
            )
        if engine.index.stamp < engine.truth.generation:
            raise KnowledgeBaseError(
                f"the index of {engine.directory} is behind what it holds",
                hint="any kgrag ingest into it catches it up",
            )

    @property
    def index(self) -> VectorIndex:
        return self._engine.index

    def texts(self, keys: Sequence[str]) -> dict[str, str]:
        """See ``Corpus``."""
        held: list[Passage] = []
        for at in range(0, len(keys), 500):
            some = self._engine.truth.passages_by_id(keys[at : at + 500])
            held.extend(passage for passage, _ in some.values())
        # By document, so that each is read once.
        held.sort(key=lambda p: (p.document_id, p.start))
        return {p.id: indexed_text(self._document(p.document_id), p) for p in held}

    def vectors(self, texts: Mapping[str, str]) -> dict[str, Array]:
        """See ``Corpus``; KnowledgeBaseError when one was never embedded."""
        digests = {key: sha256(text.encode()) for key, text in texts.items()}
        known: dict[str, Array] = {}
        wanted = sorted(set(digests.values()))
        for at in range(0, len(wanted), 500):
            known.update(self._engine.truth.embeddings(self._name, wanted[at : at + 500]))
        missing = len(wanted) - len(known)
        if missing:
            raise KnowledgeBaseError(
                f"{self._engine.directory} lacks the vectors of {missing} passages",
                hint="delete its index folder; any kgrag ingest into it builds it again",
            )
        return {key: known[digest] for key, digest in digests.items()}

    def sample(self, count: int, rng: random.Random) -> list[str]:
        """See ``Corpus``."""
        ids = [info.id for info in self._engine.truth.documents()]
        found: list[str] = []
        for identifier in rng.sample(ids, min(count, len(ids))):
            passages = self._engine.truth.passages(identifier)
            if passages:
                one = rng.choice(passages)
                found.append(self._document(identifier).text[one.start : one.end])
        return found

    def _document(self, identifier: str) -> Document:
        if self._last is None or self._last.id != identifier:
            self._last = self._engine.truth.document(identifier)
        return self._last


class Texts:
    """Passages that the pairs bring as text; held in memory."""

    def __init__(self, texts: Mapping[str, str], encoder: Encoder) -> None:
        self._texts = dict(texts)
        rows = encoder.encode(list(self._texts.values()))
        self._vectors = dict(zip(self._texts, rows, strict=True))
        self._index = MemoryIndex(dimensions=encoder.dimensions)
        self._index.upsert(
            Point(key, key, "pairs", self._vectors[key], terms.passage_terms(text))
            for key, text in self._texts.items()
        )

    @property
    def index(self) -> VectorIndex:
        return self._index

    def texts(self, keys: Sequence[str]) -> dict[str, str]:
        """See ``Corpus``."""
        return {key: self._texts[key] for key in keys if key in self._texts}

    def vectors(self, texts: Mapping[str, str]) -> dict[str, Array]:
        """See ``Corpus``."""
        return {key: self._vectors[key] for key in texts}

    def sample(self, count: int, rng: random.Random) -> list[str]:
        """See ``Corpus``."""
        keys = sorted(self._texts)
        return [self._texts[key] for key in rng.sample(keys, min(count, len(keys)))]


@dataclass(frozen=True, slots=True)
class Pool:
    """Several corpora searched as one. Keys of passages are unique over them."""

    corpora: tuple[Corpus, ...]

    def dense(self, vector: Array, limit: int) -> list[IndexHit]:
        """The ``limit`` nearest passages of all, best first."""
        lists = [c.index.dense(vector, limit=limit, filters=_EVERY) for c in self.corpora]
        return lists[0] if len(lists) == 1 else _best(lists, limit)

    def sparse(self, question: str, limit: int) -> list[IndexHit]:
        """The best ``limit`` passages of each corpus by BM25, best first.

        Scores of two corpora do not compare well: words are rare or common in each by itself.
        """
        asked = terms.question_terms(question)
        lists = [c.index.sparse(asked, limit=limit, filters=_EVERY) for c in self.corpora]
        return lists[0] if len(lists) == 1 else _best(lists, limit)

    def texts(self, keys: Iterable[str]) -> dict[str, str]:
        """What of each passage is embedded, for those that any corpus holds."""
        wanted = list(dict.fromkeys(keys))
        return {k: t for c in self.corpora for k, t in c.texts(wanted).items()}

    def vectors(self, keys: Iterable[str]) -> dict[str, Array]:
        """By key, for passages that a corpus holds."""
        wanted = list(dict.fromkeys(keys))
        return {k: v for c in self.corpora for k, v in c.vectors(c.texts(wanted)).items()}

    def anchors(self, count: int, seed: int) -> list[str]:
        """Runs of sentences drawn from ``count`` passages: texts of many kinds, few questions."""
        rng = random.Random(seed)
        found: dict[str, None] = {}
        share = -(-count // len(self.corpora))
        for corpus in self.corpora:
            for text in corpus.sample(share, rng):
                spans = [s for s in sentences(text) if len(text[s.start : s.end].split()) > 4]
                if spans:
                    first = rng.randrange(len(spans))
                    last = min(first + rng.choice(_RUNS), len(spans)) - 1
                    run = text[spans[first].start : spans[last].end]
                    found[" ".join(run.split())[:_ANCHOR_CHARS]] = None
        return list(found)


def _best(lists: Sequence[Sequence[IndexHit]], limit: int) -> list[IndexHit]:
    every = (hit for found in lists for hit in found)
    return sorted(every, key=lambda h: (-h.score, h.passage_id))[:limit]


def check_known(path: str, questions: Sequence[Learnt], pool: Pool) -> None:
    """Every passage that the pairs name is in the pool; UnreadableFile names the lines else."""
    known = pool.texts(right.key for one in questions for right in one.right)
    missing = [r.line for one in questions for r in one.right if r.key not in known]
    if missing:
        shown = ", ".join(str(line) for line in sorted(missing)[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise UnreadableFile(
            path,
            f"line {shown}{more}: no passage of this id is known",
            hint="give the kb that holds it with --kb, or its text as 'passage'",
        )
