"""``kgrag ingest --ray local``: the demonstration guidelines, with the real lexicon and encoder."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from kgrag import Engine
from kgrag.ids import sha256
from kgrag.retrieval.index import cache_name, indexed_text

pytestmark = [
    pytest.mark.models,
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed"),
]

GUIDELINES = Path(__file__).resolve().parents[2] / "examples" / "guidelines"


@pytest.mark.timeout(400)
def test_the_same_as_without_a_cluster(demo_kb: Path, tmp_path: Path) -> None:
    (tmp_path / "kb").mkdir()
    parts = '[retrieval]\nparts = ["bm25", "dense", "late"]\n'  # so that token states are kept, too
    (tmp_path / "kb" / "kgrag.toml").write_text(parts)
    done = subprocess.run(
        [sys.executable, "-m", "kgrag", "ingest", str(GUIDELINES), "--kb", str(tmp_path / "kb"),
         "--ray", "local", "--json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    # Ray's own warning on any pool of workers goes past every setting of its logs.
    assert [line for line in done.stderr.splitlines() if "core_worker.cc" not in line] == []
    assert json.loads(done.stdout)["refused"] == []
    with Engine.open(tmp_path / "kb") as made, Engine.open(demo_kb) as before:
        truths = made.truth, before.truth
        ids, expected = ([info.id for info in truth.documents()] for truth in truths)
        assert ids == expected
        for one in ids:
            for what in ("document", "passages", "mentions", "rejects"):
                assert getattr(made.truth, what)(one) == getattr(before.truth, what)(one)
        assert list(made.truth.assertions()) == list(before.truth.assertions())
        assert list(made.truth.recommendations()) == list(before.truth.recommendations())
        assert list(made.truth.changes(0)) == list(before.truth.changes(0))
        digests = [
            sha256(indexed_text(made.truth.document(one), passage).encode())
            for one in ids
            for passage in made.truth.passages(one)
        ]
        name = cache_name(made.encoder)
        here, there = (truth.embeddings(name, digests) for truth in truths)
        assert set(here) == set(there) == set(digests)
        assert min(float(here[d] @ there[d]) for d in here) > 0.9998
        assert made.states is not None and list(made.states.verify()) == []
        assert made.states.stamp == made.truth.generation
        assert made.states.count() == len(digests)
        assert made.index.count() == before.index.count() == len(digests)
