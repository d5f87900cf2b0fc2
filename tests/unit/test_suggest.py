"""Suggested concepts and search lines over a small lexicon."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from kgrag.linking import Linker
from kgrag.linking.propose.base import Basis, Proposal
from kgrag.linking.propose.ngrams import load as load_ngrams
from kgrag.retrieval.concepts_index import build_concepts
from kgrag.stores.sql import open_truth
from kgrag.testing.lexicon import small_lexicon
from kgrag.vocabulary.search_lines import TERMS, block, names, search
from kgrag.vocabulary.suggest import Near, Suggestion, suggest
from kgrag_ingest.pipeline import ingest


@pytest.fixture
def linker(tmp_path: Path) -> Linker:
    return Linker(small_lexicon(tmp_path / "lexicon.sqlite"))


def one(name: str, *terms: str, id: str = "MESH:D000001", words: Sequence[str] = ()) -> Suggestion:
    return Suggestion(
        id=id, concept=id, name=name, type="disease", why="named", words=tuple(words), score=1.0,
        terms=(name, *terms), parents=(), narrower=(),
    )  # fmt: skip


def test_what_is_named_comes_in_the_order_of_the_text_with_its_neighbours(linker: Linker) -> None:
    found = suggest("Metformin or aspirin in type 2 diabetes, diabetes and Metformin", linker)
    assert [s.id for s in found.suggestions] == [
        "MESH:D008687", "MESH:D001241", "MESH:D003924", "MESH:D003920"
    ]  # fmt: skip
    assert {s.why for s in found.suggestions} == {"named"}
    metformin, _, second, first = found.suggestions
    assert metformin.words == ("Metformin",)
    assert second.parents == (Near("MESH:D003920", "Diabetes Mellitus"),)
    assert first.narrower == (Near("MESH:D003924", "Diabetes Mellitus, Type 2"),)
    assert first.terms == ("Diabetes Mellitus", "diabetes")


def test_ids_are_those_of_the_vocabulary_or_none(linker: Linker) -> None:
    text = "Colonoscopy in diabetes"
    found = suggest(text, linker)
    assert [s.id for s in found.suggestions] == ["MESH:D003920"]
    assert found.without_id == ("Colonoscopy",)
    assert [s.id for s in suggest(text, linker, vocabulary="DOID").suggestions] == ["DOID:9351"]
    every = suggest(text, linker, vocabulary=None)
    assert [s.id for s in every.suggestions] == ["KGRAG:colonoscopy", "MESH:D003920"]
    assert suggest("", linker).suggestions == ()
    assert len(suggest("aspirin, metformin, warfarin", linker, limit=2).suggestions) == 2


def test_what_stands_beside_it_in_a_kb_follows(linker: Linker, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(3):
        text = f"# Note {number}\n\nWarfarin and anemia were seen {number} times.\n"
        (folder / f"{number}.md").write_text(text)
    (folder / "once.md").write_text("# Once\n\nWarfarin with edema.\n")
    with open_truth(tmp_path / "kb", mode="write", create=True) as truth:
        ingest([folder], truth, linker)
        index = build_concepts(truth)
    found = suggest("Bleeding under warfarin", linker, beside=index).suggestions
    assert [(s.id, s.why) for s in found] == [
        ("MESH:D014859", "named"), ("MESH:D000740", "beside")
    ]  # fmt: skip
    assert found[1].words == () and found[1].score > 0
    # Only what is named is searched for.
    assert "nemia" not in search(found) and "warfarin" in search(found)


def test_a_misspelled_word_is_found_by_its_spelling(linker: Linker) -> None:
    found = suggest("metformine and warfarine", linker, spelled=load_ngrams(linker.lexicon))
    assert [(s.id, s.why, s.words) for s in found.suggestions] == [
        ("MESH:D008687", "spelling", ("metformine",)), ("MESH:D014859", "spelling", ("warfarine",))
    ]  # fmt: skip


class Unsure:
    """Proposes what the lexicon does not have, and what is hardly alike."""

    name, basis = "unsure", "spelling"

    def __init__(self) -> None:
        self.basis: Basis = "spelling"

    def propose(self, surfaces: Sequence[str], *, limit: int = 5) -> list[tuple[Proposal, ...]]:
        far = Proposal("MESH:D001241", "drug", "aspirin", 0.3, "spelling")
        gone = Proposal("MESH:D999999", "drug", "invented", 0.99, "spelling")
        return [(gone, far) for _ in surfaces]


def test_an_id_that_the_lexicon_lacks_is_never_told(linker: Linker) -> None:
    assert suggest("something unheard", linker, spelled=Unsure()).suggestions == ()


def test_a_block_asks_for_the_heading_and_for_names_in_titles() -> None:
    heart = one("Heart Failure", "cardiac failure", "failure, cardiac", "heart failure, congestive",
                "CHF", words=("weak heart",))  # fmt: skip
    assert block(heart) == (
        '("Heart Failure"[MeSH Terms] OR "heart failure"[tiab] OR "weak heart"[tiab]'
        ' OR "cardiac failure"[tiab])'
    )
    assert '"Heart Failure"[MeSH Terms:noexp]' in block(heart, explode=False)
    assert block(one("Syndrome X", id="MESH:C000001")).startswith(
        '("Syndrome X"[Supplementary Concept] OR '
    )
    assert block(one("Seizure", id="HP:0001250")) == '("seizure"[tiab])'
    assert block(one("ASA", id="HP:1")) == ""


def test_blocks_of_what_is_named_are_joined(linker: Linker) -> None:
    found = suggest("aspirin for heart failure", linker).suggestions
    line = search(found)
    assert line.count(" AND ") == 1
    assert '"Aspirin"[MeSH Terms]' in line and '"acetylsalicylic acid"[tiab]' in line
    assert search(()) == ""


def test_no_name_can_end_its_quotation() -> None:
    hostile = one('x" OR 1=1) [ti] (a*', "two, or, three", 'the "big" one')
    line = block(hostile)
    assert line.count('"') % 2 == 0
    assert re.fullmatch(r'\("[^"\[\]*()]+"\[MeSH Terms\](?: OR "[^"\[\]*()]+"\[tiab\])*\)', line), (
        line
    )
    assert "two" not in line


def test_many_names_are_cut() -> None:
    many = one("Alpha disease", *(f"name number{n}" for n in range(50)))
    assert len(names(many, TERMS)) == TERMS
    assert names(many, TERMS)[0] == "alpha disease"
