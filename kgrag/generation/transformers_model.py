"""A local model run by transformers: it scores candidates and chooses among them, nothing else."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from kgrag.errors import BrokenInvariant, SettingsError
from kgrag.generation.chat import ChatForm, instruction
from kgrag.generation.logits import best_of
from kgrag.generation.trie import TokenTrie
from kgrag.models.catalogue import model_path, spec_of
from kgrag.models.cpu import Dtype, prepare
from kgrag.models.identity import folder_sha256
from kgrag.models.quiet import quiet_loading
from kgrag.paths import user_path

# Tokens of one batch, padding included: what a small machine holds beside the model.
_BATCH_TOKENS: Final = 2048
# A candidate is a passage at most; beyond this many tokens it is cut for scoring.
_CANDIDATE_TOKENS: Final = 512
_QUESTION_TOKENS: Final = 512
# Of an answer whose likelihood is asked for, and of the question before it.
_ANSWER_TOKENS: Final = 64
_ASKED_TOKENS: Final = 128
# The numbered candidates of a choice; those beyond it are not offered.
_CHOICE_TOKENS: Final = 3072


class TransformersModel:
    """Scores and chooses with a causal model of transformers. Safe to use from several threads."""

    def __init__(self, model: Any, tokenizer: Any, *, name: str, sha256: str) -> None:
        end = tokenizer.eos_token_id
        if end is None:
            raise SettingsError(f"the tokenizer of {name} has no end token")
        self._model, self._end = model.eval(), int(end)
        self._form = ChatForm(tokenizer)
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
        if not asked or not candidates:
            return [0.0] * len(candidates)
        told = instruction("question")
        prompts = [
            self._form.prompt(told, self._form.plain(text)[:_CANDIDATE_TOKENS])
            for text in candidates
        ]
        return self._likelihood(asked, prompts)

    def answer_likelihood(self, question: str, answer: str, passages: Sequence[str]) -> list[float]:
        """Mean log p(answer token | passage, question), natural log, one a passage, in their order.

        Passages are cut at 512 tokens, the question at 128 and the answer at 64; an empty answer
        scores 0.
        """
        said = self._form.plain(answer)[:_ANSWER_TOKENS]
        if not said or not passages:
            return [0.0] * len(passages)
        asked = self._form.plain(f"\n\n{question}")[:_ASKED_TOKENS]
        told = instruction("answer")
        prompts = [
            self._form.prompt(told, [*self._form.plain(text)[:_CANDIDATE_TOKENS], *asked])
            for text in passages
        ]
        return self._likelihood(said, prompts)

    def to(self, device: str) -> TransformersModel:
        """The same model, which computes on ``device`` from now on."""
        with self._lock:
            self._model.to(device)
        return self

    def _likelihood(self, asked: list[int], prompts: list[list[int]]) -> list[float]:
        """Mean log p(asked | prompt) of each prompt, in batches of like lengths."""
        scores = [0.0] * len(prompts)
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        batch: list[int] = []
        for i in order:
            if batch and (len(batch) + 1) * (len(prompts[i]) + len(asked)) > _BATCH_TOKENS:
                self._score(asked, prompts, batch, scores)
                batch = []
            batch.append(i)
        self._score(asked, prompts, batch, scores)
        return scores

    def _score(
        self, asked: list[int], prompts: list[list[int]], batch: list[int], scores: list[float]
    ) -> None:
        """Fill in the scores of the rows ``batch``, in one pass."""
        # Padded on the left: the question then stands at the same places in every row, and the
        # vocabulary projection, a fifth of the work, is done there alone.
        width = max(len(prompts[i]) for i in batch) + len(asked)
        rows = [[*prompts[i], *asked] for i in batch]
        device = self._model.device
        ids = torch.tensor([[self._end] * (width - len(r)) + r for r in rows], device=device)
        mask = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows], device=device)
        with self._lock, torch.inference_mode():
            logits = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0),
                use_cache=False,
                logits_to_keep=len(asked) + 1,
            ).logits[:, :-1]
        chances = torch.log_softmax(logits.float(), dim=-1).cpu()
        picked = chances.gather(2, torch.tensor(asked).expand(len(batch), -1).unsqueeze(2))
        means = picked.squeeze(2).mean(dim=1)
        if not torch.isfinite(means).all():
            raise BrokenInvariant("the language model gave likelihoods that are no numbers")
        for i, value in zip(batch, means.tolist(), strict=True):
            scores[i] = value

    def choose(self, question: str, candidates: Sequence[str], *, count: int) -> list[int]:
        """Indices into ``candidates`` that the model emitted through a token trie, in its order.

        Greedy. Each candidate ends in its citation mark ``[number]`` and the end token; after the
        first the model may end instead of going on. At most ``count``, without repeats. Offered
        are the candidates, in their order, that fit into 3,072 tokens of prompt.
        """
        if not candidates or count < 1:
            return []
        paths = [self._path(text, number) for number, text in enumerate(candidates, 1)]
        offered = _within(paths, _CHOICE_TOKENS)
        numbered = "\n".join(f"[{i + 1}] {candidates[i]}" for i in range(offered))
        content = self._form.plain(f"{numbered}\n\n")
        content += self._form.plain(question)[:_QUESTION_TOKENS]
        pending = self._form.prompt(instruction("choose"), content)
        chosen: list[int] = []
        remaining = list(range(offered))
        with self._lock, torch.inference_mode():
            cache: Any = None
            while remaining and len(chosen) < count:
                trie = TokenTrie([paths[i] for i in remaining], end=self._end)
                found, pending, cache = self._walk(trie, pending, cache, may_end=bool(chosen))
                if found is None:
                    break
                chosen.append(remaining.pop(found))
        return chosen

    def _path(self, text: str, number: int) -> list[int]:
        tokens = self._form.plain(f"{text} [{number}]")
        return [token for token in tokens if token != self._end]

    def _walk(
        self, trie: TokenTrie, pending: list[int], cache: Any, *, may_end: bool
    ) -> tuple[int | None, list[int], Any]:
        """One candidate of ``trie``, or None when the model ended; with the state to go on from.

        ``pending`` is what the model has not read yet. Where only one token can follow, the model
        is not asked; it reads the whole run at its next choice.
        """
        emitted: list[int] = []
        while not emitted or emitted[-1] != trie.end:
            allowed = trie.allowed(emitted)
            if not emitted and may_end:
                allowed = sorted({*allowed, trie.end})
            if len(allowed) == 1:
                token = allowed[0]
            else:
                out = self._model(
                    input_ids=torch.tensor([pending], device=self._model.device),
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
                cache, pending = out.past_key_values, []
                token = best_of(out.logits[0, -1], allowed)
                if token == trie.end and not emitted and may_end:
                    return None, pending, cache
            emitted.append(token)
            pending = [*pending, token]
        return trie.candidate(emitted), pending, cache


def _within(paths: Sequence[Sequence[int]], limit: int) -> int:
    """How many of the first paths fit into ``limit`` tokens; at least one."""
    total = 0
    for number, path in enumerate(paths):
        total += len(path) + 4  # the number before it and the line end
        if total > limit:
            return max(number, 1)
    return len(paths)


def _load(folder: Path, *, name: str, sha256: str, dtype: Dtype | None) -> TransformersModel:
    chosen = prepare() if dtype is None else getattr(torch, dtype)
    with quiet_loading():
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=chosen,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
        )
    tokenizer = AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    return TransformersModel(model, tokenizer, name=name, sha256=sha256)


def load_smollm2(dtype: Dtype | None = None) -> TransformersModel:
    """The default language model; MissingModel when it has not been fetched."""
    name = "smollm2-135m-instruct"
    return _load(model_path(name), name=name, sha256=spec_of(name).sha256, dtype=dtype)


def load_folder(path: str = "", dtype: Dtype | None = None) -> TransformersModel:
    """The user's own model at ``path``: safetensors only, none of its code is run."""
    folder = user_path(path)
    if not path or not folder.is_dir():
        raise SettingsError(
            f"no folder {path!r} to read a language model from", hint="transformers:FOLDER"
        )
    return _load(
        folder, name=f"transformers:{folder.name}", sha256=folder_sha256(folder), dtype=dtype
    )
