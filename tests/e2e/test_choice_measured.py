"""Who orders the statements is measured on answers and kept in the kb, which then holds to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mini_world import GUIDELINES, QUESTIONS

from kgrag import Engine
from kgrag.config import Settings, load_settings
from kgrag.errors import SettingsError
from kgrag.evaluation import answers_run
from kgrag.evaluation.answers import AnswerQuery, AnswerSuite, holds
from kgrag.evaluation.answers_ways import CHOSEN, OURS
from kgrag.evaluation.registry import Request
from kgrag.generation.measured import FILE, choice_of
from kgrag_ingest.pipeline import ingest

pytestmark = [pytest.mark.models, pytest.mark.slow]


@pytest.fixture(scope="module")
def kb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("choice") / "kb"
    with Engine.open(folder, mode="write", create=True) as engine:
        ingest([GUIDELINES], engine.truth, engine.linker, collection="demo")
        engine.catch_up()
    return folder


def suite() -> AnswerSuite:
    asked = [q for q in QUESTIONS if q.quote is not None][:6]
    return AnswerSuite(
        "mini", tuple(AnswerQuery.of(q.id, q.question, [str(q.quote)]) for q in asked), holds
    )


def test_a_measured_choice_is_kept_and_held(kb: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers_run, "load_answer_suite", lambda name, data: suite())
    report = answers_run.run(Request("mini", kb=kb, calibrate=True))
    assert {OURS, CHOSEN} <= set(report.figures)
    assert len(report.questions) == len(suite().queries)
    (kept,) = json.loads((kb / FILE).read_text(encoding="utf-8")).values()
    ours, chosen = report.figures[OURS]["first right"], report.figures[CHOSEN]["first right"]
    assert kept["gain"] == pytest.approx(chosen.mean - ours.mean)
    assert kept["low"] <= kept["gain"] <= kept["high"] and kept["questions"] == len(
        report.questions
    )
    expected = "model" if kept["low"] > 0 else "rerank"
    assert choice_of(load_settings(kb / "kgrag.toml").generation.model, kb=kb) == expected
    assert f"the {expected} chooses" in report.notes[-1]
    # Without the flag nothing is measured of it.
    assert CHOSEN not in answers_run.run(Request("mini", kb=kb, limit=1)).figures


def test_without_a_model_there_is_nothing_to_measure(
    kb: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_run, "load_answer_suite", lambda name, data: suite())
    none = Settings().model_copy(
        update={"generation": Settings().generation.model_copy(update={"model": "none"})}
    )
    monkeypatch.setattr("kgrag.config.load_settings", lambda path: none)
    with pytest.raises(SettingsError, match="no language model"):
        answers_run.run(Request("mini", kb=kb, calibrate=True))


def test_a_choice_that_no_loaded_model_can_make_is_told(kb: Path) -> None:
    with (
        Engine.open(kb) as engine,
        pytest.raises(SettingsError, match="no language model"),
    ):
        engine.ask(QUESTIONS[0].question, choice="model")
