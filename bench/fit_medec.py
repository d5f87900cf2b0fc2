"""Fit the weights of the suite ``medec`` on its dev half.

Each note gives one example: the features of the sentence that is suspected by its form, and whether
the note has an error. Logistic regression with a ridge; the features kept, the ridge and the
threshold are those of the best cross-validated accuracy, vignettes kept together. The test half is
not read.

    python bench/fit_medec.py --kb DIR [--kept FILE] [--write]

``--kept`` keeps features by note from one run to the next.
"""

from __future__ import annotations

import argparse
import json
import zlib
from datetime import date
from itertools import combinations
from pathlib import Path

import numpy as np

from kgrag import Engine
from kgrag.evaluation.medec import WEIGHTS, load_notes
from kgrag.evaluation.medec_features import NAMES, features, suspected

FOLDS = 10
RIDGES = (1.0, 10.0, 100.0)
MOST = 4  # features of one model


def table(notes, kb: Path, kept: Path | None) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    if kept is not None and kept.exists():
        found = {r["id"]: r["f"] for r in map(json.loads, kept.read_text().splitlines())}
    missing = [n for n in notes if n.id not in found]
    if missing:
        with Engine.open(kb) as engine:
            for note in missing:
                at = suspected(note.sentences)
                found[note.id] = dict(features(note.sentences, at, engine))
                if kept is not None:
                    with kept.open("a") as out:
                        out.write(json.dumps({"id": note.id, "f": found[note.id]}) + "\n")
    return found


def logistic(x: np.ndarray, y: np.ndarray, ridge: float) -> np.ndarray:
    """Weights with the bias first, by Newton's method; the bias has no ridge."""
    rows = np.hstack([np.ones((len(x), 1)), x])
    penalty = np.diag([0.0] + [ridge] * x.shape[1])
    w = np.zeros(rows.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-rows @ w))
        step = np.linalg.solve(
            (rows * (p * (1 - p))[:, None]).T @ rows + penalty + 1e-9 * np.eye(len(w)),
            rows.T @ (y - p) - penalty @ w,
        )
        w += step
        if np.abs(step).max() < 1e-8:
            break
    return w


def chances(x: np.ndarray, y: np.ndarray, folds: np.ndarray, ridge: float) -> np.ndarray:
    """Of each note, by the model of the other folds."""
    found = np.zeros(len(y))
    for fold in range(FOLDS):
        out = folds == fold
        mean, scale = x[~out].mean(0), x[~out].std(0) + 1e-9
        w = logistic((x[~out] - mean) / scale, y[~out], ridge)
        found[out] = 1 / (1 + np.exp(-(w[0] + ((x[out] - mean) / scale) @ w[1:])))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--kept", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    notes = [n for n in load_notes() if n.split == "dev"]
    found = table(notes, options.kb, options.kept)
    y = np.array([n.wrong is not None for n in notes], dtype=float)
    folds = np.array([zlib.crc32(n.vignette.encode()) // 2 % FOLDS for n in notes])
    x = np.array([[found[n.id][name] for name in NAMES] for n in notes])
    print(f"{len(notes)} notes, always flag {y.mean():.3f}")
    for at, name in enumerate(NAMES):
        ranks = np.argsort(np.argsort(x[:, at]))
        auc = (ranks[y == 1].mean() - (y.sum() - 1) / 2) / (len(y) - y.sum())
        print(f"  {name:12} AUC {auc:.3f}")
    best = None
    for count in range(1, MOST + 1):
        for chosen in combinations(range(len(NAMES)), count):
            for ridge in RIDGES:
                p = chances(x[:, chosen], y, folds, ridge)
                right = float(((p >= 0.5) == (y == 1)).mean())
                if best is None or right > best[0] + 0.004:  # more features must pay
                    best = (right, chosen, ridge, p)
    assert best is not None
    right, chosen, ridge, _ = best
    mean, scale = x[:, chosen].mean(0), x[:, chosen].std(0) + 1e-9
    w = logistic((x[:, chosen] - mean) / scale, y, ridge)
    names = [NAMES[i] for i in chosen]
    print(f"chosen {names}, ridge {ridge}: cross-validated accuracy {right:.3f}")
    print(f"weights {np.round(w, 3)}")
    if options.write:
        values = {
            "bias": float(w[0]),
            "weights": dict(zip(names, map(float, w[1:]), strict=True)),
            "mean": dict(zip(names, map(float, mean), strict=True)),
            "scale": dict(zip(names, map(float, scale), strict=True)),
            "threshold": 0.5,
            "provenance": {
                "script": "bench/fit_medec.py",
                "date": date.today().isoformat(),
                "notes": len(notes),
                "half": "dev",
                "ridge": ridge,
                "cross_validated_accuracy": round(right, 4),
                "always_flag_accuracy": round(float(y.mean()), 4),
            },
        }
        WEIGHTS.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
