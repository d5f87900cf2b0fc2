"""The lexicon with a big vocabulary of a user: time to open, to be ready, to build; memory.

    python bench/lexicon.py [--names 1000000] [--repeats 15] [--keep FOLDER]

A vocabulary of that many invented names (three a concept, one parent each, made from syllables so
that names share words as those of medicine do) is added beside the default vocabularies, whose
packages must have been fetched. Every figure is taken in a process of its own: *open* is
``Lexicon.open``; *first link* is open, linker, and one sentence linked; *baseline* is open and one
dictionary of all names, as format 1 of the lexicon built at opening. Medians, with the 5th and
95th percentile.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import describe

SENTENCE = "Metformin is recommended for adults with type 2 diabetes and heart failure."

OPEN = """
import json, resource, sys, time
sys.argv = ["x"]
import kgrag.vocabulary.lexicon as module, kgrag.linking
from kgrag.linking import Linker
begin = time.perf_counter(); cpu = time.process_time()
lexicon = module.Lexicon.open(PATH)
opened = time.perf_counter() - begin; opened_cpu = time.process_time() - cpu
linker = Linker(lexicon)
mentions = linker.link(SENTENCE)
ready = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
begin = time.perf_counter()
index = {name: at for at, name in enumerate(lexicon.table)}
whole = time.perf_counter() - begin
whole_peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
counts = lexicon.counts
print(json.dumps({"open": opened, "open_cpu": opened_cpu, "ready": ready, "peak_mb": peak,
  "baseline": opened + whole, "baseline_mb": whole_peak, "mentions": len(mentions),
  "names": counts["names"], "concepts": counts["concepts"]}))
"""

BUILD = """
import json, resource, time
from pathlib import Path
from kgrag_ingest.ontologies.adding import add, Stated
begin = time.perf_counter(); cpu = time.process_time()
outcome = add(Path(PATH), stated=Stated(id="big", licence="invented"))
print(json.dumps({"state": outcome.state, "seconds": time.perf_counter() - begin,
  "cpu": time.process_time() - cpu,
  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""


def write_vocabulary(path: Path, names: int) -> None:
    """An OBO file of that many names, three a term."""
    rng = random.Random(11)
    syllables = [a + b for a in "bcdfglmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "is")]
    words = ["".join(rng.choices(syllables, k=rng.randint(2, 4))) for _ in range(120_000)]
    weights = [1 / (at + 10) for at in range(len(words))]
    picked = iter(rng.choices(words, weights, k=names * 5))
    with path.open("w") as file:
        file.write("format-version: 1.2\nontology: big\n")
        for number in range(names // 3):
            parts = [
                " ".join(next(picked) for _ in range(rng.choice((1, 2, 2, 3, 3, 4))))
                for _ in range(3)
            ]
            file.write(f"\n[Term]\nid: BIG:{number:07d}\nname: {parts[0]} {number % 977}\n")
            file.writelines(f'synonym: "{part} {number}" EXACT []\n' for part in parts[1:])
            if number:
                file.write(f"is_a: BIG:{rng.randrange(number):07d}\n")


def run(code: str, cache: Path, **values: object) -> dict[str, float]:
    named = "".join(f"{name} = {value!r}\n" for name, value in values.items())
    environment = os.environ | {"KGRAG_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", named + code], env=environment, capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def opened(cache: Path, repeats: int) -> list[dict[str, float]]:
    path = cache / "lexicon" / "lexicon.sqlite"
    return [run(OPEN, cache, PATH=str(path), SENTENCE=SENTENCE) for _ in range(repeats)]


def tell(label: str, rows: list[dict[str, float]]) -> None:
    first = rows[0]
    print(f"\n{label}: {first['concepts']:,.0f} concepts, {first['names']:,.0f} names")
    for key, what, unit, scale in (
        ("open", "open", "ms", 1e3), ("open_cpu", "open, CPU", "ms", 1e3),
        ("ready", "first link", "ms", 1e3), ("peak_mb", "memory by then", "MB", 1),
        ("baseline", "baseline: one dictionary", "ms", 1e3),
        ("baseline_mb", "baseline: memory", "MB", 1),
    ):  # fmt: skip
        values = sorted(row[key] * scale for row in rows)
        low, high = values[len(values) // 20], values[-1 - len(values) // 20]
        print(f"  {what:26} {statistics.median(values):8.0f} {unit}  ({low:.0f} to {high:.0f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--keep", type=Path, help="work here and leave the files")
    args = parser.parse_args()
    from kgrag.paths import cache_dir

    packages = cache_dir("vocabularies")
    print(describe())
    with tempfile.TemporaryDirectory() as temporary:
        cache = args.keep or Path(temporary)
        cache.mkdir(parents=True, exist_ok=True)
        if not (cache / "vocabularies").exists():
            (cache / "vocabularies").symlink_to(packages)
        default = subprocess.run(
            [sys.executable, "-m", "kgrag", "vocab", "build"],
            env=os.environ | {"KGRAG_CACHE": str(cache)}, capture_output=True, text=True,
        )  # fmt: skip
        if default.returncode:
            sys.exit(default.stderr)
        tell("default vocabularies", opened(cache, args.repeats))
        source = cache / "big.obo"
        begin = time.perf_counter()
        write_vocabulary(source, args.names)
        print(f"\ninvented {args.names:,} names in {time.perf_counter() - begin:.0f} s")
        built = run(BUILD, cache, PATH=str(source))
        size = (cache / "lexicon" / "lexicon.sqlite").stat().st_size / 2**20
        print(
            f"vocab add: {built['seconds']:.0f} s ({built['cpu']:.0f} s CPU),"
            f" peak {built['peak_mb']:.0f} MB, file {size:.0f} MB"
        )
        again = run(BUILD, cache, PATH=str(source))
        print(f"vocab add of the same: {again['seconds']:.1f} s, {again['state']}")
        tell("with the user's vocabulary", opened(cache, args.repeats))


if __name__ == "__main__":
    main()
