"""Megabytes a second of linking and extraction, one thread, on 10 MB or more of real text.

    python bench/extraction.py [--megabytes 10] [--profile]

Needs KGRAG_DATA and a compiled lexicon. Reading files is not timed. The target is 2 MB/s for both
steps together. Times are of the processor, so that a busy machine disturbs them less.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from machine import describe

from kgrag.errors import DataError
from kgrag.linking import Linker
from kgrag.records.text import Document, Source
from kgrag.vocabulary.lexicon import Lexicon, default_path
from kgrag_ingest.discover import discover
from kgrag_ingest.extract import extract
from kgrag_ingest.readers import select
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.recipes import load

# (folder, recipe, share of the text): small files and large ones, guidelines and articles.
CORPORA = (
    ("uspstf/topics", "uspstf", 0.1),
    ("nigeria_stg2022/conditions", "nigeria", 0.1),
    ("openstax_nursing/modules", "openstax-nursing", 0.4),
    ("jats", "jats", 0.4),
)


def documents(megabytes: float) -> list[Document]:
    """The first documents of each corpus up to its share; the last corpus fills up."""
    found: list[Document] = []
    wanted = size = 0.0
    for folder, recipe, share in CORPORA:
        wanted += share * megabytes * 1e6
        for document in read_corpus(Path(os.environ["KGRAG_DATA"]) / "corpora" / folder, recipe):
            if size >= wanted:
                break
            found.append(document)
            size += len(document.text)
    return found


def read_corpus(path: Path, name: str | None) -> Iterator[Document]:
    """The documents of a file or folder, read by the recipe of that name; refusals are left out."""
    recipe = load(name) if name else None
    for item in discover([path], recipe=recipe):
        if item.skipped or item.refusal:
            continue
        data = item.read()
        try:
            reader = select(data, item.uri, reader=recipe.reader if recipe else None)
            for number, reading in enumerate(reader.read(data, uri=item.uri)):
                if isinstance(reading, Reading):
                    yield _document(f"{item.relative}#{number}", item.uri, reading)
        except DataError:
            continue


def _document(name: str, uri: str, reading: Reading) -> Document:
    return Document(
        f"doc_{name}", Source("bench", name), uri, "text/plain", "0" * 64, "bench/1", reading.text,
        reading.metadata, reading.blocks, reading.sections, reading.pages, reading.tables,
        doubts=reading.doubts,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=10.0)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    found = documents(arguments.megabytes)
    linker = Linker(Lexicon.open(default_path()))
    extract(found[0], linker.link(found[0].text))  # the rules are compiled, the index is open
    profile = cProfile.Profile()
    counts: Counter[str] = Counter()
    linking = extracting = 0.0
    if arguments.profile:
        profile.enable()
    for document in found:
        began = time.process_time()
        mentions = linker.link(document.text)
        linked = time.process_time()
        extraction = extract(document, mentions)
        linking += linked - began
        extracting += time.process_time() - linked
        counts["mentions"] += len(mentions)
        counts["assertions"] += len(extraction.assertions)
        counts["rejects"] += len(extraction.rejects)
    profile.disable()
    size = sum(len(d.text) for d in found) / 1e6
    print(describe())
    print(
        f"{len(found)} documents, {size:.1f} MB, "
        + ", ".join(f"{v} {k}" for k, v in counts.items())
    )
    print(
        f"link {size / linking:.2f} MB/s, extract {size / extracting:.2f} MB/s, "
        f"both {size / (linking + extracting):.2f} MB/s"
    )
    if arguments.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()
