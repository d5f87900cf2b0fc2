"""The truth store's twin in memory: same promises, nothing kept after the process ends.

For tests and trials. It is written apart from the SQL store, so that the two check each other.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kgrag.errors import NotFound
from kgrag.ids import sha256
from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Mention
from kgrag.records.recommendations import Recommendation
from kgrag.records.text import Document, Metadata, Passage, Source
from kgrag.stores.base import Change, DocumentInfo, FileState, Ingested, Status
from kgrag.stores.graph_arrays import StatedRow
from kgrag.stores.sql.check import (
    assertion_problems,
    check_ingested,
    document_problems,
    mention_problems,
    passage_problems,
    recommendation_problems,
)
from kgrag.stores.standing import Edition, Kept, ValidThen, edition_of, in_force, takes_effect_after


@dataclass(slots=True)
class _Kept:
    item: Ingested
    status: Status
    generation: int


def _derived(item: Ingested) -> tuple[object, ...]:
    """What was found in the document, comparable."""
    said = {a.id: a for a in item.assertions}
    rejects = tuple(sorted(repr(sorted(dict(r).items())) for r in item.rejects))
    advice = {r.id: r for r in item.recommendations}
    return item.document.metadata, item.passages, item.mentions, said, rejects, advice


class MemoryTruth:
    """``TruthStore`` in dictionaries."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._kept: dict[str, _Kept] = {}
        self._tombstones: dict[str, DocumentInfo] = {}
        self._changes: list[Change] = []
        self._vectors: dict[tuple[str, str], NDArray[np.float32]] = {}
        self._owners: dict[str, set[str]] = {}
        self._files: dict[tuple[str, str], FileState] = {}
        self._settings: dict[str, str] = {"schema": "3"}
        self._removed = False

    @property
    def generation(self) -> int:
        return len(self._changes)

    def _log(self, op: Any, document_id: str) -> int:
        self._changes.append(Change(self.generation + 1, op, document_id))
        return self.generation

    def put(self, item: Ingested) -> bool:
        check_ingested(item)
        document_id = item.document.id
        kept = self._kept.get(document_id)
        if kept is not None and kept.status != "replaced":
            if _derived(kept.item) == _derived(item):
                return False
            if kept.status == "current":
                self._log("retire", document_id)
                kept.generation = self._log("add", document_id)
            kept.item = item
            self._settle()
            return True
        for other in self._kept.values():
            if other.status != "replaced" and other.item.document.source == item.document.source:
                if item.document.metadata.dated_before(other.item.document.metadata):
                    if kept is not None:
                        return False
                    self._tombstones.pop(document_id, None)
                    self._kept[document_id] = _Kept(item, "replaced", other.generation)
                    return True
                if other.status == "current":
                    other.generation = self._log("retire", other.item.document.id)
                other.status = "replaced"
        self._tombstones.pop(document_id, None)
        self._kept[document_id] = _Kept(kept.item if kept else item, "superseded", self.generation)
        self._settle()
        return True

    def _settle(self) -> None:
        """Every live document is current or superseded, as all of them together say."""
        live = {
            key: (kept, _edition(kept.item))
            for key, kept in sorted(self._kept.items())
            if kept.status != "replaced"
        }
        wanted: dict[str, Status] = {
            key: "superseded" if any(o.supersedes(own) for _, o in live.values()) else "current"
            for key, (_, own) in live.items()
        }
        for status, op in (("superseded", "retire"), ("current", "add")):
            for key, (kept, _) in live.items():
                if wanted[key] == status != kept.status:
                    kept.generation = self._log(op, key)
                    kept.status = wanted[key]

    def remove(self, document_id: str) -> bool:
        if document_id in self._tombstones:
            return False
        kept = self._find(document_id)
        del self._kept[document_id]
        source = kept.item.document.source
        hashes = Source(self._keyed(source.collection), self._keyed(*_parts(source)))
        self._tombstones[document_id] = DocumentInfo(
            document_id, hashes, "", "", Metadata(), "removed", 0, self._log("retire", document_id)
        )
        self._files = {k: f for k, f in self._files.items() if document_id not in f.documents}
        touched = _hashes(kept.item) | {
            digest for digest, ids in self._owners.items() if document_id in ids
        }
        for ids in self._owners.values():
            ids.discard(document_id)
        self._drop_ownerless(touched)
        self._settle()
        self._removed = True
        return True

    def _drop_ownerless(self, among: set[str]) -> None:
        held = {digest for digest, ids in self._owners.items() if ids}
        for kept in self._kept.values():
            held |= _hashes(kept.item)
        gone = among - held
        self._vectors = {k: v for k, v in self._vectors.items() if k[1] not in gone}

    def purge(self) -> None:
        if self._removed:
            self._drop_ownerless({digest for _, digest in self._vectors})
            self._removed = False

    def _keyed(self, *parts: str) -> str:
        return hmac.new(self._key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()

    def _find(self, document_id: str) -> _Kept:
        kept = self._kept.get(document_id)
        if kept is None:
            hint = "it was removed" if document_id in self._tombstones else None
            raise NotFound("document", document_id, hint=hint)
        return kept

    def document(self, document_id: str) -> Document:
        return self._find(document_id).item.document

    def info(self, document_id: str) -> DocumentInfo:
        if document_id in self._tombstones:
            return self._tombstones[document_id]
        kept = self._find(document_id)
        document = kept.item.document
        return DocumentInfo(
            document_id,
            document.source,
            document.uri,
            document.title,
            document.metadata,
            kept.status,
            len(document.text),
            kept.generation,
        )

    def infos(self, document_ids: Sequence[str]) -> Mapping[str, DocumentInfo]:
        return {name: self.info(name) for name in document_ids if name in self._kept}

    def original(self, document_id: str) -> bytes:
        return self._find(document_id).item.original

    def current(self, source: Source) -> DocumentInfo | None:
        for document_id, kept in self._kept.items():
            if kept.status != "replaced" and kept.item.document.source == source:
                return self.info(document_id)
        return None

    def documents(
        self, *, collection: str | None = None, status: Status | None = "current"
    ) -> Iterator[DocumentInfo]:
        for document_id in sorted({*self._kept, *self._tombstones}):
            found = self.info(document_id)
            wanted = collection
            if collection is not None and found.status == "removed":
                wanted = self._keyed(collection)
            if wanted in (None, found.source.collection) and status in (None, found.status):
                yield found

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        if document_id in self._tombstones:
            return ()
        return self._find(document_id).item.passages

    def passages_by_id(self, ids: Sequence[str]) -> Mapping[str, tuple[Passage, str]]:
        known = {
            passage.id: (passage, kept.item.document.text[passage.start : passage.end])
            for kept in self._kept.values()
            for passage in kept.item.passages
        }
        return {key: known[key] for key in ids if key in known}

    def mentions(self, document_id: str) -> tuple[Mention, ...]:
        if document_id in self._tombstones:
            return ()
        return self._find(document_id).item.mentions

    def rejects(self, document_id: str) -> tuple[Mapping[str, Any], ...]:
        if document_id in self._tombstones:
            return ()
        return tuple(dict(reject) for reject in self._find(document_id).item.rejects)

    def passages_with_concepts(
        self, concepts: Sequence[str], *, limit: int = 1000, as_of: str | None = None
    ) -> Sequence[tuple[str, str]]:
        counted = Counter(
            (passage.id, mention.concept)
            for item in (kept.item for _, kept in self._that_count(True, as_of))
            for passage in item.passages
            for mention in item.mentions
            if mention.concept in concepts
            and passage.start <= mention.start
            and mention.end <= passage.end
        )
        return sorted(counted, key=lambda pair: (-counted[pair], pair))[:limit]

    def _current(self) -> list[Ingested]:
        return [kept.item for kept in self._kept.values() if kept.status == "current"]

    def assertions(
        self,
        ids: Sequence[str] | None = None,
        *,
        concept: str | None = None,
        document_id: str | None = None,
        current: bool = True,
        as_of: str | None = None,
    ) -> Iterator[Assertion]:
        found: dict[str, Assertion] = {}
        for key, kept in self._that_count(current, as_of):
            if document_id not in (None, key):
                continue
            for assertion in kept.item.assertions:
                identifier = assertion.id
                if ids is not None and identifier not in ids:
                    continue
                if concept is None or concept in (assertion.subject, assertion.object):
                    found[identifier] = found.get(identifier, assertion).merged(assertion)
        yield from (found[identifier] for identifier in sorted(found))

    def recommendations(
        self,
        ids: Sequence[str] | None = None,
        *,
        concept: str | None = None,
        document_id: str | None = None,
        current: bool = True,
        as_of: str | None = None,
    ) -> Iterator[Recommendation]:
        """See ``TruthStore``."""
        found = [
            advice
            for key, kept in self._that_count(current, as_of)
            if document_id in (None, key)
            for advice in kept.item.recommendations
            if ids is None or advice.id in ids
            if as_of is None or not takes_effect_after(advice, as_of)
        ]
        for advice in sorted(found, key=lambda advice: advice.id):
            if concept is None or concept in (*advice.interventions, *advice.conditions):
                yield advice

    def in_force(self, as_of: str) -> ValidThen:
        """See ``TruthStore``."""
        kept = self._kept.values()
        return in_force(
            [Kept(_edition(k.item), k.status != "replaced", k.generation) for k in kept], as_of
        )

    def superseders(self, document_id: str) -> tuple[str, ...]:
        """See ``TruthStore``."""
        return self._related(document_id, later=True)

    def superseded(self, document_id: str) -> tuple[str, ...]:
        """See ``TruthStore``."""
        return self._related(document_id, later=False)

    def _related(self, document_id: str, *, later: bool) -> tuple[str, ...]:
        self.info(document_id)
        live = {k: _edition(v.item) for k, v in self._kept.items() if v.status != "replaced"}
        own = live.pop(document_id, None)
        if own is None:
            return ()
        found = (k for k, o in live.items() if (o.supersedes(own) if later else own.supersedes(o)))
        return tuple(sorted(found))

    def _that_count(self, current: bool, as_of: str | None) -> list[tuple[str, _Kept]]:
        if as_of is None:
            return [
                (key, kept)
                for key, kept in self._kept.items()
                if kept.status == "current" or not current
            ]
        valid = self.in_force(as_of).documents
        return [(key, kept) for key, kept in self._kept.items() if key in valid]

    def edges(self) -> Iterator[tuple[str, str, str, str, int]]:
        for a in self.assertions():
            yield a.id, a.subject, a.predicate, a.object, len(a.evidence)

    def stated(self, documents: Sequence[str] | None = None) -> Iterator[StatedRow]:
        """See ``TruthStore``."""
        for key, kept in list(self._kept.items()):
            if kept.status != "current" or (documents is not None and key not in documents):
                continue
            for a in self.assertions(document_id=key):
                yield StatedRow(
                    key, a.id, a.subject, a.predicate, a.object, a.negated, len(a.evidence)
                )

    def negated_assertions(self) -> frozenset[str]:
        return frozenset(
            a.id for kept in self._kept.values() for a in kept.item.assertions if a.negated
        )

    def changes(self, since: int) -> Iterator[Change]:
        yield from self._changes[max(since, 0) :]

    def embeddings(
        self, encoder: str, text_sha256: Sequence[str]
    ) -> Mapping[str, NDArray[np.float32]]:
        return {
            digest: self._vectors[encoder, digest]
            for digest in text_sha256
            if (encoder, digest) in self._vectors
        }

    def put_embeddings(
        self,
        encoder: str,
        vectors: Mapping[str, NDArray[np.float32]],
        *,
        owners: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        for ids in (owners or {}).values():
            for document_id in ids:
                if document_id not in self._kept:
                    raise NotFound("document", document_id)
        for digest, ids in (owners or {}).items():
            self._owners.setdefault(digest, set()).update(ids)
        for digest, vector in vectors.items():
            kept = np.array(vector, dtype=np.float32)
            kept.flags.writeable = False
            self._vectors.setdefault((encoder, digest), kept)

    def file_state(self, collection: str, path: str) -> FileState | None:
        return self._files.get((collection, path))

    def put_file_state(self, state: FileState) -> None:
        self._files[state.collection, state.path] = replace(state)

    def setting(self, name: str) -> str | None:
        return self._settings.get(name)

    def put_setting(self, name: str, value: str) -> None:
        if name == "schema":
            raise ValueError("the schema's version is the store's own")
        self._settings[name] = value

    def counts(self) -> Mapping[str, int]:
        items = self._current()
        said = list(self.assertions())
        held = {
            (p.id, m.concept): m.concept
            for item in items
            for p in item.passages
            for m in item.mentions
            if p.start <= m.start and m.end <= p.end
        }
        return {
            "documents": len(items),
            "replaced": sum(kept.status == "replaced" for kept in self._kept.values()),
            "superseded": sum(kept.status == "superseded" for kept in self._kept.values()),
            "removed": len(self._tombstones),
            "collections": len({item.document.source.collection for item in items}),
            "chars": sum(len(item.document.text) for item in items),
            "passages": sum(len(item.passages) for item in items),
            "mentions": sum(len(item.mentions) for item in items),
            "concepts": len(set(held.values())),
            "assertions": len(said),
            "evidence": sum(len(assertion.evidence) for assertion in said),
            "recommendations": sum(len(item.recommendations) for item in items),
            "rejects": sum(len(item.rejects) for item in items),
            "embeddings": len(self._vectors),
        }

    def verify(self) -> Iterator[str]:
        for document_id, kept in sorted(self._kept.items()):
            item = kept.item
            document = item.document
            for line in (
                *document_problems(document),
                *passage_problems(document, item.passages),
                *mention_problems(document, item.mentions),
                *assertion_problems(document, item.assertions),
                *recommendation_problems(document, item.recommendations),
            ):
                yield f"{document_id}: {line}"
            if sha256(item.original) != document.original_sha256:
                yield f"{document_id}: an original file was altered"

    def close(self) -> None:
        """Nothing to let go of."""


def _edition(item: Ingested) -> Edition:
    document = item.document
    return edition_of(document.id, document.source, document.metadata, item.recommendations)


def _parts(source: Source) -> tuple[str, str]:
    return source.collection, source.identifier


def _hashes(item: Ingested) -> set[str]:
    text = item.document.text
    return {sha256(text[p.start : p.end].encode()) for p in item.passages}
