"""What an open engine brings to an answer: its stores, models and graph, joined for ``ask``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from kgrag.ids import sha256
from kgrag.reasoning.conflicts import find_conflicts
from kgrag.reasoning.loop import GraphView, Parts
from kgrag.reasoning.paths import seed_paths
from kgrag.records.question import AskOptions, Choice
from kgrag.retrieval.expand import expand
from kgrag.retrieval.rerank import WEIGHTS, LinearReranker
from kgrag.retrieval.scope import Scope
from kgrag.retrieval.seeds import find_seeds

if TYPE_CHECKING:
    from kgrag.engine import Engine

ORDER_BY_MODEL: Final[Mapping[str, Choice]] = {"smollm2-135m-instruct": "rerank"}
"""Who orders the statements, by language model, as ``bench/order.py`` measured; a model that is not
listed does not."""


def parts_of(engine: Engine) -> Parts:
    """The parts of ``engine``. The language model is loaded only when it is to choose."""
    generation = engine.settings.generation
    choice = ORDER_BY_MODEL.get(generation.model, "rerank")
    if generation.order != "auto":
        choice = "model" if generation.order == "model" else "rerank"
    model = engine.model if choice == "model" else None
    models = {
        "encoder": f"{engine.encoder.name}@{engine.encoder.sha256[:12]}",
        "reranker": f"{LinearReranker.name}@{sha256(WEIGHTS.read_bytes())[:12]}",
    }
    if model is not None:
        models["language_model"] = f"{model.name}@{model.sha256[:12]}"
    return Parts(
        truth=engine.truth,
        retriever=engine.retriever,
        reranker=LinearReranker(engine.encoder),
        look=lambda question, options: look(engine, question, options),
        model=model,
        choice=choice,
        models=models,
        linker=engine.linker,
    )


def look(engine: Engine, question: str, options: AskOptions) -> GraphView:
    """The concepts of the question, the assertions near them and the paths between them."""
    names = engine.linker.lexicon
    seeds = find_seeds(question, engine.linker, names)
    graph = engine.graph
    if not any(seed.concept in graph for seed in seeds):
        return GraphView(seeds)
    scope = Scope(engine.truth, options.collections)
    # Retrieval finds the passages itself; here the graph says which sentences state what.
    expansion = expand(seeds, graph, scope, passages=0)
    asked = {seed.concept for seed in seeds}
    touching = [a for a, _ in expansion.assertions if {a.subject, a.object} <= asked]
    return GraphView(
        seeds,
        expansion.evidence(),
        seed_paths(seeds, graph, scope, names),
        find_conflicts(touching, scope, names),
    )
