"""A local model run by transformers: it scores, chooses and composes inside a closed set."""

from __future__ import annotations

import copy
import math
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from kgrag.errors import BrokenInvariant, SettingsError
from kgrag.generation.allowed import ClosedSet, Said, statements
from kgrag.generation.chat import ChatForm, instruction
from kgrag.generation.logits import best_of
from kgrag.generation.trie import Compiled, TokenTrie
from kgrag.models.catalogue import model_path, spec_of
from kgrag.models.cpu import Dtype, prepare
from kgrag.models.identity import folder_sha256, lacking_weights
from kgrag.models.quiet import quiet_loading
from kgrag.paths import user_path

if TYPE_CHECKING:
    from kgrag.generation.grammar import GrammarEngine

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
# What free text is written after.
_PROMPT_TOKENS: Final = 3072

Engine = Literal["trie", "llguidance"]


class TransformersModel:
    """Scores, chooses and composes with a causal model. Safe to use from several threads.

    ``engine`` says what keeps it inside the closed set; both let out the same texts.
    """

    def __init__(
        self, model: Any, tokenizer: Any, *, name: str, sha256: str, engine: Engine = "trie"
    ) -> None:
        end = tokenizer.eos_token_id
        if end is None:
            raise SettingsError(f"the tokenizer of {name} has no end token")
        self._model, self._end, self._tokenizer = model.eval(), int(end), tokenizer
        self._form, self._engine = ChatForm(tokenizer), engine
        self._grammar: GrammarEngine | None = None
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

    def score(self, prompt: str, candidates: Sequence[str], *, told: str = "answer") -> list[float]:
        """log p(candidate | prompt), natural log, summed over tokens, one a candidate, in order.

        The prompt is cut at 3,072 tokens, its beginning is kept; a candidate is cut at 512. An
        empty candidate scores 0.
        """
        before = self._form.prompt(instruction(told), self._form.plain(prompt)[:_PROMPT_TOKENS])
        said = [self._form.plain(text)[:_CANDIDATE_TOKENS] for text in candidates]
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
        """Mean log p(said | prompt) of each prompt."""
        sums = self._sums([said] * len(prompts), prompts)
        return [value / len(said) for value in sums]

    def _sums(self, said: list[list[int]], prompts: list[list[int]]) -> list[float]:
        """The sum of log p over the tokens of each ``said`` after its prompt, in batches of like
        lengths."""
        scores = [0.0] * len(prompts)
        length = [len(one) + len(other) for one, other in zip(prompts, said, strict=True)]
        batch: list[int] = []
        for i in sorted((i for i in range(len(prompts)) if said[i]), key=lambda i: length[i]):
            if batch and (len(batch) + 1) * length[i] > _BATCH_TOKENS:
                self._fill(said, prompts, batch, scores)
                batch = []
            batch.append(i)
        if batch:
            self._fill(said, prompts, batch, scores)
        return scores

    def _fill(
        self,
        said: list[list[int]],
        prompts: list[list[int]],
        batch: list[int],
        scores: list[float],
    ) -> None:
        """Fill in the scores of the rows ``batch``, in one pass."""
        # Padded on the left: what was said then ends every row, and the vocabulary projection, a
        # fifth of the work, is done there alone.
        rows = [[*prompts[i], *said[i]] for i in batch]
        width, keep = max(map(len, rows)), max(len(said[i]) for i in batch)
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
            value = float(picked[row, keep - len(said[i]) :].sum())
            if not math.isfinite(value):
                raise BrokenInvariant("the language model gave likelihoods that are no numbers")
            scores[i] = value

    def choose(self, question: str, candidates: Sequence[str], *, count: int) -> list[int]:
        """Indices into ``candidates`` that the model emitted inside the closed set, in its order.

        Greedy. Each candidate is said whole, with its citation mark ``[number]``; after the first
        the model may end instead of going on. At most ``count``, without repeats. Offered are the
        candidates, in their order, that fit into 3,072 tokens of prompt.
        """
        if not candidates or count < 1:
            return []
        offered = candidates[: self._within(candidates)]
        said = self._say("choose", question, offered, statements(offered, most=count))
        return [value for value in said.values if isinstance(value, int)]

    def compose(self, question: str, sentences: Sequence[str], allowed: ClosedSet) -> Said:
        """A text of ``allowed``, greedily; NothingAllowed when that is empty.

        The model reads the numbered ``sentences``, as many as fit into 3,072 tokens, before it.
        """
        return self._say("compose", question, sentences[: self._within(sentences)], allowed)

    def generate(self, prompt: str, *, max_tokens: int, told: str = "fluent") -> str:
        """Free text after ``prompt``, greedily, until the model ends or ``max_tokens`` are made.

        The prompt is cut at 3,072 tokens, its beginning is kept.
        """
        content = self._form.plain(prompt)[:_PROMPT_TOKENS]
        pending = self._form.prompt(instruction(told), content)
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

    def warnings(self) -> tuple[str, ...]:
        """None: what breaks here raises."""
        return ()

    def compiled(self, allowed: ClosedSet) -> Compiled:
        """``allowed`` in the tokens of this model."""
        if self._engine == "llguidance":
            from kgrag.generation.grammar import GrammarEngine

            if self._grammar is None:
                self._grammar = GrammarEngine(self._tokenizer, end=self._end)
            return self._grammar.compile(allowed)
        return TokenTrie(allowed, self._tokens, end=self._end)

    def _tokens(self, text: str) -> list[int]:
        return [token for token in self._form.plain(text) if token != self._end]

    def _within(self, sentences: Sequence[str]) -> int:
        """How many of the first sentences fit into the prompt of a choice; at least one."""
        total = 0
        for number, text in enumerate(sentences):
            total += len(self._form.plain(text)) + 8  # its number, its mark and the line end
            if total > _CHOICE_TOKENS:
                return max(number, 1)
        return len(sentences)

    def _say(self, told: str, question: str, sentences: Sequence[str], allowed: ClosedSet) -> Said:
        """The text of ``allowed`` that the model says after the numbered sentences.

        Where only one token can follow, the model is not asked; it reads the whole run at its next
        choice.
        """
        walk = self.compiled(allowed).walk()
        numbered = "\n".join(f"[{number}] {text}" for number, text in enumerate(sentences, 1))
        content = self._form.plain(f"{numbered}\n\n")
        content += self._form.plain(question)[:_QUESTION_TOKENS]
        pending = self._form.prompt(instruction(told), content)
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
        return walk.said()

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
