"""Edges between drugs and diseases against physicians' judgement (PharmacotherapyDB).

    KGRAG_DATA=... python bench/pharmacotherapy.py [--half dev|test|all] [--errors]

Reads medquad, drug_labels and openstax_nursing, links and extracts, and looks every judged pair up
among the edges `treats` and `prevents` that are not denied. Recall is over the pairs judged disease
modifying (DM) or symptomatic (SYM); *wrongly asserted* is the share of the pairs judged no
indication (NOT) that have such an edge. *exact* wants the very concepts, *narrower* also takes an
edge about a kind of the disease. Pairs are halved by the SHA-256 of their two ids: rules were
developed on the dev half alone (--errors shows no other). The baseline is co-occurrence of the two
in one sentence or row; *reachable* is co-occurrence anywhere in one document.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from extraction import read_corpus
from machine import describe
from statistics_of import wilson

from kgrag.linking import Linker
from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Mention
from kgrag.records.text import Document
from kgrag.sentences import sentences
from kgrag.vocabulary.lexicon import Lexicon, default_path
from kgrag_ingest.extract import extract

CORPORA = (
    ("medquad", "medquad"),
    ("drug_labels/dailymed_indication_text.jsonl", None),
    ("openstax_nursing/modules", "openstax-nursing"),
)
_HELPS = ("treats", "prevents")

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair of the file: the concepts that its drug and its disease may be, and the verdict."""

    name: str
    category: str
    half: str
    drugs: frozenset[str]
    diseases: frozenset[str]
    narrower: frozenset[str]


@dataclass(slots=True)
class Found:
    """Pairs of concepts by how they were found; ``edges`` keep the sentence for --errors."""

    document: set[Pair] = field(default_factory=set)
    sentence: set[Pair] = field(default_factory=set)
    candidate: set[Pair] = field(default_factory=set)
    asserted: set[Pair] = field(default_factory=set)
    denied: set[Pair] = field(default_factory=set)
    edges: dict[Pair, list[str]] = field(default_factory=lambda: defaultdict(list))
    together: dict[Pair, list[str]] = field(default_factory=lambda: defaultdict(list))


def judged(lexicon: Lexicon, linker: Linker, data: Path) -> list[Judged]:
    """All pairs of the file, with the concepts of the lexicon that they mean."""
    same: dict[str, set[str]] = defaultdict(set)
    below: dict[str, set[str]] = defaultdict(set)
    for concept in lexicon:
        for other in concept.same_as:
            same[other].add(concept.curie)
        for parent in concept.parents:
            below[parent].add(concept.curie)
    with (data / "ontologies" / "do_xrefs.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["xref"].startswith("MESH:") and row["xref"] in lexicon:
                same[row["id"]].add(lexicon.concept(row["xref"]).curie)
    found = []
    path = data / "bench" / "pharmacotherapydb" / "indications.tsv"
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            diseases = same[row["doid_id"]] | _named(linker, row["disease"])
            drugs = same[f"DRUGBANK:{row['drugbank_id']}"] | _named(linker, row["drug"])
            key = f"{row['doid_id']}|{row['drugbank_id']}".encode()
            found.append(
                Judged(
                    f"{row['drug']} | {row['disease']}",
                    row["category"],
                    "dev" if hashlib.sha256(key).digest()[0] % 2 == 0 else "test",
                    frozenset(drugs),
                    frozenset(diseases),
                    frozenset(_closure(diseases, below)),
                )
            )
    return found


def _named(linker: Linker, name: str) -> set[str]:
    return {m.concept for m in linker.link(name) if len(m.text) == len(name)}


def _closure(roots: Iterable[str], below: Mapping[str, set[str]]) -> set[str]:
    seen, ahead = set(roots), list(roots)
    while ahead:
        for child in below.get(ahead.pop(), ()):
            if child not in seen:
                seen.add(child)
                ahead.append(child)
    return seen


def look(
    document: Document,
    mentions: tuple[Mention, ...],
    made: Iterable[Assertion],
    wanted: frozenset[str],
    found: Found,
) -> None:
    """Adds what the document holds of the ``wanted`` concepts."""
    inside = [m for m in mentions if m.concept in wanted]
    drugs = {m.concept for m in inside if m.type in ("drug", "chemical")}
    others = {m.concept for m in inside} - drugs
    found.document |= {(d, o) for d in drugs for o in others}
    if drugs and others:
        for span in sentences(document.text):
            here = {m.concept for m in inside if span.start <= m.start < span.end}
            pairs = {(d, o) for d in here & drugs for o in here & others}
            found.sentence |= pairs
            for pair in pairs:
                if len(found.together[pair]) < 3:
                    found.together[pair].append(span.of(document.text))
    for assertion in made:
        pair = (assertion.subject, assertion.object)
        if assertion.predicate not in _HELPS:
            continue
        if assertion.negated:
            found.denied.add(pair)
            continue
        (found.asserted if assertion.tier == "asserted" else found.candidate).add(pair)
        found.edges[pair] += [f"{assertion.tier} {e.rule}: {e.quote}" for e in assertion.evidence]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--half", choices=["dev", "test", "all"], default="all")
    parser.add_argument("--errors", action="store_true", help="of the dev half")
    parser.add_argument("--lexicon", type=Path, default=default_path())
    arguments = parser.parse_args()
    if arguments.errors and arguments.half != "dev":
        sys.exit("--errors is for the dev half: whoever reads the other has tuned on it")
    data = Path(os.environ["KGRAG_DATA"])
    lexicon = Lexicon.open(arguments.lexicon)
    linker = Linker(lexicon)
    pairs = judged(lexicon, linker, data)
    wanted = frozenset(c for p in pairs for c in p.drugs | p.narrower)
    found = Found()
    size, began = 0, time.process_time()
    for folder, recipe in CORPORA:
        for document in read_corpus(data / "corpora" / folder, recipe):
            size += len(document.text)
            mentions = linker.link(document.text)
            look(document, mentions, extract(document, mentions).assertions, wanted, found)
    print(describe())
    print(f"lexicon {lexicon.sha256[:12]}; {size / 1e6:.1f} MB read, linked and extracted in "
          f"{time.process_time() - began:.0f} CPU s")  # fmt: skip
    for half in ("dev", "test") if arguments.half == "all" else (arguments.half,):
        report(half, [p for p in pairs if p.half == half], found)
    if arguments.half == "all":
        report("all", pairs, found)
    if arguments.errors:
        errors([p for p in pairs if p.half == "dev"], found)


def report(name: str, pairs: list[Judged], found: Found) -> None:
    """A line a way of finding: recall of DM, SYM and both, and the share of NOT found."""
    ways = {
        "reachable (one document)": found.document,
        "co-occurrence (one sentence)": found.sentence,
        "edges, both tiers": found.asserted | found.candidate,
        "edges, asserted": found.asserted,
    }
    print(f"{name}: {len(pairs)} pairs")
    for label, held in ways.items():
        for reach in ("exact", "narrower"):
            cells = []
            for kinds in (("DM",), ("SYM",), ("DM", "SYM"), ("NOT",)):
                group = [p for p in pairs if p.category in kinds]
                hits = sum(_holds(p, held, reach) for p in group)
                low, high = wilson(hits, len(group))
                cells.append(f"{'+'.join(kinds)} {hits}/{len(group)} {hits / len(group):.3f} "
                             f"[{low:.3f}, {high:.3f}]")  # fmt: skip
            print(f"  {label:29} {reach:9} " + "  ".join(cells))


def _holds(pair: Judged, held: set[Pair], reach: str) -> bool:
    diseases = pair.diseases if reach == "exact" else pair.narrower
    return any((drug, disease) in held for drug in pair.drugs for disease in diseases)


def errors(pairs: list[Judged], found: Found) -> None:
    """Dev pairs that co-occur in a sentence and have no edge, and NOT pairs that have one."""
    for pair in pairs:
        keys = [(d, o) for d in pair.drugs for o in pair.narrower]
        edges = [s for key in keys for s in found.edges.get(key, ())]
        if pair.category == "NOT" and edges:
            print(f"WRONG {pair.name}\n    " + "\n    ".join(edges[:4]))
        elif pair.category != "NOT" and not edges:
            lines = [s for key in keys for s in found.together.get(key, ())]
            if lines:
                print(f"MISSED {pair.name} ({pair.category})\n    " + "\n    ".join(lines[:3]))


if __name__ == "__main__":
    main()
