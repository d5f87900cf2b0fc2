"""Whatever the model, the question and the set: only whole texts of the closed set come out."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs the extra models")

import torch
from closed_sets import EMPTY, SETS
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import network, tokenizer

from kgrag.errors import BrokenInvariant
from kgrag.generation.allowed import ClosedSet, NothingAllowed
from kgrag.generation.chat import ChatForm
from kgrag.generation.logits import ClosedLogitsProcessor, best_of
from kgrag.generation.transformers_model import TransformersModel
from kgrag.generation.trie import TokenTrie

TOKENIZER = tokenizer()
FORM = ChatForm(TOKENIZER)
NETWORKS = [network(len(TOKENIZER), seed) for seed in range(3)]
TEXTS = st.lists(
    st.text(max_size=12) | st.sampled_from(["a", "a b", "a b [1]", "<end>"]), max_size=6
)
# What a model could give for a token: preferences, certainty, refusal of all, nonsense.
LOGIT = st.floats(allow_nan=False, width=32) | st.sampled_from([float("inf"), float("-inf")])


def _model(seed: int) -> TransformersModel:
    return TransformersModel(NETWORKS[seed], TOKENIZER, name="tiny", sha256="0" * 64)


def _trie(closed: ClosedSet) -> TokenTrie:
    return TokenTrie(closed, FORM.plain, end=0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2), st.text(max_size=20), TEXTS, st.integers(0, 7))
def test_choice_is_a_subset(seed: int, question: str, candidates: list[str], count: int) -> None:
    chosen = _model(seed).choose(question, candidates, count=count)
    assert len(chosen) == len(set(chosen)) <= count
    assert set(chosen) <= set(range(len(candidates)))
    assert bool(chosen) == bool(candidates and count)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2), st.text(max_size=20), SETS)
def test_what_is_composed_lies_in_the_set(seed: int, question: str, closed: ClosedSet) -> None:
    if closed.empty:
        with pytest.raises(NothingAllowed):
            _model(seed).compose(question, ["one"], closed)
        return
    said = _model(seed).compose(question, ["one"], closed)
    assert said.text in closed.texts(limit=100_000)
    assert closed.read(said.text) is not None


@settings(max_examples=60, deadline=None)
@given(SETS, st.data())
def test_no_logits_lead_out_of_the_set(closed: ClosedSet, data: st.DataObject) -> None:
    if closed.empty:
        return
    walk = _trie(closed).walk()
    while not walk.done:
        allowed = walk.allowed()
        drawn = data.draw(st.lists(LOGIT, min_size=3, max_size=3))
        logits = torch.tensor((drawn * len(TOKENIZER))[: len(TOKENIZER)])
        logits = torch.roll(logits, data.draw(st.integers(0, 2)))
        walk.take(best_of(logits, allowed))
    assert walk.said().text in closed.texts(limit=100_000)


@settings(max_examples=40, deadline=None)
@given(SETS, st.data())
def test_every_text_of_the_set_can_be_said_and_no_other(
    closed: ClosedSet, data: st.DataObject
) -> None:
    if closed.empty:
        return
    texts = closed.texts(limit=100_000)
    text = data.draw(st.sampled_from(texts))
    altered = data.draw(st.sampled_from([text[:-1], text + " ", text + text, text[1:], "x"]))
    for wanted in (text, altered):
        walk = _trie(closed).walk()
        try:
            for token in [*FORM.plain(wanted), 0]:
                walk.take(token)
        except BrokenInvariant:
            assert wanted not in texts
            continue
        assert wanted in texts
        assert walk.said() == closed.read(wanted)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2), st.text(min_size=1, max_size=20), SETS)
def test_generate_with_the_processor_gives_whole_texts(
    seed: int, prompt: str, closed: ClosedSet
) -> None:
    ids = TOKENIZER(prompt, split_special_tokens=True, return_tensors="pt").input_ids
    processor = ClosedLogitsProcessor(_trie(closed), start=ids.shape[1], end=0)

    def generate() -> list[int]:
        out = NETWORKS[seed].generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            max_new_tokens=400,
            pad_token_id=0,
            logits_processor=[processor],
        )
        return out[0, ids.shape[1] :].tolist()

    if closed.empty:
        with pytest.raises(NothingAllowed):
            generate()
        return
    emitted = generate()
    assert emitted[-1] == 0
    assert TOKENIZER.decode(emitted[:-1]) in closed.texts(limit=100_000)


def test_an_empty_set_stops() -> None:
    for closed in EMPTY:
        with pytest.raises(NothingAllowed):
            _trie(closed).walk().allowed()
        with pytest.raises(BrokenInvariant):
            _trie(closed).walk().take(0)


def test_a_walk_that_is_over_does_not_go_on() -> None:
    from kgrag.generation.allowed import one_of

    walk = _trie(one_of(["a"])).walk()
    with pytest.raises(BrokenInvariant, match="not ended"):
        walk.said()
    for token in [*FORM.plain("a"), 0]:
        walk.take(token)
    assert walk.allowed() == []
    with pytest.raises(BrokenInvariant, match="after its end"):
        walk.take(0)


def test_a_text_that_holds_the_end_is_refused() -> None:
    from kgrag.generation.allowed import one_of

    with pytest.raises(ValueError, match="end token"):
        TokenTrie(one_of(["a"]), lambda text: [5, 0, 6], end=0).walk().allowed()


def test_logits_that_are_no_numbers_end_generation() -> None:
    broken = network(len(TOKENIZER))
    with torch.no_grad():
        broken.lm_head.weight.fill_(float("nan"))
    model = TransformersModel(broken, TOKENIZER, name="broken", sha256="0" * 64)
    with pytest.raises(BrokenInvariant):
        model.choose("q", ["a", "b"], count=1)
    with pytest.raises(BrokenInvariant):
        model.query_likelihood("q", ["a", "b"])
    with pytest.raises(BrokenInvariant):
        model.score("q", ["a", "b"])
    with pytest.raises(BrokenInvariant):
        model.generate("q", max_tokens=3)


def test_likelihood_does_not_depend_on_the_batch() -> None:
    model = _model(0)
    texts = ["short", "a much longer candidate " * 8, ""]
    together = model.query_likelihood("what?", texts)
    alone = [model.query_likelihood("what?", [text])[0] for text in texts]
    assert together == pytest.approx(alone, abs=1e-4)
    assert all(value < 0 for value in together)
