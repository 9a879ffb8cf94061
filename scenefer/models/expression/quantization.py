"""Weights in eight bits: an integer from −127 to 127 each, and one scale per output channel.

Symmetric per-channel quantisation (Krishnamoorthi, arXiv:1806.08342). It only makes files smaller: networks compute
with the float32 weights that ``unpacked`` returns.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_SCALE = ":scale"  # suffix to the name of a tensor, for its scales
_SMALLEST = 1024  # values; smaller tensors are not worth quantising


def packed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Quantise the convolutions (O, I, H, W) of a state dict to eight bits; leave everything else unchanged."""
    small: dict[str, Tensor] = {}
    for key, value in state.items():
        if value.dim() != 4 or value.numel() < _SMALLEST:
            small[key] = value
            continue
        scale = value.float().abs().amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-12) / 127  # (O, 1, 1, 1)
        small[key] = torch.round(value.float() / scale).to(torch.int8)
        small[key + _SCALE] = scale
    return small


def unpacked(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a file, with quantised ones converted back to float32."""
    return {
        key: value.float() * stored[key + _SCALE] if key + _SCALE in stored else value
        for key, value in stored.items()
        if not key.endswith(_SCALE)
    }
