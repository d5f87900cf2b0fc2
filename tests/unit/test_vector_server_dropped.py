"""A vector server that goes away in the midst of a request, and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
from qdrant_client import QdrantClient
from vector_stand_in import Proxy, Server, stand_in

from kgrag.encoding.hashing import HashingEncoder
from kgrag.errors import RetryableError
from kgrag.retrieval.index import catch_up, shape
from kgrag.stores.base import Filters
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.stores.qdrant.reach import reaching
from kgrag.stores.qdrant.server import ServerIndex
from kgrag.testing.truth_contract import sample

ENCODER = HashingEncoder(16)
EVERYTHING = Filters()


@pytest.fixture
def served() -> Iterator[tuple[Server, Proxy]]:
    with stand_in() as both:
        yield both


@pytest.fixture
def truth() -> MemoryTruth:
    made = MemoryTruth()
    for number in range(4):
        made.put(sample(f"{number}.md", words=(f"Drug{number}", f"disease{number}")))
    return made


def index_of(proxy: Proxy, mode: Literal["read", "write"] = "read") -> ServerIndex:
    """As ``open_index`` connects, but with the patience of a second."""
    address = f"127.0.0.1:{proxy.port}"
    client = QdrantClient(url=f"http://{address}", timeout=1, check_compatibility=False)
    return ServerIndex(reaching(client, address), "kgrag", dimensions=16, shape=shape(ENCODER),
                       mode=mode)  # fmt: skip


@pytest.mark.parametrize("how", ["refuse", "drop", "hang"])
def test_a_search_says_so_and_the_next_one_succeeds(
    served: tuple[Server, Proxy], truth: MemoryTruth, how: Literal["refuse", "drop", "hang"]
) -> None:
    _, proxy = served
    written = index_of(proxy, "write")
    assert catch_up(truth, written, ENCODER) > 0
    index = index_of(proxy)
    question = ENCODER.encode(["Drug2 for disease2"])[0]
    expected = index.dense(question, limit=3, filters=EVERYTHING)
    assert len(expected) == 3
    connections = proxy.seen
    proxy.mode = how
    for _ in range(2):
        with pytest.raises(RetryableError, match=f"127.0.0.1:{proxy.port} does not answer"):
            index_of(proxy) if how == "refuse" else index.dense(
                question, limit=3, filters=EVERYTHING
            )
    proxy.mode = "pass"
    assert index.dense(question, limit=3, filters=EVERYTHING) == expected
    assert proxy.seen > connections
    assert index.stamp == truth.generation


@pytest.mark.parametrize("answers", range(5))
def test_catching_up_is_cut_off_and_completed(
    served: tuple[Server, Proxy], truth: MemoryTruth, answers: int
) -> None:
    server, proxy = served
    index = index_of(proxy, "write")
    proxy.after, proxy.mode = answers, "drop"
    try:
        catch_up(truth, index, ENCODER)
    except RetryableError as error:
        assert "does not answer" in str(error)
        assert server.metadata[server.aliases[0][1]]["stamp"] in (0, truth.generation)
    else:
        assert answers == 4 and index.stamp == truth.generation
    proxy.mode = "pass"
    catch_up(truth, index, ENCODER)
    again = index_of(proxy, "write")
    assert again.stamp == truth.generation
    passages = [p.id for info in truth.documents() for p in truth.passages(info.id)]
    found = again.dense(np.ones(16, dtype=np.float32) / 4, limit=100, filters=EVERYTHING)
    assert sorted(hit.passage_id for hit in found) == sorted(passages)
    assert len(server.points) == len(passages)
