"""A model behind an OpenAI-compatible server: whatever it replies is checked against the set."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Final

from kgrag.errors import RetryableError, SettingsError
from kgrag.generation.allowed import (
    ClosedSet,
    NothingAllowed,
    Said,
    TooLarge,
    marks,
    some_of,
)
from kgrag.generation.chat import instruction
from kgrag.generation.grammar import MOST_STATES
from kgrag.generation.measured import server_sha256
from kgrag.generation.server_guides import (
    GUIDES,
    MOST_TEXTS,
    Abilities,
    Guide,
    content_of,
    read_prompt,
)
from kgrag.generation.server_http import Access, Refused, Server
from kgrag.generation.server_probe import chat, echo, probe

# Characters of a token at least, by which a prompt is kept within what a server can read.
_CHARS: Final = 3
# What is assumed of a server that does not say how much it reads.
_CONTEXT_TOKENS: Final = 4096
# Of them, kept for the reply and for what frames the prompt.
_KEPT_TOKENS: Final = 512


class ServerModel:
    """Chooses and composes through a server. Safe to use from several threads.

    What the server can do was tried when this was made (``abilities``). Guided or not, a reply
    counts only when it is exactly a text of the closed set; otherwise nothing was chosen and
    ``warnings`` says so. ``sha256`` is of the address and the name: what weights answer there is
    not known.
    """

    def __init__(self, server: Server, model: str) -> None:
        self._server, self._model = server, model
        self.abilities: Abilities = probe(server, model)
        self._guides = [guide for guide in GUIDES if guide.name in self.abilities.guides]
        self._told = threading.local()

    @property
    def name(self) -> str:
        return f"openai:{self._model}"

    @property
    def sha256(self) -> str:
        return server_sha256(self._server.url, self._model)

    def query_likelihood(self, question: str, candidates: Sequence[str]) -> list[float]:
        """Mean log p(question token | candidate), natural log, without a chat form.

        SettingsError when the server does not tell it; RetryableError when it fails to.
        """
        if not self.abilities.prompt_likelihoods:
            raise SettingsError(
                f"{self._server.url} does not tell the likelihood of what it reads",
                hint="use a local model where likelihoods are needed",
            )
        if not question:
            return [0.0] * len(candidates)
        return [self._likelihood(question, self._cut(text)) for text in candidates]

    def _likelihood(self, question: str, text: str) -> float:
        before = f"{text}\n\nThe question that this answers: "
        prompt = before + question
        reply = self._server.post("/completions", echo(self._model, prompt))
        told = read_prompt(reply, prompt)
        values = [value for at, value in told or () if at >= len(before) - 1]
        if not values:
            raise RetryableError(f"{self._server.url} told no likelihoods this time")
        return sum(values) / len(values)

    def choose(self, question: str, candidates: Sequence[str], *, count: int) -> list[int]:
        """Indices into ``candidates`` by the citation marks of the reply, in its order.

        At most ``count``, without repeats; empty when the reply is anything but such marks. A
        server that guides may be asked for fewer, so that all lists of marks fit into a request.
        Offered are the candidates, in their order, that fit into what the server reads.
        """
        if not candidates or count < 1:
            return []
        offered = candidates[: self._within(candidates)]
        most = _listed(len(offered), count) if self._guides else count
        allowed = some_of(marks(len(offered)), most=most, joint=" ")
        said = self._say("marks", question, offered, allowed)
        return [] if said is None else [v for v in said.values if isinstance(v, int)]

    def compose(self, question: str, sentences: Sequence[str], allowed: ClosedSet) -> Said | None:
        """A text of ``allowed``, None when the reply was anything else; see ``Composes``."""
        return self._say("compose", question, sentences[: self._within(sentences)], allowed)

    def generate(self, prompt: str, *, max_tokens: int, told: str = "fluent") -> str:
        """Free text, empty when the reply held none; see ``Composes``."""
        body = chat(self._model, instruction(told), self._cut(prompt), most=max_tokens)
        reply = content_of(self._server.post("/chat/completions", body))
        if reply is None:
            self._warn("the language model's server replied without text")
        return (reply or "").strip()

    def warnings(self) -> tuple[str, ...]:
        """What is told of failed replies since this thread last asked; none of their text."""
        told = tuple(dict.fromkeys(getattr(self._told, "list", ())))
        self._told.list = []
        return told

    def _warn(self, told: str) -> None:
        self._told.list = [*getattr(self._told, "list", ()), told]

    def _say(
        self, told: str, question: str, sentences: Sequence[str], allowed: ClosedSet
    ) -> Said | None:
        if allowed.empty:
            raise NothingAllowed("nothing may be said")
        numbered = "\n".join(f"[{number}] {text}" for number, text in enumerate(sentences, 1))
        content = f"{numbered}\n\n{question[: _KEPT_TOKENS * _CHARS]}"
        body = chat(self._model, instruction(told), content, most=_room_for(allowed))
        for guide in self._guides:
            try:
                fields = guide.fields(allowed)
            except TooLarge:
                continue
            try:
                reply = self._server.post("/chat/completions", body | fields)
            except Refused as error:
                if error.status >= 500 or error.status == 429:
                    raise
                continue  # it took the small set of the trial and does not take this one
            return self._read(reply, guide, allowed)
        return self._read(self._server.post("/chat/completions", body), None, allowed)

    def _read(self, reply: object, guide: Guide | None, allowed: ClosedSet) -> Said | None:
        text = content_of(reply)
        if text is not None:
            text = guide.read(text) if guide is not None else text.strip()
        said = None if text is None else allowed.read(text)
        if said is None:
            self._warn("the language model replied outside of what may be said; that was not used")
        return said

    def _room(self) -> int:
        """Characters of a prompt that the server surely reads whole."""
        tokens = self.abilities.context_tokens or _CONTEXT_TOKENS
        return max(256, tokens - 2 * _KEPT_TOKENS) * _CHARS

    def _cut(self, text: str) -> str:
        return text[: self._room()]

    def _within(self, sentences: Sequence[str]) -> int:
        total = 0
        for number, text in enumerate(sentences):
            total += len(text) + 8
            if total > self._room():
                return max(number, 1)
        return len(sentences)


def _room_for(allowed: ClosedSet) -> int:
    """Tokens of a reply at most: one a byte of the longest text, and the frame of a JSON object.

    A model that is not guided would go on for as long as it may.
    """
    try:
        longest = allowed.longest(limit=MOST_STATES)
    except TooLarge:
        return _KEPT_TOKENS
    return min(_KEPT_TOKENS, longest + 24)


def _listed(offered: int, count: int) -> int:
    """The most marks, up to ``count``, of which a request can list all sequences; at least one."""
    total = 0
    for most in range(1, min(count, offered) + 1):
        total += math.perm(offered, most)
        if total > MOST_TEXTS:
            return max(most - 1, 1)
    return min(count, offered)


def load_server(argument: str = "", *, access: Access | None = None) -> ServerModel:
    """The model at ``URL#MODEL``, tried and ready; see ``Server`` and ``probe`` for the errors."""
    url, _, model = argument.partition("#")
    if not url or not model:
        raise SettingsError(
            f"{argument!r} names no server and model", hint="openai:http://127.0.0.1:8000/v1#MODEL"
        )
    return ServerModel(Server(url, access or Access()), model)
