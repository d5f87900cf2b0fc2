"""What the retrieval measurements share: cached embeddings, an index of texts, nDCG, intervals."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder
from kgrag.ids import sha256
from kgrag.retrieval.terms import passage_terms
from kgrag.stores.base import Point, VectorIndex
from kgrag.stores.qdrant import open_index

CACHE = Path(__file__).parent / ".cache"


def data(*parts: str) -> Path:
    """A file of KGRAG_DATA; ends the script with a reason when there is none."""
    root = os.environ.get("KGRAG_DATA")
    if not root or not Path(root, *parts).exists():
        sys.exit(f"KGRAG_DATA has no {'/'.join(parts)}")
    return Path(root, *parts)


def embed(name: str, encoder: Encoder, texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors of ``texts``, shape (len(texts), dimensions), made once and kept by text hash."""
    path = CACHE / f"{name}-{encoder.name}-{encoder.sha256[:12]}.npz"
    known: dict[str, NDArray[np.float32]] = {}
    if path.exists():
        with np.load(path) as kept:
            known = dict(zip(kept["keys"].tolist(), kept["vectors"], strict=True))
    keys = [sha256(t.encode()) for t in texts]
    missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in known}
    if missing:
        print(f"embedding {len(missing)} texts of {name}", file=sys.stderr)
        known.update(zip(missing, encoder.encode(list(missing.values())), strict=True))
        CACHE.mkdir(exist_ok=True)
        np.savez(path, keys=np.array(list(known)), vectors=np.stack(list(known.values())))
    return np.stack([known[k] for k in keys])


@contextmanager
def indexed(
    names: Sequence[tuple[str, str]], texts: Sequence[str], vectors: NDArray[np.float32]
) -> Iterator[VectorIndex]:
    """The embedded index over ``texts``; ``names`` are their (passage, document) ids."""
    with TemporaryDirectory() as folder:
        index = open_index(
            Path(folder) / "index", dimensions=vectors.shape[1], encoder="bench", mode="write"
        )
        index.upsert(
            Point(passage, document, "bench", vector, passage_terms(text))
            for (passage, document), text, vector in zip(names, texts, vectors, strict=True)
        )
        index.commit(1)
        yield index
        index.close()


def ndcg(ranked: Sequence[str], gold: Mapping[str, int], depth: int = 10) -> float:
    """Normalised discounted cumulative gain at ``depth``, gain = the grade."""
    gain = sum(gold.get(d, 0) / np.log2(at + 2) for at, d in enumerate(ranked[:depth]))
    ideal = sorted(gold.values(), reverse=True)[:depth]
    return float(gain / sum(g / np.log2(at + 2) for at, g in enumerate(ideal)))


def interval(values: Sequence[float]) -> str:
    """Mean and the 95% bootstrap interval, 2,000 resamples, fixed seed."""
    array = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(0).integers(0, len(array), (2000, len(array)))
    low, high = np.quantile(array[draws].mean(axis=1), [0.025, 0.975])
    return f"{array.mean():.3f} [{low:.3f}, {high:.3f}]"
