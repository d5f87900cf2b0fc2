"""kill -9 at random instants of a writing stage; afterwards the kb must be whole.

    python bench/kill.py --kills 60 --stage truth_commit --stage removal

A stage is prepared in an empty folder, works in a child process that is killed at a random
instant of the time that an undisturbed run takes, and is then checked: the kb opens, holds only
whole documents and all that was acknowledged, and finishing gives the same state as a run that
was not disturbed. ``kill_engine.py`` and ``kill_conversion.py`` have further stages.

Each kill is told on standard error as it is done, with what lay in the folder when the process
died; the reports on standard output are one JSON line a stage.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
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
    returns problems; ``state`` is what must be the same after finishing.

    ``work`` may pass marks, which begin with an @, to its second argument too. Kills then fall
    after one of ``begins``, each in turn, and count as inside when they come before ``ends``.
    ``lies`` says what is in the folder right after a kill.
    """

    prepare: Callable[[Path], None]
    work: Callable[[Path, Callable[[str], None]], None]
    check: Callable[[Path, list[str]], list[str]]
    state: Callable[[Path], Any]
    begins: tuple[str, ...] = ()
    ends: str | None = None
    lies: Callable[[Path], str] | None = None


@dataclass
class Child:
    """What a child said before it ended: names that are done for good, and marks, each with the
    seconds since its start."""

    acknowledged: list[str] = field(default_factory=list)
    marks: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    killed: bool = False


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


STAGES = {
    "truth_commit": Stage(nothing, commit, check_commit, state),
    "removal": Stage(fill, remove, check_removal, state),
}


def run_child(
    stage: Stage, folder: Path, kill_after: float | None, mark: str | None = None
) -> Child:
    """The child has ended after the call: killed ``kill_after`` seconds after it passed ``mark``
    (after its start when there is none), or through before that.

    The child is forked, so it starts at once; a stage must not start threads before.
    """
    reading, writing = os.pipe()
    begun = time.monotonic()
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
    said = Child()
    until = None if kill_after is None or mark else begun + kill_after
    rest = b""
    while True:
        wait = None if until is None else max(0.0, until - time.monotonic())
        ready, _, _ = select.select([reading], [], [], wait)
        if not ready:
            kill_group(child)
            until = None
            continue
        data = os.read(reading, 1 << 16)
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        for name in (line.decode() for line in lines):
            if not name.startswith("@"):
                said.acknowledged.append(name)
                continue
            said.marks[name] = time.monotonic() - begun
            if name == mark and kill_after is not None:
                until = time.monotonic() + kill_after
    os.close(reading)
    _, status = os.waitpid(child, 0)
    said.seconds = time.monotonic() - begun
    said.killed = os.WIFSIGNALED(status)
    if not said.killed and os.WEXITSTATUS(status):
        raise SystemExit("the stage failed by itself")
    return said


def kill_group(child: int) -> None:
    """Everything that the child started is dead after the call, as when the machine stops."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:  # it has not yet made its group: it is alone
        os.kill(child, signal.SIGKILL)


def void(_: object) -> None:
    """The result is not needed."""


def _inside(stage: Stage, said: Child) -> bool:
    """Whether the kill fell into the work, or between the marks of a stage that has them."""
    if not said.killed or not stage.begins:
        return said.killed
    return stage.begins[0] in said.marks and stage.ends not in said.marks


def kill(name: str, kills: int, seed: int) -> dict[str, Any]:
    """The report of one stage: kills that landed, those ``inside`` it, and problems found."""
    stage = STAGES[name]
    chance = random.Random(seed)
    report: dict[str, Any] = {"stage": name, "kills": 0, "inside": 0, "midway": 0, "problems": []}
    with tempfile.TemporaryDirectory() as root:
        calm = Path(root, "calm")
        calm.mkdir()
        stage.prepare(calm)
        said = run_child(stage, calm, None)
        tell(f"{name}: undisturbed {said.seconds:.1f} s, marks at {said.marks}")
        expected = stage.state(calm)
        attempt = 0
        while report["inside"] < kills and attempt < kills * 5:
            attempt += 1
            folder = Path(root, str(attempt))
            folder.mkdir()
            stage.prepare(folder)
            mark = stage.begins[attempt % len(stage.begins)] if stage.begins else None
            after = chance.random() * (said.seconds - (said.marks[mark] if mark else 0.0))
            died = run_child(stage, folder, after, mark)
            if not died.killed:
                tell(f"{name} {attempt}: through before {after:.2f} s")
                continue
            inside = _inside(stage, died)
            report["kills"] += 1
            report["inside"] += inside
            report["midway"] += bool(died.acknowledged)
            where = f"{after:.2f} s after {mark or 'start'}, {'inside' if inside else 'outside'}"
            lies = f", {stage.lies(folder)}" if stage.lies else ""
            problems = stage.check(folder, died.acknowledged)
            rest = run_child(stage, folder, None)
            if stage.begins and rest.marks.keys() >= set(stage.begins):
                said = rest  # it began anew: the latest measure of how long a whole run takes
            if stage.state(folder) != expected:
                problems.append("finishing gave another state than an undisturbed run")
            shutil.rmtree(folder)
            tell(
                f"{name} {attempt}: killed {where}, {len(died.acknowledged)} acknowledged{lies}:"
                f" {len(problems)} problems"
            )
            report["problems"] += [f"attempt {attempt}: {line}" for line in problems]
    return report


def tell(line: str) -> None:
    """What happens now, for whoever waits."""
    print(line, file=sys.stderr, flush=True)


def run(names: list[str], kills: int, seed: int) -> int:
    """Print one JSON line a stage; 1 when a problem was found or too few kills landed inside."""
    bad = False
    for name in names:
        report = kill(name, kills, seed)
        bad = bad or bool(report["problems"]) or report["inside"] < kills
        print(json.dumps(report), flush=True)
    return int(bad)


def main() -> int:
    """The exit code of ``run`` with the stages of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", action="append", choices=sorted(STAGES))
    parser.add_argument("--kills", type=int, default=10, help="a stage")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    return run(chosen.stage or list(STAGES), chosen.kills, chosen.seed)


if __name__ == "__main__":
    sys.exit(main())
