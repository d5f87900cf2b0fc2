"""Vocabularies that users bring joined to the concepts that are there.

An id is believed only as far as its names bear it out. One whose name disagrees with the name
that the lexicon has for it is refused, unless the file is the vocabulary that gives the id out:
then the lexicon's concept loses it. A cross-reference joins two concepts when it is the only one
of its vocabulary to the id and both are of one kind; otherwise it is left out, for siblings that
point to one id are not one thing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from kgrag.linking.normalise import key, numbers
from kgrag.vocabulary.lexicon import GENERATED
from kgrag.vocabulary.prefixes import is_kin
from kgrag_ingest.ontologies.base import Entry, Name, Vocabulary
from kgrag_ingest.ontologies.merge import Merged, alike

_SHOWN: Final = 200


@dataclass(slots=True)
class Joined:
    """What became of one vocabulary: counts for its record, and lines on what was refused."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def refuse(self, what: str) -> None:
        self.counts["ids refused: named otherwise"] += 1
        if len(self.problems) < _SHOWN:
            self.problems.append(what)


def join(merged: Merged, vocabulary: Vocabulary) -> Joined:
    """The vocabulary's entries, retired names and mappings are in ``merged``."""
    joined = Joined()
    claims = Counter(
        identifier for entry in vocabulary.entries for identifier in set(entry.same_as)
    )
    holders = _holders(merged)
    kept: list[Entry] = []
    for entry in vocabulary.entries:
        if _is_believed(merged, entry, vocabulary, joined):
            kept.append(_settled(merged, entry, claims, holders, joined))
    joined.counts["joined by name"] = merged.add(kept, apart=True)
    _add_retired_names(merged, vocabulary)
    link(merged, vocabulary, joined)
    return joined


def _holders(merged: Merged) -> dict[str, list[str]]:
    """Ids that say kinship, to the concepts at which they stand."""
    holders: dict[str, list[str]] = {}
    for curie, concept in merged.entries.items():
        for other in concept.same_as:
            if is_kin(other):
                holders.setdefault(other, []).append(curie)
    return holders


def _is_believed(merged: Merged, entry: Entry, vocabulary: Vocabulary, joined: Joined) -> bool:
    """Whether the entry may have its own id: its names agree with those the id has already."""
    curie = merged.curie(entry.curie)
    if curie is None or (is_kin(entry.curie) and curie != entry.curie):
        return True
    owner = merged.entries[curie]
    if agree(owner, entry):
        return True
    if entry.curie.partition(":")[0] in vocabulary.authority:
        merged.evict(entry.curie)
        joined.counts["ids taken back from other names"] += 1
        return True
    joined.refuse(f"{entry.curie}: refused, {entry.name!r} here and {owner.name!r} in the lexicon")
    return False


def agree(one: Entry, other: Entry) -> bool:
    """Whether the two share a name, up to case, punctuation and number."""
    return not _spelled(one).isdisjoint(_spelled(other))


def _spelled(entry: Entry) -> set[str]:
    return {form for name in entry.names for form in numbers(key(name.text))}


def _settled(
    merged: Merged,
    entry: Entry,
    claims: Counter[str],
    holders: dict[str, list[str]],
    joined: Joined,
) -> Entry:
    """The entry with those ids in ``same_as`` that lead to one concept, or to none yet."""
    held = holders.get(entry.curie, [])
    targets: dict[str, bool] = {}  # concepts to join, and whether a name agrees
    if len(held) == 1 and merged.curie(held[0]) and alike(merged.entries[held[0]].type, entry.type):
        targets[held[0]] = agree(merged.entries[held[0]], entry)
    free: list[str] = []
    for identifier in entry.same_as:
        owner = merged.curie(identifier)
        if owner is None or is_kin(identifier):
            free.append(identifier)
        elif (
            owner != entry.curie
            and claims[identifier] == 1
            and alike(merged.entries[owner].type, entry.type)
        ):
            targets[owner] = agree(merged.entries[owner], entry)
        else:
            joined.counts["cross-references that lead elsewhere"] += 1
    agreeing = [target for target, agrees in targets.items() if agrees]
    chosen = agreeing[:1] or (list(targets) if len(targets) == 1 else [])
    joined.counts["joined by id"] += bool(chosen or merged.curie(entry.curie))
    joined.counts["cross-references that lead elsewhere"] += len(targets) - len(chosen)
    entry.same_as = [*chosen, *free]
    return entry


def _add_retired_names(merged: Merged, vocabulary: Vocabulary) -> None:
    """A name of a retired id that one concept replaced is a name of that concept."""
    for record in vocabulary.retired:
        owner = merged.curie(record.replaced_by[0]) if len(record.replaced_by) == 1 else None
        if owner is not None and record.name:
            concept = merged.entries[owner]
            if key(record.name) not in {key(name.text) for name in concept.names}:
                concept.names.append(Name(record.name, GENERATED))


def link(merged: Merged, vocabulary: Vocabulary, joined: Joined) -> None:
    """The mappings of the vocabulary are carried out as far as both ids and kinds allow."""
    for said in vocabulary.links:
        one, other = merged.curie(said.one), merged.curie(said.other)
        if one is None and other is None:
            joined.counts["mappings between unknown ids"] += 1
        elif said.relation == "narrower":
            if one is not None and other is not None and one != other:
                merged.entries[one].parents.append(other)
                joined.counts["mappings to a broader concept"] += 1
        elif one is None or other is None:
            known, new = (one, said.other) if one is not None else (other, said.one)
            assert known is not None
            merged.identify(known, new)
            joined.counts["ids added by mappings"] += 1
        elif one == other:
            joined.counts["mappings that were known"] += 1
        elif _has_own(merged, one, other):
            joined.counts["mappings refused: both are of one vocabulary"] += 1
        elif merged.unite(one, other):
            joined.counts["concepts united by mappings"] += 1
        else:
            joined.counts["mappings refused: different kinds"] += 1


def _has_own(merged: Merged, one: str, other: str) -> bool:
    """Whether both concepts have an id of one vocabulary: it keeps them apart on purpose."""
    return not _vocabularies(merged.entries[one]).isdisjoint(_vocabularies(merged.entries[other]))


def _vocabularies(entry: Entry) -> set[str]:
    ids: Iterable[str] = (entry.curie, *entry.same_as)
    return {i.partition(":")[0] for i in ids if not is_kin(i)} - {"KGRAG"}
