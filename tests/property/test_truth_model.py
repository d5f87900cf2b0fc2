"""Any sequence of puts and removals leaves SQLite and the twin in the same visible state."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kgrag.records.text import Document
from kgrag.stores.base import Ingested, TruthStore
from kgrag.stores.memory_truth import MemoryTruth
from kgrag.stores.sql import open_truth
from kgrag.stores.sql.codec import dump_mentions, load_mentions
from kgrag.testing.truth_contract import DISEASE, DRUG, guideline, sample

ITEMS = [
    sample(identifier, collection=collection, edition=edition, negated=identifier == "c")
    for collection in ("own", "other")
    for identifier in ("a", "b", "c")
    for edition in (1, 2)
]
# Guidelines of two issuers that replace and supersede each other.
GUIDES = [
    guideline(identifier, dated, issuer=issuer, title=title, edition=edition, claims=claims)
    for identifier, edition, dated, issuer, title, claims in (
        ("a", 1, "2010", "One", "Gout", ()),
        ("a", 2, "2014-06", "One", "Gout", ()),
        ("a", 3, "2018", "One", "Gout in children", ()),
        ("b", 1, "2012-01-01", "One", "Gout (update)", ()),
        ("b", 2, "2016", "Two", "Gout", ()),
        ("c", 1, "2015-03", "One", "Joints", ("replaces the 2012 advice on gout",)),
        ("c", 2, "2020", "One", "Joints", ("10.1/a",)),
        ("d", 1, "2020-05", "Two", "Gout, 2nd edition", ()),
        ("e", 1, None, "One", "Gout", ()),
    )
]
ITEMS += GUIDES
DAYS = ["2009", "2010", "2012-01-01", "2014-06", "2015-03-20", "2016", "2020-05-01", "2025"]
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "put", "remove"]), st.sampled_from(ITEMS)), max_size=14
)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def apply(truth: TruthStore, steps: list[tuple[str, Ingested]]) -> list[bool | None]:
    """What each step returned, None for a removal of what is not there."""
    known = {info.id for info in truth.documents(status=None)}
    results: list[bool | None] = []
    for verb, item in steps:
        if verb == "put":
            results.append(truth.put(item))
            known.add(item.document.id)
        else:
            key = item.document.id
            results.append(truth.remove(key) if key in known else None)
    return results


def visible(truth: TruthStore, *, with_history: bool) -> list[Any]:
    kept = [i for i in truth.documents(status=None) if i.status != "removed"]
    documents: list[Document] = [truth.document(i.id) for i in kept]
    found: list[Any] = [
        documents,
        [(i.id, i.status, i.title, i.chars) for i in kept],
        [(truth.passages(i.id), truth.mentions(i.id), truth.original(i.id)) for i in kept],
        list(truth.assertions()),
        list(truth.assertions(current=False)),
        list(truth.edges()),
        list(truth.recommendations()),
        list(truth.recommendations(current=False)),
        list(truth.recommendations(concept=DRUG)),
        [(day, truth.in_force(day)) for day in DAYS],
        list(truth.assertions(as_of=DAYS[4])),
        list(truth.recommendations(as_of=DAYS[4])),
        list(truth.passages_with_concepts([DRUG, DISEASE])),
        list(truth.verify()),
        {k: v for k, v in truth.counts().items() if with_history or k != "removed"},
    ]
    if with_history:
        found += [list(truth.changes(0)), truth.generation]
        found += [i.id for i in truth.documents(status="removed")]
    return found


@FEW
@given(STEPS)
def test_sqlite_equals_the_twin(steps: list[tuple[str, Ingested]]) -> None:
    twin = MemoryTruth()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_truth(Path(folder), mode="write", create=True) as truth,
    ):
        assert apply(truth, steps) == apply(twin, steps)
        assert visible(truth, with_history=True) == visible(twin, with_history=True)


@FEW
@given(STEPS, st.sampled_from(ITEMS))
def test_added_then_removed_is_as_never_added(
    steps: list[tuple[str, Ingested]], item: Ingested
) -> None:
    # Another source than those before: a new version would retire the earlier one.
    steps = [s for s in steps if s[1].document.source != item.document.source]
    with (
        tempfile.TemporaryDirectory() as folder,
        open_truth(Path(folder), mode="write", create=True) as truth,
    ):
        apply(truth, steps)
        before = visible(truth, with_history=False)
        truth.put(item)
        assert visible(truth, with_history=False) != before
        truth.remove(item.document.id)
        truth.purge()
        assert visible(truth, with_history=False) == before


@FEW
@given(st.permutations(GUIDES), st.permutations(GUIDES))
def test_who_supersedes_whom_does_not_depend_on_the_order(
    one: list[Ingested], other: list[Ingested]
) -> None:
    # Of each source one version: which of two is live may depend on the order.
    def statuses(items: list[Ingested]) -> dict[str, str]:
        truth = MemoryTruth()
        for item in items:
            if item.document.metadata.title != "Gout in children" and item.document.text.startswith(
                "Edition 1"
            ):
                truth.put(item)
        return {info.id: info.status for info in truth.documents(status=None)}

    found = statuses(one)
    assert found == statuses(other)
    assert sorted(found.values()) == ["current"] * 3 + ["superseded"] * 2


@given(
    st.lists(
        st.tuples(
            st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1),
            st.floats(0, 1),
            st.integers(0, 63),
        )
    )
)
def test_mentions_come_back_as_they_were(parts: list[tuple[str, float, int]]) -> None:
    from kgrag.records.concepts import Mention

    mentions = tuple(
        Mention(
            1,
            1 + len(word),
            word,
            "X:1",
            "other",
            score,
            *(bool(f >> b & 1) for b in (0, 1, 2, 3, 4, 5)),
        )
        for word, score, f in parts
    )
    assert load_mentions(dump_mentions(mentions)) == mentions
