"""The truth store on SQL: ``open_truth`` gives a ``SqlTruth``."""

from kgrag.stores.sql.truth import SqlTruth, open_truth

__all__ = ["SqlTruth", "open_truth"]
