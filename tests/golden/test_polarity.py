"""A hundred sentences of advice and denial: what each of them says, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from polarity_sentences import is_own, own_lexicon, read

from kgrag.linking import Linker
from kgrag_ingest.extract import extract

# Sentences that are not read as they should be, each without saying anything that is not so.
KNOWN = {
    "Zinc does not shorten the common cold and is not effective for pharyngitis.": (
        "the second clause has its subject in the first"
    ),
    "Primaquine is recommended for malaria only if g6pd deficiency has been ruled out.": (
        "'ruled out' behind the proviso is taken to deny malaria"
    ),
}


@pytest.fixture(scope="module")
def linker(tmp_path_factory: pytest.TempPathFactory) -> Linker:
    return Linker(own_lexicon(tmp_path_factory.mktemp("polarity") / "lexicon.sqlite"))


SENTENCES = read()[1]


def test_there_are_a_hundred() -> None:
    assert len({s.text for s in SENTENCES}) == 100


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda s: s.text[:50])
def test_a_sentence_says_what_it_says(sentence, linker: Linker) -> None:  # type: ignore[no-untyped-def]
    found = extract(sentence.document(), linker.link(sentence.text)).assertions
    problems = sentence.problems(found, is_own)
    assert not any(p.startswith("said") for p in problems)
    # A known miss that is read is to be taken off the list.
    assert bool(problems) == (sentence.text in KNOWN), problems


def test_the_judgement_sees_what_is_missing_and_what_is_too_much(linker: Linker) -> None:
    sentence = next(s for s in SENTENCES if s.text.startswith("Avoid metformin"))
    (found,) = extract(sentence.document(), linker.link(sentence.text)).assertions
    assert sentence.problems([found], is_own) == ()
    assert [p.split()[0] for p in sentence.problems([], is_own)] == ["missed"]
    other = next(s for s in SENTENCES if s.text.startswith("Avoid dehydration"))
    assert [p.split()[0] for p in other.problems([found], is_own)] == ["said"]


def test_the_file_names_every_end(tmp_path: Path) -> None:
    names = set(read()[0])
    assert {end for s in SENTENCES for e in s.edges for end in (e.subject, e.object)} <= names
