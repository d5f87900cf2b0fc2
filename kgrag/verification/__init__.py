"""Checks of statements against their sources, in layers that fail closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def verify_json(statement: str, evidence: Sequence[str]) -> Mapping[str, Any]:
    """The contract's verdict, confidence and checks for a statement and its evidence texts."""
    from kgrag.verification.verdict import to_record, verify_statement

    return to_record(verify_statement(statement, evidence))


__all__ = ["verify_json"]
