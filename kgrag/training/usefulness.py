"""How much a passage raises the likelihood of the answer, by the local language model.

Each score costs a pass over passage, question and answer, so it is kept on disk by a keyed hash of
what was scored: without the key beside it nobody can try texts against the file.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import os
import re
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kgrag import generation
from kgrag.ids import canonical, sha256
from kgrag.progress import Progress
from kgrag.training.corpora import Pool
from kgrag.training.examples import Examples
from kgrag.training.fit import Useful
from kgrag.training.pairs import Learnt

# Passages of a question that the model reads, the first right one among them.
READ: Final = 8
_KEPT: Final = re.compile(r"[0-9a-f]{64} -?\d+(\.\d+)?(e[+-]?\d+)?;")
_KEY_BYTES: Final = 32
_PROMPT: Final = Path(generation.__file__).parent / "prompts" / "answer.txt"
# Mean log likelihoods are divided by this before the softmax: they differ by tenths.
_SPREAD: Final = 0.1


class Answering(Protocol):
    """A language model that tells how likely an answer is."""

    @property
    def sha256(self) -> str: ...

    def answer_likelihood(self, question: str, answer: str, passages: Sequence[str]) -> list[float]:
        """Mean log p(answer token | passage, question), one a passage."""
        ...


class Scores:
    """Kept likelihoods: a text file of lines ``hash value``, only ever added to.

    A file a model and wording of the prompt; another one is scored anew.
    """

    def __init__(self, folder: Path, model: Answering) -> None:
        asked = sha256(f"{model.sha256} {sha256(_PROMPT.read_bytes())}".encode())
        self._path = folder / f"usefulness-{asked[:16]}.txt"
        self._key = _key(folder / "usefulness.key")
        self._model, self._known = model, dict[str, float]()
        if self._path.is_file():
            for line in self._path.read_text(encoding="ascii", errors="replace").splitlines():
                key, _, value = line.partition(" ")
                # A line that a kill cut short is scored again.
                if _KEPT.fullmatch(line):
                    self._known[key] = float(value[:-1])

    def of(self, question: str, answer: str, passages: Sequence[str]) -> list[float]:
        """The likelihood of ``answer`` with each passage; those not known are made and kept."""
        keys = [self._hash(question, answer, passage) for passage in passages]
        new = {k: p for k, p in zip(keys, passages, strict=True) if k not in self._known}
        if new:
            made = self._model.answer_likelihood(question, answer, list(new.values()))
            self._known.update(zip(new, made, strict=True))
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="ascii") as file:
                # The first line end closes what a kill may have left open.
                file.write("\n" + "".join(f"{k} {self._known[k]!r};\n" for k in new))
        return [self._known[key] for key in keys]

    def _hash(self, *texts: str) -> str:
        return hmac.new(self._key, canonical(texts), hashlib.sha256).hexdigest()


def _key(path: Path) -> bytes:
    """The key of the cache at ``path``, made when there is none; its owner alone reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if len(key := path.read_bytes()) == _KEY_BYTES:
            return key
        # A kill came between its making and its writing: nothing is kept under it.
        path.unlink(missing_ok=True)
        return _key(path)
    with os.fdopen(made, "wb") as file:
        key = secrets.token_bytes(_KEY_BYTES)
        file.write(key)
    return key


def usefulness(
    pool: Pool,
    learnt: Sequence[Learnt],
    made: Examples,
    scores: Scores,
    *,
    most: int,
    progress: Progress,
) -> Useful | None:
    """What the model says of the passages near the first ``most`` questions that have an answer.

    None when no question has one. Read are the first right passage and the first wrong ones of
    each way of searching.
    """
    asked = [i for i, one in enumerate(learnt) if one.answer][:most]
    if not asked:
        return None
    progress.stage("usefulness", len(asked), "questions")
    near = np.full((len(asked), READ), -1, dtype=np.int64)
    share = np.zeros((len(asked), READ), dtype=np.float32)
    texts = pool.texts(made.keys)
    for row, number in enumerate(asked):
        rows = _read(made, number)
        one = learnt[number]
        assert one.answer is not None
        found = scores.of(one.question, one.answer, [texts[made.keys[at]] for at in rows])
        near[row, : len(rows)] = rows
        share[row, : len(rows)] = _softmax(np.asarray(found) / _SPREAD)
        progress.advance()
    return Useful(made.questions[asked], near, share, made.vectors)


def _read(made: Examples, number: int) -> list[int]:
    """Rows of the passages that the model reads: one that is right, the others near the question.

    Wrong ones come in the order dense, then BM25; every few are taken so that both are there.
    """
    wrong = [int(at) for at in made.wrong[number] if at >= 0]
    step = max(1, math.ceil(len(wrong) / (2 * (READ - 1))))
    return [int(made.right[number, 0]), *wrong[::step][: READ - 1]]


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float32]:
    raised = np.exp(values - values.max())
    return np.asarray(raised / raised.sum(), dtype=np.float32)
