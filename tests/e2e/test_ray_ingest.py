"""An ingest on a Ray cluster gives what a local one gives, also when a node of it dies midway."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kgrag.encoding.hashing import HashingEncoder
from kgrag.errors import RetryableError, SettingsError
from kgrag.ids import sha256
from kgrag.linking import Linker
from kgrag.progress import Silent
from kgrag.retrieval.index import cache_name, catch_up, indexed_text
from kgrag.stores.memory_index import MemoryIndex
from kgrag.stores.sql import SqlTruth, open_truth
from kgrag.testing.lexicon import small_lexicon
from kgrag_ingest.pipeline import ingest
from kgrag_ingest.ray_cluster import cluster
from kgrag_ingest.ray_pipeline import Embedding, ingest_on_ray
from kgrag_ingest.report import Report

# Ray deprecates parts of itself as it is imported.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed"),
]

CANARY = "Zanthoril cures the drowsy heron"
FILES, RECORDS = 10, 60


@pytest.mark.parametrize("address", ["ray://host:10001", "host", "http://host:1", ""])
def test_another_form_of_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="give local, auto or HOST:PORT"), cluster(address):
        pass


class Advancing(Silent):
    """Calls ``then`` when so many files are done."""

    def __init__(self, after: int, then: Callable[[], None]) -> None:
        self._left, self._then = after, then

    def advance(self, amount: int = 1) -> None:
        self._left -= 1
        if self._left == 0:
            self._then()


@dataclass(frozen=True, slots=True)
class World:
    files: Path
    linker: Linker
    encoder: HashingEncoder

    def truth(self, folder: Path) -> SqlTruth:
        return open_truth(folder, mode="write", create=True)

    def on_ray(self, truth: SqlTruth, address: str, **options: Any) -> Report:
        embedding = Embedding("hashing", self.encoder)
        return ingest_on_ray(
            [self.files], truth, self.linker, address=address, embedding=embedding, **options
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Files of many records, one document of Markdown, and three that are refused."""
    files = tmp_path_factory.mktemp("files")
    for number in range(FILES):
        lines = []
        for record in range(RECORDS):
            text = (
                f"Patient group {record} of {number}. Aspirin does not treat heart failure."
                f" Metformin {record} mg is used to treat type 2 diabetes. {CANARY}. "
            )
            body = text + "No swelling was seen after the visit. " * 30
            lines.append(json.dumps({"id": f"r{record}", "title": f"Note {record}", "text": body}))
        lines[7] = "{broken"
        (files / f"notes-{number}.jsonl").write_text("\n".join(lines))
    (files / "advice.md").write_text("# Diabetes\n\nMetformin treats diabetes.\n\nStop smoking.\n")
    (files / "broken.pdf").write_bytes(b"%PDF-1.7 nothing follows")
    (files / "empty.txt").write_bytes(b"")
    (files / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    lexicon = small_lexicon(tmp_path_factory.mktemp("lexicon") / "lexicon.sqlite")
    return World(files, Linker(lexicon), HashingEncoder())


@pytest.fixture(scope="module")
def local(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Report]]:
    truth = world.truth(tmp_path_factory.mktemp("local"))
    report = ingest([world.files], truth, world.linker)
    yield told(truth), report
    truth.close()


def told(truth: SqlTruth) -> Any:
    """All that the truth holds, but vectors."""
    infos = list(truth.documents(status=None))
    return {
        "infos": infos,
        "changes": list(truth.changes(0)),
        "documents": [truth.document(i.id) for i in infos],
        "originals": [sha256(truth.original(i.id)) for i in infos],
        "passages": [truth.passages(i.id) for i in infos],
        "mentions": [truth.mentions(i.id) for i in infos],
        "rejects": [truth.rejects(i.id) for i in infos],
        "assertions": list(truth.assertions()),
        "recommendations": list(truth.recommendations()),
        "problems": list(truth.verify()),
    }


def without_seconds(report: Report) -> dict[str, Any]:
    return {name: value for name, value in report.to_json().items() if name != "seconds"}


def check_vectors(truth: SqlTruth, encoder: HashingEncoder) -> int:
    """Every passage has the vector that its text has here; the number of passages."""
    texts = [
        indexed_text(truth.document(info.id), passage)
        for info in truth.documents()
        for passage in truth.passages(info.id)
    ]
    held = truth.embeddings(cache_name(encoder), [sha256(text.encode()) for text in texts])
    for text, vector in zip(texts, encoder.encode(texts), strict=True):
        assert np.allclose(held[sha256(text.encode())], vector, atol=1e-6)
    return len(texts)


@pytest.fixture(scope="module")
def three_nodes() -> Iterator[Any]:
    """A cluster of three nodes on this machine; its folder, with all logs, is ``folder``."""
    # Sockets lie in it, whose paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="kgr-"))
    (folder / "ray").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_TMPDIR", str(folder))
        import ray
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 2, "object_store_memory": 100 << 20}
        made = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
        made.folder = folder
        for _ in range(2):
            made.add_node(**node)
        made.wait_for_nodes()
        yield made
        ray.shutdown()
        made.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_same_from_a_cluster_that_loses_a_node(
    world: World, local: tuple[Any, Report], three_nodes: Any, tmp_path: Path
) -> None:
    import ray

    lost: list[str] = []

    def kill() -> None:
        """Ends a node that holds a worker, without a farewell."""
        deadline = time.monotonic() + 60
        while not lost and time.monotonic() < deadline:
            free = ray._private.state.available_resources_per_node()
            for node in sorted(three_nodes.worker_nodes, key=lambda n: str(n.node_id)):
                if free.get(node.node_id, {}).get("CPU", 2.0) < 2.0:
                    three_nodes.remove_node(node, allow_graceful=False)
                    lost.append(node.node_id)
                    break
            time.sleep(0.05)

    truth = world.truth(tmp_path / "kb")
    report = world.on_ray(truth, three_nodes.address, progress=Advancing(2, kill))
    assert lost, "no node was at work when it was to be killed"
    assert report.documents == FILES * (RECORDS - 1) + 1
    assert without_seconds(report) == without_seconds(local[1])
    assert {refusal.uri.rpartition("/")[2] for refusal in report.refusals} >= {
        "broken.pdf", "empty.txt", "notes-0.jsonl", "picture.png"
    }  # fmt: skip
    assert told(truth) == local[0]
    passages = check_vectors(truth, world.encoder)

    # Nothing is left to embed, so whatever catches up finds all of it.
    class Refusing(HashingEncoder):
        def encode(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("something was not embedded by the cluster")

    index = MemoryIndex(dimensions=512)
    assert catch_up(truth, index, Refusing()) == passages

    # Complete files are not looked at again, those with a refused record are, by what is left.
    again = world.on_ray(truth, three_nodes.address)
    assert (again.new, again.unchanged, again.documents) == (0, 1, report.documents)
    assert told(truth) == local[0]
    truth.close()
    logs = [p for p in three_nodes.folder.rglob("*") if p.is_file() and "log" in str(p)]
    assert logs
    assert not [p for p in logs if CANARY.encode() in p.read_bytes()]


@pytest.mark.parametrize("address", ["127.0.0.1:9", "[::1]:9", "127.0.0.1:99999"])
def test_a_cluster_that_is_not_there_is_to_be_tried_again(address: str) -> None:
    with pytest.raises(RetryableError, match="no Ray cluster answers at"), cluster(address):
        pass
