"""Prompts as tokens: the form is the model's own chat form, the words of sources stay data."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any, Final

# Stand-ins of the contents while the chat form is rendered; letters only, so no form alters them.
_MARKS: Final = ("KGRAGINSTRUCTION", "KGRAGCONTENT")


def instruction(name: str) -> str:
    """The text of ``prompts/<name>.txt``, without the line end."""
    return files("kgrag.generation").joinpath("prompts", f"{name}.txt").read_text("utf-8").strip()


class ChatForm:
    """Builds prompts for one tokenizer.

    What a source or a question says is tokenized with special tokens off: ``<|im_end|>`` written
    in a document becomes the characters it is made of and never ends a turn.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        rendered = self._render()
        before, _, rest = rendered.partition(_MARKS[0])
        between, _, after = rest.partition(_MARKS[1])
        self._frame = tuple(self._special(part) for part in (before, between, after))

    def _render(self) -> str:
        if not getattr(self._tokenizer, "chat_template", None):
            return f"{_MARKS[0]}\n\n{_MARKS[1]}\n\n"
        turns = [
            {"role": "system", "content": _MARKS[0]},
            {"role": "user", "content": _MARKS[1]},
        ]
        text = self._tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True
        )
        if not all(text.count(mark) == 1 for mark in _MARKS):
            raise ValueError("the model's chat form does not keep a system and a user turn")
        return str(text)

    def _special(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False).input_ids) if text else []

    def plain(self, text: str) -> list[int]:
        """The tokens of ``text`` as data."""
        tokens = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return list(tokens.input_ids)

    def prompt(self, instruct: str, content: Sequence[int]) -> list[int]:
        """The instruction, the content's tokens, and the start of the model's own turn."""
        before, between, after = self._frame
        return [*before, *self.plain(instruct), *between, *content, *after]
