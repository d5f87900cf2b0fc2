"""The suites by name: how each benchmark of KGRAG_DATA is read, and what of it is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from kgrag.errors import UnknownName, UnreadableFile
from kgrag.evaluation.data import content, data_folder, graded, lines, parsed, records
from kgrag.evaluation.patients import patients
from kgrag.evaluation.suite import Query, Suite, merged


def load_suite(name: str, data: Path | None = None) -> Suite:
    """The suite ``name``, read from ``data`` or from the folder of KGRAG_DATA.

    A part of a suite is named after it: ``bioasq-10`` is one year, ``bioasq-10B2`` one batch.
    UnknownName lists the known ones; SettingsError says what of the data is missing.
    """
    if name not in SUITES:
        raise UnknownName("suite", name, tuple(SUITES))
    folder = data_folder(data)
    try:
        return SUITES[name](folder)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        # Its words may be those of a question.
        raise UnreadableFile(
            str(folder / "bench"),
            f"the data of {name} are of another form ({type(error).__name__})",
        ) from error


def scifact(folder: Path) -> Suite:
    """Claims to the abstracts that support or contradict them."""
    corpus = content(folder, "bench", "scifact", "corpus.jsonl")
    qrels = graded(content(folder, "bench", "scifact", "qrels", "train.tsv"), "qrels/train.tsv")
    claims = records(folder, "bench", "scifact", "claims_train.jsonl")
    known = frozenset(str(r["_id"]) for r in parsed(corpus, "scifact/corpus.jsonl"))
    return Suite(
        name="scifact",
        queries=tuple(Query.of(str(c["id"]), c["claim"]) for c in claims if str(c["id"]) in qrels),
        qrels=qrels,
        known=known,
        base="scifact",
        corpus=corpus,
        recipe="scifact",
    )


def bioasq(folder: Path, part: str = "") -> Suite:
    """Questions to the snippets that experts marked for them; snippets of equal text are one.

    ``part`` is a year (``10``) or a batch (``10B2``); years are the groups.
    """
    corpus = content(folder, "bench", "bioasq_golden", "snippet_corpus.jsonl")
    rows = parsed(corpus, "bioasq_golden/snippet_corpus.jsonl")
    texts = {r["_id"]: r["text"] for r in rows}
    qrels = graded(content(folder, "bench", "bioasq_golden", "qrels.tsv"), "bioasq/qrels.tsv")
    same, joined = merged(texts, qrels)
    queries = tuple(
        Query.of(r["id"], r["question"], group=f"year {_year(r['batch'])}")
        for r in records(folder, "bench", "bioasq_golden", "questions.jsonl")
        if r["id"] in joined and part in ("", r["batch"], _year(r["batch"]))
    )
    return Suite(
        name=f"bioasq-{part}" if part else "bioasq",
        queries=queries,
        qrels=joined,
        known=frozenset(texts) - frozenset(same),
        base="bioasq",
        corpus=corpus,
        recipe="bioasq",
        same=same,
        notes=(f"{len(same)} snippets have the text of another one and count as it",),
    )


def _year(batch: str) -> str:
    return batch.partition("B")[0]


def liveqa(folder: Path, form: str) -> Suite:
    """Consumer questions to graded answers (0 to 3); equal rows of the corpus are one.

    ``form`` is ``summary`` (an editor's short question) or ``message`` (what the person wrote).
    """
    rows = records(folder, "bench", "medquad_liveqa_ir", "corpus.jsonl")
    texts = {r["_id"]: r["text"] for r in rows}
    raw = graded(
        content(folder, "bench", "medquad_liveqa_ir", "qrels.tsv"), "medquad_liveqa_ir/qrels.tsv"
    )
    same, qrels = merged(texts, {f"TQ{question}": grades for question, grades in raw.items()})
    queries = tuple(
        Query.of(r["_id"], r[form][0])
        for r in records(folder, "bench", "medquad_liveqa_ir", "questions.jsonl")
        if any(grade > 0 for grade in qrels.get(r["_id"], {}).values())
    )
    return Suite(
        name=f"liveqa-{form}",
        queries=queries,
        qrels=qrels,
        known=frozenset(texts) - frozenset(same),
        base="liveqa",
        corpus=lines([_answer(i, text) for i, text in texts.items() if i not in same]),
        same=same,
        notes=(
            f"{len(rows) - len(texts) + len(same)} rows repeat another one and count as it",
            f"{len(qrels) - len(queries)} questions have no answer with a grade above 0",
        ),
    )


def _answer(identifier: str, text: str) -> dict[str, str]:
    question, _, rest = text.partition("\nURL:")
    url, _, answer = rest.partition("\nAnswer:")
    return {
        "id": identifier,
        "title": question.removeprefix("Question:").strip(),
        "text": answer.strip(),
        "url": url.strip(),
    }


def cpgqa(folder: Path) -> Suite:
    """Questions to the passage of a guideline. Give a kb that holds distractors beside it."""
    corpus = content(folder, "bench", "cpgqa", "corpus.jsonl")
    known = frozenset(str(r["_id"]) for r in parsed(corpus, "cpgqa/corpus.jsonl"))
    rows = records(folder, "bench", "cpgqa", "qa.jsonl")
    return Suite(
        name="cpgqa",
        queries=tuple(Query.of(str(r["id"]), r["question"]) for r in rows),
        qrels={str(r["id"]): {str(r["context_id"]): 1} for r in rows},
        known=known,
        primary="R@1",
        base="cpgqa",
        corpus=corpus,
        recipe="cpgqa",
        notes=(
            "what stands beside the 96 passages of the guideline distracts; alone nothing does",
        ),
    )


def medquad(folder: Path) -> Suite:
    """Questions to their own answer; neither the question nor its topic is in the corpus.

    A question that is asked of several answers counts once, and any of them is right.
    """
    rows = records(folder, "corpora", "medquad", "qa_with_answers.jsonl")
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row["answer"], medquad_id(row))
    corpus = [{"id": identifier, "text": answer} for answer, identifier in first.items()]
    # A few ids name two answers each: the first one stands for itself and is not asked about.
    seen: dict[str, int] = {}
    for record in corpus:
        seen[record["id"]] = seen.get(record["id"], 0) + 1
    twice = {identifier for identifier, n in seen.items() if n > 1}
    corpus = list({record["id"]: record for record in reversed(corpus)}.values())[::-1]
    questions: dict[str, tuple[str, str]] = {}
    qrels: dict[str, dict[str, int]] = {}
    dropped = 0
    for row in rows:
        if first[row["answer"]] in twice or medquad_id(row) in twice:
            dropped += 1
            continue
        text = " ".join(row["question"].split())
        identifier, _ = questions.setdefault(text, (medquad_id(row), text))
        qrels.setdefault(identifier, {})[first[row["answer"]]] = 1
    return Suite(
        name="medquad",
        queries=tuple(Query.of(identifier, text) for identifier, text in questions.values()),
        qrels=qrels,
        known=frozenset(seen),
        primary="S@1",
        base="medquad",
        corpus=lines(corpus),
        notes=(
            f"{len(rows) - dropped - len(questions)} repeats of a question count with the first",
            f"{dropped} rows left out: {len(twice)} ids name two answers each",
        ),
    )


def medquad_id(row: Mapping[str, Any]) -> str:
    """The id of a row of MedQuAD, unique but for a few."""
    return f"{row['source']}.{row['id']}"


_YEARS: Final = ("7", "8", "9", "10")
_BATCHES: Final = tuple(
    f"{year}B{at}" for year in _YEARS for at in range(1, 7 if year == "10" else 6)
)


def _part(part: str) -> Callable[[Path], Suite]:
    return lambda folder: bioasq(folder, part)


SUITES: Final[Mapping[str, Callable[[Path], Suite]]] = {
    "scifact": scifact,
    "bioasq": bioasq,
    **{f"bioasq-{part}": _part(part) for part in (*_YEARS, *_BATCHES)},
    "liveqa-summary": lambda folder: liveqa(folder, "summary"),
    "liveqa-message": lambda folder: liveqa(folder, "message"),
    "cpgqa": cpgqa,
    "medquad": medquad,
    "patients": patients,
}
