"""Bytes to characters, with a doubt when the encoding had to be guessed."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

from kgrag.errors import UnreadableFile
from kgrag.records.text import Doubt

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED: Final = re.compile(
    rb"""(?: <\?xml[^>]{0,200}?encoding | <meta[^>]{0,200}?charset ) \s*=\s* ["']?\s*
         ([A-Za-z][\w.:-]{1,40})""",
    re.VERBOSE | re.IGNORECASE,
)
# What the HTML standard takes for these names; browsers have read them so for decades.
_AS_WINDOWS: Final = {"iso8859-1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252"}
_CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_CONTROL_BYTES: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MAGIC: Final = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "gzip data"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Microsoft Office file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"{\\rtf", "an RTF file"),
    (b"7z\xbc\xaf", "a 7z archive"),
)
_GUESS_BYTES: Final = 200_000


@dataclass(frozen=True, slots=True)
class Decoded:
    """The characters, the encoding that they were read with, and a doubt if it was guessed."""

    text: str
    encoding: str
    doubt: Doubt | None = None


def known_binary(data: bytes) -> str | None:
    """What a file is that begins with these bytes and is no text ("a PDF"), else None."""
    if data[128:132] == b"DICM":
        return "a DICOM image"
    return next((what for magic, what in _MAGIC if data.startswith(magic)), None)


def decode(data: bytes, uri: str, *, declared: str | None = None) -> Decoded:
    """``data`` as text: by byte order mark, as UTF-8, as declared in the file, else by guess.

    UTF-8 is tried before the declaration, because bytes that are valid UTF-8 by accident are far
    rarer than wrong declarations. Raises UnreadableFile for binary data and when no encoding fits.
    """
    what = known_binary(data)
    if what is not None:
        raise UnreadableFile(uri, f"it is {what}, not text")
    for mark, name in _BOMS:
        if data.startswith(mark):
            return _marked(data[len(mark) :], name, uri)
    wide = _wide(data)
    if wide is not None:
        return _marked(data, wide, uri)
    try:
        return Decoded(check_text(data.decode("utf-8"), uri), "utf-8")
    except UnicodeDecodeError as error:
        cut = error.start >= len(data) - 3 and error.reason == "unexpected end of data"
        if cut and error.start > 0:
            text = check_text(data[: error.start].decode("utf-8"), uri)
            doubt = Doubt("truncated", 0.5, "the file ends inside a character")
            return Decoded(text, "utf-8", doubt)
    stated = declared or _declared(data)
    if stated is not None:
        try:
            return Decoded(check_text(data.decode(stated), uri), stated)
        except UnicodeDecodeError:
            pass  # the declaration is wrong: guess instead, and say so in the doubt
    return _guess(data, uri)


def _marked(data: bytes, name: str, uri: str) -> Decoded:
    try:
        return Decoded(check_text(data.decode(name), uri), name)
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            uri, f"it is not valid {name.upper()} at byte {error.start:,}"
        ) from error


def _declared(data: bytes) -> str | None:
    found = _DECLARED.search(data[:4096])
    if found is None:
        return None
    try:
        name = codecs.lookup(found.group(1).decode("ascii")).name
    except LookupError:
        return None
    # A text codec only: "hex" and "rot13" are names of codecs too.
    if not codecs.lookup(name)._is_text_encoding or name in ("utf-8", "utf-7", "unicode_escape"):
        return None
    return _AS_WINDOWS.get(name, name)


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Latin text is zero."""
    sample = data[:2000]
    if len(sample) < 4:
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.05 * half:
        return "utf-16-be"
    return None


def _guess(data: bytes, uri: str) -> Decoded:
    from charset_normalizer import from_bytes

    # Short strong hints first: Latin text with a few bytes above 127 is Windows-1252 in practice.
    sample = data[:_GUESS_BYTES]
    if len(_CONTROL_BYTES.findall(sample)) > 0.02 * len(sample):
        raise UnreadableFile(uri, "it is binary data, not text")
    best = from_bytes(sample, steps=10, chunk_size=1024).best()
    names = [best.encoding] if best is not None else []
    high = sum(byte > 127 for byte in sample) / len(sample)
    if high < 0.1:
        names.insert(0, "cp1252")
    for name in names:
        try:
            text = check_text(data.decode(name), uri)
        except UnicodeDecodeError:
            continue
        message = f"no encoding was declared that fits; read as {name}, which is a guess"
        return Decoded(text, name, Doubt("encoding", 0.5, message))
    raise UnreadableFile(uri, "its encoding cannot be told; save it as UTF-8")


def check_text(text: str, uri: str) -> str:
    """``text``, if it looks like text; UnreadableFile when one in fifty is a control character."""
    controls = len(_CONTROL.findall(text[:_GUESS_BYTES]))
    if controls > 0.02 * min(len(text), _GUESS_BYTES) or (controls and len(text) < 20):
        raise UnreadableFile(uri, "it is binary data, not text")
    return text
