"""A local model run by transformers: it scores, chooses and composes inside a closed set."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from kgrag.errors import BrokenInvariant, SettingsError
from kgrag.generation.allowed import ClosedSet
from kgrag.generation.chat import ChatForm, instruction
from kgrag.generation.local import CANDIDATE_TOKENS, LocalModel
from kgrag.generation.logits import best_of
from kgrag.generation.trie import Compiled, Walk
from kgrag.models.catalogue import model_path, spec_of
from kgrag.models.cpu import Dtype, prepare
from kgrag.models.identity import folder_sha256, lacking_weights
from kgrag.models.quiet import quiet_loading
from kgrag.paths import user_path

if TYPE_CHECKING:
    from kgrag.generation.grammar import GrammarEngine

# Tokens of one batch, padding included: what a small machine holds beside the model.
_BATCH_TOKENS: Final = 2048
# Of an answer whose likelihood is asked for, and of the question before it.
_ANSWER_TOKENS: Final = 64
_ASKED_TOKENS: Final = 128
# The numbered candidates of a choice; those beyond it are not offered.
_CHOICE_TOKENS: Final = 3072

Engine = Literal["trie", "llguidance"]


class TransformersModel(LocalModel):
    """Scores, chooses and composes with a causal model. Safe to use from several threads.

    ``engine`` says what keeps it inside the closed set; both let out the same texts.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, name: str, sha256: str, engine: Engine = "trie"
    ) -> None:
        end = tokenizer.eos_token_id
        if end is None:
            raise SettingsError(f"the tokenizer of {name} has no end token")
        super().__init__(
            ChatForm(tokenizer), end=int(end), name=name, sha256=sha256,
            choice_tokens=_CHOICE_TOKENS,
        )  # fmt: skip
        self._model, self._tokenizer, self._engine = model.eval(), tokenizer, engine
        self._grammar: GrammarEngine | None = None

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
            self._form.prompt(told, [*self._form.plain(text)[:CANDIDATE_TOKENS], *asked])
            for text in passages
        ]
        return self._likelihood(said, prompts)

    def score(self, prompt: str, candidates: Sequence[str], *, told: str = "answer") -> list[float]:
        """log p(candidate | prompt), natural log, summed over tokens, one a candidate, in order.

        The prompt is cut at 3,072 tokens, its beginning is kept; a candidate is cut at 512. An
        empty candidate scores 0.
        """
        before = self._prompt(told, prompt)
        said = [self._form.plain(text)[:CANDIDATE_TOKENS] for text in candidates]
        if not any(said):
            return [0.0] * len(said)
        with self._lock, torch.inference_mode():  # the prompt is read once for all
            logits, read = self._next(before, None)
            first = torch.log_softmax(logits.float(), dim=-1)
            scores = [self._after(tokens, first, read) for tokens in said]
        if not all(map(math.isfinite, scores)):
            raise BrokenInvariant("the language model gave likelihoods that are no numbers")
        return scores

    def _after(self, said: list[int], first: torch.Tensor, read: Any) -> float:
        """The sum of log p of ``said`` after ``read``; ``first`` is of its first token."""
        if not said:
            return 0.0
        total = float(first[said[0]])
        if len(said) > 1:
            rest = torch.tensor([said[:-1]], device=self._model.device)
            logits = self._model(input_ids=rest, past_key_values=copy.deepcopy(read)).logits[0]
            chances = torch.log_softmax(logits.float(), dim=-1)
            wanted = torch.tensor(said[1:], device=chances.device)
            total += float(chances.gather(1, wanted.unsqueeze(1)).sum())
        return total

    def to(self, device: str) -> TransformersModel:
        """The same model, which computes on ``device`` from now on."""
        with self._lock:
            self._model.to(device)
        return self

    def _likelihood(self, said: list[int], prompts: list[list[int]]) -> list[float]:
        """Mean log p(said | prompt) of each prompt, in batches of like lengths."""
        scores = [0.0] * len(prompts)
        batch: list[int] = []
        for i in sorted(range(len(prompts)), key=lambda i: len(prompts[i])):
            if batch and (len(batch) + 1) * (len(prompts[i]) + len(said)) > _BATCH_TOKENS:
                self._fill(said, prompts, batch, scores)
                batch = []
            batch.append(i)
        if batch:
            self._fill(said, prompts, batch, scores)
        return [score / len(said) for score in scores]

    def _fill(
        self, said: list[int], prompts: list[list[int]], batch: list[int], scores: list[float]
    ) -> None:
        """Fill in the sums of log p over ``said`` after the prompts ``batch``, in one pass."""
        # Padded on the left: what was said then ends every row, and the vocabulary projection, a
        # fifth of the work, is done there alone.
        rows = [[*prompts[i], *said] for i in batch]
        width, keep = max(map(len, rows)), len(said)
        device = self._model.device
        ids = torch.tensor([[self._end] * (width - len(r)) + r for r in rows], device=device)
        mask = torch.tensor([[0] * (width - len(r)) + [1] * len(r) for r in rows], device=device)
        with self._lock, torch.inference_mode():
            logits = self._model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=(mask.cumsum(dim=1) - 1).clamp(min=0),
                use_cache=False,
                logits_to_keep=keep + 1,
            ).logits[:, :-1]
        chances = torch.log_softmax(logits.float(), dim=-1)
        picked = chances.gather(2, ids[:, width - keep :].unsqueeze(2)).squeeze(2).cpu()
        for row, i in enumerate(batch):
            value = float(picked[row].sum())
            if not math.isfinite(value):
                raise BrokenInvariant("the language model gave likelihoods that are no numbers")
            scores[i] = value

    def generate(self, prompt: str, *, max_tokens: int, told: str = "fluent") -> str:
        """Free text after ``prompt``, greedily, until the model ends or ``max_tokens`` are made.

        The prompt is cut at 3,072 tokens, its beginning is kept.
        """
        pending = self._prompt(told, prompt)
        made: list[int] = []
        with self._lock, torch.inference_mode():
            cache: Any = None
            while len(made) < max_tokens:
                logits, cache = self._next(pending, cache)
                if torch.isnan(logits).any():
                    raise BrokenInvariant("the language model gave logits that are no numbers")
                token = int(logits.argmax())
                if token == self._end:
                    break
                made.append(token)
                pending = [token]
        return str(self._tokenizer.decode(made, skip_special_tokens=True)).strip()

    def compiled(self, allowed: ClosedSet) -> Compiled:
        """``allowed`` in the tokens of this model."""
        if self._engine == "llguidance":
            from kgrag.generation.grammar import GrammarEngine

            if self._grammar is None:
                self._grammar = GrammarEngine(self._tokenizer, end=self._end)
            return self._grammar.compile(allowed)
        return super().compiled(allowed)

    def _follow(self, walk: Walk, prompt: list[int]) -> None:
        pending = prompt
        with self._lock, torch.inference_mode():
            cache: Any = None
            while not walk.done:
                may = walk.allowed()
                token = may[0]
                if len(may) > 1:
                    logits, cache = self._next(pending, cache)
                    pending = []
                    token = best_of(logits, may)
                walk.take(token)
                pending = [*pending, token]

    def _next(self, pending: list[int], cache: Any) -> tuple[torch.Tensor, Any]:
        """Logits of shape (vocabulary,) after ``pending``, and the state to go on from."""
        out = self._model(
            input_ids=torch.tensor([pending], device=self._model.device),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return out.logits[0, -1], out.past_key_values


def _load(
    folder: Path, *, name: str, sha256: str, dtype: Dtype | None, engine: Engine
) -> TransformersModel:
    device, chosen = _best_place()
    if dtype is not None:
        chosen = getattr(torch, dtype)
    with quiet_loading():
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=chosen,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
        )
    if lacking := lacking_weights(folder, model):
        raise SettingsError(
            f"{folder} lacks {len(lacking)} of its weights, {lacking[0]} among them",
            hint="save the whole model with save_pretrained(folder)",
        )
    tokenizer = AutoTokenizer.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    made = TransformersModel(model, tokenizer, name=name, sha256=sha256, engine=engine)
    return made if device == "cpu" else made.to(device)


def _best_place() -> tuple[str, torch.dtype]:
    """The GPU if there is one, else the processor, and the type that it computes well in."""
    if not torch.cuda.is_available():
        return "cpu", prepare()
    return "cuda", torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def load_smollm2(dtype: Dtype | None = None, *, engine: Engine = "trie") -> TransformersModel:
    """The default language model; MissingModel when it has not been fetched."""
    name = "smollm2-135m-instruct"
    sha256 = spec_of(name).sha256
    return _load(model_path(name), name=name, sha256=sha256, dtype=dtype, engine=engine)


def load_folder(
    path: str = "", dtype: Dtype | None = None, *, engine: Engine = "trie"
) -> TransformersModel:
    """The user's own model at ``path``: safetensors only, none of its code is run."""
    folder = user_path(path)
    if not path or not folder.is_dir():
        raise SettingsError(
            f"no folder {path!r} to read a language model from", hint="transformers:FOLDER"
        )
    name = f"transformers:{folder.name}"
    return _load(folder, name=name, sha256=folder_sha256(folder), dtype=dtype, engine=engine)
