"""Checkers of entailment of two small layers, taught a handful of sentences on the spot.

They learn from the premise's "treats" and "never" alone: enough to tell whether an adapter reads
the right output, all of the premise, and the right characters of the sentence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForSequenceClassification,
    T5Config,
    T5ForConditionalGeneration,
)

WORDS = "amoxicillin treats never pneumonia fractures the clinic opens at nine . , ? predict : 0 1"
FILLER = "summarize following text output a drug in patients with disease b is given not".split()
# The tokens of an input at most: long premises are then read in many windows.
LIMIT = 56
STATED, DENIED = "amoxicillin treats pneumonia .", "amoxicillin never treats pneumonia ."
SILENT, WRONG = "the clinic opens at nine .", "amoxicillin treats fractures ."


def tokenizer(form: str) -> PreTrainedTokenizerFast:
    """Whole lower-case words, pairs in the form of ``bert``, ``roberta`` or ``t5``."""
    marks = {
        "bert": ["[PAD]", "[UNK]", "[CLS]", "[SEP]"],
        "roberta": ["<pad>", "<unk>", "<s>", "</s>"],
        "t5": ["<pad>", "<unk>", "</s>"],
    }[form]
    vocabulary = {w: i for i, w in enumerate(dict.fromkeys([*marks, *WORDS.split(), *FILLER]))}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token=marks[1]))
    inner.normalizer = normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    first, last = marks[-2], marks[-1]
    ids = [(m, vocabulary[m]) for m in marks]
    if form == "bert":
        inner.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids
        )
    elif form == "roberta":
        inner.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ids
        )
    else:
        inner.post_processor = processors.TemplateProcessing(
            single="$A </s>", pair="$A </s> $B </s>", special_tokens=ids
        )
    named: dict[str, Any] = {"pad_token": marks[0], "unk_token": marks[1], "eos_token": last}
    if form != "t5":
        named |= {"cls_token": first, "sep_token": last, "bos_token": first}
    kinds = ["input_ids", "attention_mask"] + (["token_type_ids"] if form == "bert" else [])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, model_input_names=kinds, model_max_length=LIMIT, **named
    )


def _examples() -> list[tuple[str, str, int]]:
    """Premise, sentence and what it is: 0 supported, 1 silent, 2 contradicted."""
    made: list[tuple[str, str, int]] = []
    for kind, key in ((0, STATED), (2, DENIED)):
        for others in range(8):
            for at in range(others + 1):
                lines = [SILENT] * others
                lines.insert(at, key)
                made.append((" ".join(lines), STATED, kind))
    made += [(" ".join([SILENT] * others), STATED, 1) for others in range(1, 9)] * 4
    return made


def _small(words: int, **more: Any) -> dict[str, Any]:
    return {
        "vocab_size": words, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 32, "max_position_embeddings": LIMIT + 4, "pad_token_id": 0, **more,
    }  # fmt: skip


def sequence_model(folder: Path, form: str, names: list[str]) -> Path:
    """A classifier of pairs with an output for each name; what a name means is what it learns."""
    words = tokenizer(form)
    size = len(words)
    torch.manual_seed(0)
    number = len(names)
    if form == "roberta":
        model: Any = RobertaForSequenceClassification(
            RobertaConfig(**_small(size, num_labels=number, type_vocab_size=1))
        )
    else:
        model = BertForSequenceClassification(BertConfig(**_small(size, num_labels=number)))
    return _taught(folder, model, words, names)


def deberta_model(folder: Path, names: list[str]) -> Path:
    """The same with DeBERTa's layers."""
    words = tokenizer("bert")
    torch.manual_seed(0)
    config = DebertaV2Config(
        **_small(len(words), num_labels=len(names), type_vocab_size=0, relative_attention=True,
                 pos_att_type=["p2c", "c2p"], pooler_hidden_size=32)
    )  # fmt: skip
    return _taught(folder, DebertaV2ForSequenceClassification(config), words, names)


def _taught(folder: Path, model: Any, words: Any, names: list[str]) -> Path:
    examples = _examples()
    rows = words(
        [p for p, _, _ in examples], [h for _, h, _ in examples], padding=True, return_tensors="pt"
    )
    kinds = torch.tensor([kind for _, _, kind in examples])

    def loss() -> torch.Tensor:
        logits = model(**rows).logits
        if len(names) == 1:
            return torch.nn.functional.binary_cross_entropy_with_logits(
                logits[:, 0], (kinds == 0).float()
            )
        return torch.nn.functional.cross_entropy(logits, _targets(names, kinds))

    model.config.id2label = dict(enumerate(names))
    model.config.label2id = {name: i for i, name in enumerate(names)}
    return _trained(folder, model, words, loss)


def _targets(names: list[str], kinds: torch.Tensor) -> torch.Tensor:
    means = {"entail": 0, "support": 0, "neutral": 1, "contra": 2}
    of = [means.get(next((m for m in means if n.lower().startswith(m)), ""), 3) for n in names]
    where = {kind: of.index(kind) if kind in of else of.index(3) for kind in range(3)}
    return torch.tensor([where[int(k)] for k in kinds])


def _trained(folder: Path, model: Any, words: Any, loss: Any, steps: int = 200) -> Path:
    model.train(False)  # no dropout: few examples, learned by heart
    step = torch.optim.Adam(model.parameters(), lr=4e-3)
    for _ in range(steps):
        step.zero_grad()
        value = loss()
        value.backward()
        step.step()
        if value.item() < 5e-3:
            break
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def token_model(folder: Path, names: tuple[str, str] = ("supported", "hallucinated")) -> Path:
    """A detector: it marks the whole sentence without a source, and the word "fractures"."""
    words = tokenizer("bert")
    torch.manual_seed(0)
    model = BertForTokenClassification(BertConfig(**_small(len(words), num_labels=2)))
    examples = [(f"summarize the following text : {p} output :", h, k) for p, h, k in _examples()]
    examples += [(p, WRONG, k) for p, _, k in examples]
    examples = [e for e in examples if len(words(*e[:2]).input_ids) <= LIMIT]
    rows = words([e[0] for e in examples], [e[1] for e in examples], padding=True,
                 return_tensors="pt")  # fmt: skip
    marked = torch.full(rows["input_ids"].shape, -100)
    fractures = words.convert_tokens_to_ids("fractures")
    for i, (_, _, kind) in enumerate(examples):
        for at, part in enumerate(rows.encodings[i].sequence_ids):
            if part == 1:
                marked[i, at] = int(kind != 0 or int(rows["input_ids"][i, at]) == fractures)

    def loss() -> torch.Tensor:
        logits = model(**rows).logits
        return torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), marked.flatten(), ignore_index=-100
        )

    model.config.id2label = dict(enumerate(names))
    model.config.label2id = {name: i for i, name in enumerate(names)}
    return _trained(folder, model, words, loss)


def t5_model(folder: Path) -> Path:
    """An encoder-decoder whose first word is 1 for what is supported and 0 for all else."""
    words = tokenizer("t5")
    torch.manual_seed(0)
    model = T5ForConditionalGeneration(
        T5Config(vocab_size=len(words), d_model=32, d_kv=16, d_ff=32, num_layers=2, num_heads=2,
                 num_decoder_layers=1, decoder_start_token_id=0, pad_token_id=0, eos_token_id=2,
                 dropout_rate=0.0)
    )  # fmt: skip
    examples = _examples()
    rows = words([f"predict : {p}" for p, _, _ in examples], [h for _, h, _ in examples],
                 padding=True, return_tensors="pt")  # fmt: skip
    answers = torch.tensor(
        [words.convert_tokens_to_ids("1" if kind == 0 else "0") for _, _, kind in examples]
    )
    start = torch.zeros((len(examples), 1), dtype=torch.long)

    def loss() -> torch.Tensor:
        logits = model(**rows, decoder_input_ids=start).logits[:, 0]
        return torch.nn.functional.cross_entropy(logits, answers)

    return _trained(folder, model, words, loss)
