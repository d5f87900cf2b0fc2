"""Passages like the best ones gain; what has no vector is left alone."""

import numpy as np

from kgrag.encoding.hashing import HashingEncoder
from kgrag.ids import sha256
from kgrag.records.answer import CitedDocument, Hit
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.feedback import BEST, Feedback
from kgrag.retrieval.index import cache_name, titled

ENCODER = HashingEncoder()
ASKED = Asked("metformin", ENCODER)


class Cache:
    """The part of a truth store that is read: vectors by the hash of their text."""

    def __init__(self, vectors):
        self.vectors, self.asked = vectors, []

    def embeddings(self, encoder, digests):
        assert encoder == cache_name(ENCODER)
        self.asked.append(list(digests))
        return {d: self.vectors[d] for d in digests if d in self.vectors}


def hit(number, score, title="A guide"):
    document = CitedDocument("doc_1", "u", title)
    return Hit(document, f"psg_{number}", f"text {number}", 0, 6, score)


def vector(*numbers):
    array = np.zeros(ENCODER.dimensions, dtype=np.float32)
    array[: len(numbers)] = numbers
    return array / np.linalg.norm(array)


def cached(vectors, title="A guide"):
    return Cache({sha256(titled(title, (), f"text {n}").encode()): v for n, v in vectors.items()})


def test_what_is_like_the_best_scores_higher():
    cache = cached({0: vector(1), 1: vector(0, 1), 2: vector(1, 0.1)})
    scores = Feedback(cache, ENCODER).score(ASKED, [hit(0, 9.0), hit(1, 1.0), hit(2, 0.0)])
    middle = np.array([1.0, np.exp(-8), 0]) @ np.stack([vector(1), vector(0, 1), vector(1, 0.1)])
    middle += np.exp(-9) * vector(1, 0.1)
    assert np.allclose(scores[0], middle[0] / np.linalg.norm(middle), atol=1e-6)
    assert scores[2] > scores[1]


def test_only_the_best_make_the_middle():
    vectors = {n: vector(1) for n in range(BEST)} | {BEST: vector(0, 1)}
    hits = [hit(n, 1.0) for n in range(BEST + 1)]
    scores = Feedback(cached(vectors), ENCODER).score(ASKED, hits)
    assert np.allclose(scores[:BEST], 1.0) and abs(scores[BEST]) < 1e-6


def test_a_passage_without_vector_is_left_alone():
    cache = cached({0: vector(1), 2: vector(1)})
    scores = Feedback(cache, ENCODER).score(ASKED, [hit(0, 2.0), hit(1, 1.0), hit(2, 0.0)])
    assert np.isnan(scores).tolist() == [False, True, False]
    assert np.isnan(Feedback(cached({}), ENCODER).score(ASKED, [hit(0, 1.0)])).all()
    assert Feedback(cached({}), ENCODER).score(ASKED, []).shape == (0,)


def test_a_document_without_a_title_of_its_own_is_found():
    cache = cached({0: vector(1)}, title=None)
    assert np.isfinite(Feedback(cache, ENCODER).score(ASKED, [hit(0, 1.0, "notes.txt")])).all()


def test_vectors_are_asked_for_once():
    cache = cached({0: vector(1)})
    feedback = Feedback(cache, ENCODER)
    first, again = (feedback.score(ASKED, [hit(0, 1.0)]) for _ in range(2))
    assert np.array_equal(first, again) and len(cache.asked) == 1
