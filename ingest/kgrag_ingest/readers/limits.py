"""How much a file may ask of a reader. Limits are checked before the work, not after it."""

from __future__ import annotations

import re
import zipfile
from typing import Final

from kgrag.errors import UnreadableFile

MAX_BYTES: Final = 200_000_000
"""Bytes of one file."""
MAX_DEPTH: Final = 256
"""Elements within elements (HTML, XML) or values within values (JSON)."""
MAX_PARTS: Final = 5_000
"""Files in an archive (DOCX, XLSX)."""
MAX_RATIO: Final = 200
"""Unpacked bytes for a packed byte, in an archive of more than ``FREE_UNPACKED`` bytes."""
FREE_UNPACKED: Final = 10_000_000
"""Unpacked bytes below which the ratio does not matter."""
MAX_UNPACKED: Final = 500_000_000
"""Unpacked bytes of an archive."""
MAX_COLUMNS: Final = 200
"""Columns of a table, spans counted."""

_SOMETHING: Final = re.compile(rb"[^\s\x00]")


def check_size(data: bytes, uri: str) -> None:
    """UnreadableFile when ``data`` is empty, all white space or more than ``MAX_BYTES``."""
    if not data:
        raise UnreadableFile(uri, "the file is empty")
    if len(data) > MAX_BYTES:
        raise UnreadableFile(
            uri, f"the file has {len(data):,} bytes, more than the limit of {MAX_BYTES:,}"
        )
    if _SOMETHING.search(data.removeprefix(b"\xef\xbb\xbf")) is None:
        raise UnreadableFile(uri, "the file holds nothing but white space")


def check_archive(archive: zipfile.ZipFile, packed: int, uri: str) -> None:
    """UnreadableFile when the archive of ``packed`` bytes is encrypted or beyond the limits."""
    entries = archive.infolist()
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableFile(uri, "it is encrypted")
    if len(entries) > MAX_PARTS:
        raise UnreadableFile(
            uri, f"the archive has {len(entries):,} parts, more than {MAX_PARTS:,}"
        )
    total = sum(entry.file_size for entry in entries)
    if total > MAX_UNPACKED:
        raise UnreadableFile(
            uri, f"the archive unpacks to {total:,} bytes, more than {MAX_UNPACKED:,}"
        )
    if total > FREE_UNPACKED and total > MAX_RATIO * packed:
        raise UnreadableFile(
            uri, f"the archive unpacks to {total // packed:,} times its size, as a bomb does"
        )


def too_deep(uri: str, what: str) -> UnreadableFile:
    """The refusal of something nested beyond ``MAX_DEPTH``."""
    return UnreadableFile(uri, f"{what} are nested more than {MAX_DEPTH} deep")


def no_text(uri: str, what: str = "the file") -> UnreadableFile:
    """The refusal of something that was read and had no text."""
    return UnreadableFile(uri, f"{what} has no readable text")
