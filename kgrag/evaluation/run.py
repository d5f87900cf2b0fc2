"""Rankings of a suite's questions over an open kb, by today's retrieval and by the baselines.

A document is ranked by its best passage. Every way is asked for the same number of passages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from kgrag.errors import BadQuestion, KnowledgeBaseError
from kgrag.evaluation.once import Once
from kgrag.evaluation.suite import Query, Suite
from kgrag.progress import SILENT, Progress
from kgrag.retrieval.asked import check_question
from kgrag.retrieval.fusion import fuse
from kgrag.retrieval.terms import question_terms
from kgrag.stores.base import Filters, IndexHit

if TYPE_CHECKING:
    from kgrag.engine import Engine

# Passages that every way is asked for, and that each list of a baseline has.
DEPTH: Final = 100
# Of reciprocal-rank fusion, as its authors chose it.
_RRF: Final = 60.0

BASELINES: Final = ("bm25", "dense", "rrf", "zsum")

# Documents of the suite (or passages) by question, best first; empty for one that cannot be asked.
Rankings = Mapping[str, tuple[str, ...]]

# A way to find: (passage id, document id) of the kb for a question, best first.
Finder = Callable[[str], Sequence[tuple[str, str]]]


def rank(
    engine: Engine,
    suite: Suite,
    *,
    parts: Sequence[str] | None = None,
    progress: Progress = SILENT,
) -> Rankings:
    """The rankings of the retriever that has ``parts``, or those of the engine's settings."""
    once = Once(engine)
    chosen = tuple(parts) if parts is not None else engine.settings.retrieval.parts
    return rank_all(
        engine, suite, {"": parts_finder(once, chosen)}, forget=once.forget, progress=progress
    )[""]


def baselines(
    engine: Engine, suite: Suite, *, progress: Progress = SILENT
) -> Mapping[str, Rankings]:
    """The rankings of BM25, of the encoder, and of both joined in the two usual ways."""
    once = Once(engine)
    return rank_all(engine, suite, baseline_finders(once), forget=once.forget, progress=progress)


def rank_all(
    engine: Engine,
    suite: Suite,
    finders: Mapping[str, Finder],
    *,
    forget: Callable[[], None] = lambda: None,
    progress: Progress = SILENT,
) -> dict[str, Rankings]:
    """The rankings of each finder over the same questions, question by question.

    ``forget`` is called between two questions. KnowledgeBaseError when the index lags behind the
    truth, or when the kb lacks a document that is right for some question.
    """
    generation, stamp = engine.generations()
    if generation != stamp:
        raise KnowledgeBaseError(
            f"the index of {engine.directory} is at generation {stamp} of {generation}",
            hint="any kgrag ingest catches it up",
        )
    owner = owners(engine, suite) if suite.unit == "document" else None
    found: dict[str, dict[str, tuple[str, ...]]] = {name: {} for name in finders}
    progress.stage(suite.name, len(suite.queries), "questions")
    for query in suite.queries:
        for name, finder in finders.items():
            found[name][query.id] = _ranked(query, finder, owner)
        forget()
        progress.advance()
    return dict(found)


def _ranked(query: Query, finder: Finder, owner: Mapping[str, str] | None) -> tuple[str, ...]:
    try:
        hits = finder(query.text)
    except BadQuestion:
        return ()  # what cannot be asked finds nothing, and counts as that
    if owner is None:
        return tuple(passage for passage, _ in hits)
    return tuple(dict.fromkeys(owner.get(document, document) for _, document in hits))


def owners(engine: Engine, suite: Suite) -> dict[str, str]:
    """Document ids of the kb with the ids of the suite that they stand for.

    A document of another corpus keeps its own id: it is a distractor.
    """
    owner: dict[str, str] = {}
    for info in engine.truth.documents():
        record = info.source.identifier.rpartition("#")[2]
        for name in (record, info.source.identifier, info.id, info.uri):
            stands = suite.standing_for(name)
            if stands is not None:
                owner[info.id] = stands
                break
    held = set(owner.values())
    wanted = {
        d for q in suite.queries for d, grade in suite.qrels[q.id].items() if grade > 0
    } - held
    if wanted:
        raise KnowledgeBaseError(
            f"{engine.directory} lacks {len(wanted):,} documents that are right for questions of"
            f" {suite.name}, {min(wanted)!r} among them",
            hint="give the kb that holds the corpus of the suite",
        )
    return owner


def parts_finder(once: Once, parts: Sequence[str]) -> Finder:
    """The retriever with ``parts``, as ``kgrag search`` has it with those settings."""
    retriever = once.retriever(parts)

    def find(question: str) -> list[tuple[str, str]]:
        hits = retriever.search(question, limit=DEPTH)
        return [(hit.passage_id, hit.document.id) for hit in hits]

    return find


def baseline_finders(once: Once) -> dict[str, Finder]:
    """Each of ``BASELINES``: 100 passages of each list, of the joined ones the first 100."""
    every = Filters()

    def lists(question: str) -> dict[str, Sequence[IndexHit]]:
        # The bare text: rewriting and vectors of their own for questions are ours, no baseline's.
        text = check_question(question)
        vector = once.encoder.encode([text])[0]
        return {
            "bm25": once.index.sparse(question_terms(text), limit=DEPTH, filters=every),
            "dense": once.index.dense(vector, limit=DEPTH, filters=every),
        }

    def single(name: str) -> Finder:
        return lambda question: [(h.passage_id, h.document_id) for h in lists(question)[name]]

    def joined(join: Callable[[Mapping[str, Sequence[IndexHit]]], list[str]]) -> Finder:
        def find(question: str) -> list[tuple[str, str]]:
            both = lists(question)
            home = {h.passage_id: h.document_id for hits in both.values() for h in hits}
            return [(passage, home[passage]) for passage in join(both)[:DEPTH]]

        return find

    even = {"bm25": 0.5, "dense": 0.5}
    return {
        "bm25": single("bm25"),
        "dense": single("dense"),
        "rrf": joined(reciprocal),
        "zsum": joined(lambda both: [passage for passage, _ in fuse(both, even)]),
    }


def reciprocal(lists: Mapping[str, Sequence[IndexHit]]) -> list[str]:
    """Passages by the sum of 1 / (60 + rank) over the lists, ties by passage id."""
    scores: dict[str, float] = {}
    for hits in lists.values():
        for at, hit in enumerate(hits, 1):
            scores[hit.passage_id] = scores.get(hit.passage_id, 0.0) + 1 / (_RRF + at)
    return sorted(scores, key=lambda passage: (-scores[passage], passage))
