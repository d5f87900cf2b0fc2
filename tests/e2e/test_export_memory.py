"""Exports of many assertions: memory does not grow with their number, and all of them are there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

_EXPORT = """
import json, resource, sys
from pathlib import Path
from generated_world import GeneratedTruth
from kgrag.stores import rdf
form, out, size = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
counts = rdf.export(GeneratedTruth(size, 20), None, form, out)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({**counts, "peak": peak}))
"""


def exported(form: str, out: Path, size: int) -> dict[str, float]:
    """The counts of an export in a fresh process, and its peak memory in MB."""
    tests = str(Path(__file__).resolve().parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {tests!r})\n{_EXPORT}",
         form, str(out), str(size)],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("form", ["trig", "jsonld", "graphml", "kgx"])
def test_memory_does_not_grow_with_the_assertions(form: str, tmp_path: Path) -> None:
    few = exported(form, tmp_path / "few", 300)
    many = exported(form, tmp_path / "many", 5300)
    assert few["assertions"] == 300 * 20 - 299
    assert many["assertions"] == 5300 * 20 - 5299 > 100_000
    # What grows is the ids of passages that hold evidence, 106,000 here.
    assert many["peak"] - few["peak"] < 60
    assert marks(form, tmp_path / "many") == many["assertions"]


def marks(form: str, path: Path) -> int:
    """Lines that begin an assertion, read one after the other."""
    if form == "kgx":
        path = path / "edges.tsv"
    mark = {
        "trig": " a kg:Assertion ;",
        "jsonld": '"@type": "Assertion"',
        "graphml": '<edge id="ast_',
        "kgx": "kgrag:ast_",
    }[form]
    with path.open(encoding="utf-8", newline="\n") as file:
        return sum(mark in line for line in file)
