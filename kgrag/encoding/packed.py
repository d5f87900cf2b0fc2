"""Linear layers whose weights lie as the processor multiplies them.

Torch arranges a layer's weights anew for every batch; here it is done once, when a model is loaded.
The activation after a layer is computed on its result while that is still in the cache. What is
used is oneDNN inside torch, the operators that its own compiler emits: no compiler is needed.
"""

from __future__ import annotations

import torch
from torch import nn

# The batch that weights are arranged for, in tokens; they serve batches of every size.
_TOKENS = 1024


def can_pack(dtype: torch.dtype) -> bool:
    """Whether this torch on this processor has what ``pack`` needs for models of ``dtype``."""
    known = (
        torch._C._has_mkldnn
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        and hasattr(torch.ops.mkldnn, "_reorder_linear_weight")
    )
    if dtype is torch.bfloat16:
        return known and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return known and dtype is torch.float32


class PackedLinear(nn.Module):
    """``linear``, then GELU where ``gelu`` says so; for inference. Its weights cannot be read."""

    def __init__(self, linear: nn.Linear, *, gelu: bool = False) -> None:
        super().__init__()
        with torch.inference_mode():
            weight = linear.weight.detach().contiguous()
            self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, _TOKENS)
            self._bias = None if linear.bias is None else linear.bias.detach().clone()
        self._then = ("gelu", "none") if gelu else ("none", "")

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Shape (..., inputs) to (..., outputs)."""
        name, algorithm = self._then
        made: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
            states, self._weight, self._bias, name, [], algorithm
        )
        return made


def pack(model: nn.Module) -> int:
    """Every linear layer of ``model`` is packed; returns how many. It cannot be trained after."""
    packed = 0
    for parent in list(model.modules()):
        # The exact GELU of transformers' feed-forward layers; its other forms stay as they are.
        act = getattr(parent, "intermediate_act_fn", None)
        dense = getattr(parent, "dense", None)
        exact = type(act).__name__ == "GELUActivation" and _is_exact(act)
        if exact and type(dense) is nn.Linear:
            parent.dense = PackedLinear(dense, gelu=True)
            parent.intermediate_act_fn = nn.Identity()
            packed += 1
        for name, layer in list(parent.named_children()):
            if type(layer) is nn.Linear:
                setattr(parent, name, PackedLinear(layer))
                packed += 1
    return packed


def _is_exact(activation: object) -> bool:
    given = torch.linspace(-3, 3, 7)
    made = activation(given) if callable(activation) else None
    return made is not None and torch.allclose(made, nn.functional.gelu(given))
