"""How far an assertion can be believed to be what sources say, from a table of error rates.

Belief is the probability that at least one independent source was read right. It says nothing of
whether the source is right. The table is ``ontologies/error_rates.toml``; the reasons are in
``docs/decisions/0004-belief.md``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kgrag.errors import SettingsError
from kgrag.paths import resource
from kgrag.records.assertions import Assertion, Evidence
from kgrag.stores.base import DocumentInfo

_UNKNOWN: Final = "unknown"
# Above one half, more evidence could lower a belief: see the decision.
_MOST: Final = 0.5


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Mean(_Strict):
    read: int = Field(gt=0)
    wrong: int = Field(ge=0)
    weight: float = Field(gt=0)
    provenance: str


class _Rate(_Strict):
    kind: str
    predicate: str | None = None
    read: int | None = Field(None, gt=0)
    wrong: int | None = Field(None, ge=0)
    wrong_share: float | None = Field(None, ge=0, le=_MOST)
    provenance: str = Field(min_length=1)

    @model_validator(mode="after")
    def _measured_or_assumed(self) -> _Rate:
        if (self.wrong_share is None) == (self.read is None or self.wrong is None):
            raise ValueError("a rate has read and wrong, or wrong_share alone")
        return self


class _Share(_Strict):
    wrong_share: float = Field(ge=0, le=_MOST)
    provenance: str = Field(min_length=1)


class _Reading(_Share):
    suffixes: list[str]


class _Table(_Strict):
    systematic_share: float = Field(ge=0, le=1)
    systematic_provenance: str
    mean: _Mean
    kinds: dict[str, list[str]]
    rate: list[_Rate]
    candidate: _Share
    reading: list[_Reading] = []


@dataclass(frozen=True, slots=True)
class Rate:
    """The share in [0, 0.5] of a family's evidence that is wrong, and where that is from."""

    family: str
    wrong: float
    measured: bool
    provenance: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document is from: versions of one source have the same ``source``."""

    source: str
    uri: str = ""

    @classmethod
    def of(cls, info: DocumentInfo) -> Origin:
        """The origin of a document. Collections keep apart what may be the same source."""
        return cls(f"{info.source.collection}\n{info.source.identifier}", info.uri)


class ErrorRates:
    """The table, looked up by rule and predicate."""

    def __init__(self, table: _Table) -> None:
        self.systematic_share = table.systematic_share
        self.candidate = table.candidate.wrong_share
        self._kind_of = {prefix: kind for kind, some in table.kinds.items() for prefix in some}
        mean = table.mean.wrong / table.mean.read
        self._rates: dict[tuple[str, str | None], Rate] = {}
        for item in table.rate:
            family = item.kind if item.predicate is None else f"{item.kind} {item.predicate}"
            share = item.wrong_share
            if item.read is not None and item.wrong is not None:
                weight = table.mean.weight
                share = (item.wrong + weight * mean) / (item.read + weight)
            assert share is not None
            self._rates[item.kind, item.predicate] = Rate(
                family, min(share, _MOST), item.read is not None, item.provenance
            )
        if (_UNKNOWN, None) not in self._rates:
            raise ValueError("there is no rate for rules of an unknown kind")
        self._reading = [(tuple(r.suffixes), r.wrong_share) for r in table.reading]

    def __iter__(self) -> Iterator[Rate]:
        return iter(self._rates.values())

    def of(self, rule: str, predicate: str) -> Rate:
        """The rate of the rule's kind for that predicate, else of its kind, else of the unknown."""
        kind = self._kind_of.get(rule.partition(".")[0], _UNKNOWN)
        for key in ((kind, predicate), (kind, None), (_UNKNOWN, None)):
            if key in self._rates:
                return self._rates[key]
        raise AssertionError("the unknown kind has a rate")

    def reading(self, uri: str) -> float:
        """The share of sentences that reading such a file gets wrong."""
        path = uri.partition("#")[0].lower()
        return max((share for ends, share in self._reading if path.endswith(ends)), default=0.0)


def read_rates(path: Path) -> ErrorRates:
    """The table in the file; SettingsError says what is wrong with it."""
    try:
        return ErrorRates(_Table.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{path}: {where}: {first['msg']}") from error
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error


@cache
def error_rates() -> ErrorRates:
    """The shipped table."""
    return read_rates(resource("ontologies", "error_rates.toml"))


def belief(
    assertion: Assertion,
    rates: ErrorRates | None = None,
    origins: Mapping[str, Origin] | None = None,
) -> float:
    """In [0, 1): the probability that one of its independent sources says this assertion.

    Evidence of one source, of any version, counts once, and so do equal quotations wherever they
    stand; the best of them counts. Without ``origins`` every document is a source of its own.
    Without evidence it is 0. A further source in words of its own never lowers it, and order does
    not matter.
    """
    table = rates if rates is not None else error_rates()
    known = origins or {}
    common: dict[str, float] = {}  # a family's mistakes that repeat
    chance: dict[str, float] = {}  # the product of those that do not
    for group in independent(assertion.evidence, known):
        rate, reading = min(
            ((table.of(e.rule, assertion.predicate), table.reading(_uri(e, known))) for e in group),
            key=lambda pair: (_either(pair[0].wrong, pair[1]), pair[0].family),
        )
        wrong = max(rate.wrong, table.candidate) if assertion.tier == "candidate" else rate.wrong
        common[rate.family] = wrong * table.systematic_share
        once = _either(wrong * (1 - table.systematic_share), reading)
        chance[rate.family] = chance.get(rate.family, 1.0) * once
    if not common:
        return 0.0
    doubt = 1.0
    for family, share in common.items():
        doubt *= min(share + chance[family], 1.0)
    return 1.0 - doubt


def independent(
    evidence: Iterable[Evidence], origins: Mapping[str, Origin]
) -> Sequence[Sequence[Evidence]]:
    """The evidence in groups; what is of one source, or quotes the same words, is one group."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    pieces = sorted(evidence)
    for piece in pieces:
        leader[find(_source(piece, origins))] = find(f"words\n{_words(piece.quote)}")
    groups: dict[str, list[Evidence]] = {}
    for piece in pieces:
        groups.setdefault(find(_source(piece, origins)), []).append(piece)
    return list(groups.values())


def _source(piece: Evidence, origins: Mapping[str, Origin]) -> str:
    known = origins.get(piece.document_id)
    return f"source\n{known.source if known else piece.document_id}"


def _uri(piece: Evidence, origins: Mapping[str, Origin]) -> str:
    known = origins.get(piece.document_id)
    return known.uri if known else ""


def _words(quote: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in quote.casefold()).split())


def _either(one: float, other: float) -> float:
    """The probability of at least one of two independent mistakes."""
    return 1.0 - (1.0 - one) * (1.0 - other)
