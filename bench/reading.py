"""Reading speed and fidelity over the corpora of KGRAG_DATA, format by format.

Fidelity: each sentence of stored text (each cell and column name of a table row) must be found in
an extraction of the original that another library made; see ``independent.py``.

PDF: pages a CPU second, beside pdfium's bare text and pdfplumber, lowest and highest of several
runs; how many pages the slow table reader was asked for and on how many it found a table; and, page
by page, words of the stored text that pdfplumber does not see and the reverse.

    KGRAG_DATA=... python bench/reading.py [--sample N] [--json]
    KGRAG_DATA=... python bench/reading.py --pdf [--runs N] [--show N]
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from independent import extract, missing

from kgrag.errors import DataError
from kgrag_ingest.readers import select
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.pdf import PdfReader

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
            began = time.process_time()
            readings = [r for r in reader.read(data, uri=str(path)) if isinstance(r, Reading)]
            result.seconds[reader.name] += time.process_time() - began
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


@dataclass
class PdfResult:
    """One PDF. ``speed`` is pages a CPU second, lowest and highest, by way of reading."""

    pages: int
    pages_slow: int
    pages_with_tables: int
    doubts: int
    speed: dict[str, tuple[float, float]]
    words: int = 0
    unseen: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)


def measure_pdf(data: bytes, uri: str, runs: int) -> PdfResult:
    """Reads a PDF ``runs`` times in three ways, and compares the words of each page once."""
    reader = PdfReader()
    (reading,) = reader.read(data, uri=uri)
    assert isinstance(reading, Reading)
    starts = [row.start for table in reading.tables for row in table.rows]
    tables = sum(any(p.start <= at < p.end for at in starts) for p in reading.pages)
    count = reader.pages_read
    ways: dict[str, Callable[[], object]] = {
        "kgrag": lambda: list(PdfReader().read(data, uri=uri)),
        "pdfium, text alone": lambda: _pdfium(data),
    }
    speed: dict[str, tuple[float, float]] = {}
    for name, way in ways.items():
        found = [count / _cpu(way) for _ in range(runs)]
        speed[name] = (min(found), max(found))
    result = PdfResult(count, reader.pages_slow, tables, len(reading.doubts), speed)
    began = time.process_time()
    others = _pdfplumber(data)
    took = time.process_time() - began
    result.speed["pdfplumber, once"] = (count / took, count / took)
    for page, other in zip(reading.pages, others, strict=True):
        mine = Counter(_words(reading.text[page.start : page.end]))
        theirs = Counter(_words(other))
        result.words += mine.total()
        result.unseen += mine - theirs
        result.left_out += theirs - mine
    return result


def _cpu(way: Callable[[], object]) -> float:
    began = time.process_time()
    way()
    return time.process_time() - began


def _pdfium(data: bytes) -> list[str]:
    import pypdfium2

    document = pypdfium2.PdfDocument(data)
    return [page.get_textpage().get_text_bounded() for page in document]


def _pdfplumber(data: bytes) -> list[str]:
    import pdfplumber

    texts = []
    with pdfplumber.open(io.BytesIO(data)) as document:
        for page in document.pages:
            texts.append(page.extract_text(x_tolerance=1.5))
            page.close()
    return texts


def _words(text: str) -> list[str]:
    """Words and numbers; the parts of a word with a hyphen count apart, a broken line or not."""
    return re.findall(r"[^\W_]+", text)


def report_pdf(data: Path, runs: int, show: int) -> None:
    for path in sorted(data.rglob("*.pdf")):
        result = measure_pdf(path.read_bytes(), path.name, runs)
        print(f"{path.name}: {result.pages} pages, {result.pages_slow} to the slow table reader,")
        print(f"  {result.pages_with_tables} with a ruled table, {result.doubts} doubts")
        for name, (low, high) in result.speed.items():
            print(f"  {name}: {low:.1f} to {high:.1f} pages a CPU second")
        letters = Counter({w: n for w, n in result.left_out.items() if not w.isdigit()})
        print(
            f"  {result.words:,} words stored, {result.unseen.total():,} of them not seen by"
            f" pdfplumber; it sees {result.left_out.total():,} more, of which"
            f" {letters.total():,} are no numbers"
        )
        if show:
            print("  not seen:", result.unseen.most_common(show))
            print("  more:", letters.most_common(show))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="files of each corpus [default: all]")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--show", type=int, default=0, help="print that many missing pieces")
    parser.add_argument("--only", help="one corpus")
    parser.add_argument("--pdf", action="store_true", help="the PDFs alone")
    parser.add_argument("--runs", type=int, default=5, help="readings of each PDF")
    arguments = parser.parse_args()
    data = os.environ.get("KGRAG_DATA")
    if not data:
        sys.exit("set KGRAG_DATA to the folder of real data")
    if arguments.pdf:
        report_pdf(Path(data), arguments.runs, arguments.show)
        return
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
