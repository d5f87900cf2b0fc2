"""A local model in GGUF form run by llama.cpp: quick to load, small, kept inside the token trie."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.errors import BrokenInvariant, SettingsError
from kgrag.generation.allowed import ClosedSet, Said, statements
from kgrag.generation.chat import ChatForm, instruction
from kgrag.generation.trie import TokenTrie
from kgrag.models.cpu import threads
from kgrag.paths import user_path

# Not in every development environment, since it is compiled where it is installed: untyped.
llama_cpp: Any = import_module("llama_cpp")
_chat_format: Any = import_module("llama_cpp.llama_chat_format")

_CONTEXT: Final = 4096
# As for the models of transformers.
_CANDIDATE_TOKENS: Final = 512
_QUESTION_TOKENS: Final = 512
_PROMPT_TOKENS: Final = 3072


class _Cut:
    """What a call of a tokenizer gives."""

    def __init__(self, input_ids: list[int]) -> None:
        self.input_ids = input_ids


class _Tokenizer:
    """The tokenizer and the chat form of a GGUF file, as ``ChatForm`` asks for them."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.chat_template = model.metadata.get("tokenizer.chat_template")

    def __call__(
        self, text: str, *, add_special_tokens: bool, split_special_tokens: bool = False
    ) -> _Cut:
        spelled = text.encode("utf-8", errors="replace")
        special = not split_special_tokens
        return _Cut(self._model.tokenize(spelled, add_bos=add_special_tokens, special=special))

    def apply_chat_template(
        self, turns: list[Any], *, tokenize: bool, add_generation_prompt: bool
    ) -> str:
        made = _chat_format.Jinja2ChatFormatter(
            template=self.chat_template,
            eos_token="",
            bos_token="",
            add_generation_prompt=add_generation_prompt,
        )
        return str(made(messages=turns).prompt)


class LlamaCppModel:
    """Scores, chooses and composes. Safe to use from several threads."""

    def __init__(self, model: Any, *, name: str, sha256: str) -> None:
        self._model, self._end = model, int(model.token_eos())
        if self._end < 0:
            raise SettingsError(f"the model {name} has no end token")
        self._form = ChatForm(_Tokenizer(model))
        self._name, self._sha256, self._lock = name, sha256, threading.Lock()

    @property
    def name(self) -> str:
        return self._name

    @property
    def sha256(self) -> str:
        return self._sha256

    def query_likelihood(self, question: str, candidates: Sequence[str]) -> list[float]:
        """Mean log p(question token | candidate), natural log, one a candidate, in their order.

        Candidates are cut at 512 tokens and so is the question; an empty question scores 0.
        """
        asked = self._form.plain(question)[:_QUESTION_TOKENS]
        if not asked:
            return [0.0] * len(candidates)
        told = instruction("question")
        prompts = [
            self._form.prompt(told, self._form.plain(text)[:_CANDIDATE_TOKENS])
            for text in candidates
        ]
        return [self._sum(prompt, asked) / len(asked) for prompt in prompts]

    def score(self, prompt: str, candidates: Sequence[str], *, told: str = "answer") -> list[float]:
        """log p(candidate | prompt), natural log, summed over tokens; an empty one scores 0."""
        before = self._form.prompt(instruction(told), self._form.plain(prompt)[:_PROMPT_TOKENS])
        return [
            self._sum(before, self._form.plain(text)[:_CANDIDATE_TOKENS]) for text in candidates
        ]

    def choose(self, question: str, candidates: Sequence[str], *, count: int) -> list[int]:
        """Indices into ``candidates`` that the model said whole, in its order; see the protocol."""
        if not candidates or count < 1:
            return []
        offered = candidates[: self._within(candidates)]
        said = self._say("choose", question, offered, statements(offered, most=count))
        return [value for value in said.values if isinstance(value, int)]

    def compose(self, question: str, sentences: Sequence[str], allowed: ClosedSet) -> Said:
        """A text of ``allowed``, greedily; NothingAllowed when that is empty."""
        return self._say("compose", question, sentences[: self._within(sentences)], allowed)

    def generate(self, prompt: str, *, max_tokens: int, told: str = "fluent") -> str:
        """Free text after ``prompt``, greedily, of at most ``max_tokens`` tokens."""
        pending = self._form.prompt(instruction(told), self._form.plain(prompt)[:_PROMPT_TOKENS])
        made: list[int] = []
        with self._lock:
            self._begin()
            while len(made) < min(max_tokens, _CONTEXT - _PROMPT_TOKENS - _QUESTION_TOKENS):
                token = int(self._next(pending).argmax())
                if token == self._end:
                    break
                made.append(token)
                pending = [token]
        return bytes(self._model.detokenize(made)).decode("utf-8", errors="replace").strip()

    def warnings(self) -> tuple[str, ...]:
        """None: what breaks here raises."""
        return ()

    def _tokens(self, text: str) -> list[int]:
        return [token for token in self._form.plain(text) if token != self._end]

    def _within(self, sentences: Sequence[str]) -> int:
        """How many of the first sentences fit into half of what the model reads; at least one."""
        total = 0
        for number, text in enumerate(sentences):
            total += len(self._form.plain(text)) + 8
            if total > _CONTEXT // 2 - _QUESTION_TOKENS:
                return max(number, 1)
        return len(sentences)

    def _say(self, told: str, question: str, sentences: Sequence[str], allowed: ClosedSet) -> Said:
        walk = TokenTrie(allowed, self._tokens, end=self._end).walk()
        numbered = "\n".join(f"[{number}] {text}" for number, text in enumerate(sentences, 1))
        content = self._form.plain(f"{numbered}\n\n")
        content += self._form.plain(question)[:_QUESTION_TOKENS]
        pending = self._form.prompt(instruction(told), content)
        with self._lock:
            self._begin()
            while not walk.done:
                may = walk.allowed()
                token = may[0]
                if len(may) > 1:
                    token = may[int(self._next(pending)[may].argmax())]
                    pending = []
                walk.take(token)
                pending = [*pending, token]
        return walk.said()

    def _sum(self, prompt: list[int], said: list[int]) -> float:
        """The sum of log p of the tokens ``said`` after ``prompt``."""
        total, pending = 0.0, prompt
        with self._lock:
            self._begin()
            for token in said:
                logits = self._next(pending).astype(np.float64)
                best = float(logits.max())
                total += float(logits[token]) - best - math.log(float(np.exp(logits - best).sum()))
                pending = [token]
        return total

    def _begin(self) -> None:
        self._model.reset()

    def _next(self, pending: list[int]) -> NDArray[np.float32]:
        """Logits of shape (vocabulary,) after ``pending``; BrokenInvariant when they are none.

        SettingsError when the model cannot read so much.
        """
        if self._model.n_tokens + len(pending) > self._model.n_ctx():
            raise SettingsError(
                f"{self._name} reads {self._model.n_ctx()} tokens at most, which is too few"
            )
        self._model.eval(pending)
        found = llama_cpp.llama_get_logits_ith(self._model.ctx, -1)
        logits = np.ctypeslib.as_array(found, shape=(self._model.n_vocab(),)).copy()
        if np.isnan(logits).any() or not np.isfinite(logits.max()):
            raise BrokenInvariant("the language model gave logits that are no numbers")
        return logits


def load_gguf(path: str = "") -> LlamaCppModel:
    """The user's own model in the file ``path``, on the processor or what llama.cpp was built for.

    SettingsError when there is no such file or llama.cpp cannot read it.
    """
    file = user_path(path)
    if not path or not file.is_file():
        raise SettingsError(
            f"no file {path!r} to read a language model from", hint="llama.cpp:FILE.gguf"
        )
    if not _is_gguf(file):  # llama.cpp may end the process on what is none
        raise SettingsError(f"{file} is no GGUF file")
    try:
        model = llama_cpp.Llama(
            str(file), n_ctx=_CONTEXT, n_threads=threads(), n_gpu_layers=-1, verbose=False
        )
    except (ValueError, RuntimeError) as error:
        raise SettingsError(f"llama.cpp cannot read {file}") from error
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return LlamaCppModel(model, name=f"llama.cpp:{file.stem}", sha256=digest)


def _is_gguf(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(4) == b"GGUF"
