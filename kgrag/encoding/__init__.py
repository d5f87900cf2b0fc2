"""Encoders by name.

``all-minilm-l6-v2`` is the default; ``hashing`` needs no model; ``sentence-transformers:PATH``
loads the user's own, a model or an adapter folder of ``kgrag train retriever``.
"""

from __future__ import annotations

from kgrag.encoding.base import Encoder, QuestionEncoder, TokenEncoder
from kgrag.models.cpu import before_torch
from kgrag.resolve import Resolver

__all__ = ["Encoder", "QuestionEncoder", "TokenEncoder", "load_encoder", "resolver"]

resolver = Resolver(
    "encoder",
    {
        "all-minilm-l6-v2": ("kgrag.encoding.minilm:MiniLM", "models"),
        "hashing": ("kgrag.encoding.hashing:HashingEncoder", "models"),
        "sentence-transformers": ("kgrag.encoding.adapted:load_folder", "models"),
    },
)


def load_encoder(name: str) -> Encoder:
    """The encoder ``name``, or ``name:argument`` where it takes one; ready to encode.

    Raises UnknownName, MissingModel or MissingExtra; no network is used.
    """
    kind, _, argument = name.partition(":")
    before_torch()  # before the module that loads torch
    factory = resolver.get(kind)
    encoder: Encoder = factory(argument) if argument else factory()
    return encoder
