"""A hundred guideline sentences with "avoid", "should not", "no benefit", "unless" and the like.

    python bench/polarity.py [--lexicon default|own] [--errors]

The list is tests/golden/polarity.txt, written before the rules were changed for it. ``own`` links
with a lexicon of the list's names only, so that extraction alone is measured; ``default`` links
with the compiled lexicon. A sentence is right when all that must be found in it is found and
nothing else is. The baseline takes every pair of a sentence whose types some predicate allows and
calls it treats, or contraindicated_in when the sentence holds a word of denial.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from machine import describe
from statistics_of import wilson

from kgrag.linking import Linker
from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Mention
from kgrag.vocabulary.lexicon import Lexicon, default_path
from kgrag_ingest.extract import extract

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))

from polarity_sentences import Sentence, is_own, own_lexicon, read

_DENIAL = re.compile(r"(?i)\b(?:not|no|never|avoid\w*|against|without|contraindicated)\b")
_DRUGS = ("drug", "chemical", "procedure")


def naive(text: str, mentions: Sequence[Mention]) -> list[Assertion]:
    """The baseline: co-occurrence and a word of denial."""
    predicate = "contraindicated_in" if _DENIAL.search(text) else "treats"
    return [
        Assertion(s.concept, predicate, o.concept)
        for s in mentions for o in mentions
        if s.type in _DRUGS and o.type in ("disease", "phenotype", "other")
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lexicon", default="own", help="own, default, or a file")
    parser.add_argument("--errors", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.lexicon == "own":
            linker, same = Linker(own_lexicon(Path(folder) / "lexicon.sqlite")), is_own
        else:
            known = arguments.lexicon != "default"
            linker = Linker(Lexicon.open(arguments.lexicon if known else default_path()))
            same = _by(linker)
        _, sentences = read()
        print(describe())
        _report("co-occurrence", sentences, linker, same, lambda s, m: naive(s.text, m), False)
        _report(
            "rules", sentences, linker, same,
            lambda s, m: list(extract(s.document(), m).assertions), arguments.errors,
        )  # fmt: skip


def _by(linker: Linker) -> Callable[[str, str], bool]:
    concepts: dict[str, set[str]] = {}

    def same(curie: str, name: str) -> bool:
        if name not in concepts:
            concepts[name] = {m.concept for m in linker.link(name)}
        return curie in concepts[name]

    return same


def _report(
    name: str,
    sentences: Sequence[Sentence],
    linker: Linker,
    same: Callable[[str, str], bool],
    read_one: Callable[[Sentence, Sequence[Mention]], list[Assertion]],
    errors: bool,
) -> None:
    right: Counter[str] = Counter()
    total = Counter(s.group for s in sentences)
    said_wrong = 0
    for sentence in sentences:
        problems = sentence.problems(read_one(sentence, linker.link(sentence.text)), same)
        right[sentence.group] += not problems
        said_wrong += any(p.startswith("said") for p in problems)
        if errors and problems:
            print(f"  {sentence.text}\n    " + "\n    ".join(problems))
    low, high = wilson(right.total(), total.total())
    print(
        f"{name}: {right.total()} of {total.total()} right [{low:.2f}, {high:.2f}], "
        f"{said_wrong} with something said that is not so; "
        + ", ".join(f"{group} {right[group]}/{n}" for group, n in total.items())
    )


if __name__ == "__main__":
    main()
