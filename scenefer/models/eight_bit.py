"""Weights in eight bits: a whole number from −127 to 127 each, and a scale for every output channel.

Symmetric quantisation by output channel (Krishnamoorthi, arXiv:1806.08342), for the file alone: networks compute with
what ``unpacked`` gives back.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

_SCALE = ":scale"  # after the name of a tensor: its scales
_SMALLEST = 1024  # values; less is not worth rounding


def packed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Round the convolutions (O, I, H, W) of a state to eight bits; everything else stays as it is."""
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
    """Return the tensors of a file, those in eight bits as float32."""
    return {
        key: value.float() * stored[key + _SCALE] if key + _SCALE in stored else value
        for key, value in stored.items()
        if not key.endswith(_SCALE)
    }
