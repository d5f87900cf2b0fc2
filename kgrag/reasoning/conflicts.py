"""Where current sources contradict each other about the same two concepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kgrag.reasoning.paths import cite
from kgrag.records.answer import to_plain
from kgrag.records.assertions import Assertion
from kgrag.retrieval.scope import Reads
from kgrag.retrieval.seeds import Names, name_of


def find_conflicts(
    assertions: Iterable[Assertion], truth: Reads, names: Names
) -> tuple[Mapping[str, Any], ...]:
    """Pairs of opposite direction among the assertions and those that share their ends.

    Kinds: ``opposite_polarity`` (a predicate said and denied) and ``advised_and_advised_against``
    (treats or prevents, and contraindicated in). Each names both assertions with qualifiers and one
    citation a side; a side is never dropped for being older. Ordered by subject and object.
    """
    pairs = {(a.subject, a.object) for a in assertions}
    found: list[Mapping[str, Any]] = []
    for subject, obj in sorted(pairs):
        said = [a for a in truth.assertions(concept=subject) if a.subject == subject]
        said = [a for a in said if a.object == obj]
        for one in said:
            for other in said:
                kind = _kind(one, other)
                if kind is not None:
                    found.append(_record(kind, one, other, truth, names))
    return tuple(found)


def _kind(one: Assertion, other: Assertion) -> str | None:
    """The kind of conflict with ``one`` as the side that affirms, None when there is none."""
    if one.negated:
        return None
    if other.negated:
        return "opposite_polarity" if one.predicate == other.predicate else None
    if one.predicate in ("treats", "prevents") and other.predicate == "contraindicated_in":
        return "advised_and_advised_against"
    return None


def _record(
    kind: str, one: Assertion, other: Assertion, truth: Reads, names: Names
) -> dict[str, Any]:
    return {
        "kind": kind,
        "subject": one.subject,
        "subject_name": name_of(one.subject, names),
        "object": one.object,
        "object_name": name_of(one.object, names),
        "sides": [_side(one, truth), _side(other, truth)],
    }


def _side(assertion: Assertion, truth: Reads) -> dict[str, Any]:
    return {
        "assertion": assertion.id,
        "predicate": assertion.predicate,
        "negated": assertion.negated,
        "qualifiers": dict(assertion.qualifiers),
        "citation": to_plain(cite(assertion.evidence[0], truth)),
    }
