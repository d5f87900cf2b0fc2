"""The suite ``medec``: is there an error in a clinical note, and in which sentence?

The notes are vignettes of exam questions, most of them twice: with and without the error. All
notes of a vignette are in one half, by the least id among them. The same questions feed other
benchmarks of multiple choice and of simulated patients; none of them is part of what is fitted.
"""

from __future__ import annotations

import json
import math
import random
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kgrag.errors import DataError, SettingsError, UnreadableFile
from kgrag.evaluation.compare import Comparison, Estimate, compare, estimate
from kgrag.evaluation.data import data_folder, records
from kgrag.evaluation.kept import Kept
from kgrag.evaluation.medec_features import NAMES, features, suspected
from kgrag.evaluation.registry import Request
from kgrag.evaluation.suite import Split, half
from kgrag.evaluation.verdicts.report import made_with
from kgrag.progress import SILENT, Progress

if TYPE_CHECKING:
    from kgrag.engine import Engine

FILE: Final = ("bench", "medec_ms", "validationset.jsonl")
WEIGHTS: Final = Path(__file__).with_name("medec_weights.json")
_NUMBERED: Final = re.compile(r"(\d+)(?:\s|$)")
_BEGINNING: Final = 60  # characters by which notes of one vignette are known
_SEED: Final = 20260101

# The place of the sentence said to be wrong; None when the note is passed.
Said = int | None


@dataclass(frozen=True, slots=True)
class MedecNote:
    """A note; ``wrong`` is the place of its erroneous sentence, None when it has none."""

    id: str
    vignette: str
    split: Split
    sentences: tuple[str, ...]
    wrong: int | None
    kind: str


def load_notes(data: Path | None = None) -> tuple[MedecNote, ...]:
    """The notes of the data folder, in their order; UnreadableFile names a record that is none."""
    rows = records(data_folder(data), *FILE)
    least: dict[str, str] = {}
    for row in rows:
        key = str(row.get("Text", ""))[:_BEGINNING]
        identifier = str(row.get("Text ID", ""))
        least[key] = min(least.get(key, identifier), identifier)
    return tuple(_note(row, least[str(row.get("Text", ""))[:_BEGINNING]]) for row in rows)


def _note(row: Mapping[str, Any], vignette: str) -> MedecNote:
    try:
        sentences = numbered(row["Sentences"])
        wrong = int(row["Error Sentence ID"]) if str(row["Error Flag"]) == "1" else None
        if wrong is not None:
            _ = sentences[wrong]
    except (KeyError, ValueError, IndexError) as error:
        raise UnreadableFile("/".join(FILE), f"no note of the suite: {error!r}") from error
    return MedecNote(
        str(row["Text ID"]), vignette, half(vignette), sentences, wrong, str(row["Error Type"])
    )


def numbered(text: str) -> tuple[str, ...]:
    """The sentences of "0 First.\\n1 Second.": a line without the next number goes on."""
    found: list[str] = []
    for line in text.split("\n"):
        match = _NUMBERED.match(line)
        if match and int(match[1]) == len(found):
            found.append(line[match.end() :].strip())
        elif found:
            found[-1] = f"{found[-1]} {line.strip()}".strip()
    return tuple(found)


@dataclass(frozen=True, slots=True)
class MedecWeights:
    """A logistic model over standardised features: that the suspected sentence is wrong."""

    bias: float
    weights: Mapping[str, float]
    mean: Mapping[str, float]
    scale: Mapping[str, float]
    threshold: float
    provenance: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path = WEIGHTS) -> MedecWeights:
        """The weights of the file; SettingsError when they are for other features."""
        values = json.loads(path.read_text(encoding="utf-8"))
        made = cls(**values)
        if not set(made.weights) <= set(NAMES):
            raise SettingsError(f"{path} was fitted for other features", hint="fit it anew")
        return made

    def chance(self, found: Mapping[str, float]) -> float:
        """The probability in [0, 1] that a sentence with these features is wrong."""
        total = self.bias + sum(
            weight * (found[name] - self.mean[name]) / self.scale[name]
            for name, weight in self.weights.items()
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


Judge = Callable[[MedecNote], Said]


def baselines(rate: float) -> dict[str, Judge]:
    """Judges that read nothing: ``rate`` is the share of the dev half's notes with an error."""
    chance = random.Random(_SEED)

    def at_random(note: MedecNote) -> Said:
        return chance.randrange(len(note.sentences)) if chance.random() < rate else None

    def longest(note: MedecNote) -> Said:
        return max(range(len(note.sentences)), key=lambda i: len(note.sentences[i]))

    return {
        "always flag, last sentence": lambda note: len(note.sentences) - 1,
        "always flag, longest sentence": longest,
        "always flag, last that asserts": lambda note: suspected(note.sentences),
        "at random": at_random,
    }


def fitted(engine: Engine, weights: MedecWeights) -> Judge:
    """The suspected sentence, when the model finds it out of place in its note."""

    def judge(note: MedecNote) -> Said:
        at = suspected(note.sentences)
        found = features(note.sentences, at, engine)
        return at if weights.chance(found) >= weights.threshold else None

    return judge


def checked(engine: Engine) -> Judge:
    """The first sentence that ``Engine.check_note`` contradicts."""

    def judge(note: MedecNote) -> Said:
        check = engine.check_note("\n\n".join(" ".join(s.split()) for s in note.sentences))
        wrong = next((s for s in check.sentences if s.verdict == "contradicted"), None)
        if wrong is None:
            return None
        return check.note[: wrong.start].count("\n\n")

    return judge


@dataclass(frozen=True, slots=True)
class MedecFigures:
    """``accuracy`` of flagging; ``precision`` and ``recall`` of the flag (None: nothing flagged);
    ``found``: of the notes with an error, those whose sentence was named; ``both``: of all notes,
    those judged right, the sentence included."""

    accuracy: Estimate
    precision: Estimate | None
    recall: Estimate
    found: Estimate
    both: Estimate
    flagged: int


def figures(notes: Sequence[MedecNote], said: Sequence[Said]) -> MedecFigures:
    """The figures of one judge, with 95% bootstrap intervals."""
    pairs = list(zip(notes, said, strict=True))
    flagged = [(n, s) for n, s in pairs if s is not None]
    wrong = [(n, s) for n, s in pairs if n.wrong is not None]
    return MedecFigures(
        estimate(right(notes, said)),
        estimate([float(n.wrong is not None) for n, _ in flagged]) if flagged else None,
        estimate([float(s is not None) for _, s in wrong]),
        estimate([float(s == n.wrong) for n, s in wrong]),
        estimate([float(s == n.wrong) for n, s in pairs]),
        len(flagged),
    )


def right(notes: Sequence[MedecNote], said: Sequence[Said]) -> list[float]:
    """1 for each note that is flagged when, and only when, it has an error."""
    return [
        float((s is None) == (n.wrong is None)) for n, s in zip(notes, said, strict=True)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class MedecReport(Kept):
    """Figures by judge; ``against`` is the accuracy of each beside always flagging, paired."""

    split: str
    notes: int
    vignettes: int
    figures: Mapping[str, MedecFigures]
    kinds: Mapping[str, Mapping[str, tuple[int, int]]]
    against: Mapping[str, Comparison]
    fitted_on: Mapping[str, Any]
    made_with: Mapping[str, Any]
    seconds: float

    @property
    def name(self) -> str:
        return f"medec-{self.split}"

    def lines(self) -> Iterable[str]:
        return _markdown(self)


def _markdown(report: MedecReport) -> Iterable[str]:
    made = report.made_with
    yield f"## medec, {report.split}: {report.notes} notes of {report.vignettes} vignettes"
    yield ""
    models = ", ".join(f"{role} `{name[:40]}`" for role, name in made["models"].items())
    yield f"{made['date']}, kgrag {made['kgrag']}, {made['machine']}; {models}."
    yield "With 95% bootstrap intervals. The weights of `fitted` are of the dev half."
    yield ""
    yield ("| judge | flagged | accuracy | precision | recall | sentence found | note and sentence"
           " right |")  # fmt: skip
    yield "|---|---|---|---|---|---|---|"
    for name, of in report.figures.items():
        cells = (of.flagged, of.accuracy, of.precision, of.recall, of.found, of.both)
        yield f"| {name} | {' | '.join(str(c) for c in cells)} |"
    yield ""
    for name, one in report.against.items():
        yield f"- accuracy of {name} minus always flagging: {one}"


def evaluate(
    notes: Sequence[MedecNote],
    judges: Mapping[str, Judge],
    *,
    split: str,
    models: Mapping[str, str],
    fitted_on: Mapping[str, Any],
    progress: Progress = SILENT,
) -> MedecReport:
    """Every judge over the notes; DataError without a note of either kind."""
    began = time.perf_counter()
    if len({n.wrong is None for n in notes}) < 2:
        raise DataError("the part needs notes with an error and notes without")
    said: dict[str, list[Said]] = {}
    for name, judge in judges.items():
        progress.stage(name, len(notes), "notes")
        said[name] = []
        for note in notes:
            said[name].append(judge(note))
            progress.advance()
    always = [0] * len(notes)
    kinds = sorted({n.kind for n in notes})
    return MedecReport(
        split,
        len(notes),
        len({n.vignette for n in notes}),
        {name: figures(notes, of) for name, of in said.items()},
        {name: {kind: _counts(notes, of, kind) for kind in kinds} for name, of in said.items()},
        {
            name: compare(right(notes, of), right(notes, always))
            for name, of in said.items()
            if not name.startswith("always")
        },
        fitted_on,
        made_with(models),
        round(time.perf_counter() - began, 1),
    )


def _counts(notes: Sequence[MedecNote], said: Sequence[Said], kind: str) -> tuple[int, int]:
    """How many notes of the kind were flagged, of how many."""
    of_kind = [s for n, s in zip(notes, said, strict=True) if n.kind == kind]
    return sum(s is not None for s in of_kind), len(of_kind)


def run(request: Request) -> MedecReport:
    """The report of ``kgrag eval medec --kb DIR``; SettingsError without a kb."""
    if request.kb is None:
        raise SettingsError("the suite 'medec' reads notes beside a kb", hint="give --kb DIR")
    from kgrag.engine import Engine

    every = load_notes(request.data)
    notes = [n for n in every if request.split in ("all", n.split)][: request.limit]
    dev = [n for n in every if n.split == "dev"]
    rate = sum(n.wrong is not None for n in dev) / max(1, len(dev))
    weights = MedecWeights.load()
    with Engine.open(request.kb) as engine:
        models = {"encoder": f"{engine.encoder.name}@{engine.encoder.sha256}"}
        if engine.model is not None:
            models["language model"] = f"{engine.model.name}@{engine.model.sha256}"
        judges = baselines(rate) | {
            "kgrag verify --note": checked(engine),
            "fitted": fitted(engine, weights),
        }
        return evaluate(
            notes,
            judges,
            split=request.split,
            models=models,
            fitted_on=weights.provenance,
            progress=request.progress,
        )
