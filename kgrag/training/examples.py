"""Questions as arrays: their vectors, the passages that are right, and those that are near it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.progress import Progress
from kgrag.training.corpora import Pool
from kgrag.training.pairs import Learnt

# Wrong passages of a question, half from each way of searching.
WRONG: Final = 48
# Right passages of a question that are learnt: those nearest to it, for a page has many.
RIGHT: Final = 4
_DENSE, _SPARSE = 100, 50
# A passage this near to a right one says the same, and is no wrong one.
_SAME: Final = 0.95
# Of an anchor's 100 nearest, the first 32 and every fourth of the others.
_NEAREST: Final = (*range(32), *range(32, 100, 4))
Array = NDArray[np.float32]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """``vectors`` (passages, d) are those that the others number, of the passages ``keys``.

    ``questions`` (n, d); ``right`` (n, 4) and ``wrong`` (n, 48) are rows of ``vectors``; -1 fills.
    """

    questions: Array
    right: Rows
    wrong: Rows
    vectors: Array
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Anchors:
    """Texts whose nearest passages shall stay in their order: ``questions`` (n, d), ``near``
    (n, 49) rows of ``vectors`` (passages, d), nearest first; -1 fills a row."""

    questions: Array
    near: Rows
    vectors: Array


def examples(
    pool: Pool, learnt: Sequence[Learnt], questions: Array, progress: Progress
) -> Examples:
    """The arrays of ``learnt``, of which ``questions`` are the vectors."""
    progress.stage("near passages", len(learnt), "questions")
    lists: list[list[str]] = []
    for one, vector in zip(learnt, questions, strict=True):
        dense = [h.passage_id for h in pool.dense(vector, _DENSE)]
        sparse = [h.passage_id for h in pool.sparse(one.question, _SPARSE)]
        half = WRONG // 2
        lists.append(list(dict.fromkeys([*dense[:half], *sparse[:half], *dense[half:]])))
        progress.advance()
    rights = [[right.key for right in one.right] for one in learnt]
    number, vectors = _numbered(pool, (*lists, *rights))
    right = np.full((len(learnt), RIGHT), -1, dtype=np.int64)
    wrong = np.full((len(learnt), WRONG), -1, dtype=np.int64)
    for row, (near, keys) in enumerate(zip(lists, rights, strict=True)):
        good = np.array([number[key] for key in keys])
        nearest = good[np.argsort(-(vectors[good] @ questions[row]), kind="stable")[:RIGHT]]
        right[row, : len(nearest)] = nearest
        bad = np.array([number[key] for key in near if key not in set(keys)], dtype=np.int64)
        bad = bad[(vectors[bad] @ vectors[good].T).max(axis=1) < _SAME][:WRONG]
        wrong[row, : len(bad)] = bad
    return Examples(questions, right, wrong, vectors, tuple(number))


def stop_figure(held: Examples, adapter: Callable[[Array], Array]) -> float:
    """The mean reciprocal rank of the first right passage among those near its question.

    Nothing is searched, so that an epoch costs no more on a large kb.
    """
    asked = adapter(held.questions)
    good, bad = (
        np.where(rows >= 0, np.einsum("bd,bkd->bk", asked, held.vectors[rows]), -np.inf)
        for rows in (held.right, held.wrong)
    )
    ranks = 1 + (bad >= good.max(axis=1, keepdims=True)).sum(axis=1)
    return float((1.0 / ranks).mean())


def anchors(pool: Pool, questions: Array, progress: Progress) -> Anchors:
    """The arrays of texts with the vectors ``questions``."""
    progress.stage("anchors", len(questions), "texts")
    lists = []
    for vector in questions:
        found = [h.passage_id for h in pool.dense(vector, _NEAREST[-1] + 1)]
        lists.append([found[at] for at in _NEAREST if at < len(found)])
        progress.advance()
    number, vectors = _numbered(pool, lists)
    near = np.full((len(questions), len(_NEAREST)), -1, dtype=np.int64)
    for row, keys in enumerate(lists):
        near[row, : len(keys)] = [number[key] for key in keys]
    return Anchors(questions, near, vectors)


def _numbered(pool: Pool, lists: Iterable[Sequence[str]]) -> tuple[dict[str, int], Array]:
    found = pool.vectors(key for keys in lists for key in keys)
    keys = sorted(found)
    rows = np.stack([np.asarray(found[key], dtype=np.float32) for key in keys])
    return {key: at for at, key in enumerate(keys)}, rows / np.linalg.norm(
        rows, axis=1, keepdims=True
    )
