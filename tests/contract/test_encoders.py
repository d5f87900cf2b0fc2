"""Every encoder keeps the contract."""

from __future__ import annotations

import pytest

from kgrag.encoding import TokenEncoder, load_encoder, resolver
from kgrag.encoding.hashing import HashingEncoder
from kgrag.testing.encoder_contract import TokenEncoderContract


class TestHashing(TokenEncoderContract):
    def make(self) -> TokenEncoder:
        return HashingEncoder()


@pytest.mark.models
class TestMiniLM(TokenEncoderContract):
    tolerance = 0.01  # bfloat16 where the processor computes in it

    def make(self) -> TokenEncoder:
        encoder = load_encoder("all-minilm-l6-v2")
        assert isinstance(encoder, TokenEncoder)
        return encoder


@pytest.mark.models
class TestFolder(TokenEncoderContract):
    tolerance = 1e-4

    def make(self) -> TokenEncoder:
        from kgrag.encoding.sentence_transformer import load_folder
        from kgrag.models import model_path

        return load_folder(str(model_path("all-minilm-l6-v2")), dtype="float32")


def test_every_encoder_is_tested() -> None:
    assert set(resolver.names()) == {"all-minilm-l6-v2", "hashing", "sentence-transformers"}
