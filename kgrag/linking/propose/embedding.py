"""Proposals by meaning: names whose vectors are near that of a surface.

Half of what lies at a cosine of 0.8 is something else, so these are proposals and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np

from kgrag.encoding.base import Encoder
from kgrag.errors import MissingModel
from kgrag.linking.propose.base import Basis, Entry, Proposal, best, entries
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import Lexicon

_TYPES: Final[frozenset[ConceptType]] = frozenset(("disease", "drug"))
_MOST: Final = 50_000  # names that a small machine can encode in minutes
_SHORTLIST: Final = 20


class EmbeddingProposer:
    """The names are encoded once, when it is made; a surface is compared with them all."""

    basis: Basis = "meaning"

    def __init__(self, encoder: Encoder, names: Iterable[Entry]) -> None:
        self._encoder = encoder
        self._entries = list(names)
        self._vectors = encoder.encode([entry.name for entry in self._entries])

    @property
    def name(self) -> str:
        return f"embedding:{self._encoder.name}"

    def propose(self, surfaces: Sequence[str], *, limit: int = 5) -> list[tuple[Proposal, ...]]:
        """For each surface at most ``limit`` concepts, the likeliest first, each once."""
        if not surfaces or not self._entries:
            return [() for _ in surfaces]
        found = []
        for row in self._encoder.encode(list(surfaces)) @ self._vectors.T:
            wanted = min(max(_SHORTLIST, 4 * limit), len(row))
            nearest = np.argpartition(-row, wanted - 1)[:wanted]
            near = [(float(row[at]), self._entries[at]) for at in nearest.tolist()]
            found.append(best([item for item in near if item[0] > 0], limit, self.basis))
        return found


def load_local(lexicon: Lexicon, encoder: str = "all-minilm-l6-v2") -> EmbeddingProposer:
    """With an encoder of this machine, over the first names of diseases and drugs."""
    from kgrag.encoding import load_encoder

    return EmbeddingProposer(load_encoder(encoder), islice(entries(lexicon, _TYPES), _MOST))


def load_hub(lexicon: Lexicon, repository: str) -> EmbeddingProposer:
    """With a sentence-transformers model of the hub that was downloaded before.

    Nothing is downloaded here: MissingModel names the command that does.
    """
    from transformers.utils.hub import cached_file

    from kgrag.encoding.sentence_transformer import load_folder

    try:
        config = cached_file(repository, "config.json", local_files_only=True)
    except OSError as error:
        raise MissingModel(repository, hint=f"hf download {repository}") from error
    if config is None:
        raise MissingModel(repository, hint=f"hf download {repository}")
    folder = str(Path(config).parent)
    return EmbeddingProposer(load_folder(folder), islice(entries(lexicon, _TYPES), _MOST))
