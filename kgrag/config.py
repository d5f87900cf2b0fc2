"""Settings: one TOML file whose sections are the folders of the engine; all have defaults.

``kgrag.toml`` in the kb's folder is read when it is there. Unknown keys are refused with the
nearest known name.
"""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from kgrag.errors import SettingsError
from kgrag.ids import make_id


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Encoding(_Section):
    """``encoder``: a known name, or ``sentence-transformers:PATH``."""

    encoder: str = "all-minilm-l6-v2"


class Stores(_Section):
    """``truth`` and ``index``: a URL of PostgreSQL and of a Qdrant server; None is embedded."""

    truth: str | None = None
    index: str | None = None


class Retrieval(_Section):
    """``passages``: how many the context is made of. ``parts``: which ways of finding and
    ordering passages are used, by the names of ``kgrag.retrieval.parts``. ``keep_states``: whether
    the part ``late`` keeps what it compares, 11 KB a passage, or makes it for each question.
    ``cross_encoder``: the folder of a model of yours, for the part ``cross-encoder``."""

    passages: Annotated[int, Field(ge=1, le=200)] = 20
    parts: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "bm25",
        "dense",
        "graph",
        "hypotheses",
        "late",
        "feedback",
    )
    keep_states: bool = True
    cross_encoder: str | None = None


class Generation(_Section):
    """``model``: a known name, ``transformers:PATH``, ``llama.cpp:PATH.gguf``,
    ``openai:URL#MODEL``, or ``none``.

    ``order``: who decides which statements an answer makes and in what order. With ``auto`` it is
    what was measured for the model (the reranker for the default one).

    Of a server (``openai:``): ``allow_remote`` lets text go to one outside of this machine and its
    network; ``key_variable`` names the environment variable that holds its key;
    ``timeout_seconds`` bounds a whole call, further tries included.
    """

    model: str = "smollm2-135m-instruct"
    order: Literal["auto", "reranker", "model"] = "auto"
    allow_remote: bool = False
    key_variable: str | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 60.0


class AnswerLimits(_Section):
    """Statements an answer makes at most, and words of one statement at most."""

    statements: Annotated[int, Field(ge=1, le=50)] = 3
    words: Annotated[int, Field(ge=5, le=1000)] = 60


class Verification(_Section):
    """``entailment``: a checker of yours, ``nli:FOLDER``, ``detector:FOLDER`` or ``fact:FOLDER``;
    none by default. ``labels`` says what its outputs mean, in their order, where its configuration
    does not ("entailment", "neutral", ...). From ``threshold`` on, a probability, it counts as
    support, and as contradiction. ``mode``: answers quote, or may also say free sentences that
    the checker confirms; they are labelled."""

    entailment: str | None = None
    labels: tuple[str, ...] = ()
    threshold: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    mode: Literal["quote", "fluent"] = "quote"

    @model_validator(mode="after")
    def _fluent_needs_a_checker(self) -> Self:
        if self.mode == "fluent" and not self.entailment:
            raise ValueError("mode 'fluent' needs verification.entailment, a checker of yours")
        return self


class Settings(_Section):
    """All settings of a kb."""

    encoding: Encoding = Encoding()
    stores: Stores = Stores()
    retrieval: Retrieval = Retrieval()
    generation: Generation = Generation()
    verification: Verification = Verification()
    answer: AnswerLimits = AnswerLimits()

    def shaping_hash(self) -> str:
        """Of the settings that shaped what is stored; a kb is opened with the same."""
        return make_id("set", self.encoding.encoder)


def load_settings(path: Path | None) -> Settings:
    """The settings of the TOML file at ``path``; the defaults when there is none."""
    if path is None or not path.exists():
        return Settings()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}") from error
    return parse_settings(values, origin=str(path))


def parse_settings(values: dict[str, Any], *, origin: str) -> Settings:
    """``values`` checked; SettingsError names the key, and the nearest known one."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = [str(part) for part in first["loc"]]
        key = ".".join(where)
        if first["type"] != "extra_forbidden":
            raise SettingsError(f"{origin}: {key}: {first['msg']}") from error
        near = get_close_matches(where[-1], _known(where[:-1]), n=1)
        raise SettingsError(
            f"{origin}: unknown setting {key!r}",
            hint=f"did you mean {near[0]!r}?" if near else None,
        ) from error


def _known(section: list[str]) -> list[str]:
    model: Any = Settings
    for name in section:
        model = model.model_fields[name].annotation
    return list(model.model_fields)
