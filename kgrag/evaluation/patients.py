"""Simulated patients: findings to what a corpus says about the diagnosis that is never named.

The question is what a doctor has in hand: history, symptoms, examination, tests. The hidden
diagnosis and the topics of the answers are linked to concepts; an answer is right when its topic
is the diagnosis, by one id or by ids that the lexicon holds for the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from kgrag.evaluation.data import records
from kgrag.evaluation.suite import Query, Split, Suite, flat
from kgrag.linking import Linker
from kgrag.linking.normalise import fold
from kgrag.vocabulary.lexicon import Lexicon

# A question may have this many characters (``kgrag.retrieval.asked``); longer cases are cut.
LONGEST: Final = 4000

# What of a case is read, in this order; the diagnosis, what was done about it and the objective
# that the actor's doctor is given are not.
_PATIENT: Final = ("Demographics", "History", "Symptoms", "Past_Medical_History", "Social_History",
                   "Family_History", "Current_Medications", "Medications", "Drug_History",
                   "Review_of_Systems")  # fmt: skip
_FINDINGS: Final = ("Physical_Examination_Findings", "Test_Results")


class Same:
    """Whether names mean the same concept, by the lexicon; nothing is guessed."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon, self._linker = lexicon, Linker(lexicon)

    def concepts(self, names: Iterable[str]) -> frozenset[str]:
        """The concepts that one of ``names`` wholly names, with all their other ids.

        A mention inside of a name does not count: "hip dislocation" is not "posterior hip
        dislocation".
        """
        found: set[str] = set()
        for name in names:
            for variant in variants(name):
                for mention in self._linker.link(variant):
                    if mention.text.casefold() == variant.casefold():
                        found |= self.ids(mention.concept)
        return frozenset(found)

    def ids(self, curie: str) -> frozenset[str]:
        """The concept with its other ids."""
        return frozenset({curie, *self._lexicon.equivalents(curie)})

    def named_in(self, text: str, concepts: frozenset[str], names: Iterable[str]) -> bool:
        """Whether ``text`` says one of ``names``, a name of ``concepts``, or mentions one."""
        folded = f" {_words(text)} "
        said = set(names)
        for curie in concepts:
            if curie in self._lexicon:
                concept = self._lexicon.concept(curie)
                said.update((concept.name, *concept.synonyms))
        if any(f" {_words(name)} " in folded for name in said if len(_words(name)) > 2):
            return True
        return any(m.concept in concepts for m in self._linker.link(text))


def variants(name: str) -> tuple[str, ...]:
    """The name, it without what stands in brackets, and what stands in them."""
    bare = re.sub(r"\s*\([^)]*\)", "", name).strip(" .")
    inner = [part.strip(" .") for part in re.findall(r"\(([^)]*)\)", name)]
    return tuple(dict.fromkeys(v for v in (name.strip(" ."), bare, *inner) if v))


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", fold(text).text))


def case_text(case: Mapping[str, Any]) -> str:
    """What is in hand of a case, in sentences, at most ``LONGEST`` characters."""
    patient = case["Patient_Actor"]
    parts = [
        f"{key.replace('_', ' ')}: {flat(patient[key])}" for key in _PATIENT if patient.get(key)
    ]
    parts += [f"{key.replace('_', ' ')}: {flat(case[key])}" for key in _FINDINGS if case.get(key)]
    text = ". ".join(part.rstrip(". ") for part in parts) + "."
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rpartition(" ")[0]


def patients(folder: Path, lexicon: Lexicon | None = None) -> Suite:
    """Cases with an answer about their diagnosis; those of the first file are the ``dev`` half.

    The corpus is that of ``medquad``. Linked with ``lexicon``, or with the default one.
    """
    from kgrag.evaluation.suites import medquad, medquad_id

    corpus = medquad(folder)
    same = Same(lexicon or Lexicon.open())
    first: dict[str, str] = {}
    topics: dict[str, set[str]] = {}
    for row in records(folder, "corpora", "medquad", "qa_with_answers.jsonl"):
        identifier = first.setdefault(row["answer"], medquad_id(row))
        focus = row.get("focus") or ""
        cuis = (f"UMLS:{cui}" for cui in row.get("cui") or () if cui)
        for concept in {*cuis, *same.concepts([focus])}:
            topics.setdefault(concept, set()).add(identifier)
    cases = records(folder, "bench", "agentclinic", "agentclinic_medqa_extended.jsonl")
    before = records(folder, "bench", "agentclinic", "agentclinic_medqa.jsonl")
    tuned_on = [case["OSCE_Examination"]["Patient_Actor"] for case in before]
    queries: list[Query] = []
    qrels: dict[str, dict[str, int]] = {}
    unlinked = named = without = cut = 0
    for number, row in enumerate(cases):
        case = row["OSCE_Examination"]
        names = variants(flat(case["Correct_Diagnosis"]))
        concepts = same.concepts(names)
        if not concepts:
            unlinked += 1
            continue
        gold = {d for concept in concepts for d in topics.get(concept, ())} & corpus.known
        if not gold:
            without += 1
            continue
        text = case_text(case)
        if same.named_in(text, concepts, names):
            named += 1
            continue
        cut += len(text) >= LONGEST - 40
        split: Split = "dev" if case["Patient_Actor"] in tuned_on else "test"
        queries.append(Query(f"case-{number}", text, split))
        qrels[f"case-{number}"] = dict.fromkeys(sorted(gold), 1)
    return Suite(
        name="patients",
        queries=tuple(queries),
        qrels=qrels,
        known=corpus.known,
        primary="R@10",
        base=corpus.base,
        corpus=corpus.corpus,
        notes=(
            f"{len(cases)} cases; left out: {unlinked} with a diagnosis that is no whole name of a"
            f" concept, {without} without an answer about it, {named} that name it",
            f"{cut} cases are cut at {LONGEST} characters",
        ),
    )
