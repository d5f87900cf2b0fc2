"""From files to committed documents: find, read, cut, link, extract, commit.

Each document version is one transaction, so a kill loses at most the one in hand. What depends on
the truth alone (vectors, graph) is brought up to date afterwards and by itself.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from kgrag.errors import DataError, UnreadableFile
from kgrag.ids import document_id, make_id, sha256
from kgrag.linking import Linker
from kgrag.paths import resource
from kgrag.progress import SILENT, Progress
from kgrag.records.text import Document, Doubt, Metadata, Source
from kgrag.stores.base import FileState, Ingested, TruthStore
from kgrag_ingest import passages as cutting
from kgrag_ingest import recommend as recommending
from kgrag_ingest.discover import Found, discover
from kgrag_ingest.extract import extract
from kgrag_ingest.readers import select
from kgrag_ingest.readers.base import Reader, Reading
from kgrag_ingest.recipes import Recipe
from kgrag_ingest.recommend import recommend

# Raised when the steps after reading change what they make of the same document.
VERSION = "1"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file, or a record of one, that was not taken, and why: one line."""

    uri: str
    reason: str


@dataclass(slots=True)
class Report:
    """What an ingest did. Seconds by step; counts of documents and what is in them."""

    files: int = 0
    unchanged: int = 0
    documents: int = 0
    new: int = 0
    skipped: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    refusals: list[Refusal] = field(default_factory=list)
    doubts: list[tuple[str, Doubt]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Plain values for ``--json``."""
        return {
            "files": self.files,
            "unchanged": self.unchanged,
            "documents": self.documents,
            "new": self.new,
            "skipped_by_recipe": self.skipped,
            "counts": dict(sorted(self.counts.items())),
            "seconds": {k: round(v, 3) for k, v in sorted(self.seconds.items())},
            "refused": [{"uri": r.uri, "reason": r.reason} for r in self.refusals],
            "doubts": [
                {"uri": uri, "page": d.page, "level": d.level, "reason": d.message}
                for uri, d in self.doubts
            ],
        }


def ingest(
    paths: Sequence[Path],
    truth: TruthStore,
    linker: Linker,
    *,
    recipe: Recipe | None = None,
    collection: str = "default",
    root: Path | None = None,
    progress: Progress = SILENT,
) -> Report:
    """Every readable document below ``paths`` is committed to ``truth``; the rest is refused.

    ``root`` is what identifiers are relative to: by default a folder that was named, or the
    folder of a file that was named. A refused file never stops the others.
    """
    report = Report()
    shape = _shape(linker, recipe)
    found = list(discover(paths, root=root, recipe=recipe))
    progress.stage("reading", len(found), "files")
    for item in found:
        _ingest_file(item, truth, linker, recipe, collection, shape, report)
        progress.advance()
    return report


def _ingest_file(
    item: Found,
    truth: TruthStore,
    linker: Linker,
    recipe: Recipe | None,
    collection: str,
    shape: str,
    report: Report,
) -> None:
    if item.refusal is not None:
        report.files += 1
        report.refusals.append(Refusal(item.uri, item.refusal))
        return
    if item.skipped:
        report.skipped += 1
        return
    report.files += 1
    try:
        with _timed(report, "read"):
            data = item.read()
            digest = sha256(data)
            state = truth.file_state(collection, item.relative)
            if state is not None and (state.sha256, state.shape) == (digest, shape):
                report.unchanged += 1
                report.documents += len(state.documents)
                return
            reader = select(data, item.uri, reader=recipe.reader if recipe else None)
            readings = iter(reader.read(data, uri=item.uri))
        documents: list[str] = []
        complete = True
        while True:
            with _timed(report, "read"):
                reading = next(readings, None)
            if reading is None:
                break
            if isinstance(reading, Exception):
                complete = False
                report.refusals.append(Refusal(item.uri, _reason(reading, item.uri)))
                continue
            ingested = prepare(
                reading, data, digest, item, reader, linker, recipe, collection, report
            )
            with _timed(report, "commit"):
                _refuse_collision(truth, ingested.document, item)
                report.new += truth.put(ingested)
            documents.append(ingested.document.id)
            report.documents += 1
        if complete:
            with _timed(report, "commit"):
                truth.put_file_state(
                    FileState(collection, item.relative, digest, shape, tuple(documents))
                )
    except (DataError, OSError) as error:
        report.refusals.append(Refusal(item.uri, _reason(error, item.uri)))


def prepare(
    reading: Reading,
    data: bytes,
    digest: str,
    item: Found,
    reader: Reader,
    linker: Linker,
    recipe: Recipe | None,
    collection: str,
    report: Report,
) -> Ingested:
    """What one transaction commits for ``reading``: no store is touched."""
    original = data if reading.original is None else reading.original
    original_sha256 = digest if reading.original is None else sha256(original)
    metadata = _with_defaults(reading.metadata, recipe)
    identifier = _identifier(metadata, item.relative, reading.record)
    name = f"{reader.name}/{reader.version}"
    document = Document(
        id=document_id(collection, identifier, original_sha256, name),
        source=Source(collection, identifier),
        uri=item.uri if reading.record is None else f"{item.uri}#{reading.record}",
        media_type=reader.media_types[0],
        original_sha256=original_sha256,
        reader=name,
        text=reading.text,
        metadata=metadata,
        blocks=reading.blocks,
        sections=reading.sections,
        pages=reading.pages,
        tables=reading.tables,
        doubts=reading.doubts,
    )
    with _timed(report, "cut"):
        passages = cutting.passages(document)
    with _timed(report, "link"):
        mentions = linker.link(document.text)
    with _timed(report, "extract"):
        extraction = extract(document, mentions)
    with _timed(report, "recommend"):
        recommendations = recommend(document, mentions, system=recipe.grades if recipe else None)
    report.doubts += [(document.uri, doubt) for doubt in document.doubts]
    report.counts.update(
        passages=len(passages),
        mentions=len(mentions),
        assertions=len(extraction.assertions),
        rejects=len(extraction.rejects),
        recommendations=len(recommendations),
        chars=len(document.text),
        doubts=len(document.doubts),
        tables=len(document.tables),
    )
    return Ingested(
        document=document,
        original=original,
        passages=passages,
        mentions=mentions,
        assertions=extraction.assertions,
        rejects=extraction.rejects,
        recommendations=recommendations,
    )


def _identifier(metadata: Metadata, relative: str, record: str | None) -> str:
    """``doi:``, else ``pmid:``, else the path with the record's name."""
    known = dict(metadata.identifiers)
    for scheme in ("doi", "pmid"):
        if known.get(scheme):
            return f"{scheme}:{known[scheme].lower()}"
    return relative if record is None else f"{relative}#{record}"


def _with_defaults(metadata: Metadata, recipe: Recipe | None) -> Metadata:
    """What the recipe says of all its documents, where the document itself says nothing."""
    if recipe is None:
        return metadata
    defaults: Mapping[str, str] = recipe.metadata
    missing = {k: v for k, v in defaults.items() if getattr(metadata, k, "") is None}
    return replace(metadata, **missing) if missing else metadata  # type: ignore[arg-type]


def _refuse_collision(truth: TruthStore, document: Document, item: Found) -> None:
    """Two files that both exist never replace each other because their paths look alike."""
    if document.source.identifier.startswith(("doi:", "pmid:")):
        return
    current = truth.current(document.source)
    if current is None or current.uri == document.uri:
        return
    other = Path(current.uri.partition("#")[0])
    if other.is_file() and not other.samefile(item.path):
        raise UnreadableFile(
            item.uri,
            f"another file is known as {document.source.identifier!r}: {other}",
            hint="give this one its own --collection, or name a common folder with --root",
        )


def _shape(linker: Linker, recipe: Recipe | None) -> str:
    """The hash of all that shapes documents besides their bytes."""
    from kgrag_ingest.readers import versions

    return make_id(
        "shape",
        VERSION,
        cutting.VERSION,
        recommending.VERSION,
        _rules_sha256(),
        linker.lexicon.sha256,
        versions(),
        recipe.sha256 if recipe else None,
    )


# Read when a question is asked or a lexicon is compiled; no document becomes another by them.
_SHAPES_NOTHING: Final = frozenset(
    {"advice_words.toml", "error_rates.toml", "notices.toml", "packages.toml", "registry.toml"}
)


def _rules_sha256() -> str:
    """Of all rules and weights: linking and extraction are what they say."""
    folder = resource("ontologies")
    found = (p for kind in ("toml", "tsv", "json") for p in folder.rglob(f"*.{kind}"))
    files = sorted(path for path in found if path.name not in _SHAPES_NOTHING)
    return sha256(b"".join(path.read_bytes() for path in files))


def _reason(error: Exception, uri: str) -> str:
    """The error on one line, without the file's name that the line already has."""
    if isinstance(error, UnreadableFile):
        text = error.reason + (f" ({error.hint})" if error.hint else "")
    elif isinstance(error, OSError):
        text = error.strerror or type(error).__name__
    else:
        text = str(error)
    return " ".join(text.replace(f"{uri}: ", "").split())


class _timed:  # noqa: N801 - reads as a verb at its uses
    """Adds the seconds spent inside to ``report.seconds[step]``."""

    def __init__(self, report: Report, step: str) -> None:
        self._report, self._step = report, step

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._report.seconds[self._step] += time.perf_counter() - self._start
