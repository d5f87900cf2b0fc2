"""The files that an ingest will look at, in a stable order, each with its name in the kb."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from kgrag.errors import UnreadableFile
from kgrag_ingest.readers.limits import MAX_BYTES
from kgrag_ingest.recipes import Recipe

_IGNORED_NAMES = frozenset({".git", ".DS_Store", "__MACOSX", "Thumbs.db"})


@dataclass(frozen=True, slots=True)
class Found:
    """A file: where it is, its name relative to the root, and why it will not be read, if so."""

    path: Path
    relative: str
    refusal: str | None = None
    skipped: bool = False

    @property
    def uri(self) -> str:
        """The path as the user would open it."""
        return str(self.path)

    def read(self) -> bytes:
        """The bytes; UnreadableFile when there are more of them than a document can have."""
        size = self.path.stat().st_size
        if size > MAX_BYTES:
            raise UnreadableFile(
                self.uri, f"has {size:,} bytes, more than the limit of {MAX_BYTES:,}"
            )
        return self.path.read_bytes()


def discover(
    paths: Sequence[Path], *, root: Path | None = None, recipe: Recipe | None = None
) -> Iterator[Found]:
    """Files of ``paths``, folders walked in order of name; the same file is given once.

    Hidden files are left out. Links to folders are not followed, so no loop is walked.
    """
    seen: set[tuple[int, int]] = set()
    for start in paths:
        start = Path(os.path.abspath(start))  # noqa: PTH100 - links are kept, ".." goes
        if not start.exists() and not start.is_symlink():
            yield Found(start, start.name, refusal="there is no such file or folder")
            continue
        base = start if start.is_dir() else start.parent
        if root:
            base = Path(os.path.abspath(root))  # noqa: PTH100 - as above
        for path in _walk(start):
            found = _look(path, base, recipe)
            if found.refusal is None:
                status = path.stat()
                key = (status.st_dev, status.st_ino)
                if key in seen:
                    continue
                seen.add(key)
            yield found


def _walk(start: Path) -> Iterator[Path]:
    if not start.is_dir():
        yield start
        return
    for folder, folders, files in os.walk(start, followlinks=False):
        folders[:] = sorted(f for f in folders if not _hidden(f))
        here = Path(folder)
        yield from (here / name for name in sorted(files) if not _hidden(name))


def _hidden(name: str) -> bool:
    return name.startswith((".", "~$")) or name in _IGNORED_NAMES


def _look(path: Path, base: Path, recipe: Recipe | None) -> Found:
    try:
        relative = path.relative_to(base).as_posix()
    except ValueError:
        return Found(path, path.name, refusal=f"is not inside the root {base}")
    try:
        # A name that is not text cannot be an identifier or a citation.
        relative.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path.name).decode("utf-8", "backslashreplace")
        return Found(path.with_name(shown), shown, refusal="its name is not valid Unicode")
    if recipe is not None and not _wanted(relative, recipe):
        return Found(path, relative, skipped=True)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return Found(path, relative, refusal=error.strerror or "cannot be looked at")
    if not stat.S_ISREG(mode):
        return Found(path, relative, refusal="is no regular file")
    return Found(path, relative)


def _wanted(relative: str, recipe: Recipe) -> bool:
    included = not recipe.include or any(fnmatch(relative, g) for g in recipe.include)
    return included and not any(fnmatch(relative, g) for g in recipe.exclude)
