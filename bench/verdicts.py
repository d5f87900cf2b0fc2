"""Verdicts: the claims model fitted, regimes calibrated, all suites reported on their test half.

    KGRAG_DATA=... python bench/verdicts.py features         # once: numbers of all pairs, cached
    KGRAG_DATA=... python bench/verdicts.py fit              # writes the weights that kgrag ships
    KGRAG_DATA=... python bench/verdicts.py calibrate        # writes the calibration that it ships
    KGRAG_DATA=... python bench/verdicts.py report [--split test] [--before FOLDER]

Fitted on the dev halves of SciFact, HealthVer and NLI4CT; thresholds on predictions for groups that
a fold's fit had not seen. The regime ``near`` is calibrated on the same halves and on the part
``choose`` of the planted edits. ``--before`` holds SUITE.jsonl with the verdicts of an earlier
version, as ``kgrag verify --batch`` writes them. The cache is bench/.cache.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from kgrag.encoding import load_encoder
from kgrag.evaluation.verdicts import Gold, Pair, load_pairs
from kgrag.evaluation.verdicts.calibrate import (
    CONTRADICTED,
    SUPPORTED,
    Said,
    near_regime,
    said_by_rules,
)
from kgrag.evaluation.verdicts.fitting import chance, logistic
from kgrag.evaluation.verdicts.scoring import auc
from kgrag.verification import claims_model as claims
from kgrag.verification.calibration import isotonic, lower_bound, threshold_for
from kgrag.verification.calibration_regimes import Regime, encode, shipped
from kgrag.verification.claims_features import FEATURES, VERSION, features
from kgrag.verification.split import nearness

CACHE: Final = Path(__file__).parent / ".cache" / "verdicts"
PACKAGE: Final = Path(claims.__file__).parent
FITTED: Final = ("scifact-verdicts", "healthver", "nli4ct")
ALL: Final = (*FITTED, "medhallu")
RIDGE: Final = 100.0
FOLDS: Final = 5
DATE: Final = "2026-11-21"


def all_pairs(data: Path, names: Sequence[str]) -> list[tuple[str, Pair]]:
    return [(name, pair) for name in names for pair in load_pairs(name, data).pairs]


def numbers(data: Path) -> dict[tuple[str, str], Any]:
    """Features by suite and id, from the cache or made (two minutes)."""
    path = CACHE / f"features-{VERSION}.npz"
    pairs = all_pairs(data, ALL)
    if not path.exists():
        encoder = load_encoder("all-minilm-l6-v2")
        rows = features([(p.statement, p.evidence) for _, p in pairs], encoder)  # type: ignore
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, rows=rows)
    rows = np.load(path)["rows"]
    return {(name, pair.id): row for (name, pair), row in zip(pairs, rows, strict=True)}


def weighed(suites: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Every suite counts alike, and in it right and wrong alike."""
    weight = np.zeros(len(right))
    for name in np.unique(suites):
        for side in (True, False):
            chosen = (suites == name) & (right == side)
            weight[chosen] = 0.5 / max(1, chosen.sum())
    return weight * len(right) / len(np.unique(suites))


def dev_table(data: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    made = numbers(data)
    kept = [(n, p) for n, p in all_pairs(data, names) if p.split == "dev"]
    return {
        "suite": np.array([n for n, _ in kept]),
        "group": np.array([f"{n} {p.group}" for n, p in kept]),
        "gold": np.array([p.gold for _, p in kept]),
        "rows": np.array([made[n, p.id] for n, p in kept]),
    }


def out_of_fold(table: dict[str, np.ndarray], target: str) -> np.ndarray:
    """Predictions for each pair by a fit that saw none of its group."""
    names = sorted(set(table["group"]))
    fold = {name: at % FOLDS for at, name in enumerate(np.random.default_rng(7).permutation(names))}
    folds = np.array([fold[g] for g in table["group"]])
    right = table["gold"] == target
    found = np.zeros(len(right))
    for at in range(FOLDS):
        seen = folds != at
        weight = weighed(table["suite"][seen], right[seen])
        found[~seen] = chance(
            logistic(table["rows"][seen], right[seen], weight, RIDGE), table["rows"][~seen]
        )
    return found


def fit(data: Path) -> None:
    table = dev_table(data, FITTED)
    encoder = load_encoder("all-minilm-l6-v2")
    value: dict[str, Any] = {
        "version": VERSION,
        "features": list(FEATURES),
        "made_with": {"encoder": f"{encoder.name}@{encoder.sha256}"},
        "provenance": f"bench/verdicts.py fit, {DATE}: dev halves of SciFact, HealthVer, NLI4CT;"
        " labels alone were used, no text is held",
    }
    print("| AUC, dev | in folds | other suites only |\n|---|---|---|")
    for target in ("supported", "contradicted"):
        right = table["gold"] == target
        weight = weighed(table["suite"], right)
        value[target] = [round(float(w), 6) for w in logistic(table["rows"], right, weight, RIDGE)]
        folded = out_of_fold(table, target)
        for name in FITTED:
            mine = table["suite"] == name
            others = logistic(
                table["rows"][~mine],
                right[~mine],
                weighed(table["suite"][~mine], right[~mine]),
                RIDGE,
            )
            one = auc(folded[mine], right[mine])
            two = auc(chance(others, table["rows"][mine]), right[mine])
            print(f"| {name} {target} | {one:.3f} | {two:.3f} |")
    text = json.dumps(value, indent=1, sort_keys=True) + "\n"
    (PACKAGE / "claims_weights.json").write_text(text, encoding="utf-8")


def calibrate(data: Path) -> None:
    from planted_edits import read as planted

    from kgrag.linking.linker import Linker
    from kgrag.verification.verdict import judge_by_rules
    from kgrag.vocabulary.lexicon import Lexicon

    linker = Linker(Lexicon.open())
    encoder = load_encoder("all-minilm-l6-v2")
    rows: list[Said] = []
    for name in FITTED:
        rows += said_by_rules(name, load_pairs(name, data).of("dev").pairs, linker)
    for edit in planted(data):
        if edit.part == "choose":
            found = judge_by_rules(edit.statement, [edit.source], linker=linker)
            gold: Gold = "unsupported" if edit.is_edit else "supported"
            near_by = nearness(edit.statement, [edit.source])
            rows.append(Said("planted edits", gold, found.verdict, near_by))
    near = near_regime(
        rows,
        f"bench/verdicts.py calibrate, {DATE}: dev halves of SciFact, HealthVer, NLI4CT, and the"
        " part choose of the planted edits",
    )
    tell(rows, near)
    kept = shipped().regimes  # that of answers is measured by confidence.py
    regimes = {**kept, "near": near, "free": free_regime(data, encoder.sha256)}
    (PACKAGE / "calibration_shipped.json").write_bytes(encode(regimes))


def tell(rows: Sequence[Said], near: Regime) -> None:
    print("| said by the rules | right | right, above the threshold |\n|---|---|---|")
    for source in dict.fromkeys(r.source for r in rows):
        for verdict, at in (("supported", near.supported), ("contradicted", near.contradicted)):
            golds = (verdict,) if verdict == "supported" else ("contradicted", "unsupported")
            ones = [r for r in rows if (r.source, r.verdict) == (source, verdict)]
            kept = [r for r in ones if at is not None and r.nearness >= at.at]
            cells = []
            for group in (ones, kept):
                right = sum(r.gold in golds for r in group)
                bound = lower_bound(right, len(group))
                cells.append(f"{right} of {len(group)} (at least {bound:.3f})")
            print(f"| {source}, {verdict} | {' | '.join(cells)} |")
    print(f"near: supported {near.supported}\nnear: contradicted {near.contradicted}")


def free_regime(data: Path, encoder_sha256: str) -> Regime:
    table = dev_table(data, FITTED)
    found = {}
    for target, precision in (("supported", SUPPORTED), ("contradicted", CONTRADICTED)):
        right = (table["gold"] == target).tolist()
        found[target] = threshold_for(out_of_fold(table, target).tolist(), right, precision)
        print(f"free: {target} {found[target]}")
    right = (table["gold"] == "supported").tolist()
    return Regime(
        name="free",
        chance=isotonic(out_of_fold(table, "supported").tolist(), right, least=100),
        supported=found["supported"],
        contradicted=found["contradicted"],
        pairs=len(right),
        measured_on=f"bench/verdicts.py calibrate, {DATE}: dev halves of SciFact, HealthVer,"
        " NLI4CT, each pair by a fit that had not seen its group",
        made_with=claims.free_made_with(encoder_sha256),
    )


def report(data: Path, split: Any, before: Path | None) -> None:
    from kgrag.evaluation.registry import Request
    from kgrag.evaluation.verdicts.run import run

    for name in ALL:
        file = None if before is None else before / f"{name}.jsonl"
        print(run(Request(name, data=data, split=split), before=file).to_markdown(), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("features", "fit", "calibrate", "report"))
    parser.add_argument("--split", choices=("dev", "test", "all"), default="test")
    parser.add_argument("--before", type=Path)
    arguments = parser.parse_args()
    data = Path(os.environ["KGRAG_DATA"])
    if arguments.what == "features":
        numbers(data)
    elif arguments.what == "fit":
        fit(data)
    elif arguments.what == "calibrate":
        calibrate(data)
    else:
        report(data, arguments.split, arguments.before)


if __name__ == "__main__":
    main()
