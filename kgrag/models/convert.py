"""Turn a GGUF file into a folder that transformers loads in under a second.

Run as a program by ``kgrag.models.fetch``: ``python -m kgrag.models.convert GGUF FOLDER``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def convert(gguf: Path, folder: Path) -> None:
    """``folder`` holds bfloat16 safetensors, configuration and tokenizer, loaded once to check.

    The loaded copy gives the same logits, bit by bit, as the model read from the GGUF; a
    ValueError says so when it does not.
    """
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, AutoTokenizer

    options: dict[str, Any] = {"gguf_file": gguf.name, "local_files_only": True}
    # Newer releases keep weights packed where a kernel for that is installed; older ones always
    # unpack and have no such setting.
    settings = getattr(transformers, "GgufConfig", None)
    unpack = {"quantization_config": settings(dequantize=True)} if settings else {}
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, dtype=torch.bfloat16, **options, **unpack
    )
    _remove_marks(model)
    model.save_pretrained(folder, safe_serialization=True)
    AutoTokenizer.from_pretrained(gguf.parent, **options).save_pretrained(folder)
    _mend_tokenizer(folder, gguf)

    loaded = AutoModelForCausalLM.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, trust_remote_code=False
    )
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    tokens = tokenizer("Give 7.5 mg/kg every 12 hours.", return_tensors="pt").input_ids
    with torch.inference_mode():
        if not torch.equal(model(tokens).logits, loaded(tokens).logits):
            raise ValueError("the converted model does not repeat the original's logits")


def _remove_marks(model: Any) -> None:
    """Make an unpacked model what it is: plain, so that it can be saved."""
    model.is_quantized = False
    for mark in ("hf_quantizer", "quantization_method"):
        if hasattr(model, mark):
            delattr(model, mark)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


def _mend_tokenizer(folder: Path, gguf: Path) -> None:
    """Split digits one by one, as the model was trained with; transformers forgets that step."""
    from gguf import GGUFReader

    field = GGUFReader(gguf).fields.get("tokenizer.ggml.pre")
    if field is None or field.contents() != "smollm":
        return
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    before = tokenizer["pre_tokenizer"]
    if before["type"] == "ByteLevel":
        digits = {"type": "Digits", "individual_digits": True}
        tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [digits, before]}
        path.write_text(json.dumps(tokenizer, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
