"""A causal model of two layers with random weights and a tokenizer of bytes, made on the spot."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from kgrag.generation.transformers_model import TransformersModel

CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant\n"
)


def tokenizer(*, chat: bool = False) -> PreTrainedTokenizerFast:
    """Bytes, with ``<end>`` as 0; with ``chat`` also the marks of a chat form and its template."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<end>": 0, **{letter: i for i, letter in enumerate(letters, 1)}}
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    if not chat:
        return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>")
    made = PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|im_end|>")
    made.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    made.chat_template = CHAT
    return made


def network(size: int, seed: int = 0) -> LlamaForCausalLM:
    """Weights drawn wide, so that the model has strong preferences and a leak would show."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=size,
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=8192,
            initializer_range=1.0,
            bos_token_id=0,
            eos_token_id=0,
        )
    )


def tiny(seed: int = 0, *, chat: bool = False) -> TransformersModel:
    """A model that scores and chooses, ready to use."""
    words = tokenizer(chat=chat)
    return TransformersModel(network(len(words), seed), words, name="tiny", sha256="0" * 64)
