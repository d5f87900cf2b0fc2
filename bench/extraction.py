"""Megabytes of stored text a second of reading, linking and extraction, one thread.

    KGRAG_DATA=... python bench/extraction.py [--megabytes 10] [--profile]
    KGRAG_DATA=... python bench/extraction.py --path FOLDER --recipe jats --megabytes 50

Needs a compiled lexicon. Without --path a mixture of corpora is read. The target is 2 MB/s for all
three steps together, 5 for linking. Times are of the processor, so that a busy machine disturbs
them less. Learned edges are looked for as an ingest does: by the reader of each document.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import time
from collections import Counter
from collections.abc import Iterable, Iterator
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


def documents(megabytes: float) -> Iterator[Document]:
    """The first documents of each corpus up to its share; the last corpus fills up."""
    wanted = size = 0.0
    for folder, recipe, share in CORPORA:
        wanted += share * megabytes * 1e6
        for document in read_corpus(Path(os.environ["KGRAG_DATA"]) / "corpora" / folder, recipe):
            if size >= wanted:
                break
            yield document
            size += len(document.text)


def up_to(found: Iterable[Document], megabytes: float) -> Iterator[Document]:
    """The documents until so many megabytes are read."""
    size = 0
    for document in found:
        yield document
        size += len(document.text)
        if size >= megabytes * 1e6:
            return


def read_corpus(path: Path, name: str | None) -> Iterator[Document]:
    """The documents of a file or folder, read by the recipe of that name; refusals are left out."""
    recipe = load(name) if name else None
    for item in discover([path], recipe=recipe):
        if item.skipped or item.refusal:
            continue
        data = item.read()
        try:
            reader = select(data, item.uri, reader=recipe.reader if recipe else None)
            known = f"{reader.name}/{reader.version}"
            for number, reading in enumerate(reader.read(data, uri=item.uri)):
                if isinstance(reading, Reading):
                    yield _document(f"{item.relative}#{number}", item.uri, known, reading)
        except DataError:
            continue


def _document(name: str, uri: str, reader: str, reading: Reading) -> Document:
    return Document(
        f"doc_{name}", Source("bench", name), uri, "text/plain", "0" * 64, reader, reading.text,
        reading.metadata, reading.blocks, reading.sections, reading.pages, reading.tables,
        doubts=reading.doubts,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=10.0)
    parser.add_argument("--path", type=Path)
    parser.add_argument("--recipe")
    parser.add_argument("--lexicon", type=Path, default=default_path())
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    linker = Linker(Lexicon.open(arguments.lexicon))
    if arguments.path:
        found = up_to(read_corpus(arguments.path, arguments.recipe), arguments.megabytes)
    else:
        found = documents(arguments.megabytes)
    first = next(found)
    extract(first, linker.link(first.text))  # the rules are compiled, the index is open
    profile = cProfile.Profile()
    counts: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    if arguments.profile:
        profile.enable()
    while True:
        began = time.process_time()
        document = next(found, None)
        read = time.process_time()
        seconds["read"] += read - began
        if document is None:
            break
        mentions = linker.link(document.text)
        linked = time.process_time()
        extraction = extract(document, mentions)
        seconds["extract"] += time.process_time() - linked
        seconds["link"] += linked - read
        counts.update(
            documents=1, characters=len(document.text), mentions=len(mentions),
            assertions=len(extraction.assertions), rejects=len(extraction.rejects),
        )  # fmt: skip
    profile.disable()
    size = counts["characters"] / 1e6
    print(describe())
    print(", ".join(f"{v:,} {k}" for k, v in counts.items()))
    speeds = {k: size / v for k, v in seconds.items()}
    both = size / (seconds["link"] + seconds["extract"])
    print(
        ", ".join(f"{k} {v:.2f}" for k, v in speeds.items())
        + f", link and extract {both:.2f}, all {size / seconds.total():.2f} MB/s of the processor"
    )
    if arguments.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()
