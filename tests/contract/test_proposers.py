"""Every proposer keeps the contract, and proposals are accepted by agreement alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kgrag.encoding.hashing import HashingEncoder
from kgrag.errors import MissingModel, UnknownName
from kgrag.linking import Linker
from kgrag.linking.learned import Learned
from kgrag.linking.propose import Proposal, Proposer, agreed, entries, load_proposer, resolver
from kgrag.linking.propose.embedding import EmbeddingProposer
from kgrag.testing.lexicon import small_lexicon
from kgrag.testing.linker_contract import ProposerContract
from kgrag.vocabulary.lexicon import Lexicon


class TestNgrams(ProposerContract):
    def make(self, lexicon: Lexicon) -> Proposer:
        return load_proposer("ngrams", lexicon)


class TestEmbeddingHashing(ProposerContract):
    def make(self, lexicon: Lexicon) -> Proposer:
        return EmbeddingProposer(HashingEncoder(), entries(lexicon))


@pytest.mark.models
class TestEmbeddingMiniLM(ProposerContract):
    def make(self, lexicon: Lexicon) -> Proposer:
        return load_proposer("embedding", lexicon)


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lexicon]:
    path: Path = tmp_path_factory.mktemp("lexicon") / "lexicon.sqlite"
    with small_lexicon(path) as lexicon:
        yield lexicon


def test_every_proposer_is_tested_or_needs_a_download() -> None:
    assert set(resolver.names()) == {"ngrams", "embedding", "hub"}


@pytest.mark.models
def test_a_hub_model_that_is_not_here_is_named_and_not_fetched(lexicon: Lexicon) -> None:
    with pytest.raises(MissingModel, match="nobody/no-such-linker"):
        load_proposer("hub:nobody/no-such-linker", lexicon)


def test_an_unknown_proposer_lists_the_known(lexicon: Lexicon) -> None:
    with pytest.raises(UnknownName, match="ngrams"):
        load_proposer("oracle", lexicon)


def _spelled(concept: str, score: float = 0.9) -> Proposal:
    return Proposal(concept, "disease", "name", score, "spelling")


def _meant(concept: str, score: float = 0.9) -> Proposal:
    return Proposal(concept, "disease", "name", score, "meaning")


def test_what_agrees() -> None:
    assert agreed([_spelled("A:1"), _spelled("A:1")], named=()) is None
    assert agreed([_meant("A:1", 1.0), _meant("A:1", 1.0)], named={"A:1"}) is None
    assert agreed([_spelled("A:1"), _meant("A:2")], named=()) is None
    assert agreed([_spelled("A:1", 0.5), _meant("A:1")], named=()) is None
    assert agreed([_spelled("A:1"), _meant("A:1", 0.5)], named=()) is None
    assert agreed([_spelled("A:1"), _meant("A:1")], named=()) == _spelled("A:1")
    assert agreed([_spelled("A:1"), _spelled("A:2", 0.8)], named={"A:2"}) == _spelled("A:2", 0.8)
    assert agreed([_spelled("A:1")], named=(), short_form={"A:1"}) == _spelled("A:1")


def test_a_misspelled_name_is_linked_where_the_document_names_it(lexicon: Lexicon) -> None:
    linker = Linker(lexicon, Learned(), proposers=[load_proposer("ngrams", lexicon)])
    text = "Hypertension is common. Hypertensions were seen; hypertenssion was treated."
    found = [(m.text, m.concept) for m in linker.link(text)]
    assert ("hypertenssion", "MESH:D006973") in found
    (mention,) = [m for m in linker.link(text) if m.text == "hypertenssion"]
    assert mention.score < 0.6
    assert linker.link("Only hypertenssion was treated.") == ()


def test_a_long_form_is_linked_by_its_short_form(lexicon: Lexicon) -> None:
    linker = Linker(lexicon, Learned(), proposers=[load_proposer("ngrams", lexicon)])
    found = linker.link("They took acetylsalicilic acid (ASA). ASA was stopped.")
    assert [(m.text, m.concept) for m in found] == [
        ("acetylsalicilic acid", "MESH:D001241"),
        ("ASA", "MESH:D001241"),
        ("ASA", "MESH:D001241"),
    ]
