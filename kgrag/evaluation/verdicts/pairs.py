"""Pairs of a statement and its evidence, judged by people; how each suite of them is read."""

from __future__ import annotations

import ast
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from kgrag.errors import UnknownName, UnreadableFile
from kgrag.evaluation.data import content, data_folder, parsed, records
from kgrag.evaluation.suite import Split, half

Gold = Literal["supported", "contradicted", "not_enough_info", "unsupported"]
"""``unsupported`` is what must not be called supported, be it contradicted or not covered."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A statement, the texts it is held against, and what people said.

    ``group`` is the same for all pairs that share a claim or a document, directly or over others;
    a group lies in one half, and intervals draw groups.
    """

    id: str
    statement: str
    evidence: tuple[str, ...]
    gold: Gold
    group: str
    split: Split
    kind: str = ""


@dataclass(frozen=True, slots=True)
class PairSuite:
    """The pairs of a suite; ``labels`` are the verdicts that its people gave."""

    name: str
    pairs: tuple[Pair, ...]
    labels: tuple[Gold, ...]
    notes: tuple[str, ...] = ()

    def of(self, split: Literal["dev", "test", "all"], limit: int | None = None) -> PairSuite:
        """The pairs of one half, at most about ``limit`` of them, in whole groups."""
        kept = [p for p in self.pairs if split in ("all", p.split)]
        if limit is not None and limit < len(kept):
            by_group: dict[str, list[Pair]] = {}
            for pair in kept:
                by_group.setdefault(pair.group, []).append(pair)
            chosen: set[str] = set()
            count = 0
            for group in sorted(by_group, key=lambda g: (zlib.crc32(b"limit" + g.encode()), g)):
                if count + len(by_group[group]) > limit and count:
                    continue
                chosen.add(group)
                count += len(by_group[group])
            kept = [p for p in kept if p.group in chosen]
        return replace(self, pairs=tuple(kept))


def load_pairs(name: str, data: Path | None = None) -> PairSuite:
    """The suite ``name``, from ``data`` or the folder of KGRAG_DATA.

    UnknownName lists the known ones; SettingsError says what of the data is missing.
    """
    if name not in SUITES:
        raise UnknownName("verdict suite", name, tuple(SUITES))
    folder = data_folder(data)
    try:
        return SUITES[name](folder)
    except (KeyError, TypeError, IndexError, ValueError, SyntaxError) as error:
        raise UnreadableFile(
            str(folder / "bench"),
            f"the data of {name} are of another form ({type(error).__name__})",
        ) from error


Row = tuple[str, str, tuple[str, ...], Gold, tuple[str, ...], str]
"""id, statement, evidence, gold, what it shares with others, kind."""


def grouped(rows: Sequence[Row]) -> tuple[Pair, ...]:
    """Pairs with their groups: connected by what they share; the half follows the group's name."""
    leader: dict[str, str] = {}

    def find(key: str) -> str:
        leader.setdefault(key, key)
        while leader[key] != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    for identifier, _, _, _, shares, _ in rows:
        for key in shares:
            # The least name leads, so that the order of rows changes nothing.
            one, other = sorted((find(f"id {identifier}"), find(f"of {key}")))
            leader[other] = one
    return tuple(
        Pair(identifier, statement, evidence, gold, group, half(group), kind)
        for identifier, statement, evidence, gold, _, kind in rows
        for group in (find(f"id {identifier}"),)
    )


_SCIFACT: Final[Mapping[str, Gold]] = {"SUPPORT": "supported", "CONTRADICT": "contradicted"}


def scifact(folder: Path) -> PairSuite:
    """Scientific claims against each abstract that was cited for them, title before."""
    corpus = parsed(content(folder, "bench", "scifact", "corpus.jsonl"), "scifact/corpus.jsonl")
    texts = {str(r["_id"]): f"{r['title']}\n{r['text']}" for r in corpus}
    rows: list[Row] = []
    for claim in records(folder, "bench", "scifact", "claims_train.jsonl"):
        for document in dict.fromkeys(str(d) for d in claim["cited_doc_ids"]):
            labels = {_SCIFACT[e["label"]] for e in claim["evidence"].get(document, ())}
            if len(labels) > 1:
                raise ValueError("a claim with two labels")
            gold: Gold = labels.pop() if labels else "not_enough_info"
            identifier = f"{claim['id']}-{document}"
            shares = (f"claim {claim['id']}", f"document {document}")
            rows.append((identifier, claim["claim"], (texts[document],), gold, shares, ""))
    return PairSuite("scifact-verdicts", grouped(rows), THREE)


_HEALTHVER: Final[Mapping[str, Gold]] = {
    "Supports": "supported", "Refutes": "contradicted", "Neutral": "not_enough_info",
}  # fmt: skip


def healthver(folder: Path) -> PairSuite:
    """Claims of the public about COVID-19 against pieces of abstracts.

    Pairs under one question share its evidence and paraphrase its claims: they are one group.
    """
    rows: list[Row] = []
    for at, row in enumerate(records(folder, "bench", "healthver", "dev.jsonl")):
        shares = (row["question"], row["evidence"], " ".join(row["claim"].casefold().split()))
        gold = _HEALTHVER[row["label"]]
        rows.append(
            (f"{row['id']}-{at}", row["claim"].strip(), (row["evidence"],), gold, shares, "")
        )
    return PairSuite("healthver", grouped(rows), THREE)


_NLI4CT: Final[Mapping[str, Gold]] = {"Entailment": "supported", "Contradiction": "contradicted"}


def nli4ct(folder: Path) -> PairSuite:
    """Statements about one section of one or two trial records; both published parts together.

    Every line is a sentence; the second trial's lines are told as of the secondary trial.
    """
    trials = {r["Clinical Trial ID"]: r for r in records(folder, "bench", "nli4ct", "trials.jsonl")}
    rows: list[Row] = []
    for part in ("train", "dev"):
        for row in records(folder, "bench", "nli4ct", f"{part}.jsonl"):
            named = [(row["Primary_id"], "Primary trial")]
            if row.get("Secondary_id"):
                named.append((row["Secondary_id"], "Secondary trial"))
            evidence = tuple(
                "\n".join((f"{title}.", *(x.strip() for x in trials[trial][row["Section_id"]])))
                for trial, title in named
            )
            shares = tuple(trial for trial, _ in named)
            gold = _NLI4CT[row["Label"]]
            rows.append((row["id"], row["Statement"], evidence, gold, shares, row["Type"].lower()))
    return PairSuite("nli4ct", grouped(rows), ("supported", "contradicted"))


def medhallu(folder: Path) -> PairSuite:
    """The true answer and the made-up one to a question, each against the abstract it is from."""
    rows: list[Row] = []
    for at, row in enumerate(records(folder, "bench", "medhallu", "medhallu_labeled.jsonl")):
        # Lists as Python prints them, of NumPy strings side by side without commas.
        joined = row["Knowledge"].strip().removeprefix("[").removesuffix("]")
        pieces = tuple(_pieces(joined)) or (row["Knowledge"],)
        for name, field, gold in (
            ("true", "Ground Truth", "supported"),
            ("made-up", "Hallucinated Answer", "unsupported"),
        ):
            told: Gold = "supported" if gold == "supported" else "unsupported"
            kind = row["Difficulty Level"]
            rows.append((f"{at}-{name}", row[field], pieces, told, (row["Question"],), kind))
    return PairSuite(
        "medhallu",
        grouped(rows),
        ("supported", "unsupported"),
        ("two answers to each question: calling all made-up has F1 0.667",),
    )


def _pieces(joined: str) -> Iterable[str]:
    """The Python string literals that stand one after the other in ``joined``."""
    for line in joined.split("\n"):
        text = line.strip()
        if text:
            value = ast.literal_eval(text)
            if not isinstance(value, str):
                raise ValueError("not a string")
            yield value


THREE: Final[tuple[Gold, ...]] = ("supported", "contradicted", "not_enough_info")

SUITES: Final[Mapping[str, Callable[[Path], PairSuite]]] = {
    "scifact-verdicts": scifact,
    "healthver": healthver,
    "nli4ct": nli4ct,
    "medhallu": medhallu,
}


def own_pairs(path: Path) -> PairSuite:
    """Pairs of a file: ``{"id","statement","evidence","verdict"}`` a line.

    ``evidence`` is a text or a list of texts. UnreadableFile names the line that is wrong.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UnreadableFile(str(path), error.strerror or "it cannot be read") from error
    rows: list[Row] = []
    seen: set[str] = set()
    labels: set[Gold] = set()
    for number, row in enumerate(parsed(raw, str(path)), 1):
        rows.append(_own(row, f"{path}, record {number}"))
        if rows[-1][0] in seen:
            raise UnreadableFile(f"{path}, record {number}", "its id is there twice")
        seen.add(rows[-1][0])
        labels.add(rows[-1][3])
    if not rows:
        raise UnreadableFile(str(path), "it has no lines")
    order: tuple[Gold, ...] = (*THREE, "unsupported")
    return PairSuite(path.stem, grouped(rows), tuple(v for v in order if v in labels))


def _own(row: Mapping[str, Any], origin: str) -> Row:
    identifier, statement, gold = row.get("id"), row.get("statement"), row.get("verdict")
    evidence = row.get("evidence")
    texts = [evidence] if isinstance(evidence, str) else evidence
    if not isinstance(identifier, str | int) or isinstance(identifier, bool):
        raise UnreadableFile(origin, "id is missing")
    if not isinstance(statement, str) or not statement.strip():
        raise UnreadableFile(origin, "statement is missing")
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise UnreadableFile(origin, "evidence is no text and no list of texts")
    if gold not in (*THREE, "unsupported"):
        raise UnreadableFile(origin, f"verdict is none of {', '.join((*THREE, 'unsupported'))}")
    shares = (" ".join(statement.casefold().split()), *(json.dumps(t) for t in texts))
    return str(identifier), statement, tuple(texts), gold, shares, ""
