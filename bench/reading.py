"""Reading speed and fidelity over the corpora of KGRAG_DATA, format by format.

Fidelity: each sentence of stored text (each cell and column name of a table row) must be found in
an extraction of the original that another library made; see ``independent.py``.

    KGRAG_DATA=... python bench/reading.py [--sample N] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from independent import extract, missing

from kgrag.errors import DataError
from kgrag_ingest.readers import select
from kgrag_ingest.readers.base import Reading

CORPORA = {
    "uspstf": ("corpora/uspstf/topics", "*.html"),
    "nigeria": ("corpora/nigeria_stg2022/conditions", "*.md"),
    "openstax": ("corpora/openstax_nursing/modules", "*.md"),
    "cdc-opioid": ("corpora/cdc_opioid_cds", "*.[mx][dm]*"),
    "who-smart": ("corpora/who_smart_guidelines", "*.[mx][dm]*"),
    "pmc-medline": ("corpora/pmc_medline_samples", "*.*xml"),
    "jats": ("corpora/jats", "*.nxml"),
}


@dataclass
class Result:
    """Counts of one corpus; ``missing`` holds what was not found, for a look."""

    files: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    readings: int = 0
    pieces: int = 0
    missing: list[str] = field(default_factory=list)
    bytes: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)


def measure(root: Path, pattern: str, sample: int | None = None) -> Result:
    """Reads the files below ``root``, or ``sample`` of them, and compares each."""
    result = Result()
    paths = sorted(p for p in root.rglob(pattern) if p.is_file())
    if sample is not None and sample < len(paths):
        paths = random.Random(1).sample(paths, sample)
    for path in paths:
        data = path.read_bytes()
        result.files += 1
        try:
            reader = select(data, str(path))
            began = time.perf_counter()
            readings = [r for r in reader.read(data, uri=str(path)) if isinstance(r, Reading)]
            result.seconds[reader.name] += time.perf_counter() - began
        except DataError as error:
            result.refused[str(error).partition(": ")[2].partition(" (")[0]] += 1
            continue
        result.bytes[reader.name] += len(data)
        original = extract(data, reader.name)
        assert original is not None
        for reading in readings:
            count, lost = missing(reading.text, reading.blocks, reading.tables, original)
            result.readings += 1
            result.pieces += count
            result.missing += [f"{path.name}: {piece}" for piece in lost]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="files of each corpus [default: all]")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--show", type=int, default=0, help="print that many missing pieces")
    parser.add_argument("--only", help="one corpus")
    arguments = parser.parse_args()
    data = os.environ.get("KGRAG_DATA")
    if not data:
        sys.exit("set KGRAG_DATA to the folder of real data")
    total_bytes: Counter[str] = Counter()
    total_seconds: Counter[str] = Counter()
    rows = {}
    for name, (folder, pattern) in CORPORA.items():
        if arguments.only and name != arguments.only:
            continue
        result = measure(Path(data, folder), pattern, arguments.sample)
        total_bytes += result.bytes
        total_seconds += result.seconds
        share = 1 - len(result.missing) / max(1, result.pieces)
        rows[name] = {
            "files": result.files,
            "documents": result.readings,
            "refused": dict(result.refused),
            "pieces": result.pieces,
            "missing": len(result.missing),
            "found": round(share, 5),
        }
        for piece in result.missing[: arguments.show]:
            print(f"  {name}: {piece[:300]!r}", file=sys.stderr)
    speed = {n: round(total_bytes[n] / 1e6 / total_seconds[n], 2) for n in total_bytes}
    if arguments.json:
        print(json.dumps({"corpora": rows, "mb_per_second": speed}))
        return
    for name, row in rows.items():
        print(name, row)
    print("MB/s a core:", speed)


if __name__ == "__main__":
    main()
