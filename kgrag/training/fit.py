"""The adapter learnt: right passages drawn near, anchors kept in place, stopped when that ends.

The loss of a question is the cross-entropy of its right passages among the wrong ones that are
near it and the right ones of the rest of its batch (InfoNCE). Anchors, texts of other kinds,
hold the ranking of the encoder: the Kullback-Leibler divergence from it is added. Where a language
model has said how useful each passage is to the answer, so is that from its distribution (as in
REPLUG, Shi et al. 2023).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from kgrag.encoding.adapted import SHARPNESS, Adapter
from kgrag.errors import BrokenInvariant
from kgrag.training.checkpoint import Checkpoint, State
from kgrag.training.examples import Anchors, Examples

# Cosines are divided by this before the softmax.
TEMPERATURE: Final = 0.05
# Epochs without a better stop figure before the end.
PATIENCE: Final = 3
_LOW: Final = -1e4  # the score of what is not there; finite, so that no gradient is undefined
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Useful:
    """How useful passages are to the answers of some questions, by a language model.

    ``questions`` (m, d); ``near`` (m, k) rows of ``vectors``, -1 fills; ``share`` (m, k) sums to 1.
    """

    questions: Array
    near: NDArray[np.int64]
    share: Array
    vectors: Array


@dataclass(frozen=True, slots=True)
class Recipe:
    """How it is learnt. ``keep`` weighs the anchors; ``pairs`` whether the pairs are learnt.

    ``share`` of the learnt change is used: a mean of the weights with those of no change, which
    keeps most of the gain and little of the harm elsewhere (WiSE-FT, Wortsman et al. 2022).
    """

    epochs: int = 20
    batch: int = 128
    rank: int = 32
    rate: float = 5e-4
    keep: float = 10.0
    share: float = 0.7
    useful: float = 1.0
    pairs: bool = True
    seed: int = 0


@dataclass(slots=True)
class Fitted:
    """``adapter`` is the best epoch's; ``history`` has (loss, drift, stop figure) an epoch, that
    of epoch 0 being the encoder's own."""

    adapter: Adapter
    epoch: int
    history: list[tuple[float, float, float]] = field(default_factory=list)
    out_of_time: bool = False


class _Network(torch.nn.Module):
    """The adapter as parameters; see ``Adapter`` for the shapes. It begins as no change."""

    def __init__(self, dimensions: int, rank: int, seed: int) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(seed)
        scale = float(dimensions) ** -0.5
        self.down = torch.nn.Parameter(torch.randn(dimensions, rank, generator=draw) * scale)
        self.up = torch.nn.Parameter(torch.zeros(rank, dimensions))
        self.gate = torch.nn.Parameter(torch.zeros(dimensions))
        self.bias = torch.nn.Parameter(torch.zeros(1))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        opened = torch.sigmoid(SHARPNESS * (rows @ self.gate) + self.bias)
        moved = rows + opened.unsqueeze(1) * ((rows @ self.down) @ self.up)
        return torch.nn.functional.normalize(moved, dim=-1)

    def adapter(self, share: float) -> Adapter:
        parts = {n: p.detach().cpu().numpy().copy() for n, p in self.named_parameters()}
        return Adapter(
            parts["down"], np.float32(share) * parts["up"], parts["gate"], float(parts["bias"][0])
        )


def fit(
    learn: Examples,
    keep: Anchors | None,
    useful: Useful | None,
    recipe: Recipe,
    *,
    stop_figure: Callable[[Adapter], float],
    checkpoint: Checkpoint,
    device: str = "cpu",
    seconds: float | None = None,
    on_epoch: Callable[[], None] = lambda: None,
) -> Fitted:
    """The adapter of the epoch with the highest ``stop_figure``; epoch 0 changes nothing.

    Ends after ``recipe.epochs``, after three epochs that are no better, or at the end of the first
    epoch past ``seconds``. Goes on where ``checkpoint`` stopped: the result is that of a run that
    was never stopped. The same on one machine for one seed on the CPU.
    """
    began = time.monotonic()
    network = _Network(learn.questions.shape[1], recipe.rank, recipe.seed).to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.rate)
    state = checkpoint.load()
    if state is None:
        first = stop_figure(network.adapter(recipe.share))
        state = State(0, 0, [(float("nan"), 0.0, first)], *_tensors(network, optimiser))
    _restore(network, optimiser, state)
    batches = _Batches(learn, keep, useful, recipe, device)
    out_of_time = False
    while state.epoch < recipe.epochs and state.epoch - state.best < PATIENCE:
        epoch = state.epoch + 1
        loss, drift = _epoch(network, optimiser, batches, recipe, epoch)
        figure = stop_figure(network.adapter(recipe.share))
        parameters, moments = _tensors(network, optimiser)
        better = figure > state.history[state.best][2] + 1e-9
        state = State(
            epoch,
            epoch if better else state.best,
            [*state.history, (loss, drift, figure)],
            {
                **{n: v for n, v in state.parameters.items() if n.startswith("best.")},
                **parameters,
                **({f"best.{n}": v for n, v in parameters.items()} if better else {}),
            },
            moments,
        )
        checkpoint.save(state)
        on_epoch()
        if seconds is not None and time.monotonic() - began > seconds:
            out_of_time = True
            break
    if state.best:
        own = {n: v for n, v in state.parameters.items() if f"best.{n}" in state.parameters}
        network.load_state_dict({n: torch.tensor(state.parameters[f"best.{n}"]) for n in own})
    else:
        network = _Network(learn.questions.shape[1], recipe.rank, recipe.seed)
    return Fitted(network.adapter(recipe.share), state.best, state.history, out_of_time)


class _Batches:
    """The arrays as tensors on the device."""

    def __init__(
        self,
        learn: Examples,
        keep: Anchors | None,
        useful: Useful | None,
        recipe: Recipe,
        device: str,
    ) -> None:
        def on(array: NDArray[Any]) -> torch.Tensor:
            return torch.from_numpy(np.ascontiguousarray(array)).to(device)

        self.device = device
        self.questions, self.vectors = on(learn.questions), on(learn.vectors)
        self.right, self.wrong = on(learn.right), on(learn.wrong)
        self.keep = None if keep is None else (on(keep.questions), on(keep.near), on(keep.vectors))
        self.useful = (
            None
            if useful is None
            else (on(useful.questions), on(useful.near), on(useful.vectors), on(useful.share))
        )


def _epoch(
    network: _Network,
    optimiser: torch.optim.Optimizer,
    data: _Batches,
    recipe: Recipe,
    epoch: int,
) -> tuple[float, float]:
    """One pass over the questions; the mean loss and the mean divergence of anchors."""
    # Of the seed and the epoch alone, so that a run that was killed goes on with the same draws.
    draw = torch.Generator().manual_seed(recipe.seed * 1_000_003 + epoch)
    count = len(data.questions)
    order = torch.randperm(count, generator=draw)
    losses = drifts = 0.0
    for at in range(0, count, recipe.batch):
        rows = order[at : at + recipe.batch].to(data.device)
        zero = torch.zeros((), device=data.device)
        loss = _contrast(network, data, rows) if recipe.pairs else zero
        if data.useful is not None:
            asked, near, vectors, share = data.useful
            some = torch.randint(len(asked), (recipe.batch,), generator=draw).to(data.device)
            loss = loss + recipe.useful * _usefulness(
                network, asked[some], near[some], vectors, share[some]
            )
        drift = zero
        if data.keep is not None and recipe.keep:
            asked, near, vectors = data.keep
            some = torch.randint(len(asked), (recipe.batch,), generator=draw).to(data.device)
            drift = _divergence(network, asked[some], near[some], vectors)
        optimiser.zero_grad()
        whole = loss + recipe.keep * drift
        if not torch.isfinite(whole):
            raise BrokenInvariant("training gave a loss that is no number")
        whole.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses += float(loss.detach()) * len(rows)
        drifts += float(drift.detach()) * len(rows)
    return losses / count, drifts / count


def _contrast(network: _Network, data: _Batches, rows: torch.Tensor) -> torch.Tensor:
    asked = network(data.questions[rows])
    right, wrong = data.right[rows], data.wrong[rows]
    good = _cosines(asked, right, data.vectors)
    bad = _cosines(asked, wrong, data.vectors)
    others = right[:, 0]
    batch = asked @ data.vectors[others].T / TEMPERATURE
    mine = (others[None, :, None] == right[:, None, :]).any(dim=-1)
    every = torch.cat([good, bad, batch.masked_fill(mine, _LOW)], dim=1)
    return (torch.logsumexp(every, dim=1) - torch.logsumexp(good, dim=1)).mean()


def _divergence(
    network: _Network, asked: torch.Tensor, near: torch.Tensor, vectors: torch.Tensor
) -> torch.Tensor:
    before = torch.log_softmax(_cosines(asked, near, vectors), dim=1)
    after = torch.log_softmax(_cosines(network(asked), near, vectors), dim=1)
    return (before.exp() * (before - after)).sum(dim=1).mean()


def _usefulness(
    network: _Network,
    asked: torch.Tensor,
    near: torch.Tensor,
    vectors: torch.Tensor,
    share: torch.Tensor,
) -> torch.Tensor:
    found = torch.log_softmax(_cosines(network(asked), near, vectors), dim=1)
    wanted = share.clamp_min(1e-9)
    return (share * (wanted.log() - found)).sum(dim=1).mean()


def _cosines(asked: torch.Tensor, rows: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Shape of ``rows``: cosines over the temperature; very low where a row is -1."""
    found = torch.einsum("bd,bkd->bk", asked, vectors[rows.clamp_min(0)]) / TEMPERATURE
    return found.masked_fill(rows < 0, _LOW)


def _tensors(
    network: _Network, optimiser: torch.optim.Optimizer
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """The parameters, and what the optimiser remembers of each, by name."""
    parameters = {n: p.detach().cpu().numpy().copy() for n, p in network.named_parameters()}
    moments = {
        f"{n}.{kind}": np.asarray(value.detach().cpu().numpy()).copy()
        for n, p in network.named_parameters()
        for kind, value in optimiser.state.get(p, {}).items()
    }
    return parameters, moments


def _restore(network: _Network, optimiser: torch.optim.Optimizer, state: State) -> None:
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.copy_(torch.tensor(state.parameters[name]))
            kept = {
                # A file keeps no number without an axis.
                key.rpartition(".")[2]: torch.tensor(value).reshape(parameter.shape)
                if value.size == parameter.numel() and not key.endswith(".step")
                else torch.tensor(value).reshape(())
                for key, value in state.moments.items()
                if key.rpartition(".")[0] == name
            }
            if kept:
                optimiser.state[parameter] = {
                    kind: value if kind == "step" else value.to(parameter.device)
                    for kind, value in kept.items()
                }
