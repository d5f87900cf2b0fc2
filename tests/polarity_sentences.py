"""The sentences of ``golden/polarity.txt`` and how what was found in one is judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kgrag.linking.normalise import variants
from kgrag.records.assertions import Assertion
from kgrag.records.concepts import Concept, ConceptType
from kgrag.records.text import Block, Document, Source
from kgrag.vocabulary.compile import write_lexicon
from kgrag.vocabulary.lexicon import GENERATED, PREFERRED, Lexicon

FILE = Path(__file__).with_name("golden") / "polarity.txt"
_NAMES = re.compile(r"(drug|chemical|procedure|disease|phenotype|other): (.*)")


@dataclass(frozen=True, slots=True)
class Edge:
    """What a sentence says, in its own names; ``condition`` are words that must be kept."""

    subject: str
    predicate: str
    object: str
    negated: bool
    condition: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, the group it belongs to and its edges."""

    text: str
    group: str
    edges: tuple[Edge, ...]

    def document(self) -> Document:
        """A document of this one paragraph."""
        return Document(
            "doc_polarity", Source("c", "polarity"), "polarity.txt", "text/plain", "0" * 64,
            "polarity/1", self.text, blocks=(Block("paragraph", 0, len(self.text)),),
        )  # fmt: skip

    def problems(
        self, found: Iterable[Assertion], same: Callable[[str, str], bool]
    ) -> tuple[str, ...]:
        """What is missing and what is too much; ``same`` compares a CURIE with a name."""
        open_edges = list(self.edges)
        wrong = []
        for made in found:
            fits = [edge for edge in open_edges if _fits(edge, made, same)]
            if fits:
                open_edges.remove(fits[0])
            elif not any(_fits(edge, made, same) for edge in self.edges):
                no = "not " if made.negated else ""
                wrong.append(
                    f"said {made.subject} {no}{made.predicate} {made.object} {made.qualifiers}"
                )
        return (*wrong, *(f"missed {edge}" for edge in open_edges if edge.needed))


def _fits(edge: Edge, made: Assertion, same: Callable[[str, str], bool]) -> bool:
    ends = [(made.subject, made.object)]
    if edge.predicate == "interacts_with":
        ends.append((made.object, made.subject))
    return (
        (edge.predicate, edge.negated) == (made.predicate, made.negated)
        and edge.condition in dict(made.qualifiers).get("condition", "").lower()
        and any(same(s, edge.subject) and same(o, edge.object) for s, o in ends)
    )


def read(path: Path = FILE) -> tuple[dict[str, ConceptType], list[Sentence]]:
    """The type of every name, and the sentences in order."""
    names: dict[str, ConceptType] = {}
    sentences: list[Sentence] = []
    group = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        typed = _NAMES.fullmatch(line)
        if line.startswith("## "):
            group = line.removeprefix("## ")
        elif not line or line.startswith("#"):
            continue
        elif typed is not None and not group:
            kind: ConceptType = typed.group(1)  # type: ignore[assignment]
            names |= {n.strip(): kind for n in typed.group(2).split(",") if n.strip()}
        elif line.startswith("    "):
            last = sentences[-1]
            sentences[-1] = Sentence(last.text, last.group, (*last.edges, _edge(line.strip())))
        else:
            sentences.append(Sentence(line, group, ()))
    return names, sentences


def _edge(line: str) -> Edge:
    needed = not line.startswith("? ")
    subject, predicate, obj, *rest = (part.strip() for part in line.removeprefix("? ").split("|"))
    condition = rest[0].removeprefix("condition:").strip() if rest else ""
    return Edge(
        subject, predicate.removeprefix("not "), obj, predicate.startswith("not "), condition,
        needed,
    )  # fmt: skip


def own_lexicon(path: Path) -> Lexicon:
    """A lexicon of the list's own names and no other: what is measured is the extraction."""
    types, _ = read()
    concepts = [Concept(f"X:{name.replace(' ', '_')}", name, kind) for name, kind in types.items()]
    names: dict[str, dict[str, tuple[int, bool]]] = {}
    for concept in concepts:
        for number, spelled in enumerate(variants(concept.name, plural=True)):
            kind = GENERATED if number else PREFERRED
            names.setdefault(spelled, {}).setdefault(concept.curie, (kind, False))
    write_lexicon(path, concepts, names, registry=[{"id": "polarity", "version": "1"}])
    return Lexicon.open(path)


def is_own(curie: str, name: str) -> bool:
    """Whether the CURIE of ``own_lexicon`` is that of the name."""
    return curie == f"X:{name.replace(' ', '_')}"
