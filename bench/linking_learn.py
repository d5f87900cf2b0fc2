"""Learn the names and weights that kgrag ships from BC5CDR and NCBI-disease.

    KGRAG_DATA=... python bench/linking_learn.py [--lexicon PATH] [--out ontologies/linking]

Nothing of BioRED is read: it is what the shipped files are measured on (``bench/linking.py``).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import linking_data

from kgrag.linking.learn import learn
from kgrag.vocabulary.lexicon import Lexicon


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lexicon", type=Path)
    parser.add_argument("--out", type=Path, default=Path("ontologies/linking"))
    args = parser.parse_args()
    lexicon = Lexicon.open(args.lexicon)
    documents = [*linking_data.bc5cdr(), *linking_data.ncbi_disease()]
    about = {
        "documents": "979 abstracts of BC5CDR, 692 of NCBI-disease (PubTator releases)",
        "labels": "counts of names that at least two documents write; no text of the documents",
        "lexicon": lexicon.sha256,
        "script": "bench/linking_learn.py",
    }
    learned = learn(lexicon, documents, about=about, least_documents=2)
    learned.write(args.out)
    weights = sum(len(w.features) for w in learned.weights.values())
    print(f"{len(learned.names)} names, {len(learned.same)} concepts called otherwise, "
          f"{weights} weights in {args.out}")  # fmt: skip


if __name__ == "__main__":
    main()
