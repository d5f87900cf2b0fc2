"""``kgrag train retriever``: from pairs to a folder that a kb's settings name as its encoder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding import Encoder, load_encoder
from kgrag.encoding.adapted import Adapter, PassageEncoder, passage_encoder, write_adapter
from kgrag.engine import Engine
from kgrag.errors import DataError, KnowledgeBaseError, SettingsError
from kgrag.evaluation.compare import Comparison, compare, estimate
from kgrag.ids import canonical, sha256
from kgrag.paths import cache_dir
from kgrag.progress import SILENT, Progress
from kgrag.retrieval.fusion import Fusion, fuse
from kgrag.training.card import figure, model_card
from kgrag.training.checkpoint import BUILDING, Checkpoint, is_checkpoint
from kgrag.training.corpora import Corpus, KnowledgeBase, Pool, Texts, check_known
from kgrag.training.examples import Anchors, Examples, anchors, examples, stop_figure
from kgrag.training.fit import Fitted, Recipe, Useful, fit
from kgrag.training.pairs import Learnt, Split, read_pairs, read_questions, split

Signal = Literal["pairs", "usefulness", "both"]
VERSION: Final = "1"
# Questions that decide when to stop are no more than these; more would only cost.
_STOP_MOST: Final = 500
_DEPTH: Final = 10
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained, on what, how. Without ``kbs`` the pairs bring their passages as text.

    ``keep`` is a file of questions whose ranking shall stay; ``anchors`` texts drawn from the
    passages are kept besides. ``shuffled`` gives each question another's passages: the control,
    which must not help. ``useful_most`` bounds the questions that the language model reads for.
    """

    pairs: Path
    out: Path
    kbs: tuple[Path, ...] = ()
    encoder: str = "all-minilm-l6-v2"
    signal: Signal = "pairs"
    recipe: Recipe = field(default_factory=Recipe)
    held_out: float = 0.1
    keep: Path | None = None
    anchors: int = 2000
    device: str = "auto"
    seconds: float | None = None
    model: str = "smollm2-135m-instruct"
    useful_most: int = 300
    shuffled: bool = False


@dataclass(frozen=True, slots=True)
class Trained:
    """``dense`` and ``fused`` compare the adapter with the encoder alone on the judging questions;
    ``card`` is what the folder tells of itself. ``folder`` is None when it was not written."""

    folder: Path | None
    epoch: int
    dense: Comparison
    fused: Comparison
    card: dict[str, Any]

    @property
    def helps(self) -> bool:
        """Dense search is better beyond chance and the joined ranking is not worse beyond it."""
        return self.epoch > 0 and self.dense.low > 0 and self.fused.high >= 0


def train_retriever(plan: Plan, *, progress: Progress = SILENT) -> Trained:
    """The adapter lies in ``plan.out`` when it helps questions that it has not seen.

    Otherwise nothing is written and ``folder`` is None. Killed and called again with the same plan
    and data, it goes on after the last whole epoch; ``OUT.partial`` holds that and goes in the end.
    Raises SettingsError when ``plan.out`` exists, or an ``OUT.partial`` that is no run's, DataError
    for pairs that cannot be used.
    """
    if plan.out.exists():
        raise SettingsError(f"{plan.out} exists", hint="choose another folder, or delete it")
    partial = plan.out.with_name(plan.out.name + ".partial")
    if partial.exists() and not is_checkpoint(partial):
        raise SettingsError(
            f"{partial} holds other things than a training run",
            hint="choose another --out: that folder is where the run keeps its state",
        )
    device = _device(plan.device)
    learnt = read_pairs(plan.pairs)
    kept = read_questions(plan.keep) if plan.keep else ()
    with ExitStack() as stack:
        engines = [stack.enter_context(Engine.open(kb)) for kb in plan.kbs]
        name, encoder = _encoder(plan, engines)
        pool = _pool(learnt, engines, encoder)
        check_known(str(plan.pairs), learnt, pool)
        parts = split(
            [[r.key for r in one.right] for one in learnt], plan.held_out, plan.recipe.seed
        )
        progress.stage("encode", len(learnt), "questions")
        vectors = _encoded(encoder, [one.question for one in learnt], progress)
        taught = [learnt[i] for i in parts.learn]
        if plan.shuffled:
            taught = _shuffled(taught, plan.recipe.seed)
        made = examples(pool, taught, vectors[list(parts.learn)], progress)
        held = _anchors(pool, encoder, plan, kept, progress)
        useful = _useful(plan, pool, taught, made, device, progress)
        run = _run(plan, engines, encoder)
        stop = parts.stop[:_STOP_MOST]
        stopping = examples(pool, [learnt[i] for i in stop], vectors[list(stop)], progress)
        recipe = plan.recipe
        progress.stage("train", recipe.epochs, "epochs")
        fitted = fit(
            made,
            held,
            useful,
            recipe,
            stop_figure=lambda adapter: stop_figure(stopping, adapter),
            checkpoint=Checkpoint(partial, run),
            device=device,
            seconds=plan.seconds,
            on_epoch=progress.advance,
        )
        progress.stage("judge", None, "questions")
        judge = _Judge(pool, [learnt[i] for i in parts.judge], vectors[list(parts.judge)])
        dense, fused, figures = judge.figures(fitted.adapter)
        trained = Trained(
            None,
            fitted.epoch,
            dense,
            fused,
            _card(plan, name, encoder, engines, learnt, parts, held, useful, fitted, figures),
        )
    if trained.helps:
        passages = PassageEncoder(name=name, sha256=encoder.sha256)
        _write(plan.out, partial, fitted.adapter, passages, trained.card)
        return Trained(plan.out, trained.epoch, dense, fused, trained.card)
    shutil.rmtree(partial, ignore_errors=True)
    return trained


def _device(wanted: str) -> str:
    """``wanted``, or what ``auto`` finds; SettingsError for one that this machine lacks."""
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.partition(":")[0] not in ("cpu", "cuda"):
        raise SettingsError(f"unknown device {wanted!r}", hint="auto, cpu or cuda")
    if wanted != "cpu" and not torch.cuda.is_available():
        raise SettingsError(f"this machine has no device {wanted!r}", hint="use --device auto")
    return wanted


def _encoder(plan: Plan, engines: Sequence[Engine]) -> tuple[str, Encoder]:
    """The encoder of passages, without any adapter, and its name in settings."""
    name = engines[0].truth.setting("encoder") if engines else passage_encoder(plan.encoder)
    if name is None:
        raise KnowledgeBaseError(f"{plan.kbs[0]} is empty", hint="kgrag ingest something into it")
    return name, load_encoder(name)


def _pool(learnt: Sequence[Learnt], engines: Sequence[Engine], encoder: Encoder) -> Pool:
    corpora: list[Corpus] = [KnowledgeBase(engine, encoder) for engine in engines]
    texts = {r.key: r.text for one in learnt for r in one.right if r.text is not None}
    if texts or not corpora:
        corpora.append(Texts(texts, encoder))
    return Pool(tuple(corpora))


def _encoded(encoder: Encoder, texts: Sequence[str], progress: Progress) -> Array:
    """Vectors of ``texts``, in runs, so that progress is seen."""
    rows = []
    for at in range(0, len(texts), 256):
        some = texts[at : at + 256]
        rows.append(np.asarray(encoder.encode(some), dtype=np.float32))
        progress.advance(len(some))
    return np.concatenate(rows)


def _shuffled(taught: Sequence[Learnt], seed: int) -> list[Learnt]:
    """Each question with the passages and the answer of another, drawn at random."""
    order = np.random.default_rng(seed).permutation(len(taught))
    return [
        Learnt(one.question, taught[at].right, taught[at].answer)
        for one, at in zip(taught, order, strict=True)
    ]


def _anchors(
    pool: Pool, encoder: Encoder, plan: Plan, kept: Sequence[str], progress: Progress
) -> Anchors | None:
    texts = [*kept, *(pool.anchors(plan.anchors, plan.recipe.seed) if plan.anchors else ())]
    if not texts or not plan.recipe.keep:
        return None
    progress.stage("encode", len(texts), "anchors")
    return anchors(pool, _encoded(encoder, texts, progress), progress)


def _useful(
    plan: Plan,
    pool: Pool,
    taught: Sequence[Learnt],
    made: Examples,
    device: str,
    progress: Progress,
) -> Useful | None:
    if plan.signal == "pairs":
        return None
    from kgrag.generation import load_language_model
    from kgrag.generation.transformers_model import TransformersModel
    from kgrag.training.usefulness import Scores, usefulness

    model = load_language_model(plan.model)
    if not isinstance(model, TransformersModel):
        raise SettingsError(f"the model {plan.model!r} does not tell how likely an answer is")
    scores = Scores(cache_dir("training"), model.to(device))
    found = usefulness(pool, taught, made, scores, most=plan.useful_most, progress=progress)
    if found is None:
        raise DataError(
            f"no question of {plan.pairs} has an answer",
            hint='the signal of usefulness needs "answer" in the pairs',
        )
    return found


def _run(plan: Plan, engines: Sequence[Engine], encoder: Encoder) -> str:
    """What a checkpoint belongs to: the data and all that shapes the result."""
    files = [sha256(path.read_bytes()) for path in (plan.pairs, plan.keep) if path is not None]
    kbs = [(str(e.directory.resolve()), e.truth.generation) for e in engines]
    shaping = [plan.signal, plan.held_out, plan.anchors, plan.model, plan.useful_most]
    parts = [VERSION, files, kbs, encoder.sha256, asdict(plan.recipe), plan.shuffled, shaping]
    return sha256(canonical(parts))


class _Judge:
    """How well held-out questions find their passages among all of the pool."""

    def __init__(self, pool: Pool, learnt: Sequence[Learnt], vectors: Array) -> None:
        self._pool, self._learnt, self._vectors = pool, learnt, vectors
        self._depth = Fusion().depth

    def figures(self, adapter: Adapter) -> tuple[Comparison, Comparison, dict[str, Any]]:
        """Dense search and the default fusion, with the adapter against without."""
        bent = adapter(self._vectors)
        found: dict[str, Comparison] = {}
        rows: dict[str, Any] = {}
        for way, score in (("dense", self._dense), ("BM25 and dense", self._fused)):
            before = [score(i, v) for i, v in enumerate(self._vectors)]
            after = [score(i, v) for i, v in enumerate(bent)]
            found[way] = compare(after, before)
            rows[way] = figure("MRR@10", estimate(before), estimate(after), found[way])
        return found["dense"], found["BM25 and dense"], rows

    def _dense(self, number: int, vector: Array) -> float:
        return self._rank(number, [h.passage_id for h in self._pool.dense(vector, _DEPTH)])

    def _fused(self, number: int, vector: Array) -> float:
        lists = {
            "bm25": self._pool.sparse(self._learnt[number].question, self._depth),
            "dense": self._pool.dense(vector, self._depth),
        }
        return self._rank(number, [key for key, _ in fuse(lists, Fusion().weights)[:_DEPTH]])

    def _rank(self, number: int, ranked: Sequence[str]) -> float:
        right = {r.key for r in self._learnt[number].right}
        return next((1.0 / at for at, key in enumerate(ranked, 1) if key in right), 0.0)


def _card(
    plan: Plan,
    name: str,
    encoder: Encoder,
    engines: Sequence[Engine],
    learnt: Sequence[Learnt],
    parts: Split,
    held: Anchors | None,
    useful: Useful | None,
    fitted: Fitted,
    figures: dict[str, Any],
) -> dict[str, Any]:
    return {
        "passage_encoder": name,
        "data": {
            "pairs_sha256": sha256(plan.pairs.read_bytes()),
            "kb_generations": [engine.truth.generation for engine in engines],
            "encoder_sha256": encoder.sha256,
            "questions": len(learnt),
            "learnt": len(parts.learn),
            "held_out_to_stop": len(parts.stop),
            "held_out_to_judge": len(parts.judge),
            "anchors": 0 if held is None else len(held.questions),
            "questions_with_usefulness": 0 if useful is None else len(useful.questions),
            "usefulness_by": None if useful is None else plan.model,
        },
        "settings": asdict(plan.recipe)
        | {"signal": plan.signal, "held_out": plan.held_out, "shuffled": plan.shuffled}
        | {"epochs_run": len(fitted.history) - 1, "best_epoch": fitted.epoch},
        "figures": figures,
    }


def _write(
    out: Path, partial: Path, adapter: Adapter, passages: PassageEncoder, card: dict[str, Any]
) -> None:
    """The whole folder comes by one rename; killed before, there is no ``out``."""
    building = partial / BUILDING
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    write_adapter(building, adapter, passages=passages, trained=card)
    (building / "README.md").write_text(model_card(card), encoding="utf-8")
    for path in building.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    building.rename(out)
    shutil.rmtree(partial, ignore_errors=True)
