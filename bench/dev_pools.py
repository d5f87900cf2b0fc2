"""Development pools for ranking sentences: questions with citable pieces and their worth.

Kinds: BioASQ questions over the snippet corpus (a piece is gold when it lies in a gold snippet and,
for factoids and lists, holds the exact answer), SciFact claims over all abstracts (gold: the
rationale sentences), Evidence Inference questions over the paragraphs of the trial's full text
(gold: the annotated span), MedQuAD questions over its pages, questions of general knowledge, and
``guide``: questions written for this purpose to sentences drawn at random from a kb of the corpora
(``labels/guide_questions.jsonl``), each with and without the document of its sentence. cpgQA is not
read. Pools are kept in ``bench/.cache``.

    KGRAG_DATA=... python bench/dev_pools.py KIND [--questions 90] [--kb DIR, for guide]
"""

from __future__ import annotations

import argparse
import json
import math
import os
import pickle
import random
import sys
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kgrag.encoding import load_encoder
from kgrag.ids import sha256
from kgrag.reasoning.coverage import content_words
from kgrag.records.text import Span
from kgrag.retrieval.context import Citable
from kgrag.retrieval.rerank_features import cheap_features
from kgrag.sentences import sentences

# bench/refusal.py reports on other questions.
GENERAL = """Who painted the ceiling of the Sistine Chapel?
What is the capital of Mongolia?
How many strings does a violin have?
When did the Berlin Wall fall?
What is the boiling point of iron?
Who wrote the novel Moby Dick?
How do I change a bicycle tyre?
Which planet has the most moons?
What is the exchange rate of the yen?
How long should I boil an egg?
Who won the football world cup in 1998?
What does a compiler do?
Which river flows through Budapest?
How do you play the Sicilian defence?
What is the tallest building in Dubai?
Who invented the telephone?
What is the speed limit on German motorways?
How are diamonds cut?
What is a sonnet?
When should tomatoes be planted?
What is the best way to clean a cast iron pan?
How does a nuclear reactor produce power?
Who was the first emperor of China?
How do I train a dog to sit?
What are the ingredients of pesto?
What causes earthquakes?
How long does a patent last?
What are the rules of offside in football?
Which gas do plants take in?
How do I file a tax return?
What is the difference between a crocodile and an alligator?
When was the Magna Carta signed?
What are the symptoms of a failing car battery?
How often should I change the oil of my car?
What is the treatment of damp walls?
What is the recommended tyre pressure for a touring bike?
Who should use a road tax disc?
How much does a kilogram of saffron cost?
What is inflation in economics?
How do bees make honey?
Which instruments are in a string quartet?
What is the dose of fertiliser for a lawn?
What are risk factors for a computer virus infection?
How do I get rid of rust?
What is the prognosis for the housing market?
How do volcanoes form?
What is the first line of the national anthem of France?
Who designed the Eiffel Tower?
How do I prevent condensation on windows?
What are the side effects of a strong currency?
How do I pass a driving test?
What is the theory of plate tectonics?
How many countries are in Africa?
Which tree has the widest trunk?
How is whisky aged?
What is the purpose of a keel on a boat?
When do clocks go back in autumn?
How should wine be stored?
What is the life expectancy of a washing machine?
Which programming language is used for web pages?""".splitlines()
CACHE = Path(__file__).with_name(".cache")
QUESTIONS = Path(__file__).parent / "labels" / "guide_questions.jsonl"
SHORT = 32
KINDS = ("bioasq", "scifact", "trials", "medquad", "general", "guide")


@dataclass
class Pool:
    """One question's short list. ``gold`` in [0, 1] by piece; ``similar`` (pieces, tokens of the
    question) holds the highest cosine of each question token to a token of the piece, ``place``
    the same to a token of its title and headings."""

    kind: str
    key: str
    question: str
    answerable: bool
    pieces: list[Citable]
    gold: np.ndarray
    similar: np.ndarray
    cosine: np.ndarray
    sentence_cosine: np.ndarray
    place: np.ndarray

    @property
    def held_out(self) -> bool:
        return zlib.crc32(self.key.encode()) % 2 == 1


class Lexical:
    """BM25 as plain posting lists."""

    def __init__(self, texts: list[str]) -> None:
        self.postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        words = [content_words(t) for t in texts]
        mean = sum(map(len, words)) / len(words)
        for at, listed in enumerate(words):
            norm = 1.2 * (0.25 + 0.75 * len(listed) / mean)
            for word, n in Counter(listed).items():
                self.postings[word].append((at, n * 2.2 / (n + norm)))
        self.total = len(texts)

    def top(self, question: str, without: set[int], limit: int) -> list[tuple[int, float]]:
        scores: Counter[int] = Counter()
        for word in set(content_words(question)):
            posting = self.postings.get(word, [])
            idf = math.log(1 + (self.total - len(posting) + 0.5) / (len(posting) + 0.5))
            for at, value in posting:
                if at not in without:
                    scores[at] += idf * value
        return scores.most_common(limit)


def records(path):
    # Not splitlines: the texts hold line separators of Unicode.
    return [json.loads(line) for line in path.read_text().split("\n") if line.strip()]


def flat(text):
    return " ".join(text.lower().split())


def z(values):
    values = np.asarray(values, dtype=float)
    spread = values.std()
    return (values - values.mean()) / spread if spread else np.zeros_like(values)


def cut(found, title=""):
    """Pieces of passages ``(identifier, text, spans, bm25, cosine, section)``, best first."""
    pieces = []
    for rank, (identifier, text, spans, bm25, cosine, section) in enumerate(found):
        spans = spans or [s for s in sentences(text) if len(s.of(text).split()) >= 4]
        for i, span in enumerate(spans):
            if 4 <= len(span.of(text).split()) <= 60:
                before = " ".join(s.of(text) for s in spans[max(0, i - 4) : i])
                pieces.append(
                    Citable(len(pieces), str(identifier), str(identifier), span.start, span.end,
                            span.of(text), Span(span.start, span.end), "paragraph", section, title,
                            None, before, 0.0, rank, bm25, bm25, cosine)
                )  # fmt: skip
    return pieces


def made(kind, key, question, answerable, pieces, gold, encoder, short=None):
    """The pool of the pieces ``short``, by default the best by an unfitted sum of z-scores."""
    if short is None:
        rows = cheap_features(question, pieces)
        total = z(rows[:, 0]) + z(rows[:, 2]) + z(rows[:, 6]) + z(rows[:, 5])
        short = np.argsort(-total, kind="stable")[:SHORT]
    listed = [replace(pieces[i], number=n) for n, i in enumerate(short)]
    places = sorted({c.place for c in listed})
    texts = [question, *(c.text for c in listed), *places]
    vectors, states = encoder.encode_both(texts)
    asked, own, headings = states[0], states[1 : 1 + len(listed)], states[1 + len(listed) :]

    def best(state):
        return (asked @ state.T).max(axis=1) if len(state) else asked[:, 0] * 0

    met = {place: best(state) for place, state in zip(places, headings, strict=True)}
    unit = [s.mean(axis=0) / np.linalg.norm(s.mean(axis=0)) for s in (asked, *own)]
    return Pool(kind, key, question, answerable, listed, np.array([gold[i] for i in short]),
                np.stack([best(s) for s in own]), np.array([u @ unit[0] for u in unit[1:]]),
                vectors[1 : 1 + len(listed)] @ vectors[0],
                np.stack([met[c.place] for c in listed]))  # fmt: skip


def bioasq(folder, limit, encoder):
    questions = records(folder / "bioasq_golden" / "questions.jsonl")
    snippets = records(folder / "bioasq_golden" / "snippet_corpus.jsonl")
    of_pmid, of_text = defaultdict(set), defaultdict(set)
    for at, snippet in enumerate(snippets):
        of_pmid[snippet["pmid"]].add(at)
        of_text[snippet["text"].strip()].add(at)
    lexical = Lexical([s["text"] for s in snippets])
    for question in random.Random(7).sample(questions, limit):
        text = question["question"]
        gold = {i for s in question["snippets"] for i in of_text[s["text"].strip()]}
        removed = {i for d in question["documents"] for i in of_pmid[d.rsplit("/", 1)[-1]]} | gold
        asked = encoder.encode([text])[0]
        for answerable, without in ((True, set()), (False, removed)):
            top = lexical.top(text, without, 15)
            if not top:
                continue
            cosines = encoder.encode([snippets[i]["text"][:700] for i, _ in top]) @ asked
            pieces = cut([(i, snippets[i]["text"], None, b, float(c), ())
                          for (i, b), c in zip(top, cosines, strict=True)])  # fmt: skip
            if len(pieces) < 3:
                continue
            worth = [bioasq_worth(p, question, gold) for p in pieces]
            yield made("bioasq", question["id"], text, answerable, pieces, worth, encoder)


def bioasq_worth(piece, question, gold):
    if int(piece.passage_id) not in gold:
        return 0.0
    exact = question.get("exact_answer")
    if question["type"] in ("factoid", "list") and isinstance(exact, list):
        names = [n for group in exact for n in (group if isinstance(group, list) else [group])]
        return float(any(flat(str(n)) in flat(piece.text) for n in names))
    asked = set(content_words(question["question"]))
    mine, best = set(content_words(piece.text)) - asked, 0.0
    for ideal in question["ideal_answer"]:
        wanted = set(content_words(ideal)) - asked
        if wanted and mine:
            best = max(best, 2 * len(wanted & mine) / (len(wanted) + len(mine)))
    return best


def scifact(folder, limit, encoder):
    corpus = records(folder / "scifact" / "corpus.jsonl")
    claims = [c for c in records(folder / "scifact" / "claims_train.jsonl") if c["evidence"]]
    lexical = Lexical([d["title"] + " " + d["text"] for d in corpus])
    for claim in random.Random(7).sample(claims, limit):
        asked = encoder.encode([claim["claim"]])[0]
        top = lexical.top(claim["claim"], set(), 8)
        cosines = encoder.encode([corpus[i]["text"][:900] for i, _ in top]) @ asked
        pieces = []
        for rank, ((i, score), cosine) in enumerate(zip(top, cosines, strict=True)):
            document, at = corpus[i], 0
            text = " ".join(document["sentences"])
            spans = []
            for sentence in document["sentences"]:
                spans.append(Span(at, at + len(sentence)))
                at += len(sentence) + 1
            row = (document["_id"], text, spans, score, float(cosine), ())
            pieces += [replace(p, rank=rank) for p in cut([row], document["title"])]
        gold = set()
        for identifier, groups in claim["evidence"].items():
            document = next(d for d in corpus if d["_id"] == identifier)
            wanted = {s for g in groups for s in g["sentences"]}
            gold |= {(identifier, document["sentences"][s]) for s in wanted}
        worth = [float((p.document_id, p.text) in gold) for p in pieces]
        yield made("scifact", claim["id"], claim["claim"], True, pieces, worth, encoder)


def trials(folder, limit, encoder):
    from lxml import etree

    prompts = records(folder / "evidence_inference" / "prompts_annotations.jsonl")
    articles = folder.parent / "corpora" / "jats"
    usable = [p for p in prompts if p["annotations"] and (articles / f"{p['pmcid']}.nxml").exists()]
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    for p in random.Random(7).sample(usable, min(limit, len(usable))):
        tree = etree.parse(str(articles / f"{p['pmcid']}.nxml"), parser)
        title = " ".join("".join(tree.find(".//article-title").itertext()).split())
        found = []
        for node in tree.iterfind(".//p"):
            text = " ".join("".join(node.itertext()).split())
            names = [" ".join("".join(t.itertext()).split())
                     for up in reversed(list(node.iterancestors("sec")))
                     for t in up.findall("title")]  # fmt: skip
            if len(text.split()) >= 8:
                found.append((text, tuple(names)))
        question = (f"What is the effect of {p['intervention']} compared with {p['comparator']} "
                    f"on {p['outcome']}?")  # fmt: skip
        top = Lexical([t for t, _ in found]).top(question, set(), 12)
        vectors = encoder.encode([question, *(found[i][0][:900] for i, _ in top)])
        pieces = cut([(i, found[i][0], None, b, float(v @ vectors[0]), found[i][1])
                      for (i, b), v in zip(top, vectors[1:], strict=True)], title)  # fmt: skip
        gold = [set(content_words(a["evidence"])) for a in p["annotations"]]
        worth = [max((len(set(content_words(c.text)) & g) / max(1, len(g)) for g in gold if g),
                     default=0.0) for c in pieces]  # fmt: skip
        worth = [w if w >= 0.6 else 0.0 for w in worth]
        if pieces:
            yield made("trials", p["prompt_id"], question, True, pieces, worth, encoder)


def medquad(folder, limit, encoder):
    """Each question twice: as it is, and without the pages of its focus that answer its type."""
    path = folder.parent / "corpora" / "medquad" / "qa_with_answers.jsonl"
    rows = [r for r in records(path) if r.get("answer")]
    lexical = Lexical([f"{r['focus']} {r['answer'][:4000]}" for r in rows])
    for row in random.Random(11).sample(rows, limit):
        names = {row["focus"].lower(), *(s.lower() for s in row["synonyms"])}
        same = {i for i, r in enumerate(rows)
                if r["focus"].lower() in names and r["qtype"] == row["qtype"]}  # fmt: skip
        for answerable, without in ((True, set()), (False, same)):
            pieces = pages(row["question"], rows, lexical, without, encoder)
            if pieces:
                worth = [float(answerable and int(p.document_id) in same) for p in pieces]
                yield made("medquad", row["question"], row["question"], answerable, pieces, worth,
                           encoder)  # fmt: skip


def guide(folder, limit, encoder, kb):
    """Questions to guideline sentences, through the whole retrieval of a kb of the corpora.

    Without its document a question may still have an answer; those for which reading found one
    (``elsewhere``) have no second pool.
    """
    from kgrag import Engine
    from kgrag.retrieval.context import build_context
    from kgrag.retrieval.rerank import SHORTLIST, Weights, standard
    from kgrag.retrieval.rerank_features import CHEAP

    weights = Weights.load().cheap
    with Engine.open(kb) as engine:
        barred = [d.id for d in engine.truth.documents(collection="cpgqa")]
        sources = {(d.source.collection, d.source.identifier): d.id
                   for d in engine.truth.documents()}  # fmt: skip
        for label in records(QUESTIONS)[:limit]:
            home = sources[label["collection"], label["identifier"]]
            asked = sentence_of(engine.truth.document(home), label)
            if asked is None:
                print(f"{label['identifier']} was cut otherwise, left out", file=sys.stderr)
                continue
            text = asked.of(engine.truth.document(home).text)
            for answerable in (True, False):
                without = (*barred, *(() if answerable else (home,)))
                found = engine.retriever.candidates(
                    label["question"], limit=20, without_documents=without
                )
                pieces = build_context(found, engine.truth).citables
                worth = [float(flat(text) in flat(c.text) or (c.document_id == home
                         and c.start < asked.end and asked.start < c.end))
                         for c in pieces]  # fmt: skip
                if not answerable and (label["elsewhere"] or any(worth)):
                    continue
                rows = cheap_features(label["question"], pieces)
                order = np.argsort(-(standard(rows) @ np.array([weights[n] for n in CHEAP])),
                                   kind="stable")[:SHORTLIST]  # fmt: skip
                yield made("guide", label["question"], label["question"], answerable, list(pieces),
                           worth, encoder, order)  # fmt: skip


def sentence_of(document, label):
    """The labelled sentence, wherever a newer reader has put it; None when it is gone."""
    there = Span(label["start"], label["end"])
    lines = (s for b in document.blocks for s in sentences(document.text, b.start, b.end))
    found = (s for s in (there, *lines) if sha256(s.of(document.text).encode()) == label["sha256"])
    return next(found, None)


def general(folder, limit, encoder):
    """Questions that no medical source answers, over the MedQuAD pages."""
    path = folder.parent / "corpora" / "medquad" / "qa_with_answers.jsonl"
    rows = [r for r in records(path) if r.get("answer")]
    lexical = Lexical([f"{r['focus']} {r['answer'][:4000]}" for r in rows])
    for question in GENERAL[:limit]:
        pieces = pages(question, rows, lexical, set(), encoder)
        if pieces:
            yield made("general", question, question, False, pieces, [0.0] * len(pieces), encoder)


def pages(question, rows, lexical, without, encoder):
    top = lexical.top(question, without, 10)
    if not top:
        return []
    vectors = encoder.encode([question, *(rows[i]["answer"][:600] for i, _ in top)])
    found = []
    for rank, ((i, score), vector) in enumerate(zip(top, vectors[1:], strict=True)):
        text = rows[i]["answer"][:4000]
        row = (i, text, None, score, float(vector @ vectors[0]), ())
        found += [replace(p, rank=rank) for p in cut([row], rows[i]["focus"])]
    return found


def load(kinds=KINDS):
    """The pools that were made before; run this script first."""
    return [p for k in kinds for p in pickle.loads((CACHE / f"pools-{k}.pickle").read_bytes())]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--questions", type=int, default=90)
    parser.add_argument("--kb", help="for guide: a kb of the corpora")
    options = parser.parse_args()
    folder = Path(os.environ["KGRAG_DATA"]) / "bench"
    encoder = load_encoder("all-minilm-l6-v2")
    pools = []
    kb = (options.kb,) if options.kind == "guide" else ()
    for pool in globals()[options.kind](folder, options.questions, encoder, *kb):
        pools.append(pool)
        if len(pools) % 10 == 0:
            print(options.kind, len(pools), file=sys.stderr, flush=True)
            CACHE.mkdir(exist_ok=True)
            (CACHE / f"pools-{options.kind}.pickle").write_bytes(pickle.dumps(pools))
    (CACHE / f"pools-{options.kind}.pickle").write_bytes(pickle.dumps(pools))


if __name__ == "__main__":
    import dev_pools  # so that the pools are pickled under the module's name

    dev_pools.main()
