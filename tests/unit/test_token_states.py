"""Packed token states on a disk: what is committed stays, what is let go goes, damage is seen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kgrag.errors import BrokenInvariant, KnowledgeBaseBusy, KnowledgeBaseError
from kgrag.stores.tokens import TokenStates

WIDTH = 6
CHILD = """
import sys
from pathlib import Path
import numpy as np
from kgrag.stores.tokens import TokenStates
store = TokenStates(Path(sys.argv[1]), width=6, shape="s", mode="write")
print("open", flush=True)
for stamp in range(store.stamp + 1, store.stamp + 5000):
    rows = np.random.default_rng(stamp).integers(0, 256, (50, 6), dtype=np.uint8)
    store.delete_documents([f"doc_{stamp - 3}"])
    store.put([(f"pas_{stamp}", f"doc_{stamp}", rows)])
    store.commit(stamp)
    if stamp % 7 == 0:
        store.purge()
    print(stamp, flush=True)
"""


def codes(seed: int, tokens: int = 50) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (tokens, WIDTH), dtype=np.uint8)


def writer(root: Path, shape: str = "s") -> TokenStates:
    return TokenStates(root, width=WIDTH, shape=shape, mode="write")


def reader(root: Path, shape: str = "s") -> TokenStates:
    return TokenStates(root, width=WIDTH, shape=shape, mode="read")


def fill(root: Path) -> None:
    """Passages 0 to 9, two of each document."""
    store = writer(root)
    store.put((f"pas_{n}", f"doc_{n // 2}", codes(n)) for n in range(10))
    store.commit(3)
    store.close()


def holding(root: Path, needle: bytes) -> list[str]:
    return [p.name for p in root.rglob("*") if p.is_file() and needle in p.read_bytes()]


def test_what_was_committed_is_read_back(tmp_path: Path) -> None:
    fill(tmp_path)
    store = reader(tmp_path)
    assert (store.count(), store.stamp) == (10, 3)
    found = store.get(["pas_7", "pas_99", "pas_0"])
    assert found[1] is None
    for number, got in ((7, found[0]), (0, found[2])):
        assert got is not None
        assert np.array_equal(got, codes(number))
    assert store.get([]) == []
    assert list(store.verify()) == []


def test_an_empty_folder_has_nothing_and_is_at_generation_0(tmp_path: Path) -> None:
    store = reader(tmp_path / "none")
    assert (store.count(), store.stamp, store.get(["pas_1"])) == (0, 0, [None])
    assert not store.refresh()


def test_what_was_not_committed_is_not_kept(tmp_path: Path) -> None:
    fill(tmp_path)
    store = writer(tmp_path)
    store.put([("pas_10", "doc_9", codes(10))])
    assert store.get(["pas_10"]) == [None]
    store.close()
    assert holding(tmp_path, codes(10).tobytes())  # behind the valid end of the file
    again = writer(tmp_path)
    assert again.count() == 10
    assert holding(tmp_path, codes(10).tobytes()) == []
    again.close()


def test_a_document_that_is_let_go_may_come_back(tmp_path: Path) -> None:
    fill(tmp_path)
    store = writer(tmp_path)
    store.delete_documents(["doc_0", "doc_77"])
    store.put([("pas_0", "doc_0", codes(100))])
    store.commit(4)
    assert store.count() == 9
    back, gone = store.get(["pas_0", "pas_1"])
    assert back is not None
    assert np.array_equal(back, codes(100))
    assert gone is None
    store.put([("pas_5", "doc_2", codes(105))])  # replaced without being let go
    store.delete_documents(["doc_2"])
    store.put([("pas_5", "doc_2", codes(106))])
    store.commit(5)
    assert store.get(["pas_4"]) == [None]
    last = store.get(["pas_5"])[0]
    assert last is not None
    assert np.array_equal(last, codes(106))
    store.close()


def test_a_purge_leaves_nothing_of_what_was_let_go_or_replaced(tmp_path: Path) -> None:
    fill(tmp_path)
    seen = reader(tmp_path)
    store = writer(tmp_path)
    needle, replaced, kept = (codes(n).tobytes()[12:40] for n in (1, 9, 5))
    assert all(holding(tmp_path, n) for n in (needle, replaced, kept))
    store.delete_documents(["doc_0"])
    store.put([("pas_9", "doc_4", codes(900))])
    store.commit(4)
    assert holding(tmp_path, needle)
    store.purge()
    assert holding(tmp_path, needle) == holding(tmp_path, replaced) == []
    assert holding(tmp_path, kept)
    assert (store.count(), store.stamp) == (8, 4)
    names = sorted(p.name for p in tmp_path.iterdir())
    store.purge()  # nothing was let go since: nothing is written
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    # A reader of before keeps what it had until it looks again.
    assert seen.get(["pas_1"])[0] is not None
    assert seen.refresh()
    assert seen.get(["pas_1"]) == [None]
    assert not seen.refresh()
    store.close()


def test_mostly_dead_files_are_written_anew_by_themselves(tmp_path: Path) -> None:
    store = writer(tmp_path)
    for stamp in range(1, 30):
        store.delete_documents(["doc_1"])
        store.put([("pas_1", "doc_1", codes(stamp))])
        store.commit(stamp)
    store.close()
    assert sum(p.stat().st_size for p in tmp_path.glob("states-*")) < 5 * codes(0).nbytes


def test_a_stamp_alone_is_committed_too(tmp_path: Path) -> None:
    store = writer(tmp_path)
    store.commit(1)
    assert reader(tmp_path).stamp == 1
    store.commit(2)
    store.close()
    assert (reader(tmp_path).stamp, reader(tmp_path).count()) == (2, 0)


@pytest.mark.parametrize("victim", ["current.json", "rows-000001.bin", "states-000001.bin"])
@pytest.mark.parametrize("how", ["bit", "short", "missing"])
def test_damage_is_seen_and_the_states_start_anew(tmp_path: Path, victim: str, how: str) -> None:
    fill(tmp_path)
    path = tmp_path / victim
    raw = bytearray(path.read_bytes())
    if how == "missing":
        path.unlink()
    else:
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw if how == "bit" else raw[: len(raw) // 2])
    if (victim, how) == ("current.json", "missing"):
        assert reader(tmp_path).count() == 0
    else:
        with pytest.raises(KnowledgeBaseError, match="cannot be read"):
            reader(tmp_path).get([f"pas_{n}" for n in range(10)])
    store = writer(tmp_path)
    assert (store.count(), store.stamp) == (0, 0)
    store.put([("pas_1", "doc_1", codes(1))])
    store.commit(9)
    store.close()
    assert reader(tmp_path).stamp == 9


def test_states_of_another_encoder_are_none_to_a_reader_and_go_with_a_writer(
    tmp_path: Path,
) -> None:
    fill(tmp_path)
    assert reader(tmp_path, "other").count() == 0
    assert reader(tmp_path).count() == 10
    store = writer(tmp_path, "other")
    assert store.discarded
    assert (store.count(), store.stamp) == (0, 0)
    store.close()
    assert holding(tmp_path, codes(1).tobytes()) == []


def test_who_may_write(tmp_path: Path) -> None:
    fill(tmp_path)
    store = writer(tmp_path)
    with pytest.raises(KnowledgeBaseBusy):
        writer(tmp_path)
    with pytest.raises(BrokenInvariant):
        store.put([("pas_1", "doc_1", np.zeros((2, WIDTH + 1), dtype=np.uint8))])
    store.close()
    seen = reader(tmp_path)
    attempts: tuple[Callable[[], None], ...] = (
        lambda: seen.put([("pas_1", "doc_1", codes(1))]),
        lambda: seen.delete_documents(["doc_1"]),
        lambda: seen.commit(2),
        seen.purge,
    )
    for attempt in attempts:
        with pytest.raises(BrokenInvariant):
            attempt()


def test_killed_at_any_instant_it_opens_at_a_committed_stamp(tmp_path: Path) -> None:
    for round_ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert process.stdout is not None
        heard = [process.stdout.readline() for _ in range(3)]
        time.sleep(0.02 * (round_ + 1))
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        said = [int(line) for line in [*heard[1:], *rest.split("\n")] if line.strip()]
        store = reader(tmp_path)
        assert store.stamp >= max(said)
        # The stamp and the states are of one moment: the last three documents are there.
        for number in range(max(1, store.stamp - 2), store.stamp + 1):
            found = store.get([f"pas_{number}"])[0]
            assert found is not None
            assert np.array_equal(found, codes(number))
        assert store.get([f"pas_{store.stamp - 3}", f"pas_{store.stamp + 1}"]) == [None, None]
        assert list(store.verify()) == []
