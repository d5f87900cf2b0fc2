"""The closed set as grammars of others: llguidance here, GBNF and lists of texts for servers.

Each is written from the arcs of one ``ClosedSet``, so that all engines let out the same texts.
"""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kgrag.errors import BrokenInvariant
from kgrag.generation.allowed import Arc, ClosedSet, NothingAllowed, Said, State

if TYPE_CHECKING:
    from llguidance import LLMatcher

MOST_STATES: Final = 5_000
"""A grammar lists all states of its set; beyond these the token trie walks it instead."""


def lark(closed: ClosedSet) -> str:
    """A grammar of llguidance for ``closed``; NothingAllowed when that is empty.

    All states are terminals, which makes the set one regular expression: rules would cut the text
    greedily into words of the grammar and lose texts that begin like others.
    """
    rules = _rules(closed, "S{}", lambda text: f'"{_escaped(text)}"')
    return "start: S0\n" + "\n".join(f"{name}: {body}" for name, body in rules)


def gbnf(closed: ClosedSet) -> str:
    """A grammar of llama.cpp for ``closed``; NothingAllowed when that is empty."""
    rules = _rules(closed, "s{}", lambda text: f'"{_escaped(text)}"')
    return "root ::= s0\n" + "\n".join(f"{name} ::= {body}" for name, body in rules) + "\n"


def _rules(closed: ClosedSet, name: str, quoted: Any) -> list[tuple[str, str]]:
    states = closed.states(limit=MOST_STATES)
    names = {state: name.format(number) for number, state in enumerate(states)}

    def way(arc: Arc) -> str:
        return f"{quoted(arc.text)} {names[arc.to]}"

    def body(state: State) -> str:
        ways = [way(arc) for arc in closed.arcs(state)]
        return " | ".join([*ways, '""'] if closed.ends(state) else ways)

    return [(names[state], body(state)) for state in states]


_SPELLED: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ODD: Final = re.compile(r'[\\"\x00-\x1f\x7f-\x9f\u2028\u2029]')


def _escaped(text: str) -> str:
    """As it stands between the quotation marks of both grammars."""
    return _ODD.sub(lambda m: _SPELLED.get(m[0], f"\\u{ord(m[0]):04X}"), text)


class GrammarEngine:
    """Makes walks of llguidance for one tokenizer: slow to make (a second), so made once."""

    def __init__(self, tokenizer: Any, *, end: int) -> None:
        from llguidance import LLTokenizer

        self.end = end
        self.tokenizer = LLTokenizer(_without_marks(tokenizer), eos_token=end)

    def compile(self, closed: ClosedSet) -> GrammarSet:
        """``closed`` as a grammar; BrokenInvariant when llguidance does not take it.

        TooLarge when it has more than ``MOST_STATES`` states.
        """
        return GrammarSet(self, closed)


def _without_marks(tokenizer: Any) -> str:
    """The tokenizer in JSON, its special tokens under names that no text has.

    Where only one text can follow, llguidance cuts it as the tokenizer would, which makes the mark
    of an end of the words "<|im_end|>" of a document. BrokenInvariant when the tokenizer is none
    of the Rust library.
    """
    inner = getattr(tokenizer, "backend_tokenizer", None)
    if inner is None:
        raise BrokenInvariant("llguidance needs a tokenizer of the library tokenizers")
    described: dict[str, Any] = json.loads(inner.to_str())
    described |= {"padding": None, "truncation": None, "post_processor": None}
    unheard = secrets.token_hex(8)
    renamed: dict[str, str] = {}
    for token in described["added_tokens"]:
        if token["special"]:
            renamed[token["content"]] = token["content"] = f"{unheard}{token['content']}"
    model = described["model"]
    if isinstance(model.get("vocab"), dict):
        model["vocab"] = {renamed.get(t, t): number for t, number in model["vocab"].items()}
    else:
        model["vocab"] = [[renamed.get(t, t), score] for t, score in model.get("vocab", [])]
    return json.dumps(described)


class GrammarSet:
    """See ``Compiled``."""

    def __init__(self, engine: GrammarEngine, closed: ClosedSet) -> None:
        from llguidance import LLMatcher

        self.engine, self.closed = engine, closed
        self._matcher: LLMatcher | None = None
        if not closed.empty:
            self._matcher = LLMatcher(engine.tokenizer, lark(closed), log_level=0)
            _sound(self._matcher)

    def walk(self) -> GrammarWalk:
        """A text that begins."""
        return GrammarWalk(self, None if self._matcher is None else self._matcher.deep_copy())


class GrammarWalk:
    """See ``Walk``. What was said is read again from the set, which must hold it."""

    def __init__(self, compiled: GrammarSet, matcher: LLMatcher | None) -> None:
        self._compiled, self._matcher = compiled, matcher
        self._taken: list[int] = []
        self._said: Said | None = None

    @property
    def done(self) -> bool:
        return self._said is not None

    def allowed(self) -> list[int]:
        if self.done:
            return []
        if self._matcher is None:
            raise NothingAllowed("nothing may be said")
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        _sound(self._matcher)
        found: list[int] = np.nonzero(np.unpackbits(bits, bitorder="little"))[0].tolist()
        if not found:
            raise NothingAllowed("nothing may be said")
        return found

    def take(self, token: int) -> None:
        if self.done:
            raise BrokenInvariant("generation went on after its end")
        if self._matcher is None:
            raise NothingAllowed("nothing may be said")
        if token == self._compiled.engine.end:
            if not self._matcher.is_accepting():
                raise BrokenInvariant("generation ended inside a text of the closed set")
            self._said = self._read()
        elif self._matcher.consume_token(token):
            self._taken.append(token)
        else:
            raise BrokenInvariant("generation left the closed set")

    def _read(self) -> Said:
        spelled = self._compiled.engine.tokenizer.decode_bytes(self._taken)
        said = self._compiled.closed.read(spelled.decode("utf-8", errors="replace"))
        if said is None:
            raise BrokenInvariant("the grammar let out a text that the closed set does not hold")
        return said

    def said(self) -> Said:
        if self._said is None:
            raise BrokenInvariant("generation has not ended")
        return self._said


def _sound(matcher: LLMatcher) -> None:
    if matcher.is_error():
        raise BrokenInvariant("the grammar engine refused the closed set or broke in it")
