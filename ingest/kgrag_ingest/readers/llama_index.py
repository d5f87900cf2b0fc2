"""Any LlamaIndex reader as a reader of kgrag: ``llama-index:module.Class``."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from inspect import signature
from pathlib import Path, PurePosixPath
from typing import Any, Final, cast

from kgrag.errors import MissingExtra, SettingsError, UnreadableFile
from kgrag_ingest.readers import metadata as meta
from kgrag_ingest.readers.base import Reading
from kgrag_ingest.readers.build import TextBuilder, clean
from kgrag_ingest.readers.encoding import check_text
from kgrag_ingest.readers.limits import check_size, no_text
from kgrag_ingest.readers.lines import add_lines

# Of this module, beside that of the package whose reader is adapted.
_VERSION: Final = "2"
# Readers that are made for given files (SimpleDirectoryReader) by default let a file that they
# cannot read fall out in silence, and bytes that they cannot decode.
_STRICT: Final = {"raise_on_error": True, "errors": "strict"}


class LlamaIndexReader:
    """Reads with the class at ``path`` (``package.module.Class``), made without arguments.

    A class whose constructor takes ``input_files``, as SimpleDirectoryReader does, is made anew
    for each file. What a reader gives is plain text: structure is found by its look, and the
    reader's own metadata is kept where it has the names that kgrag knows. Documents that carry a
    ``page_label`` are pages.
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
        if not callable(kind) or not hasattr(kind, "load_data"):
            raise SettingsError(f"{path!r} is no LlamaIndex reader: it has no load_data")
        self.name = f"llama-index:{module}.{name}"
        self.version = f"{_VERSION}+{_version(kind)}"
        self._kind: Any = kind
        self._takes = frozenset(signature(kind).parameters)
        self._reader: Any = None if "input_files" in self._takes else self._made()

    def _made(self) -> Any:
        try:
            return self._kind()
        except (TypeError, ValueError) as error:
            raise SettingsError(
                f"{self.name} cannot be made without arguments: {error}",
                hint="name a class of your own that gives them",
            ) from error

    def read(self, data: bytes, *, uri: str) -> Iterator[Reading | Exception]:
        """One reading. The adapted reader sees a file of these bytes, in a folder of its own."""
        check_size(data, uri)
        suffix = PurePosixPath(uri).suffix
        with tempfile.TemporaryDirectory(prefix="kgrag-") as folder:
            path = Path(folder, f"document{suffix}")
            path.write_bytes(data)
            try:
                documents = [
                    (document.text or "", dict(document.metadata or {}))
                    for document in self._load(path)
                ]
            except ImportError as error:
                raise SettingsError(
                    f"{self.name} needs a package that is not installed: {error}"
                ) from error
            except Exception as error:
                # Readers of others raise anything; the file is refused, the batch goes on.
                raise UnreadableFile(
                    uri, f"{self.name} could not read it ({type(error).__name__})"
                ) from error
        out = TextBuilder()
        pairs: list[tuple[str, str]] = []
        paged = all("page_label" in found for _, found in documents)
        for number, (text, found) in enumerate(documents, 1):
            if paged:
                out.page(number, clean(str(found["page_label"])) or None)
            pairs.extend((str(k), v) for k, v in found.items() if isinstance(v, str))
            add_lines(out, check_text(text, uri).splitlines())
        if not out.size:
            raise no_text(uri)
        yield out.build(meta.from_pairs(pairs))

    def _load(self, path: Path) -> Iterable[Any]:
        if self._reader is not None:
            return cast(Iterable[Any], self._reader.load_data(path))
        strict = {name: value for name, value in _STRICT.items() if name in self._takes}
        return cast(Iterable[Any], self._kind(input_files=[path], **strict).load_data())


@cache  # a reader is made for each file, and the search goes through all that is installed
def _version(kind: Any) -> str:
    """The version of the installed package that holds ``kind``, else 0.

    Many packages share the name ``llama_index``: the one whose name fits the module best counts.
    """
    module = str(kind.__module__).replace("_", "-").replace(".", "-")
    names = packages_distributions().get(str(kind.__module__).partition(".")[0], [])
    fitting = sorted((name for name in names if module.startswith(name)), key=len, reverse=True)
    for name in (*fitting, *names):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "0"
