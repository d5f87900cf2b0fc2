"""Planted edits: sentences of the data with one known change of meaning, and true light rewrites.

    KGRAG_DATA=... python bench/planted_edits.py build     # draws, and writes the frozen list
    KGRAG_DATA=... python bench/planted_edits.py measure   # today's checks over all pairs

A pair is a source sentence and a statement made from it by code. Eleven kinds of edit make the
statement wrong; rewrites leave it true. The drawing knows none of the product's rules: its words
are its own (``planted_kinds.py``, ``labels/planted_edits_words.json``), frozen before rules for
it. ``labels/planted_edits.json`` holds, for each pair, file, key, offsets, kind and the pieces of
the statement: spans of the source sentence and words of ours or names of the lexicon, never a
sentence of others. Documents fall into two parts by their key: one in five are ``choose`` (for a
threshold), the others ``report``. Rules are written on other text: neither part is to be read.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import os
import random
import re
import tarfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from planted_kinds import KINDS, WORDS_FILE, Named, Names, Pieces, ways_of

from kgrag.sentences import sentences

LABELS: Final = Path(__file__).parent / "labels"
FROZEN: Final = LABELS / "planted_edits.json"
SEED: Final = 20261121
QUOTA: Final = 210  # pairs of each kind of edit
REWRITES: Final = 840
PER_DOCUMENT: Final = 8  # pairs of one document
ARTICLES: Final = 230  # of jats_more, drawn by the seed


@dataclass(frozen=True, slots=True)
class Pair:
    """A source sentence and the statement made of it; ``detail`` names the way it was made."""

    file: str
    key: str
    start: int
    end: int
    kind: str
    detail: str
    pieces: Pieces
    source: str

    @property
    def statement(self) -> str:
        return "".join(p if isinstance(p, str) else self.source[p[0] : p[1]] for p in self.pieces)

    @property
    def part(self) -> str:
        return "choose" if zlib.crc32(f"{self.file}|{self.key}".encode()) % 5 == 0 else "report"

    @property
    def is_edit(self) -> bool:
        return self.kind != "rewrite"


# Documents -----------------------------------------------------------------------------------


def documents(
    data: Path, wanted: set[tuple[str, str]] | None = None
) -> Iterator[tuple[str, str, str, str]]:
    """(file, key, sha256 of what was read, text) of each document, or of those ``wanted``."""

    def want(file: str, key: str) -> bool:
        return wanted is None or (file, key) in wanted

    for file, field in (
        ("corpora/drug_labels/dailymed_indication_text.jsonl", None),
        ("bench/bioasq_golden/snippet_corpus.jsonl", "pmid"),
    ):
        grouped: dict[str, list[str]] = defaultdict(list)
        for number, line in enumerate(
            (data / file).read_text(encoding="utf-8").rstrip("\n").split("\n")
        ):
            row = json.loads(line)
            grouped[str(row[field]) if field else str(number)].append(row["text"])
        for key, texts in grouped.items():
            if want(file, key):
                text = "\n".join(" ".join(t.split()) for t in dict.fromkeys(texts))
                yield file, key, _sha256(text.encode()), text
    folder = "corpora/openstax_nursing/modules"
    for path in sorted((data / folder).glob("*.md")):
        if want(folder, path.name):
            raw = path.read_bytes()
            yield folder, path.name, _sha256(raw), raw.decode("utf-8")
    archive = "corpora/jats_more.tar.xz"
    if wanted is not None and not any(file == archive for file, _ in wanted):
        return
    with tarfile.open(data / archive) as tar:
        for member in tar:
            if not member.isfile() or not want(archive, member.name):
                continue
            if wanted is None and zlib.crc32(f"{SEED}{member.name}".encode()) % 1095 >= ARTICLES:
                continue
            stream = tar.extractfile(member)
            assert stream is not None
            raw = stream.read()
            yield archive, member.name, _sha256(raw), _paragraphs(raw.decode("utf-8", "replace"))


_PARAGRAPH: Final = re.compile(r"<p(?: [^>]*)?>(.*?)</p>", re.S)
_LEFT_OUT: Final = re.compile(
    r"<(table-wrap|fig|disp-formula|inline-formula|tex-math|xref|ref-list|ack|fn)\b.*?</\1>", re.S
)


def _paragraphs(xml: str) -> str:
    lines = []
    for found in _PARAGRAPH.finditer(_LEFT_OUT.sub("", xml)):
        lines.append(" ".join(html.unescape(re.sub(r"<[^>]+>", "", found[1])).split()))
    return "\n".join(lines)


def _sha256(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


_ODD: Final = re.compile(
    r"[\[\]{}|<>*#_\\•†‡§]|https?:|www\.|\b(?:[Ff]igures?|[Tt]ables?|[Ff]ig|[Ss]ee|[Bb]ox|"
    r"[Ss]ection|[Ss]upplement\w*|[Aa]ppendix|et al|[Cc]opyright|[Ll]icen[cs]e|authors?|"
    r"[Hh]ypothes\w+|[A-Z][A-Za-z]+,? (?:19|20)\d\d|Questionnaire|questionnaire|"
    r"we|our|us|We|Our)\b|\( ?\)|,,|\(,|[\"“”‘]"
    r"|[A-Z]{2,} [A-Z]{2,} [A-Z]{2,}"
)


def is_plain(sentence: str) -> bool:
    """Whether the sentence is one of ordinary prose that an edit leaves grammatical."""
    words = sentence.split()
    return (
        8 <= len(words) <= 45
        and sentence[0].isupper()
        and sentence[-1] == "."
        and not _ODD.search(sentence)
        and sentence.count("(") == sentence.count(")")
        and sum(c.isalpha() or c == " " for c in sentence) > 0.85 * len(sentence)
        and not re.search(r"[a-z][A-Z]|[.;:?!] [A-Z]|[a-z]\.[A-Z]| [,.;]", sentence)
        and any(w in words for w in VERBS)
    )


VERBS: Final = frozenset(
    "is are was were may can should has have had will could might must did does do showed shows "
    "received occurred causes inhibits reduces increases decreased increased reduced improved "
    "include includes become became used suggest suggests".split()
)


# Drawing --------------------------------------------------------------------------------------


def build(data: Path) -> list[Pair]:
    """The pairs, drawn by the seed; minutes, since every plain sentence is linked."""
    from kgrag.linking.linker import Linker
    from kgrag.vocabulary.lexicon import Lexicon

    linker = Linker(Lexicon.open())
    # One in three of the many snippets: enough, and linking is what takes the time.
    found: list[tuple[str, str, int, int, str, tuple[Named, ...]]] = []
    seen: set[str] = set()
    for file, key, _, text in documents(data):
        if "bioasq" in file and zlib.crc32(f"{SEED}{key}".encode()) % 3:
            continue
        for span in sentences(text):
            sentence = span.of(text)
            if span.end - span.start > 320 or sentence in seen or not is_plain(sentence):
                continue
            seen.add(sentence)
            names = tuple(
                Named(m.start, m.end, m.text, m.concept, m.type)
                for m in linker.link(sentence)
                if m.score >= 0.9 and m.type in ("drug", "disease", "phenotype")
            )
            found.append((file, key, span.start, span.end, sentence, names))
    pool = _pool([names for *_, names in found], linker.lexicon)
    return _draw(found, pool)


def _pool(named: Sequence[Sequence[Named]], lexicon: Any) -> Names:
    """Names seen at least three times, and what counts as kin: never one to swap for the other."""
    counts = Counter((n.type, n.text, n.concept) for names in named for n in names)
    by_type: dict[str, list[tuple[str, str]]] = defaultdict(list)
    by_concept: dict[str, list[str]] = defaultdict(list)
    for (kind, text, concept), count in sorted(counts.items()):
        if text.islower() and count >= 3:
            by_type[kind].append((text, concept))
            by_concept[concept].append(text)
    families: dict[str, tuple[set[str], set[str]]] = {}

    def family(curie: str) -> tuple[set[str], set[str]]:
        if curie not in families:
            concept = lexicon.concept(curie)
            above = {curie, *lexicon.equivalents(curie), *lexicon.ancestors(curie)}
            spelled = {n.casefold() for n in (concept.name, *concept.synonyms)}
            families[curie] = above, spelled
        return families[curie]

    def kin(one: str, other: str) -> bool:
        (above_one, names_one), (above_other, names_other) = family(one), family(other)
        return (
            one in above_other
            or other in above_one
            or bool(names_one & names_other)
            or bool(set(lexicon.equivalents(one)) & set(lexicon.equivalents(other)))
            or any(
                a in b or b in a for a in names_one for b in names_other if min(len(a), len(b)) > 4
            )
        )

    return Names(by_type, by_concept, kin)


# Kinds drawn from any sentence; the others from those that name a drug, disease or finding.
_ANY_SUBJECT: Final = ("dose", "unit", "number", "cause", "rewrite")
_MOST: Final = {"concept": 1.0, "negation": 0.6, "number": 0.5, "dose": 0.6, "drug": 0.3}
"""The largest share of a kind that is made in one way."""


def _draw(
    found: Sequence[tuple[str, str, int, int, str, tuple[Named, ...]]], pool: Names
) -> list[Pair]:
    """Quotas filled, the rarest kinds first; a sentence is used once, a document a few times."""
    order = list(range(len(found)))
    random.Random(SEED).shuffle(order)
    used: set[int] = set()
    by_document: Counter[tuple[str, str]] = Counter()
    pairs: list[Pair] = []
    for kind in (
        "dose",
        "unit",
        "drug",
        "cause",
        "population",
        "condition",
        "hedge",
        "negation",
        "direction",
        "concept",
        "number",
        "rewrite",
    ):
        quota = REWRITES if kind == "rewrite" else QUOTA
        details: Counter[str] = Counter()
        for number in order:
            file, key, start, end, sentence, names = found[number]
            if sum(details.values()) >= quota:
                break
            if kind not in _ANY_SUBJECT and not names:
                continue
            if number in used or by_document[file, key] >= PER_DOCUMENT:
                continue
            rng = random.Random(f"{SEED}|{kind}|{file}|{key}|{start}")
            ways = [
                w
                for w in ways_of(kind, sentence, names, rng, pool)
                if details[w[0]] < quota * _MOST.get(kind, 0.2)
            ]
            if not ways:
                continue
            detail, statement = min(ways, key=lambda w: (details[w[0]], w[0]))
            pair = Pair(file, key, start, end, kind, detail, statement, sentence)
            if " ".join(pair.statement.split()) != pair.statement or pair.statement == sentence:
                continue
            pairs.append(pair)
            details[detail] += 1
            used.add(number)
            by_document[file, key] += 1
    return sorted(pairs, key=lambda p: (p.file, p.key, p.start))


# Frozen -----------------------------------------------------------------------------------------


def generator_sha256() -> str:
    """The digest of this file up to where measuring begins, of its kinds and of its words."""
    code = Path(__file__).read_text(encoding="utf-8").partition(_MEASURING)[0]
    kinds = Path(__file__).with_name("planted_kinds.py").read_bytes()
    return _sha256(code.encode() + kinds + WORDS_FILE.read_bytes())


def digest(pairs: Sequence[Pair]) -> str:
    """The digest of all sources, statements and kinds, in order."""
    lines = [f"{p.kind}\t{p.detail}\t{p.source}\t{p.statement}" for p in pairs]
    return _sha256("\n".join(lines).encode())


def freeze(pairs: Sequence[Pair], data: Path, path: Path = FROZEN) -> None:
    """Write how the pairs are made again from the data, with the digests that hold them."""
    wanted = {(p.file, p.key) for p in pairs}
    digests = [[f, k, sha] for f, k, sha, _ in documents(data, wanted)]
    number = {(f, k): at for at, (f, k, _) in enumerate(digests)}
    record = {
        "seed": SEED,
        "frozen": "2026-11-21",
        "generator_sha256": generator_sha256(),
        "pairs_sha256": digest(pairs),
        "documents": digests,
        "pairs": [
            [number[p.file, p.key], p.start, p.end, p.kind, p.detail, list(p.pieces)] for p in pairs
        ],
    }
    text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    path.write_text(text.replace("],[", "],\n[") + "\n", encoding="utf-8")


def read(data: Path, path: Path = FROZEN) -> list[Pair]:
    """The frozen pairs, their sentences read anew; ``ValueError`` when the data reads otherwise."""
    record = json.loads(path.read_text(encoding="utf-8"))
    held = {(f, k): sha for f, k, sha in record["documents"]}
    texts: dict[tuple[str, str], str] = {}
    for file, key, sha, text in documents(data, set(held)):
        if held[file, key] != sha:
            raise ValueError(f"{file} {key} is not what the pairs were drawn from")
        texts[file, key] = text
    pairs = []
    for at, start, end, kind, detail, parts in record["pairs"]:
        file, key, _ = record["documents"][at]
        if (file, key) not in texts:
            raise ValueError(f"{file} {key} is missing")
        spans = tuple(p if isinstance(p, str) else (p[0], p[1]) for p in parts)
        source = texts[file, key][start:end]
        pairs.append(Pair(file, key, start, end, kind, detail, spans, source))
    if digest(pairs) != record["pairs_sha256"]:
        raise ValueError("the pairs are not the frozen ones")
    return pairs


_MEASURING: Final = "# Measur" + "ing ---"

# Measuring --------------------------------------------------------------------------------------


def measure(pairs: Sequence[Pair]) -> str:
    """Today's checks and two baselines over all pairs, by kind, as a Markdown table.

    An edit is caught, and a rewrite raises a false alarm, when the verdict is not ``supported``.
    The evidence is the source sentence alone. The baselines' thresholds are chosen on the part
    ``choose``: the cosine that catches most at 2% false alarms there; coverage has no threshold.
    """
    import numpy as np
    from statistics_of import share

    from kgrag.encoding import load_encoder
    from kgrag.linking.linker import Linker
    from kgrag.reasoning.coverage import content_words, missing
    from kgrag.verification import verify_json
    from kgrag.vocabulary.lexicon import Lexicon

    linker = Linker(Lexicon.open())
    verdicts = [verify_json(p.statement, [p.source], linker=linker)["verdict"] for p in pairs]
    encoder = load_encoder("all-minilm-l6-v2")
    sources = encoder.encode([p.source for p in pairs])
    statements = encoder.encode([p.statement for p in pairs])
    cosines = np.einsum("pd,pd->p", sources, statements)
    kept = [c for c, p in zip(cosines, pairs, strict=True) if not p.is_edit and p.part == "choose"]
    threshold = float(np.quantile(kept, 0.02))
    alarms = {
        "verify": [v != "supported" for v in verdicts],
        "contradicted": [v == "contradicted" for v in verdicts],
        "cosine": [bool(c < threshold) for c in cosines],
        "coverage": [
            bool(missing(p.statement, [p.source]) or not content_words(p.statement)) for p in pairs
        ],
    }
    lines = ["| part, kind | pairs | " + " | ".join(alarms) + " |", "|---" * 6 + "|"]

    def row(name: str, chosen: Sequence[int]) -> None:
        cells = [share(sum(found[i] for i in chosen), len(chosen)) for found in alarms.values()]
        lines.append(f"| {name} | {len(chosen)} | " + " | ".join(cells) + " |")

    for part in ("report", "choose"):
        at = [i for i, p in enumerate(pairs) if p.part == part]
        row(f"{part}: all edits, caught", [i for i in at if pairs[i].is_edit])
        row(f"{part}: rewrites, false alarms", [i for i in at if not pairs[i].is_edit])
        if part == "report":
            for kind in KINDS:
                row(kind, [i for i in at if pairs[i].kind == kind])
            rewrites = [i for i in at if not pairs[i].is_edit]
            for way in sorted({_family(pairs[i]) for i in rewrites}):
                row(f"rewrite: {way}", [i for i in rewrites if _family(pairs[i]) == way])
    return "\n".join([f"cosine below {threshold:.4f}", "", *lines])


def _family(pair: Pair) -> str:
    return "amount" if " to " in pair.detail and "last" not in pair.detail else pair.detail


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("build", "measure"))
    arguments = parser.parse_args()
    data = Path(os.environ["KGRAG_DATA"])
    if arguments.what == "build":
        pairs = build(data)
        freeze(pairs, data)
        print(Counter(p.kind for p in pairs), len(pairs), Counter(p.part for p in pairs))
    else:
        from machine import describe

        print(describe())
        print(measure(read(data)))


if __name__ == "__main__":
    main()
