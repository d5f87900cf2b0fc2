"""A local model in GGUF form run by llama.cpp: quick to load, small, kept inside the token trie."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kgrag.errors import BrokenInvariant, SettingsError
from kgrag.generation.chat import ChatForm
from kgrag.generation.local import CANDIDATE_TOKENS, PROMPT_TOKENS, QUESTION_TOKENS, LocalModel
from kgrag.generation.trie import Walk
from kgrag.models.cpu import threads
from kgrag.paths import user_path

# Not in every development environment, since it is compiled where it is installed: untyped.
llama_cpp: Any = import_module("llama_cpp")
_chat_format: Any = import_module("llama_cpp.llama_chat_format")

_CONTEXT: Final = 4096
# What is said again after them needs as much room as the sentences themselves.
_CHOICE_TOKENS: Final = _CONTEXT // 2 - QUESTION_TOKENS


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


class LlamaCppModel(LocalModel):
    """A model that llama.cpp runs."""

    def __init__(self, model: Any, *, name: str, sha256: str) -> None:
        end = int(model.token_eos())
        if end < 0:
            raise SettingsError(f"the model {name} has no end token")
        form = ChatForm(_Tokenizer(model))
        super().__init__(form, end=end, name=name, sha256=sha256, choice_tokens=_CHOICE_TOKENS)
        self._model = model

    def score(self, prompt: str, candidates: Sequence[str], *, told: str = "answer") -> list[float]:
        """log p(candidate | prompt), natural log, summed over tokens; an empty one scores 0."""
        before = self._prompt(told, prompt)
        return [self._sum(before, self._form.plain(text)[:CANDIDATE_TOKENS]) for text in candidates]

    def generate(self, prompt: str, *, max_tokens: int, told: str = "fluent") -> str:
        """Free text after ``prompt``, greedily, of at most ``max_tokens`` tokens."""
        pending = self._prompt(told, prompt)
        made: list[int] = []
        with self._lock:
            self._begin()
            while len(made) < min(max_tokens, _CONTEXT - PROMPT_TOKENS - QUESTION_TOKENS):
                token = int(self._next(pending).argmax())
                if token == self._end:
                    break
                made.append(token)
                pending = [token]
        return bytes(self._model.detokenize(made)).decode("utf-8", errors="replace").strip()

    def _follow(self, walk: Walk, prompt: list[int]) -> None:
        pending = prompt
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

    def _likelihood(self, said: list[int], prompts: list[list[int]]) -> list[float]:
        return [self._sum(prompt, said) / len(said) for prompt in prompts]

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
