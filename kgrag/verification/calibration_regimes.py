"""What was measured of each regime of verdicts and answers: a file, used only where it fits.

A *regime* is a way in which something is judged: ``near`` (the slot rules, for statements near the
source's words), ``free`` (the fitted model of free paraphrase), ``entailment`` (a checker of the
user's) and ``answer`` (whether a quotation answers its question). Each was measured with certain
models and versions; with others it is not used. kgrag ships one calibration; a kb may hold its own
beside its settings, which goes first, regime by regime.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from kgrag.errors import SettingsError
from kgrag.ids import canonical, sha256
from kgrag.records.answer import to_plain
from kgrag.verification.calibration import Curve, Threshold

FILE: Final = "calibration.json"
"""Beside ``kgrag.toml`` in the folder of a kb."""
FORMAT: Final = 1
REGIMES: Final = ("near", "free", "entailment", "answer")
RULES: Final = 6
"""Raised when the slot rules come to other verdicts: what was measured before no longer fits."""
_SHIPPED: Final = Path(__file__).with_name("calibration_shipped.json")


@dataclass(frozen=True, slots=True)
class Regime:
    """What was measured of one regime.

    ``chance`` maps a raw score to the probability that what is called supported (or an answer) is
    right; None where nothing was fitted. ``supported`` and ``contradicted`` are the thresholds
    from which the verdict may be said; None where the bound that was asked is not met: the regime
    is off for that verdict. ``made_with`` names all that changes the scores.
    """

    name: str
    chance: Curve | None
    supported: Threshold | None
    contradicted: Threshold | None
    pairs: int
    measured_on: str
    made_with: Mapping[str, str] = field(default_factory=dict)

    def fits(self, made_with: Mapping[str, str]) -> bool:
        """Whether it was measured with just this."""
        return dict(self.made_with) == dict(made_with)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Regimes by name, with the kb's own before the shipped ones."""

    regimes: Mapping[str, Regime]
    stale: tuple[str, ...] = ()
    """Regimes of the kb that were measured with something else than what is asked of now."""

    def of(self, name: str, made_with: Mapping[str, str]) -> Regime | None:
        """The regime, or None where it was never measured, or with something else."""
        found = self.regimes.get(name)
        return found if found is not None and found.fits(made_with) else None

    def answer(self, raw: float, made_with: Mapping[str, str]) -> float | None:
        """The probability that a quotation of raw confidence ``raw`` answers; None where unknown.

        ``raw`` is the chance that the first of an answer's quotations answers, as the reranker's
        weights give it; ``made_with`` is that of ``answer_made_with``.
        """
        regime = self.of("answer", made_with)
        return regime.chance(raw) if regime is not None and regime.chance is not None else None

    def raises_from(self, checker_sha256: str) -> float | None:
        """The probability from which this checker of entailment may raise a verdict to supported.

        None where its bound of precision was not met, or never measured with this checker.
        """
        regime = self.of("entailment", entailment_made_with(checker_sha256))
        return regime.supported.at if regime is not None and regime.supported is not None else None

    @property
    def id(self) -> str:
        """Of all that it holds."""
        return sha256(canonical(to_plain(dict(self.regimes))))


def rules_made_with() -> dict[str, str]:
    """What scores of the regime ``near`` depend on."""
    return {"rules": str(RULES)}


def entailment_made_with(checker_sha256: str) -> dict[str, str]:
    """What scores of the regime ``entailment`` depend on."""
    return {"checker": checker_sha256}


def answer_made_with(weights: bytes, encoder_sha256: str) -> dict[str, str]:
    """What scores of the regime ``answer`` depend on: the reranker's file and the encoder."""
    return {"reranker": sha256(weights)[:16], "encoder": encoder_sha256[:16]}


@lru_cache(maxsize=1)
def shipped() -> Calibration:
    """The calibration that kgrag ships."""
    return parse(_SHIPPED.read_bytes(), str(_SHIPPED))


def calibration_of(folder: Path | None) -> Calibration:
    """The shipped calibration with the regimes of the kb's file in place of its own.

    SettingsError when the file is there and cannot be read: it is never passed over.
    """
    path = None if folder is None else folder / FILE
    if path is None or not path.exists():
        return shipped()
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    own = parse(raw, str(path))
    regimes = dict(shipped().regimes)
    stale = []
    for name, regime in own.regimes.items():
        before = regimes.get(name)
        if name == "near" and not regime.fits(rules_made_with()) and before is not None:
            stale.append(name)
        else:
            regimes[name] = regime
    return Calibration(regimes, tuple(stale))


def save(folder: Path, regimes: Mapping[str, Regime]) -> Path:
    """Put ``regimes`` into the kb's file in place of those of the same names; the file's path.

    Written beside it and moved over, so that a kill leaves the old one or the new one.
    """
    path = folder / FILE
    kept = dict(parse(path.read_bytes(), str(path)).regimes) if path.exists() else {}
    kept.update(regimes)
    part = path.with_name(f"{FILE}.{os.getpid()}.part")
    with part.open("wb") as out:
        out.write(encode(kept))
        out.flush()
        os.fsync(out.fileno())
    part.replace(path)
    return path


def encode(regimes: Mapping[str, Regime]) -> bytes:
    """The file of ``regimes``: JSON with sorted keys, ended by a line break."""
    value = {"format": FORMAT, "regimes": {name: to_plain(r) for name, r in regimes.items()}}
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def parse(raw: bytes, origin: str) -> Calibration:
    """The calibration in ``raw``; SettingsError says that it is none."""
    try:
        value = json.loads(raw)
        if value["format"] != FORMAT or not isinstance(value["regimes"], dict):
            raise ValueError("another format")
        regimes = {name: _regime(name, of) for name, of in value["regimes"].items()}
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"{origin} is no calibration of this version of kgrag",
            hint="delete it, or measure anew with kgrag eval SUITE --calibrate --kb DIR",
        ) from error
    return Calibration(regimes)


def _regime(name: str, value: Mapping[str, Any]) -> Regime:
    if name not in REGIMES or value["name"] != name:
        raise ValueError("an unknown regime")
    chance = value["chance"]
    made_with = value["made_with"]
    if not isinstance(made_with, dict) or not all(isinstance(v, str) for v in made_with.values()):
        raise ValueError("made with what?")
    return Regime(
        name=name,
        chance=None
        if chance is None
        else Curve(tuple(map(float, chance["scores"])), tuple(map(float, chance["chances"]))),
        supported=_threshold(value["supported"]),
        contradicted=_threshold(value["contradicted"]),
        pairs=int(value["pairs"]),
        measured_on=str(value["measured_on"]),
        made_with=made_with,
    )


def _threshold(value: Mapping[str, Any] | None) -> Threshold | None:
    if value is None:
        return None
    made = Threshold(
        float(value["at"]),
        float(value["precision"]),
        float(value["bound"]),
        int(value["right"]),
        int(value["total"]),
    )
    if not math.isfinite(made.at) or not 0 <= made.precision <= made.bound <= 1:
        raise ValueError("a threshold that does not meet its own bound")
    return made
