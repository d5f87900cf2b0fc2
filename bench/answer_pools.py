"""Development pools for the order of pieces in ``ask``: questions with all their citable pieces.

The questions are the development halves of the answer suites (``kgrag.evaluation.answers_suites``)
and those of ``labels/guide_questions.jsonl`` and ``guide_questions_2.jsonl``, each through the
whole retrieval of a kb that holds its corpus; cpgQA is all test and is not read. ``guide2`` came
later and nothing is fitted on it. Of every piece it is kept whether it is right, the cheap
features, and the matches of each token of the question in the token states of the piece: by
itself, of its place, and within the states of its passage as they lie in the kb. Kept in
``bench/.cache/answers-NAME.pickle``.

    KGRAG_DATA=... python bench/answer_pools.py NAME --kb DIR [--questions 100]
"""

from __future__ import annotations

import argparse
import pickle
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dev_pools import GENERAL, QUESTIONS, flat, records, sentence_of

from kgrag import Engine
from kgrag.encoding.late import StateCode
from kgrag.evaluation.answers_suites import ANSWER_SUITES, load_answer_suite
from kgrag.retrieval.context import Citable, build_context
from kgrag.retrieval.index import titled
from kgrag.retrieval.rerank import Weights, standard
from kgrag.retrieval.rerank_features import CHEAP, cheap_features

CACHE = Path(__file__).with_name(".cache")
SHORT = 48
GUIDES = {"guide": QUESTIONS, "guide2": QUESTIONS.with_name("guide_questions_2.jsonl")}


@dataclass
class AnswerPool:
    """One question. By piece: ``gold``, ``cheap`` features, ``within`` (matches of question tokens
    in the states of the passage, NaN where there are none); of the pieces ``short``: ``own`` and
    ``place``. ``late`` is by passage rank."""

    kind: str
    key: str
    question: str
    pieces: list[Citable]
    gold: np.ndarray
    cheap: np.ndarray
    within: np.ndarray
    short: np.ndarray
    own: np.ndarray
    place: np.ndarray
    cosine: np.ndarray
    late: np.ndarray
    scores: list[dict]
    answerable: bool = True

    @property
    def fold(self) -> int:
        return zlib.crc32(b"fold" + self.key.encode()) % 5


def guide_questions(engine, removed, path=QUESTIONS):
    """(key, question, judge of a piece, documents not to find): never those of cpgQA.

    Without its document a question may have another answer: where reading found one it is left out.
    """
    barred = [d.id for d in engine.truth.documents(collection="cpgqa")]
    sources = {(d.source.collection, d.source.identifier): d.id for d in engine.truth.documents()}
    for label in records(path):
        home = sources[label["collection"], label["identifier"]]
        place = sentence_of(engine.truth.document(home), label)
        if place is None or (removed and label["elsewhere"]):
            continue
        wanted = flat(place.of(engine.truth.document(home).text))

        def right(piece, home=home, place=place, wanted=wanted):
            near = piece.document_id == home and piece.start < place.end and place.start < piece.end
            return near or wanted in flat(piece.text)

        without = [*barred, home] if removed else barred
        yield label["question"], label["question"], right, without


def general_questions(engine):
    """Questions that no medical source answers."""
    barred = [d.id for d in engine.truth.documents(collection="cpgqa")]
    for question in GENERAL:
        yield question, question, lambda piece: False, barred


def suite_questions(engine, name, limit, removed):
    suite = load_answer_suite(name).of("dev", limit)
    texts = {d.id: engine.truth.document(d.id).text for d in engine.truth.documents()} \
        if removed else {}  # fmt: skip
    for query in suite.queries:

        def right(piece, gold=query.gold):
            return suite.right(piece.text, gold)

        home = [i for i, text in texts.items() if held(name, suite, text, query.gold)]
        yield query.id, query.text, right, home


def held(name, suite, text, gold):
    """Whether the document is one that holds what is right."""
    if name == "bioasq-factoid":
        return suite.right(text, gold)
    flattened = flat(text)
    return any(flat(g)[:200] in flattened for g in gold)


def pools(name, engine, limit, removed):
    weights = np.array([Weights.load().cheap[n] for n in CHEAP])
    if name in GUIDES:
        asked = guide_questions(engine, removed, GUIDES[name])
    elif name == "general":
        asked = general_questions(engine)
    else:
        asked = suite_questions(engine, name, limit, removed)
    encoder = engine.encoder
    for key, question, right, barred in asked:
        found = engine.retriever.candidates(question, limit=20, without_documents=barred)
        pieces = list(build_context(found, engine.truth).citables)
        if not pieces:
            continue
        gold = np.array([float(right(p)) for p in pieces])
        if removed and gold.any():
            continue  # another document has it too
        cheap = cheap_features(question, pieces)
        vector, states = encoder.encode_both([question])
        within = in_passages(engine, found, pieces, states[0])
        first = standard(cheap) @ weights
        second = np.nan_to_num(within.mean(axis=1), nan=-1.0)
        order = [*np.argsort(-first, kind="stable")[:36], *np.argsort(-second, kind="stable")[:24]]
        short = np.array(list(dict.fromkeys(order))[:SHORT])
        listed = [pieces[i] for i in short]
        places = sorted({p.place for p in listed})
        vectors, own = encoder.encode_both([p.text for p in listed] + places)
        met = [(states[0] @ s.T).max(axis=1) if len(s) else states[0][:, 0] * 0 for s in own]
        by_place = dict(zip(places, met[len(listed) :], strict=True))
        yield AnswerPool(
            name, key, question, pieces, gold, cheap, within, short, np.stack(met[: len(listed)]),
            np.stack([by_place[p.place] for p in listed]), vectors[: len(listed)] @ vector[0],
            np.array([c.scores.get("late", np.nan) for c in found]),
            [dict(c.scores) for c in found], not removed and name != "general",
        )  # fmt: skip


def in_passages(engine, found, pieces, question):
    """Shape (pieces, question tokens): matches in the piece's part of its passage's states."""
    code = StateCode(engine.encoder.dimensions)
    turned = code.turned(question)
    tokenizer = engine.encoder._encoder()._model.tokenizer
    rows = np.full((len(pieces), len(question)), np.nan, dtype=np.float32)
    kept = dict(zip((c.hit.passage_id for c in found),
                    engine.states.get([c.hit.passage_id for c in found]), strict=True))  # fmt: skip
    for candidate in found:
        hit, codes = candidate.hit, kept[candidate.hit.passage_id]
        if codes is None:
            continue
        text = titled(engine.truth.info(hit.document.id).metadata.title, hit.section, hit.text)
        shift = hit.start - (len(text) - len(hit.text))
        offsets = tokenizer(text, truncation=True, max_length=256, return_offsets_mapping=True,
                            return_special_tokens_mask=True)  # fmt: skip
        spans = [o for o, special in zip(offsets["offset_mapping"], offsets["special_tokens_mask"],
                                         strict=True) if not special]  # fmt: skip
        if len(spans) != len(codes):
            print("states of another length", len(spans), len(codes), file=sys.stderr)
            continue
        met = turned @ code.unpack(codes).T
        starts = np.array([s for s, _ in spans]) + shift
        for at, piece in enumerate(pieces):
            if piece.passage_id == hit.passage_id:
                mine = (starts >= piece.start) & (starts < piece.end)
                if mine.any():
                    rows[at] = met[:, mine].max(axis=1)
    return rows


def load(names):
    """The pools made before; run this script first."""
    return [p for n in names for p in pickle.loads((CACHE / f"answers-{n}.pickle").read_bytes())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "name", choices=(*GUIDES, "general", *(n for n in ANSWER_SUITES if "cpgqa" not in n))
    )
    parser.add_argument("--kb", required=True)
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--removed", action="store_true")
    options = parser.parse_args()
    CACHE.mkdir(exist_ok=True)
    with Engine.open(options.kb) as engine:
        made = list(pools(options.name, engine, options.questions, options.removed))
    name = f"{options.name}-removed" if options.removed else options.name
    (CACHE / f"answers-{name}.pickle").write_bytes(pickle.dumps(made))
    print(name, len(made), "reached", np.mean([p.gold.max() for p in made]))


if __name__ == "__main__":
    import answer_pools  # so that the pools are pickled under the module's name

    answer_pools.main()
