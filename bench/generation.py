"""Language model: load time, query likelihood of ten candidates, choice, cost of the closed set.

    python bench/generation.py [--engines]

With ``--engines`` only the closed set, in both engines.

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

from kgrag.generation.allowed import TooLarge
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
    if "--engines" in sys.argv:
        _engines()
        return
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
    _engines()
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


def _engines() -> None:
    """What the closed set costs: compiled, and a token of a text that random logits choose."""
    import torch
    from transformers import AutoTokenizer

    from kgrag.generation.allowed import Edge, statements, walks
    from kgrag.generation.chat import ChatForm
    from kgrag.generation.grammar import GrammarEngine
    from kgrag.generation.logits import best_of
    from kgrag.generation.trie import TokenTrie
    from kgrag.models import model_path

    folder = model_path("smollm2-135m-instruct")
    words = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    form, end = ChatForm(words), int(words.eos_token_id)
    began = time.perf_counter()
    engine = GrammarEngine(words, end=end)
    print(f"llguidance: tokenizer read in {time.perf_counter() - began:.2f} s, once a model")
    sentences = [f"{text} Case {n}." for n in range(20) for text in CANDIDATES]

    def edges_from(concept: str) -> list[Edge]:
        depth, place = map(int, concept.split("."))
        seen = [(place * 7 + n) % 1000 for n in range(100)]
        return [Edge(f"{concept}>{n}", "may_treat", f"{depth + 1}.{n}") for n in seen]

    for name, make in (
        ("1 to 3 of 200 sentences", lambda: statements(sentences, most=3)),
        ("1 of 20 sentences", lambda: statements(sentences[:20], most=1)),
        ("paths of 3 of 100 edges each, a million", lambda: walks(["0.0"], edges_from, names={})),
    ):
        for kind in ("trie", "llguidance"):

            def compiled(kind: str = kind, make: Callable[[], object] = make):  # type: ignore[no-untyped-def]
                closed = make()
                if kind == "trie":
                    made = TokenTrie(closed, form.plain, end=end)
                    made.walk().allowed()  # the first tree is part of it
                    return made
                return engine.compile(closed)

            try:
                built, _ = timed(compiled, 3)
            except TooLarge:
                print(f"{name}, {kind}: more states than a grammar lists")
                continue
            made, logits = compiled(), torch.randn(49_152)
            steps: list[float] = []
            for _ in range(5):
                walk = made.walk()
                while not walk.done:
                    began = time.perf_counter()
                    walk.take(best_of(torch.roll(logits, len(steps)), walk.allowed()))
                    steps.append(time.perf_counter() - began)
            print(
                f"{name}, {kind}: compiled in {built * 1e3:.1f} ms;"
                f" {statistics.median(steps) * 1e3:.3f} ms a token (median of {len(steps)})"
            )


if __name__ == "__main__":
    main()
