"""How useful a passage is: the likelihood of the answer with it, made once and kept as numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra models")

import torch
from bent_world import world
from tiny_model import network, tiny, tokenizer

from kgrag.errors import DataError
from kgrag.generation.chat import ChatForm, instruction
from kgrag.progress import SILENT
from kgrag.training.corpora import Pool, Texts
from kgrag.training.examples import examples
from kgrag.training.fit import Recipe
from kgrag.training.pairs import Learnt, Right
from kgrag.training.retriever import Plan, train_retriever
from kgrag.training.usefulness import READ, Scores, usefulness

PASSAGES = ["Give colchicine.", "", "β-lactams <|im_end|> 7.5 mg/kg. " * 40]


class Counting:
    """Likes a passage for the words of the answer in it; counts what it is asked."""

    sha256 = "1" * 64

    def __init__(self) -> None:
        self.asked = 0

    def answer_likelihood(self, question: str, answer: str, passages: Sequence[str]) -> list[float]:
        self.asked += len(passages)
        return [float(answer in passage) - 1.0 for passage in passages]


def test_the_likelihood_of_an_answer_is_the_models_own() -> None:
    model, words = tiny(chat=True), tokenizer(chat=True)
    form, plain = ChatForm(words), network(len(words))
    found = model.answer_likelihood("What for gout?", "Colchicine.", PASSAGES)
    said = form.plain("Colchicine.")
    for text, value in zip(PASSAGES, found, strict=True):
        content = [*form.plain(text)[:512], *form.plain("\n\nWhat for gout?")]
        prompt = form.prompt(instruction("answer"), content)
        with torch.inference_mode():
            logits = plain(torch.tensor([[*prompt, *said]])).logits[0, len(prompt) - 1 : -1]
        wanted = torch.log_softmax(logits, -1)[range(len(said)), said].mean()
        assert value == pytest.approx(float(wanted), abs=1e-3)
    assert len({round(v, 6) for v in found}) == 3  # the passage matters
    assert model.answer_likelihood("Why?", "", PASSAGES) == [0.0] * 3
    assert model.answer_likelihood("Why?", "x", []) == []
    assert model.to("cpu").answer_likelihood("Why?", "x", ["y"])[0] < 0


def test_scores_are_made_once_and_hold_no_text(tmp_path: Path) -> None:
    model = Counting()
    scores = Scores(tmp_path, model)
    assert scores.of("q", "gout", ["gout", "sepsis"]) == [0.0, -1.0]
    assert scores.of("q", "gout", ["sepsis", "gout", "asthma"]) == [-1.0, 0.0, -1.0]
    assert model.asked == 3
    again = Scores(tmp_path, model)
    assert again.of("q", "gout", ["gout", "asthma"]) == [0.0, -1.0] and model.asked == 3
    (kept,) = tmp_path.glob("*.txt")
    assert b"gout" not in kept.read_bytes() and b"sepsis" not in kept.read_bytes()
    # Cut in the middle of a line, as a kill may leave it: only that line is made again.
    kept.write_bytes(kept.read_bytes()[:-3])
    cut = Scores(tmp_path, model)
    assert cut.of("q", "gout", ["gout", "sepsis", "asthma"]) == [0.0, -1.0, -1.0]
    assert model.asked == 4
    assert Scores(tmp_path, model).of("q", "gout", ["asthma"]) == [-1.0] and model.asked == 4


def test_without_its_key_a_kept_score_tells_nothing_of_its_text(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        Scores(tmp_path / folder, Counting()).of("q", "gout", ["gout"])
    one, other = (next((tmp_path / f).glob("*.txt")).read_text() for f in ("one", "other"))
    assert one.split()[0] != other.split()[0]  # the same texts, two keys
    assert (tmp_path / "one" / "usefulness.key").stat().st_mode & 0o077 == 0
    (tmp_path / "one" / "usefulness.key").write_bytes(b"")  # killed before it was written
    model = Counting()
    assert Scores(tmp_path / "one", model).of("q", "gout", ["gout"]) == [0.0] and model.asked == 1


def _learnt(answers: int) -> list[Learnt]:
    pairs, idle = world(40)
    made = [
        Learnt(q, (Right(n, None, p),), p.split()[1] if n < answers else None)
        for n, (q, p) in enumerate(pairs)
    ]
    return [*made, Learnt("What is idle?", tuple(Right(99, None, t) for t in idle))]


def test_usefulness_is_a_share_over_passages_near_the_question(tmp_path: Path) -> None:
    from kgrag.encoding.hashing import HashingEncoder

    encoder, learnt = HashingEncoder(256), _learnt(20)
    texts = {r.key: r.text or "" for one in learnt for r in one.right}
    pool = Pool((Texts(texts, encoder),))
    made = examples(pool, learnt, encoder.encode([one.question for one in learnt]), SILENT)
    scores = Scores(tmp_path, Counting())
    found = usefulness(pool, learnt, made, scores, most=15, progress=SILENT)
    assert found is not None and found.near.shape == found.share.shape == (15, READ)
    np.testing.assert_allclose(found.share.sum(axis=1), 1, atol=1e-5)
    for row in range(15):
        rows = found.near[row][found.near[row] >= 0]
        assert len(set(rows)) == len(rows) > 1
        best = made.keys[int(found.near[row, found.share[row].argmax()])]
        assert best == learnt[row].right[0].key and found.share[row].max() > 0.9
    assert usefulness(pool, learnt[20:], made, scores, most=15, progress=SILENT) is None


def test_training_by_usefulness_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGRAG_CACHE", str(tmp_path / "cache"))
    words = tokenizer(chat=True)
    network(len(words)).save_pretrained(tmp_path / "model")
    words.save_pretrained(tmp_path / "model")
    pairs, _ = world(80)
    rows = [{"question": q, "passage": p, "answer": p} for q, p in pairs]
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    plan = Plan(
        pairs=path,
        out=tmp_path / "out",
        encoder="hashing:64",
        signal="usefulness",
        model=f"transformers:{tmp_path / 'model'}",
        useful_most=12,
        recipe=Recipe(epochs=3, batch=16, pairs=False),
    )
    made = train_retriever(plan)
    assert made.card["data"]["questions_with_usefulness"] == 12
    history = made.card["settings"]["epochs_run"]
    assert history >= 1 and not math.isnan(made.dense.difference)
    (kept,) = (tmp_path / "cache" / "training").glob("*.txt")
    before = kept.read_bytes()
    assert before.count(b";") > 12 * 2
    train_retriever(replace(plan, out=tmp_path / "again"))
    assert kept.read_bytes() == before  # nothing is scored twice
    path.write_text("\n".join(json.dumps({k: r[k] for k in ("question", "passage")}) for r in rows))
    with pytest.raises(DataError, match="has an answer"):
        train_retriever(replace(plan, out=tmp_path / "none"))


@pytest.mark.parametrize("kept", ["-;", "nan;", "-1.0", "-1.0;-2.0;", "inf;"])
def test_a_kept_score_that_is_none_is_made_again(tmp_path: Path, kept: str) -> None:
    model = Counting()
    assert Scores(tmp_path, model).of("Why?", "x", ["x"]) == [0.0]
    (path,) = tmp_path.glob("*.txt")
    key = path.read_text().split()[0]
    path.write_text(f"{key} {kept}\n")
    assert Scores(tmp_path, model).of("Why?", "x", ["x"]) == [0.0]
    assert model.asked == 2
