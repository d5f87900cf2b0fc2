"""A run over an answer suite: ``ask`` and the baselines, question by question, and their report."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kgrag.errors import BadQuestion, DataError, KnowledgeBaseError, SettingsError
from kgrag.evaluation.answers import STATEMENTS, WORDS, AnswerSuite
from kgrag.evaluation.answers_suites import load_answer_suite
from kgrag.evaluation.answers_ways import CHOSEN, OURS, PASSAGES, Given, ask_way, baseline_ways
from kgrag.evaluation.compare import Comparison, Estimate, compare, estimate
from kgrag.evaluation.kept import Kept
from kgrag.evaluation.registry import Request
from kgrag.evaluation.report import made_with
from kgrag.generation.measured import Measured, record_choice
from kgrag.progress import SILENT, Progress
from kgrag.records.question import Choice

if TYPE_CHECKING:
    from kgrag.config import Settings
    from kgrag.engine import Engine

MEASURES: Final = ("right", "first right", "words", "abstained", "ms")
_AGAINST: Final = ("right", "first right")
ENOUGH: Final = 10
"""Of fewer questions it may be chance that nothing right was found."""


@dataclass(frozen=True, slots=True)
class AnswerReport(Kept):
    """The figures of an answer suite.

    ``figures`` are by way and measure: the share of questions with a right quotation and with a
    right first one, words quoted, the share abstained (which counts as not right) and milliseconds.
    ``answered`` has those of ``ask`` over the questions that it answered, ``against`` the paired
    differences of ``ask`` from each baseline, and ``against_answered`` the same over those
    questions. ``reached`` is the share of questions of which some passage read holds what is right,
    a bound for all ways. ``values`` are by way and measure in the order of ``questions``.
    """

    suite: str
    split: str
    questions: tuple[str, ...]
    notes: tuple[str, ...]
    figures: Mapping[str, Mapping[str, Estimate]]
    answered: Mapping[str, Estimate]
    against: Mapping[str, Mapping[str, Comparison]]
    against_answered: Mapping[str, Mapping[str, Comparison]]
    reached: Estimate
    made_with: Mapping[str, Any]
    seconds: float
    values: Mapping[str, Mapping[str, Sequence[float]]]

    @property
    def name(self) -> str:
        return f"{self.suite}-{self.split}"

    def lines(self) -> Iterable[str]:
        return _markdown(self)


def run(request: Request) -> AnswerReport:
    """The report of an answer suite, over the kb given or one made of the suite's corpus.

    SettingsError where neither can be had; DataError when no question is in the part asked for.
    """
    from kgrag.config import load_settings
    from kgrag.engine import Engine

    suite = load_answer_suite(request.suite, request.data).of(request.split, request.limit)
    if not suite.queries:
        raise DataError(f"no question of {suite.name} is in the part {request.split!r}")
    if request.kb is None and (request.build is None or not suite.corpus):
        raise SettingsError(
            f"{suite.name} needs the kb that holds its corpus", hint="give --kb DIR"
        )
    folder = request.kb or (request.build(suite) if request.build else Path())
    settings = load_settings(folder / "kgrag.toml")
    if request.calibrate:
        return _calibrated(request, suite, folder, settings)
    with Engine.open(folder, settings=settings) as engine:
        return evaluate_answers(engine, suite, split=request.split, progress=request.progress)


def _calibrated(
    request: Request, suite: AnswerSuite, folder: Path, settings: Settings
) -> AnswerReport:
    """The report with the language model's choice beside the reranker's; what its order gains in
    right first quotations is kept in the kb, where ``order = "auto"`` reads who is to choose."""
    from kgrag.engine import Engine

    orders = settings.generation.model_copy(update={"order": "model"})
    told = settings.model_copy(update={"generation": orders})
    with Engine.open(folder, settings=told) as engine:
        if engine.model is None:
            raise SettingsError(
                "there is no language model whose choice could be measured",
                hint="set generation.model",
            )
        report = evaluate_answers(
            engine, suite, split=request.split, progress=request.progress, chooses=True
        )
        values = report.values
        gain = compare(values[CHOSEN]["first right"], values[OURS]["first right"])
        measured = Measured(
            engine.model.name, gain.difference, gain.low, gain.high, gain.n,
            f"first quotations of {suite.name}, {request.split}",
            f"kgrag eval {suite.name} --calibrate", datetime.now(UTC).date().isoformat(),
        )  # fmt: skip
        record_choice(engine.model.sha256, measured, kb=folder)
    said = f"with {measured.model} the {measured.choice} chooses from now on in {folder.name}"
    return replace(report, notes=(*report.notes, f"{said}: its gain is {gain}"))


def evaluate_answers(
    engine: Engine,
    suite: AnswerSuite,
    *,
    split: str = "all",
    progress: Progress = SILENT,
    chooses: bool = False,
) -> AnswerReport:
    """The report of ``suite`` (already of its ``split``) over the open kb. Where the language model
    ``chooses``, its choice is a way of its own beside the reranker's.

    KnowledgeBaseError when of ``ENOUGH`` questions or more no passage found holds what is right:
    the kb is then not one of the suite.
    """
    began = time.perf_counter()
    ways = baseline_ways(engine.encoder)
    asked: dict[str, Choice | None] = {OURS: "rerank" if chooses else None}
    if chooses:
        asked[CHOSEN] = "model"
    values: dict[str, dict[str, list[float]]] = {
        way: {m: [] for m in MEASURES} for way in (*asked, *ways)
    }
    reached: list[float] = []
    engine.warm_up()
    progress.stage(suite.name, len(suite.queries), "questions")
    for query in suite.queries:
        try:
            hits = engine.search(query.text, limit=PASSAGES)
        except BadQuestion:
            hits = []
        given = {name: ask_way(engine, query.text, choice) for name, choice in asked.items()}
        for name, way in ways.items():
            started = time.perf_counter()
            said = tuple(way(query.text, hits))
            given[name] = Given(said, (time.perf_counter() - started) * 1000)
        for name, answer in given.items():
            right = [suite.right(q, query.gold) for q in answer.quotations]
            row = (any(right), any(right[:1]), answer.words, not answer.quotations, answer.ms)
            for measure, value in zip(MEASURES, row, strict=True):
                values[name][measure].append(float(value))
        reached.append(float(any(_held(suite, h.text, query.gold) for h in hits)))
        progress.advance()
    if len(reached) >= ENOUGH and not any(reached):
        raise KnowledgeBaseError(
            f"{engine.directory} holds no right answer to any question of {suite.name}",
            hint="give the kb that holds the corpus of the suite",
        )
    return _report(engine, suite, split, values, reached, time.perf_counter() - began)


def _held(suite: AnswerSuite, passage: str, gold: Sequence[str]) -> bool:
    """Whether some run of the passage as long as a quotation may be is right."""
    words = passage.split()
    runs = range(0, max(1, len(words) - WORDS + 1), WORDS // 4)
    return any(suite.right(" ".join(words[at : at + WORDS + WORDS // 4]), gold) for at in runs)


def _report(
    engine: Engine,
    suite: AnswerSuite,
    split: str,
    values: Mapping[str, Mapping[str, Sequence[float]]],
    reached: Sequence[float],
    seconds: float,
) -> AnswerReport:
    ours = values[OURS]
    told = [at for at, abstained in enumerate(ours["abstained"]) if not abstained]

    def over(way: str, measure: str) -> list[float]:
        return [values[way][measure][at] for at in told]

    others = [way for way in values if way != OURS]
    return AnswerReport(
        suite=suite.name,
        split=split,
        questions=tuple(q.id for q in suite.queries),
        notes=suite.notes,
        figures={w: {m: estimate(v) for m, v in own.items()} for w, own in values.items()},
        answered={m: estimate(over(OURS, m)) for m in MEASURES} if told else {},
        against={w: {m: compare(ours[m], values[w][m]) for m in _AGAINST} for w in others},
        against_answered={
            w: {m: compare(over(OURS, m), over(w, m)) for m in _AGAINST} for w in others if told
        },
        reached=estimate(reached),
        made_with=made_with(engine),
        seconds=round(seconds, 1),
        values=values,
    )


def _markdown(report: AnswerReport) -> list[str]:
    lines = [
        f"# {report.suite}, {report.split}: {len(report.questions)} questions",
        "",
        f"At most {STATEMENTS} statements of at most {WORDS} words. An abstention is not right.",
        "",
        *(f"- {note}" for note in report.notes),
        f"- some passage of the {PASSAGES} found holds what is right: {report.reached}",
        "",
        "| way | right | first right | words | abstained | ms |",
        "|---|---|---|---|---|---|",
    ]
    rows = [*report.figures.items()]
    if report.answered:
        rows.insert(1, (f"{OURS}, where it answered", report.answered))
    for way, found in rows:
        lines.append(
            f"| {way} | {found['right']} | {found['first right']} | {found['words'].mean:.0f}"
            f" | {found['abstained'].mean:.3f} | {found['ms'].mean:.0f} |"
        )
    lines += [
        "",
        f"`{OURS}` against each, paired: all questions, and those that it answered.",
        "",
        "| against | right | right, answered | first right |",
        "|---|---|---|---|",
    ]
    for way, gain in report.against.items():
        answered = report.against_answered.get(way, {}).get("right", "")
        lines.append(f"| {way} | {gain['right']} | {answered} | {gain['first right']} |")
    lines += ["", f"{report.seconds:.0f} s. {_made(report.made_with)}"]
    return lines


def _made(values: Mapping[str, Any]) -> str:
    return "; ".join(f"{name}: {value}" for name, value in sorted(values.items()))
