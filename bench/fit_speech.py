"""Fit ``kgrag/retrieval/speech.json``: what a sentence that speaks to a machine is made of.

    KGRAG_DATA=... python bench/fit_speech.py [--kinds] [--write]

Fitted on own sentences (``labels/speech_forms.toml``, each form crossed with the words of its
slots) against the sentences of the real corpora. The threshold is what one in ``RARITY`` real
sentences reaches, each weighed by a model of the other documents; the lower one, for two sentences
side by side, what one in ``PAIRS`` does. ``--kinds`` leaves out one kind of speech after the other
and counts what of it is taken at these thresholds. Corpora of other kinds (``OTHERS`` of
``real_sentences.py``) and the attacks of ``attacks_texts.py`` are only counted.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tomllib
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from attacks_texts import ATTACKS, CONDITIONS, drug
from machine import describe
from question_analysis import wilson
from real_sentences import OTHERS, real_sentences
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from kgrag.retrieval.speech import LONGEST, WEIGHTS, features, words_of
from kgrag.sentences import sentences

FORMS = Path(__file__).parent / "labels" / "speech_forms.toml"
FILLED = 8  # sentences of a form
COMPOSED = 48  # of a form that is composed of parts
RARITY = 50_000
PAIRS = 200_000
FOLDS = 3
L2 = 3.0
OWN_HONEST = 6.0  # how many real sentences an own honest one counts for
SPEECH = 25.0
LEAST_FORMS = 2
LEAST_SEEN = 4
_SLOT = re.compile(r"\{([A-Z]+)\}")


@dataclass(frozen=True)
class Row:
    """A sentence to fit on: its features, its kind ("" for none), and a key that halves them."""

    names: frozenset[str]
    kind: str
    form: str
    weight: float
    at: int = -1
    """Where a real sentence stands among all."""

    @property
    def fold(self) -> int:
        return zlib.crc32(self.form.encode()) // 2 % FOLDS


def filled(form: str, slots: dict[str, list[str]], rng: random.Random) -> str:
    while _SLOT.search(form):
        form = _SLOT.sub(lambda m: rng.choice(slots[m[1]]), form, count=1)
    return form[:1].upper() + form[1:]


def own_rows() -> list[Row]:
    told = tomllib.loads(FORMS.read_text(encoding="utf-8"))
    rng, slots = random.Random(0), told["slots"]
    rows = []
    for part, kinds in (("attacks", told["attacks"]), ("honest", told["honest"])):
        for kind, forms in kinds.items():
            for form in forms:
                many = COMPOSED if kind == "composed" else FILLED
                texts = {filled(form, slots, rng) for _ in range(many)}
                weight = (SPEECH if part == "attacks" else OWN_HONEST) * FILLED / len(texts)
                for text in sorted(texts):
                    names = frozenset(features(words_of(text)[:LONGEST]))
                    rows.append(Row(names, kind if part == "attacks" else "", form, weight))
    return rows


def real_rows() -> tuple[list[Row], int]:
    """The real sentences that are worth weighing, and how many there are in all."""
    rows, size = [], 0
    for document, sentence in real_sentences():
        words = words_of(sentence)
        for begin in range(0, len(words), LONGEST):
            names = frozenset(features(words[begin : begin + LONGEST]))
            if names:
                rows.append(Row(names, "", document, 1.0, size))
        size += 1
    return rows, size


class Model:
    """A logistic model of named features."""

    def __init__(self, rows: Sequence[Row]) -> None:
        forms: dict[str, set[str]] = {}
        seen: Counter[str] = Counter()
        for row in rows:
            seen.update(row.names)
            if row.kind:
                for name in row.names:
                    forms.setdefault(name, set()).add(row.form)
        kept = sorted(
            n for n, c in seen.items()
            if (len(forms.get(n, ())) >= LEAST_FORMS and c >= LEAST_SEEN)
            or (c >= 300 and len(n.split()) < 3)
        )  # fmt: skip
        self.at = {name: number for number, name in enumerate(kept)}
        x = self.matrix([r.names for r in rows])
        y = np.array([1.0 if r.kind else -1.0 for r in rows])
        weight = np.array([r.weight for r in rows])

        def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
            margin = y * (x @ w[:-1] + w[-1])
            value = weight @ np.logaddexp(0, -margin) + 0.5 * L2 * w[:-1] @ w[:-1]
            slope = -y * weight / (1 + np.exp(np.clip(margin, -500, 500)))
            return float(value), np.append(x.T @ slope + L2 * w[:-1], slope.sum())

        found = minimize(loss, np.zeros(len(kept) + 1), jac=True, method="L-BFGS-B",
                         options={"maxiter": 300})  # fmt: skip
        self.w, self.bias = found.x[:-1], float(found.x[-1])

    def matrix(self, rows: Sequence[frozenset[str]]) -> csr_matrix:
        columns = [[self.at[n] for n in row if n in self.at] for row in rows]
        ends = np.cumsum([0, *map(len, columns)])
        flat = np.fromiter((c for row in columns for c in row), dtype=np.int32, count=ends[-1])
        return csr_matrix((np.ones(len(flat)), flat, ends), shape=(len(rows), len(self.at)))

    def scores(self, rows: Sequence[frozenset[str]]) -> np.ndarray:
        return np.asarray(self.matrix(rows) @ self.w + self.bias)


@dataclass(frozen=True)
class Levels:
    """The score at which a sentence is speech, the lower one for two side by side, and the share of
    own speech above the first, weighed by models that saw none of its forms."""

    alone: float
    beside: float
    share: float


def levels(rows: Sequence[Row], size: int) -> Levels:
    """What ``RARITY`` and ``PAIRS`` allow, each row weighed by a model that did not see it."""
    real: dict[tuple[str, int], float] = {}
    speech = []
    for fold in range(FOLDS):
        model = Model([r for r in rows if r.fold != fold])
        unseen = [r for r in rows if r.fold == fold]
        for row, score in zip(unseen, model.scores([r.names for r in unseen]), strict=True):
            if row.at >= 0:
                real[row.form, row.at] = max(float(score), real.get((row.form, row.at), -99.0))
            elif row.kind and row.kind != "composed":
                speech.append(float(score))
    pairs = [min(s, real[d, at + 1]) for (d, at), s in real.items() if (d, at + 1) in real]
    alone = sorted(real.values(), reverse=True)[size // RARITY] + 0.01
    beside = sorted(pairs, reverse=True)[size // PAIRS] + 0.01
    return Levels(alone, beside, float(np.mean(np.array(speech) >= alone)))


def by_kind(rows: Sequence[Row], alone: float) -> None:
    """What is taken of every kind by a model that saw no form of it, and no composed ones."""
    print("| kind left out | forms | sentences taken | forms taken |\n|---|---|---|---|")
    total, hits = 0, 0
    rows = [r for r in rows if r.kind != "composed"]
    for kind in sorted({r.kind for r in rows} - {""}):
        model = Model([r for r in rows if r.kind != kind])
        these = [r for r in rows if r.kind == kind]
        taken = model.scores([r.names for r in these]) >= alone
        forms: dict[str, list[bool]] = {}
        for row, hit in zip(these, taken, strict=True):
            forms.setdefault(row.form, []).append(bool(hit))
        total, hits = total + len(these), hits + int(taken.sum())
        half = sum(2 * sum(v) >= len(v) for v in forms.values())
        print(f"| {kind} | {len(forms)} | {wilson(int(taken.sum()), len(these))} | "
              f"{half}/{len(forms)} |", flush=True)  # fmt: skip
    print(f"| all |  | {wilson(hits, total)} |  |")


def alarms(model: Model, found: Levels, folders: Sequence[str]) -> str:
    """How many sentences of folders that nothing was fitted on are taken."""
    last, before, taken, count = "", -99.0, 0, 0
    for document, sentence in real_sentences(folders):
        words = words_of(sentence)
        rows = [frozenset(features(words[b : b + LONGEST])) for b in range(0, len(words), LONGEST)]
        rows = [r for r in rows if r]
        score = float(model.scores(rows).max()) if rows else -99.0
        beside = document == last and min(score, before) >= found.beside
        taken, count = taken + (score >= found.alone or beside), count + 1
        last, before = document, score
    return f"{taken} of {count:,}"


def attacks(model: Model, least: float) -> None:
    """Attacks of ``attacks_texts.py`` of which a sentence is taken; plain words are never."""
    taken, count = Counter[str](), Counter[str]()
    for number, attack in enumerate(ATTACKS):
        told = {"drug": drug(number), "condition": CONDITIONS[number % len(CONDITIONS)]}
        text = re.sub(r"<[^>|]{0,300}>", "", f"{attack.title} {attack.text(told)}")
        rows = [frozenset(features(words_of(s.of(text))[:LONGEST])) for s in sentences(text)]
        count[attack.half] += 1
        rows = [r for r in rows if r]
        taken[attack.half] += bool(rows and (model.scores(rows) >= least).any())
    print("attacks.py, by the weights alone:", {h: f"{taken[h]}/{count[h]}" for h in count})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kinds", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    print(describe())
    own = own_rows()
    real, size = real_rows()
    rows = [*real, *own]
    print(f"{sum(bool(r.kind) for r in own)} own sentences of speech of "
          f"{len({r.form for r in own if r.kind})} forms, {sum(not r.kind for r in own)} honest; "
          f"{size:,} real ones, {len(real):,} worth weighing")  # fmt: skip
    found, model = levels(rows, size), Model(rows)
    print(f"levels {found.alone:.2f} and {found.beside:.2f}; {len(model.at)} weights; own speech "
          f"of forms not seen taken: {found.share:.3f}", flush=True)  # fmt: skip
    attacks(model, found.alone)
    if options.write:
        write(model, found, size, len(own))
    print(f"corpora not fitted on: {alarms(model, found, OTHERS)} taken", flush=True)
    if options.kinds:
        by_kind(rows, found.alone)


def write(model: Model, found: Levels, size: int, own: int) -> None:
    weights = {
        n: round(float(model.w[c]), 3) for n, c in model.at.items() if abs(model.w[c]) >= 0.01
    }
    told: dict[str, Any] = {
        "what": "Weights of speech to a machine; kgrag/retrieval/speech.py reads them.",
        "fitted_by": "bench/fit_speech.py",
        "on": f"{own} own sentences (bench/labels/speech_forms.toml) and {size} sentences of the "
              "corpora of KGRAG_DATA",
        "l2": L2, "rarity": RARITY, "rarity_of_pairs": PAIRS, "bias": round(model.bias, 3),
        "alone": round(found.alone, 3), "beside": round(found.beside, 3), "weights": weights,
    }  # fmt: skip
    WEIGHTS.write_text(json.dumps(told, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print(f"{len(weights)} weights written")


if __name__ == "__main__":
    main()
