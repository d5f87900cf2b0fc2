"""kill -9 at random instants of what writes the index too; afterwards the kb must be whole.

    python bench/kill_engine.py --kills 12 [--stage index_catch_up]

The driver is that of ``bench/kill.py``. It forks, and the vector engine starts threads, so whatever
opens an index runs in a forked child, never in the driver itself. The encoder is ``hashing``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kill as driver
import numpy as np

from kgrag.config import Encoding, Settings
from kgrag.encoding.hashing import HashingEncoder
from kgrag.engine import Engine
from kgrag.retrieval.index import indexed_text
from kgrag.stores.base import Ingested
from kgrag.stores.sql import open_truth
from kgrag.testing.truth_contract import sample

GUIDELINES = Path(__file__).resolve().parents[1] / "examples" / "guidelines"
SETTINGS = Settings(encoding=Encoding(encoder="hashing"))
DOCUMENTS = 150  # of equal rows but one word: more ties than a search lists
REMOVED = 4


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """What ``function`` gives in a forked child of its own; plain JSON values."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            with os.fdopen(writing, "w") as pipe:
                json.dump(function(*arguments), pipe)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(f"{function.__name__} failed")
    return json.loads(said)


def items() -> list[Ingested]:
    return [
        sample(f"{n}.md", words=(f"Drug{n:03d}xqz", f"sickness{n:03d}xqz"))
        for n in range(DOCUMENTS)
    ]


def fill(folder: Path) -> None:
    with open_truth(folder, mode="write", create=True) as truth:
        for item in items():
            truth.put(item)


def opened(folder: Path, mode: Any) -> Engine:
    return Engine.open(folder, mode=mode, settings=SETTINGS)


def catch_up(folder: Path, done: Callable[[str], None]) -> None:
    with opened(folder, "write") as engine:
        _ = engine.index
        done("opened")
        engine.catch_up()


def no_half_index(folder: Path) -> list[str]:
    """What a reader finds at once after the kill: nothing, or all."""
    with opened(folder, "read") as engine:
        generation, stamp = engine.generations()
        count, passages = engine.index.count(), engine.truth.counts()["passages"]
        if (stamp, count) not in ((0, 0), (generation, passages)):
            return [f"{count} of {passages} passages are served at {stamp} of {generation}"]
    return []


def results(folder: Path) -> Any:
    with opened(folder, "read") as engine:
        found = [
            [(hit.passage_id, round(hit.score, 4)) for hit in engine.search(question)]
            for question in ("Drug007xqz sickness007xqz", "sickness099xqz", "dose of Drug140xqz")
        ]
        return [engine.generations(), engine.index.count(), found, dict(engine.truth.counts())]


def fill_and_index(folder: Path) -> None:
    fill(folder)
    catch_up(folder, driver.void)


def remove(folder: Path, done: Callable[[str], None]) -> None:
    with opened(folder, "write") as engine:
        for item in items()[:REMOVED]:
            engine.remove(item.document.id)
            done(item.document.id)


def traces(item: Ingested) -> list[bytes]:
    """Its own words, and the vectors of its passages in both widths, those it shares included."""
    texts = [indexed_text(item.document, passage) for passage in item.passages]
    vectors = HashingEncoder().encode(texts)
    words = [m.text.encode() for m in item.mentions if m.text.endswith("xqz")]
    return [
        *words,
        *(row.tobytes() for row in vectors),
        *(row.astype(np.float16).tobytes() for row in vectors),
    ]


def removed_for_good(folder: Path, acknowledged: list[str]) -> list[str]:
    """Opening for writing is enough to finish; then every file is searched."""
    with opened(folder, "write") as engine:
        gone = {info.id for info in engine.truth.documents(status="removed")}
        problems = list(engine.truth.verify())
    problems += [f"{key} is back" for key in acknowledged if key not in gone]
    files = {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    index = [data for path, data in files.items() if "index" in path.parts]
    last = [t for t in traces(items()[-1]) if t not in set(traces(items()[-2]))]
    if not any(trace in data for trace in last for data in index):
        problems.append("the search finds no vector of a document that is there: it proves nothing")
    # All titles are the same, so their vectors rightly stay with the documents that do.
    kept = {t for item in items() if item.document.id not in gone for t in traces(item)}
    for item in items()[:REMOVED]:
        if item.document.id not in gone:
            continue
        own = [trace for trace in traces(item) if trace not in kept]
        where = {p.name for t in own for p, d in files.items() if t in d}
        if where or len(own) < 4:
            problems.append(f"{item.document.id} was removed and is in {sorted(where)}")
    return problems


def settle(folder: Path) -> None:
    (folder / "kgrag.toml").write_text('[encoding]\nencoder = "hashing"\n', encoding="utf-8")


def ingest(folder: Path, done: Callable[[str], None]) -> None:
    command = [sys.executable, "-m", "kgrag", "ingest", str(GUIDELINES), "--kb", str(folder)]
    code = subprocess.run(command, capture_output=True, check=False).returncode
    if code not in (0, 1):
        raise SystemExit(f"ingest ended with {code}")


def whole(folder: Path, _: list[str]) -> list[str]:
    if not (folder / "truth.sqlite").exists():
        return []
    with open_truth(folder, mode="write", create=True) as truth:
        return list(truth.verify())


def ingested(folder: Path) -> Any:
    with opened(folder, "read") as engine:
        ids = [(d.id, d.status) for d in engine.truth.documents(status=None)]
        generation, stamp = engine.generations()
        return [ids, dict(engine.truth.counts()), engine.index.count(), generation == stamp]


STAGES = {
    "index_catch_up": driver.Stage(
        fill, catch_up, lambda f, _: apart(no_half_index, f), lambda f: apart(results, f)
    ),
    "engine_removal": driver.Stage(
        lambda f: driver.void(apart(fill_and_index, f)),
        remove,
        lambda f, names: list(apart(removed_for_good, f, names)),
        lambda f: apart(results, f),
    ),
    "ingest": driver.Stage(
        settle, ingest, lambda f, n: list(apart(whole, f, n)), lambda f: apart(ingested, f)
    ),
}


def main() -> int:
    """The exit code of ``run`` with the stages of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", action="append", choices=sorted(STAGES))
    parser.add_argument("--kills", type=int, default=10, help="a stage")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="in a kb; fewer is faster")
    chosen = parser.parse_args()
    globals()["DOCUMENTS"] = chosen.documents
    driver.STAGES.update(STAGES)
    return driver.run(chosen.stage or list(STAGES), chosen.kills, chosen.seed)


if __name__ == "__main__":
    sys.exit(main())
