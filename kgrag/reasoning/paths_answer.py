"""The paths of one answer: those between its question's concepts, and those that lead to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kgrag.errors import BrokenInvariant
from kgrag.reasoning.coverage import content_words
from kgrag.reasoning.notices import notice
from kgrag.reasoning.parts import Parts
from kgrag.reasoning.paths import asks_for_connection, is_chain, path_text
from kgrag.reasoning.rounds import Draft, guarded
from kgrag.records.answer import Check, PathStep, Statement
from kgrag.retrieval.context import may_show

SHOWN: Final = 5
"""How many paths the evidence keeps."""
_CONCEPTS: Final = 8
"""How many concepts of one statement paths are looked for to."""

Steps = tuple[PathStep, ...]


def connection(draft: Draft, parts: Parts) -> tuple[Statement, ...]:
    """The best chain of edges between two concepts, when the question asks how they connect."""
    analysis = draft.analysis
    asks = analysis.connects if analysis else asks_for_connection(draft.question)
    if not asks:
        return ()
    for path in _sound(draft.view.paths, parts):
        if len(path_text(path).split()) <= draft.options.words and is_chain(path):
            whole = draft.whole.part
            return (path_statement(path, _weakest(draft, path), parts, whole),)
    return ()


def path_statement(path: Steps, belief: float | None, parts: Parts, part: int | None) -> Statement:
    """The chain as a statement: every edge quoted, as sure as its weakest edge."""
    with guarded("path"):
        checks = [
            parts.span_check(step.citation, step.citation.quote, parts.truth) for step in path
        ]
    checks.append(_joined(len(path)))
    return Statement(
        text=path_text(path),
        kind="path",
        verdict="supported",
        confidence=None if belief is None else round(belief, 4),
        citations=tuple(step.citation for step in path),
        assertions=tuple(step.assertion for step in path),
        checks=tuple(checks),
        part=part,
    )


def _joined(edges: int) -> Check:
    detail = "one source states it" if edges == 1 else (
        f"{edges} assertions joined; each source states one of them"
    )  # fmt: skip
    return Check("graph", "pass", detail)


def joined(draft: Draft, statement: Statement, belief: float, number: int) -> Statement:
    """The statement as one of ``number`` assertions: no surer than ``belief``, and told so."""
    draft.warnings.append(notice("joined", number=str(number)))
    sure = statement.confidence
    return replace(
        statement,
        confidence=None if sure is None else round(min(belief, sure), 4),
        checks=(*statement.checks, _joined(number)),
    )


def explained(
    draft: Draft, parts: Parts, statements: tuple[Statement, ...]
) -> tuple[tuple[Statement, ...], tuple[Steps, ...]]:
    """The statements, and at most ``SHOWN`` paths: those that are said, then the best.

    A statement that names nothing of the question, and hangs together with it only over edges of
    the graph, says so and is only as sure as the weakest of them. Its own quotation is one of the
    assertions that are joined.
    """
    told = {s.text for s in statements if s.kind == "path"}
    known = _sound([*_over_bridges(draft), *draft.view.paths], parts)
    paths = [path for path in known if path_text(path) in told]
    made: list[Statement] = []
    for statement in statements:
        found = _leading_to(statement, draft, parts)
        chain = next(((s, sure) for s, sure in found if is_chain(s)), None)
        apart = all(c.layer != "graph" for c in statement.checks)
        if chain is not None and apart and _names_none(statement, draft, parts):
            steps, belief = chain
            number = len(steps) + (steps[-1].assertion not in statement.assertions)
            if number > 1:
                statement = joined(draft, statement, belief, number)
        paths += [steps for steps, _ in found]
        made.append(statement)
    paths += known
    distinct = {tuple(step.assertion for step in path): path for path in reversed(paths)}
    order = list(dict.fromkeys(tuple(step.assertion for step in path) for path in paths))
    return tuple(made), tuple(distinct[key] for key in order)[:SHOWN]


def _over_bridges(draft: Draft) -> list[Steps]:
    return [strand.bridge.steps for strand in draft.strands if strand.bridge is not None]


def _leading_to(statement: Statement, draft: Draft, parts: Parts) -> list[tuple[Steps, float]]:
    """The paths from the question's concepts to those of the statement, with their beliefs."""
    if parts.connect is None or parts.linker is None or statement.kind == "path":
        return []
    if not draft.view.seeds:
        return []
    with guarded("paths"):
        quoted = " ".join(c.quote for c in statement.citations)
        named = dict.fromkeys(m.concept for m in parts.linker.link(quoted))
        found = parts.connect(draft.view.seeds, list(named)[:_CONCEPTS], draft.options)
        pairs = [(path.steps, path.belief) for path in found]
        if not all(0.0 <= belief <= 1.0 for _, belief in pairs):
            raise BrokenInvariant("a belief is no probability")
    sound = set(_sound([steps for steps, _ in pairs], parts))
    return [(steps, belief) for steps, belief in pairs if steps in sound]


def _names_none(statement: Statement, draft: Draft, parts: Parts) -> bool:
    """Whether neither the quotations nor where they stand name a concept of the question."""
    if parts.linker is None:
        return False
    with guarded("paths"):
        asked = {seed.concept for seed in draft.view.seeds}
        told = " . ".join(
            " . ".join((c.document.title, *c.section, c.quote)) for c in statement.citations
        )
        words = {word for seed in draft.view.seeds for word in content_words(seed.text)}
        if words & set(content_words(told)):
            return False
        return not asked & {m.concept for m in parts.linker.link(told)}


def _weakest(draft: Draft, path: Steps) -> float | None:
    known = draft.view.beliefs
    return min((known[s.assertion] for s in path), default=None) if all(
        s.assertion in known for s in path
    ) else None  # fmt: skip


def _sound(paths: Sequence[Steps], parts: Parts) -> list[Steps]:
    """The paths of which every quotation passes the span check and may be shown."""
    with guarded("paths"):
        return [
            path
            for path in paths
            if all(
                parts.span_check(s.citation, s.citation.quote, parts.truth).result == "pass"
                and may_show(
                    parts.truth.document(s.citation.document.id), s.citation.start, s.citation.end
                )
                for s in path
            )
        ]
