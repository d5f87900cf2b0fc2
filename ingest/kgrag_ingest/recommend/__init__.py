"""From a document to its recommendations: whom, what, for or against, how strongly, how surely."""

from __future__ import annotations

from kgrag_ingest.recommend.recommend import recommend

__all__ = ["VERSION", "recommend"]

# Raised when the code changes what is found in the same document; rules have their own hash.
VERSION = "1"
