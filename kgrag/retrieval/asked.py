"""One question as the parts of retrieval read it; what is costly is made once, when needed."""

from __future__ import annotations

import unicodedata
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder, QuestionEncoder, TokenEncoder
from kgrag.encoding.late import BothEncoder
from kgrag.errors import BadQuestion
from kgrag.records.concepts import Mention
from kgrag.records.text import Span
from kgrag.retrieval.english import in_another_language
from kgrag.retrieval.rewrite import Kind, Message, read_message
from kgrag.retrieval.seeds import Links
from kgrag.retrieval.terms import question_terms

MAX_QUESTION_CHARS: Final = 4000
# Names of drugs and units bring Greek letters with them.
_SCRIPTS: Final = ("LATIN", "GREEK", "MICRO", "FEMININE", "MASCULINE")


class Asked:
    """A question that can be asked, and what is derived from it.

    ``text`` has no outer white space. BadQuestion when it is empty, too long or in another script.
    """

    def __init__(self, question: str, encoder: Encoder, linker: Links | None = None) -> None:
        self.text = check_question(question)
        self._encoder, self._linker = encoder, linker

    @cached_property
    def vector(self) -> NDArray[np.float32]:
        """Shape (dimensions,), of length 1."""
        encoder = self._encoder
        vector: NDArray[np.float32]
        if isinstance(encoder, QuestionEncoder):
            vector = encoder.encode_questions([self.text])[0]
        elif self._both is not None:
            vector = self._both[0]
        else:
            vector = encoder.encode([self.text])[0]
        return vector

    @cached_property
    def states(self) -> NDArray[np.float32] | None:
        """Shape (tokens, dimensions), rows of length 1; None when the encoder gives none."""
        if self._both is not None:
            return self._both[1]
        if not isinstance(self._encoder, TokenEncoder):
            return None
        return self._encoder.encode_tokens([self.text])[0]

    @cached_property
    def _both(self) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Vector and states from one pass; None when the encoder cannot give both at once."""
        if not isinstance(self._encoder, BothEncoder):
            return None
        vectors, states = self._encoder.encode_both([self.text])
        return vectors[0], states[0]

    @cached_property
    def message(self) -> Message | None:
        """Its sentences and what each does, when it is a long message; None otherwise."""
        return read_message(self.text)

    @property
    def kind(self) -> Kind:
        """What fusion weighs its parts by."""
        return "question" if self.message is None else "message"

    @cached_property
    def terms(self) -> dict[int, float]:
        """Numbers of its terms with their weights, for BM25; of a message by what asks in it."""
        if self.message is None:
            return question_terms(self.text)
        return self.message.terms(Span(m.start, m.end) for m in self.mentions)

    @cached_property
    def mentions(self) -> tuple[Mention, ...]:
        """Its concepts, negated ones too; none without a linker."""
        return self._linker.link(self.text) if self._linker is not None else ()


def check_question(question: str) -> str:
    """The question without outer white space; BadQuestion when it cannot be asked."""
    try:
        question.encode()
    except UnicodeEncodeError as error:
        raise BadQuestion("the question has half a character in it", hint="send UTF-8") from error
    stripped = question.strip()
    if not any(char.isalnum() for char in stripped):
        raise BadQuestion("the question is empty", hint="ask in words")
    if len(stripped) > MAX_QUESTION_CHARS:
        raise BadQuestion(
            f"the question has {len(stripped):,} characters",
            hint=f"ask in at most {MAX_QUESTION_CHARS:,}",
        )
    letters = [char for char in stripped if char.isalpha()]
    if sum(unicodedata.name(char, "").startswith(_SCRIPTS) for char in letters) * 2 < len(letters):
        raise BadQuestion("the question is in a script that kgrag does not read", hint="in English")
    if in_another_language(stripped):
        raise BadQuestion("the question seems not to be in English", hint="ask in English")
    return stripped
