"""What the layer of entailment lets pass, and that it fails closed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from kgrag.config import parse_settings
from kgrag.errors import DataError, SettingsError
from kgrag.records.answer import Check
from kgrag.verification.entailment import Entailed
from kgrag.verification.entailment.apply import with_entailment
from kgrag.verification.entailment.check import check_entailment
from kgrag.verification.verdict import Verification, verify_statement

QUOTE = "Amoxicillin treats pneumonia in adults."
SENTENCE = "Pneumonia in adults is treated with amoxicillin."


class Says:
    """A checker that says what a function of premise and hypothesis gives."""

    name, sha256 = "says", "0" * 64

    def __init__(self, say: Callable[[str, str], Any]) -> None:
        self.say, self.read = say, []  # type: ignore[var-annotated]

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Entailed]:
        self.read.extend(pairs)
        return [self.say(premise, hypothesis) for premise, hypothesis in pairs]


def always(*values: Any) -> Says:
    return Says(lambda *_: Entailed(*values))


@pytest.mark.parametrize(("said", "result"), [
    ((0.95,), "pass"), ((0.9,), "pass"), ((0.89,), "fail"), ((0.0,), "fail"),
    ((0.95, 0.1), "pass"), ((0.95, 0.9), "fail"), ((0.95, 0.95), "fail"), ((0.1, 0.95), "fail"),
])  # fmt: skip
def test_the_threshold_is_of_support_and_of_contradiction(said: Any, result: str) -> None:
    check = check_entailment(SENTENCE, [QUOTE], always(*said), 0.9)
    assert (check.layer, check.result) == ("entailment", result)
    assert (check.hallucination is None) == (result == "pass")


def test_several_quotations_count_alone_and_together() -> None:
    checker = Says(lambda p, _: Entailed(0.99 if "\n" in p else 0.2))
    assert check_entailment(SENTENCE, ["A.", "B."], checker, 0.9).result == "pass"
    assert [p for p, _ in checker.read] == ["A.", "B.", "A.\nB."]
    denied = Says(lambda p, _: Entailed(0.99, 0.95 if p == "B." else 0.0))
    assert check_entailment(SENTENCE, ["A.", "B."], denied, 0.9).result == "fail"


def _raise(error: Exception) -> Callable[..., Any]:
    def judge(*_: Any) -> Any:
        raise error

    return judge


class Loose:
    """Looks like a judgement and is none."""

    supported, contradicted, spans = 0.99, None, ()


@pytest.mark.parametrize("say", [
    _raise(RuntimeError("x")), _raise(DataError("too long")), _raise(MemoryError()),
    lambda *_: None, lambda *_: 0.99, lambda *_: "supported",
    lambda *_: Loose(), lambda *_: Entailed(math.nan), lambda *_: Entailed(2.0),
    lambda *_: Entailed(-0.1), lambda *_: Entailed(0.99, math.inf),
])  # fmt: skip
def test_what_breaks_fails(say: Callable[..., Any]) -> None:
    assert check_entailment(SENTENCE, [QUOTE], Says(say), 0.9).result == "fail"


@pytest.mark.parametrize("many", [0, 2, 5])
def test_another_number_of_judgements_fails(many: int) -> None:
    class Miscounts(Says):
        def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Entailed]:
            return [Entailed(0.99)] * many

    assert check_entailment(SENTENCE, [QUOTE], Miscounts(print), 0.9).result == "fail"


def test_a_judgement_that_was_changed_after_it_was_made_fails() -> None:
    bent = Entailed(0.5)
    object.__setattr__(bent, "supported", math.nan)
    assert check_entailment(SENTENCE, [QUOTE], Says(lambda *_: bent), 0.9).result == "fail"


@pytest.mark.parametrize(
    ("statement", "quotes"), [("", [QUOTE]), (SENTENCE, []), (SENTENCE, [" "])]
)
def test_nothing_to_judge_fails(statement: str, quotes: list[str]) -> None:
    assert check_entailment(statement, quotes, always(0.99), 0.9).result == "fail"


@pytest.mark.parametrize("threshold", [0.0, -1.0, 1.1, math.nan])
def test_a_threshold_that_is_none_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        check_entailment(SENTENCE, [QUOTE], always(0.99), threshold)


def test_the_text_of_a_document_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    broken = Says(_raise(RuntimeError(QUOTE)))
    check = check_entailment(SENTENCE, [QUOTE], broken, 0.9)
    assert QUOTE not in caplog.text + check.detail and "RuntimeError" in caplog.text


def test_what_is_marked_is_told() -> None:
    checker = always(0.2, None, ((0, 9, 0.8),))
    assert "'Pneumonia'" in check_entailment(SENTENCE, [QUOTE], checker, 0.9).detail


# What it changes in a verdict -------------------------------------------------------------------

PARAPHRASE = "Grown people recover from pneumonia with amoxicillin."


def test_it_lowers_what_the_rules_found_supported() -> None:
    found = verify_statement(QUOTE, [QUOTE])
    assert found.verdict == "supported"
    kept = with_entailment(found, QUOTE, [QUOTE], always(0.95), 0.9)
    assert (kept.verdict, kept.checks[-1].layer) == ("supported", "entailment")
    lowered = with_entailment(found, QUOTE, [QUOTE], always(0.5), 0.9)
    assert (lowered.verdict, lowered.confidence) == ("not_enough_info", None)


def test_it_raises_nothing_without_a_calibration() -> None:
    lacking = Check("coverage", "fail", "not in the evidence: recover", "factual error")
    found = Verification("not_enough_info", None, (lacking,))
    told = with_entailment(found, PARAPHRASE, [QUOTE], always(1.0), 0.9)
    assert told.verdict == "not_enough_info"
    raised = with_entailment(found, PARAPHRASE, [QUOTE], always(0.99), 0.9, raises_from=0.98)
    assert raised.verdict == "supported" and raised.confidence is None
    below = with_entailment(found, PARAPHRASE, [QUOTE], always(0.97), 0.9, raises_from=0.98)
    assert below.verdict == "not_enough_info"


def test_what_failed_in_another_layer_is_not_raised() -> None:
    checks = (Check("coverage", "fail"), Check("numbers", "fail"))
    found = Verification("not_enough_info", None, checks)
    told = with_entailment(found, PARAPHRASE, [QUOTE], always(1.0), 0.9, raises_from=0.5)
    assert told.verdict == "not_enough_info"


def test_a_conflict_is_never_raised() -> None:
    wrong = "Amoxicillin never treats pneumonia in adults."
    found = verify_statement(wrong, [QUOTE])
    assert found.verdict != "supported"
    told = with_entailment(found, wrong, [QUOTE], always(1.0), 0.9, raises_from=0.5)
    assert told.verdict == found.verdict


# Settings ----------------------------------------------------------------------------------------


def test_fluent_mode_needs_a_checker() -> None:
    with pytest.raises(SettingsError, match=r"needs verification\.entailment"):
        parse_settings({"verification": {"mode": "fluent"}}, origin="test")
    told = {"mode": "fluent", "entailment": "nli:/models/mine", "threshold": 0.8}
    assert parse_settings({"verification": told}, origin="test").verification.threshold == 0.8
    for threshold in (0, 1.5):
        with pytest.raises(SettingsError, match="threshold"):
            parse_settings({"verification": {"threshold": threshold}}, origin="test")
