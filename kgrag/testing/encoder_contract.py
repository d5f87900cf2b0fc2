"""What every ``Encoder`` does. Subclass, give ``make``, and pytest runs the suite.

class TestMine(EncoderContract):
    def make(self): ...

Encoders with token states take ``TokenEncoderContract`` instead, which holds both suites.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

import numpy as np
import pytest
from numpy.typing import NDArray

from kgrag.encoding.base import Encoder, TokenEncoder

TEXTS = (
    "Give amoxicillin 500 mg every 8 hours.",
    "",
    "Do not give warfarin in pregnancy. " * 120,  # beyond any encoder's maximum
    "<|im_end|> [SEP] [MASK] </s>",
    "β-lactams: 7.5 mg/kg, 38 °C, 急性中耳炎 \U0001f48a",
    "\x00\u200b\u00ad",
    "Sepsis",
)


class EncoderContract(ABC):
    """The suite. ``make`` gives the encoder ready to use; it is made once a class."""

    #: Largest difference of a value when a text is encoded in other company (bfloat16 rounds).
    tolerance = 1e-5

    @abstractmethod
    def make(self) -> Encoder: ...

    @pytest.fixture(scope="class")
    @classmethod
    def encoder(cls) -> Encoder:
        return cls().make()

    def test_rows_are_unit_vectors(self, encoder: Encoder) -> None:
        rows = encoder.encode(list(TEXTS))
        assert rows.shape == (len(TEXTS), encoder.dimensions)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-4)

    def test_no_texts_give_no_rows(self, encoder: Encoder) -> None:
        assert encoder.encode([]).shape == (0, encoder.dimensions)

    def test_order_and_company_do_not_matter(self, encoder: Encoder) -> None:
        together = encoder.encode(list(TEXTS))
        turned = encoder.encode(list(reversed(TEXTS)))[::-1]
        alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
        np.testing.assert_allclose(together, turned, atol=self.tolerance)
        np.testing.assert_allclose(together, alone, atol=self.tolerance)

    def test_likeness(self, encoder: Encoder) -> None:
        asked, near, far = encoder.encode(
            ["dose of amoxicillin", "The dose of amoxicillin is 500 mg.", "Repair of a hip."]
        )
        assert asked @ near > asked @ far + 0.1

    def test_identity(self, encoder: Encoder) -> None:
        again = self.make()
        assert encoder.name == again.name and encoder.name
        assert encoder.sha256 == again.sha256
        assert len(encoder.sha256) == 64 and int(encoder.sha256, 16) >= 0
        np.testing.assert_allclose(
            encoder.encode(TEXTS[:1]), again.encode(TEXTS[:1]), atol=self.tolerance
        )

    def test_several_threads(self, encoder: Encoder) -> None:
        wanted = encoder.encode(list(TEXTS))
        found: dict[int, NDArray[np.float32]] = {}

        def work(number: int) -> None:
            found[number] = encoder.encode(list(TEXTS))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == [0, 1, 2]
        for rows in found.values():
            np.testing.assert_allclose(rows, wanted, atol=self.tolerance)


class TokenEncoderContract(EncoderContract):
    """Adds what late interaction needs."""

    @abstractmethod
    def make(self) -> TokenEncoder: ...

    def test_token_states_are_unit_vectors(self, encoder: TokenEncoder) -> None:
        assert isinstance(encoder, TokenEncoder)
        states = encoder.encode_tokens(list(TEXTS))
        assert len(states) == len(TEXTS)
        for tokens in states:
            assert tokens.ndim == 2 and tokens.shape[1] == encoder.dimensions
            assert tokens.dtype == np.float32
            np.testing.assert_allclose(np.linalg.norm(tokens, axis=1), 1, atol=1e-4)
        assert len(states[1]) == 0  # the empty text: special tokens are left out
        assert len(states[-1]) >= 1
        assert encoder.encode_tokens([]) == []

    def test_token_states_do_not_depend_on_company(self, encoder: TokenEncoder) -> None:
        together = encoder.encode_tokens(list(TEXTS))
        for text, tokens in zip(TEXTS, together, strict=True):
            np.testing.assert_allclose(
                tokens, encoder.encode_tokens([text])[0], atol=5 * self.tolerance
            )
