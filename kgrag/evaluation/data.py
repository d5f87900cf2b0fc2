"""Files of the benchmarks, below the folder that KGRAG_DATA names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from kgrag.errors import SettingsError, UnreadableFile

#: The highest grade: what counts it takes no whole number of any length.
MOST: Final = 100


def data_folder(given: Path | None = None) -> Path:
    """``given``, or the folder of KGRAG_DATA; SettingsError says what to set."""
    chosen = given or (Path(os.environ["KGRAG_DATA"]) if os.environ.get("KGRAG_DATA") else None)
    if chosen is None:
        raise SettingsError(
            "the suite needs its data", hint="give --data DIR, or set KGRAG_DATA to the folder"
        )
    if not chosen.is_dir():
        raise SettingsError(f"there is no data folder at {chosen}")
    return chosen


def content(folder: Path, *parts: str) -> bytes:
    """The bytes of a benchmark's file; SettingsError when the data lacks it."""
    path = folder.joinpath(*parts)
    if not path.is_file():
        raise SettingsError(f"the data at {folder} has no {'/'.join(parts)}")
    return path.read_bytes()


def records(folder: Path, *parts: str) -> list[dict[str, Any]]:
    """The records of a JSONL file, in order; UnreadableFile names the line that is none."""
    return parsed(content(folder, *parts), "/".join(parts))


def parsed(raw: bytes, origin: str) -> list[dict[str, Any]]:
    """The JSON objects of the lines of ``raw``; empty lines are none."""
    rows: list[dict[str, Any]] = []
    # Not splitlines: a JSON string may hold separators of lines of other kinds.
    for number, line in enumerate(_text(raw, origin).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UnreadableFile(f"{origin}:{number}", "not a line of JSON") from error
        if not isinstance(row, dict):
            raise UnreadableFile(f"{origin}:{number}", "not a JSON object")
        rows.append(row)
    return rows


def _text(raw: bytes, origin: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableFile(origin, "it is not UTF-8") from error


def lines(rows: list[dict[str, str]]) -> bytes:
    """``rows`` as JSONL, each line ended."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def graded(raw: bytes, origin: str) -> dict[str, dict[str, int]]:
    """Qrels of three columns with tabs (question, document, grade), with or without a heading.

    Of several grades of one pair the highest counts. UnreadableFile names the line.
    """
    qrels: dict[str, dict[str, int]] = {}
    for number, line in enumerate(_text(raw, origin).splitlines(), 1):
        cells = line.split("\t")
        if not line.strip() or (number == 1 and cells[-1].strip() == "score"):
            continue
        try:
            question, document, grade = (cell.strip() for cell in cells)
            value = int(grade)
            if abs(value) > MOST:
                raise ValueError("no grade")
        except ValueError as error:
            raise UnreadableFile(
                f"{origin}:{number}",
                f"not three columns: question, document, whole grade up to {MOST}",
            ) from error
        into = qrels.setdefault(question, {})
        into[document] = max(value, into.get(document, value))
    return qrels
