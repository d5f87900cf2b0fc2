"""The loaders, on look-alikes of the benchmarks' files with invented content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kgrag.errors import DataError, SettingsError, UnknownName, UnreadableFile
from kgrag.evaluation import load_suite
from kgrag.evaluation.own import own_suite
from kgrag.evaluation.patients import Same, case_text, patients, variants
from kgrag.evaluation.suite import flat, merged
from kgrag.testing.lexicon import small_lexicon


def jsonl(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_scifact_asks_the_claims_that_are_judged(tmp_path: Path) -> None:
    put(tmp_path, "bench/scifact/corpus.jsonl", jsonl({"_id": "7", "title": "T", "text": "x"}))
    put(
        tmp_path,
        "bench/scifact/claims_train.jsonl",
        jsonl({"id": "1", "claim": "A."}, {"id": "2", "claim": "B."}),
    )
    put(tmp_path, "bench/scifact/qrels/train.tsv", "query-id\tcorpus-id\tscore\n1\t7\t1\n")
    suite = load_suite("scifact", tmp_path)
    assert [q.text for q in suite.queries] == ["A."]
    assert suite.qrels["1"] == {"7": 1}
    assert suite.corpus == (tmp_path / "bench/scifact/corpus.jsonl").read_bytes()


def test_bioasq_merges_equal_snippets_and_knows_years_and_batches(tmp_path: Path) -> None:
    put(
        tmp_path,
        "bench/bioasq_golden/snippet_corpus.jsonl",
        jsonl(*({"_id": f"s{i}", "pmid": "1", "text": t} for i, t in enumerate("abab"))),
    )
    put(
        tmp_path,
        "bench/bioasq_golden/qrels.tsv",
        "query-id\tcorpus-id\tscore\nq1\ts2\t1\nq1\ts3\t1\nq2\ts1\t1\n",
    )
    put(
        tmp_path,
        "bench/bioasq_golden/questions.jsonl",
        jsonl(
            {"id": "q1", "batch": "7B1", "question": "Q?"},
            {"id": "q2", "batch": "10B2", "question": "R?"},
        ),
    )
    suite = load_suite("bioasq", tmp_path)
    assert suite.qrels == {"q1": {"s0": 1, "s1": 1}, "q2": {"s1": 1}}
    assert suite.standing_for("s3") == "s1"
    assert suite.standing_for("s9") is None
    assert list(suite.groups()) == [("year 7", ("q1",)), ("year 10", ("q2",))]
    for part, asked in (("7", "q1"), ("10", "q2"), ("10B2", "q2")):
        assert [q.id for q in load_suite(f"bioasq-{part}", tmp_path).queries] == [asked]


def test_liveqa_has_two_forms_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    row = "Question: What is X ?\nURL: https://example.org/x\nAnswer: X is {}."
    put(
        tmp_path,
        "bench/medquad_liveqa_ir/corpus.jsonl",
        jsonl(
            {"_id": "A", "text": row.format("one")},
            {"_id": "A", "text": row.format("one")},
            {"_id": "B", "text": row.format("one")},
            {"_id": "C", "text": row.format("two")},
        ),
    )
    put(
        tmp_path,
        "bench/medquad_liveqa_ir/qrels.tsv",
        "query-id\tcorpus-id\tscore\n1\tA\t1\n1\tB\t3\n2\tC\t0\n",
    )
    put(
        tmp_path,
        "bench/medquad_liveqa_ir/questions.jsonl",
        jsonl(
            {"_id": "TQ1", "message": ["Help?"], "summary": ["X?", "What is X?"]},
            {"_id": "TQ2", "message": ["And?"], "summary": ["Y?"]},
        ),
    )
    summary = load_suite("liveqa-summary", tmp_path)
    assert [q.text for q in summary.queries] == ["X?"]
    assert [q.text for q in load_suite("liveqa-message", tmp_path).queries] == ["Help?"]
    assert summary.qrels["TQ1"] == {"A": 3}
    assert [json.loads(r)["id"] for r in summary.corpus.splitlines()] == ["A", "C"]
    assert json.loads(summary.corpus.splitlines()[0]) == {
        "id": "A",
        "title": "What is X ?",
        "text": "X is one.",
        "url": "https://example.org/x",
    }
    assert "2 rows repeat" in summary.notes[0]
    assert summary.notes[1].startswith("1 question")


def answer(number: str, question: str, text: str, **fields: Any) -> dict[str, Any]:
    return {"id": number, "source": "S", "question": question, "answer": text, "cui": [], **fields}


def test_medquad_counts_a_repeated_question_once_with_all_its_answers(tmp_path: Path) -> None:
    put(
        tmp_path,
        "corpora/medquad/qa_with_answers.jsonl",
        jsonl(
            answer("1", "What is X ?", "one"),
            answer("2", "What is  X ?", "two"),
            answer("3", "What is Y ?", "one"),
            answer("4", "What is Z ?", "three"),
            answer("4", "What is V ?", "four"),
        ),
    )
    suite = load_suite("medquad", tmp_path)
    assert {q.id: q.text for q in suite.queries} == {"S.1": "What is X ?", "S.3": "What is Y ?"}
    assert suite.qrels == {"S.1": {"S.1": 1, "S.2": 1}, "S.3": {"S.1": 1}}
    assert b"What is" not in suite.corpus
    assert any("1 ids name two answers" in note for note in suite.notes)


def case(diagnosis: str, history: str) -> dict[str, Any]:
    return {
        "OSCE_Examination": {
            "Objective_for_Doctor": "Find the cause.",
            "Patient_Actor": {
                "Demographics": "A man",
                "History": history,
                "Symptoms": {"Primary_Symptom": "Thirst", "Secondary_Symptoms": ["a", "b"]},
            },
            "Physical_Examination_Findings": {"Vital_Signs": {"Pulse": "80 bpm"}},
            "Test_Results": {"Blood": {"Glucose": "high"}},
            "Correct_Diagnosis": diagnosis,
        }
    }


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    put(
        tmp_path,
        "corpora/medquad/qa_with_answers.jsonl",
        jsonl(
            answer("1", "?", "one", focus="Diabetes"),
            answer("2", "??", "two", focus="Anemia"),
            answer("3", "???", "three", focus="unheard of", cui=["C1"]),
        ),
    )
    told = [
        case("Diabetes mellitus", "He drinks a lot."),
        case("Diabetes (DM)", "His diabetes is old."),
        case("Heart failure", "He swells."),
        case("Type 3 diabetes", "He forgets."),
        case("Anemia", "He is pale."),
    ]
    put(tmp_path, "bench/agentclinic/agentclinic_medqa_extended.jsonl", jsonl(*told))
    put(tmp_path, "bench/agentclinic/agentclinic_medqa.jsonl", jsonl(told[0]))
    return tmp_path


def test_patients_have_answers_by_concept_and_never_the_name(hospital: Path) -> None:
    with small_lexicon(hospital / "lexicon.sqlite") as lexicon:
        suite = patients(hospital, lexicon)
    assert [(q.id, q.split) for q in suite.queries] == [("case-0", "dev"), ("case-4", "test")]
    assert suite.qrels == {"case-0": {"S.1": 1}, "case-4": {"S.2": 1}}
    assert "1 with a diagnosis that is no whole name" in suite.notes[0]
    assert "1 without an answer about it, 1 that name it" in suite.notes[0]
    text = suite.queries[0].text
    assert (
        "Glucose: high" in text and "Pulse: 80 bpm" in text and "Secondary Symptoms: a. b" in text
    )
    assert "Find the cause" not in text and "diabetes" not in text.casefold()


def test_a_case_is_cut_at_what_can_be_asked() -> None:
    long = case("Anemia", "pale " * 3000)["OSCE_Examination"]
    assert 3900 < len(case_text(long)) <= 4000


def test_only_whole_names_link(tmp_path: Path) -> None:
    with small_lexicon(tmp_path / "lexicon.sqlite") as lexicon:
        same = Same(lexicon)
        assert same.concepts(["diabetes"]) == {"MESH:D003920", "DOID:9351"}
        assert same.concepts(["juvenile diabetes of birds"]) == frozenset()
        assert same.concepts(["High blood pressure (hypertension)"]) == {"MESH:D006973"}
        assert same.named_in("known cardiac failure", frozenset({"MESH:D006333"}), [])
        assert not same.named_in("the heart did not fail", frozenset({"MESH:D006333"}), [])
    assert variants("Fever (FV)") == ("Fever (FV)", "Fever", "FV")


def test_values_are_told_as_text() -> None:
    assert flat({"a_b": {"c": ["x.", "y"]}, "d": 1, "e": ""}) == "a b: c: x. y. d: 1. e:"


def test_of_two_grades_of_one_text_the_highest_counts() -> None:
    same, qrels = merged({"a": "x  y", "b": "x y", "c": "z"}, {"q": {"a": 1, "b": 2, "c": 0}})
    assert same == {"b": "a"}
    assert qrels == {"q": {"a": 2, "c": 0}}


def test_what_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KGRAG_DATA", raising=False)
    with pytest.raises(UnknownName, match="did you mean 'scifact'"):
        load_suite("scifakt")
    with pytest.raises(SettingsError, match="KGRAG_DATA"):
        load_suite("scifact")
    with pytest.raises(SettingsError, match="no bench/scifact"):
        load_suite("scifact", tmp_path)


def test_own_questions_over_an_own_corpus(tmp_path: Path) -> None:
    corpus = put(
        tmp_path,
        "c.jsonl",
        jsonl({"id": 1, "text": "one"}, {"id": "a/b c", "text": "two", "title": "T"}),
    )
    asked = put(
        tmp_path,
        "q.jsonl",
        jsonl(
            {"id": "q1", "question": "One?", "relevant": ["1"]},
            {"id": "q2", "question": "Two?", "relevant": {"a/b c": 2, "1": 0}},
            {"id": "q3", "question": "None?"},
        ),
    )
    suite = own_suite(asked, corpus)
    assert [q.id for q in suite.queries] == ["q1", "q2"]
    rows = [json.loads(line) for line in suite.corpus.splitlines()]
    assert suite.qrels["q2"] == {rows[1]["id"]: 2, "1": 0}
    assert all("/" not in row["id"] for row in rows)
    assert suite.notes == ("1 questions say of no document that it is right",)


def test_qrels_stand_in_for_relevant(tmp_path: Path) -> None:
    corpus = put(tmp_path, "c.jsonl", jsonl({"id": "a", "text": "one"}, {"id": "b", "text": "two"}))
    asked = put(tmp_path, "q.jsonl", jsonl({"id": "q", "question": "?x", "relevant": ["a"]}))
    suite = own_suite(asked, corpus, put(tmp_path, "q.tsv", "q\tb\t2\n"))
    assert suite.qrels == {"q": {"b": 2}}


@pytest.mark.parametrize(
    ("questions", "told"),
    [
        ("{", r"q\.jsonl:1.*JSON"),
        ("[1]\n", r"q\.jsonl:1.*object"),
        ('\n{"id": "q", "question": ""}\n', r"q\.jsonl:2.*question"),
        ('{"question": "x"}\n', r"q\.jsonl:1.*id"),
        ('{"id": "q", "question": "x", "relevant": "a"}\n', r"q\.jsonl:1.*relevant"),
        ('{"id": "q", "question": "x", "relevant": {"a": -1}}\n', r"q\.jsonl:1.*relevant"),
        ('{"id": "q", "question": "x", "relevant": ["zz"]}\n', r"q\.jsonl:1.*'zz' is no record"),
        ('{"id": "q", "question": "x", "relevant": ["a"]}\n' * 2, r"q\.jsonl:2.*twice"),
        ("\n", r"no lines"),
        ('{"id": "q", "question": "x"}\n', r"no question"),
    ],
)
def test_a_bad_line_of_questions_is_named(tmp_path: Path, questions: str, told: str) -> None:
    corpus = put(tmp_path, "c.jsonl", jsonl({"id": "a", "text": "one"}))
    with pytest.raises(DataError, match=told):
        own_suite(put(tmp_path, "q.jsonl", questions), corpus)


def test_a_bad_corpus_or_qrels_is_named(tmp_path: Path) -> None:
    asked = put(tmp_path, "q.jsonl", jsonl({"id": "q", "question": "x", "relevant": ["a"]}))
    twice = put(tmp_path, "c.jsonl", jsonl({"id": "a", "text": "x"}, {"id": "a", "text": "y"}))
    with pytest.raises(UnreadableFile, match=r"c\.jsonl:2.*twice"):
        own_suite(asked, twice)
    once = put(tmp_path, "d.jsonl", jsonl({"id": "a", "text": "x"}))
    with pytest.raises(UnreadableFile, match=r"r\.tsv:2.*three columns"):
        own_suite(asked, once, put(tmp_path, "r.tsv", "q\ta\t1\nq a 1\n"))
    (tmp_path / "e.jsonl").write_bytes(b'{"id": "\xff"}\n')
    with pytest.raises(UnreadableFile, match="UTF-8"):
        own_suite(tmp_path / "e.jsonl", once)
    with pytest.raises(UnreadableFile, match="No such file"):
        own_suite(tmp_path / "none.jsonl", once)


@pytest.mark.data
@pytest.mark.models
@pytest.mark.parametrize(
    ("name", "questions", "dev"),
    [
        ("scifact", 809, 393),
        ("bioasq", 1983, 979),
        ("bioasq-10", 486, 229),
        ("cpgqa", 600, 312),
        ("liveqa-summary", 42, 19),
        ("liveqa-message", 42, 19),
        ("medquad", 7587, 3816),
    ],
)
def test_the_suites_are_as_large_as_told(name: str, questions: int, dev: int) -> None:
    suite = load_suite(name)
    assert (len(suite.queries), len(suite.of("dev").queries)) == (questions, dev)


@pytest.mark.parametrize("grade", ["99999999999999999999999", "101", "-101", "1.5", ""])
def test_a_grade_that_cannot_be_counted_is_named(tmp_path: Path, grade: str) -> None:
    asked = put(tmp_path, "q.jsonl", '{"id": "q", "question": "What?"}')
    corpus = put(tmp_path, "c.jsonl", '{"id": "a", "text": "That."}')
    with pytest.raises(UnreadableFile, match=r"r\.tsv:1.*up to 100"):
        own_suite(asked, corpus, put(tmp_path, "r.tsv", f"q\ta\t{grade}\n"))


@pytest.mark.parametrize(
    ("corpus", "qrels", "claims"),
    [
        ("[" * 100_000, "1\tx\t1\n", '{"id": 1, "claim": "secret"}'),
        ('{"a": 1}', "1\tx\t1\n", '{"id": 1, "claim": "secret"}'),
        ('{"_id": "x"}', "1\tx\t1\n", '{"id": 1}'),
        ('{"_id": "x"}', "1\tx\t0\n", '{"id": 1, "claim": "secret"}'),
        ('{"_id": "x"}', "1\tx\t1\n", '{"id": 1, "claim": "secret"}\n' * 2),
    ],
)
def test_benchmarks_of_another_form_are_told_without_their_words(
    tmp_path: Path, corpus: str, qrels: str, claims: str
) -> None:
    folder = tmp_path / "bench" / "scifact"
    (folder / "qrels").mkdir(parents=True)
    put(folder, "corpus.jsonl", corpus)
    put(folder / "qrels", "train.tsv", qrels)
    put(folder, "claims_train.jsonl", claims)
    with pytest.raises(UnreadableFile) as told:
        load_suite("scifact", tmp_path)
    assert "secret" not in str(told.value)


def test_a_benchmark_that_is_not_utf8_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "bench" / "scifact"
    (folder / "qrels").mkdir(parents=True)
    put(folder, "corpus.jsonl", '{"_id": "x"}')
    (folder / "qrels" / "train.tsv").write_bytes(b"\xff\xfe")
    with pytest.raises(UnreadableFile, match="not UTF-8"):
        load_suite("scifact", tmp_path)
