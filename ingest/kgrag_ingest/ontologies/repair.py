"""The repair of MeSH ids: an id whose name elsewhere disagrees is refused.

The two entity packages carry MeSH ids read from the wrong place of the records (a pharmacological
action, a related heading), for a quarter of the diseases and half of the drugs. Each row is
judged by what can be known without MeSH itself:

- *verified*: MeSH's own name of the id (see ``mesh_names``), or the cross-walk's, is a name of
  the row;
- *repaired*: the id was refused, and MeSH or the cross-walk has one id for a name of the row;
- *listed*: kgrag's own list of common headings (``ontologies/mesh_headings.tsv``) has the name;
- *corroborated*: nothing names the id, no other row claims it, and the id has its place in the
  alphabet, for MeSH numbered its first 15,000 headings in alphabetical order;
- *refused*: all else. The concept then gets an id from another vocabulary, or a kgrag one.

Measured against the cross-references of the Disease Ontology, 97% of the corroborated ids were
right; ids of later headings that nothing contradicts were right in 77% only, so they are refused.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from kgrag.linking.normalise import key
from kgrag_ingest.ontologies.crosswalk import Crosswalk

How = Literal["verified", "repaired", "listed", "corroborated", "refused"]

_ALPHABETICAL: Final = 15_250  # ids below were given out in one go, in the order of the names
_NEIGHBOURS: Final = 3
_AGREE: Final = 2  # of the neighbours on each side: some headings were renamed since


@dataclass(frozen=True, slots=True)
class Claim:
    """A row of a package: its names, the preferred first, and the MeSH id that it claims."""

    names: tuple[str, ...]
    mesh: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The id to use, None when none can be trusted, and how it was found."""

    mesh: str | None
    how: How


class Repair:
    """Judges claims against the cross-walk; ``claimed`` are the ids of all rows of all packages.

    ``listed`` maps folded names to ids that were written down by hand.
    """

    def __init__(
        self,
        crosswalk: Crosswalk,
        claimed: Iterable[str],
        prefixes: tuple[str, ...],
        listed: Mapping[str, str] | None = None,
    ) -> None:
        self._listed = listed or {}
        self._listed_ids = frozenset(self._listed.values())
        self._crosswalk = crosswalk
        self._prefixes = prefixes
        self._times = Counter(claimed)
        anchors = sorted(
            (number, key(row.name))
            for row in crosswalk.rows.values()
            if (number := _number(row.mesh)) is not None and number < _ALPHABETICAL
        )
        self._numbers = [number for number, _ in anchors]
        self._names = [name for _, name in anchors]

    def judge(self, claim: Claim) -> Verdict:
        """The verdict on one row."""
        mesh = claim.mesh
        known = {key(name) for name in self._crosswalk.names(mesh)} if mesh else set()
        if not known.isdisjoint(key(name) for name in claim.names):
            return Verdict(mesh, "verified")
        listed = self._listed.get(key(claim.names[0]))
        if listed is not None:
            return Verdict(listed, "listed")
        # An id that the list gives to another name is not this row's.
        if mesh and not known and self._times[mesh] == 1 and mesh not in self._listed_ids:
            number = _number(mesh)
            if (
                number is not None
                and number < _ALPHABETICAL
                and self._in_order(claim.names[0], number)
                and self._find(claim.names[:1]) in (None, mesh)
            ):
                return Verdict(mesh, "corroborated")
        found = self._find(claim.names)
        return Verdict(found, "repaired" if found else "refused")

    def _find(self, names: Sequence[str]) -> str | None:
        """By the preferred name, else by the one id that all other names lead to."""
        preferred = self._crosswalk.named(names[0])
        preferred = preferred or self._crosswalk.find(names[0], self._prefixes)
        if preferred is not None:
            return preferred
        others = {
            found
            for name in names[1:]
            if (found := self._crosswalk.find(name, self._prefixes)) is not None
        }
        return others.pop() if len(others) == 1 else None

    def _in_order(self, name: str, number: int) -> bool:
        folded = key(name)
        at = bisect_left(self._numbers, number)
        before = self._names[max(0, at - _NEIGHBOURS) : at]
        after = self._names[at : at + _NEIGHBOURS]
        return (
            sum(other <= folded for other in before) >= _AGREE
            and sum(other >= folded for other in after) >= _AGREE
        )


def _number(mesh: str) -> int | None:
    """The number of a heading (``MESH:D003920``), None for a supplementary or a new-style id."""
    local = mesh.removeprefix("MESH:")
    return int(local[1:]) if local[:1] == "D" and len(local) == 7 else None
