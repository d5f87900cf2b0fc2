"""What an open engine brings to an answer: its stores, models and graph, joined for ``ask``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from kgrag.generation.measured import who_orders
from kgrag.ids import sha256
from kgrag.reasoning.agreement import agreements
from kgrag.reasoning.analysis import analyse
from kgrag.reasoning.applicability import judge
from kgrag.reasoning.conflicts import find_conflicts
from kgrag.reasoning.coverage import content_words
from kgrag.reasoning.follow_up import questions
from kgrag.reasoning.forbidding import forbids
from kgrag.reasoning.parts import GraphView, Parts, Suppose
from kgrag.reasoning.paths import Path, paths_between, seed_paths
from kgrag.reasoning.supersession import Past
from kgrag.records.answer import CitedDocument, Hit, Seed, Statement
from kgrag.records.question import AskOptions
from kgrag.records.recommendations import Recommendation
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.context import Citable, Found
from kgrag.retrieval.expand import expand
from kgrag.retrieval.filters import admit
from kgrag.retrieval.hypotheses import Hypotheses, hypotheses_of
from kgrag.retrieval.passages import Candidate
from kgrag.retrieval.rerank import WEIGHTS, LinearReranker
from kgrag.retrieval.scope import Scope
from kgrag.retrieval.seeds import find_seeds
from kgrag.verification.calibration_regimes import answer_made_with, calibration_of

if TYPE_CHECKING:
    from kgrag.engine import Engine

NEAR: Final = 12
"""How many passages that state assertions near the question a round adds."""
_ENDS: Final = 4
_NEIGHBOURS: Final = 40


def parts_of(engine: Engine | Past) -> Parts:
    """The parts of ``engine``. The language model is loaded only when it is to choose or write.

    Who orders the statements is what the settings say, else what was measured for the model. Of a
    past day nothing was measured: the reranker orders.
    """
    settings = engine.settings
    kb = None if isinstance(engine, Past) else engine.directory
    choice = who_orders(settings.generation, kb=kb)
    # With a checker a question may ask for free sentences.
    wanted = choice == "model" or settings.verification.entailment is not None
    model = engine.model if wanted else None
    weights = WEIGHTS.read_bytes()
    models = {
        "encoder": f"{engine.encoder.name}@{engine.encoder.sha256[:12]}",
        "reranker": f"{LinearReranker.name}@{sha256(weights)[:12]}",
    }
    if model is not None:
        models["language_model"] = f"{model.name}@{model.sha256[:12]}"
    calibration = calibration_of(kb)
    made = answer_made_with(weights, engine.encoder.sha256)
    checker = engine.entailment
    if checker is not None:
        models["entailment"] = f"{checker.name}@{checker.sha256[:12]}"
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
        analyse=lambda question, seeds: analyse(
            question, engine.linker, engine.lexicon, seeds=seeds
        ),
        near=lambda view, options: near(engine, view, options),
        bridges=lambda question, view, options: bridges(engine, question, view, options),
        suppose=None if isinstance(engine, Past) else supposing(engine),
        applies=lambda patient, text, place: judge(
            patient, text, place, linker=engine.linker, names=engine.lexicon
        ),
        forbids=lambda patient, advice, warning, place: forbids(
            patient, advice, warning, place, linker=engine.linker, names=engine.lexicon
        ),
        sure=lambda raw: calibration.answer(raw, made),
        follow=questions,
        connect=lambda seeds, concepts, options: connect(engine, seeds, concepts, options),
        agree=lambda statements, pieces, options: agree(engine, statements, pieces, options),
        entailment=checker,
        entailed=settings.verification.threshold,
    )


def supposing(engine: Engine) -> Suppose:
    """What names the conditions that a patient's findings suggest; made when first asked."""

    @cache
    def source() -> Hypotheses:
        return hypotheses_of(engine, engine.index)

    def suppose(question: str, options: AskOptions) -> Sequence[str]:
        filters = admit(options.selection, engine.truth).filters
        asked = Asked(question, engine.encoder, engine.linker)
        return [found.name for found in source().explain(asked, filters=filters)]

    return suppose


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
    found = seed_paths(seeds, graph, scope, names)
    return GraphView(
        seeds,
        expansion.evidence(),
        tuple(path.steps for path in found),
        find_conflicts(touching, scope, names, _advice(asked, scope)),
        beliefs=_beliefs(found),
    )


def _beliefs(paths: Sequence[Path]) -> Mapping[str, float]:
    """A lower bound for every edge: the belief of the best path that it is part of."""
    found: dict[str, float] = {}
    for path in paths:
        for step in path.steps:
            found[step.assertion] = max(found.get(step.assertion, 0.0), path.belief)
    return found


def _advice(asked: Collection[str], scope: Scope) -> Collection[Recommendation]:
    """Recommendations, each once, about nothing but concepts that the question names."""
    found = (r for concept in sorted(asked) for r in scope.recommendations(concept))
    return {r.id: r for r in found if {*r.interventions, *r.conditions} <= set(asked)}.values()


def near(engine: Engine | Past, view: GraphView, options: AskOptions) -> Sequence[Found]:
    """The passages that hold what the graph knows near the question, best assertion first."""
    scope = Scope(engine.truth, options.selection)
    found: dict[str, Candidate] = {}
    for document_id, start, _ in view.evidence:
        holding = [p for p in scope.passages(document_id) if p.start <= start < p.end]
        if not holding or holding[0].id in found or not scope.holds(document_id):
            continue
        passage = holding[0]
        document = scope.document(document_id)
        text = document.text[passage.start : passage.end]
        hit = Hit(CitedDocument.of(document), passage.id, text, passage.start, passage.end, 0.0,
                  passage.section, passage.page)  # fmt: skip
        found[passage.id] = Candidate(hit, {})
        if len(found) == NEAR:
            break
    return list(found.values())


def bridges(
    engine: Engine | Past, question: str, view: GraphView, options: AskOptions
) -> Sequence[Path]:
    """Edges from a concept of the question whose relation it names, to one that it does not.

    "What treats the deficiency that metformin causes?" is carried over "metformin causes vitamin
    B12 deficiency". The best believed first.
    """
    asked = {seed.concept for seed in view.seeds}
    words = set(content_words(question))
    pairs: list[tuple[str, str]] = []
    for concept in sorted(asked):
        for edge in engine.graph.neighbours(concept)[:_NEIGHBOURS]:
            named = set(content_words(edge.predicate.replace("_", " ")))
            other = edge.object if edge.subject == concept else edge.subject
            if not edge.negated and other not in asked and named & words:
                pairs.append((concept, other))
    scope = Scope(engine.truth, options.selection)
    found = paths_between(
        pairs[: 2 * _ENDS], engine.graph, scope, engine.lexicon, max_edges=1, limit=_ENDS
    )
    return sorted((p for p in found if not p.steps[0].negated), key=lambda p: (-p.belief, p.cost))


def connect(
    engine: Engine | Past, seeds: Sequence[Seed], concepts: Sequence[str], options: AskOptions
) -> Sequence[Path]:
    """The best paths of at most two edges from the question's concepts to these."""
    asked = list(dict.fromkeys(seed.concept for seed in seeds))
    pairs = [(one, other) for one in asked[:_ENDS] for other in concepts if other not in asked]
    scope = Scope(engine.truth, options.selection)
    return paths_between(pairs, engine.graph, scope, engine.lexicon)


def agree(
    engine: Engine | Past,
    statements: Sequence[Statement],
    pieces: Sequence[Citable],
    options: AskOptions,
) -> tuple[Mapping[str, Any], ...]:
    """Which other sources say what the statements say."""
    scope = Scope(engine.truth, options.selection)
    return agreements(statements, pieces, scope, engine.lexicon, linker=engine.linker)
