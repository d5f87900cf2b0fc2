"""Fits the weights by which an abstract is judged to say that a chemical induces a disease.

    KGRAG_DATA=... python bench/train_relations.py [--out ontologies/relation_weights.tsv]

Data note. BC5CDR (BioCreative V, chemical-disease relations; Li et al. 2016): 979 of its 1,500
PubMed abstracts, of which the MeSH ids of chemical-induced diseases were listed by curators of the
Comparative Toxicogenomics Database. They are toxicology abstracts of 1974 to 2014; what is learned
holds for such abstracts and is used on titles and abstracts of articles only. The corpus is not
shipped. Mentions come from kgrag's own linker, so the weights have seen its mistakes. That linker
has itself learned from labels of this corpus: here every abstract is linked by a linker that was
taught by the other nine tenths (and NCBI-disease), never by its own labels.

A logistic regression with an L1 penalty; only features of some documents are kept, and weights of
no effect are left out, so that the file can be read. Thresholds come from scores of documents that
the scored model had not seen: `said` where F1 is best, `candidate` and `asserted` where precision
reaches CANDIDATE and --precision. An ingest makes edges from `candidate` on: where F1 is best,
half of what is said is wrong, and outside toxicology nearly all. scikit-learn is needed for
fitting only.
"""

from __future__ import annotations

import argparse
import pickle
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

import linking_data
import numpy as np
from numpy.typing import NDArray

from kgrag.linking import Linker
from kgrag.linking.learn import learn
from kgrag.records.concepts import Mention
from kgrag.sentences import sentences
from kgrag.vocabulary.lexicon import Lexicon, default_path
from kgrag_ingest.extract.induced import Pair, pairs

STRENGTH, RARE, FOLDS, SEED = 0.3, 8, 10, 20261121
CANDIDATE = 0.6
CACHE = Path(__file__).resolve().parent / ".cache"
Ids = frozenset[tuple[str, str]]
Mentions = tuple[Mention, ...]
Weights = dict[str, float]


@dataclass(frozen=True, slots=True)
class Abstract:
    """An abstract with the pairs of it that have MeSH ids, and the curated pairs."""

    id: str
    text: str
    gold: Ids
    pairs: tuple[Pair, ...]
    mentions: Mentions


@dataclass(frozen=True, slots=True)
class Model:
    """Weights by feature, with the intercept under the empty name, and three thresholds."""

    weights: Weights
    said: float
    candidate: float
    asserted: float


def linked(lexicon: Lexicon, *, as_labelled: bool = False) -> list[tuple[str, str, Ids, Mentions]]:
    """(id, text, curated pairs, mentions) of every abstract; the text is title, empty line, body.

    Mentions are by a linker that was not taught by the abstract's own labels. They are kept in
    bench/.cache, because teaching ten linkers takes minutes.
    """
    path = linking_data.folder() / "bc5cdr" / "bc5cdr.PubTator"
    articles = list(_articles(path))
    kept = CACHE / f"cross-linked-{lexicon.sha256[:12]}-{as_labelled}.pickle"
    if kept.exists():
        with kept.open("rb") as file:
            mentions: dict[str, Mentions] = pickle.load(file)
    else:
        mentions = {}
        labelled = linking_data.bc5cdr()
        for fold in range(FOLDS):
            rest = [d for d in labelled if linking_data.fold(d, FOLDS) != fold]
            held = {d.id for d in labelled if linking_data.fold(d, FOLDS) == fold}
            taught = learn(lexicon, [*rest, *linking_data.ncbi_disease()], least_documents=2)
            linker = Linker(lexicon, taught, as_labelled=as_labelled)
            mentions |= {name: linker.link(text) for name, text, _ in articles if name in held}
        CACHE.mkdir(exist_ok=True)
        with kept.open("wb") as file:
            pickle.dump(mentions, file)
    return [(name, text, gold, mentions[name]) for name, text, gold in articles]


def abstracts(lexicon: Lexicon, *, as_labelled: bool = False) -> list[Abstract]:
    """The abstracts with their pairs of MeSH ids."""
    found = []
    for name, text, gold, mentions in linked(lexicon, as_labelled=as_labelled):
        every = pairs(text, sentences(text), mentions)
        known = tuple(p for p in every if _mesh(p.chemical) and _mesh(p.disease))
        found.append(Abstract(name, text, gold, known, mentions))
    return found


def _articles(path: Path) -> Iterator[tuple[str, str, Ids]]:
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
            yield name, f"{title}\n\n{body}", frozenset(gold)


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
) -> tuple[float, float, float]:
    """(where F1 is best, the lowest with precision CANDIDATE, with ``precision``); log odds."""
    rows = sorted(
        ((s, (p.chemical, p.disease) in a.gold) for a, own in zip(found, scores, strict=True)
         for p, s in zip(a.pairs, own, strict=True)),
        reverse=True,
    )  # fmt: skip
    total = sum(len(a.gold) for a in found)
    right: NDArray[np.int64] = np.cumsum([true for _, true in rows])
    said = np.arange(1, len(rows) + 1)
    best = int(np.argmax(2 * right / (said + total)))

    def lowest(wanted: float) -> float:
        held = [at for at in range(20, len(rows)) if right[at] / said[at] >= wanted]
        return rows[max(held, default=0)][0]

    return rows[best][0], lowest(CANDIDATE), lowest(precision)


def train(found: Sequence[Abstract], precision: float, folds: int = FOLDS) -> Model:
    """A model whose thresholds were chosen on scores of unseen documents of ``found``."""
    said, candidate, asserted = thresholds(found, unseen_scores(found, folds), precision)
    return Model(fit(found), said, candidate, max(asserted, candidate))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("ontologies/relation_weights.tsv"))
    parser.add_argument("--lexicon", type=Path, default=default_path())
    parser.add_argument("--precision", type=float, default=0.77)
    arguments = parser.parse_args()
    lexicon = Lexicon.open(arguments.lexicon)
    found = abstracts(lexicon)
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
        "best F1 from": f"{model.said:.3f}",
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
