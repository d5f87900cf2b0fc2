"""Whatever the text, mentions are its own characters, in order, apart, and always the same."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import given
from hypothesis import strategies as st

from kgrag.linking import Linker
from kgrag.linking.normalise import fold
from kgrag.testing.lexicon import CONCEPTS, small_lexicon

PIECES = [
    *(concept.name for concept in CONCEPTS),
    "ﬁ", "ß", "İ", "ẞ", "é", "e\u0301", "ﬃ", "Ⅷ", "½", "µ", "β", "ΐ", "ﷺ", "\u00ad", "\u200b", "…",
    " ", ", ", "-", "\n", "(", ")", "HF", "no", "avoid", "heart failure (HF)", "s",
    "in the absence of",
]  # fmt: skip
TEXTS = st.one_of(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.text(max_size=60))


@cache
def linker() -> Linker:
    return Linker(small_lexicon(Path(mkdtemp()) / "lexicon.sqlite"))


@given(TEXTS)
def test_mentions_are_the_characters_of_the_text(text: str) -> None:
    mentions = linker().link(text)
    assert all(m.text == text[m.start : m.end] and m.start < m.end for m in mentions)
    assert all(a.end <= b.start for a, b in pairwise(mentions))
    assert mentions == linker().link(text)


@given(TEXTS, st.integers(0, 20), st.integers(0, 60))
def test_a_range_is_the_text_of_that_range(text: str, start: int, length: int) -> None:
    start = min(start, len(text))
    end = min(start + length, len(text))
    alone = linker().link(text[start:end])
    assert [
        (m.start - start, m.end - start, m.concept) for m in linker().link(text, start, end)
    ] == [(m.start, m.end, m.concept) for m in alone]


@given(TEXTS)
def test_every_folded_character_came_from_the_text(text: str) -> None:
    folded = fold(text)
    places = [(folded.start(at), folded.end(at + 1)) for at in range(len(folded.text))]
    assert all(0 <= start < end <= len(text) and end == start + 1 for start, end in places)
    assert places == sorted(places)
    for (start, _), char in zip(places, folded.text, strict=True):
        assert char in fold(text[start]).text


@given(
    st.lists(st.sampled_from(["ﬁ", "ß", "İ", "é", "e\u0301", "β", "½", "\u00ad", " "]), max_size=6)
)
def test_a_name_is_found_behind_any_odd_characters(odd: list[str]) -> None:
    text = f"{''.join(odd)} metformin {''.join(odd)}"
    assert "metformin" in [m.text for m in linker().link(text)]
