"""Ids that a text writes as CURIEs (``HP:0001166``): the one kind of name that has one meaning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from kgrag.errors import NotFound
from kgrag.records.concepts import Concept, Mention
from kgrag.vocabulary.lexicon import Lexicon
from kgrag.vocabulary.prefixes import prefixes

# Looked for from the colon on, which is rare, so that reading prose costs next to nothing. A local
# part has a digit among its first letters and ends with a letter or a digit.
_LOCAL: Final = re.compile(r":(?=[A-Z]{0,8}\d)([A-Z0-9]+(?:[.-][A-Z0-9]+)*)(?![\w])")
_PREFIX: Final = re.compile(r"(?<![\w:.-])[A-Z][A-Z0-9]*\Z", re.IGNORECASE)
_LONGEST_PREFIX: Final = 16
_REMEMBERED: Final = 50_000

LookUp = Callable[[str], Concept | None]


def look_up(lexicon: Lexicon) -> LookUp:
    """A function from an id to the concept in use, None where there is none; it remembers some."""

    @lru_cache(maxsize=_REMEMBERED)
    def find(curie: str) -> Concept | None:
        try:
            return lexicon.concept(curie)
        except NotFound:
            return None

    return find


def written_ids(text: str, find: LookUp) -> Iterator[Mention]:
    """Mentions, with score 1, of the ids in ``text`` that are, or lead to, an id in use.

    In text order. The prefix is read as kgrag spells it (``prefixes.toml``) and no other way: in
    prose "Mesh:" and "go:" are words.
    """
    known = prefixes()
    for local in _LOCAL.finditer(text):
        at = local.start()
        before = _PREFIX.search(text[max(0, at - _LONGEST_PREFIX) : at])
        if before is None or before.group() not in known:
            continue
        pattern = known[before.group()].pattern
        if pattern is not None and not pattern.fullmatch(local.group(1)):
            continue
        curie = f"{before.group()}:{local.group(1)}"
        concept = find(curie)
        if concept is not None:
            begin = at - len(before.group())
            yield Mention(begin, local.end(), curie, concept.curie, concept.type)
