"""A small world in which questions lie apart from their passages in a way that can be learnt.

Every question asks in the same idle words; some passages are made of those words and answer
nothing, so that a search by likeness finds them first.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from kgrag.engine import Engine
from kgrag.ids import document_id, passage_id, sha256
from kgrag.records.text import Document, Passage, Source
from kgrag.stores.base import Ingested

IDLE = "kindly inform"


def _word(rng: random.Random) -> str:
    return "".join(rng.choice("bcdfghklmnprstvz") + rng.choice("aeiou") for _ in range(4))


def world(count: int = 150) -> tuple[list[tuple[str, str]], list[str]]:
    """(question, passage) for ``count`` subjects, and the passages that answer nothing."""
    rng = random.Random(3)
    subjects = [_word(rng) for _ in range(count)]
    pairs = [(f"{IDLE} {s}", f"{s} {_word(rng)} {_word(rng)} {_word(rng)}") for s in subjects]
    idle = [f"{IDLE} {_word(rng)}" for _ in range(4)]
    return pairs, idle


def write_texts(path: Path, *, matched: bool = True) -> Path:
    """Pairs with their passages as text; not ``matched``: each with a passage of its own that has
    nothing to do with it, so that there is nothing to learn."""
    pairs, idle = world()
    rng = random.Random(4)
    with path.open("w", encoding="utf-8") as file:
        for question, passage in pairs:
            other = passage if matched else " ".join(_word(rng) for _ in range(4))
            asked = question if matched else " ".join(_word(rng) for _ in range(4))
            file.write(json.dumps({"question": asked, "passage": other}) + "\n")
        if matched:
            # One more question holds the idle passages, so that they are in the pool.
            for text in idle:
                file.write(json.dumps({"question": "What is idle?", "passage": text}) + "\n")
    return path


def make_kb(folder: Path, *, encoder: str = "hashing") -> list[dict[str, str]]:
    """A kb of all passages in ``folder``; the rows of a file of pairs by passage id."""
    folder.mkdir()
    (folder / "kgrag.toml").write_text(f'[encoding]\nencoder = "{encoder}"\n')
    pairs, idle = world()
    rows = []
    with Engine.open(folder, mode="write", create=True) as engine:
        for number, text in enumerate([*(p for _, p in pairs), *idle]):
            data = text.encode()
            source = Source("bent", str(number))
            made = document_id("bent", str(number), sha256(data), "test/1")
            document = Document(
                made, source, source.identifier, "text/plain", sha256(data), "test/1", text
            )
            one = Passage(passage_id(made, 0, len(text)), made, 0, len(text), ())
            engine.truth.put(Ingested(document, data, (one,)))
            if number < len(pairs):
                rows.append({"question": pairs[number][0], "passage_id": one.id})
        engine.catch_up()
    return rows


def write_rows(path: Path, rows: list[dict[str, str]]) -> Path:
    """The rows as a file of pairs."""
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path
