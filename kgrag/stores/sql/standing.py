"""The standing of document versions in the database: who supersedes whom, and what was in force.

``settle`` runs inside the transaction that changed something, and looks at no more than the
documents of one issuer that share a scope with what changed, or that one of them claims to replace.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, or_, select, update

from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Source
from kgrag.stores.base import Ingested
from kgrag.stores.sql import codec
from kgrag.stores.sql.internals import internal, set_internal
from kgrag.stores.sql.schema import changes, documents, recommended, standings
from kgrag.stores.standing import Edition, Kept, ValidThen, edition_of, in_force, rules_sha256

Log = Callable[[Connection, str, str], int]
# Which rules the standings were made by.
_RULES: Final = "standing_rules"
_LIVE = documents.c.status != "replaced"


def edition_of_item(item: Ingested) -> Edition:
    """What supersession looks at in a document that is put."""
    document = item.document
    return edition_of(document.id, document.source, document.metadata, item.recommendations)


def row_of(doc: int, edition: Edition) -> dict[str, Any]:
    """The edition as a row of ``standings``."""
    return {
        "doc": doc,
        "collection": edition.source.collection,
        "issuer": edition.issuer,
        "scope": edition.scope,
        "dated": edition.dated,
        "claiming": len(edition.claims),
        "names": codec.dump([edition.title, edition.identifiers, edition.claims]),
    }


def edition(connection: Connection, doc: int) -> Edition:
    """The edition that is kept under this number."""
    return _edition(connection.execute(_query().where(documents.c.doc == doc)).one())


def settle(connection: Connection, touched: Iterable[Edition], log: Log) -> None:
    """Documents that others supersede now are so, and those that nothing supersedes are current.

    ``touched`` are versions that came, went, or changed what they say of themselves. Every change
    of a status is logged, those that cease to be current first.
    """
    seen: dict[Hashable, list[tuple[Edition, str]]] = {}

    def rivals(of: Edition) -> list[tuple[Edition, str]]:
        # Those of one scope are the same for all of it.
        key = of if of.claims else (of.source.collection, of.issuer, of.scope)
        if key not in seen:
            rows = _rivals(connection, of) if of.issuer is not None else ()
            seen[key] = [(_edition(row), row.status) for row in rows]
        return seen[key]

    wanted: dict[str, tuple[Edition, str]] = {}
    for one in touched:
        for row in connection.execute(_query().where(_LIVE, documents.c.id == one.id)):
            wanted[row.id] = _edition(row), row.status
        # Of the others only those can turn that it supersedes, or superseded until now.
        wanted.update((o.id, (o, status)) for o, status in rivals(one) if one.supersedes(o))
    turned = []
    for identifier, (own, status) in wanted.items():
        superseded = any(other.supersedes(own) for other, _ in rivals(own))
        if superseded != (status == "superseded"):
            turned.append(("retire" if superseded else "add", identifier))
    for op, identifier in sorted(turned, key=lambda turn: (turn[0] != "retire", turn[1])):
        generation = log(connection, op, identifier)
        connection.execute(
            update(documents)
            .where(documents.c.id == identifier)
            .values(
                status="superseded" if op == "retire" else "current",
                generation=generation,
            )
        )


def related(connection: Connection, document_id: str, *, later: bool) -> tuple[str, ...]:
    """The live documents that supersede this live one (``later``), or that it supersedes."""
    row = connection.execute(_query().where(_LIVE, documents.c.id == document_id)).one_or_none()
    if row is None or row.issuer is None:
        return ()
    own = _edition(row)
    others = [_edition(other) for other in _rivals(connection, own)]
    found = [o.id for o in others if (o.supersedes(own) if later else own.supersedes(o))]
    return tuple(sorted(found))


def _rivals(connection: Connection, one: Edition) -> Sequence[Row[Any]]:
    """Live documents of the same collection and issuer that could supersede it or be superseded."""
    same = _query().where(
        _LIVE, standings.c.collection == one.source.collection, standings.c.issuer == one.issuer
    )
    if not one.claims:
        claiming = standings.c.claiming > 0
        same = same.where(
            claiming if one.scope is None else or_(standings.c.scope == one.scope, claiming)
        )
    return connection.execute(same).all()


def valid_at(connection: Connection, as_of: str) -> ValidThen:
    """See ``kgrag.stores.standing.in_force``."""
    return in_force(
        (
            Kept(_edition(row), row.status != "replaced", row.generation)
            for row in connection.execute(_query())
        ),
        as_of,
    )


def last_generation(connection: Connection) -> int:
    """The number of the last change, 0 when there was none."""
    return int(connection.scalar(select(func.max(changes.c.generation))) or 0)


def follow_rules(connection: Connection, log: Log) -> None:
    """The standings are those of the rules of today."""
    today = rules_sha256()
    if internal(connection, _RULES) != today:
        connection.execute(standings.delete())
        fill(connection, log)


def fill(connection: Connection, log: Log) -> None:
    """Every document has a standing; none had one before."""
    rows = connection.execute(
        select(
            documents.c.doc,
            documents.c.id,
            documents.c.collection,
            documents.c.identifier,
            documents.c.metadata,
        )
    ).all()
    found = []
    for row in rows:
        own = edition_of(
            row.id,
            Source(row.collection, row.identifier),
            codec.load_metadata(row.metadata),
            _advice(connection, row),
        )
        connection.execute(standings.insert().values(**row_of(row.doc, own)))
        found.append(own)
    settle(connection, found, log)
    set_internal(connection, _RULES, rules_sha256())


def _advice(connection: Connection, row: Any) -> list[Recommendation]:
    kept = connection.scalars(select(recommended.c.record).where(recommended.c.doc == row.doc))
    return [codec.load_recommendation(row.id, record) for record in kept]


def _query() -> Select[Any]:
    return select(
        documents.c.id,
        documents.c.collection,
        documents.c.identifier,
        documents.c.status,
        documents.c.generation,
        standings.c.issuer,
        standings.c.scope,
        standings.c.dated,
        standings.c.names,
    ).join_from(documents, standings)


def _edition(row: Row[Any]) -> Edition:
    title, identifiers, claims = json.loads(row.names)
    return Edition(
        row.id,
        Source(row.collection, row.identifier),
        row.issuer,
        row.scope,
        row.dated,
        tuple(title),
        tuple(identifiers),
        tuple(claims),
    )
