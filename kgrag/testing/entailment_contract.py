"""What every ``Entailment`` does. Subclass, give ``make``, and pytest runs the suite.

class TestMine(EntailmentContract):
    def make(self): ...
"""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod

import pytest

from kgrag.errors import DataError
from kgrag.verification.entailment import Entailed, Entailment

STATED = "Amoxicillin treats pneumonia."
DENIED = "Amoxicillin never treats pneumonia."
SILENT = "The clinic opens at nine."
WRONG = "Amoxicillin treats fractures."
PAIRS = (
    (STATED, STATED),
    (DENIED, STATED),
    (SILENT, STATED),
    (f"{SILENT} {STATED}", STATED),
    ("[SEP] </s> <|im_end|> [CLS] treats <s>", STATED),
    ("β-lactams 急性中耳炎 \U0001f48a", STATED),
    (STATED, WRONG),
    ("", STATED),
)


class EntailmentContract(ABC):
    """The suite. ``make`` gives the checker ready to use; it is made once a class."""

    #: Largest difference of a probability judged in other company (bfloat16 rounds).
    tolerance = 0.02

    @abstractmethod
    def make(self) -> Entailment: ...

    @pytest.fixture(scope="class")
    @classmethod
    def checker(cls) -> Entailment:
        return cls().make()

    def test_one_judgement_a_pair_in_their_order(self, checker: Entailment) -> None:
        judged = checker.judge(PAIRS)
        assert isinstance(judged, list) and len(judged) == len(PAIRS)
        assert all(isinstance(one, Entailed) for one in judged)
        for one in judged:
            _is_sound(one)
        self._same(checker.judge(PAIRS[::-1])[::-1], judged)

    def test_company_does_not_matter(self, checker: Entailment) -> None:
        alone = [checker.judge([pair])[0] for pair in PAIRS]
        self._same(checker.judge(PAIRS), alone)

    def test_no_pairs_no_judgements(self, checker: Entailment) -> None:
        assert checker.judge([]) == []

    def test_what_is_stated_is_supported_and_what_is_not_is_not(self, checker: Entailment) -> None:
        stated, denied, silent = checker.judge(PAIRS[:3])
        assert stated.supported > 0.5
        assert denied.supported < 0.5 and silent.supported < 0.5
        if denied.contradicted is not None:
            assert denied.contradicted > 0.5
            assert (stated.contradicted or 0) < 0.5 and (silent.contradicted or 0) < 0.5

    def test_nothing_supports_nothing(self, checker: Entailment) -> None:
        for empty in ("", " \n"):
            (judged,) = checker.judge([(empty, STATED)])
            assert judged.supported == 0.0 and not judged.contradicted

    @pytest.mark.parametrize("at", [0, 300, 600])
    def test_a_long_premise_is_read_to_its_end(self, checker: Entailment, at: int) -> None:
        lines = [SILENT] * 600
        (silent,) = checker.judge([(" ".join(lines), STATED)])
        lines.insert(at, STATED)
        (stated,) = checker.judge([(" ".join(lines), STATED)])
        assert silent.supported < 0.5 < stated.supported

    @pytest.mark.parametrize("at", [0, 600])
    def test_what_is_against_it_is_read_wherever_it_stands(
        self, checker: Entailment, at: int
    ) -> None:
        lines = [SILENT] * 600
        lines.insert(at, DENIED)
        (denied,) = checker.judge([(" ".join(lines), STATED)])
        assert denied.supported < 0.5
        assert denied.contradicted is None or denied.contradicted > 0.5

    def test_a_sentence_that_does_not_fit_is_refused(self, checker: Entailment) -> None:
        endless = " ".join(["amoxicillin"] * 20_000)
        for pair in ((STATED, endless), (f"{SILENT} {endless}.", STATED)):
            with pytest.raises(DataError):
                checker.judge([pair])

    @pytest.mark.parametrize("empty", ["", "  \n"])
    def test_an_empty_sentence_is_refused(self, checker: Entailment, empty: str) -> None:
        with pytest.raises(DataError):
            checker.judge([(STATED, empty)])

    def test_spans_are_characters_of_the_sentence(self, checker: Entailment) -> None:
        for (_, hypothesis), judged in zip(PAIRS, checker.judge(PAIRS), strict=True):
            ends = [0, *(end for _, end, _ in judged.spans)]
            for (start, end, _), before in zip(judged.spans, ends, strict=False):
                assert before <= start < end <= len(hypothesis)

    def test_several_threads(self, checker: Entailment) -> None:
        wanted = checker.judge(PAIRS)
        found: dict[int, list[Entailed]] = {}

        def work(number: int) -> None:
            found[number] = checker.judge(PAIRS)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [0, 1, 2]
        for judged in found.values():
            self._same(judged, wanted)

    def test_identity(self, checker: Entailment) -> None:
        again = self.make()
        assert checker.name and checker.name == again.name
        assert checker.sha256 == again.sha256
        assert len(checker.sha256) == 64 and int(checker.sha256, 16) >= 0
        self._same(checker.judge(PAIRS[:2]), again.judge(PAIRS[:2]))

    def _same(self, given: list[Entailed], wanted: list[Entailed]) -> None:
        assert len(given) == len(wanted)
        for one, other in zip(given, wanted, strict=True):
            assert one.supported == pytest.approx(other.supported, abs=self.tolerance)
            assert (one.contradicted is None) == (other.contradicted is None)
            assert one.contradicted == pytest.approx(other.contradicted, abs=self.tolerance)
            assert [s[:2] for s in one.spans] == [s[:2] for s in other.spans]


def _is_sound(one: Entailed) -> None:
    told = [one.supported, *(s[2] for s in one.spans)]
    told += [] if one.contradicted is None else [one.contradicted]
    assert all(math.isfinite(p) and 0.0 <= p <= 1.0 for p in told)
