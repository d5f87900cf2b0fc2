"""The models that kgrag knows by name: where they come from, whether they are here.

Nothing here imports torch; a model is a folder in the cache, loaded with no network.
"""

from __future__ import annotations

from kgrag.models.catalogue import KnownModel, Spec, list_models, model_path
from kgrag.models.fetch import fetch

__all__ = ["KnownModel", "Spec", "fetch", "list_models", "model_path"]
