"""Paths between the concepts of a question, each edge with its quotation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, pairwise
from typing import Final

from kgrag.errors import BrokenInvariant
from kgrag.reasoning.belief import belief
from kgrag.records.answer import Citation, CitedDocument, PathStep, Seed
from kgrag.records.assertions import Assertion, Evidence
from kgrag.retrieval.scope import Reads
from kgrag.retrieval.seeds import Names, name_of
from kgrag.stores.graph import Graph, GraphPath

# Words with which a question asks how two things hang together.
_CONNECTION: Final = re.compile(
    r"\b(?:connect(?:ed|ion|ions|s)?|relat(?:ed|ion|ions|ionship|ionships)|link(?:ed|s)?|"
    r"associat(?:ed|ion|ions)|lead(?:s|ing)? to|path(?:s|way|ways)? (?:from|between))\b",
    re.IGNORECASE,
)


# What is so of each of two things by itself, and of no third.
_OF_MEDICINES: Final = frozenset(
    ("treats", "prevents", "contraindicated_in", "interacts_with", "diagnoses", "monitored_by")
)
# So many times the paths that are wanted are weighed by belief, the most specific ones.
_WEIGHED: Final = 4


def asks_for_connection(question: str) -> bool:
    """Whether the question asks how its concepts hang together."""
    return _CONNECTION.search(question) is not None


@dataclass(frozen=True, slots=True)
class Path:
    """Edges that lead from one concept to another, each with its quotation.

    ``belief``, in [0, 1), is that of its weakest edge; a lower ``cost`` is more specific.
    """

    steps: tuple[PathStep, ...]
    belief: float
    cost: float = 0.0


def seed_paths(
    seeds: Sequence[Seed],
    graph: Graph,
    truth: Reads,
    names: Names,
    *,
    max_edges: int = 3,
    limit: int = 5,
) -> tuple[Path, ...]:
    """The best paths between any two seeds, each the shortest way between its ends.

    See ``paths_between`` for their order and what is left out.
    """
    concepts = list(dict.fromkeys(seed.concept for seed in seeds))
    pairs = combinations(concepts, 2)
    return paths_between(pairs, graph, truth, names, max_edges=max_edges, limit=limit)


def paths_between(
    pairs: Iterable[tuple[str, str]],
    graph: Graph,
    truth: Reads,
    names: Names,
    *,
    max_edges: int = 2,
    limit: int = 5,
) -> tuple[Path, ...]:
    """The best shortest paths between the two concepts of any pair, by belief and specificity.

    The belief in the weakest edge, divided by what the path costs (``Graph.paths``), decides. A
    step keeps the direction of its assertion. A path over what two concepts merely share (both are
    contraindicated in it) is none. A path of which one edge has no current evidence in
    a passage is left out: words outside of passages (index headings) state nothing. A negated edge
    is a path of its own and part of no longer one.
    """
    found: list[GraphPath] = []
    for one, other in pairs:
        between = graph.paths([one], [other], max_edges=max_edges, limit=limit)
        # A detour beside a direct way says less than nothing.
        between = tuple(path for path in between if not _only_alike(path))
        shortest = min((len(path.edges) for path in between), default=0)
        found.extend(path for path in between if len(path.edges) == shortest)
    found.sort(key=lambda path: (path.cost, [e.assertion for e in path.edges]))
    found = found[: _WEIGHED * limit]
    wanted = list(dict.fromkeys(e.assertion for path in found for e in path.edges))
    if not wanted:
        return ()
    held = {a.id: a for a in map(partial(_in_passages, truth), truth.assertions(wanted))}
    believed = {a.id: belief(a) for a in held.values() if a.evidence}
    weighed: list[tuple[float, int, GraphPath, float]] = []
    for at, path in enumerate(found):
        if all(e.assertion in believed for e in path.edges):
            weakest = min(believed[e.assertion] for e in path.edges)
            weighed.append((-weakest / (1.0 + max(path.cost, 0.0)), at, path, weakest))
    weighed.sort(key=lambda item: item[:2])
    made: list[Path] = []
    for _, _, path, weakest in weighed[:limit]:
        steps = tuple(path_step(held[e.assertion], truth, names) for e in path.edges)
        made.append(Path(steps, weakest, path.cost))
    return tuple(made)


def _only_alike(path: GraphPath) -> bool:
    """Whether two neighbouring edges only say the same of two things: that two medicines must not
    be used in pregnancy, or that one is used in two diseases, connects them with nothing."""
    return any(
        one.predicate == other.predicate
        and (one.object == other.object or one.predicate in _OF_MEDICINES)
        for one, other in pairwise(path.edges)
    )


def _in_passages(truth: Reads, assertion: Assertion) -> Assertion:
    """The assertion with the evidence that a passage holds."""
    kept = tuple(
        e
        for e in assertion.evidence
        if any(p.start <= e.start < p.end for p in truth.passages(e.document_id))
    )
    return replace(assertion, evidence=kept)


def is_chain(path: Sequence[PathStep]) -> bool:
    """Each edge goes on from where the one before ended, and none is negated."""
    return (
        bool(path)
        and not any(step.negated for step in path)
        and all(one.object == other.subject for one, other in pairwise(path))
    )


def path_text(path: Sequence[PathStep]) -> str:
    """The chain as one line, each edge in its own direction."""
    names = [path[0].subject_name]
    for step in path:
        names.append(f"—{step.predicate.replace('_', ' ')}→ {step.object_name}")
    return " ".join(names)


def path_step(assertion: Assertion, truth: Reads, names: Names) -> PathStep:
    """The assertion as a step, cited at the first of its evidence."""
    return PathStep(
        assertion.id,
        assertion.subject,
        name_of(assertion.subject, names),
        assertion.predicate,
        assertion.object,
        name_of(assertion.object, names),
        assertion.negated,
        cite(assertion.evidence[0], truth),
    )


def cite(evidence: Evidence, truth: Reads) -> Citation:
    """The citation of the evidence, checked against the stored text; BrokenInvariant if it differs.

    The passage is the one that holds the start of the quotation.
    """
    document = truth.document(evidence.document_id)
    if document.text[evidence.start : evidence.end] != evidence.quote:
        raise BrokenInvariant(
            f"evidence [{evidence.start}, {evidence.end}) of {document.id} is not its text"
        )
    holding = [p for p in truth.passages(document.id) if p.start <= evidence.start < p.end]
    return Citation(
        CitedDocument.of(document),
        holding[0].id if holding else "",
        document.section_path(evidence.start),
        document.page_at(evidence.start),
        evidence.start,
        evidence.end,
        evidence.quote,
    )
