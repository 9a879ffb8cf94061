"""Other inputs than the grey picture: what a network is shown of a face, a picture of the same size.

A recipe names one (``features``); its weight file keeps the name, so that films are read as the network learned.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import torch
from torch import Tensor

CANNY = (100, 200)  # thresholds of the gradient
# Eyes, nose and mouth in a picture framed as FER2013: x from, x to, y from, y to, fractions of its side. They hold the
# landmarks of nine in ten faces; no cascade that comes with scikit-image finds these parts by themselves.
REGIONS = ((0.2, 0.82, 0.26, 0.48), (0.38, 0.64, 0.48, 0.7), (0.26, 0.78, 0.68, 0.92))
WAVELENGTHS = (3.0, 6.0, 12.0)  # px at 48, of the filters' centres; an octave apart
ORIENTATIONS = 4  # π/4 apart
OCTAVE = 0.745  # σ / f₀ of a filter whose band is one octave wide (Field 1987): exp(−√(ln 2 / 2) / 2)


def edges(grey: Tensor) -> Tensor:
    """Draw the edges (Canny 1986) of faces whose histograms are equalised, at eyes, nose and mouth alone."""
    side = grey.shape[-1]
    seen = np.zeros((side, side), bool)
    for left, right, top, bottom in REGIONS:
        seen[round(top * side) : round(bottom * side), round(left * side) : round(right * side)] = True
    pictures = grey.detach().cpu().clamp(0, 255).to(torch.uint8).numpy()[:, 0]
    drawn = [np.where(seen, cv2.Canny(cv2.equalizeHist(np.ascontiguousarray(p)), *CANNY), 0) for p in pictures]
    return torch.from_numpy(np.stack(drawn)[:, None]).to(grey)


def log_gabor(grey: Tensor) -> Tensor:
    """Show the mean energy of a bank of log-Gabor filters (Field 1987), each face's strongest place at 255."""
    spectrum = torch.fft.fft2(grey.float() - grey.float().mean(dim=(2, 3), keepdim=True))
    bank = _bank(grey.shape[-2], grey.shape[-1]).to(grey.device)
    energy = torch.zeros_like(grey, dtype=torch.float32)
    for one in bank:  # one at a time: all together would take as many times the memory
        energy += torch.fft.ifft2(spectrum * one).abs()
    return (255 * energy / energy.amax(dim=(2, 3), keepdim=True).clamp(min=1e-6)).to(grey.dtype)


@cache
def _bank(height: int, width: int) -> Tensor:
    """Lay out the filters over frequencies: (scales · orientations, H, W), 0 to 1; each sees one side of a wave."""
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.fftfreq(width)[None]
    radius = torch.hypot(down, across)
    radius[0, 0] = 1.0  # its logarithm is asked for; the filters are 0 there
    angle = torch.atan2(-down, across)
    step = math.pi / ORIENTATIONS
    filters = []
    for wavelength in WAVELENGTHS:
        centre = 48 / (wavelength * width)
        radial = torch.exp(-torch.log(radius / centre).square() / (2 * math.log(OCTAVE) ** 2))
        radial[0, 0] = 0.0
        for number in range(ORIENTATIONS):
            apart = angle - number * step
            apart = torch.atan2(torch.sin(apart), torch.cos(apart)).abs()
            filters.append(radial * torch.exp(-apart.square() / (2 * (step / 1.5) ** 2)))
    return torch.stack(filters)


FEATURES: dict[str, Callable[[Tensor], Tensor]] = {
    "": lambda grey: grey,
    "edges": edges,
    "log_gabor": log_gabor,
}
