"""Training helps where there is something to learn, says so only then, and survives a kill."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch", reason="needs the extra models")

from bent_world import IDLE, make_kb, write_rows, write_texts

from kgrag.cli import root, train
from kgrag.config import Encoding, Settings
from kgrag.encoding import load_encoder
from kgrag.encoding.adapted import WEIGHTS, AdaptedEncoder
from kgrag.engine import Engine
from kgrag.errors import KnowledgeBaseError, SettingsError, UnreadableFile
from kgrag.retrieval.asked import Asked
from kgrag.stores.base import Filters
from kgrag.training.fit import Recipe
from kgrag.training.retriever import Plan, train_retriever

train.register(root)
RECIPE = Recipe(epochs=12, batch=8, rank=8, rate=3e-3, keep=1.0, share=1.0)


class Killed(BaseException):
    """Stands for the end of the process."""


class KilledAfter:
    """Progress that ends the run in the middle of its training."""

    def __init__(self, epochs: int) -> None:
        self._left, self._training = epochs, False

    def stage(self, name: str, total: int | None, unit: str) -> None:
        self._training = name == "train"

    def advance(self, amount: int = 1) -> None:
        self._left -= self._training
        if self._left == 0:
            raise Killed


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_texts(tmp_path_factory.mktemp("pairs") / "pairs.jsonl")


def _plan(pairs: Path, out: Path, **changes: object) -> Plan:
    plan = Plan(pairs=pairs, out=out, encoder="hashing:256", recipe=RECIPE, anchors=50)
    return replace(plan, **changes)  # type: ignore[arg-type]


def _weights(folder: Path) -> bytes:
    return (folder / WEIGHTS).read_bytes()


def test_it_helps_unseen_questions_and_tells_how_much(pairs: Path, tmp_path: Path) -> None:
    made = train_retriever(_plan(pairs, tmp_path / "out"))
    assert made.helps and made.folder == tmp_path / "out"
    assert made.dense.low > 0.05 and made.dense.n >= 10
    assert sorted(p.name for p in made.folder.iterdir()) == [
        "README.md",
        "adapter.safetensors",
        "kgrag-adapter.json",
    ]
    assert not (tmp_path / "out.partial").exists()
    card = (made.folder / "README.md").read_text()
    assert str(made.dense) in card and "hashing:256" in card
    # No text of the data is in the folder.
    for path in made.folder.iterdir():
        assert b"kindly" not in path.read_bytes() and b"idle" not in path.read_bytes()
    assert isinstance(load_encoder(f"sentence-transformers:{made.folder}"), AdaptedEncoder)


def test_a_seed_gives_the_same_bytes_and_another_others(pairs: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        train_retriever(_plan(pairs, tmp_path / name, recipe=replace(RECIPE, seed=seed)))
    assert _weights(tmp_path / "a") == _weights(tmp_path / "b") != _weights(tmp_path / "c")


def test_killed_and_called_again_it_ends_as_if_never_killed(pairs: Path, tmp_path: Path) -> None:
    whole = train_retriever(_plan(pairs, tmp_path / "whole"))
    for after in (1, 2):  # twice: what was resumed is resumed again
        with pytest.raises(Killed):
            train_retriever(_plan(pairs, tmp_path / "cut"), progress=KilledAfter(after))
        assert not (tmp_path / "cut").exists()
    resumed = train_retriever(_plan(pairs, tmp_path / "cut"))
    assert _weights(tmp_path / "cut") == _weights(tmp_path / "whole")
    assert resumed.card == whole.card


def test_a_checkpoint_of_another_plan_or_damaged_is_not_used(pairs: Path, tmp_path: Path) -> None:
    train_retriever(_plan(pairs, tmp_path / "whole"))
    other = replace(RECIPE, seed=7)
    with pytest.raises(Killed):
        train_retriever(_plan(pairs, tmp_path / "a", recipe=other), progress=KilledAfter(2))
    train_retriever(_plan(pairs, tmp_path / "a"))
    assert _weights(tmp_path / "a") == _weights(tmp_path / "whole")
    with pytest.raises(Killed):
        train_retriever(_plan(pairs, tmp_path / "b"), progress=KilledAfter(2))
    kept = tmp_path / "b.partial" / "checkpoint.safetensors"
    kept.write_bytes(kept.read_bytes()[:-100])
    train_retriever(_plan(pairs, tmp_path / "b"))
    assert _weights(tmp_path / "b") == _weights(tmp_path / "whole")


def test_it_stops_when_held_out_questions_gain_no_more(pairs: Path, tmp_path: Path) -> None:
    made = train_retriever(_plan(pairs, tmp_path / "a", recipe=replace(RECIPE, epochs=200)))
    run, best = made.card["settings"]["epochs_run"], made.card["settings"]["best_epoch"]
    assert run == best + 3 < 200
    # What is written is the best epoch's, not the last one's.
    short = train_retriever(_plan(pairs, tmp_path / "b", recipe=replace(RECIPE, epochs=best)))
    assert short.card["settings"]["best_epoch"] == best
    assert _weights(tmp_path / "a") == _weights(tmp_path / "b")


def test_the_time_limit_ends_it_after_an_epoch(pairs: Path, tmp_path: Path) -> None:
    made = train_retriever(_plan(pairs, tmp_path / "a", seconds=1e-6))
    assert made.card["settings"]["epochs_run"] == 1


def test_where_nothing_can_be_learnt_nothing_is_written(tmp_path: Path) -> None:
    pairs = write_texts(tmp_path / "noise.jsonl", matched=False)
    made = train_retriever(_plan(pairs, tmp_path / "out"))
    assert made.folder is None and not made.helps
    assert sorted(p.name for p in tmp_path.iterdir()) == ["noise.jsonl"]


def test_a_kb_made_before_opens_with_the_folder(tmp_path: Path) -> None:
    rows = make_kb(tmp_path / "kb", encoder="hashing:256")
    pairs = write_rows(tmp_path / "pairs.jsonl", rows)
    made = train_retriever(_plan(pairs, tmp_path / "out", kbs=(tmp_path / "kb",)))
    assert made.helps and made.folder is not None
    setting = f"sentence-transformers:{made.folder}"
    adapted = Settings(encoding=Encoding(encoder=setting))

    def first(settings: Settings | None) -> float:
        """The share of questions whose first passage by likeness is the right one."""
        with Engine.open(tmp_path / "kb", settings=settings) as engine:
            found = [
                engine.index.dense(
                    Asked(row["question"], engine.encoder).vector, limit=1, filters=Filters()
                )[0].passage_id
                for row in rows
            ]
        return float(np.mean([f == row["passage_id"] for f, row in zip(found, rows, strict=True)]))

    assert first(adapted) > first(None) + 0.2
    with Engine.open(tmp_path / "kb", settings=adapted, mode="write") as engine:
        engine.catch_up()
        assert engine.index.count() == 154
    # A new kb made with the folder is one of the encoder of passages.
    with Engine.open(tmp_path / "new", settings=adapted, mode="write", create=True) as engine:
        assert engine.encoder.dimensions == 256  # noted once it is loaded
        assert engine.truth.setting("encoder") == "hashing:256"
    make_kb(tmp_path / "other", encoder="hashing:32")
    with pytest.raises(KnowledgeBaseError, match="made with the encoder 'hashing:32'"):
        Engine.open(tmp_path / "other", settings=adapted)
    both = (tmp_path / "kb", tmp_path / "other")
    with pytest.raises(KnowledgeBaseError, match="as the others were"):
        train_retriever(_plan(pairs, tmp_path / "both", kbs=both))


def test_what_is_refused_before_anything_is_done(pairs: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(SettingsError, match="exists"):
        train_retriever(_plan(pairs, tmp_path / "taken"))
    with pytest.raises(SettingsError, match="unknown device 'tpu'"):
        train_retriever(_plan(pairs, tmp_path / "out", device="tpu"))
    rows = [{"question": f"{IDLE} a", "passage_id": "pas_1"}, {"question": "b", "passage": "b"}]
    unknown = write_rows(tmp_path / "unknown.jsonl", rows)
    with pytest.raises(UnreadableFile, match=r"line 1: no passage of this id"):
        train_retriever(_plan(unknown, tmp_path / "out"))
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.partial").exists()


def test_the_command(pairs: Path, tmp_path: Path) -> None:
    arguments = ["train", "retriever", "--pairs", str(pairs), "--encoder", "hashing:256"]
    shaped = [
        "--rank",
        "16",
        "--epochs",
        "40",
        "--batch",
        "8",
        "--rate",
        "0.01",
        "--out",
        str(tmp_path / "out"),
    ]
    done = CliRunner().invoke(root, [*arguments, *shaped, "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["folder"] == str(tmp_path / "out") and told["figures"]["dense"]["questions"] >= 10
    noise = write_texts(tmp_path / "noise.jsonl", matched=False)
    arguments[3], shaped[-1] = str(noise), str(tmp_path / "none")
    done = CliRunner().invoke(root, [*arguments, *shaped])
    assert done.exit_code == 1 and "nothing is written" in done.stderr
    assert not (tmp_path / "none").exists()


def test_a_folder_of_the_users_is_not_taken_for_a_killed_run(tmp_path: Path) -> None:
    mine = tmp_path / "out.partial" / "notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    plan = Plan(pairs=tmp_path / "pairs.jsonl", out=tmp_path / "out")
    with pytest.raises(SettingsError, match="other things than a training run"):
        train_retriever(plan)
    assert mine.read_text() == "mine"
