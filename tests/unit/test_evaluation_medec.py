"""Errors in notes: how the suite is read, what is suspected, and what the figures count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kgrag.errors import DataError, SettingsError, UnreadableFile
from kgrag.evaluation.medec import (
    WEIGHTS,
    MedecNote,
    MedecWeights,
    baselines,
    evaluate,
    figures,
    load_notes,
    numbered,
    right,
    run,
)
from kgrag.evaluation.medec_features import NAMES, suspected
from kgrag.evaluation.registry import Request, runner

SENTENCES = (
    "0 A man has a big toe that hurts.\n1 Uric acid is 9.1\nmg/dL.\n2 He is diagnosed with {}."
)


def row(number: int, illness: str, *, wrong: bool, start: str = "") -> dict[str, str]:
    return {
        "Text ID": f"own-{number}", "Text": f"{start}A man has a big toe. {illness}",
        "Sentences": start + SENTENCES.format(illness), "Error Flag": str(int(wrong)),
        "Error Type": "diagnosis" if wrong else "NA", "Error Sentence ID": "2" if wrong else "-1",
    }  # fmt: skip


def folder(tmp_path: Path, *rows: dict[str, str]) -> Path:
    place = tmp_path / "bench" / "medec_ms"
    place.mkdir(parents=True)
    text = "\n".join(json.dumps(r) for r in rows)
    (place / "validationset.jsonl").write_text(text, encoding="utf-8")
    return tmp_path


def note(name: str, wrong: int | None) -> MedecNote:
    return MedecNote(name, name, "dev", ("One.", "He is given A.", "Last."), wrong, "NA")


def test_lines_without_the_next_number_go_on() -> None:
    assert numbered(SENTENCES.format("gout")) == (
        "A man has a big toe that hurts.", "Uric acid is 9.1 mg/dL.", "He is diagnosed with gout."
    )  # fmt: skip


def test_all_notes_of_a_vignette_are_in_one_half(tmp_path: Path) -> None:
    words = "Quite a long vignette of a man whose big toe hurts in every single night of the week."
    rows = [row(n, f"illness {n}", wrong=n % 2 == 0) | {"Text": f"{words} {n}"} for n in range(6)]
    made = load_notes(folder(tmp_path, *rows))
    assert {n.vignette for n in made} == {"own-0"}
    assert len({n.split for n in made}) == 1
    assert [n.wrong for n in made] == [2, None, 2, None, 2, None]


def test_a_record_that_is_no_note_is_named(tmp_path: Path) -> None:
    bad = row(1, "gout", wrong=True) | {"Error Sentence ID": "9"}
    with pytest.raises(UnreadableFile, match="medec_ms"):
        load_notes(folder(tmp_path, bad))


def test_what_asserts_last_is_suspected() -> None:
    assert suspected(numbered(SENTENCES.format("gout"))) == 2
    assert suspected(("He was given aspirin.", "He is well.")) == 0
    assert suspected(("He is well.", "He sleeps.")) == 1


def test_figures_count_what_they_say() -> None:
    notes = [note("a", 1), note("b", 1), note("c", None), note("d", None)]
    said = [1, 2, None, 0]
    found = figures(notes, said)
    assert right(notes, said) == [1.0, 1.0, 1.0, 0.0]
    assert found.accuracy.mean == 0.75 and found.flagged == 3
    assert found.precision is not None and found.precision.mean == pytest.approx(2 / 3)
    assert found.recall.mean == 1.0 and found.found.mean == 0.5 and found.both.mean == 0.5
    nothing = figures(notes, [None] * 4)
    assert nothing.precision is None and nothing.accuracy.mean == 0.5


def test_a_report_has_every_judge_and_no_text(tmp_path: Path) -> None:
    notes = [note("secretvignette", 1), note("b", None), note("c", 1)]
    judges = baselines(0.5) | {"mine": lambda n: n.wrong}
    report = evaluate(notes, judges, split="dev", models={"encoder": "e"}, fitted_on={"notes": 3})
    assert report.figures["mine"].both.mean == 1.0
    assert report.against["mine"].difference == pytest.approx(1 / 3)
    for path in report.write(tmp_path):
        text = path.read_text(encoding="utf-8")
        assert "always flag, last sentence" in text and "secretvignette" not in text
    with pytest.raises(DataError):
        evaluate(notes[:1], judges, split="dev", models={}, fitted_on={})


def test_the_shipped_weights_fit_the_features() -> None:
    made = MedecWeights.load()
    assert 0 < made.threshold < 1 and made.provenance["notes"] > 100
    middle = {name: made.mean.get(name, 0.0) for name in NAMES}
    assert 0 < made.chance(middle) < 1
    assert WEIGHTS.stat().st_size < 5_000


def test_weights_of_other_features_are_refused(tmp_path: Path) -> None:
    values = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    values["weights"] = {"mood": 1.0}
    path = tmp_path / "w.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(SettingsError):
        MedecWeights.load(path)


def test_the_suite_is_known_and_needs_a_kb() -> None:
    assert runner("medec") is run
    with pytest.raises(SettingsError, match="kb"):
        run(Request("medec"))
