"""Ontologies in OBO: MONDO, DOID, HPO, MAxO, SYMP and any other, read tolerantly."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Final

from kgrag.errors import UnreadableFile
from kgrag.records.concepts import ConceptType
from kgrag.vocabulary.lexicon import SYNONYM, WEAK, Retired
from kgrag.vocabulary.prefixes import canonical, prefixes
from kgrag_ingest.ontologies.base import Entry, Name
from kgrag_ingest.ontologies.loaders.base import Draft, Options, text_lines
from kgrag_ingest.ontologies.obo import Term, parse

_HEADER: Final = re.compile(r"(?m)^(?:format-version:|\[Term\]|ontology: )")
_LICENCE: Final = re.compile(
    r'property_value: \S*licen[cs]e\S* "?([^"\s]+(?: [^"\s]+)*?)"?(?: xsd:\S+)?$'
)
_TITLE: Final = re.compile(r'property_value: \S*title\S* "([^"]+)"')
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_OBSOLETE: Final = re.compile(r"(?i)^obsolete[ _]")


class Obo:
    """Terms with names, synonyms, parents, cross-references and retired ids."""

    kind = "obo"

    def recognises(self, path: Path, head: str) -> bool:
        return path.is_file() and (path.name.endswith((".obo", ".obo.gz")) or _is_obo(head))

    def read(self, path: Path, draft: Draft, options: Options) -> None:
        header: list[str] = []
        terms: list[Term] = []
        lines = (line for _, line in text_lines(path, draft))
        for term in parse(lines, header):
            terms.append(term)
        if not terms:
            raise UnreadableFile(str(path), "holds no [Term]: it is no OBO file, or is cut off")
        own = _own_prefix(terms, header)
        draft.authority.add(own)
        _read_header(header, draft, own)
        type_ = type_of(own, options)
        for term in terms:
            if not term.id.startswith(f"{own}:"):
                draft.counts["terms of other ontologies left out"] += 1
            elif term.obsolete:
                draft.retired.append(_retired(term))
            else:
                _take(term, type_, draft)


def type_of(prefix: str, options: Options) -> ConceptType:
    """The type that the user said, else that of the prefix, else ``other``."""
    known = prefixes().get(prefix)
    return options.type or (known.type if known else None) or "other"


def _is_obo(head: str) -> bool:
    return _HEADER.search(head) is not None


def _own_prefix(terms: list[Term], header: list[str]) -> str:
    """The prefix that the ontology's name says, where terms have it; else the commonest."""
    spelled = Counter(term.id.partition(":")[0] for term in terms if ":" in term.id)
    named = [line.partition(": ")[2].strip().upper() for line in header if "ontology: " in line]
    said = next((prefix for prefix in spelled if prefix.upper() in named), None)
    return said or (spelled.most_common(1)[0][0] if spelled else "")


def _read_header(header: list[str], draft: Draft, own: str) -> None:
    for line in header:
        if line.startswith("data-version: "):
            draft.version = line.partition(": ")[2].strip()
        elif line.startswith("ontology: ") and draft.name is None:
            draft.name = line.partition(": ")[2].strip()
        elif found := _LICENCE.match(line):
            draft.licence = found[1]
        elif found := _TITLE.match(line):
            draft.name = found[1]
    dated = _DATE.search(draft.version or "")
    draft.date = dated[0] if dated else None
    draft.name = draft.name or own


def _retired(term: Term) -> Retired:
    name = _OBSOLETE.sub("", term.name)
    return Retired(_id(term.id), name, tuple(map(_id, term.replaced_by)), "")


def _id(identifier: str) -> str:
    return canonical(identifier) or identifier


def _take(term: Term, type_: ConceptType, draft: Draft) -> None:
    curie = _id(term.id)
    if not term.name:
        draft.problem(term.id, "has no name")
        return
    names: list[Name] = []
    for text, scope, kind in term.synonyms:
        if scope == "EXACT" and "DEPRECATED" not in kind.upper() and kind != "obsolete_synonym":
            # OMO:0003000 is the abbreviation of the OBO metadata ontology.
            cased = "abbreviation" in kind.lower() or kind == "OMO:0003000" or _is_short(text)
            names.append(Name(text, WEAK if "BRAND" in kind else SYNONYM, cased))
        else:
            draft.counts["inexact synonyms left out"] += 1
    draft.counts["exact synonyms"] += len(names)
    draft.entries.append(
        Entry(
            curie,
            term.name,
            type_,
            names,
            parents=list(dict.fromkeys(map(_id, term.parents))),
            # Merged ids join what others call by them; in the lexicon they are retired ones.
            same_as=[*map(_id, term.alternatives), *draft.xrefs(term.xrefs)],
        )
    )
    for other in term.alternatives:
        draft.retired.append(Retired(_id(other), term.name, (curie,), ""))


def _is_short(text: str) -> bool:
    return " " not in text and len(text) <= 5 and text.upper() == text
