"""CURIEs: one spelling a prefix, and what can be known of an id without its vocabulary.

The data is ``ontologies/prefixes.toml`` (prefixes with their IRIs) and the ``prefix`` tables of
``ontologies/registry.toml`` (other spellings, patterns, check digits, types).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final, cast, get_args

from kgrag.errors import SettingsError
from kgrag.paths import resource
from kgrag.records.concepts import ConceptType

_KEYS: Final = frozenset(("pattern", "spelled", "type", "check", "kin"))
_RELEASE: Final = re.compile(r"_(?:\d{4}(?:_\d\d){0,2}|\d{4}[A-Z]{2})$")


@dataclass(frozen=True, slots=True)
class Prefix:
    """A prefix with its IRI; ``kin`` ids say kinship, not identity. ``pattern`` may be None."""

    name: str
    iri: str
    pattern: re.Pattern[str] | None = None
    type: ConceptType | None = None
    check: str | None = None
    kin: bool = False


@cache
def prefixes() -> Mapping[str, Prefix]:
    """All known prefixes by their preferred spelling."""
    iris = tomllib.loads(resource("ontologies", "prefixes.toml").read_text(encoding="utf-8"))
    known = _tables()
    missing = sorted(set(known) - set(iris))
    if missing:
        raise SettingsError(f"prefixes.toml has no IRI for {', '.join(missing)}")
    made: dict[str, Prefix] = {}
    for name, iri in iris.items():
        table = known.get(name, {})
        unknown = sorted(set(table) - _KEYS)
        type_ = table.get("type")
        if unknown or (type_ is not None and type_ not in get_args(ConceptType)):
            raise SettingsError(f"registry.toml: [prefix.{name}] is not well formed")
        made[name] = Prefix(
            name,
            iri,
            re.compile(table["pattern"]) if "pattern" in table else None,
            cast("ConceptType | None", type_),
            table.get("check"),
            bool(table.get("kin", False)),
        )
    return MappingProxyType(made)


@cache
def _tables() -> dict[str, dict[str, Any]]:
    text = resource("ontologies", "registry.toml").read_text(encoding="utf-8")
    return dict(tomllib.loads(text)["prefix"])


@cache
def _spellings() -> Mapping[str, str]:
    spelled = {name.lower(): name for name in prefixes()}
    for name, table in _tables().items():
        for other in table.get("spelled", []):
            spelled[other.lower()] = name
    return spelled


@cache
def canonical_prefix(spelled: str) -> str | None:
    """The prefix as kgrag writes it; None when it is unknown.

    Case does not matter, nor does a release at the end (``SNOMEDCT_US_2025_09_01``).
    """
    return _spellings().get(_RELEASE.sub("", spelled.strip()).lower())


def canonical(identifier: str) -> str | None:
    """The id as kgrag writes it (``mesh:D003920`` is ``MESH:D003920``); None when unknown."""
    prefix, colon, local = identifier.strip().partition(":")
    known = canonical_prefix(prefix) if colon else None
    if known is None or not local:
        return None
    again, colon, inner = local.partition(":")
    if colon and canonical_prefix(again) == known:  # CHEBI:CHEBI:15365
        local = inner
    return f"{known}:{local}"


def from_iri(iri: str) -> str | None:
    """The CURIE of an IRI of a known prefix; None for any other."""
    for start, name in _by_iri():
        if iri.startswith(start) and len(iri) > len(start):
            return canonical(f"{name}:{iri[len(start) :]}")
    if iri.startswith(_OBO):
        space, _, local = iri[len(_OBO) :].partition("_")
        return canonical(f"{space}:{local}") if local else None
    return None


_OBO: Final = "http://purl.obolibrary.org/obo/"


@cache
def _by_iri() -> tuple[tuple[str, str], ...]:
    return tuple(sorted(((p.iri, p.name) for p in prefixes().values()), key=lambda i: -len(i[0])))


def is_kin(identifier: str) -> bool:
    """Whether the id says kinship only: ids of its prefix stand at several concepts."""
    known = prefixes().get(identifier.partition(":")[0])
    return known is not None and known.kin


def flaw(identifier: str) -> str | None:
    """What is wrong with the form of an id, in words; None for a good or an unknown one."""
    prefix, _, local = identifier.partition(":")
    known = prefixes().get(prefix)
    if known is None:
        return None
    if known.pattern is not None and known.pattern.fullmatch(local) is None:
        return f"{identifier} does not look like an id of {prefix}"
    if known.check is not None and not CHECKS[known.check](local):
        return f"{identifier} has a wrong check digit (digits lost or changed on its way here?)"
    return None


def luhn(identifier: str) -> bool:
    """Whether the digit behind the dash is the mod-10 check digit of those before it (LOINC).

    Parts and answers of LOINC (``LP...``, ``LA...``) are no codes and pass.
    """
    if identifier.startswith("L"):
        return True
    body, _, digit = identifier.rpartition("-")
    total = 0
    for at, char in enumerate(reversed(body)):
        value = int(char) * (1 if at % 2 else 2)
        total += value // 10 + value % 10
    return str(-total % 10) == digit


_PERMUTE: Final = ((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4))


def verhoeff(identifier: str) -> bool:
    """Whether the last digit is the Verhoeff check digit of the others (SNOMED CT).

    The scheme multiplies in the dihedral group of order ten; it finds every single wrong digit
    and every swap of neighbours, and so an id that a spreadsheet rounded.
    """
    product, permuted = 0, list(range(10))
    for char in reversed(identifier):
        product = _dihedral(product, permuted[int(char)])
        permuted = [_PERMUTE[1][value] for value in permuted]
    return product == 0


def _dihedral(one: int, other: int) -> int:
    turn = (one + other) % 5 if one < 5 else (one - other) % 5
    return turn + 5 * ((one >= 5) != (other >= 5))


CHECKS: Final = {"luhn": luhn, "verhoeff": verhoeff}
