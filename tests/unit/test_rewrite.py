"""Messages are read sentence by sentence; questions, claims and keywords are left alone."""

from itertools import pairwise

import pytest

from kgrag.records.text import Span
from kgrag.retrieval.rewrite import COURTEOUS, NAMED, WEIGHTS, read_message
from kgrag.retrieval.terms import question_terms, term_number, tokens

MESSAGE = (
    "Hearing loss in one ear. Hello dear doctor, my father is 71 years old. He worked in a sawmill"
    " and wore no protection. He takes metformin for his diabetes. Two weeks ago he woke up deaf on"
    " the left side. Could steroid tablets bring his hearing back? Thank you very much."
)


def roles(text):
    message = read_message(text)
    assert message is not None
    return [s.role for s in message.sentences]


def test_every_sentence_has_its_role():
    assert roles(MESSAGE) == [
        "subject", "tells", "tells", "tells", "tells", "asks", "courtesy",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "What is the first-line treatment of hypertension in adults?",
        "sudden hearing loss steroid",
        "Loss of one copy of the gene in mice raises the number of circulating stem cells and makes"
        " them less able to repopulate the marrow of irradiated hosts in a serial transplant.",
        "What is sudden deafness? How is it treated?",
    ],
)
def test_a_question_a_claim_and_keywords_are_no_message(text):
    assert read_message(text) is None


@pytest.mark.parametrize(
    "asking",
    [
        "Is it hereditary?",
        "I would like to know more about this illness and its treatment.",
        "Please advise us what to do next",
        "My question is whether the tablets can be halved.",
        "I was wondering if swimming is allowed.",
        "Is there any cure for this disease",
        "I want to know when to stop.",
    ],
)
def test_ways_of_asking(asking):
    text = f"{MESSAGE.rsplit('Could', 1)[0]}{asking}"
    message = read_message(text)
    assert message is not None
    assert [s.span.of(text) for s in message.sentences if s.role == "asks"] == [asking]


@pytest.mark.parametrize(
    "courtesy", ["Thanks in advance.", "Best regards, NAME", "God bless you.", "Hello dear doctor."]
)
def test_ways_of_being_polite(courtesy):
    text = f"{MESSAGE} {courtesy}"
    assert roles(text)[-1] == "courtesy"


def test_a_greeting_that_names_the_illness_is_kept():
    text = "Hi, I have asthma and a cough. " + MESSAGE
    assert roles(text)[0] == "subject"


def test_terms_weigh_what_their_sentence_does():
    message = read_message(MESSAGE)
    assert message is not None
    at = MESSAGE.index("diabetes")
    weights = message.terms([Span(at, at + len("diabetes"))])

    def weight(word):
        return weights.get(term_number(tokens(word)[0]), 0.0)

    assert weight("hearing") == weight("steroid") == 1.0
    assert weight("sawmill") == WEIGHTS["tells"]
    assert weight("diabetes") == NAMED
    assert weight("years") == COURTEOUS
    assert weight("thank") == 0.0
    assert all(0 < w <= 1 for w in weights.values())
    assert set(weights) <= set(question_terms(MESSAGE))


def test_a_story_that_asks_nothing_is_the_question():
    story = (
        "A 42-year-old woman has had pain in both wrists since spring. Her fingers are stiff in the"
        " morning for two hours. The knuckles are swollen and warm. There is no rash."
    )
    message = read_message(story)
    assert message is not None
    assert {s.role for s in message.sentences} == {"asks"}


def test_spans_lie_in_the_text_in_order():
    message = read_message(MESSAGE)
    assert message is not None
    spans = [s.span for s in message.sentences]
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert message.of("courtesy") == "Thank you very much."
