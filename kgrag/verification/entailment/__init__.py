"""Checkers of entailment: ``nli:PATH``, ``detector:PATH``, ``fact:PATH``; others by entry point."""

from __future__ import annotations

from collections.abc import Sequence

from kgrag.errors import SettingsError
from kgrag.models.cpu import before_torch
from kgrag.resolve import Resolver
from kgrag.verification.entailment.base import Entailed, Entailment, Pair

__all__ = ["Entailed", "Entailment", "Pair", "load_entailment", "resolver"]

resolver = Resolver(
    "entailment",
    {
        "nli": ("kgrag.verification.entailment.nli:load_nli", "models"),
        "detector": ("kgrag.verification.entailment.detector:load_detector", "models"),
        "fact": ("kgrag.verification.entailment.fact:load_fact", "models"),
    },
)


def load_entailment(name: str, *, labels: Sequence[str] = ()) -> Entailment:
    """The checker ``kind:FOLDER``, ready to use; no network is used and none of its code is run.

    ``labels`` says what the model's outputs mean, in their order, where its configuration does
    not. UnknownName, MissingExtra, or SettingsError when the folder holds no such model, lacks
    weights, or leaves in doubt which output is which.
    """
    kind, _, folder = name.partition(":")
    before_torch()  # before the module that loads torch
    factory = resolver.get(kind)
    if not folder:
        raise SettingsError(
            f"the checker of entailment {kind!r} needs a model of yours", hint=f"{kind}:FOLDER"
        )
    checker: Entailment = factory(folder, labels=tuple(labels))
    return checker
