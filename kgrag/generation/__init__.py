"""Language models: ``smollm2-135m-instruct``; ``transformers:PATH`` and ``llama.cpp:PATH.gguf`` for
the user's own; ``openai:URL#MODEL`` for one behind a server of that protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kgrag.generation.base import Composes, LanguageModel, Steerable
from kgrag.models.cpu import before_torch
from kgrag.resolve import Resolver

if TYPE_CHECKING:
    from kgrag.config import Generation

__all__ = ["Composes", "LanguageModel", "Steerable", "load_language_model", "resolver"]

resolver = Resolver(
    "language model",
    {
        "smollm2-135m-instruct": ("kgrag.generation.transformers_model:load_smollm2", "models"),
        "transformers": ("kgrag.generation.transformers_model:load_folder", "models"),
        "llama.cpp": ("kgrag.generation.llama_cpp_model:load_gguf", "llama-cpp"),
        "openai": ("kgrag.generation.server_model:load_server", "model-server"),
    },
)


def load_language_model(name: str, settings: Generation | None = None) -> LanguageModel:
    """The language model ``name``, or ``name:argument`` where it takes one; ready to use.

    ``settings`` say how a server may be talked to; without them it must be of this machine or its
    network and take no key. Raises UnknownName, MissingModel or MissingExtra; no network is used
    but for a server, whose errors ``server_http.Server`` tells.
    """
    kind, _, argument = name.partition(":")
    if kind == "openai":
        load = resolver.get(kind)  # first: it tells which package is missing
        from kgrag.generation.server_http import Access

        access = Access()
        if settings is not None:
            access = Access(settings.allow_remote, settings.key_variable, settings.timeout_seconds)
        server: LanguageModel = load(argument, access=access)
        return server
    before_torch()  # before the module that loads torch
    factory = resolver.get(kind)
    model: LanguageModel = factory(argument) if argument else factory()
    return model
