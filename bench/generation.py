"""Language model: load time, query likelihood of ten candidates, choice, cost of the token trie.

    python bench/generation.py

Run it as the only work of the machine for times; ratios hold beside other work.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from machine import describe

from kgrag.models.cpu import Dtype, before_torch

QUESTION = "What is the dose of amoxicillin in adults with pneumonia?"
CANDIDATES = [
    f"Amoxicillin {250 * n} mg every {n + 4} hours for five days is recommended for adults with"
    f" community-acquired pneumonia of severity {n}."
    for n in range(1, 11)
]
WAITING = """
import time
from kgrag.generation.transformers_model import load_smollm2
import sys; sys.path.insert(0, {here!r})
from generation import CANDIDATES, QUESTION
model = load_smollm2()
times = []
for _ in range(4):
    began = time.perf_counter()
    model.query_likelihood(QUESTION, CANDIDATES)
    times.append(time.perf_counter() - began)
print(sorted(times[1:])[1])
"""


def timed(work: Callable[[], object], repeats: int = 5) -> tuple[float, float]:
    """Median seconds by the clock and of CPU, after one run that is not counted."""
    work()
    walls, cpus = [], []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return statistics.median(walls), statistics.median(cpus)


def main() -> None:
    before_torch()
    print(describe())
    from kgrag.generation.transformers_model import load_smollm2

    load_smollm2()  # imports the model's own module
    formats: tuple[Dtype, ...] = ("bfloat16", "float32")
    for dtype in formats:
        began = time.perf_counter()
        model = load_smollm2(dtype)
        print(f"{dtype}: load {time.perf_counter() - began:.2f} s, imports done before")
        repeats = 5 if dtype == "bfloat16" else 2
        wall, cpu = timed(lambda m=model: m.query_likelihood(QUESTION, CANDIDATES), repeats)
        print(f"{dtype}: query likelihood of 10 candidates {wall:.2f} s, CPU {cpu:.2f} s")
        wall, cpu = timed(lambda m=model: m.choose(QUESTION, CANDIDATES, count=1), repeats)
        print(f"{dtype}: choose 1 of 10 {wall:.2f} s, CPU {cpu:.2f} s")
    _trie()
    for policy in ("PASSIVE", "ACTIVE"):
        environment = {**os.environ, "OMP_WAIT_POLICY": policy}
        environment.pop("OMP_NUM_THREADS", None)
        here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
        done = subprocess.run(
            [sys.executable, "-c", WAITING.format(here=here)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        print(f"threads wait {policy}: query likelihood of 10, {float(done.stdout):.2f} s")


def _trie() -> None:
    """200 paths of 40 tokens: building, one step of our walk, one of the filter of transformers."""
    import torch

    from kgrag.generation.logits import TrieLogitsProcessor, best_of
    from kgrag.generation.trie import TokenTrie

    paths = [[(n * 7 + k * 31) % 49_000 + 10 for k in range(40)] for n in range(200)]
    built, _ = timed(lambda: TokenTrie(paths, end=2))
    trie = TokenTrie(paths, end=2)
    logits = torch.randn(49_152)

    def walk() -> None:
        emitted: list[int] = []
        while not emitted or emitted[-1] != 2:
            emitted.append(best_of(logits, trie.allowed(emitted)))

    whole, _ = timed(walk, 20)
    processor = TrieLogitsProcessor(trie, start=0)
    ids, scores = torch.tensor([paths[0][:20]]), logits[None]
    filtered, _ = timed(lambda: processor(ids, scores), 50)
    print(
        f"trie of 200 paths: built in {built * 1e3:.1f} ms; walk {whole / 41 * 1e3:.3f} ms a token;"
        f" filter for generate {filtered * 1e3:.2f} ms a token"
    )


if __name__ == "__main__":
    main()
