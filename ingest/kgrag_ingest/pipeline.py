"""From files to committed documents: find, read, cut, link, extract, commit.

Each document version is one transaction, so a kill loses at most the one in hand. What depends on
the truth alone (vectors, graph) is brought up to date afterwards and by itself. ``ray_pipeline``
does the same steps on a cluster; there too it is this process alone that commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kgrag.errors import DataError, UnreadableFile
from kgrag.ids import sha256
from kgrag.linking import Linker
from kgrag.progress import SILENT, Progress
from kgrag.records.text import Document
from kgrag.stores.base import FileState, TruthStore
from kgrag_ingest.discover import Found, discover
from kgrag_ingest.prepare import Prepared, prepare, read, reason, shape
from kgrag_ingest.recipes import Recipe
from kgrag_ingest.report import Refusal, Report, timed

__all__ = ["OpenFile", "Refusal", "Report", "Writing", "ingest"]


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
    writing = Writing(truth, collection, shape(linker, recipe))
    found = list(discover(paths, root=root, recipe=recipe))
    progress.stage("reading", len(found), "files")
    for item in found:
        data = writing.bytes_of(item)
        if data is not None and (file := writing.open(item, sha256(data))) is not None:
            _ingest_file(file, data, linker, recipe)
        progress.advance()
    return writing.report


def _ingest_file(file: OpenFile, data: bytes, linker: Linker, recipe: Recipe | None) -> None:
    seconds = file.report.seconds
    try:
        documents = read(
            data, file.item, digest=file.digest, recipe=recipe, collection=file.collection
        )
        while True:
            with timed(seconds, "read"):
                one = next(documents, None)
            if one is None:
                break
            if isinstance(one, Exception):
                file.refuse(reason(one, file.item.uri))
            else:
                file.commit(prepare(one, linker, recipe), data)
    except (DataError, OSError) as error:
        file.refuse(reason(error, file.item.uri))
    file.close()


class Writing:
    """The one writer's side of an ingest: which files need reading, and what is committed."""

    def __init__(self, truth: TruthStore, collection: str, shape: str) -> None:
        self.truth, self.collection, self.shape = truth, collection, shape
        self.report = Report()

    def bytes_of(self, item: Found) -> bytes | None:
        """The bytes of a file; None when it is skipped or refused, which is then reported."""
        report = self.report
        if item.refusal is not None:
            report.files += 1
            report.refusals.append(Refusal(item.uri, item.refusal))
            return None
        if item.skipped:
            report.skipped += 1
            return None
        report.files += 1
        try:
            with timed(report.seconds, "read"):
                return item.read()
        except (DataError, OSError) as error:
            report.refusals.append(Refusal(item.uri, reason(error, item.uri)))
            return None

    def open(self, item: Found, digest: str) -> OpenFile | None:
        """The file with the bytes of that hash; None when nothing of it has changed."""
        state = self.truth.file_state(self.collection, item.relative)
        if state is not None and (state.sha256, state.shape) == (digest, self.shape):
            self.report.unchanged += 1
            self.report.documents += len(state.documents)
            return None
        return OpenFile(self, item, digest, state.documents if state else ())


class OpenFile:
    """A file whose documents are being committed.

    ``before``: the documents that its last complete ingest gave.
    """

    def __init__(
        self, writing: Writing, item: Found, digest: str, before: tuple[str, ...] = ()
    ) -> None:
        self.item, self.digest, self.before = item, digest, before
        self.report, self.collection = writing.report, writing.collection
        self._truth, self._shape = writing.truth, writing.shape
        self._documents: list[str] = []
        self._complete = True

    def refuse(self, why: str) -> None:
        """The file or a record of it was refused: it will be read again next time."""
        self._complete = False
        self.report.refusals.append(Refusal(self.item.uri, why))

    def commit(self, prepared: Prepared, data: bytes) -> None:
        """One transaction; ``data`` is the bytes of the file. UnreadableFile on a collision."""
        ingested = prepared.ingested(data)
        report = self.report
        for step, seconds in prepared.seconds.items():
            report.seconds[step] += seconds
        report.add(ingested)
        with timed(report.seconds, "commit"):
            _refuse_collision(self._truth, ingested.document, self.item)
            report.new += self._truth.put(ingested)
        self._documents.append(ingested.document.id)
        report.documents += 1

    def close(self) -> None:
        """The file is not read again until it changes, when nothing of it was refused."""
        if not self._complete:
            return
        state = FileState(
            self.collection, self.item.relative, self.digest, self._shape, tuple(self._documents)
        )
        with timed(self.report.seconds, "commit"):
            self._truth.put_file_state(state)


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
