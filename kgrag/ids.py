"""Identifiers made from content, so that the same input has the same id on every machine.

An id is a short prefix and the first 24 hexadecimal digits (96 bits) of the SHA-256 of the
canonical JSON of its parts.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

DIGITS: Final = 24


def sha256(data: bytes) -> str:
    """The SHA-256 of ``data`` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def canonical(value: object) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces; equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def make_id(prefix: str, *parts: object) -> str:
    """``prefix_`` and 24 hexadecimal digits that depend on every part and on their order."""
    return f"{prefix}_{sha256(canonical(parts))[:DIGITS]}"


def document_id(collection: str, identifier: str, original_sha256: str, reader: str) -> str:
    """The id of one version of one source; ``reader`` is ``name/version``."""
    return make_id("doc", collection, identifier, original_sha256, reader)


def passage_id(document: str, start: int, end: int) -> str:
    """The id of the passage ``[start, end)`` of ``document``."""
    return make_id("pas", document, start, end)
