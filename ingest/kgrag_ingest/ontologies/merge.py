"""Entries of several vocabularies that mean the same become one concept.

Two entries are one when they have the same id, when the cross-walk says so, or when a preferred
name of one is a name of the other and both are of one kind (conditions, or substances). A
concept takes at most one entry of a vocabulary by name, the one with the nearest name: sibling
terms with a shared synonym stay apart, and the name stays ambiguous. So do two ids of one
vocabulary, which tells them apart, whatever a package's synonyms say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kgrag.linking.normalise import key
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import PREFERRED, SYNONYM
from kgrag.vocabulary.prefixes import is_kin
from kgrag_ingest.ontologies.base import Entry, Name

# The id a concept goes by is the first of these that it has.
_RANK: Final = ("MESH", "HP", "CHEBI", "DRUGBANK", "DOID", "LOINC", "ICD10CM", "UNII", "KGRAG")
_KIND: Final[dict[ConceptType, str]] = {
    "disease": "condition",
    "phenotype": "condition",
    "drug": "substance",
    "chemical": "substance",
}


class Merged:
    """The concepts so far, by the ids and the names of their entries."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._owner: dict[str, str] = {}
        self._named: dict[tuple[str, str], dict[str, int]] = {}

    def curie(self, identifier: str) -> str | None:
        """The CURIE of the concept that has this id; None when no concept has it."""
        return self._owner.get(identifier)

    def rename(self, identifier: str, name: str) -> None:
        """The concept with this id goes by ``name``; one that no entry has is left as it is."""
        owner = self._owner.get(identifier)
        if owner is None or self.entries[owner].curie != identifier:
            return
        concept = self.entries[owner]
        # As it is spelled already, if it is: lists of names are often in lower case.
        spelled = [n.text for n in concept.names if key(n.text) == key(name)]
        name = next((text for text in spelled if text != text.lower()), name[:1].upper() + name[1:])
        others = [
            Name(n.text, SYNONYM if n.kind == PREFERRED else n.kind, n.cased, n.matched)
            for n in concept.names
            if key(n.text) != key(name)
        ]
        concept.name = name
        concept.names = [Name(name, PREFERRED), *others]

    def unite(self, one: str, other: str) -> bool:
        """The concepts of the two ids are one; False when they are of different kinds."""
        first, second = self._owner[one], self._owner[other]
        if first == second:
            return True
        if not alike(self.entries[first].type, self.entries[second].type):
            return False
        joining = self.entries.pop(second)
        for identifier in (second, *joining.same_as):
            if self._owner.get(identifier) == second:
                self._owner[identifier] = first
        for name in joining.names:
            for kind in ("condition", "substance"):
                self._named.get((kind, key(name.text)), {}).pop(second, None)
        self._join(self.entries[first], joining)
        return True

    def identify(self, owner: str, identifier: str) -> None:
        """The concept also has this id, which no concept has yet."""
        self.entries[owner].same_as.append(identifier)
        self._owner.setdefault(identifier, owner)

    def evict(self, identifier: str) -> None:
        """The concept that has this id loses it; one that goes by it then goes by one of ours."""
        concept = self.entries[self._owner[identifier]]
        if concept.curie == identifier:
            base = f"KGRAG:{key(concept.name).replace(' ', '-') or 'unnamed'}"
            curie, at = base, 1
            while curie in self.entries:
                at += 1
                curie = f"{base}-{at}"
            self._rename(concept, curie)
            self._owner[curie] = curie
        concept.same_as = [other for other in concept.same_as if other != identifier]
        del self._owner[identifier]

    def add(self, entries: Iterable[Entry], *, apart: bool = False) -> int:
        """Merge the entries of one vocabulary in; gives how many joined a concept by name.

        With ``apart`` no entry joins by name a concept that another joined by id: a vocabulary
        keeps its own terms apart.
        """
        waiting: list[Entry] = []
        taken: set[str] = set()
        for entry in entries:
            owner = self._by_id(entry)
            if owner is None:
                waiting.append(entry)
            else:
                self._join(self.entries[owner], entry)
                if apart and (now := self.curie(entry.curie)) is not None:
                    taken.add(now)
        offers = sorted(
            (
                (distance, at, owner)
                for at, entry in enumerate(waiting)
                for owner, distance in self._by_name(entry).items()
            ),
        )
        joined: set[int] = set()
        for _, at, owner in offers:
            if owner not in taken and at not in joined:
                taken.add(owner)
                joined.add(at)
                self._join(self.entries[owner], waiting[at])
        for at, entry in enumerate(waiting):
            if at in joined:
                continue
            owner = self._by_id(entry)  # of an entry of this vocabulary, added just now
            if owner is None:
                self.entries[entry.curie] = entry
                self._register(entry.curie, entry)
            else:
                self._join(self.entries[owner], entry)
        return len(joined)

    def _by_id(self, entry: Entry) -> str | None:
        for identifier in (entry.curie, *entry.same_as):
            owner = self._owner.get(identifier)
            # A UMLS or SNOMED CT code may stand at several terms: it says kinship, not identity.
            if owner is not None and (owner == identifier or not is_kin(identifier)):
                return owner
        return None

    def _by_name(self, entry: Entry) -> dict[str, int]:
        """Concepts of the same kind with a matching name, to 0 (preferred both), 1 or 2."""
        kind = _KIND.get(entry.type)
        if kind is None:
            return {}
        found: dict[str, int] = {}
        for name in entry.names:
            own = 0 if name.kind == PREFERRED else 1
            for owner, its in self._named.get((kind, key(name.text)), {}).items():
                if own + its <= 1 and not name.cased and not self._has_id_like(owner, entry.curie):
                    distance = own + its
                    found[owner] = min(found.get(owner, 9), distance)
        return _nearest_only(found)

    def _has_id_like(self, owner: str, identifier: str) -> bool:
        """Whether the concept has an id of that id's vocabulary: it tells the two apart."""
        start = f"{identifier.partition(':')[0]}:"
        if start == "KGRAG:" or is_kin(identifier):
            return False
        concept = self.entries[owner]
        return any(i.startswith(start) for i in (concept.curie, *concept.same_as))

    def _register(self, owner: str, entry: Entry) -> None:
        for identifier in (entry.curie, *entry.same_as):
            self._owner.setdefault(identifier, owner)
        kind = _KIND.get(entry.type)
        if kind is not None:
            for name in entry.names:
                its = self._named.setdefault((kind, key(name.text)), {})
                its[owner] = min(its.get(owner, 9), 0 if name.kind == PREFERRED else 1)

    def _join(self, concept: Entry, entry: Entry) -> None:
        self._register(concept.curie, entry)
        spelled = {key(name.text) for name in concept.names}
        for name in entry.names:
            if key(name.text) not in spelled:
                kind = SYNONYM if name.kind == PREFERRED else name.kind
                concept.names.append(Name(name.text, kind, name.cased, name.matched))
        concept.same_as.extend(
            i
            for i in (entry.curie, *entry.same_as)
            if i != concept.curie and i not in concept.same_as
        )
        concept.parents.extend(p for p in entry.parents if p not in concept.parents)
        if entry.type == "drug" and concept.type == "chemical":
            concept.type = "drug"
        if _rank(entry.curie) < _rank(concept.curie):
            self._rename(concept, entry.curie)

    def _rename(self, concept: Entry, curie: str) -> None:
        old = concept.curie
        del self.entries[old]
        concept.same_as = [old, *(i for i in concept.same_as if i != curie)]
        concept.curie = curie
        self.entries[curie] = concept
        for identifier in (curie, *concept.same_as):
            if self._owner.get(identifier) == old:
                self._owner[identifier] = curie
        for name in concept.names:
            for kind in ("condition", "substance"):
                its = self._named.get((kind, key(name.text)))
                if its and old in its:
                    its[curie] = its.pop(old)


def alike(one: ConceptType, other: ConceptType) -> bool:
    """Whether concepts of these types may be one: both conditions, both substances, or equal."""
    return _KIND.get(one, one) == _KIND.get(other, other)


def _nearest_only(found: dict[str, int]) -> dict[str, int]:
    """Of several concepts equally near, none: the name is ambiguous."""
    if not found:
        return found
    nearest = min(found.values())
    best = [owner for owner, distance in found.items() if distance == nearest]
    return {best[0]: nearest} if len(best) == 1 else {}


def _rank(curie: str) -> int:
    prefix = curie.partition(":")[0]
    return _RANK.index(prefix) if prefix in _RANK else len(_RANK)
