"""Reading speed and fidelity over the corpora of KGRAG_DATA, format by format.

Fidelity: each sentence of stored text (each cell of a table row) must be found, white space and
reference brackets aside, in an extraction of the original that another library made: html5lib
through BeautifulSoup for HTML, the standard library's ElementTree for XML, the raw file without
its marks for Markdown.

    KGRAG_DATA=... python bench/reading.py [--sample N] [--json]
"""

from __future__ import annotations

import argparse
import html
import json
import os
import random
import re
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from kgrag.errors import DataError
from kgrag.records.text import Span
from kgrag.sentences import sentences
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
_SPACE = re.compile(r"[\s\[\]:\u00ad\u200b\u200e\u200f\u2060\ufeff\x00-\x1f]+")
_MARKS = re.compile(r"[*_`#>|\\~]+")
# Headings that the JATS reader gives to parts without a title of their own.
_OURS = ("Abstract", "References")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)\s]*(?:\s\"[^\"]*\")?\)")
_BULLET = re.compile(r"^\s*[-+•■・·▪]\s*", re.MULTILINE)


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


def squash(text: str) -> str:
    """``text`` without white space, square brackets and colons (a term and its definition)."""
    return _SPACE.sub("", text)


def independent(data: bytes, reader: str) -> str:
    """All text of the original as another library sees it, squashed."""
    if reader == "html":
        from bs4 import BeautifulSoup

        soup = BeautifulSoup(
            re.sub(r"\{%.*?%\}", "", data.decode("utf-8-sig"), flags=re.DOTALL), "html5lib"
        )
        return squash(soup.get_text(""))
    if reader in ("jats", "medline"):
        return squash("".join(_unhidden(ET.fromstring(data))))
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", data.decode("utf-8-sig"), flags=re.DOTALL)
    text = re.sub(r"</?[a-zA-Z][^<>]*>|<!--.*?-->", "", text, flags=re.DOTALL)
    return squash(_MARKS.sub("", html.unescape(_BULLET.sub("", _LINK.sub(r"\1", text)))))


def _unhidden(element: ET.Element) -> list[str]:
    """Like ``itertext``, without formulas in TeX, which stand beside their MathML."""
    parts = [element.text or ""]
    for child in element:
        if child.tag not in ("tex-math", "email", "inline-graphic"):
            parts.extend(_unhidden(child))
        parts.append(child.tail or "")
    return parts


def pieces(reading: Reading) -> list[str]:
    """What must be found: sentences, and the cells of table rows."""
    found: list[str] = []
    headers = {row: table.header for table in reading.tables for row in table.rows}
    for block in reading.blocks:
        if reading.text[block.start : block.end] in _OURS:
            continue
        if block.kind != "table_row":
            found.extend(
                s.of(reading.text) for s in sentences(reading.text, block.start, block.end)
            )
            continue
        names = [n for n in headers.get(Span(block.start, block.end), ()) if n]
        for cell in reading.text[block.start : block.end].split("; "):
            # A cell over several columns bears their names joined by " / ".
            for _ in names:
                name = next((n for n in names if cell.startswith((n + ": ", n + " / "))), None)
                if name is None:
                    break
                cell = cell[len(name) :].removeprefix(": ").removeprefix(" / ")
            found.append(cell)
    return found


def missing(reading: Reading, original: str, reader: str) -> list[str]:
    """The pieces of ``reading`` that the independent extraction does not hold."""
    strip = (lambda t: squash(_MARKS.sub("", t))) if reader == "markdown" else squash
    return [p for p in pieces(reading) if strip(p) not in original]


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
        original = independent(data, reader.name)
        for reading in readings:
            result.readings += 1
            result.pieces += len(pieces(reading))
            result.missing += [f"{path.name}: {p}" for p in missing(reading, original, reader.name)]
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
