"""Assertions from sentences and table rows, by rules that are data; no model is called.

``extract`` reads a document with its mentions. What a rule found and the check refused is kept
with its reason: rejects hold ids and offsets, never text.
"""

from __future__ import annotations

from kgrag_ingest.extract.extract import Extraction, extract

__all__ = ["Extraction", "extract"]
