"""Linking on BC5CDR and NCBI-disease: span and document F1 by type, and speed.

    KGRAG_DATA=... python bench/linking.py [--half dev|test|all] [--errors]

Documents are halved by the parity of the SHA-256 of their id: the lists and rules of the linker
were tuned on the dev half alone. Figures are micro-averaged. *Span* counts exact boundaries;
*document* compares the sets of (document, MeSH id), gold ids without a MeSH id left out, as the
BioCreative V task does. *recognised* span ignores the concept, *linked* wants the id right too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kgrag.linking import Linker
from kgrag.vocabulary.lexicon import Lexicon

TYPES = {"disease": {"disease", "phenotype"}, "chemical": {"drug", "chemical"}}
GOLD_TYPES = {
    "Chemical": "chemical", "Disease": "disease", "DiseaseClass": "disease",
    "SpecificDisease": "disease", "CompositeMention": "disease", "Modifier": "disease",
}  # fmt: skip


@dataclass(frozen=True)
class Article:
    id: str
    text: str
    gold: tuple[tuple[int, int, str, tuple[str, ...]], ...]  # start, end, type, ids

    @property
    def half(self) -> str:
        return "dev" if hashlib.sha256(self.id.encode()).digest()[0] % 2 == 0 else "test"


def articles(path: Path) -> Iterator[Article]:
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        title, text, gold = "", "", []
        number = ""
        for line in block.splitlines():
            if "|t|" in line[:20]:
                number, _, title = line.split("|", 2)
            elif "|a|" in line[:20]:
                text = f"{title} {line.split('|', 2)[2]}"
            else:
                parts = line.split("\t")
                if len(parts) >= 6 and parts[4] in GOLD_TYPES:
                    ids = tuple(
                        "MESH:" + i.strip().removeprefix("MESH:").removeprefix("MESH_")
                        for piece in parts[5].split("|") for i in piece.split("+")
                        if i.strip() != "-1" and not i.strip().startswith("OMIM")
                    )  # fmt: skip
                    gold.append((int(parts[1]), int(parts[2]), GOLD_TYPES[parts[4]], ids))
        if number:
            yield Article(number, text, tuple(gold))


@dataclass
class Tally:
    right: int = 0
    found: int = 0
    gold: int = 0

    def add(self, found: set, gold: set) -> None:
        self.right += len(found & gold)
        self.found += len(found)
        self.gold += len(gold)

    def __str__(self) -> str:
        p = self.right / self.found if self.found else 0.0
        r = self.right / self.gold if self.gold else 0.0
        f = 2 * p * r / (p + r) if p + r else 0.0
        return f"P {100 * p:5.1f}  R {100 * r:5.1f}  F1 {100 * f:5.1f}  (gold {self.gold})"


def measure(name: str, docs: list[Article], linker: Linker, types: tuple[str, ...], errors: bool):
    for type_ in types:
        spans, linked, concepts = Tally(), Tally(), Tally()
        missed, extra, wrong = Counter(), Counter(), Counter()
        for doc in docs:
            mentions = [m for m in linker.link(doc.text) if m.type in TYPES[type_]]
            gold = [g for g in doc.gold if g[2] == type_]
            got = {(m.start, m.end): m for m in mentions}
            want = {(g[0], g[1]): g for g in gold}
            spans.add(set(got), set(want))
            linked.add(
                {(m.start, m.end, m.concept) for m in mentions},
                {(g[0], g[1], "|".join(g[3])) for g in gold},
            )
            concepts.add({m.concept for m in mentions if m.concept.startswith("MESH:")},
                         {i for g in gold for i in g[3]})  # fmt: skip
            for span in set(want) - set(got):
                missed[doc.text[slice(*span)].lower()] += 1
            for span in set(got) - set(want):
                extra[f"{got[span].text.lower()} [{got[span].concept}]"] += 1
            for span in set(got) & set(want):
                if got[span].concept not in want[span][3]:
                    wrong[f"{got[span].text.lower()} {got[span].concept} {want[span][3]}"] += 1
        print(f"{name:14} {type_:9} span      {spans}")
        print(f"{name:14} {type_:9} span+id   {linked}")
        print(f"{name:14} {type_:9} document  {concepts}")
        if errors:
            for label, counter in (("missed", missed), ("extra", extra), ("wrong id", wrong)):
                print(f"  {label}:", "; ".join(f"{k} x{n}" for k, n in counter.most_common(70)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=["dev", "test", "all"], default="all")
    parser.add_argument("--errors", action="store_true", help="list errors; on the dev half only")
    parser.add_argument("--lexicon", type=Path)
    args = parser.parse_args()
    if args.errors and args.half != "dev":
        sys.exit("--errors is for the dev half: whoever reads the others' errors has tuned on them")
    data = os.environ.get("KGRAG_DATA")
    if not data:
        sys.exit("set KGRAG_DATA to the folder of benchmark data")
    begin = time.perf_counter()
    lexicon = Lexicon.open(args.lexicon)
    opened = time.perf_counter() - begin
    linker = Linker(lexicon)
    ready = time.perf_counter() - begin
    print(f"python {platform.python_version()}, {platform.machine()}; lexicon "
          f"{lexicon.sha256[:12]}, {lexicon.counts['concepts']} concepts, "
          f"{lexicon.counts['names']} names; opened in {opened:.2f} s, "
          f"linker ready in {ready:.2f} s")  # fmt: skip
    texts = []
    for name, part, types in (
        ("bc5cdr", "bc5cdr/bc5cdr.PubTator", ("disease", "chemical")),
        ("ncbi_disease", "ncbi_disease/ncbi_disease.PubTator", ("disease",)),
    ):
        docs = list(articles(Path(data) / "bench" / part))
        texts += [doc.text for doc in docs]
        docs = [doc for doc in docs if args.half in ("all", doc.half)]
        print(f"{name}: {len(docs)} abstracts, half {args.half}")
        measure(name, docs, linker, types, args.errors)
    size = sum(len(text.encode()) for text in texts)
    begin, count = time.process_time(), 0
    for text in texts:
        count += len(linker.link(text))
    spent = time.process_time() - begin
    print(f"speed: {size / 1e6:.1f} MB, {count} mentions, {size / 1e6 / spent:.1f} MB a CPU second")


if __name__ == "__main__":
    main()
