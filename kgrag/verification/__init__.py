"""Checks of statements against their sources, in layers that fail closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kgrag.verification.verdict import Links


def verify_json(
    statement: str, evidence: Sequence[str], *, linker: Links | None = None
) -> Mapping[str, Any]:
    """The contract's verdict, confidence and checks; concepts are compared with a ``linker``."""
    from kgrag.verification.verdict import to_record, verify_statement

    return to_record(verify_statement(statement, evidence, linker=linker))


__all__ = ["verify_json"]
