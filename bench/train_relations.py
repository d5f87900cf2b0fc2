"""Fits the weights by which an abstract is judged to say that a chemical induces a disease.

    KGRAG_DATA=... python bench/train_relations.py [--out ontologies/relation_weights.tsv]

Data note. BC5CDR (BioCreative V, chemical-disease relations; Li et al. 2016): 979 of its 1,500
PubMed abstracts, of which the MeSH ids of chemical-induced diseases were listed by curators of the
Comparative Toxicogenomics Database. They are toxicology abstracts of 1974 to 2014; what is learned
holds for such abstracts and is used on titles and abstracts of articles only. The corpus is not
shipped. Mentions come from kgrag's own linker, so the weights have seen its mistakes.

A logistic regression with an L1 penalty; only features of some documents are kept, and weights of
no effect are left out, so that the file can be read. Thresholds come from scores of documents that
the scored model had not seen: `candidate` where F1 is best, `asserted` where precision reaches
--precision. scikit-learn is needed for fitting only.
"""

from __future__ import annotations

import argparse
import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kgrag.linking import Linker
from kgrag.sentences import sentences
from kgrag.vocabulary.lexicon import Lexicon, default_path
from kgrag_ingest.extract.induced import Pair, pairs

STRENGTH, RARE, FOLDS, SEED = 0.3, 8, 10, 20261121
Ids = frozenset[tuple[str, str]]
Weights = dict[str, float]


@dataclass(frozen=True, slots=True)
class Abstract:
    """An abstract with the pairs of it that have MeSH ids, and the curated pairs."""

    id: str
    text: str
    gold: Ids
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by feature, with the intercept under the empty name, and two thresholds."""

    weights: Weights
    candidate: float
    asserted: float


def abstracts(path: Path, linker: Linker) -> list[Abstract]:
    """The abstracts of a PubTator file: title, empty line, abstract, linked by ``linker``."""
    found = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        name = title = body = ""
        gold = set()
        for line in block.splitlines():
            parts = line.split("\t")
            if "|t|" in line[:20]:
                name, _, title = line.split("|", 2)
            elif "|a|" in line[:20]:
                body = line.split("|", 2)[2]
            elif len(parts) == 4 and parts[1] == "CID":
                gold.add((f"MESH:{parts[2]}", f"MESH:{parts[3]}"))
        if name:
            text = f"{title}\n\n{body}"
            every = pairs(text, sentences(text), linker.link(text))
            known = tuple(p for p in every if _mesh(p.chemical) and _mesh(p.disease))
            found.append(Abstract(name, text, frozenset(gold), known))
    return found


def _mesh(curie: str) -> bool:
    return curie.startswith("MESH:")


def fit(found: Sequence[Abstract]) -> Weights:
    """The weights of one model; the empty name is the intercept."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    rows = [p.features for a in found for p in a.pairs]
    gold = [(p.chemical, p.disease) in a.gold for a in found for p in a.pairs]
    counts = Counter(name for a in found for name in {name for p in a.pairs for name in p.features})
    keep = {name for name, documents in counts.items() if documents >= RARE}
    vectors = DictVectorizer()
    matrix = vectors.fit_transform([{k: v for k, v in row.items() if k in keep} for row in rows])
    # liblinear takes no wide indices.
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    model = LogisticRegression(
        C=STRENGTH, l1_ratio=1.0, solver="liblinear", max_iter=1000, random_state=SEED
    )
    model.fit(matrix, gold)
    weights = {"": float(model.intercept_[0])}
    for name, weight in zip(vectors.feature_names_, model.coef_[0], strict=True):
        if abs(weight) >= 0.005:
            weights[str(name)] = round(float(weight), 3)
    return weights


def score(weights: Weights, pair: Pair) -> float:
    """The log odds of the pair."""
    return weights[""] + sum(weights.get(k, 0.0) * v for k, v in pair.features.items())


def unseen_scores(found: Sequence[Abstract], folds: int) -> list[list[float]]:
    """Scores of every abstract's pairs by a model that was fitted without the abstract."""
    order = list(range(len(found)))
    random.Random(SEED).shuffle(order)
    scores: list[list[float]] = [[] for _ in found]
    for fold in range(folds):
        held = set(order[fold::folds])
        weights = fit([a for at, a in enumerate(found) if at not in held])
        for at in held:
            scores[at] = [score(weights, p) for p in found[at].pairs]
    return scores


def thresholds(
    found: Sequence[Abstract], scores: Sequence[Sequence[float]], precision: float
) -> tuple[float, float]:
    """(where F1 is best, the lowest from which on precision is held); log odds."""
    rows = sorted(
        ((s, (p.chemical, p.disease) in a.gold) for a, own in zip(found, scores, strict=True)
         for p, s in zip(a.pairs, own, strict=True)),
        reverse=True,
    )  # fmt: skip
    total = sum(len(a.gold) for a in found)
    right: NDArray[np.int64] = np.cumsum([true for _, true in rows])
    said = np.arange(1, len(rows) + 1)
    best = int(np.argmax(2 * right / (said + total)))
    held = [at for at in range(len(rows)) if at >= 20 and right[at] / said[at] >= precision]
    return rows[best][0], rows[max(held, default=0)][0]


def train(found: Sequence[Abstract], precision: float, folds: int = FOLDS) -> Model:
    """A model whose thresholds were chosen on scores of unseen documents of ``found``."""
    candidate, asserted = thresholds(found, unseen_scores(found, folds), precision)
    return Model(fit(found), candidate, max(asserted, candidate))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("ontologies/relation_weights.tsv"))
    parser.add_argument("--lexicon", type=Path, default=default_path())
    parser.add_argument("--precision", type=float, default=0.8)
    arguments = parser.parse_args()
    lexicon = Lexicon.open(arguments.lexicon)
    path = Path(os.environ["KGRAG_DATA"]) / "bench" / "bc5cdr" / "bc5cdr.PubTator"
    found = abstracts(path, Linker(lexicon))
    write(arguments.out, train(found, arguments.precision), len(found), lexicon.sha256)


def write(path: Path, model: Model, documents: int, lexicon: str) -> None:
    """The file of ``ontologies/relation_weights.tsv``: a head of ``# name: value``, then weights
    in natural logarithms of odds, the strongest first."""
    head = {
        "what": "log odds that an abstract says that a chemical induces a disease",
        "read by": "kgrag_ingest.extract.learned",
        "fitted by": "bench/train_relations.py, whose head is the data note",
        "fitted on": f"{documents} abstracts of BC5CDR, mentions by kgrag's linker",
        "date": date.today().isoformat(),
        "scikit-learn": version("scikit-learn"),
        "lexicon": lexicon[:12],
        "candidate from": f"{model.candidate:.3f}",
        "asserted from": f"{model.asserted:.3f}",
        "intercept": f"{model.weights['']:.3f}",
    }
    named = sorted(
        ((n, w) for n, w in model.weights.items() if n), key=lambda row: (-abs(row[1]), row[0])
    )
    lines = [f"# {name}: {value}" for name, value in head.items()]
    lines += [f"{name}\t{weight:.3f}" for name, weight in named]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(named)} weights, candidate from {model.candidate:.2f}, asserted from "
          f"{model.asserted:.2f}: {path}")  # fmt: skip


if __name__ == "__main__":
    main()
