"""What a killed training goes on from: one file after each epoch, replaced whole."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_FILE: Final = "checkpoint.safetensors"
BUILDING: Final = "folder"
"""Beside the state: the folder that becomes the result."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """After ``epoch`` epochs, of which ``best`` had the highest figure so far.

    ``history`` has (loss, drift, stop figure) of epoch 0 and of each since. ``parameters`` are
    those of now and, under ``best.``, those of the best epoch; ``moments`` the optimiser's.
    """

    epoch: int
    best: int
    history: list[tuple[float, float, float]]
    parameters: dict[str, NDArray[Any]]
    moments: dict[str, NDArray[Any]]


def is_checkpoint(folder: Path) -> bool:
    """Whether ``folder`` holds nothing but what runs leave there, so that it may be deleted."""
    left = {_FILE, Path(_FILE).with_suffix(".new").name, BUILDING}
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= left


class Checkpoint:
    """The state of the run ``run`` in ``folder``; that of another run is not seen."""

    def __init__(self, folder: Path, run: str) -> None:
        self._path, self._run = folder / _FILE, run

    def load(self) -> State | None:
        """The last saved state of this run, None when there is none or it cannot be read."""
        from safetensors import SafetensorError, safe_open

        if not self._path.is_file():
            return None
        try:
            with safe_open(self._path, framework="numpy") as file:
                told = json.loads((file.metadata() or {}).get("state", "{}"))
                if told.get("run") != self._run:
                    return None
                arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except (SafetensorError, ValueError):
            return None  # a damaged file costs the epochs it held, nothing else
        return State(
            told["epoch"],
            told["best"],
            [(math.nan if a is None else a, b, c) for a, b, c in told["history"]],
            {k.removeprefix("p."): v for k, v in arrays.items() if k.startswith("p.")},
            {k.removeprefix("m."): v for k, v in arrays.items() if k.startswith("m.")},
        )

    def save(self, state: State) -> None:
        """The state is on disk; killed before, the earlier one is."""
        from safetensors.numpy import save

        arrays = {f"p.{n}": np.ascontiguousarray(v) for n, v in state.parameters.items()}
        arrays |= {f"m.{n}": np.ascontiguousarray(v) for n, v in state.moments.items()}
        history = [(None if math.isnan(a) else a, b, c) for a, b, c in state.history]
        told = {"run": self._run, "epoch": state.epoch, "best": state.best, "history": history}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(save(arrays, metadata={"state": json.dumps(told)}))
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
