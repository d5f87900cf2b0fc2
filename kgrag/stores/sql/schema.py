"""The tables of the truth, the same on SQLite and PostgreSQL.

``doc`` is a document's number inside this database; its public id is ``documents.id``. Offsets
are code points. JSON columns are text written by ``codec``. Nothing of a removed document stays
but its id, in ``tombstones`` and ``changes``, and keyed hashes.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql

metadata: Final = MetaData()

# Identifiers are ordered by code point on every database, whatever its language.
_ID: Final = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")

# SQLite gives numbers by itself only to a column declared INTEGER.
_KEY: Final = BigInteger().with_variant(Integer(), "sqlite")

# What the store keeps for itself: schema version, key of the hashes, purge to be done, writer.
internals: Final = Table(
    "internals",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

settings: Final = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

documents: Final = Table(
    "documents",
    metadata,
    Column("doc", _KEY, primary_key=True, autoincrement=True),
    Column("id", _ID, nullable=False, unique=True),
    Column("collection", Text, nullable=False),
    Column("identifier", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("original_sha256", Text, nullable=False, index=True),
    Column("reader", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("status", Text, nullable=False),  # current, superseded or replaced
    Column("generation", BigInteger, nullable=False),
    Column("chars", Integer, nullable=False),
    Column("mentions", Integer, nullable=False),  # counts, so that statistics read no bodies
    Column("rejects", Integer, nullable=False),
    Index(
        "one_current_version",
        "collection",
        "identifier",
        unique=True,
        sqlite_where=text("status = 'current'"),
        postgresql_where=text("status = 'current'"),
    ),
)

_DOC: Final = "documents.doc"


def _doc() -> Column[int]:
    return Column("doc", _KEY, ForeignKey(_DOC), nullable=False)


bodies: Final = Table(
    "bodies",
    metadata,
    Column("doc", _KEY, ForeignKey(_DOC), primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("structure", Text, nullable=False),
    Column("mentions", Text, nullable=False),
    Column("rejects", Text, nullable=False),
)

passages: Final = Table(
    "passages",
    metadata,
    Column("id", _ID, primary_key=True),
    _doc(),
    Column("position", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("stop", Integer, nullable=False),
    Column("section", Text, nullable=False),
    Column("page", Integer),
    Column("text_sha256", LargeBinary, nullable=False, index=True),
    Index("passages_of_document", "doc", "position", unique=True),
)

# How often a passage mentions a concept.
postings: Final = Table(
    "postings",
    metadata,
    Column("concept", _ID, nullable=False),
    _doc(),
    Column("position", Integer, nullable=False),
    Column("mentions", Integer, nullable=False),
    PrimaryKeyConstraint("concept", "doc", "position"),
    Index("postings_of_document", "doc"),
    sqlite_with_rowid=False,
)

# One row an assertion and document: what this document says, merged with the others on reading.
stated: Final = Table(
    "stated",
    metadata,
    Column("id", _ID, nullable=False),
    _doc(),
    Column("subject", _ID, nullable=False, index=True),
    Column("predicate", Text, nullable=False),
    Column("object", _ID, nullable=False, index=True),
    Column("negated", Boolean, nullable=False),
    Column("qualifiers", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("certainty", Text, nullable=False),
    Column("pieces", Integer, nullable=False),  # number of pieces of evidence
    Column("evidence", Text, nullable=False),
    PrimaryKeyConstraint("id", "doc"),
    Index("stated_of_document", "doc"),
)

# What a guideline advises, one row a recommendation; ``record`` is all of it.
recommended: Final = Table(
    "recommended",
    metadata,
    Column("id", _ID, primary_key=True),
    _doc(),
    Column("record", Text, nullable=False),
    Index("recommended_of_document", "doc"),
)

# The concepts of a recommendation: its interventions and its conditions.
advised_on: Final = Table(
    "advised_on",
    metadata,
    Column("concept", _ID, nullable=False),
    Column("recommendation", _ID, nullable=False),
    _doc(),
    PrimaryKeyConstraint("concept", "recommendation"),
    Index("advised_on_of_document", "doc"),
    sqlite_with_rowid=False,
)

# What supersession looks at: keys of issuer and scope, the date, and the names of the document and
# of what it claims to replace (``claiming`` of them). One row a document.
standings: Final = Table(
    "standings",
    metadata,
    Column("doc", _KEY, ForeignKey(_DOC), primary_key=True, autoincrement=False),
    Column("collection", Text, nullable=False),
    Column("issuer", Text),
    Column("scope", Text),
    Column("dated", Text),
    Column("claiming", Integer, nullable=False),
    Column("names", Text, nullable=False),
    Index("standings_of_scope", "collection", "issuer", "scope"),
    Index("standings_of_claims", "collection", "issuer", "claiming"),
)

tombstones: Final = Table(
    "tombstones",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("source_hash", Text, nullable=False),
    Column("collection_hash", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
)

changes: Final = Table(
    "changes",
    metadata,
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("op", Text, nullable=False),
    Column("document_id", _ID, nullable=False),
)

embeddings: Final = Table(
    "embeddings",
    metadata,
    Column("encoder", Text, nullable=False),
    Column("text_sha256", LargeBinary, nullable=False),
    Column("vector", LargeBinary, nullable=False),  # float32, little-endian
    Index("embedding_of_text", "text_sha256", "encoder", unique=True),
)

# Which documents hold a text that was embedded, where it is not a passage's text as it stands.
embedding_owners: Final = Table(
    "embedding_owners",
    metadata,
    Column("text_sha256", LargeBinary, nullable=False),
    _doc(),
    PrimaryKeyConstraint("text_sha256", "doc"),
    Index("embedding_owners_of_document", "doc"),
    sqlite_with_rowid=False,
)

file_states: Final = Table(
    "file_states",
    metadata,
    Column("collection", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("shape", Text, nullable=False),
    Column("documents", Text, nullable=False),
    PrimaryKeyConstraint("collection", "path"),
)

# In the order in which the rows of a document may be deleted.
OF_DOCUMENT: Final = (
    postings,
    stated,
    advised_on,
    recommended,
    standings,
    embedding_owners,
    passages,
    bodies,
    documents,
)
