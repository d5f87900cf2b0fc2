"""Chemical-induced diseases of BC5CDR, end to end with kgrag's own linker, by cross-validation.

    KGRAG_DATA=... python bench/relations.py [--lexicon FILE] [--folds 10]

As in the BioCreative V task: the pairs of MeSH ids that a document is said to hold against the
curated ones, micro-averaged over documents. Every document is judged by weights and thresholds
that were fitted without it (the thresholds by an inner cross-validation of the other documents),
on mentions of a linker that was not taught by it.
Baselines: every pair of a document, every pair of a sentence, and the trigger rules alone.
*pairs* are what the weights say; *edges* are what an ingest keeps: a pair with a sentence that
speaks for it, and the edges of the rules. *asserted* is their upper tier. Intervals are of
documents drawn again. *ceiling* is what any method could find among the pairs that were linked.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from machine import describe
from statistics_of import bootstrap
from train_relations import SEED, Abstract, Ids, abstracts, score, train

from kgrag.records.assertions import Assertion
from kgrag.records.text import Block, Document, Section, Source
from kgrag.vocabulary.lexicon import Lexicon, default_path
from kgrag_ingest.extract import extract
from kgrag_ingest.extract.learned import RULE, Weights, read_abstract
from kgrag_ingest.extract.rules import rules

Said = dict[str, Ids]  # by document


def document(found: Abstract) -> Document:
    """The abstract as the MEDLINE reader gives it."""
    text = found.text
    title = text.index("\n")
    blocks = [Block("heading", 0, title)]
    if title + 2 < len(text):
        blocks.append(Block("paragraph", title + 2, len(text)))
    return Document(
        f"doc_{found.id}", Source("bench", found.id), found.id, "text/plain", "0" * 64, "medline/1",
        text, blocks=tuple(blocks), sections=(Section(text[:title], 1, 0, len(text)),),
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lexicon", type=Path, default=default_path())
    parser.add_argument("--as-labelled", action="store_true", help="link as the labellers did")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--precision", type=float, default=0.77)
    arguments = parser.parse_args()
    lexicon = Lexicon.open(arguments.lexicon)
    found = abstracts(lexicon, as_labelled=arguments.as_labelled)
    gold = {a.id: a.gold for a in found}
    said: dict[str, Said] = defaultdict(dict)
    for a in found:
        said["ceiling"][a.id] = _ids(a, [True] * len(a.pairs)) & a.gold
        said["every pair of a document"][a.id] = _ids(a, [True] * len(a.pairs))
        said["every pair of a sentence"][a.id] = _ids(a, [bool(p.common) for p in a.pairs])
    order = list(range(len(found)))
    random.Random(SEED).shuffle(order)
    for fold in range(arguments.folds):
        held = set(order[fold :: arguments.folds])
        rest = [a for at, a in enumerate(found) if at not in held]
        model = train(rest, arguments.precision, folds=5)
        named = {k: v for k, v in model.weights.items() if k}
        weights = Weights(named, model.weights[""], model.candidate, model.asserted)
        for a in (found[at] for at in held):
            scores = [score(model.weights, p) for p in a.pairs]
            said["pairs"][a.id] = _ids(a, [s >= model.said for s in scores])
            said["pairs, asserted"][a.id] = _ids(a, [s >= model.asserted for s in scores])
            _edges(a, weights, said)
    print(describe())
    print(f"{len(found)} abstracts, {sum(map(len, gold.values()))} curated pairs, lexicon "
          f"{lexicon.sha256[:12]}, {arguments.folds} folds")  # fmt: skip
    for name, ids in said.items():
        print(f"{name:28} {_line(gold, ids)}")


def _ids(a: Abstract, kept: Sequence[bool]) -> Ids:
    return frozenset((p.chemical, p.disease) for p, keep in zip(a.pairs, kept, strict=True) if keep)


def _edges(a: Abstract, weights: Weights, said: Mapping[str, Said]) -> None:
    read = document(a)
    ruled = [m for m in extract(read, a.mentions).assertions if m.evidence[0].rule != RULE]
    learned, _ = read_abstract(read, a.mentions, rules(), weights)
    every = [*ruled, *learned]
    said["trigger rules alone"][a.id] = _caused(ruled)
    said["edges"][a.id] = _caused(every)
    said["edges, asserted"][a.id] = _caused([m for m in every if m.tier == "asserted"])


def _caused(made: Sequence[Assertion]) -> Ids:
    return frozenset(
        (m.subject, m.object) for m in made
        if m.predicate == "causes" and not m.negated
        and m.subject.startswith("MESH:") and m.object.startswith("MESH:")
    )  # fmt: skip


def _line(gold: Said, said: Said) -> str:
    rows = [(len(said[k] & gold[k]), len(said[k]), len(gold[k])) for k in gold]
    low, high = bootstrap(rows, lambda drawn: _figures(drawn)[2])
    below, above = bootstrap(rows, lambda drawn: _figures(drawn)[0])
    precision, recall, f1 = _figures(rows)
    return (f"P {precision:.3f} [{below:.3f}, {above:.3f}]  R {recall:.3f}  "
            f"F1 {f1:.3f} [{low:.3f}, {high:.3f}]  said {sum(r[1] for r in rows)}")  # fmt: skip


def _figures(rows: Sequence[tuple[int, int, int]]) -> tuple[float, float, float]:
    right, found, total = (sum(r[i] for r in rows) for i in range(3))
    precision, recall = right / max(found, 1), right / max(total, 1)
    return precision, recall, 2 * right / max(found + total, 1)


if __name__ == "__main__":
    main()
