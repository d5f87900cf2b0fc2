"""Units of measure by their UCUM codes: what they measure and how they convert.

The table is compiled into the lexicon from the essence of UCUM. Arbitrary units (``[iU]``) and
the mole convert into nothing but their own multiples, for that is how medicine uses them; special
units (degrees Celsius, pH) have no factor and are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kgrag.errors import DataError

_TOKEN: Final = re.compile(r"[./()]|\{[^{}]*\}|(?:[^./(){}\[\]]|\[[^\]]*\])+")
_POWER: Final = re.compile(r"(.*?)([+-]?\d+)$")
_OWN_DIMENSION: Final = frozenset(("mol",))
_DEEPEST: Final = 20


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as ``factor`` times a product of base units, each with its power (never 0)."""

    factor: float
    dimension: tuple[tuple[str, int], ...]

    def __mul__(self, other: Unit) -> Unit:
        powers = dict(self.dimension)
        for base, power in other.dimension:
            powers[base] = powers.get(base, 0) + power
        kept = tuple(sorted((base, power) for base, power in powers.items() if power))
        return Unit(self.factor * other.factor, kept)

    def __pow__(self, power: int) -> Unit:
        kept = tuple((base, its * power) for base, its in self.dimension) if power else ()
        return Unit(self.factor**power, kept)


class Units:
    """Reads UCUM codes with the table that ``Lexicon.part("units")`` gives."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._units: Mapping[str, Mapping[str, Any]] = table["units"]
        self._prefixes: Mapping[str, float] = table["prefixes"]
        self._known: dict[str, Unit] = {}

    def unit(self, code: str) -> Unit:
        """The unit of a case-sensitive UCUM code (``mg/dL``, ``mm[Hg]``, ``10*9/L``).

        DataError for what is no code, and for special units, which have no factor.
        """
        return self._read(code, 0)

    def factor(self, one: str, other: str) -> float:
        """How many ``other`` one ``one`` is; DataError when they measure different things."""
        first, second = self.unit(one), self.unit(other)
        if first.dimension != second.dimension:
            raise DataError(f"{one} and {other} measure different things")
        return first.factor / second.factor

    def names(self, code: str) -> tuple[str, ...]:
        """The names of an atom (``L`` is a liter); none for a product or an unknown code."""
        return tuple(self._units.get(code, {}).get("names", ()))

    def _read(self, code: str, depth: int) -> Unit:
        if code in self._known:
            return self._known[code]
        tokens = _TOKEN.findall(code)
        if not code or depth > _DEEPEST or "".join(tokens) != code:
            raise DataError(f"{code!r} is no UCUM code")
        unit, rest = self._product(tokens, code, depth)
        if rest:
            raise DataError(f"{code!r} is no UCUM code")
        self._known[code] = unit
        return unit

    def _product(self, tokens: list[str], code: str, depth: int) -> tuple[Unit, list[str]]:
        """The product up to the closing bracket or the end, and the tokens behind it."""
        result, power = Unit(1.0, ()), 1
        wants_factor = at_start = True
        while tokens and tokens[0] != ")":
            piece, *tokens = tokens
            if piece in ("/", "."):
                if wants_factor and not (at_start and piece == "/"):
                    raise DataError(f"{code!r} is no UCUM code")
                power, wants_factor = (-1 if piece == "/" else 1), True
            elif piece.startswith("{"):
                wants_factor = False  # an annotation counts as one
            elif not wants_factor:
                raise DataError(f"{code!r} is no UCUM code")
            elif piece == "(":
                factor, tokens = self._product(tokens, code, depth + 1)
                if not tokens:
                    raise DataError(f"{code!r} is no UCUM code")
                tokens = tokens[1:]
                result, wants_factor = result * factor**power, False
            else:
                result, wants_factor = result * self._simple(piece, depth) ** power, False
            at_start = False
        if wants_factor:
            raise DataError(f"{code!r} is no UCUM code")
        return result, tokens

    def _simple(self, piece: str, depth: int) -> Unit:
        if piece.isdigit():
            return Unit(float(piece), ())
        atom = self._atom(piece, depth)
        if atom is not None:
            return atom
        powered = _POWER.fullmatch(piece)
        base = self._atom(powered[1], depth) if powered else None
        if powered is None or base is None:
            raise DataError(f"{piece!r} is no unit of UCUM")
        return base ** int(powered[2])

    def _atom(self, name: str, depth: int) -> Unit | None:
        """The atom, with a prefix or without; None when there is none of that name."""
        entry = self._units.get(name)
        if entry is not None:
            return self._defined(name, entry, depth)
        for length in (2, 1):
            prefix, rest = name[:length], name[length:]
            entry = self._units.get(rest)
            if prefix in self._prefixes and entry is not None and entry["metric"]:
                return Unit(self._prefixes[prefix], ()) * self._defined(rest, entry, depth)
        return None

    def _defined(self, name: str, entry: Mapping[str, Any], depth: int) -> Unit:
        if entry.get("special"):
            raise DataError(f"{name!r} has no factor: it is on a scale of its own")
        if name in _OWN_DIMENSION or entry.get("arbitrary") or "unit" not in entry:
            return Unit(1.0, ((name, 1),))
        return Unit(entry["value"], ()) * self._read(entry["unit"], depth + 1)
