"""``kgrag eval`` from files to a report, over a small corpus of our own."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kgrag.cli import root
from kgrag.config import Encoding, Retrieval, Settings
from kgrag.encoding import load_encoder
from kgrag.engine import Engine
from kgrag.errors import (
    DataError,
    KgragError,
    KnowledgeBaseError,
    MissingExtra,
    SettingsError,
    UnknownName,
)
from kgrag.evaluation import Query, Suite, baselines, measure, rank
from kgrag.evaluation.evaluate import DEFAULT, chosen_parts, evaluate
from kgrag.evaluation.own import against, own_suite
from kgrag.evaluation.run import BASELINES, owners
from kgrag.progress import SILENT
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.terms import question_terms
from kgrag.stores.base import Filters
from kgrag.testing.lexicon import small_lexicon
from kgrag_ingest.evaluate import build_kb

pytest.importorskip("ir_measures", reason="the extra eval is not installed")

CORPUS = {
    "warfarin": "Warfarin thins the blood. The dose is adjusted to the INR every four weeks.",
    "metformin": "Metformin is the first tablet for type 2 diabetes and is taken with meals.",
    "aspirin": "Aspirin after a heart attack is taken once a day for life.",
    "edema": "Swelling of both ankles in the evening is often harmless.",
    "scope": "A colonoscopy is repeated after ten years when nothing was found.",
}
QUESTIONS = {
    "q1": ("How often is the dose of warfarin adjusted?", "warfarin"),
    "q2": ("Which tablet comes first in type 2 diabetes?", "metformin"),
    "q3": ("When is a colonoscopy repeated?", "scope"),
    "q4": ("Is swelling of the ankles harmless?", "edema"),
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus, questions, and a cache with a small lexicon."""
    cache = tmp_path / "cache"
    (cache / "lexicon").mkdir(parents=True)
    small_lexicon(cache / "lexicon" / "lexicon.sqlite").close()
    monkeypatch.setenv("KGRAG_CACHE", str(cache))
    write(tmp_path / "corpus.jsonl", [{"id": i, "text": t} for i, t in CORPUS.items()])
    asked = [{"id": i, "question": q, "relevant": [d]} for i, (q, d) in QUESTIONS.items()]
    write(tmp_path / "questions.jsonl", asked)
    return tmp_path


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def run(*arguments: object) -> str:
    done = CliRunner().invoke(root, ["eval", *map(str, arguments)])
    if isinstance(done.exception, KgragError):
        raise done.exception
    assert done.exit_code == 0, (done.output, done.exception)
    return done.stdout


def own(folder: Path, *more: object) -> str:
    return run("--questions", folder / "questions.jsonl", "--corpus", folder / "corpus.jsonl",
               "--work", folder / "work", "--encoder", "hashing", *more)  # fmt: skip


def suite() -> Suite:
    rows = [{"id": i, "text": t} for i, t in CORPUS.items()]
    return Suite(
        name="own",
        queries=tuple(Query.of(i, q) for i, (q, _) in QUESTIONS.items()),
        qrels={i: {d: 1} for i, (_, d) in QUESTIONS.items()},
        known=frozenset(CORPUS),
        base="own",
        corpus="".join(json.dumps(row) + "\n" for row in rows).encode(),
    )


def hashing() -> Settings:
    return Settings(encoding=Encoding(encoder="hashing"))


def test_own_files_give_a_report_in_both_forms(files: Path) -> None:
    light = ("--try", "bm25", "--try", "dense", "--try", "cross-encoder")
    report = json.loads(own(files, "--json", "--out", files / "out", *light))
    kept = json.loads((files / "out" / "questions-all.json").read_text())
    assert {**kept, "seconds": 0} == {**report, "seconds": 0}
    assert set(report["figures"]) >= {*BASELINES, DEFAULT, "without bm25", "without dense"}
    assert report["figures"]["bm25"]["S@1"] == {"mean": 1.0, "low": 1.0, "high": 1.0, "n": 4}
    assert set(report["against"]) == set(BASELINES)
    assert "needs a model of yours" in report["parts"][-1]["reason"]
    assert report["questions"] == list(QUESTIONS)
    assert len(report["scores"][DEFAULT]["MRR"]) == 4
    made = report["made_with"]
    assert made["language_model"].startswith("smollm2-135m-instruct@")
    assert made["encoder"].startswith("hashing") and len(made["lexicon_sha256"]) == 64
    assert made["kb"]["documents"] == len(CORPUS)
    told = (files / "out" / "questions-all.md").read_text()
    assert "| bm25 | 1.000 [1.000, 1.000]" in told and "4 questions" in told
    for text in (*CORPUS.values(), *(q for q, _ in QUESTIONS.values())):
        assert text not in told and text not in json.dumps(report)


def test_a_corpus_of_ones_own_is_kept_only_where_one_says(files: Path) -> None:
    before = sorted(p for p in files.rglob("*") if p.is_file())
    run("--questions", files / "questions.jsonl", "--corpus", files / "corpus.jsonl",
        "--encoder", "hashing", "--no-ablations")  # fmt: skip
    assert sorted(p for p in files.rglob("*") if p.is_file()) == before


def test_a_kb_is_made_once_and_anew_when_the_corpus_changes(files: Path) -> None:
    with_generation = []
    for text in (None, "Aspirin is taken for life.", None):
        if text:
            rows = [{"id": i, "text": t} for i, t in {**CORPUS, "aspirin": text}.items()]
            changed = replace(suite(), corpus="".join(json.dumps(r) + "\n" for r in rows).encode())
        else:
            changed = suite()
        kb = build_kb(changed, files / "work", hashing(), SILENT)
        with Engine.open(kb, settings=hashing()) as engine:
            with_generation.append(engine.truth.generation)
            assert engine.truth.counts()["documents"] == len(CORPUS)
        if not text:
            again = build_kb(changed, files / "work", hashing(), SILENT)
            with Engine.open(again, settings=hashing()) as engine:
                assert engine.truth.generation == with_generation[-1]
    assert with_generation[0] < with_generation[1]


def test_a_kb_is_evaluated_by_any_name_of_its_documents(files: Path) -> None:
    kb = build_kb(suite(), files / "work", hashing(), SILENT)
    (kb / "kgrag.toml").write_text('[encoding]\nencoder = "hashing"\n')
    with Engine.open(kb) as engine:
        infos = {i.source.identifier.rpartition("#")[2]: i for i in engine.truth.documents()}
    names = [infos["warfarin"].id, infos["metformin"].uri, "corpus.jsonl#scope", "edema"]
    rows = zip(QUESTIONS.items(), names, strict=True)
    write(files / "q.jsonl",
          [{"id": i, "question": q, "relevant": [name]} for (i, (q, _)), name in rows])  # fmt: skip
    report = json.loads(
        run("--questions", files / "q.jsonl", "--kb", kb, "--json", "--no-ablations")
    )
    assert report["figures"]["bm25"]["S@1"]["mean"] == 1.0
    write(files / "q.jsonl", [{"id": "q", "question": "Which?", "relevant": ["nowhere"]}])
    with pytest.raises(DataError, match=r"no document of .* answer to 'nowhere'"):
        run("--questions", files / "q.jsonl", "--kb", kb)


def test_passages_are_ranked_where_passages_are_right(files: Path) -> None:
    kb = build_kb(suite(), files / "work", hashing(), SILENT)
    asked = files / "q.jsonl"
    with Engine.open(kb, settings=hashing()) as engine:
        homes = {i.source.identifier.rpartition("#")[2]: i.id for i in engine.truth.documents()}
        right = engine.truth.passages(homes["warfarin"])[0].id
        write(asked, [{"id": "q", "question": "The dose of warfarin?", "relevant": [right]}])
        found = against(engine, own_suite(asked))
        assert found.unit == "passage"
        ranked = rank(engine, found, parts=("bm25",))["q"]
        assert ranked[0] == right and all(p.startswith("pas_") for p in ranked)
        write(asked, [{"id": "q", "question": "The dose of warfarin?", "relevant": ["pas_0"]}])
        with pytest.raises(DataError, match="no passage 'pas_0'"):
            against(engine, own_suite(asked))


def test_without_the_library_nothing_is_asked_in_vain(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kb = build_kb(suite(), files / "work", hashing(), SILENT)
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with Engine.open(kb, settings=hashing()) as engine:
        with pytest.raises(MissingExtra, match=r"kgrag\[eval\]"):
            evaluate(engine, suite())
        assert "index" not in engine.__dict__


def test_a_kb_without_the_corpus_is_refused(files: Path) -> None:
    kb = build_kb(suite(), files / "work", hashing(), SILENT)
    other = replace(suite(), known=frozenset({"elsewhere"}),
                    qrels={i: {"elsewhere": 1} for i in QUESTIONS})  # fmt: skip
    told = pytest.raises(KnowledgeBaseError, match=r"lacks 1 documents.*'elsewhere'")
    with Engine.open(kb, settings=hashing()) as engine, told:
        rank(engine, other)


def test_an_index_that_lags_behind_is_refused(files: Path) -> None:
    kb = build_kb(suite(), files / "work", hashing(), SILENT)
    shutil.rmtree(kb / "index")
    told = pytest.raises(KgragError, match="index")
    with Engine.open(kb, settings=hashing()) as engine, told:
        rank(engine, suite())


def test_the_settings_parts_rank_as_search_does(files: Path) -> None:
    kb = build_kb(suite(), files / "work", hashing(), SILENT)
    with Engine.open(kb, settings=hashing()) as engine:
        for query in suite().queries:
            hits = engine.retriever.search(query.text, limit=100)
            found = tuple(h.document.id for h in hits)
            owner = {i.id: i.source.identifier.rpartition("#")[2] for i in engine.truth.documents()}
            assert rank(engine, suite())[query.id] == tuple(dict.fromkeys(owner[d] for d in found))
        alone = rank(engine, suite(), parts=("bm25",))
        assert alone == baselines(engine, suite())["bm25"]
        assert (measure(suite(), alone)["S@1"] == 1).all()


def test_baselines_read_the_bare_text_of_a_long_message(files: Path) -> None:
    story = "I was at the sea with my uncle and we had fish. The weather was fine every day. " * 4
    text = story + "How often is the dose of warfarin adjusted? Thank you for any help with this."
    assert Asked(text, load_encoder("hashing")).message is not None
    kb = build_kb(suite(), files / "work", hashing(), SILENT)
    asked = replace(suite(), queries=(Query.of("q1", text),))
    with Engine.open(kb, settings=hashing()) as engine:
        found = engine.index.sparse(question_terms(text), limit=100, filters=Filters())
        owner = owners(engine, asked)
        expected = tuple(dict.fromkeys(owner[h.document_id] for h in found))
        assert baselines(engine, asked)["bm25"]["q1"] == expected


def test_what_a_part_brings_is_with_it_minus_without(files: Path) -> None:
    kb = build_kb(suite(), files / "work", hashing(), SILENT)
    two = hashing().model_copy(update={"retrieval": Retrieval(parts=("bm25", "dense"))})
    light = ["bm25", "dense", "late"]
    with Engine.open(kb, settings=two) as engine:
        report = evaluate(engine, suite(), tried=light)
        alone = evaluate(engine, suite(), without=["dense"], tried=light)
        few = evaluate(engine, suite(), tried=["dense"])
        with pytest.raises(UnknownName):
            evaluate(engine, suite(), tried=["dens"])
    figures = {way: found["MRR"].mean for way, found in report.figures.items()}
    for part in report.parts:
        if part.gain is not None:
            way = f"without {part.name}" if part.on else f"with {part.name}"
            sign = 1 if part.on else -1
            expected = sign * (figures[DEFAULT] - figures[way])
            assert part.gain["MRR"].difference == pytest.approx(expected)
    assert [p.name for p in few.parts] == ["dense"]
    assert few.parts[0] == next(p for p in report.parts if p.name == "dense")
    assert alone.parts_on == ("bm25",)
    last = next(p for p in alone.parts if p.name == "bm25")
    assert (last.gain, last.reason) == (None, "nothing else finds passages")
    assert alone.figures["with dense"] == report.figures[DEFAULT]


def test_parts_are_chosen_by_known_names() -> None:
    parts = ("bm25", "dense")
    assert chosen_parts(parts, ["dense"]) == ("bm25",)
    assert chosen_parts(("bm25",), added=["dense"]) == parts
    with pytest.raises(UnknownName, match="did you mean 'dense'"):
        chosen_parts(parts, ["dens"])
    with pytest.raises(SettingsError, match="not among the parts"):
        chosen_parts(("bm25",), ["dense"])
    with pytest.raises(SettingsError, match="without a source"):
        chosen_parts(parts, parts)


def test_a_question_that_cannot_be_asked_counts_as_nothing_found(files: Path) -> None:
    kb = build_kb(suite(), files / "work", hashing(), SILENT)
    odd = replace(suite(), queries=(*suite().queries, Query.of("q5", "когда?")),
                  qrels={**suite().qrels, "q5": {"scope": 1}})  # fmt: skip
    with Engine.open(kb, settings=hashing()) as engine:
        found = baselines(engine, odd)
    assert found["bm25"]["q5"] == ()
    assert measure(odd, found["bm25"])["MRR"][-1] == 0


def test_a_record_that_cannot_be_read_stops_the_run(files: Path) -> None:
    bad = replace(suite(), corpus=suite().corpus + b'{"id": "empty", "text": ""}\n')
    with pytest.raises(DataError, match=r"corpus\.jsonl"):
        build_kb(bad, files / "work", hashing(), SILENT)
    with pytest.raises(SettingsError, match="no corpus of its own"):
        build_kb(replace(suite(), corpus=b""), files / "work", hashing(), SILENT)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("scifact", "--questions", "q.jsonl"),
        ("--questions", "q.jsonl"),
        ("scifact", "--corpus", "c.jsonl"),
        ("--questions", "q.jsonl", "--corpus", "c.jsonl", "--kb", "kb"),
    ],
)
def test_options_that_do_not_go_together(arguments: tuple[str, ...]) -> None:
    done = CliRunner().invoke(root, ["eval", *arguments])
    assert done.exit_code == 2 and "Usage" in done.output


def test_a_limit_and_a_half(files: Path) -> None:
    report = json.loads(own(files, "--json", "--limit", "2", "--no-ablations"))
    assert len(report["questions"]) == 2
    assert set(report["figures"]) == {*BASELINES, DEFAULT}
    halves = [json.loads(own(files, "--json", "--no-ablations", "--split", half))["questions"]
              for half in ("dev", "test")]  # fmt: skip
    assert sorted(halves[0] + halves[1]) == list(QUESTIONS) and all(halves)


@pytest.mark.models
def test_the_default_encoder_finds_by_meaning(tmp_path: Path) -> None:
    told = {"q": "What may I eat my sugar disease pill along with?"}
    asked = replace(suite(), queries=(Query.of("q", told["q"]),), qrels={"q": {"metformin": 1}})
    kb = build_kb(asked, tmp_path, Settings(), SILENT)
    with Engine.open(kb, settings=Settings(retrieval=Retrieval(parts=("bm25", "dense")))) as engine:
        report = evaluate(engine, asked, tried=())
    assert report.figures["dense"]["S@1"].mean == 1.0
    assert report.made_with["encoder"].startswith("all-minilm-l6-v2@")
