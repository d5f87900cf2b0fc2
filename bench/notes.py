"""Notes checked end to end: what a kb's own sentences get as they are, edited, and from elsewhere.

Sentences of the kb's current documents that hold a recommendation are a note: as they stand they
should be supported; with one number doubled, or with the advice turned round, they should be
contradicted and never supported. Sentences about other matters should not be covered.

    python bench/notes.py --kb DIR [--sentences 60] [--collection NAME]
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections import Counter
from pathlib import Path

import numpy as np
from machine import describe

from kgrag import Engine
from kgrag.verification.notes_sentences import kind_of

TURNS = (
    (r"\brecommends against\b", "recommends"),
    (r"\brecommends\b", "recommends against"),
    (r"\bshould not\b", "should"),
    (r"\bshould\b", "should not"),
    (r"\bis not recommended\b", "is recommended"),
    (r"\bis recommended\b", "is not recommended"),
)
ELSEWHERE = (
    "The river freezes over in most winters north of the old bridge.",
    "A string quartet has two violins, a viola and a cello.",
    "The recommended depth for planting tulip bulbs is about three times their height.",
    "Adults should not drive a forklift before they have been trained on it.",
    "The starting salary of a lighthouse keeper is 900 crowns a month.",
    "Sourdough is not recommended for people who are in a hurry.",
    "A chess player loses when the clock runs out.",
    "The treatment of oak with linseed oil prevents cracks.",
    "Screening of luggage is recommended at every airport.",
    "The dose of salt in the soup should be halved when the stock is bought.",
)


def doubled(sentence: str) -> str | None:
    numbers = list(re.finditer(r"(?<![\d.,/\[-])\b[1-9]\d?\b(?![\d.,/\]%]|-)", sentence))
    if not numbers:
        return None
    last = numbers[-1]
    return f"{sentence[: last.start()]}{2 * int(last.group())}{sentence[last.end() :]}"


def turned(sentence: str) -> str | None:
    for pattern, put in TURNS:
        if re.search(pattern, sentence):
            return re.sub(pattern, put, sentence, count=1)
    return None


def share(got: list[float]) -> str:
    rng = np.random.default_rng(0)
    draws = rng.choice(got, (2000, len(got))).mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{np.mean(got):.3f} [{low:.3f}, {high:.3f}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--sentences", type=int, default=60)
    parser.add_argument("--collection")
    options = parser.parse_args()
    print(describe())
    with Engine.open(options.kb) as engine:
        infos = {i.id for i in engine.truth.documents(collection=options.collection)}
        advice = [
            r.quote
            for r in engine.truth.recommendations()
            if r.document_id in infos
            and 8 <= len(r.quote.split()) <= 45
            and "\n" not in r.quote
            and kind_of(r.quote) == "claim"
            and not re.match(r"[\w ]{1,40}:", r.quote)
        ]
        advice = sorted(set(advice))
        random.Random(5).shuffle(advice)
        advice = advice[: options.sentences]
        sets = {
            "as they stand": advice,
            "a number doubled": [d for s in advice if (d := doubled(s)) is not None],
            "turned round": [t for s in advice if (t := turned(s)) is not None],
            "from elsewhere": list(ELSEWHERE),
        }
        print("| sentences | n | supported | contradicted | not covered | s each |")
        print("|---|---|---|---|---|---|")
        for name, sentences in sets.items():
            began = time.perf_counter()
            got: list[str] = []
            for sentence in sentences:
                # One note each: sentences of one would explain each other.
                parts = engine.check_note(sentence).sentences
                worst = Counter(p.verdict for p in parts)
                got.append(
                    "contradicted"
                    if worst["contradicted"]
                    else "not_covered"
                    if worst["not_covered"]
                    else "supported"
                )
            each = (time.perf_counter() - began) / max(1, len(sentences))
            cells = [
                share([float(g == verdict) for g in got])
                for verdict in ("supported", "contradicted", "not_covered")
            ]
            print(f"| {name} | {len(sentences)} | {' | '.join(cells)} | {each:.2f} |", flush=True)


if __name__ == "__main__":
    main()
