"""What labelled documents taught: names that the lexicon lacks, the concept of a name, and weights
that say how likely a name, at a place, is meant.

Two readable files: ``names.tsv`` (folded name, kind, concept, how often labelled so, labelled at
all, seen) and ``weights.json`` (for each kind a feature and its weight in a logistic model).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

from kgrag.errors import SettingsError
from kgrag.linking.features import PlaceWeights
from kgrag.linking.normalise import numbers
from kgrag.records.concepts import ConceptType

Kind = Literal["condition", "substance"]

KINDS: Final[Mapping[ConceptType, Kind]] = {
    "disease": "condition",
    "phenotype": "condition",
    "drug": "substance",
    "chemical": "substance",
}
PLAIN: Final[Mapping[Kind, ConceptType]] = {"condition": "disease", "substance": "chemical"}
_COLUMNS: Final = ("name", "kind", "concept", "right", "labelled", "seen", "type")


@dataclass(frozen=True, slots=True)
class LearnedName:
    """What the labels say of a folded name as one kind.

    ``right`` of ``labelled`` labels give it ``concept`` (None when no label names it); the texts
    write it ``seen`` times. ``variant``: it is the other number of a labelled name.
    """

    name: str
    kind: Kind
    concept: str | None
    type: ConceptType
    right: int
    labelled: int
    seen: int
    variant: bool = False


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic model: ``bias`` and the weight of each feature; absent features weigh nothing."""

    bias: float = 0.0
    features: Mapping[str, float] = field(default_factory=dict)

    def sum(self, features: Iterable[tuple[str, float]]) -> float:
        get = self.features.get
        return self.bias + sum(get(name, 0.0) * value for name, value in features)

    @property
    def places(self) -> PlaceWeights:
        return PlaceWeights(self.features)


@dataclass(frozen=True)
class Learned:
    """The names and weights, with ``same``: a concept to the one that labels call it by.

    ``concepts`` counts the labels of each concept.
    """

    names: tuple[LearnedName, ...] = ()
    weights: Mapping[Kind, Weights] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)
    concepts: Mapping[str, int] = field(default_factory=dict)
    about: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> Mapping[str, Mapping[Kind, LearnedName]]:
        """The names with their other numbers; a name that was labelled itself goes before."""
        found: dict[str, dict[Kind, LearnedName]] = {}
        for name in self.names:
            found.setdefault(name.name, {})[name.kind] = name
        for name in self.names:
            if not name.labelled:
                continue
            for spelled in numbers(name.name, plural=len(name.name) > 4):
                its = found.setdefault(spelled, {})
                known = its.get(name.kind)
                if known is None or (not known.labelled and known.name == spelled):
                    seen = name.labelled if known is None else name.labelled + known.seen
                    its[name.kind] = LearnedName(
                        spelled, name.kind, name.concept, name.type, name.right,
                        name.labelled, seen, True,
                    )  # fmt: skip
        return found

    def within(self, current: Callable[[str], str | None]) -> Learned:
        """The same with the ids in use that ``current`` gives; what has none is not named."""
        used = {c: current(c) for c in {n.concept for n in self.names if n.concept}}
        same = {own: now for own, called in self.same.items() if (now := current(called))}
        names = tuple(
            n if n.concept is None or used[n.concept] == n.concept
            else replace(n, concept=used[n.concept])
            for n in self.names
        )  # fmt: skip
        return replace(self, names=names, same=same)

    def write(self, folder: Path) -> None:
        """Both files are in ``folder``, the same for the same content."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = ["\t".join(_COLUMNS)]
        for n in sorted(self.names, key=lambda n: (n.kind, n.name)):
            cells = (n.name, n.kind, n.concept or "", n.right, n.labelled, n.seen, n.type)
            lines.append("\t".join(map(str, cells)))
        (folder / "names.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        data = {
            "about": dict(self.about),
            "same": dict(sorted(self.same.items())),
            "concepts": dict(sorted(self.concepts.items())),
            "weights": {
                kind: {"bias": w.bias, "features": dict(sorted(w.features.items()))}
                for kind, w in sorted(self.weights.items())
            },
        }
        text = json.dumps(data, ensure_ascii=False, indent=0)
        (folder / "weights.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Learned:
        """What ``write`` wrote; SettingsError names the line or key that is not well formed."""
        path = folder / "names.tsv"
        head, *lines = path.read_text(encoding="utf-8").splitlines()
        if tuple(head.split("\t")) != _COLUMNS:
            raise SettingsError(f"{path}: the columns must be {', '.join(_COLUMNS)}")
        names = [_name(line, path, at) for at, line in enumerate(lines, 2)]
        path = folder / "weights.json"
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                tuple(names),
                {
                    kind: Weights(float(w["bias"]), {k: float(v) for k, v in w["features"].items()})
                    for kind, w in data["weights"].items()
                },
                data["same"],
                data["concepts"],
                data["about"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SettingsError(f"{path} is not a file of weights ({error!r})") from error


def _name(line: str, path: Path, at: int) -> LearnedName:
    cells = line.split("\t")
    if len(cells) != len(_COLUMNS) or cells[1] not in PLAIN or cells[6] not in KINDS:
        raise SettingsError(f"{path}: line {at} is not a name: {line!r}")
    name, kind, concept, right, labelled, seen, type_ = cells
    try:
        return LearnedName(
            name, kind, concept or None, type_, int(right), int(labelled), int(seen)  # type: ignore[arg-type]  # checked above
        )  # fmt: skip
    except ValueError as error:
        raise SettingsError(f"{path}: line {at} is not a name: {line!r}") from error
