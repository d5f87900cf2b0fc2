"""Whatever the model, the question and the candidates: only whole candidates come out."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs the extra models")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_model import network, tokenizer

from kgrag.errors import BrokenInvariant
from kgrag.generation.logits import TrieLogitsProcessor
from kgrag.generation.transformers_model import TransformersModel
from kgrag.generation.trie import EmptyTrie, TokenTrie

TOKENIZER = tokenizer()
NETWORKS = [network(len(TOKENIZER), seed) for seed in range(3)]
TEXTS = st.lists(
    st.text(max_size=12) | st.sampled_from(["a", "a b", "a b [1]", "<end>"]), max_size=6
)


def _model(seed: int) -> TransformersModel:
    return TransformersModel(NETWORKS[seed], TOKENIZER, name="tiny", sha256="0" * 64)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2), st.text(max_size=20), TEXTS, st.integers(0, 7))
def test_choice_is_a_subset(seed: int, question: str, candidates: list[str], count: int) -> None:
    chosen = _model(seed).choose(question, candidates, count=count)
    assert len(chosen) == len(set(chosen)) <= count
    assert set(chosen) <= set(range(len(candidates)))
    assert bool(chosen) == bool(candidates and count)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2), st.text(min_size=1, max_size=20), TEXTS)
def test_generate_with_the_processor_gives_whole_candidates(
    seed: int, prompt: str, candidates: list[str]
) -> None:
    ids = TOKENIZER(prompt, split_special_tokens=True, return_tensors="pt").input_ids
    paths = [
        TOKENIZER(f"{c}[{i}]", split_special_tokens=True).input_ids
        for i, c in enumerate(candidates)
    ]
    trie = TokenTrie(paths, end=0)
    processor = TrieLogitsProcessor(trie, start=ids.shape[1])

    def generate() -> list[int]:
        out = NETWORKS[seed].generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=200,
            pad_token_id=0,
            logits_processor=[processor],
        )
        return out[0, ids.shape[1] :].tolist()

    if not candidates:
        with pytest.raises(EmptyTrie):
            generate()
        return
    emitted = generate()
    assert paths[trie.candidate(emitted)] == emitted[:-1]


def test_logits_that_are_no_numbers_end_generation() -> None:
    broken = network(len(TOKENIZER))
    with torch.no_grad():
        broken.lm_head.weight.fill_(float("nan"))
    model = TransformersModel(broken, TOKENIZER, name="broken", sha256="0" * 64)
    with pytest.raises(BrokenInvariant):
        model.choose("q", ["a", "b"], count=1)
    with pytest.raises(BrokenInvariant):
        model.query_likelihood("q", ["a", "b"])


def test_likelihood_does_not_depend_on_the_batch() -> None:
    model = _model(0)
    texts = ["short", "a much longer candidate " * 8, ""]
    together = model.query_likelihood("what?", texts)
    alone = [model.query_likelihood("what?", [text])[0] for text in texts]
    assert together == pytest.approx(alone, abs=1e-4)
    assert all(value < 0 for value in together)
