"""Long messages of consumers: what they are about, what they ask, what they tell besides.

A message greets, tells a story, asks, and thanks. Every word of it counts the same for BM25, so
the story decides what is found. Here each of its sentences gets a role, and its terms a weight by
the role; the encoder still reads the whole. Nothing is generated: every weight can be looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kgrag.records.text import Span
from kgrag.retrieval.terms import term_number, tokens
from kgrag.sentences import sentences

Kind = Literal["question", "message"]
Role = Literal["subject", "asks", "tells", "courtesy"]

WEIGHTS: Final[Mapping[Role, float]] = {
    "subject": 1.0,
    "asks": 1.0,
    "tells": 0.3,
    "courtesy": 0.0,
}
# A concept that the story names is what the question is often about ("is it hereditary?").
NAMED: Final = 0.7
# Words of asking for help, in whatever sentence.
COURTEOUS: Final = 0.1

MESSAGE_WORDS: Final = 20
LONG_WORDS: Final = 40
_SUBJECT_WORDS: Final = 10

_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_ASKS: Final = re.compile(
    r"""\?\s*$
    | ^\W*(?:and\s+|so\s+|but\s+|also\s+|or\s+)?
      (?:what|how|which|why|when|where|who|whom|whose|is|are|am|was|were|do|does|did|can|could
        |should|would|will|has|have\s+(?:you|there|any))\b
    | \b(?:i|we|my\s+\w+)\s+(?:just\s+)?(?:would\s+|also\s+)?
      (?:wants?|wanted|needs?|like|wish|hope)\s+
      (?:to\s+(?:know|understand|learn|ask|find|see|get|read)
        |more|some|any|info|information|you\s+to|help|advice|detail)
    | \b(?:want|need|looking|searching|hoping|like)\s+(?:to\s+know|for|more|info\w*)\b
    | \b(?:please|kindly|pls|plz)\b.{0,40}\b(?:tell|advise|suggest|send|explain|let|help|give|inform
        |recommend|guide|provide|introduce|answer)\b
    | \b(?:my\s+question|question\s+is|wonder(?:ing)?|is\s+there|are\s+there|can\s+you|could\s+you
        |any\s+(?:cure|treatment|hope|help|advice|information|suggestions?|idea|way|chance))\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_COURTESY: Final = re.compile(
    r"""^\W*(?:hi|hello|hey|dear|greetings|good\s+(?:morning|day|afternoon|evening)|thank|thanks|thx
        |many\s+thanks|thanking|regards|best|kind\s+regards|sincerely|yours|god\s+bless|bless
        |respected|to\s+whom)\b
    | \b(?:thank\s+you|thanks)\b
    | \b(?:god\s+bless|look(?:ing)?\s+forward|await(?:ing)?\s+your|waiting\s+for\s+your
        |(?:your|a|you)\s+(?:kind\s+)?(?:early\s+|quick\s+)?(?:reply|response)|e-?mail)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_COURTEOUS_WORDS: Final = frozenset(
    tokens(
        """hi hello hey dear sir madam mam doctor doctors dr please kindly pls plz thank thanks
        thankyou regards god bless yours sincerely best help helped
        need want wanted know known like tell told advise advice
        suggest suggestion send email mail answer reply question questions ask asked asking
        information info learn find found wonder wondering hope wish appreciate appreciated name
        i me my we our us you your he she him her his hers they them am im ive id get got getting
        go going went really just also very much lot thing things something anything anyone any
        some try tried trying year years old month months week weeks day days ago now since
        """
    )
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a message and its role."""

    span: Span
    role: Role


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it is read: its sentences with their roles, in order."""

    text: str
    sentences: tuple[Sentence, ...]

    def of(self, *roles: Role) -> str:
        """The sentences of these roles, one a line."""
        return "\n".join(s.span.of(self.text) for s in self.sentences if s.role in roles)

    def terms(self, named: Iterable[Span] = ()) -> dict[int, float]:
        """Numbers of its terms with their weights in (0, 1], for BM25.

        ``named`` are the spans of its concepts: their terms count more than the story around.
        Terms of courtesies alone are left out.
        """
        weights: dict[int, float] = {}

        def add(text: str, weight: float) -> None:
            for term in tokens(text):
                mine = min(weight, COURTEOUS) if term in _COURTEOUS_WORDS else weight
                number = term_number(term)
                if mine > weights.get(number, 0.0):
                    weights[number] = mine

        for sentence in self.sentences:
            add(sentence.span.of(self.text), WEIGHTS[sentence.role])
        told = [s.span for s in self.sentences if s.role != "courtesy"]
        for span in named:
            if any(s.start <= span.start and span.end <= s.end for s in told):
                add(span.of(self.text), NAMED)
        return weights


def read_message(text: str) -> Message | None:
    """The message that ``text`` is; None when it is a question, a claim or keywords.

    A message has 40 words, or 20 in two sentences or more. One in which nothing asks is a story
    that is the question: all that is no courtesy is then read as asking.
    """
    words = len(_WORD.findall(text))
    if words < MESSAGE_WORDS:
        return None
    spans = sentences(text)
    if words < LONG_WORDS and len(spans) < 2:
        return None
    found = [Sentence(span, _role(at, span.of(text))) for at, span in enumerate(spans)]
    if not any(s.role == "asks" for s in found):
        found = [Sentence(s.span, "asks") if s.role == "tells" else s for s in found]
    if all(s.role == "courtesy" for s in found):
        found = [Sentence(s.span, "asks") for s in found]
    return Message(text, tuple(found))


def _role(at: int, sentence: str) -> Role:
    said = [term for term in tokens(sentence) if term not in _COURTEOUS_WORDS]
    asks = _ASKS.search(sentence) is not None
    # "Hi, I have asthma and cough at night" greets, and tells.
    if _COURTESY.search(sentence) and len(said) <= 1:
        return "courtesy"
    if asks:
        return "asks"
    # A line before the message says what it is about, as the subject of a letter does.
    words = len(_WORD.findall(sentence))
    return "subject" if at == 0 and words <= _SUBJECT_WORDS else "tells"
