"""Ingest of a folder of broken and hostile files through the command line.

    python bench/bad_input.py [--json]

The folder is ingested as a whole: every file meant to be refused must be refused in one line that
names it, every good file must land, nothing may be written outside the kb, the exit code must say
that something was refused, and the kb must be sound. Then each file is ingested alone, into a kb of
its own by a process of its own, for its peak memory and the seconds that reading it took. There the
encoder is ``hashing``, so that no model's memory hides a file's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kgrag.testing.bad_files import wrong_outcomes

WITNESS = Path("/tmp/kgrag-was-here")  # what a traversal in an archive would make
KGRAG = [sys.executable, "-m", "kgrag"]
# Making the folder takes a gigabyte; a process that is forked from one so large counts as large.
MAKE = """
import json, pathlib, sys
from kgrag.testing.bad_files import make_bad_folder
print(json.dumps(make_bad_folder(pathlib.Path(sys.argv[1]))))
"""


@dataclass(frozen=True)
class Done:
    """One command that has ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    peak_mb: float


def command(arguments: list[str], scratch: Path) -> Done:
    """The command's outcome, with the peak resident memory of it alone."""
    out, err = scratch / "stdout", scratch / "stderr"
    began = time.perf_counter()
    with out.open("wb") as to_out, err.open("wb") as to_err:
        child = subprocess.Popen(arguments, stdout=to_out, stderr=to_err)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    peak = usage.ru_maxrss * unit / 1e6
    printed, said = (path.read_text(encoding="utf-8", errors="replace") for path in (out, err))
    return Done(child.returncode, printed, said, seconds, peak)


def together(folder: Path, expected: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """The whole folder at once, with the default settings."""
    kb = scratch / "kb"
    done = command([*KGRAG, "ingest", str(folder), "--kb", str(kb), "--json"], scratch)
    problems = wrong_outcomes(folder, expected, done.stderr)
    if done.code != 1:
        problems.append(f"exit code {done.code}, expected 1")
    if WITNESS.exists():
        problems.append("an archive wrote outside the kb")
    sound = command([*KGRAG, "verify-kb", "--kb", str(kb)], scratch)
    if sound.code:
        problems.append(f"verify-kb: {sound.stdout} {sound.stderr}")
    report = json.loads(done.stdout) if done.stdout.strip() else {}
    return {
        "files": len(expected),
        "refused": sum(fate == "refused" for fate in expected.values()),
        "landed": sum(fate == "lands" for fate in expected.values()),
        "documents": report.get("documents"),
        "seconds": round(done.seconds, 1),
        "peak_mb": round(done.peak_mb),
        "problems": problems,
    }


def alone(folder: Path, name: str, scratch: Path) -> dict[str, Any]:
    """One file: its fate, the seconds that reading took, the peak of the process."""
    kb = scratch / "kb"
    kb.mkdir()
    (kb / "kgrag.toml").write_text('[encoding]\nencoder = "hashing"\n', encoding="utf-8")
    done = command([*KGRAG, "ingest", str(folder / name), "--kb", str(kb), "--json"], scratch)
    if not done.stdout.strip():
        raise SystemExit(f"{name}: no report, code {done.code}: {done.stderr}")
    report = json.loads(done.stdout)
    reasons = [refusal["reason"] for refusal in report["refused"]]
    return {
        "name": name,
        "fate": "refused" if reasons else "lands",
        "read_seconds": report["seconds"].get("read"),
        "seconds": round(done.seconds, 2),
        "peak_mb": round(done.peak_mb),
        "code": done.code,
        "reason": reasons[0] if reasons else "",
    }


def main() -> int:
    """Print the outcome; 1 when it was not the expected one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    as_json: bool = parser.parse_args().json
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "bad")
        made = subprocess.run(
            [sys.executable, "-c", MAKE, str(folder)], capture_output=True, text=True, check=True
        )
        expected = json.loads(made.stdout)
        with tempfile.TemporaryDirectory() as work:
            result = together(folder, expected, Path(work))
        files = []
        for name in expected:
            with tempfile.TemporaryDirectory() as work:
                files.append(alone(folder, name, Path(work)))
    for file in files:
        if (file["fate"], file["code"]) != (
            expected[file["name"]],
            int(expected[file["name"]] == "refused"),
        ):
            result["problems"].append(f"alone, {file['name']}: {file['fate']} ({file['code']})")
    if as_json:
        print(json.dumps(result | {"alone": files}, indent=2, ensure_ascii=False))
        return int(bool(result["problems"]))
    for file in sorted(files, key=lambda file: -file["peak_mb"]):
        print(
            f"{file['peak_mb']:5} MB {file['read_seconds'] or 0:7.3f} s  {file['fate']:8}"
            f" {file['name']}: {file['reason'][:100]}"
        )
    print({key: value for key, value in result.items() if key != "problems"})
    print("problems:", *(result["problems"] or ["none"]), sep="\n  ")
    return int(bool(result["problems"]))


if __name__ == "__main__":
    raise SystemExit(main())
