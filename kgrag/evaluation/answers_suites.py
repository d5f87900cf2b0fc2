"""The answer suites by name: how each benchmark of KGRAG_DATA is read as questions with answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from kgrag.errors import UnknownName, UnreadableFile
from kgrag.evaluation.answers import AnswerQuery, AnswerSuite, holds, lies_in, names, shares
from kgrag.evaluation.data import content, data_folder, records


def load_answer_suite(name: str, data: Path | None = None) -> AnswerSuite:
    """The suite ``name``, read from ``data`` or from the folder of KGRAG_DATA.

    UnknownName lists the known ones; SettingsError says what of the data is missing.
    """
    if name not in ANSWER_SUITES:
        raise UnknownName("answer suite", name, tuple(ANSWER_SUITES))
    folder = data_folder(data)
    try:
        return ANSWER_SUITES[name](folder)
    except (KeyError, TypeError, IndexError, ValueError) as error:
        # Its words may be those of a question.
        raise UnreadableFile(
            str(folder / "bench"),
            f"the data of {name} are of another form ({type(error).__name__})",
        ) from error


def cpgqa(folder: Path) -> AnswerSuite:
    """Questions to spans of a guideline; all of them are for reporting, none for developing."""
    rows = records(folder, "bench", "cpgqa", "qa.jsonl")
    return AnswerSuite(
        name="cpgqa-answers",
        queries=tuple(
            AnswerQuery.of(
                str(r["id"]), r["question"], [a["text"] for a in r["answers"]], split="test"
            )
            for r in rows
        ),
        right=holds,
        base="cpgqa",
        corpus=content(folder, "bench", "cpgqa", "corpus.jsonl"),
        recipe="cpgqa",
        notes=(
            "right: a quotation holds a gold span whole",
            "what stands beside the 96 passages of the guideline distracts; alone nothing does",
        ),
    )


def bioasq(folder: Path) -> AnswerSuite:
    """Factoid questions to the snippets of all questions."""
    rows = records(folder, "bench", "bioasq_golden", "questions.jsonl")
    queries = []
    for row in rows:
        if row["type"] == "factoid" and (gold := _exact(row.get("exact_answer"))):
            queries.append(AnswerQuery.of(row["id"], row["question"], gold))
    return AnswerSuite(
        name="bioasq-factoid",
        queries=tuple(queries),
        right=names,
        base="bioasq",
        corpus=content(folder, "bench", "bioasq_golden", "snippet_corpus.jsonl"),
        recipe="bioasq",
        notes=("right: a quotation has an exact answer, or one of its synonyms, as whole words",),
    )


def _exact(answer: Any) -> list[str]:
    """The names of an exact answer: a string, a list, or lists of synonyms."""
    if isinstance(answer, str):
        return [answer] if any(c.isalnum() for c in answer) else []
    if isinstance(answer, list):
        return [name for one in answer for name in _exact(one)]
    return []


def pubmedqa(folder: Path) -> AnswerSuite:
    """Questions that titles of articles ask, to all the abstracts without their conclusions.

    The authors' labels of sections are not in the kb: they are the gold.
    """
    rows = records(folder, "bench", "pubmedqa", "pqal_dev.jsonl")
    queries, corpus = [], []
    for row in rows:
        # One paragraph a section, as PubMed shows it, less its label.
        text = "\n\n".join(row["contexts"])
        corpus.append({"id": row["pmid"], "text": text})
        gold = [
            part
            for part, label in zip(row["contexts"], row["labels"], strict=True)
            if "RESULT" in label.upper() or "FINDING" in label.upper()
        ]
        if gold:
            queries.append(AnswerQuery.of(row["pmid"], row["question"], gold))
    return AnswerSuite(
        name="pubmedqa-evidence",
        queries=tuple(queries),
        right=lies_in,
        base="pubmedqa",
        corpus="".join(json.dumps(row) + "\n" for row in corpus).encode(),
        notes=(
            "right: a quotation stands in the results of the question's own abstract, by the"
            " authors' labels",
            f"{len(rows) - len(queries)} questions left out: no section is labelled as results",
        ),
    )


def evidence_inference(folder: Path) -> AnswerSuite:
    """Questions to trial reports, asked over all of them; give the kb that holds the reports."""
    rows = records(folder, "bench", "evidence_inference", "prompts_annotations.jsonl")
    queries = []
    for row in rows:
        held = folder / "corpora" / "jats" / f"{row['pmcid']}.nxml"
        gold = [a["evidence"] for a in row["annotations"] if a["evidence"].strip()]
        if gold and held.exists():
            text = (
                f"What is the effect of {row['intervention']} compared with {row['comparator']}"
                f" on {row['outcome']}?"
            )
            queries.append(AnswerQuery.of(str(row["prompt_id"]), text, gold, _by(row["pmcid"])))
    return AnswerSuite(
        name="evidence-inference",
        queries=tuple(queries),
        right=shares,
        notes=(
            "right: a quotation has three in five of the words of an annotated span, or is a part"
            " of it; only articles of corpora/jats",
            "questions of one article are in one half",
        ),
    )


def _by(article: str) -> Any:
    from kgrag.evaluation.suite import half

    return half(article)


ANSWER_SUITES: Final[Mapping[str, Callable[[Path], AnswerSuite]]] = {
    "cpgqa-answers": cpgqa,
    "bioasq-factoid": bioasq,
    "pubmedqa-evidence": pubmedqa,
    "evidence-inference": evidence_inference,
}
