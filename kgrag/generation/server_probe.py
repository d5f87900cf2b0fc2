"""What a server does, found by trying: what it says of itself, or takes in silence, counts not."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any, Final

from kgrag.errors import RetryableError, SettingsError
from kgrag.generation.allowed import one_of
from kgrag.generation.server_guides import (
    GUIDES,
    Abilities,
    Guide,
    content_of,
    first_choice,
    read_prompt,
    tells_likelihoods,
)
from kgrag.generation.server_http import Refused, Server

_ASKED: Final = "Say hello to the ward."
# Likely and unlikely ends of one sentence: a server that makes up numbers does not know which.
_LIKELY: Final = "One, two, three, four, five, six, seven, eight, nine, ten."
_UNLIKELY: Final = "One, two, three, four, five, six, seven, eight, nine, Peru."


def probe(server: Server, model: str) -> Abilities:
    """The abilities of ``model`` at ``server``; a plain question must be answered.

    SettingsError when there is no such model or no chat; RetryableError when the server cannot be
    asked now. A request that the server refuses is an ability that it lacks.
    """
    context = _context(server, model)
    try:
        plain = server.post("/chat/completions", chat(model, "Answer.", _ASKED, most=4))
    except Refused as error:
        if error.status >= 500 or error.status == 429:
            raise
        raise SettingsError(
            f"{server.url} does not answer as {model!r} (status {error.status})",
            hint="openai:URL#MODEL, where URL often ends in /v1",
        ) from None
    if first_choice(plain) is None:
        raise SettingsError(f"{server.url} does not speak the protocol of OpenAI's chats")
    return Abilities(
        guides=tuple(guide.name for guide in GUIDES if _guides(server, model, guide)),
        likelihoods=_likelihoods(server, model),
        prompt_likelihoods=_prompt_likelihoods(server, model),
        context_tokens=context,
    )


def chat(model: str, told: str, content: str, *, most: int) -> dict[str, Any]:
    """The body of a chat completion without chance; ``content`` is what the user says."""
    return {
        "model": model,
        "messages": [{"role": "system", "content": told}, {"role": "user", "content": content}],
        "max_tokens": most,
        "temperature": 0,
    }


def _try(server: Server, path: str, body: Mapping[str, Any]) -> Any:
    """The reply, None when the server refuses or breaks on what it does not know."""
    try:
        return server.post(path, body, tries=1)
    except RetryableError:
        return None


def _guides(server: Server, model: str, guide: Guide) -> bool:
    """Whether the server says one of two words of chance when it is told to say nothing else.

    They are not in the prompt, so that a model cannot repeat them.
    """
    words = ["".join(secrets.choice(string.ascii_lowercase) for _ in range(9)) for _ in range(2)]
    body = chat(model, "Answer.", _ASKED, most=32) | guide.fields(one_of(words))
    reply = content_of(_try(server, "/chat/completions", body))
    return reply is not None and guide.read(reply) in words


def _likelihoods(server: Server, model: str) -> bool:
    body = chat(model, "Answer.", _ASKED, most=4) | {"logprobs": True, "top_logprobs": 3}
    return tells_likelihoods(_try(server, "/chat/completions", body))


def _prompt_likelihoods(server: Server, model: str) -> bool:
    """Whether the server scores a prompt, and finds the likely end of a sentence likelier."""
    values = []
    for prompt in (_LIKELY, _UNLIKELY):
        told = read_prompt(_try(server, "/completions", echo(model, prompt)), prompt)
        if told is None:
            return False
        values.append(sum(value for _, value in told))
    return values[0] > values[1]


def echo(model: str, prompt: str) -> dict[str, Any]:
    """The body that asks for ``prompt`` again, with the log-probability of each of its tokens."""
    return {
        "model": model, "prompt": prompt, "max_tokens": 1, "temperature": 0, "echo": True,
        "logprobs": 1,
    }  # fmt: skip


def _context(server: Server, model: str) -> int | None:
    """Tokens that the server says it can read and write together."""
    try:
        listed = server.get("/models")
    except Refused:
        return None
    rows = listed.get("data") if isinstance(listed, Mapping) else None
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, Mapping) or row.get("id") != model:
            continue
        meta = row.get("meta")
        places = [row, meta] if isinstance(meta, Mapping) else [row]
        for place in places:
            for key in ("max_model_len", "context_length", "n_ctx", "n_ctx_train"):
                value = place.get(key)
                if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                    return value
    return None
