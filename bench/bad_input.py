"""Ingest of a folder of broken and hostile files through the command line.

    python bench/bad_input.py [--json]

Every file meant to be refused must be refused in one line that names it; every good file must
land; nothing may be written outside the kb; the exit code must say that something was refused.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from kgrag.testing.bad_files import make_bad_folder

WITNESS = Path("/tmp/kgrag-was-here")  # what a traversal in an archive would make


def run(folder: Path, kb: Path) -> dict[str, Any]:
    """The outcome for every expected file, and what went wrong."""
    expected = make_bad_folder(folder)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "kgrag", "ingest", str(folder), "--kb", str(kb), "--json"]
        if _has_main()
        else ["kgrag", "ingest", str(folder), "--kb", str(kb), "--json"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    seconds = time.perf_counter() - began
    lines = [line for line in done.stderr.splitlines() if line.startswith("refused: ")]
    report = json.loads(done.stdout) if done.stdout.strip() else {}
    problems: list[str] = []
    reasons: dict[str, list[str]] = {}
    for line in lines:
        name = line.removeprefix("refused: ").removeprefix(f"{folder}/").split(":")[0]
        reasons.setdefault(name.split("#")[0], []).append(line)
    for name, fate in expected.items():
        got = "refused" if name in reasons else "lands"
        if got != fate:
            problems.append(f"{name}: expected {fate}, got {got}")
        if len(reasons.get(name, [])) > 1 and not name.endswith(".jsonl"):
            problems.append(f"{name}: {len(reasons[name])} lines instead of one")
    problems += [f"{name}: refused unexpectedly" for name in reasons if name not in expected]
    if "Traceback" in done.stderr:
        problems.append("a traceback was printed")
    if WITNESS.exists():
        problems.append("an archive wrote outside the kb")
    if done.returncode != 1:
        problems.append(f"exit code {done.returncode}, expected 1")
    return {
        "files": len(expected),
        "refused": sum(fate == "refused" for fate in expected.values()),
        "landed": sum(fate == "lands" for fate in expected.values()),
        "documents": report.get("documents"),
        "seconds": round(seconds, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        "reasons": {name: found[0] for name, found in sorted(reasons.items())},
        "problems": problems,
    }


def _has_main() -> bool:
    import importlib.util

    return importlib.util.find_spec("kgrag.__main__") is not None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--json", action="store_true")
    as_json: bool = parser.parse_args().json
    with tempfile.TemporaryDirectory() as scratch:
        result = run(Path(scratch) / "bad", Path(scratch) / "kb")
    if as_json:
        print(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        for line in result["reasons"].values():
            print(line)
        print({k: v for k, v in result.items() if k not in ("reasons", "problems")})
        print("problems:", *(result["problems"] or ["none"]), sep="\n  ")
    return 1 if result["problems"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
