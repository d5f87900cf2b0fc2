"""What proposes concepts for spans that no name matches, by name.

``ngrams`` proposes by spelling and needs no model. ``embedding:ENCODER`` proposes by meaning with
an encoder of this machine, ``hub:OWNER/NAME`` with a sentence-transformers model that was
downloaded from the hub before. Proposals are never mentions by themselves: see ``agree``.
"""

from __future__ import annotations

from kgrag.linking.propose.agree import agreed
from kgrag.linking.propose.base import Entry, Proposal, Proposer, entries
from kgrag.resolve import Resolver
from kgrag.vocabulary.lexicon import Lexicon

__all__ = ["Entry", "Proposal", "Proposer", "agreed", "entries", "load_proposer", "resolver"]

resolver = Resolver(
    "linker",
    {
        "ngrams": ("kgrag.linking.propose.ngrams:load", "graph"),
        "embedding": ("kgrag.linking.propose.embedding:load_local", "models"),
        "hub": ("kgrag.linking.propose.embedding:load_hub", "models"),
    },
)


def load_proposer(name: str, lexicon: Lexicon) -> Proposer:
    """The proposer ``name`` or ``name:argument`` over the names of ``lexicon``; no network is used.

    Raises UnknownName, MissingModel, MissingExtra or SettingsError.
    """
    kind, _, argument = name.partition(":")
    factory = resolver.get(kind)
    proposer: Proposer = factory(lexicon, argument) if argument else factory(lexicon)
    return proposer
