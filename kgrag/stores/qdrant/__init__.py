"""The hybrid index on Qdrant: the embedded engine in a folder, or a server by URL."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from kgrag.stores.base import VectorIndex

Mode = Literal["read", "write"]


def open_index(location: Path | str, *, dimensions: int, encoder: str, mode: Mode) -> VectorIndex:
    """The index at ``location``: a folder, or ``http(s)://host:port/collection`` of a server.

    ``encoder`` identifies everything that shaped the points (``kgrag.retrieval.index.shape``).
    Opened for writing, an index that was shaped by another or is damaged is discarded and starts
    anew with stamp 0, to be filled from the truth. Opened for reading, the same raises
    ``KnowledgeBaseError``; where there is none yet, an empty one is given.
    """
    if isinstance(location, str) and location.startswith(("http://", "https://")):
        from kgrag.stores.qdrant.server import connect

        return connect(location, dimensions=dimensions, shape=encoder, mode=mode)
    from kgrag.stores.qdrant.edge import EdgeIndex

    return EdgeIndex(Path(location), dimensions=dimensions, shape=encoder, mode=mode)
