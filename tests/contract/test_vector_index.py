"""The contract suite on every vector index that kgrag has."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest

from kgrag.stores.base import VectorIndex
from kgrag.stores.memory_index import MemoryIndex
from kgrag.stores.qdrant import open_index
from kgrag.stores.qdrant.server import ServerIndex
from kgrag.testing.index_contract import DIMENSIONS, IndexContract

Mode = Literal["read", "write"]


class TestMemoryIndex(IndexContract):
    durable = False

    def open(self, mode: Mode = "write") -> VectorIndex:
        return MemoryIndex(dimensions=DIMENSIONS)


class TestEdgeIndex(IndexContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.root = tmp_path / "index"

    def open(self, mode: Mode = "write") -> VectorIndex:
        return open_index(self.root, dimensions=DIMENSIONS, encoder="test", mode=mode)


class TestClientLocalMode(IndexContract):
    """The client's own imitation of a server, on disk."""

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.root = tmp_path / "local"

    def open(self, mode: Mode = "write") -> VectorIndex:
        from qdrant_client import QdrantClient

        client = QdrantClient(path=str(self.root))
        return ServerIndex(client, "kb", dimensions=DIMENSIONS, shape="test", mode=mode)


@pytest.mark.server
class TestServer(IndexContract):
    @pytest.fixture(autouse=True)
    def _collection(self) -> Iterator[None]:
        base = os.environ.get("KGRAG_TEST_QDRANT")
        if not base:
            pytest.skip("KGRAG_TEST_QDRANT names no Qdrant server")
        from qdrant_client import QdrantClient

        name = f"kgrag_test_{uuid4().hex[:8]}"
        self.url = f"{base.rstrip('/')}/{name}"
        yield
        with warnings.catch_warnings():
            client = QdrantClient(url=base)
            for found in client.get_collections().collections:
                if found.name.startswith(name):
                    client.delete_collection(found.name)

    def open(self, mode: Mode = "write") -> VectorIndex:
        return open_index(self.url, dimensions=DIMENSIONS, encoder="test", mode=mode)


@pytest.mark.server
class TestServerInEightBits(TestServer):
    def open(self, mode: Mode = "write") -> VectorIndex:
        url = f"{self.url}?on_disk=true&quantization=int8"
        return open_index(url, dimensions=DIMENSIONS, encoder="test", mode=mode)
