"""High dynamic range to standard range: PQ and HLG (ITU-R BT.2100) to BT.709.

Lookup tables convert signal → light relative to white (203 cd/m², ITU-R BT.2408) → BT.709 primaries → shoulder above
0.75 of white → gamma. Below 0.75 of white, which includes faces, light is unchanged. swscale could convert too, but
needs 5 s for every set-up and clips at white.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np

WHITE = 203.0  # cd/m², ITU-R BT.2408
PEAK = 1000.0  # cd/m², shown as full white
_KNEE = 0.75  # of white
_BAND = 128  # rows at a time, so that the intermediate floats stay in the cache

# Linear BT.2020 to linear BT.709: ITU-R BT.2087, annex 2.
_TO_BT709 = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]], dtype=np.float32
)


def to_standard_range(signal: np.ndarray, transfer: str, wide: bool) -> np.ndarray:
    """Convert a picture.

    Args:
        signal: (H, W, 3) uint16 RGB, full range, as coded.
        transfer: "PQ" or "HLG".
        wide: whether the primaries are those of BT.2020.

    Returns:
        (H, W, 3) uint8.
    """
    light_of, shown_of = _light(transfer), _shown()
    picture = np.empty(signal.shape, np.uint8)
    for top in range(0, signal.shape[0], _BAND):
        light = light_of[signal[top : top + _BAND] >> 4]  # white = 1
        if wide:
            light = cv2.transform(light, _TO_BT709)
        # Index the table by the square root: more entries for dark values, where steps are visible.
        root = np.sqrt(np.clip(light, 0, PEAK / WHITE, out=light), out=light)
        np.take(shown_of, (root * _ROOT_SCALE).astype(np.uint16), out=picture[top : top + _BAND], mode="clip")
    return picture


_ENTRIES = 4096
_ROOT_SCALE = np.float32((_ENTRIES - 1) / np.sqrt(PEAK / WHITE))


@functools.cache
def _light(transfer: str) -> np.ndarray:
    """Table of light, white = 1, by 12-bit signal; (4096,) float32."""
    signal = np.arange(_ENTRIES) / (_ENTRIES - 1)
    if transfer == "PQ":  # SMPTE ST 2084
        root = signal ** (1 / 78.84375)
        nits = 10_000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
    else:  # ARIB STD-B67, its system gamma of 1.2 applied to each channel
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
        nits = PEAK * scene**1.2
    return (nits / WHITE).astype(np.float32)


@functools.cache
def _shown() -> np.ndarray:
    """Table of 8-bit values for a BT.1886 screen, by square root of light; (4096,) uint8."""
    light = (np.arange(_ENTRIES) / float(_ROOT_SCALE)) ** 2
    # The shoulder is the Möbius curve of ffmpeg's filter tonemap: smooth at the knee, 1 at the peak.
    j, peak = _KNEE, PEAK / WHITE
    a = -(j**2) * (peak - 1) / (j**2 - 2 * j + peak)
    b = (j**2 - 2 * j * peak + peak) / (peak - 1)
    shoulder = (b**2 + 2 * b * j + j**2) / (b - a) * (light + a) / (light + b)
    return np.round(255 * np.clip(np.where(light <= j, light, shoulder), 0, 1) ** (1 / 2.4)).astype(np.uint8)
