"""Language models: ``smollm2-135m-instruct``, or ``transformers:PATH`` for the user's own."""

from __future__ import annotations

from kgrag.generation.base import LanguageModel
from kgrag.models.cpu import before_torch
from kgrag.resolve import Resolver

__all__ = ["LanguageModel", "load_language_model", "resolver"]

resolver = Resolver(
    "language model",
    {
        "smollm2-135m-instruct": ("kgrag.generation.transformers_model:load_smollm2", "models"),
        "transformers": ("kgrag.generation.transformers_model:load_folder", "models"),
    },
)


def load_language_model(name: str) -> LanguageModel:
    """The language model ``name``, or ``name:argument`` where it takes one; ready to use.

    Raises UnknownName, MissingModel or MissingExtra; no network is used.
    """
    kind, _, argument = name.partition(":")
    before_torch()  # before the module that loads torch
    factory = resolver.get(kind)
    model: LanguageModel = factory(argument) if argument else factory()
    return model
