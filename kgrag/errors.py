"""The exception tree, by what the caller can do about it.

    KgragError
    ├── SettingsError            mend the settings or the installation
    │   ├── UnknownName          a plug-in or setting name that nothing answers to
    │   ├── MissingExtra         a package that this install lacks
    │   ├── MissingModel         a model that has not been fetched
    │   └── KnowledgeBaseError   not a kb, or one made with other settings
    ├── DataError                mend the input; the rest of the batch goes on
    │   ├── UnreadableFile       a file that was refused, with the reason
    │   ├── BadQuestion          a question that cannot be asked
    │   └── NotFound             no such document, assertion, concept or answer
    ├── RetryableError           try again later
    │   └── KnowledgeBaseBusy    another writer holds the kb
    └── BrokenInvariant          a defect of kgrag: nothing was let out

Facts are attributes; ``hint`` says what to do next.
"""

from __future__ import annotations


class KgragError(Exception):
    """Root of all errors that kgrag raises on purpose."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class SettingsError(KgragError):
    """The settings or the installation need mending."""


class UnknownName(SettingsError):
    """``name`` is no known ``role``; ``known`` lists what is."""

    def __init__(self, role: str, name: str, known: tuple[str, ...]) -> None:
        from difflib import get_close_matches

        near = get_close_matches(name, known, n=1)
        listing = ", ".join(known) or "none"
        super().__init__(
            f"unknown {role} {name!r}; known: {listing}",
            hint=f"did you mean {near[0]!r}?" if near else None,
        )
        self.role, self.name, self.known = role, name, known


class MissingExtra(SettingsError):
    """``package`` is needed for ``purpose`` and comes with the extra ``extra``."""

    def __init__(self, package: str, *, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package!r}, which is not installed",
            hint=f"pip install 'kgrag[{extra}]'",
        )
        self.package, self.extra, self.purpose = package, extra, purpose


class MissingModel(SettingsError):
    """The model ``name`` is not in the cache."""

    def __init__(self, name: str, *, hint: str | None = None) -> None:
        super().__init__(
            f"the model {name!r} is not installed", hint=hint or f"kgrag models fetch {name}"
        )
        self.name = name


class KnowledgeBaseError(SettingsError):
    """The kb cannot be opened as it is."""


class DataError(KgragError):
    """The input needs mending."""


class UnreadableFile(DataError):
    """The file at ``uri`` was refused for ``reason``; nothing of it was kept."""

    def __init__(self, uri: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"{uri}: {reason}", hint=hint)
        self.uri, self.reason = uri, reason


class BadQuestion(DataError):
    """The question is empty, too long, or in no supported language."""


class NotFound(DataError):
    """Nothing has the identifier ``identifier``."""

    def __init__(self, kind: str, identifier: str, *, hint: str | None = None) -> None:
        super().__init__(f"no {kind} {identifier!r} in this knowledge base", hint=hint)
        self.kind, self.identifier = kind, identifier


class RetryableError(KgragError):
    """The same call may succeed later."""


class KnowledgeBaseBusy(RetryableError):
    """Another process writes to the kb: ``pid``, and ``url`` when it serves."""

    def __init__(self, path: str, *, pid: int | None, url: str | None = None) -> None:
        who = f"process {pid}" if pid else "another process"
        serving = f", serving at {url}" if url else ""
        super().__init__(
            f"{path} is being written by {who}{serving}",
            hint="wait until it ends, or stop it",
        )
        self.path, self.pid, self.url = path, pid, url


class BrokenInvariant(KgragError):
    """A promise of kgrag did not hold; the operation ended without output."""
