"""What makes a quotation right, and the plain ways to quote, on texts written for it."""

from __future__ import annotations

import pytest

from kgrag.encoding.hashing import HashingEncoder
from kgrag.errors import SettingsError, UnknownName
from kgrag.evaluation.answers import AnswerQuery, AnswerSuite, holds, lies_in, names, shares
from kgrag.evaluation.answers_run import run
from kgrag.evaluation.answers_suites import load_answer_suite
from kgrag.evaluation.answers_ways import baseline_ways
from kgrag.evaluation.registry import Request, runner
from kgrag.records.answer import CitedDocument, Hit


def test_a_span_is_held_whole_whatever_case_and_spaces() -> None:
    assert holds("Give  10 mg\nTWICE daily.", ["10 mg twice daily"])
    assert not holds("Give 10 mg daily.", ["10 mg twice daily"])


def test_a_name_is_held_as_whole_words() -> None:
    assert names("It inhibits factor XIa (FXIa).", ["factor Xa", "FXIa"])
    assert not names("Norepinephrine rose.", ["epinephrine"])
    assert not names("A dose of 12.5 mg.", ["2.5 mg"])
    assert names("A dose of 2.5 mg.", ["2.5 mg"])
    assert not names("Anything.", ["—"])


def test_a_quotation_shares_a_span_by_three_in_five_of_its_words() -> None:
    gold = ["pain fell by 2.4 points more with ice than with heat"]
    assert shares("In all, pain fell by 2.4 points more with ice.", gold)
    assert not shares("Pain fell in both groups.", gold)
    long = " ".join(f"word{i}" for i in range(100))
    assert shares(" ".join(f"word{i}" for i in range(20, 28)), [long])
    assert not shares(" ".join(f"word{i}" for i in range(20, 27)), [long])


def test_a_quotation_lies_where_half_of_it_stands_in_one_run() -> None:
    results = ["Of 40 knees 30 healed. The others did not."]
    assert lies_in("We looked at them. Of 40 knees 30 healed.", results)
    assert not lies_in("We looked at knees and others to see whether they healed.", results)


def _suite(**rows: str) -> AnswerSuite:
    queries = tuple(AnswerQuery.of(i, f"what of {i}?", [gold]) for i, gold in rows.items())
    return AnswerSuite("own", queries, holds)


def test_a_suite_takes_parts_by_id_alone() -> None:
    suite = _suite(**{f"q{i}": "gold" for i in range(40)})
    dev, test = suite.of("dev"), suite.of("test")
    assert {q.id for q in dev.queries} | {q.id for q in test.queries} == {
        q.id for q in suite.queries
    }
    assert not {q.id for q in dev.queries} & {q.id for q in test.queries}
    turned = AnswerSuite("own", suite.queries[::-1], holds)
    assert {q.id for q in suite.of(limit=7).queries} == {q.id for q in turned.of(limit=7).queries}


def test_a_suite_refuses_what_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="gold"):
        _suite(q1=" ")
    with pytest.raises(ValueError, match="twice"):
        AnswerSuite("own", _suite(q1="a").queries * 2, holds)


def _hit(at: int, text: str) -> Hit:
    document = CitedDocument(f"doc_{at}", f"file:{at}", "")
    return Hit(document, f"pas_{at}", text, 0, len(text), 1.0)


BOX = "The box is red. Its lid is made of oak and brass. Nobody opens it on a Sunday."
LAMP = "The lamp hangs above the table. It burns oil."


def test_baselines_quote_sentences_within_the_limits() -> None:
    hits = [_hit(0, BOX), _hit(1, LAMP), _hit(2, "word " * 70 + "end.")]
    ways = baseline_ways(HashingEncoder(256))
    question = "Is the lid of that box of oak?"
    lid = "Its lid is made of oak and brass."
    assert ways["nearest"](question, hits)[0] == lid
    assert ways["bm25 sentence"](question, hits)[0] == lid
    assert ways["nearest, filled"](question, hits)[0] == BOX
    assert ways["best passage"](question, hits) == [BOX]
    assert ways["three passages"](question, hits) == [BOX, LAMP]
    for name, way in ways.items():
        said = way(question, hits)
        assert 0 < len(said) <= 3 and all(len(q.split()) <= 60 for q in said), name
        assert len(set(said)) == len(said)
        assert all(any(q in h.text for h in hits) for q in said)
        assert way(question, []) == []


def test_the_suites_are_known_to_eval_and_say_what_they_need(tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert runner("cpgqa-answers") is run
    with pytest.raises(UnknownName):
        load_answer_suite("no-such", tmp_path)
    with pytest.raises(SettingsError):
        run(Request("cpgqa-answers", data=tmp_path))
