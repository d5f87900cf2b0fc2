"""The ways in which servers take a closed set, and what a server was seen to do with them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kgrag.generation.allowed import ClosedSet
from kgrag.generation.grammar import gbnf

MOST_TEXTS: Final = 2_000
"""Texts that a request lists at most; a larger set goes as a grammar where one is understood."""


def _schema(closed: ClosedSet) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"said": {"type": "string", "enum": list(closed.texts(limit=MOST_TEXTS))}},
        "required": ["said"],
        "additionalProperties": False,
    }


def _json_schema(closed: ClosedSet) -> dict[str, Any]:
    named = {"name": "said", "strict": True, "schema": _schema(closed)}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _json_object(closed: ClosedSet) -> dict[str, Any]:
    return {"response_format": {"type": "json_object", "schema": _schema(closed)}}


def _pattern(closed: ClosedSet) -> str:
    return "|".join(f"({re.escape(t)})" for t in closed.texts(limit=MOST_TEXTS))


def _plain(reply: str) -> str | None:
    return reply


def _said(reply: str) -> str | None:
    """The text in the JSON object of a reply, None when it is none."""
    try:
        value = json.loads(reply)
    except (ValueError, RecursionError):
        return None
    said = value.get("said") if isinstance(value, dict) and len(value) == 1 else None
    return said if isinstance(said, str) else None


@dataclass(frozen=True, slots=True)
class Guide:
    """One way: ``fields`` go into the request, ``read`` finds the text in the reply."""

    name: str
    fields: Callable[[ClosedSet], dict[str, Any]]
    read: Callable[[str], str | None] = _plain


def _choices(closed: ClosedSet) -> list[str]:
    return list(closed.texts(limit=MOST_TEXTS))


GUIDES: Final = (
    Guide("structured_outputs.choice", lambda c: {"structured_outputs": {"choice": _choices(c)}}),
    Guide("guided_choice", lambda c: {"guided_choice": _choices(c)}),
    Guide("grammar", lambda c: {"grammar": gbnf(c)}),
    Guide("structured_outputs.grammar", lambda c: {"structured_outputs": {"grammar": gbnf(c)}}),
    Guide("json_schema", _json_schema, _said),
    Guide("json_object with a schema", _json_object, _said),
    Guide("guided_regex", lambda c: {"guided_regex": _pattern(c)}),
)
"""Those that give the text itself come first: a reply is then as short as what it says."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a server was seen to do when it was tried.

    ``guides`` are the ways of guiding that held on an output which chance does not give;
    ``likelihoods`` whether it tells log-probabilities of what it says, ``prompt_likelihoods`` of
    what it reads; ``context_tokens`` is what it says of itself, None when it says nothing.
    """

    guides: tuple[str, ...] = ()
    likelihoods: bool = False
    prompt_likelihoods: bool = False
    context_tokens: int | None = None


def content_of(reply: Any) -> str | None:
    """The text of a chat completion, None when the reply is none."""
    choice = first_choice(reply)
    message = choice.get("message") if choice is not None else None
    content = message.get("content") if isinstance(message, Mapping) else None
    return content if isinstance(content, str) else None


def first_choice(reply: Any) -> Mapping[str, Any] | None:
    """The first choice of a completion, None when there is none."""
    choices = reply.get("choices") if isinstance(reply, Mapping) else None
    found = choices[0] if isinstance(choices, list) and choices else None
    return found if isinstance(found, Mapping) else None


def tells_likelihoods(reply: Any) -> bool:
    """Whether a chat completion holds log-probabilities that can be such.

    One for each token, finite and at most 0, and those of the best tokens of a place together at
    most 1 in probability, with the chosen one among them or below them.
    """
    choice = first_choice(reply)
    told = choice.get("logprobs") if choice is not None else None
    tokens = told.get("content") if isinstance(told, Mapping) else None
    if not isinstance(tokens, list) or not tokens:
        return False
    spelled = ""
    for token in tokens:
        best = token.get("top_logprobs") if isinstance(token, Mapping) else None
        if not isinstance(best, list) or not best:
            return False
        values: list[Any] = [b.get("logprob") if isinstance(b, Mapping) else None for b in best]
        own: Any = token.get("logprob")
        if not are_logarithms([*values, own]):
            return False
        if sum(math.exp(value) for value in values) > 1.01 or own > max(values) + 0.01:
            return False
        spelled += str(token.get("token", ""))
    if all(t["logprob"] == 0 for t in tokens):
        return False  # a server that fills in zeros
    content = content_of(reply)
    return content is not None and content.strip() in spelled


def are_logarithms(values: Sequence[Any]) -> bool:
    """Whether all are finite numbers of at most 0 (and a rounding)."""
    return all(
        isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) and v <= 1e-4
        for v in values
    )


def read_prompt(reply: Any, prompt: str) -> list[tuple[int, float]] | None:
    """Offset in ``prompt`` and log-probability of each token of an echoed prompt but the first.

    None when the reply does not repeat the prompt exactly, or holds no such numbers.
    """
    choice = first_choice(reply)
    told = choice.get("logprobs") if choice is not None else None
    if choice is None or not isinstance(told, Mapping):
        return None
    text, tokens, values = choice.get("text"), told.get("tokens"), told.get("token_logprobs")
    if not isinstance(text, str) or not text.startswith(prompt):
        return None
    if not isinstance(tokens, list) or not isinstance(values, list) or len(tokens) != len(values):
        return None
    found, at = [], 0
    for number, (token, value) in enumerate(zip(tokens, values, strict=True)):
        if at >= len(prompt):
            break
        if not isinstance(token, str) or not text.startswith(token, at):
            return None
        if value is not None and not are_logarithms([value]):
            return None
        if value is None and number:
            return None
        if value is not None:
            found.append((at, float(value)))
        at += len(token)
    return found if at >= len(prompt) and found else None
