"""The retriever of an open kb, made of the parts that its settings name.

A part is a source or a scorer. Each is here because an ablation on real questions said that it
pays (``bench/RESULTS.md``); ``kgrag eval`` takes them out one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from kgrag.errors import UnknownName
from kgrag.retrieval.base import Scorer, Source
from kgrag.retrieval.concepts import (
    ConceptScorer,
    ConceptSource,
    answer_types_of,
    concepts_of,
)
from kgrag.retrieval.cross_encoder import cross_encoder_of
from kgrag.retrieval.feedback import feedback_of
from kgrag.retrieval.fusion import Fusion
from kgrag.retrieval.graph_source import graph_source_of
from kgrag.retrieval.hypotheses import hypotheses_of
from kgrag.retrieval.late import late_of
from kgrag.retrieval.likelihood import likelihood_of
from kgrag.retrieval.passages import Dense, HybridRetriever, Lexical
from kgrag.stores.base import VectorIndex

if TYPE_CHECKING:
    from kgrag.engine import Engine
    from kgrag.reasoning.supersession import Past

SOURCES: Final[Mapping[str, Callable[[Engine | Past, VectorIndex], Source]]] = {
    "bm25": lambda engine, index: Lexical(index),
    "dense": lambda engine, index: Dense(index),
    "concepts": lambda engine, index: ConceptSource(concepts_of(engine)),
    "graph": lambda engine, index: graph_source_of(engine),
    "hypotheses": hypotheses_of,
}
SCORERS: Final[Mapping[str, Callable[[Engine | Past], Scorer]]] = {
    "late": late_of,
    "feedback": feedback_of,
    "likelihood": likelihood_of,
    "cross-encoder": cross_encoder_of,
    "shared-concepts": lambda engine: ConceptScorer(concepts_of(engine)),
    "answer-types": lambda engine: answer_types_of(engine),
}


def retriever_of(
    engine: Engine | Past, index: VectorIndex, *, fusion: Fusion | None = None
) -> HybridRetriever:
    """The retriever over ``index`` with the parts of ``engine.settings.retrieval.parts``."""
    wanted = engine.settings.retrieval.parts
    for name in wanted:
        if name not in SOURCES and name not in SCORERS:
            raise UnknownName("part of retrieval", name, known=(*SOURCES, *SCORERS))
    return HybridRetriever(
        engine.truth,
        index,
        engine.encoder,
        linker=engine.linker,
        sources=[SOURCES[name](engine, index) for name in wanted if name in SOURCES],
        scorers=[SCORERS[name](engine) for name in wanted if name in SCORERS],
        fusion=fusion,
    )
