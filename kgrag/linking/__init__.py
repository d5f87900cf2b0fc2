"""Text to mentions of concepts; the same code for passages and questions."""

from kgrag.linking.linker import Linker, link_batch, mention_json

__all__ = ["Linker", "link_batch", "mention_json"]
