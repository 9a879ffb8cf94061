"""A 3×3 convolution that trains faster on a CPU when the feature map is small.

For maps of 3×3 and smaller, oneDNN's bfloat16 weight gradient takes 20 times as long as the convolution itself: 46 ms,
against 1.7 ms for the matrix product used here (256 channels, maps of 2×2, batch 96).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

SMALL = 9  # elements of the output map; for larger maps oneDNN is not slower


class Conv3x3(nn.Conv2d):
    """A 3×3 ``nn.Conv2d`` with the same results, but a different gradient computation for small maps."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, padding: int = 1, *, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 3, stride, padding, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        stride, padding = self.stride[0], int(self.padding[0])
        height, width = ((edge + 2 * padding - 3) // stride + 1 for edge in input.shape[2:])
        if not self.weight.requires_grad or height * width > SMALL or self.in_channels < 128 or input.is_cuda:
            return super().forward(input)
        return _Convolve.apply(input, self.weight, self.bias, stride, padding)  # pyright: ignore[reportReturnType] - stub


class _Convolve(torch.autograd.Function):
    @staticmethod
    @torch.amp.custom_fwd(device_type="cpu", cast_inputs=torch.bfloat16)
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry = stride, padding, bias is not None
        return functional.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    @torch.amp.custom_bwd(device_type="cpu")
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None, None]:
        (slope,) = grad_outputs
        x, weight = ctx.saved_tensors
        stride, padding, biased = ctx.geometry
        wanted = [True, False, False]  # only the gradient of the input
        to_input = torch.ops.aten.convolution_backward(
            slope, x, weight, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, wanted
        )[0]
        to_bias = slope.float().sum(dim=(0, 2, 3)) if biased else None
        return to_input, _to_weight(x, slope, stride, padding), to_bias, None, None


def _to_weight(x: Tensor, slope: Tensor, stride: int, padding: int) -> Tensor:
    """Multiply the input patch of each output (N · H · W, 9 · inputs) by its gradient (N · H · W, outputs)."""
    outputs, height, width = slope.shape[1:]
    inputs = x.shape[1]
    seen = functional.pad(x, (padding,) * 4).permute(0, 2, 3, 1)
    rows, columns = stride * (height - 1) + 1, stride * (width - 1) + 1
    shifted = [seen[:, y : y + rows : stride, x : x + columns : stride] for y in range(3) for x in range(3)]
    patches = torch.cat(shifted, dim=3).reshape(-1, 9 * inputs)
    slopes = slope.permute(0, 2, 3, 1).reshape(-1, outputs)
    return (slopes.T @ patches).reshape(outputs, 3, 3, inputs).permute(0, 3, 1, 2)
