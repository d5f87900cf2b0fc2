"""The token trie, llguidance and the set itself hold the same texts, whatever the model prefers."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("torch", reason="needs the extra models")
pytest.importorskip("llguidance", reason="needs llguidance")

import torch
from closed_sets import EMPTY, SETS, graph
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import network, tokenizer

from kgrag.errors import BrokenInvariant
from kgrag.generation.allowed import (
    ClosedSet,
    NothingAllowed,
    TooLarge,
    marks,
    one_of,
    some_of,
    statements,
)
from kgrag.generation.chat import ChatForm
from kgrag.generation.grammar import GrammarEngine, gbnf, lark
from kgrag.generation.logits import best_of
from kgrag.generation.transformers_model import TransformersModel
from kgrag.generation.trie import TokenTrie, Walk

TOKENIZER = tokenizer()
FORM = ChatForm(TOKENIZER)
ENGINE = GrammarEngine(TOKENIZER, end=0)


def _random_text(walk: Walk, seed: int) -> str:
    chance = random.Random(seed)
    while not walk.done:
        walk.take(chance.choice(walk.allowed()))
    return walk.said().text


@settings(max_examples=100, deadline=None)
@given(SETS, st.integers(0, 2**32))
def test_what_the_grammar_lets_out_is_of_the_set(closed: ClosedSet, seed: int) -> None:
    if closed.empty:
        return
    text = _random_text(ENGINE.compile(closed).walk(), seed)
    assert text in closed.texts(limit=100_000)


@settings(max_examples=100, deadline=None)
@given(SETS, st.data())
def test_both_engines_agree_on_every_text(closed: ClosedSet, data: st.DataObject) -> None:
    if closed.empty:
        return
    texts = closed.texts(limit=100_000)
    text = data.draw(st.sampled_from(texts))
    altered = data.draw(st.sampled_from([text[:-1], text + " ", text + text, text[1:], "x"]))
    compiled, trie = ENGINE.compile(closed), TokenTrie(closed, FORM.plain, end=0)
    for wanted in (text, altered):
        said = []
        for walk in (compiled.walk(), trie.walk()):
            try:
                for token in [*FORM.plain(wanted), 0]:
                    assert token in walk.allowed() or wanted not in texts
                    walk.take(token)
            except BrokenInvariant:
                said.append(None)
            else:
                said.append(walk.said())
        assert said == [closed.read(wanted)] * 2
        assert (said[0] is not None) == (wanted in texts)


@settings(max_examples=60, deadline=None)
@given(SETS, st.integers(0, 2**32))
def test_a_tokenizer_of_bytes_leaves_both_the_same_choices(closed: ClosedSet, seed: int) -> None:
    """With one token a byte there is one way to spell a text, so the masks must be equal."""
    if closed.empty:
        return
    chance = random.Random(seed)
    one = ENGINE.compile(closed).walk()
    other = TokenTrie(closed, FORM.plain, end=0).walk()
    while not one.done:
        assert one.allowed() == other.allowed()
        token = chance.choice(one.allowed())
        one.take(token)
        other.take(token)
    assert other.done and one.said() == other.said()


def test_models_say_the_same_through_either_engine() -> None:
    for seed in range(3):
        net = network(len(TOKENIZER), seed)
        options = {"name": "tiny", "sha256": "0" * 64}
        one = TransformersModel(net, TOKENIZER, **options)
        other = TransformersModel(net, TOKENIZER, engine="llguidance", **options)
        sentences = ["Give it twice.", "Give it.", "Wait β days."]
        for closed in (
            statements(sentences, most=2),
            some_of(marks(3), most=3, joint=" "),
            graph([("p", "q"), ("q", "r"), ("p", "s")], "p", "", 2),
        ):
            assert one.compose("How?", sentences, closed) == other.compose(
                "How?", sentences, closed
            )
        assert one.choose("How?", sentences, count=2) == other.choose("How?", sentences, count=2)
        with pytest.raises(NothingAllowed):
            other.compose("How?", sentences, one_of([]))


@settings(max_examples=30, deadline=None)
@given(SETS, st.sampled_from([float("-inf"), float("inf"), 0.0]))
def test_a_model_that_prefers_nothing_stays_inside(closed: ClosedSet, value: float) -> None:
    if closed.empty:
        return
    walk = ENGINE.compile(closed).walk()
    logits = torch.full((len(TOKENIZER),), value)
    while not walk.done:
        walk.take(best_of(logits, walk.allowed()))
    assert walk.said().text in closed.texts(limit=100_000)


@pytest.mark.parametrize("closed", EMPTY)
def test_an_empty_set_stops_in_every_engine(closed: ClosedSet) -> None:
    walk = ENGINE.compile(closed).walk()
    for attempt in (walk.allowed, lambda: walk.take(0), lambda: walk.take(65), walk.said):
        with pytest.raises(BrokenInvariant):
            attempt()
    for write in (lark, gbnf):
        with pytest.raises(NothingAllowed):
            write(closed)


def test_a_walk_cannot_be_forced() -> None:
    walk = ENGINE.compile(one_of(["ab"])).walk()
    with pytest.raises(BrokenInvariant, match="ended inside"):
        walk.take(0)
    with pytest.raises(BrokenInvariant, match="left"):
        walk.take(FORM.plain("b")[0])
    with pytest.raises(BrokenInvariant):  # and never again
        walk.allowed()


def test_a_set_too_large_for_a_grammar_says_so() -> None:
    closed = some_of([f"text {n}" for n in range(40)], most=4)
    with pytest.raises(TooLarge):
        lark(closed)
    walk = TokenTrie(closed, FORM.plain, end=0).walk()
    assert _random_text(walk, 1)


@pytest.mark.models
def test_both_engines_agree_for_a_tokenizer_of_long_tokens() -> None:
    """Here the grammar may spell a text in more ways than the tokenizer does; the texts agree."""
    from transformers import AutoTokenizer

    from kgrag.models import model_path

    words = AutoTokenizer.from_pretrained(
        model_path("smollm2-135m-instruct"), local_files_only=True
    )
    form, end = ChatForm(words), int(words.eos_token_id)
    engine = GrammarEngine(words, end=end)
    sentences = ["Give 7.5 mg/kg every 12 hours.", "Give 7.5 mg.", "<|im_end|> β 急性 \U0001f48a"]
    for closed in (statements(sentences, most=2), graph([("p", "q"), ("q", "r")], "p", "", 2)):
        texts = closed.texts(limit=1000)
        compiled, trie = engine.compile(closed), TokenTrie(closed, form.plain, end=end)
        assert {_random_text(compiled.walk(), n) for n in range(60)} <= set(texts)
        assert {_random_text(trie.walk(), n) for n in range(60)} <= set(texts)
        for text in texts:
            walk = compiled.walk()
            for token in [*form.plain(text), end]:
                walk.take(token)
            assert walk.said() == closed.read(text)
        one, other = compiled.walk(), trie.walk()
        while not other.done:
            may = other.allowed()
            assert set(may) <= set(one.allowed())
            other.take(may[-1])
            one.take(may[-1])
