"""One way to get a plug-in by name: built-ins are imported when asked for, others by entry point.

An entry point of the group ``kgrag.<role>`` names a callable; packages add implementations with
it and change nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from kgrag.errors import MissingExtra, UnknownName


class Resolver:
    """Names of one role (``encoder``, ``reader``, ...) to what makes it.

    ``builtin`` maps a name to ``module:attribute`` and the extra that the module needs.
    """

    def __init__(self, role: str, builtin: Mapping[str, tuple[str, str]]) -> None:
        self.role = role
        self._builtin = dict(builtin)

    def names(self) -> tuple[str, ...]:
        """All known names, sorted."""
        return tuple(sorted({*self._builtin, *(e.name for e in self._plugins())}))

    def get(self, name: str) -> Any:
        """The callable or class of that name; UnknownName lists the known ones."""
        if name in self._builtin:
            path, extra = self._builtin[name]
            module, _, attribute = path.partition(":")
            try:
                return getattr(import_module(module), attribute)
            except ModuleNotFoundError as error:
                missing = error.name or module
                if missing.partition(".")[0] in ("kgrag", "kgrag_ingest", "kgrag_services"):
                    raise
                raise MissingExtra(
                    missing, extra=extra, purpose=f"the {self.role} {name!r}"
                ) from error
        for entry in self._plugins():
            if entry.name == name:
                return entry.load()
        raise UnknownName(self.role, name, self.names())

    def _plugins(self) -> list[Any]:
        return list(entry_points(group=f"kgrag.{self.role}"))
