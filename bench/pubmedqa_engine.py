"""The same local model alone and with the engine: PubMedQA, and MMLU's medical questions.

The kb holds the 500 abstracts without their conclusions (and none of the labels). The model says
how likely "yes", "no" and "maybe" are after the question alone, after the engine's quotations and
the question, and after the question's own abstract, which is the most that quotations could give.
Their scores are turned into an answer by a multinomial regression of three inputs, fitted on one
half of the questions and reported on the other.

    python bench/pubmedqa_engine.py --kb DIR [--data DIR, or KGRAG_DATA] --scores FILE

``--kb`` is made when it is not there. ``--scores`` keeps the model's scores, a line a question, in
an order that chance gave; a second run goes on where the first ended.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import zlib
from pathlib import Path

import numpy as np
from machine import describe
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

ANSWERS = ("yes", "no", "maybe")
WAYS = ("alone", "with quotations", "with its abstract")
MCQ = 200


def is_dev(identifier: str) -> bool:
    return zlib.crc32(identifier.encode()) % 2 == 0


def read(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line.strip()]


def make_kb(rows: list[dict], kb: Path) -> None:
    from kgrag.engine import Engine
    from kgrag_ingest.pipeline import ingest

    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "pubmedqa.jsonl"
        lines = [
            json.dumps({"id": row["pmid"], "text": "\n\n".join(row["contexts"])}) for row in rows
        ]
        corpus.write_text("\n".join(lines) + "\n", "utf-8")
        with Engine.open(kb, mode="write", create=True) as engine:
            ingest([corpus], engine.truth, engine.linker)
            engine.catch_up()


def measure(rows: list[dict], kb: Path, kept: Path) -> None:
    """Into ``kept``, a line a question: the scores of each way, and where the quotations are of."""
    from kgrag.engine import Engine
    from kgrag.generation import load_language_model

    done = {row["pmid"] for row in read(kept)} if kept.exists() else set()
    model = load_language_model("smollm2-135m-instruct")
    with Engine.open(kb) as engine, kept.open("a", encoding="utf-8") as out:
        engine.warm_up()
        for row in rows:
            if row["pmid"] in done:
                continue
            began, question = time.perf_counter(), row["question"]
            answer = engine.ask(question)
            quotations = [c.quote for s in answer.statements for c in s.citations]
            own = " ".join(" ".join(row["contexts"]).split())
            right = sum(" ".join(q.split()) in own for q in quotations)
            prompts = {
                "alone": question,
                "with quotations": "\n".join([*quotations, "", question]),
                "with its abstract": "\n".join([*row["contexts"], "", question]),
            }
            found = {
                "pmid": row["pmid"],
                "scores": {w: model.score(p, ANSWERS, told="yes_no") for w, p in prompts.items()},
                "quotations": len(quotations),
                "of its abstract": right,
                "seconds": round(time.perf_counter() - began, 2),
            }
            out.write(json.dumps(found) + "\n")
            out.flush()


def fitted(inputs: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """Weights of shape (inputs + 1, answers): log-likelihood with a small penalty on the slopes."""
    wide = np.hstack([inputs, np.ones((len(inputs), 1))])
    size = (wide.shape[1], len(ANSWERS))

    def loss(flat: np.ndarray) -> float:
        weights = flat.reshape(size)
        chosen = log_softmax(wide @ weights, axis=1)[np.arange(len(gold)), gold]
        return float(-chosen.mean() + 0.01 * (weights[:-1] ** 2).sum())

    return minimize(loss, np.zeros(size[0] * size[1])).x.reshape(size)


def decided(weights: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    return (np.hstack([inputs, np.ones((len(inputs), 1))]) @ weights).argmax(axis=1)


def interval(values: np.ndarray, seed: int = 1) -> str:
    drawn = np.random.default_rng(seed).integers(0, len(values), (2000, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return f"{values.mean():+.3f} [{low:+.3f}, {high:+.3f}]"


def macro_f1(said: np.ndarray, gold: np.ndarray) -> float:
    found = []
    for answer in range(len(ANSWERS)):
        both = ((said == answer) & (gold == answer)).sum()
        found.append(2 * both / max(1, (said == answer).sum() + (gold == answer).sum()))
    return float(np.mean(found))


def report(rows: list[dict], held: dict[str, dict]) -> None:
    rows = [row for row in rows if row["pmid"] in held]
    gold = np.array([ANSWERS.index(row["final_decision"]) for row in rows])
    dev = np.array([is_dev(row["pmid"]) for row in rows])
    test = ~dev
    print(f"questions: {dev.sum()} to fit on, {test.sum()} to report on")
    of = [held[row["pmid"]] for row in rows]
    answered = np.array([o["quotations"] > 0 for o in of])
    own = np.array([o["of its abstract"] > 0 for o in of])
    print(f"the engine answered {answered[test].mean():.3f} of the test questions, "
          f"{own[test].mean():.3f} with a quotation of the question's own abstract")  # fmt: skip
    right = {"all yes": (gold == 0).astype(float)}
    print(f"{'all yes':42} accuracy {interval(right['all yes'][test])}, "
          f"macro-F1 {macro_f1(np.zeros_like(gold)[test], gold[test]):.3f}")  # fmt: skip
    for way in WAYS:
        raw = np.array([o["scores"][way] for o in of])
        chances = softmax(raw, axis=1)
        # Priors: what the model says to every question alike is taken off, by the dev half.
        plain = (raw - np.log(chances[dev].mean(axis=0))).argmax(axis=1)
        inputs = raw - raw.mean(axis=1, keepdims=True)
        inputs = (inputs - inputs[dev].mean(axis=0)) / inputs[dev].std(axis=0)
        said = decided(fitted(inputs[dev], gold[dev]), inputs)
        for name, made in ((f"{way}, priors taken off", plain), (f"{way}, fitted", said)):
            right[name] = (made == gold).astype(float)
            print(f"{name:42} accuracy {interval(right[name][test])}, "
                  f"macro-F1 {macro_f1(made[test], gold[test]):.3f}")  # fmt: skip
    for kind in ("priors taken off", "fitted"):
        for way in WAYS[1:]:
            gain = (right[f"{way}, {kind}"] - right[f"alone, {kind}"])[test]
            print(f"paired gain of the model {way} over alone, {kind}: {interval(gain)}")
    both = (right["with quotations, fitted"] - right["all yes"])[test]
    print(f"paired gain with quotations, fitted, over all yes: {interval(both)}")


def multiple_choice(data: Path) -> None:
    """The share of MMLU's medical questions right, by mean log-likelihood of the option's text."""
    from kgrag.generation import load_language_model

    rows = read(data / "bench" / "mcq" / "mmlu_med_test.jsonl")
    rows = sorted(rows, key=lambda row: zlib.crc32(row["id"].encode()))[:MCQ]
    model = load_language_model("smollm2-135m-instruct")
    right = []
    for row in rows:
        options = list(row["options"].values())
        scores = model.score(row["question"], options)
        each = [s / max(1, len(o.split())) for s, o in zip(scores, options, strict=True)]
        right.append(list(row["options"])[int(np.argmax(each))] == row["answer"])
    print(f"MMLU medical, {len(rows)} questions by hash, chance 0.25: "
          f"{interval(np.array(right, dtype=float))}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kb", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=os.environ.get("KGRAG_DATA"))
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--report-only", action="store_true", help="of what --scores holds")
    parser.add_argument("--limit", type=int, help="of questions, for a trial")
    options = parser.parse_args()
    if options.data is None:
        parser.error("give --data, or set KGRAG_DATA")
    rows = read(options.data / "bench" / "pubmedqa" / "pqal_dev.jsonl")
    if not options.kb.exists():
        make_kb(rows, options.kb)
    print(describe())
    scattered = sorted(rows, key=lambda row: zlib.crc32(f"order {row['pmid']}".encode()))
    if not options.report_only:
        measure(scattered[: options.limit], options.kb, options.scores)
    report(rows, {row["pmid"]: row for row in read(options.scores)})
    multiple_choice(options.data)


if __name__ == "__main__":
    main()
