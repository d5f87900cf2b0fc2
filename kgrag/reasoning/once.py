"""Documents that one question reads, each once: reading and parsing a long one takes a while."""

from __future__ import annotations

from functools import cache

from kgrag.retrieval.context import Reads


class Once:
    """Reads of ``truth`` that are kept as long as this lives: for one question or one gate."""

    def __init__(self, truth: Reads) -> None:
        self.document = cache(truth.document)
        self.info = cache(truth.info)
