"""The predicates of kgrag: what may stand at their ends and what they are in Biolink.

The data is ``ontologies/relations.toml``; it is read once and never changed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Literal, cast, get_args

from kgrag.errors import SettingsError, UnknownName
from kgrag.paths import resource
from kgrag.records.concepts import ConceptType

Match = Literal["exact", "close", "broad"]

_TYPES: Final = frozenset(get_args(ConceptType))
_MATCHES: Final = frozenset(get_args(Match))
_NEEDED: Final = frozenset(("label", "inverse", "definition", "subject", "object"))
_KEYS: Final = _NEEDED | frozenset(("symmetric", "same_type", "biolink", "match"))


@dataclass(frozen=True, slots=True)
class Relation:
    """A predicate with its signature.

    ``subject`` and ``object`` are the concept types allowed at the ends; ``same_type`` asks for
    equal types at both. ``biolink`` is a CURIE or None, ``match`` how near it is.
    """

    name: str
    label: str
    inverse: str
    definition: str
    subject: frozenset[ConceptType]
    object: frozenset[ConceptType]
    symmetric: bool = False
    same_type: bool = False
    biolink: str | None = None
    match: Match | None = None

    def allows(self, subject: ConceptType, object_: ConceptType) -> bool:
        """Whether concepts of these types may stand at the ends."""
        return (
            subject in self.subject
            and object_ in self.object
            and (not self.same_type or subject == object_)
        )


@cache
def relations() -> Mapping[str, Relation]:
    """All predicates by name, in the order of the file."""
    return read_relations(resource("ontologies", "relations.toml"))


def relation(name: str) -> Relation:
    """The predicate of that name; UnknownName lists the known ones."""
    known = relations()
    if name not in known:
        raise UnknownName("predicate", name, tuple(known))
    return known[name]


def read_relations(path: Path) -> Mapping[str, Relation]:
    """The predicates of a file; SettingsError names the first entry that is not well formed."""
    with path.open("rb") as file:
        data = tomllib.load(file)
    return MappingProxyType({name: _relation(name, entry, path) for name, entry in data.items()})


def _relation(name: str, entry: Mapping[str, Any], path: Path) -> Relation:
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise SettingsError(f"{path.name}: [{name}] has unknown keys: {', '.join(unknown)}")
    match, biolink = entry.get("match"), entry.get("biolink")
    if (match is None) != (biolink is None) or (match is not None and match not in _MATCHES):
        raise SettingsError(f"{path.name}: [{name}] needs both biolink and match, or neither")
    try:
        return Relation(
            name=name,
            label=entry["label"],
            inverse=entry["inverse"],
            definition=entry["definition"],
            subject=_types(entry["subject"]),
            object=_types(entry["object"]),
            symmetric=bool(entry.get("symmetric", False)),
            same_type=bool(entry.get("same_type", False)),
            biolink=biolink,
            match=match,
        )
    except KeyError as error:
        raise SettingsError(f"{path.name}: [{name}] lacks {error.args[0]!r}") from error
    except ValueError as error:
        raise SettingsError(f"{path.name}: [{name}]: {error}") from error


def _types(names: list[str]) -> frozenset[ConceptType]:
    unknown = sorted(set(names) - _TYPES)
    if unknown or not names:
        raise ValueError(f"no concept types: {', '.join(unknown) or 'none given'}")
    return frozenset(cast("list[ConceptType]", names))
