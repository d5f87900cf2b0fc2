"""What every scorer keeps to, and what these two do when they cannot work."""

import math
import shutil

import numpy as np
import pytest

from kgrag.config import parse_settings
from kgrag.encoding.hashing import HashingEncoder
from kgrag.errors import BrokenInvariant, SettingsError
from kgrag.records.answer import CitedDocument, Hit
from kgrag.retrieval.asked import Asked
from kgrag.retrieval.cross_encoder import CrossEncoderScorer, cross_encoder_of
from kgrag.retrieval.likelihood import QueryLikelihood, likelihood_of

TEXTS = (
    "Metformin lowers glucose in type 2 diabetes.",
    "Wear gloves when the hands are cold.",
    "Glucose is measured before breakfast.",
    "The clinic opens at nine.",
)


def hits(texts=TEXTS, title="A guide"):
    document = CitedDocument("doc_1", "u", title)
    return [
        Hit(document, f"psg_{i}", text, 0, len(text), 1.0, ("Advice",))
        for i, text in enumerate(texts)
    ]


def asked(text="Does metformin lower glucose?"):
    return Asked(text, HashingEncoder())


class Counting:
    """A language model to which a question is as likely as the words it shares with the text."""

    name, sha256 = "counting", "0" * 64

    def __init__(self):
        self.read = []

    def query_likelihood(self, question, candidates):
        self.read.extend(candidates)
        words = set(question.lower().strip("?").split())
        return [math.log(1 + len(words & set(c.lower().split()))) for c in candidates]

    def choose(self, question, candidates, *, count):
        return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A cross-encoder of two layers with weights of chance, written as a user's would be."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    path = tmp_path_factory.mktemp("cross-encoder")
    words = sorted({w.lower().strip(".") for t in TEXTS for w in t.split()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "?", *words, "does"]
    (path / "vocab.txt").write_text("\n".join(dict.fromkeys(vocabulary)))
    transformers.BertTokenizer(str(path / "vocab.txt")).save_pretrained(path)
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=128, num_labels=1,
        initializer_range=0.5,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(path)
    return path


@pytest.fixture(params=["likelihood", "cross-encoder"])
def scorer(request):
    if request.param == "likelihood":
        return QueryLikelihood(Counting(), looked_at=3)
    return CrossEncoderScorer(request.getfixturevalue("folder"), looked_at=3)


def test_one_value_a_hit_and_nan_beyond_what_is_read(scorer):
    scores = scorer.score(asked(), hits())
    assert scores.shape == (4,) and scores.dtype == np.float64
    assert np.isfinite(scores[:3]).all() and np.isnan(scores[3])


def test_scores_belong_to_their_hits(scorer):
    there = scorer.score(asked(), hits()[:3])
    back = scorer.score(asked(), hits()[:3][::-1])
    assert np.allclose(there, back[::-1], atol=1e-2)
    assert len(set(np.round(there, 4))) > 1


def test_no_hits_no_scores(scorer):
    assert scorer.score(asked(), []).shape == (0,)


def test_a_passage_is_read_under_its_title_and_section():
    model = Counting()
    QueryLikelihood(model, looked_at=1).score(asked(), hits())
    assert model.read == [f"A guide > Advice\n{TEXTS[0]}"]


def test_the_question_is_likelier_after_what_answers_it():
    scores = QueryLikelihood(Counting()).score(asked(), hits())
    assert scores.argmax() == 0


@pytest.mark.models
def test_the_local_model_tells_the_likelihood():
    from kgrag.generation import load_language_model

    model = load_language_model("smollm2-135m-instruct")
    scores = QueryLikelihood(model).score(asked(), hits())
    assert scores.argmax() == 0 and (scores < 0).all()


def test_the_cross_encoder_is_read_without_activation(folder):
    """A logistic value would lie between 0 and 1 and hide how sure the model is."""
    scorer = CrossEncoderScorer(folder)
    scorer._model.model.classifier.bias.data += 50
    assert (scorer.score(asked(), hits()) > 40).all()


def test_a_cross_encoder_that_breaks_gives_no_order(folder):
    scorer = CrossEncoderScorer(folder)
    scorer._model.model.classifier.bias.data += float("nan")
    with pytest.raises(BrokenInvariant, match="no numbers"):
        scorer.score(asked(), hits())


def test_its_identity_is_that_of_its_files(folder):
    assert CrossEncoderScorer(folder).sha256 == CrossEncoderScorer(folder).sha256


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="no folder"):
        CrossEncoderScorer(tmp_path / "missing")


def test_weights_that_can_run_code_are_refused(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(SettingsError, match="safetensors"):
        CrossEncoderScorer(tmp_path)


def test_a_damaged_model_is_one_clear_error(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(SettingsError, match="no cross-encoder"):
        CrossEncoderScorer(tmp_path)


def test_a_model_of_several_labels_is_refused(folder, tmp_path):
    import transformers

    model = transformers.BertForSequenceClassification.from_pretrained(
        folder, num_labels=3, ignore_mismatched_sizes=True
    )
    model.save_pretrained(tmp_path)
    transformers.BertTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    with pytest.raises(SettingsError, match="3 values"):
        CrossEncoderScorer(tmp_path)


class Opened:
    """The part of an engine that the scorers are made of."""

    def __init__(self, model, **retrieval):
        self.model = model
        self.settings = parse_settings({"retrieval": retrieval}, origin="test")


def test_without_a_model_the_settings_are_told(folder):
    with pytest.raises(SettingsError, match="language model"):
        likelihood_of(Opened(None))
    with pytest.raises(SettingsError, match="model of yours"):
        cross_encoder_of(Opened(None))
    made = cross_encoder_of(Opened(None, cross_encoder=str(folder)))
    assert made.name == "cross-encoder"
    assert likelihood_of(Opened(Counting())).name == "likelihood"


def test_a_cross_encoder_whose_weights_are_not_all_there_is_refused(folder, tmp_path):
    """What a file lacks would be drawn by chance, and order by chance with it."""
    from safetensors.numpy import load_file, save_file

    copy = tmp_path / "headless"
    shutil.copytree(folder, copy)
    weights = load_file(copy / "model.safetensors")
    kept = {name: value for name, value in weights.items() if not name.startswith("classifier")}
    assert len(kept) < len(weights)
    save_file(kept, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SettingsError, match=r"lacks 2 of its weights, .*classifier"):
        CrossEncoderScorer(copy)
