"""What an open engine brings to an answer: its stores, models and graph, joined for ``ask``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from kgrag.ids import sha256
from kgrag.reasoning.conflicts import find_conflicts
from kgrag.reasoning.parts import GraphView, Parts
from kgrag.reasoning.paths import seed_paths
from kgrag.reasoning.supersession import Past
from kgrag.records.question import AskOptions, Choice
from kgrag.records.recommendations import Recommendation
from kgrag.retrieval.expand import expand
from kgrag.retrieval.rerank import WEIGHTS, LinearReranker
from kgrag.retrieval.scope import Scope
from kgrag.retrieval.seeds import find_seeds

if TYPE_CHECKING:
    from kgrag.engine import Engine

ORDER_BY_MODEL: Final[Mapping[str, Choice]] = {"smollm2-135m-instruct": "rerank"}
"""Who orders the statements, by language model, as ``bench/order.py`` measured; a model that is not
listed does not."""


def parts_of(engine: Engine | Past) -> Parts:
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
        past=engine if isinstance(engine, Past) else None,
    )


def look(engine: Engine | Past, question: str, options: AskOptions) -> GraphView:
    """The concepts of the question, the assertions near them and the paths between them."""
    names = engine.lexicon
    seeds = find_seeds(question, engine.linker, names)
    graph = engine.graph
    scope = Scope(engine.truth, options.selection)
    asked = {seed.concept for seed in seeds}
    # Retrieval finds the passages itself; here the graph says which sentences state what.
    expansion = expand(seeds, graph, scope, hierarchy=names, passages=0)
    touching = [a for a, _ in expansion.assertions if {a.subject, a.object} <= asked]
    return GraphView(
        seeds,
        expansion.evidence(),
        seed_paths(seeds, graph, scope, names),
        find_conflicts(touching, scope, names, _advice(asked, scope)),
    )


def _advice(asked: Collection[str], scope: Scope) -> Collection[Recommendation]:
    """Recommendations, each once, about nothing but concepts that the question names."""
    found = (r for concept in sorted(asked) for r in scope.recommendations(concept))
    return {r.id: r for r in found if {*r.interventions, *r.conditions} <= set(asked)}.values()
