"""``kgrag vocab suggest`` by the title of an abstract: which of the abstract's MeSH ids it finds.

    KGRAG_DATA=... python bench/suggest.py [--kb NAME=FOLDER ...] [--half dev|test]

The labelled chemicals and diseases of a whole abstract are what its title should lead to; most of
them it does not name. The 320 BioRED abstracts that are neither in BC5CDR nor in NCBI-disease
taught nothing of kgrag. The dev half (crc32 of the PubMed id even) chose how closeness is weighed;
the test half is reported. Baselines: every longest run of words that is a name in the lexicon, its
first concept (exact), and plain linking. ``--kb`` adds what stands beside the named concepts in
the passages of a kb; documents with one of the titles are none of its own (checked).
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import linking_data
import numpy as np
from machine import describe
from statistics_of import bootstrap

from kgrag import Engine
from kgrag.linking import Linker
from kgrag.linking.propose import load_proposer
from kgrag.retrieval.concepts_index import ConceptIndex, open_concepts
from kgrag.vocabulary.lexicon import Lexicon, default_path
from kgrag.vocabulary.suggest import id_in, suggest

Ranked = list[str]
LIMIT = 10
_LONGEST = 8  # words of a name that is looked up


def titles() -> Iterator[tuple[str, str, frozenset[str]]]:
    """(PubMed id, title, MeSH ids of the labelled abstract) of those with an id at all."""
    file = linking_data.folder() / "biored/biored.PubTator"
    heads = (line.split("|", 2) for line in file.read_text("utf-8").splitlines() if "|t|" in line)
    title = {number: text for number, _, text in heads}
    for document in linking_data.biored_rest():
        gold = frozenset(c for label in document.labels for c in label.concepts)
        if gold:
            yield document.id, title[document.id], gold


def exact(lexicon: Lexicon) -> Callable[[str], Ranked]:
    def found(text: str) -> Ranked:
        words = text.lower().replace(",", " ").replace(".", " ").split()
        at, ids = 0, []
        while at < len(words):
            for count in range(min(_LONGEST, len(words) - at), 0, -1):
                candidates = lexicon.names(" ".join(words[at : at + count]))
                if candidates:
                    ids.append(id_in(lexicon, candidates[0].curie, "MESH"))
                    at += count - 1
                    break
            at += 1
        return list(dict.fromkeys(i for i in ids if i))

    return found


def linked(linker: Linker) -> Callable[[str], Ranked]:
    def found(text: str) -> Ranked:
        ids = (id_in(linker.lexicon, m.concept, "MESH") for m in linker.link(text))
        return list(dict.fromkeys(i for i in ids if i))

    return found


def suggested(linker: Linker, **options: object) -> Callable[[str], Ranked]:
    return lambda text: [
        one.id
        for one in suggest(text, linker, limit=LIMIT, **options).suggestions  # type: ignore[arg-type]
    ]


def recall(rows: Sequence[tuple[Ranked, frozenset[str]]], depth: int) -> float:
    """The share of an abstract's ids that are among the first ``depth``, averaged."""
    return float(np.mean([len(gold & set(ids[:depth])) / len(gold) for ids, gold in rows]))


def p_value(a: Sequence[float], b: Sequence[float], rounds: int = 10_000) -> float:
    """Of the paired differences by chance, two-sided, signs flipped."""
    difference = np.array(a) - np.array(b)
    signs = np.random.default_rng(1).choice((-1.0, 1.0), size=(rounds, len(difference)))
    return float((np.abs(signs @ difference) >= abs(difference.sum()) - 1e-12).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", action="append", default=[], metavar="NAME=FOLDER")
    parser.add_argument("--half", choices=("dev", "test"), default="test")
    parser.add_argument("--similar", action="store_true")
    args = parser.parse_args()
    print(describe())
    lexicon = Lexicon.open(default_path())
    linker = Linker(lexicon)
    wanted = 0 if args.half == "dev" else 1
    cases = [case for case in titles() if zlib.crc32(case[0].encode()) % 2 == wanted]
    ways = {
        "exact names": exact(lexicon),
        "linking": linked(linker),
        "suggest": suggested(linker),
    }
    if args.similar:
        ways["suggest, spelling"] = suggested(linker, spelled=load_proposer("ngrams", lexicon))
    for one in args.kb:
        name, _, folder = one.partition("=")
        ways[f"suggest, beside in {name}"] = suggested(linker, beside=index_of(folder, cases))
    rows = {way: [(find(title), gold) for _, title, gold in cases] for way, find in ways.items()}
    print(f"{args.half} half: {len(cases)} titles, "
          f"{np.mean([len(gold) for *_, gold in cases]):.1f} ids each")  # fmt: skip
    for way, found in rows.items():
        figures = []
        for depth in (5, 10):
            low, high = bootstrap(found, lambda some, d=depth: recall(some, d))
            figures.append(f"{recall(found, depth):.3f} [{low:.3f}, {high:.3f}]")
        each = [[recall([row], LIMIT) for row in rows[name]] for name in (way, "linking")]
        print(f"| {way} | {' | '.join(figures)} | {p_value(*each):.4f} |")


def index_of(folder: str, cases: Sequence[tuple[str, str, frozenset[str]]]) -> ConceptIndex:
    """The kb's index, which must hold none of the abstracts."""
    known = {title.casefold().rstrip(". ") for _, title, _ in cases}
    with Engine.open(folder) as engine:
        own = [i for i in engine.truth.documents() if i.title.casefold().rstrip(". ") in known]
        if own:
            raise SystemExit(f"{folder} holds {len(own)} of the abstracts")
        return open_concepts(engine.truth, Path(folder) / "concepts")


if __name__ == "__main__":
    main()
