"""The contract of ``TruthStore``: subclass ``TruthContract`` and give it a ``truth`` fixture.

``sample`` makes small committed things of which every offset is right, for other suites too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kgrag.errors import BrokenInvariant, NotFound
from kgrag.ids import document_id, passage_id, sha256
from kgrag.records.assertions import Assertion, Evidence
from kgrag.records.concepts import Mention
from kgrag.records.recommendations import Grade, Recommendation
from kgrag.records.text import (
    Block,
    Document,
    Metadata,
    Page,
    Passage,
    Section,
    Source,
    Span,
    Table,
)
from kgrag.stores.base import Change, FileState, Ingested, TruthStore
from kgrag.stores.graph_arrays import StatedRow

DRUG, DISEASE = "MESH:D000658", "MESH:D011014"


def sample(
    identifier: str = "guide.md",
    *,
    words: Sequence[str] = ("Amoxicillin", "pneumonia"),
    collection: str = "own",
    edition: int = 1,
    negated: bool = False,
) -> Ingested:
    """A document of one heading, one sentence of ``words`` and one table row, with all that a
    pipeline finds in it: three passages, a mention of each word, one assertion, one
    recommendation."""
    drug, disease = words[0], words[-1]
    title = f"Edition {edition} – β-lactams 💊"
    sentence = f"{' '.join(words[:-1])} treats {disease} (≥ {edition} days)."
    row = f"Drug: {drug}; Dose: {edition}00 mg"
    text = f"{title}\n\n{sentence}\n\n{row}"
    original = text.encode()
    at, row_at = text.index(sentence), text.index(row)
    key = document_id(collection, identifier, sha256(original), "sample/1")
    spans = [(0, len(title)), (at, at + len(sentence)), (row_at, len(text))]
    document = Document(
        key,
        Source(collection, identifier),
        f"file:///{identifier}",
        "text/plain",
        sha256(original),
        "sample/1",
        text,
        Metadata(title=title, date="2020-05", identifiers=(("doi", f"10.1/{identifier}"),)),
        (
            Block("heading", *spans[0]),
            Block("paragraph", *spans[1]),
            Block("table_row", *spans[2]),
        ),
        (Section(title, 1, 0, len(text)),),
        (Page(1, 0, len(text), "i"),),
        (Table(("Drug", "Dose"), (Span(*spans[2]),), "Doses"),),
    )
    passages = tuple(Passage(passage_id(key, a, b), key, a, b, (title,), 1) for a, b in spans)
    mentions = []
    for word, concept in ((drug, DRUG), (disease, DISEASE)):
        begin = text.index(word)
        kind = "drug" if concept == DRUG else "disease"
        mentions.append(
            Mention(begin, begin + len(word), word, concept, kind, 0.75, against=negated)  # type: ignore[arg-type]
        )
    mentions.append(
        Mention(row_at + 6, row_at + 6 + len(drug), drug, DRUG, "drug", negated=True, absent=True)
    )
    assertion = Assertion(
        DRUG,
        "biolink:treats",
        DISEASE,
        negated,
        (("population", "adults"),),
        evidence=(
            Evidence(
                key,
                *spans[1],
                sentence,
                (mentions[0].start, mentions[0].end),
                (mentions[1].start, mentions[1].end),
                "trigger",
            ),
        ),
    )
    days = text.index("≥")
    grade = Grade("GRADE", text[days : days + 8], "strong", (days, days + 8), inherited=True)
    advice = Recommendation(
        key,
        *spans[1],
        sentence,
        "against" if negated else "for",
        (mentions[0].start, mentions[1].end),
        (mentions[1].start, mentions[1].end),
        grade,
        None,
        (DRUG,),
        (DISEASE,),
        None,
        18.0,
        issuer="Sample",
        effective="2020-05",
        supersedes=("the edition before",),
        exceptions=((days, days + 1),),
    )
    return Ingested(
        document,
        original,
        passages,
        tuple(mentions),
        (assertion,),
        ({"reason": "no verb"},),
        (advice,),
    )


def guideline(
    identifier: str,
    dated: str | None,
    *,
    issuer: str | None = "Sample Board",
    title: str = "Screening for gout",
    claims: Sequence[str] = (),
    edition: int = 1,
    collection: str = "own",
    advises: bool = True,
    extra: Sequence[tuple[str, str]] = (),
) -> Ingested:
    """A ``sample`` that says who issued it, when, on what, and what it replaces."""
    item = sample(identifier, collection=collection, edition=edition)
    metadata = replace(
        item.document.metadata, title=title, publisher=issuer, date=dated, extra=tuple(extra)
    )
    advice = [
        replace(r, issuer=None, effective=None, supersedes=tuple(claims))
        for r in item.recommendations
    ]
    return replace(
        item,
        document=replace(item.document, metadata=metadata),
        recommendations=tuple(advice) if advises else (),
    )


def s_of(item: Ingested, start: int) -> str:
    """The characters from ``start`` to the end of the first recommendation."""
    return item.document.text[start : item.recommendations[0].end]


class TruthContract:
    """Every truth store passes; ``truth`` is an empty store opened for writing."""

    def test_reads_what_was_put(self, truth: TruthStore) -> None:
        item = sample()
        key = item.document.id
        assert truth.put(item) is True
        assert truth.document(key) == item.document
        assert truth.original(key) == item.original
        assert truth.passages(key) == item.passages
        assert truth.mentions(key) == item.mentions
        assert truth.rejects(key) == item.rejects
        assert tuple(truth.assertions()) == item.assertions
        assert tuple(truth.recommendations()) == item.recommendations
        ids = [p.id for p in reversed(item.passages)]
        by_id = truth.passages_by_id([*ids, "pas_none", ids[0]])
        assert list(by_id) == ids
        for passage in item.passages:
            expected = item.document.text[passage.start : passage.end]
            assert by_id[passage.id] == (passage, expected)
        info = truth.info(key)
        assert (info.title, info.status, info.chars) == (
            item.document.title,
            "current",
            len(item.document.text),
        )
        assert list(truth.documents()) == [info]
        assert dict(truth.infos([key, "doc_none", key])) == {key: info}
        assert truth.infos([]) == {}
        assert list(truth.verify()) == []

    def test_an_empty_store_is_empty(self, truth: TruthStore) -> None:
        assert truth.generation == 0
        assert list(truth.documents(status=None)) == []
        for listing in (truth.changes(0), truth.assertions(), truth.edges()):
            assert list(listing) == []
        assert list(truth.recommendations()) == []
        assert not any(truth.counts().values())
        assert truth.setting("schema") is not None
        for ask in (
            truth.document,
            truth.info,
            truth.original,
            truth.passages,
            truth.mentions,
            truth.remove,
        ):
            with pytest.raises(NotFound):
                ask("doc_none")

    def test_putting_again_changes_nothing(self, truth: TruthStore) -> None:
        assert truth.put(sample())
        before = truth.counts(), truth.generation
        assert truth.put(sample()) is False
        assert (truth.counts(), truth.generation) == before

    def test_a_new_version_replaces_and_an_old_one_returns(self, truth: TruthStore) -> None:
        old, new = sample(edition=1), sample(edition=2)
        a, b = old.document.id, new.document.id
        truth.put(old)
        assert truth.put(new)
        assert [d.id for d in truth.documents()] == [b]
        assert [d.id for d in truth.documents(status="replaced")] == [a]
        assert truth.document(a) == old.document
        assert tuple(truth.assertions()) == new.assertions
        assert tuple(truth.assertions(document_id=a)) == ()
        assert tuple(truth.assertions(document_id=a, current=False)) == old.assertions
        assert tuple(truth.recommendations()) == new.recommendations
        assert tuple(truth.recommendations(document_id=a)) == ()
        assert tuple(truth.recommendations(document_id=a, current=False)) == old.recommendations
        assert {pair[0] for pair in truth.passages_with_concepts([DRUG])} <= {
            p.id for p in new.passages
        }
        assert truth.put(old)
        assert [d.id for d in truth.documents()] == [a]
        assert list(truth.changes(0)) == [
            Change(1, "add", a),
            Change(2, "retire", a),
            Change(3, "add", b),
            Change(4, "retire", b),
            Change(5, "add", a),
        ]
        assert list(truth.changes(4)) == [Change(5, "add", a)]
        assert list(truth.verify()) == []

    def test_evidence_is_merged_over_documents(self, truth: TruthStore) -> None:
        one, two, against = sample("a.md"), sample("b.md"), sample("c.md", negated=True)
        for item in (two, one, against):
            truth.put(item)
        positive = one.assertions[0].merged(two.assertions[0])
        both = sorted([positive, against.assertions[0]], key=lambda a: a.id)
        assert list(truth.assertions()) == both
        assert list(truth.assertions(concept=DRUG)) == both
        assert list(truth.assertions(concept="MESH:D0")) == []
        assert list(truth.assertions([positive.id, "ast_none"])) == [positive]
        assert [(e[0], e[4]) for e in truth.edges()] == [(a.id, len(a.evidence)) for a in both]
        assert list(truth.assertions(document_id=one.document.id)) == list(one.assertions)

    def test_recommendations_are_kept_apart_and_found_by_what_they_are_about(
        self, truth: TruthStore
    ) -> None:
        one, two = sample("a.md"), sample("b.md", negated=True)
        truth.put(one)
        truth.put(two)
        both = sorted(one.recommendations + two.recommendations, key=lambda advice: advice.id)
        assert list(truth.recommendations()) == both
        for concept in (DRUG, DISEASE):
            assert list(truth.recommendations(concept=concept)) == both
        assert list(truth.recommendations(concept="MESH:D0")) == []
        assert list(truth.recommendations([both[1].id, "rec_none"])) == [both[1]]
        assert list(truth.recommendations([])) == []
        found = truth.recommendations(concept=DRUG, document_id=two.document.id)
        assert list(found) == list(two.recommendations)
        # What was found in a current version may be found better later.
        better = replace(
            one.recommendations[0], interventions=(), supersedes=(), min_age=None, strength=None
        )
        assert truth.put(replace(one, recommendations=(better,)))
        assert truth.put(replace(one, recommendations=(better,))) is False
        assert list(truth.recommendations([better.id])) == [better]
        assert list(truth.recommendations(concept=DRUG)) == list(two.recommendations)
        assert truth.put(replace(one, recommendations=()))
        assert list(truth.recommendations()) == list(two.recommendations)
        assert list(truth.verify()) == []

    def test_the_graphs_input_is_told_by_document(self, truth: TruthStore) -> None:
        old, new, other = sample("a.md"), sample("a.md", edition=2), sample("b.md", negated=True)
        for item in (old, new, other):
            truth.put(item)
        expected = {
            StatedRow(
                i.document.id, a.id, a.subject, a.predicate, a.object, a.negated, len(a.evidence)
            )
            for i in (new, other)
            for a in i.assertions
        }
        assert len(expected) == 2
        rows = list(truth.stated())
        assert set(rows) == expected and len(rows) == 2
        assert {type(row.negated) for row in rows} == {bool}
        keys = [old.document.id, new.document.id, "doc_none"]
        assert [row.document for row in truth.stated(keys)] == [new.document.id]
        assert list(truth.stated([])) == []

    def test_concepts_find_passages_most_mentions_first(self, truth: TruthStore) -> None:
        item = sample(words=("Amoxicillin", "and", "pneumonia"))
        text = item.document.text
        extra = tuple(
            Mention(at, at + 4, text[at : at + 4], DRUG, "drug")
            for at in range(item.passages[1].start, item.passages[1].start + 3)
        )
        item = Ingested(item.document, item.original, item.passages, item.mentions + extra)
        truth.put(item)
        found = truth.passages_with_concepts([DRUG, DISEASE])
        assert found[0] == (item.passages[1].id, DRUG)
        assert sorted(found[1:]) == sorted(
            [(item.passages[1].id, DISEASE), (item.passages[2].id, DRUG)]
        )
        assert truth.passages_with_concepts([DRUG, DISEASE], limit=1) == found[:1]
        assert list(truth.passages_with_concepts([])) == []

    def test_removal_leaves_a_tombstone_only(self, truth: TruthStore) -> None:
        old, new, other = sample(edition=1), sample(edition=2), sample("other.md")
        for item in (old, new, other):
            truth.put(item)
        truth.put_file_state(FileState("own", "guide.md", "0" * 64, "s", (new.document.id,)))
        truth.put_file_state(FileState("own", "other.md", "1" * 64, "s", (other.document.id,)))
        key = new.document.id
        assert truth.remove(key) is True
        assert truth.remove(key) is False
        truth.purge()
        for ask in (truth.document, truth.original):
            with pytest.raises(NotFound, match="removed"):
                ask(key)
        for parts in (truth.passages(key), truth.mentions(key), truth.rejects(key)):
            assert parts == ()
        assert truth.passages_by_id([p.id for p in new.passages]) == {}
        assert [r.document_id for r in truth.recommendations()] == [other.document.id]
        assert list(truth.recommendations(document_id=key, current=False)) == []
        tomb = truth.info(key)
        assert (tomb.status, tomb.uri, tomb.title, tomb.chars) == ("removed", "", "", 0)
        assert tomb.metadata == Metadata()
        assert "own" not in (tomb.source.collection, tomb.source.identifier)
        assert list(truth.documents(status="removed")) == [tomb]
        assert list(truth.documents(status="removed", collection="own")) == [tomb]
        assert list(truth.documents(status="removed", collection="else")) == []
        assert truth.file_state("own", "guide.md") is None
        assert truth.file_state("own", "other.md") is not None
        assert [d.status for d in truth.documents(status=None)].count("removed") == 1
        # The version before does not come back by itself.
        assert truth.info(old.document.id).status == "replaced"
        assert next(iter(truth.changes(truth.generation - 1))).op == "retire"
        assert list(truth.verify()) == []
        assert truth.put(new)
        assert truth.document(key) == new.document
        assert list(truth.documents(status="removed")) == []

    def test_collections_are_apart(self, truth: TruthStore) -> None:
        mine, theirs = sample(collection="mine"), sample(collection="theirs")
        assert mine.document.id != theirs.document.id
        truth.put(mine)
        truth.put(theirs)
        assert [d.id for d in truth.documents(collection="mine")] == [mine.document.id]
        # Their bytes are the same file; removing one keeps the other's.
        truth.remove(mine.document.id)
        truth.purge()
        assert truth.original(theirs.document.id) == theirs.original
        assert list(truth.documents(collection="mine")) == []
        assert list(truth.verify()) == []

    def test_embeddings_live_as_long_as_a_text_of_theirs(self, truth: TruthStore) -> None:
        one, two = sample("a.md"), sample("b.md", words=("Penicillin", "angina"))
        truth.put(one)
        truth.put(two)

        def text_of(item: Ingested, at: int) -> str:
            p = item.passages[at]
            return sha256(item.document.text[p.start : p.end].encode())

        shared, own = text_of(one, 0), text_of(one, 1)
        assert shared == text_of(two, 0) and own != text_of(two, 1)
        titled, both, stray = (sha256(word) for word in (b"titled", b"both", b"stray"))
        rng = np.random.default_rng(1)
        vectors = {
            digest: rng.random(4, dtype=np.float32) for digest in (shared, own, titled, both, stray)
        }
        ids = one.document.id, two.document.id
        truth.put_embeddings("e", vectors, owners={titled: [ids[0]], both: [ids[0]]})
        truth.put_embeddings("e", {}, owners={both: [ids[1]]})
        found = truth.embeddings("e", [*vectors, sha256(b"unknown")])
        assert set(found) == set(vectors)
        for digest, vector in vectors.items():
            assert found[digest].dtype == np.float32
            np.testing.assert_array_equal(found[digest], vector)
        assert truth.embeddings("f", list(vectors)) == {}
        truth.put_embeddings("e", {own: np.zeros(4, np.float32)})
        np.testing.assert_array_equal(truth.embeddings("e", [own])[own], vectors[own])
        truth.purge()
        assert set(truth.embeddings("e", list(vectors))) == set(vectors)
        truth.remove(ids[0])
        truth.purge()
        assert set(truth.embeddings("e", list(vectors))) == {shared, both}
        with pytest.raises(NotFound):
            truth.put_embeddings("e", {}, owners={titled: [ids[0]]})

    def test_settings_and_file_states(self, truth: TruthStore) -> None:
        assert truth.setting("encoder") is None
        truth.put_setting("encoder", "a")
        truth.put_setting("encoder", "b")
        assert truth.setting("encoder") == "b"
        with pytest.raises(ValueError):
            truth.put_setting("schema", "9")
        assert truth.file_state("own", "x") is None
        for digest in ("0" * 64, "1" * 64):
            state = FileState("own", "x", digest, "shape", ("doc_a", "doc_b"))
            truth.put_file_state(state)
            assert truth.file_state("own", "x") == state
        assert truth.file_state("other", "x") is None

    def test_counts(self, truth: TruthStore) -> None:
        for item in (sample(edition=1), sample(edition=2), sample("b.md"), sample("c.md")):
            truth.put(item)
        truth.remove(sample("c.md").document.id)
        counts = truth.counts()
        expected = {"documents": 2, "replaced": 1, "removed": 1, "passages": 6, "mentions": 6}
        expected |= {"concepts": 2, "assertions": 1, "evidence": 2, "rejects": 2, "collections": 1}
        expected |= {"recommendations": 2}
        assert {name: counts[name] for name in expected} == expected

    def test_more_than_one_page_of_everything(self, truth: TruthStore) -> None:
        item = sample()
        piece = item.assertions[0].evidence
        many = tuple(Assertion(f"X:{n}", "p", "Y:1", evidence=piece) for n in range(1203))
        (advice,) = item.recommendations
        advised = tuple(replace(advice, action=(n, n + 1)) for n in range(90))
        advised = tuple(replace(r, start=s, quote=s_of(item, s)) for r in advised for s in range(6))
        truth.put(Ingested(item.document, item.original, item.passages, (), many, (), advised))
        assert list(truth.recommendations()) == sorted(advised, key=lambda r: r.id)
        ids = [a.id for a in truth.assertions()]
        assert ids == sorted(a.id for a in many)
        assert [a.id for a in truth.assertions(ids)] == ids
        assert [e[0] for e in truth.edges()] == ids

    def test_a_later_document_of_one_issuer_and_scope_supersedes(self, truth: TruthStore) -> None:
        old, new = guideline("a.md", "2015"), guideline("b.md", "2020-03-01")
        a, b = old.document.id, new.document.id
        truth.put(old)
        assert truth.put(new)
        assert (truth.info(a).status, truth.info(b).status) == ("superseded", "current")
        assert [d.id for d in truth.documents(status="superseded")] == [a]
        # It stays readable and is never current.
        assert truth.document(a) == old.document
        assert tuple(truth.recommendations()) == new.recommendations
        assert tuple(truth.recommendations(document_id=a, current=False)) == old.recommendations
        assert {e.document_id for s in truth.assertions() for e in s.evidence} == {b}
        assert [count for *_, count in truth.edges()] == [1]
        assert {p for p, _ in truth.passages_with_concepts([DRUG])} <= {p.id for p in new.passages}
        assert (truth.superseders(a), truth.superseded(a)) == ((b,), ())
        assert (truth.superseders(b), truth.superseded(b)) == ((), (a,))
        assert truth.counts()["superseded"] == 1 and truth.counts()["replaced"] == 0
        assert truth.current(old.document.source) == truth.info(a)
        assert [(c.op, c.document_id) for c in truth.changes(0)] == [
            ("add", a),
            ("retire", a),
            ("add", b),
        ]
        generation = truth.generation
        assert truth.put(old) is False
        assert truth.generation == generation
        assert list(truth.verify()) == []
        truth.remove(b)
        assert truth.info(a).status == "current"
        assert truth.superseders(a) == truth.superseders(b) == ()
        with pytest.raises(NotFound):
            truth.superseders("doc_none")
        assert tuple(truth.recommendations()) == old.recommendations
        assert [(c.op, c.document_id) for c in truth.changes(generation)] == [
            ("retire", b),
            ("add", a),
        ]
        truth.put(new)
        truth.remove(a)
        assert [d.id for d in truth.documents()] == [b]
        # One that comes late was never current.
        generation = truth.generation
        assert truth.put(old)
        assert truth.info(a).status == "superseded"
        assert truth.generation == generation
        assert list(truth.verify()) == []

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ({}, {"issuer": "Another Board"}),
            ({"issuer": None}, {"issuer": None}),
            ({}, {"title": "Screening for gout in children"}),
            ({}, {"collection": "elsewhere"}),
            ({}, {"advises": False}),
            ({"advises": False}, {}),
            ({"title": "Introduction"}, {"title": "Introduction"}),
            ({"dated": "2020"}, {"dated": "2020-07"}),
            ({"dated": None}, {}),
            ({}, {"dated": None}),
            ({"extra": [("date_from", "creation date")]}, {}),
            ({}, {"issuer": "Another Board", "claims": ["doi:10.1/a.md"]}),
            ({}, {"title": "Gout", "claims": ["screening for gout in 2014"]}),
            ({}, {"title": "Gout", "claims": ["screening in 2015"]}),
        ],
    )
    def test_without_issuer_scope_and_date_nothing_supersedes(
        self, truth: TruthStore, old: dict[str, Any], new: dict[str, Any]
    ) -> None:
        for item in (
            guideline("a.md", **({"dated": "2015"} | old)),
            guideline("b.md", **({"dated": "2020"} | new)),
        ):
            truth.put(item)
        assert [d.status for d in truth.documents(status=None)] == ["current", "current"]

    @pytest.mark.parametrize(
        "new",
        [
            {"title": "Gout", "claims": ["This statement replaces doi:10.1/a.md."]},
            {"title": "Gout", "claims": ["It replaces the 2015 advice on gout screening"]},
            {"title": "Gout", "claims": ["updates our recommendation, Screening for Gout"]},
            {"title": "Gout", "extra": [("supersedes", "10.1/a.md")], "advises": False},
            {"title": "Gout Screening: 2020 update"},
            {"issuer": "SAMPLE BOARD."},
        ],
    )
    def test_what_makes_a_scope_the_same(self, truth: TruthStore, new: dict[str, Any]) -> None:
        truth.put(guideline("b.md", **({"dated": "2020"} | new)))
        old = guideline("a.md", "2015")
        truth.put(old)
        assert [d.id for d in truth.documents(status="superseded")] == [old.document.id]

    def test_what_was_superseded_follows_what_its_superseder_becomes(
        self, truth: TruthStore
    ) -> None:
        old, new = guideline("a.md", "2015"), guideline("b.md", "2020")
        truth.put(old)
        truth.put(new)
        # A new version of the superseder is of another scope.
        truth.put(guideline("b.md", "2021", title="Treatment of gout", edition=2))
        assert truth.info(old.document.id).status == "current"
        assert truth.info(new.document.id).status == "replaced"
        # The extractor reads the same version otherwise.
        third = guideline("c.md", "2018")
        truth.put(third)
        assert truth.info(old.document.id).status == "superseded"
        truth.put(replace(third, recommendations=()))
        assert truth.info(old.document.id).status == "current"
        assert list(truth.verify()) == []

    def test_as_of_a_day_holds_what_was_in_force_then(self, truth: TruthStore) -> None:
        first, second = guideline("a.md", "2010-05"), guideline("a.md", "2014", edition=2)
        third, other = guideline("b.md", "2019-02-01"), guideline("c.md", None, title="Gout")
        for item in (first, second, third, other):
            truth.put(item)
        keys = {"a1": first, "a2": second, "b": third, "c": other}
        names = {item.document.id: name for name, item in keys.items()}
        said = {}
        for day in ("2009", "2010-04", "2010-05-02", "2013", "2014", "2018", "2019-02-01", "2030"):
            found = truth.in_force(day)
            assert {names[key] for key in found.undated} == {"c"}
            held = {r.document_id for r in truth.recommendations(as_of=day)}
            assert held == found.documents
            evidence = [e for a in truth.assertions(as_of=day) for e in a.evidence]
            assert {e.document_id for e in evidence} == found.documents
            places = truth.passages_with_concepts([DRUG], as_of=day)
            known = truth.passages_by_id([passage for passage, _ in places])
            assert {p.document_id for p, _ in known.values()} == found.documents
            assert truth.passages_with_concepts([DRUG], as_of=day, limit=1) == places[:1]
            said[day] = "".join(sorted(names[key] for key in found.documents))
            said[day] += "?" * len(found.inexact)
        assert said == {
            "2009": "",
            "2010-04": "",
            "2010-05-02": "a1?",
            "2013": "a1",
            "2014": "a2",
            "2018": "a2",
            "2019-02-01": "b",
            "2030": "b",
        }
        assert list(truth.recommendations(as_of="2013", document_id=third.document.id)) == []
        for bad in ("", "yesterday", "2019-13", "20190201"):
            with pytest.raises(ValueError, match="date"):
                truth.in_force(bad)

    def test_a_recommendation_may_take_effect_after_its_document(self, truth: TruthStore) -> None:
        item = guideline("a.md", "2015")
        (advice,) = item.recommendations
        later = replace(advice, effective="2016-01")
        truth.put(replace(item, recommendations=(later,)))
        assert list(truth.recommendations(as_of="2015-12")) == []
        assert list(truth.recommendations(as_of="2016")) == [later]

    @pytest.mark.parametrize(
        "flaw",
        [
            *("original", "passage", "mention", "quote", "evidence", "surrogate"),
            *("advice", "grade", "advice twice"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, truth: TruthStore, flaw: str) -> None:
        item = sample()
        (advice,) = item.recommendations
        if flaw == "original":
            bad = replace(item, original=b"other")
        elif flaw == "passage":
            end = len(item.document.text) + 1
            bad = replace(item, passages=(replace(item.passages[0], end=end),))
        elif flaw == "mention":
            bad = replace(item, mentions=(replace(item.mentions[0], start=0, end=11),))
        elif flaw == "evidence":
            bad = replace(item, assertions=(replace(item.assertions[0], evidence=()),))
        elif flaw == "advice":
            bad = replace(item, recommendations=(replace(advice, end=advice.end + 1),))
        elif flaw == "grade":
            wrong = replace(advice.strength, raw="strongly")  # type: ignore[type-var]
            bad = replace(item, recommendations=(replace(advice, strength=wrong),))
        elif flaw == "advice twice":
            bad = replace(item, recommendations=(advice, replace(advice, rule="other")))
        elif flaw == "surrogate":
            text = item.document.text + "\ud800"
            bad = replace(item, document=replace(item.document, text=text))
        else:
            piece = item.assertions[0].evidence[0]
            moved = replace(piece, start=piece.start + 1, end=piece.end + 1)
            bad = replace(item, assertions=(replace(item.assertions[0], evidence=(moved,)),))
        with pytest.raises(BrokenInvariant) as caught:
            truth.put(bad)
        assert "Amoxicillin" not in str(caught.value)
        assert truth.generation == 0 and list(truth.documents()) == []
