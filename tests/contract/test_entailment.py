"""Every family of checkers keeps the contract, and a wrong one does not pass it."""

from __future__ import annotations

import inspect
import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the extra models")

import tiny_entailment as tiny
import torch

from kgrag.errors import BrokenInvariant, DataError, SettingsError, UnknownName
from kgrag.testing.entailment_contract import (
    DENIED,
    PAIRS,
    SILENT,
    STATED,
    WRONG,
    EntailmentContract,
)
from kgrag.verification.entailment import Entailed, Entailment, load_entailment, resolver
from kgrag.verification.entailment.pairs import PairForm

MAKERS: dict[str, Callable[[Path], Path]] = {
    "nli": lambda p: tiny.sequence_model(p, "bert", ["entailment", "neutral", "contradiction"]),
    "nli-roberta": lambda p: tiny.sequence_model(
        p, "roberta", ["CONTRADICTION", "NEUTRAL", "ENTAILMENT"]
    ),
    "nli-deberta": lambda p: tiny.deberta_model(p, ["entailment", "not_entailment"]),
    "detector": tiny.token_model,
    "fact": lambda p: tiny.sequence_model(p, "roberta", ["unsupported", "supported"]),
    "fact-one": lambda p: tiny.sequence_model(p, "bert", ["score"]),
    "fact-t5": tiny.t5_model,
}
_made: dict[str, Path] = {}


@pytest.fixture(scope="module", autouse=True)
def _folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    _made["root"] = tmp_path_factory.mktemp("entailment")
    yield
    _made.clear()


def folder(family: str) -> Path:
    """The folder of the family's tiny model, taught once."""
    if family not in _made:
        _made[family] = MAKERS[family](_made["root"] / family)
    return _made[family]


def checker(family: str) -> Entailment:
    return load_entailment(f"{family.partition('-')[0]}:{folder(family)}")


class TestNli(EntailmentContract):
    def make(self) -> Entailment:
        return checker("nli")


class TestNliRoberta(EntailmentContract):
    def make(self) -> Entailment:
        return checker("nli-roberta")


class TestNliDeberta(EntailmentContract):
    def make(self) -> Entailment:
        return checker("nli-deberta")


class TestDetector(EntailmentContract):
    def make(self) -> Entailment:
        return checker("detector")


class TestFact(EntailmentContract):
    def make(self) -> Entailment:
        return checker("fact")


class TestFactOneScore(EntailmentContract):
    def make(self) -> Entailment:
        return checker("fact-one")


class TestFactFirstToken(EntailmentContract):
    def make(self) -> Entailment:
        return checker("fact-t5")


def test_every_kind_is_tested() -> None:
    assert set(resolver.names()) == {name.partition("-")[0] for name in MAKERS}


# A wrong checker fails the suite -----------------------------------------------------------------


class Wrong:
    """A sound checker, bent in one place."""

    name, sha256 = "wrong", "0" * 64

    def __init__(self, how: str) -> None:
        self._how, self._sound = how, checker("detector" if how == "spans" else "nli")
        self._asked = 0

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Entailed]:
        how = self._how
        if how == "cuts the premise":
            pairs = [(p[:120], h) for p, h in pairs]
        if how == "cuts what does not fit":
            pairs = [(p if len(p) < 50_000 else SILENT, h[:200]) for p, h in pairs]
        if how == "takes an empty sentence":
            pairs = [(p, h if h.strip() else STATED) for p, h in pairs]
        judged = self._sound.judge(pairs)
        if how == "order":
            judged = judged[::-1]
        elif how == "loses one":
            judged = judged[:-1] if len(judged) > 1 else judged
        elif how == "a constant":
            judged = [Entailed(1.0, 0.0) for _ in judged]
        elif how == "labels swapped":
            judged = [Entailed(j.contradicted or 0.0, j.supported) for j in judged]
        elif how == "nothing supports":
            judged = [Entailed(0.9, 0.0) if not p.strip() else j
                      for j, (p, _) in zip(judged, pairs, strict=True)]  # fmt: skip
        elif how == "company":
            judged = [replace(j, supported=j.supported / len(judged)) for j in judged]
        elif how == "spans":
            judged = [replace(j, spans=tuple((a + 99, b + 99, s) for a, b, s in j.spans))
                      for j in judged]  # fmt: skip
        elif how == "chance":
            self._asked += 1
            judged = [replace(j, supported=j.supported * (0.8 + 0.1 * (self._asked % 2)))
                      for j in judged]  # fmt: skip
        elif how == "no identity":
            return judged
        return judged


BENT = (
    "order", "loses one", "a constant", "labels swapped", "nothing supports", "company", "spans",
    "chance", "no identity", "cuts the premise", "cuts what does not fit",
    "takes an empty sentence",
)  # fmt: skip


def failures(suite: EntailmentContract, made: Entailment) -> list[str]:
    """The tests of the suite that the checker fails."""
    failed = []
    for name, test in inspect.getmembers(suite, inspect.ismethod):
        if not name.startswith("test_"):
            continue
        marks = [m for m in getattr(test, "pytestmark", []) if m.name == "parametrize"]
        cases = [{m.args[0]: v for m in marks} for v in (marks[0].args[1] if marks else [None])]
        for case in cases:
            try:
                test(made, **case)
            except (Exception, pytest.fail.Exception):  # noqa: BLE001 - however it fails
                failed.append(name)
    return failed


@pytest.mark.parametrize("how", [None, *BENT])
def test_a_wrong_checker_fails_the_suite(how: str | None) -> None:
    made = checker("nli") if how is None else Wrong(how)
    if how == "no identity":
        made.sha256 = "unknown"  # type: ignore[misc]

    class Suite(EntailmentContract):
        def make(self) -> Entailment:
            return made

    assert bool(failures(Suite(), made)) == (how is not None)


# What is refused --------------------------------------------------------------------------------


def test_unknown_kinds_and_absent_folders(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="detector, fact, nli"):
        load_entailment("nly:x")
    with pytest.raises(SettingsError, match="needs a model of yours"):
        load_entailment("nli")
    with pytest.raises(SettingsError, match="no folder"):
        load_entailment(f"nli:{tmp_path / 'missing'}")


def _copy(family: str, into: Path, **config: Any) -> Path:
    shutil.copytree(folder(family), into)
    path = into / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **config}))
    return into


@pytest.mark.parametrize("names", [
    ["LABEL_0", "LABEL_1", "LABEL_2"], ["entailment", "neutral", "surprise"],
    ["entailment", "entails", "neutral"], ["neutral", "other", "contradiction"],
])  # fmt: skip
def test_outputs_that_cannot_be_told_apart_are_refused(tmp_path: Path, names: list[str]) -> None:
    made = _copy("nli", tmp_path / "m", id2label={str(i): n for i, n in enumerate(names)},
                 label2id={n: i for i, n in enumerate(names)})  # fmt: skip
    with pytest.raises(SettingsError, match="cannot be told"):
        load_entailment(f"nli:{made}")
    told = load_entailment(f"nli:{made}", labels=["entailment", "neutral", "contradiction"])
    assert told.judge(PAIRS[:2]) == checker("nli").judge(PAIRS[:2])
    with pytest.raises(SettingsError, match="names 2 outputs"):
        load_entailment(f"nli:{made}", labels=["supported", "unsupported"])


def test_the_order_of_outputs_is_read_from_their_names(tmp_path: Path) -> None:
    names = {"0": "contradiction", "1": "neutral", "2": "entailment"}
    made = _copy("nli", tmp_path / "m", id2label=names)
    (stated,) = load_entailment(f"nli:{made}").judge(PAIRS[:1])
    (right,) = checker("nli").judge(PAIRS[:1])
    assert (stated.supported, stated.contradicted) == (right.contradicted, right.supported)


def test_models_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not 2 or 3"):
        load_entailment(f"nli:{folder('fact-one')}")
    for kind, family in (("detector", "nli"), ("nli", "detector"), ("nli", "fact-t5")):
        with pytest.raises(SettingsError, match=r"lacks|outputs|no model of the kind"):
            load_entailment(f"{kind}:{folder(family)}")


def test_a_model_without_all_its_weights_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    made = _copy("nli", tmp_path / "m")
    weights = load_file(made / "model.safetensors")
    kept = {n: w.contiguous() for n, w in weights.items() if not n.startswith("classifier")}
    save_file(kept, made / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SettingsError, match=r"lacks 2 of its weights, classifier"):
        load_entailment(f"nli:{made}")


def test_weights_that_can_run_code_and_code_of_the_folder_are_refused(tmp_path: Path) -> None:
    made = _copy("nli", tmp_path / "m")
    weights = made / "model.safetensors"
    torch.save({}, made / "pytorch_model.bin")
    weights.unlink()
    with pytest.raises(SettingsError, match="safetensors"):
        load_entailment(f"nli:{made}")
    code = {"AutoConfig": "mine.Config", "AutoModelForSequenceClassification": "mine.Model"}
    own = _copy("nli", tmp_path / "own", model_type="mine", auto_map=code)
    (own / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    with pytest.raises(SettingsError, match="no model of the kind"):
        load_entailment(f"nli:{own}")
    assert not (tmp_path / "ran").exists()


def test_a_damaged_model_is_one_clear_error(tmp_path: Path) -> None:
    made = _copy("fact-t5", tmp_path / "m")
    (made / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(SettingsError, match="no model of the kind 'fact'"):
        load_entailment(f"fact:{made}")


@pytest.mark.parametrize("family", ["nli", "detector", "fact-one", "fact-t5"])
def test_numbers_that_are_none_end_the_judgement(family: str) -> None:
    broken: Any = checker(family)
    with torch.no_grad():
        list(broken._runner._model.parameters())[-1].fill_(math.nan)
    with pytest.raises(BrokenInvariant, match="no number"):
        broken.judge(PAIRS[:1])


# Windows -----------------------------------------------------------------------------------------


def _form(limit: int) -> PairForm:
    return PairForm(tiny.tokenizer("bert"), limit=limit)


@pytest.mark.parametrize("limit", [20, 33, 56])
def test_windows_hold_every_sentence_whole_and_none_is_cut(limit: int) -> None:
    form = _form(limit)
    lines = [
        f"{a} {b} {c}.".capitalize()
        for a in tiny.FILLER
        for b in ("nine", "opens")
        for c in ("at", "b")
    ]
    hypothesis = form.plain(STATED)
    rows = form.rows(" ".join(lines), hypothesis)
    assert len(rows) > 3 and all(len(r.ids) <= limit == form._limit for r in rows)
    whole = [form.plain(line).ids for line in lines]
    seen: set[int] = set()
    for row in rows:
        assert row.ids[row.start : row.end] == hypothesis.ids
        rest = row.ids[1 : row.start - 1]
        while rest:  # the window is a run of whole sentences
            at = next(i for i, ids in enumerate(whole) if rest[: len(ids)] == ids)
            seen.add(at)
            rest = rest[len(whole[at]) :]
    assert seen == set(range(len(lines)))


def test_neighbouring_windows_share_sentences() -> None:
    form = _form(56)
    rows = form.rows(" ".join([SILENT] * 30), form.plain(STATED))
    sentences = [(len(r.ids) - 3 - 4) // 6 for r in rows]
    assert sum(sentences) > 30 and max(sentences) == 8


def test_a_separator_in_a_text_stays_text() -> None:
    form = _form(56)
    row = form.rows("[CLS] treats [SEP] nine", form.plain("[SEP] opens"))[0]
    marks = [i for i in row.ids if i in (2, 3)]
    assert len(marks) == 3


def test_a_single_long_premise_is_not_cut_into_another_meaning() -> None:
    endless = "amoxicillin never " + "in patients with disease b " * 30 + "treats pneumonia."
    for family in MAKERS:
        with pytest.raises(DataError, match="longer than the checker reads"):
            checker(family).judge([(f"{SILENT} {endless}", STATED)])


def test_what_a_detector_marks_is_the_wrong_word() -> None:
    (judged,) = checker("detector").judge([(STATED, WRONG)])
    assert [WRONG[a:b].rstrip(" .") for a, b, _ in judged.spans] == ["fractures"]
    assert judged.supported < 0.5


def test_a_denial_anywhere_is_kept() -> None:
    long = " ".join([STATED, *[SILENT] * 40, DENIED])
    (judged,) = checker("nli").judge([(long, STATED)])
    assert judged.supported > 0.5 and (judged.contradicted or 0) > 0.5
