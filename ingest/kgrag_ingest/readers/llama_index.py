"""Any LlamaIndex reader as a reader of kgrag: ``llama-index:module.Class``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path, PurePosixPath
from typing import Any

from kgrag.errors import MissingExtra, SettingsError, UnreadableFile
from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder
from kgrag_ingest.readers.limits import check_size, no_text
from kgrag_ingest.readers.lines import add_lines


class LlamaIndexReader:
    """Reads with the class at ``path`` (``package.module.Class``), made without arguments.

    What it gives is plain text: structure is found by its look, and the reader's own metadata is
    kept where it has the names that kgrag knows. Documents that carry a ``page_label`` are pages.
    """

    media_types: tuple[str, ...] = ("application/octet-stream",)
    suffixes: tuple[str, ...] = ()

    def __init__(self, path: str) -> None:
        module, _, name = path.replace(":", ".").rpartition(".")
        if not module:
            raise SettingsError(f"{path!r} names no class", hint="llama-index:package.module.Class")
        try:
            kind = getattr(import_module(module), name, None)
        except ModuleNotFoundError as error:
            missing = error.name or module
            raise MissingExtra(
                missing, extra="llama-index", purpose=f"the reader {path!r}"
            ) from error
        if kind is None or not hasattr(kind, "load_data"):
            raise SettingsError(f"{path!r} is no LlamaIndex reader: it has no load_data")
        self.name = f"llama-index:{module}.{name}"
        self.version = _version(module)
        self._reader: Any = kind()

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """One reading. The adapted reader sees a file of these bytes, in a folder of its own."""
        check_size(data, uri)
        suffix = PurePosixPath(uri).suffix
        with tempfile.TemporaryDirectory(prefix="kgrag-") as folder:
            path = Path(folder, f"document{suffix}")
            path.write_bytes(data)
            try:
                documents = list(self._reader.load_data(path))
            except Exception as error:
                # Readers of others raise anything; the file is refused, the batch goes on.
                raise UnreadableFile(
                    uri, f"{self.name} could not read it ({type(error).__name__})"
                ) from error
        out = TextBuilder()
        pairs: list[tuple[str, str]] = []
        paged = all("page_label" in (d.metadata or {}) for d in documents)
        for number, document in enumerate(documents, 1):
            found = document.metadata or {}
            if paged:
                out.page(number, str(found["page_label"]))
            pairs.extend((str(k), v) for k, v in found.items() if isinstance(v, str))
            add_lines(out, (document.text or "").splitlines())
        if not out.size:
            raise no_text(uri)
        yield out.build(meta.from_pairs(pairs))


def _version(module: str) -> str:
    top = module.partition(".")[0]
    for name in packages_distributions().get(top, ()):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "1"
