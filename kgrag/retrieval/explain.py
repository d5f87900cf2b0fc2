"""Why passages were found, told of one search: ``Engine.explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kgrag.records.explained import ConceptMatch, Explained, ExplainedHit, SpeaksFor, Suspected
from kgrag.records.question import Selection
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.concepts import Matched, concepts_of
from kgrag.retrieval.filters import admit
from kgrag.retrieval.hypotheses import Hypothesis, hypotheses_of

if TYPE_CHECKING:
    from kgrag.engine import Engine

# Hypotheses told of; a person reads no more.
_TOLD: Final = 5


def explain(engine: Engine, question: str, *, limit: int, selection: Selection) -> Explained:
    """The hits of this search with what each part said of them and the concepts that they share.

    BadQuestion when it cannot be asked. Mentions are those of the passage itself; a concept of
    the question that only the title names is not told.
    """
    found = engine.retriever.candidates(question, limit=limit, selection=selection)
    asked = Asked(question, engine.encoder, engine.linker)
    concepts = concepts_of(engine)
    hits = tuple(
        ExplainedHit(
            c.hit,
            dict(c.scores),
            tuple(
                _match(engine, met)
                for met in concepts.matched(
                    asked, c.hit.document.id, c.hit.start, c.hit.end, engine.truth
                )
            ),
        )
        for c in found
    )
    return Explained(asked.text, hits, _suspected(engine, asked, selection))


def _match(engine: Engine, met: Matched) -> ConceptMatch:
    q, p = met.question, met.passage
    return ConceptMatch(
        question_text=q.text,
        question_start=q.start,
        question_end=q.end,
        question_concept=q.concept,
        question_name=engine.name_of(q.concept),
        question_denied=q.negated or q.absent,
        relation=met.relation,
        text=p.text,
        start=p.start,
        end=p.end,
        concept=p.concept,
        name=engine.name_of(p.concept),
        denied=p.negated or p.absent,
        weight=met.weight,
    )


def _suspected(engine: Engine, asked: Asked, selection: Selection) -> tuple[Suspected, ...]:
    if "hypotheses" not in engine.settings.retrieval.parts:
        return ()  # what did not order the passages explains nothing
    source = hypotheses_of(engine, engine.index)
    filters = admit(selection, engine.truth).filters
    made = source.explain(asked, limit=_TOLD, filters=filters)
    return tuple(_told(engine, asked, hypothesis) for hypothesis in made)


def _told(engine: Engine, asked: Asked, hypothesis: Hypothesis) -> Suspected:
    words: dict[str, str] = {}
    for mention in asked.mentions:
        if not (mention.negated or mention.absent or mention.family or mention.hypothetical):
            words.setdefault(mention.concept, mention.text)
    return Suspected(
        concept=hypothesis.concept,
        name=hypothesis.name,
        score=hypothesis.score,
        findings=tuple(
            SpeaksFor(
                text=words.get(shared.finding, ""),
                concept=shared.finding,
                name=engine.name_of(shared.finding),
                term=shared.term,
                term_name=engine.name_of(shared.term),
                information=shared.information,
            )
            for shared in hypothesis.shared
        ),
        documents=tuple((d, engine.truth.info(d).title) for d, _ in hypothesis.documents),
    )
