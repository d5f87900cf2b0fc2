"""Text of a document that addresses a language model: it is data, and it is not quoted."""

from __future__ import annotations

import re
from typing import Final

_INSTRUCTION: Final = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|all|your"
    r"|any|system|these)\b[^.\n]{0,40}\b(?:instructions?|prompts?|rules?|guidelines? you|messages?|"
    r"context|directions?)\b|"
    r"\b(?:you are|act as|pretend to be|behave as)\b[^.\n]{0,30}\b(?:an? (?:ai|assistant|language "
    r"model|chat ?bot)|now|chatgpt|gpt|dan)\b|"
    r"\b(?:system|developer|assistant) (?:prompt|message|instruction)s?\b|"
    r"<\|?(?:im_start|im_end|system|assistant|user|endoftext)\|?>|\[/?INST\]|"
    r"\b(?:language model|ai assistant|chat ?bot|llm)s?\b[^.\n]{0,60}\b(?:must|should|shall|always|"
    r"never|please|answer|reply|respond|output|say|state|repeat|tell)\b|"
    r"\b(?:when|if) (?:asked|answering|you are asked|you answer|summari[sz]ing)\b[^.\n]{0,60}\b"
    r"(?:say|reply|respond|answer|state|recommend|output|claim)\b|"
    r"\b(?:respond|reply|answer) (?:only )?with\b[^.\n]{0,30}['\"“]|"
    r"\b(?:reveal|print|repeat) (?:your|the) (?:system|instructions|prompt|hidden)\b",
    re.IGNORECASE,
)


def speaks_to_model(text: str) -> bool:
    """Whether the text reads like an instruction to a language model."""
    return _INSTRUCTION.search(text) is not None
