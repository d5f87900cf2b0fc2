"""What is asked, and within which limits the answer is to be given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from kgrag.errors import BadQuestion

Choice = Literal["rerank", "model"]
Mode = Literal["quote", "fluent"]
Wider = Literal["bridge", "passages", "graph", "hypotheses"]


_ISO: Final = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


@dataclass(frozen=True, slots=True)
class Selection:
    """What may be found for a question, and how the list is trimmed. The default lets all through.

    Names are compared without regard to case; of several of one kind, any may fit. ``since`` and
    ``until`` are ISO dates (a year or a month will do): a document dated too coarsely to tell is
    let through, one without a date is not. ``grades`` keeps the passages that hold a recommendation
    so graded: as printed ("B"), with its system ("USPSTF:B"), or as normalised ("strong").
    ``age`` (years) and ``sex`` leave out passages whose recommendations are all for other people.

    ``prefer`` names collections or publishers (one's own hospital, say): among the passages that
    are about as good as the best, theirs come first. ``cutoff``, in [0, 1], leaves out what stands
    out from the average candidate by less than that share of what the best passage does. At most
    ``per_document`` passages of a document are listed, and with ``repeats`` also passages of the
    same words as one before them.
    """

    collections: tuple[str, ...] = ()
    publishers: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    grades: tuple[str, ...] = ()
    age: float | None = None
    sex: Literal["female", "male"] | None = None
    prefer: tuple[str, ...] = ()
    cutoff: float = 0.0
    per_document: int | None = None
    repeats: bool = False

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            value = getattr(self, name)
            if value is not None and not _ISO.fullmatch(value):
                raise ValueError(f"{name} is no ISO date: {value!r}")
        if self.since and self.until and self.until < self.since[: len(self.until)]:
            raise ValueError(f"nothing is both since {self.since} and until {self.until}")
        if self.age is not None and not 0 <= self.age <= 130:
            raise ValueError("age is in years, from 0 to 130")
        if self.sex not in (None, "female", "male"):
            raise ValueError("sex is female or male")
        if not 0.0 <= self.cutoff <= 1.0:
            raise ValueError("cutoff must be in [0, 1]")
        if self.per_document is not None and self.per_document < 1:
            raise ValueError("per_document must be 1 or more")


def selection(values: Mapping[str, Any]) -> Selection:
    """The selection of plain values, as a command or a request gives them; BadQuestion says why
    they are none."""
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    try:
        return Selection(**plain)
    except (TypeError, ValueError) as error:
        raise BadQuestion(str(error)) from error


@dataclass(frozen=True, slots=True)
class AskOptions:
    """The limits of one answer.

    ``statements`` and ``words`` bound the answer: at most so many statements of at most so many
    words each. ``passages`` is how many retrieved passages feed the context in the first round;
    further rounds, when that does not suffice, look wider in the ways of ``widen`` and in their
    order, each once, up to ``rounds`` in all for a question or a part of it.
    ``choice`` says who orders the statements: the reranker, or the language model through its
    token trie; None is what the settings say. ``threshold`` replaces the fitted least confidence,
    in [0, 1], below which the answer is an abstention. ``selection`` says what may be cited.
    ``mode`` is "quote" for quotations only; "fluent" lets the language model write sentences, each
    checked against its quotation and replaced by it when a check fails. After ``seconds`` no
    further round is begun; None sets no limit.
    """

    statements: int = 3
    words: int = 60
    passages: int = 20
    rounds: int = 3
    widen: tuple[Wider, ...] = ("bridge", "passages")
    choice: Choice | None = None
    threshold: float | None = None
    selection: Selection = Selection()
    mode: Mode = "quote"
    seconds: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.statements <= 50:
            raise ValueError("statements must be from 1 to 50")
        if not 5 <= self.words <= 1000:
            raise ValueError("words must be from 5 to 1000")
        if not 1 <= self.passages <= 200:
            raise ValueError("passages must be from 1 to 200")
        if not 1 <= self.rounds <= 5:
            raise ValueError("rounds must be from 1 to 5")
        if self.seconds is not None and not self.seconds > 0:
            raise ValueError("seconds must be more than 0")
        if self.mode not in ("quote", "fluent"):
            raise ValueError("mode is quote or fluent")
        if not set(self.widen) <= {"bridge", "passages", "graph", "hypotheses"}:
            raise ValueError("widen names bridge, passages, graph or hypotheses")
        if self.threshold is not None and not 0.0 <= self.threshold <= 1.0:
            raise ValueError("threshold must be in [0, 1]")
