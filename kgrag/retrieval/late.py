"""Late interaction over passages: every word of the question against every word of the passage.

The states of a passage are those of its indexed text, so that a word of the question may be met by
the title or heading that the passage stands under. They lie packed in the kb; those that do not,
in a kb of before or of a past day, are made here, by the same path, and kept for a while.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder, TokenEncoder
from kgrag.encoding.late import Codes, StateCode, best_matches, late_scores
from kgrag.records.answer import Hit
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.index import titled
from kgrag.stores.base import TruthStore
from kgrag.stores.tokens import TokenStates

if TYPE_CHECKING:
    from kgrag.engine import Engine
    from kgrag.reasoning.supersession import Past

MADE_KEPT: Final = 2_000
"""Passages whose states, made for a question, are kept in memory: about 11 KB each."""

MADE_AT_ONCE: Final = 24
"""Passages whose states are made for one question: about half a second of encoding."""

TOGETHER: Final = 8
"""Passages unpacked at a time: what they take stays in a processor's cache."""


class LateInteraction:
    """Scores in [-1, 1] by MaxSim (Khattab and Zaharia 2020), see ``late_scores``.

    NaN for all when the encoder has no token states. A passage of which the kb keeps no states
    costs an encoder's pass over its text, and has the same states. Of such passages the first
    ``MADE_AT_ONCE`` of a question are read, so that none takes seconds; the others are NaN.
    """

    name: Final = "late"

    def __init__(
        self, truth: TruthStore, encoder: Encoder, states: TokenStates | None = None
    ) -> None:
        self._truth, self._states = truth, states
        self._encoder = encoder if isinstance(encoder, TokenEncoder) else None
        self._code = StateCode(encoder.dimensions)
        self._made: OrderedDict[str, Codes] = OrderedDict()

    def score(self, asked: Asked, hits: Sequence[Hit]) -> NDArray[np.float64]:
        """See ``Scorer``."""
        question = asked.states
        if self._encoder is None or question is None or not hits:
            return np.full(len(hits), np.nan)
        scores = np.full(len(hits), np.nan)
        codes = self._codes(hits, self._encoder)
        known = [at for at, hit in enumerate(hits) if hit.passage_id in codes]
        turned = self._code.turned(question)
        met = [
            self._met(
                turned, [codes[hits[at].passage_id] for at in known[first : first + TOGETHER]]
            )
            for first in range(0, len(known), TOGETHER)
        ]
        # Scored as a whole: a token's weight is by all of them.
        if met:
            scores[known] = late_scores(np.concatenate(met))
        return scores

    def _met(self, turned: NDArray[np.float32], codes: Sequence[Codes]) -> NDArray[np.float32]:
        tokens = self._code.unpack(np.concatenate(codes))
        return best_matches(turned, tokens, [len(c) for c in codes])

    def _codes(self, hits: Sequence[Hit], encoder: TokenEncoder) -> dict[str, Codes]:
        """By passage id: those kept, those made before, and of the others the first few."""
        kept = self._states.get([h.passage_id for h in hits]) if self._states is not None else []
        found = {h.passage_id: c for h, c in zip(hits, kept, strict=False) if c is not None}
        found |= {
            h.passage_id: self._made[h.passage_id]
            for h in hits
            if h.passage_id not in found and h.passage_id in self._made
        }
        missing = [h for h in hits if h.passage_id not in found][:MADE_AT_ONCE]
        if missing:
            texts = [self._text(hit) for hit in missing]
            for hit, states in zip(missing, encoder.encode_tokens(texts), strict=True):
                found[hit.passage_id] = self._made[hit.passage_id] = self._code.pack(states)
        while len(self._made) > MADE_KEPT:
            self._made.popitem(last=False)
        return found

    def _text(self, hit: Hit) -> str:
        title = self._truth.info(hit.document.id).metadata.title
        return titled(title, hit.section, hit.text)


def late_of(engine: Engine | Past) -> LateInteraction:
    """The scorer over the engine's kb."""
    return LateInteraction(engine.truth, engine.encoder, engine.states)
