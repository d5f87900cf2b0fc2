"""What an open engine brings to an answer: its stores, models and graph, joined for ``ask``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from kgrag.ids import sha256
from kgrag.reasoning.loop import GraphView, Parts
from kgrag.records.answer import Citation, CitedDocument, PathStep, Seed
from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.question import AskOptions, Choice
from kgrag.retrieval.rerank import WEIGHTS, LinearReranker

if TYPE_CHECKING:
    from kgrag.engine import Engine

ORDER_BY_MODEL: Final[Mapping[str, Choice]] = {"smollm2-135m-instruct": "rerank"}
"""Who orders the statements, by language model, as measured; a model not listed does not."""

CONCEPTS: Final = 12
ASSERTIONS: Final = 200


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
    )


def look(engine: Engine, question: str, options: AskOptions) -> GraphView:
    """The concepts of the question, the assertions near them and the paths between them."""
    seeds = tuple(
        Seed(m.start, m.end, m.text, m.concept, engine.name_of(m.concept), m.score)
        for m in engine.linker.link(question)
    )
    graph = engine.graph
    concepts = list(dict.fromkeys(s.concept for s in seeds if s.concept in graph))
    if not concepts:
        return GraphView(seeds)
    near = list(graph.pagerank(dict.fromkeys(concepts, 1.0)))[:CONCEPTS]
    wanted = dict.fromkeys([*concepts, *near])
    ids = [
        edge.assertion
        for concept in wanted
        for edge in graph.neighbours(concept)
        if edge.subject in wanted and edge.object in wanted
    ]
    routes = graph.paths(concepts, concepts) if len(concepts) > 1 else ()
    on_path = [edge.assertion for route in routes for edge in route.edges]
    assertions = {
        a.id: a
        for a in engine.truth.assertions(list(dict.fromkeys([*on_path, *ids]))[:ASSERTIONS])
    }
    evidence = {
        (e.document_id, e.start, e.end): a.id
        for a in assertions.values()
        for e in a.evidence
        if _in_scope(engine, e, options)
    }
    paths = []
    for route in routes:
        steps = [_step(engine, assertions.get(e.assertion), options) for e in route.edges]
        if steps and all(steps):
            paths.append(tuple(s for s in steps if s is not None))
    return GraphView(seeds, evidence, tuple(paths[:5]))


def _in_scope(engine: Engine, evidence: Evidence, options: AskOptions) -> bool:
    """Whether the evidence's document is current, not retracted and of a collection asked for."""
    info = engine.truth.info(evidence.document_id)
    return (
        info.status == "current"
        and info.metadata.retracted in (None, "expression_of_concern")
        and (not options.collections or info.source.collection in options.collections)
    )


def _step(engine: Engine, assertion: Assertion | None, options: AskOptions) -> PathStep | None:
    """The assertion as a step with its first quotation; None when none may be cited."""
    if assertion is None:
        return None
    evidence = next((e for e in assertion.evidence if _in_scope(engine, e, options)), None)
    if evidence is None:
        return None
    document = engine.truth.document(evidence.document_id)
    passage = next(
        (p for p in engine.truth.passages(document.id) if p.start <= evidence.start < p.end), None
    )
    if passage is None:
        return None
    cited = CitedDocument.of(document.id, document.uri, document.title, document.metadata)
    return PathStep(
        assertion.id, assertion.subject, engine.name_of(assertion.subject), assertion.predicate,
        assertion.object, engine.name_of(assertion.object), assertion.negated,
        Citation(cited, passage.id, document.section_path(evidence.start),
                 document.page_at(evidence.start), evidence.start, evidence.end, evidence.quote),
    )  # fmt: skip
