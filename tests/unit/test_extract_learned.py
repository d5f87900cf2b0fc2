"""What the learned weights make of titles and abstracts, with weights made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mentions_by_hand import mentions

from kgrag.errors import SettingsError
from kgrag.records.assertions import Assertion
from kgrag.records.text import Block, Document, Section, Source
from kgrag.sentences import sentences
from kgrag_ingest.extract import extract
from kgrag_ingest.extract.induced import pairs
from kgrag_ingest.extract.learned import (
    RULE,
    Weights,
    abstract,
    read_abstract,
    read_weights,
    weights,
)
from kgrag_ingest.extract.rules import rules

# "after" between disease and chemical speaks for it; "and" does so less.
WEIGHTS = Weights({"D..C between: after": 3.0, "C..D between: and": 1.0}, 0.0, 0.0, 2.0)


def document(*paragraphs: str, reader: str = "medline/1") -> Document:
    text = "\n\n".join(paragraphs)
    blocks, at = [], 0
    for words in paragraphs:
        blocks.append(Block("heading" if not at else "paragraph", at, at + len(words)))
        at += len(words) + 2
    return Document(
        "doc_x", Source("c", "x"), "x", "text/plain", "0" * 64, reader, text,
        blocks=tuple(blocks), sections=(Section(paragraphs[0], 1, 0, len(text)),),
    )  # fmt: skip


def read(*paragraphs: str, reader: str = "medline/1") -> list[Assertion]:
    made = document(*paragraphs, reader=reader)
    return read_abstract(made, mentions(made.text), rules(), WEIGHTS)[0]


def test_an_edge_opens_to_the_sentence_that_speaks_for_it() -> None:
    (found,) = read(
        "Aspirin and fever",
        "Fever and aspirin were looked at. Fever came after aspirin. Aspirin, then fever.",
    )
    (evidence,) = found.evidence
    assert (found.subject, found.predicate, found.object) == ("X:aspirin", "causes", "X:fever")
    assert (found.tier, found.certainty, evidence.rule) == ("asserted", "probable", RULE)
    assert evidence.quote == "Fever came after aspirin."


def test_below_the_threshold_it_is_a_candidate_and_without_a_speaking_sentence_nothing() -> None:
    (found,) = read("A case", "Aspirin and fever were reported. Possible causes are many.")
    assert found.tier == "candidate"
    assert not read("A case", "Aspirin with fever was reported.")
    assert not read("A case", "Aspirin was given. Fever was seen.")


@pytest.mark.parametrize(
    "said",
    [
        "Fever was not seen after aspirin.",
        "It is unclear whether fever after aspirin occurs.",
        "Fever without cough, after aspirin.",
        "Fever was reduced after aspirin.",
        "Aspirin and fever were seen.",
    ],
)
def test_what_is_denied_or_open_is_refused_with_its_reason(said: str) -> None:
    made = document("A case", said)
    found, rejects = read_abstract(made, mentions(made.text), rules(), WEIGHTS)
    assert not [a for a in found if a.object == "X:fever"]
    assert all(r["rule"] == RULE and r["reason"] for r in rejects)
    assert rejects


def test_a_denied_mention_is_refused() -> None:
    made = document("A case", "Fever came after aspirin.")
    denied = [replace(m, negated=m.text == "Fever") for m in mentions(made.text)]
    assert read_abstract(made, denied, rules(), WEIGHTS)[0] == []


def test_only_titles_and_abstracts_of_articles_are_judged() -> None:
    said = "Fever came after aspirin."
    assert read("A case", said, reader="medline/1")
    assert not read("A case", said, reader="html/3")
    assert abstract(document("A case", said, reader="jats/2")) is None
    parted = document("A case", "Abstract", said, "Introduction", "More.", reader="jats/2")
    parted = replace(
        parted, sections=(*parted.sections, Section("Abstract", 2, 8, 8 + 8 + 2 + len(said)))
    )
    span = abstract(parted)
    assert span is not None
    assert span.of(parted.text).endswith(said)


def test_features_name_what_they_see() -> None:
    text = "Fever after aspirin\n\nFever came after aspirin; cough did not."
    (one, two) = pairs(text, sentences(text), mentions(text))
    assert (one.chemical, one.disease, two.disease) == ("X:aspirin", "X:fever", "X:cough")
    assert {"both in title", "only chemical", "D..C just: after"} <= set(one.features)
    assert [c.number for c in one.common] == [0, 1]
    assert one.features["common sentences (log)"] == pytest.approx(1.0986, abs=1e-4)
    assert "disease in title" not in two.features
    apart = "Aspirin was given. It went well. Fever came."
    assert "sentences apart 2" in pairs(apart, sentences(apart), mentions(apart))[0].features
    assert pairs(apart, sentences(apart), mentions(apart), together=True) == []


def test_the_shipped_weights_read_a_plain_case() -> None:
    made = document(
        "Aspirin-induced bleeding: a case report",
        "A man developed bleeding after aspirin. Aspirin-induced bleeding is rare.",
    )
    found = [a for a in extract(made, mentions(made.text)).assertions if a.predicate == "causes"]
    assert {(a.subject, a.object) for a in found} == {("X:aspirin", "X:bleeding")}
    assert weights().asserted >= weights().candidate


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("# intercept: 0\nno weight here", "line 2"),
        ("# intercept: 0\nword\tmany", "line 2"),
        ("# intercept: 0\nword\t1", "candidate from"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "weights.tsv"
    path.write_text(text)
    with pytest.raises(SettingsError, match=reason):
        read_weights(path)
