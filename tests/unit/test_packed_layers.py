"""Packed layers give what plain ones give; what is not known stays as it is."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers.activations import ACT2FN

from kgrag.encoding.packed import PackedLinear, can_pack, pack

FORMATS = [torch.float32, torch.bfloat16]


def layer(dtype: torch.dtype, *, bias: bool = True) -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(48, 96, bias=bias).to(dtype)


def needs(dtype: torch.dtype) -> None:
    if not can_pack(dtype):
        pytest.skip(f"this torch packs no {dtype} layers on this processor")


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("shape", [(48,), (1, 48), (3, 7, 48), (2, 1500, 48)])
@pytest.mark.parametrize("bias", [True, False])
def test_a_packed_layer_gives_what_the_plain_one_gives(
    dtype: torch.dtype, shape: tuple[int, ...], bias: bool
) -> None:
    needs(dtype)
    plain, given = layer(dtype, bias=bias), torch.randn(shape).to(dtype)
    atol, rtol = (2e-2, 2e-2) if dtype is torch.bfloat16 else (1e-5, 1e-4)
    with torch.inference_mode():
        wanted = plain(given)
        made = PackedLinear(plain)(given)
        assert made.shape == wanted.shape
        assert made.dtype is dtype
        torch.testing.assert_close(made, wanted, atol=atol, rtol=rtol)
        activated = PackedLinear(plain, gelu=True)(given)
        torch.testing.assert_close(activated, nn.functional.gelu(wanted), atol=atol, rtol=rtol)


class Feed(nn.Module):
    def __init__(self, activation: str) -> None:
        super().__init__()
        self.dense, self.intermediate_act_fn = layer(torch.float32), ACT2FN[activation]
        self.after = nn.Sequential(nn.Linear(96, 8), nn.LayerNorm(8))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.after(self.intermediate_act_fn(self.dense(states)))
        return made


@pytest.mark.parametrize(("activation", "joined"), [("gelu", True), ("gelu_new", False)])
def test_every_linear_layer_is_packed_and_exact_gelu_joined(activation: str, joined: bool) -> None:
    needs(torch.float32)
    feed, given = Feed(activation), torch.randn(5, 48)
    with torch.inference_mode():
        wanted = feed(given)
        assert pack(feed) == 2
        assert isinstance(feed.intermediate_act_fn, nn.Identity) is joined
        torch.testing.assert_close(feed(given), wanted, atol=1e-5, rtol=1e-4)
    assert not any(type(m) is nn.Linear for m in feed.modules())
