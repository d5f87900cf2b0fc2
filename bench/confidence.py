"""Is the confidence that ``ask`` prints a probability? Asked, counted, mapped where it is off.

    python bench/confidence.py ask --kb DIR      # asks, and keeps numbers (no text) in bench/.cache
    python bench/confidence.py report            # reliability, its error, risk against coverage
    python bench/confidence.py fit               # the map of the dev half, into what kgrag ships

Questions of ``labels/guide_questions*.jsonl`` are asked of a kb of the corpora, cpgQA never found:
as they are, and, where one document alone answers, with that document barred; questions of general
knowledge beside them. A statement is right when its quotation holds the labelled sentence or lies
in it. Others may answer too, so shares of right ones are lower bounds. The half of a question is
that of crc32 of its words; the map is fitted on ``dev`` and told of ``test``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from dev_pools import GENERAL, flat, records, sentence_of
from loop import Asked, Barring, is_dev
from machine import describe

from kgrag import Engine
from kgrag.encoding import load_encoder
from kgrag.evaluation.verdicts.scoring import auc
from kgrag.reasoning.loop import Parts, ask
from kgrag.records.question import AskOptions
from kgrag.retrieval.rerank import WEIGHTS
from kgrag.verification import claims_model
from kgrag.verification.calibration import (
    Curve,
    area,
    expected_error,
    isotonic,
    reliability,
    risk_coverage,
    threshold_for,
)
from kgrag.verification.calibration_regimes import Regime, answer_made_with, encode, shipped

LABELS = Path(__file__).parent / "labels"
RUNS = Path(__file__).parent / ".cache" / "confidence.jsonl"
ROUNDS, SEED = 2_000, 7
LEAST = 25


def questions(engine: Engine) -> Iterator[Asked]:
    barred = tuple(d.id for d in engine.truth.documents(collection="cpgqa"))
    sources = {(d.source.collection, d.source.identifier): d.id for d in engine.truth.documents()}
    for path in sorted(LABELS.glob("guide_questions*.jsonl")):
        for label in records(path):
            home = sources[label["collection"], label["identifier"]]
            document = engine.truth.document(home)
            span = sentence_of(document, label)
            if span is None:
                continue
            yield Asked("answerable", label["question"], (flat(span.of(document.text)),), barred)
            if not label["elsewhere"]:
                yield Asked("removed", label["question"], (), (*barred, home))
    for question in GENERAL:
        yield Asked("general", question, (), barred)


def asking(kb: Path) -> None:
    RUNS.parent.mkdir(exist_ok=True)
    with Engine.open(kb) as engine, RUNS.open("w", encoding="utf-8") as out:
        engine.warm_up()
        parts = Parts.of(engine)
        for asked in questions(engine):
            print(json.dumps(_asked(parts, asked)), file=out, flush=True)


def _asked(parts: Parts, asked: Asked) -> dict[str, Any]:
    own = replace(parts, retriever=Barring(parts.retriever, asked.without))
    if parts.near is not None:
        near, barred = parts.near, set(asked.without)
        own = replace(
            own, near=lambda v, o: [f for f in near(v, o) if f.hit.document.id not in barred]
        )
    answer = ask(asked.question, own, AskOptions())
    said = []
    for statement in answer.statements:
        quotes = [flat(c.quote) for c in statement.citations]
        right = any(q in g or g in q for q in quotes for g in asked.gold)
        said.append([statement.kind, statement.confidence, right])
    return {"kind": asked.kind, "dev": is_dev(asked.question), "said": said,
            "rounds": [r.chance for r in answer.rounds]}  # fmt: skip


Said = tuple[float, bool]
"""The confidence printed and whether the quotation is the labelled one."""


def statements(rows: Sequence[dict[str, Any]], dev: bool, *, first: bool) -> list[Said]:
    """Those quoted: the first of each answer, or those that follow it."""
    found = []
    for row in rows:
        quoted = [(sure, right) for kind, sure, right in row["said"] if kind == "quote"]
        chosen = quoted[:1] if first else quoted[1:]
        if row["dev"] is dev:
            found += [(float(sure), bool(right)) for sure, right in chosen]
    return found


def curve_of(rows: Sequence[dict[str, Any]]) -> Curve:
    """The map fitted on the first statements of the dev half."""
    said = statements(rows, True, first=True)
    return isotonic([s for s, _ in said], [r for _, r in said], least=LEAST)


def interval(said: Sequence[Said], curve: Curve | None) -> str:
    rng = np.random.default_rng(SEED)
    values = []
    for _ in range(ROUNDS):
        drawn = [said[i] for i in rng.integers(0, len(said), len(said))]
        values.append(error_of(drawn, curve))
    low, high = np.quantile(values, [0.025, 0.975])
    return f"{error_of(said, curve):.3f} [{low:.3f}, {high:.3f}]"


def error_of(said: Sequence[Said], curve: Curve | None) -> float:
    sure = [s if curve is None else curve(s) for s, _ in said]
    found = expected_error(reliability(sure, [r for _, r in said], bins=5))
    assert found is not None
    return found


def report(rows: Sequence[dict[str, Any]]) -> None:
    curve = curve_of(rows)
    print(describe())
    print("\n| kind | half | asked | answered | first statement right |\n|---|---|---|---|---|")
    for kind in ("answerable", "removed", "general"):
        for dev in (True, False):
            own = [r for r in rows if r["kind"] == kind and r["dev"] is dev]
            told = [r for r in own if r["said"]]
            right = sum(r["said"][0][2] for r in told)
            half = "dev" if dev else "test"
            print(f"| {kind} | {half} | {len(own)} | {len(told)} | {right} |")
    print(
        "\n| statements | half | n | right | mean printed | AUC | AURC | ECE printed | ECE mapped |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for first, name in ((True, "first of an answer"), (False, "those that follow")):
        for dev in (True, False):
            said = statements(rows, dev, first=first)
            if not said:
                continue
            sure, right = [s for s, _ in said], [r for _, r in said]
            found, risk = auc(sure, right), area(risk_coverage(sure, right))
            print(
                f"| {name} | {'dev' if dev else 'test'} | {len(said)} | {np.mean(right):.3f} |"
                f" {np.mean(sure):.3f} | {'' if found is None else f'{found:.3f}'} |"
                f" {risk:.3f} | {interval(said, None)} | {interval(said, curve)} |"
            )
    for mapped in (None, curve):
        said = statements(rows, False, first=True)
        sure = [s if mapped is None else mapped(s) for s, _ in said]
        name = "printed" if mapped is None else "mapped"
        print(f"\n| first, test: {name} | right | n |\n|---|---|---|")
        for b in reliability(sure, [r for _, r in said], bins=5):
            print(f"| {b.chance:.3f} | {b.right:.3f} | {b.count} |")
    said = statements(rows, False, first=True)
    risks = risk_coverage([s for s, _ in said], [r for _, r in said])
    print("\n| share of answers, surest first (test) | not the labelled sentence |\n|---|---|")
    for share in (0.1, 0.25, 0.5, 0.75, 1.0):
        print(f"| {share:.2f} | {risks[max(0, round(share * len(risks)) - 1)]:.3f} |")
    print("\nmap:", [(round(a, 3), round(b, 3)) for a, b in zip(curve.scores, curve.chances)])  # noqa: B905


def fit(rows: Sequence[dict[str, Any]]) -> None:
    """Put the map, and a threshold if any meets its bound, into the calibration that is shipped."""
    said = statements(rows, True, first=True)
    scores, right = [s for s, _ in said], [r for _, r in said]
    regime = Regime(
        name="answer",
        chance=curve_of(rows),
        supported=threshold_for(scores, right, 0.95),
        contradicted=None,
        pairs=len(said),
        measured_on=f"bench/confidence.py fit, {date.today().isoformat()}: first statements of the"
        " dev half of the guideline questions, as they are and with their document barred",
        made_with=answer_made_with(WEIGHTS.read_bytes(), load_encoder("all-minilm-l6-v2").sha256),
    )
    path = Path(claims_model.__file__).with_name("calibration_shipped.json")
    path.write_bytes(encode({**shipped().regimes, "answer": regime}))
    print(regime)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("ask", "report", "fit"))
    parser.add_argument("--kb", type=Path)
    arguments = parser.parse_args()
    if arguments.what == "ask":
        if arguments.kb is None:
            parser.error("ask needs --kb")
        asking(arguments.kb)
    elif arguments.what == "report":
        report(records(RUNS))
    else:
        fit(records(RUNS))


if __name__ == "__main__":
    main()
