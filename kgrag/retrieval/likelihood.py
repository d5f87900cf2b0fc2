"""How likely the question is after a passage, by the local language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.errors import SettingsError
from kgrag.generation.base import LanguageModel
from kgrag.records.answer import Hit
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.index import titled

if TYPE_CHECKING:
    from kgrag.engine import Engine
    from kgrag.reasoning.supersession import Past

LOOKED_AT: Final = 10
"""Passages that the model reads, the best ones: each costs tens of milliseconds."""


class QueryLikelihood:
    """Mean log p(question token | passage), natural log (Ponte and Croft 1998, Sachan 2022).

    Only the first ``looked_at`` hits are read, under their titles; NaN for the others.
    """

    name: Final = "likelihood"

    def __init__(self, model: LanguageModel, *, looked_at: int = LOOKED_AT) -> None:
        self._model, self._looked_at = model, looked_at

    def score(self, asked: Asked, hits: Sequence[Hit]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        scores = np.full(len(hits), np.nan)
        texts = [titled(h.document.title, h.section, h.text) for h in hits[: self._looked_at]]
        scores[: len(texts)] = self._model.query_likelihood(asked.text, texts)
        return scores


def likelihood_of(engine: Engine | Past) -> QueryLikelihood:
    """The scorer with the engine's model; SettingsError when the settings have none."""
    if engine.model is None:
        raise SettingsError(
            "the part of retrieval 'likelihood' needs a language model, the settings have none",
            hint="set generation.model, or leave 'likelihood' out of retrieval.parts",
        )
    return QueryLikelihood(engine.model)
