"""Ingest the seven corpora into one kb, then again: counts, time by step, refusals.

    python bench/corpora.py --kb /tmp/big-kb --out bench/.cache/corpora.json

Needs KGRAG_DATA. Every file either lands or is refused with a reason; the second run must change
nothing and take under a tenth of the time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from machine import describe

CORPORA = {
    "uspstf": ("uspstf/topics", "uspstf"),
    "nigeria": ("nigeria_stg2022/conditions", "nigeria"),
    "cdc": ("cdc_opioid_cds", "cdc-opioid"),
    "openstax": ("openstax_nursing/modules", "openstax-nursing"),
    "who": ("who_smart_guidelines", "who-smart"),
    "samples": ("pmc_medline_samples", None),
    "jats": ("jats", "jats"),
}


def ingest(kb: Path, folder: Path, collection: str, recipe: str | None) -> dict[str, Any]:
    """The report of one ``kgrag ingest``; exit code 1 only says that something was refused."""
    command = [Path(sys.executable).with_name("kgrag"), "ingest", folder, "--kb", kb]
    command += ["--collection", collection, "--json"]
    command += ["--recipe", recipe] if recipe else []
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)
    return report | {"wall_seconds": time.perf_counter() - began}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    corpora = Path(os.environ["KGRAG_DATA"]) / "corpora"
    results: dict[str, Any] = {"machine": describe(), "first": {}, "again": {}}
    for run in ("first", "again"):
        for name, (folder, recipe) in CORPORA.items():
            report = ingest(arguments.kb, corpora / folder, name, recipe)
            results[run][name] = report
            print(run, name, json.dumps(summary(report)), flush=True)
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(results, indent=1))
    print(table(results))


def summary(report: dict[str, Any]) -> dict[str, Any]:
    keep = ("files", "documents", "new", "unchanged", "skipped_by_recipe", "generation")
    return {k: report[k] for k in keep} | {
        "refused": len(report["refused"]),
        "wall_seconds": round(report["wall_seconds"], 1),
        "seconds": report["seconds"],
        "counts": report["counts"],
    }


def table(results: dict[str, Any]) -> str:
    """The two runs as a Markdown table, and why files were refused."""
    lines = [
        results["machine"],
        "",
        "| corpus | files | documents | refused | skipped | MB of text | passages | mentions"
        " | assertions | first, s | again, s | changed again |",
        "|---" * 12 + "|",
    ]
    total: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for name, first in results["first"].items():
        again = results["again"][name]
        counts = first["counts"]
        row = {
            "files": first["files"],
            "documents": first["documents"],
            "refused": len(first["refused"]),
            "skipped": first["skipped_by_recipe"],
            "MB": counts.get("chars", 0) / 1e6,
            "passages": counts.get("passages", 0),
            "mentions": counts.get("mentions", 0),
            "assertions": counts.get("assertions", 0),
            "first": first["wall_seconds"],
            "again": again["wall_seconds"],
            "changed": again["new"],
        }
        total.update(row)
        lines.append(_row(name, row))
        reasons.update(_kind(r["reason"]) for r in first["refused"])
    lines.append(_row("all", total))
    steps: Counter[str] = Counter()
    for report in results["first"].values():
        steps.update(report["seconds"])
    lines += [
        "",
        "Seconds by step, first run: " + ", ".join(f"{k} {v:.1f}" for k, v in steps.items()),
    ]
    lines += ["", "Refused: " + "; ".join(f"{n} x {why}" for why, n in reasons.most_common())]
    return "\n".join(lines)


def _kind(reason: str) -> str:
    return reason if len(reason) < 90 else reason[:87] + "..."


def _row(name: str, row: dict[str, Any] | Counter[str]) -> str:
    shown = [f"{v:,.1f}" if isinstance(v, float) else f"{v:,}" for v in row.values()]
    return f"| {name} | " + " | ".join(shown) + " |"


if __name__ == "__main__":
    main()
