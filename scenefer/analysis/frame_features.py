"""Features of a frame that need its pixels: brightness, signature, palette and cut score.

All features are stateless: they depend only on the frame, or on the frame and its predecessor. So a film that is read
in chunks gives the same values as one undivided pass. Pictures are (h, w, 3) uint8 RGB, about 320 px wide. Cut score
and palette ignore black bars (letterbox, pillarbox).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

SIGNATURE_SIZE = (16, 9)  # columns, rows
N_HUES, N_TINTS = 12, 3  # palette bins for coloured pixels: hues x saturations
N_GREYS = 8  # palette bins for the other pixels: brightnesses

_AREA = 7200  # px: pictures are halved to at most this size (320 x 180 to 80 x 45), which averages out noise
_REACH = np.ones((5, 5), np.uint8)  # tolerated motion: 2 px at that size, 1/40 of the width
_BAR = 24  # maximum luma of a black bar, after compression
_LARGEST_BAR = 0.36  # maximum share of the picture for one bar; a larger dark area belongs to the picture
_FULL = 100.0  # difference in grey levels, summed over three channels, that counts as a full change
_FLAT = 2.0  # below this standard deviation of luma a picture is plain; in fades its histogram jumps between bins


class _Spread(NamedTuple):
    mean: float
    deviation: float


def compare(previous: np.ndarray, current: np.ndarray) -> float:
    """Score how much a picture differs from the previous one: 0 = the same, 1 = nothing in common.

    The score is the geometric mean of three measures, because a cut changes all three, while motion, light and noise
    rarely do: (1) how far pixels are outside the range of values near their position in the other picture (in both
    directions; motion within 1/40 of the width is tolerated), (2) the distance of the colour histograms, (3) the loss
    of correlation of luma. If one of the pictures is plain and has no structure, only the mean difference counts.

    Args:
        previous, current: pictures of the same shape.

    Raises:
        ValueError: their shapes differ.
    """
    if previous.shape != current.shape:
        raise ValueError(f"the pictures must have one shape, got {previous.shape} and {current.shape}")
    return difference(essence(previous), essence(current))


def essence(small: np.ndarray) -> np.ndarray:
    """Reduce a picture to what is compared of it: (h, w, 3) uint8 YCrCb of at most 7200 px."""
    return cv2.cvtColor(_reduce(small), cv2.COLOR_RGB2YCrCb)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """Score as ``compare`` does, by the essences of two pictures."""
    rows, columns = _inside(cv2.max(a[..., 0], b[..., 0]))
    a, b = np.ascontiguousarray(a[rows, columns]), np.ascontiguousarray(b[rows, columns])
    spreads = _spread(a[..., 0]), _spread(b[..., 0])
    if min(spread.deviation for spread in spreads) < _FLAT:
        return min(sum(cv2.mean(cv2.absdiff(a, b))[:3]) / _FULL, 1.0)
    moved = min((_surprise(a, b) + _surprise(b, a)) / 2 / _FULL, 1.0)
    return float(np.cbrt(moved * _histogram_distance(a, b) * _decorrelation(a[..., 0], b[..., 0], spreads)))


def signature(small: np.ndarray) -> bytes:
    """Reduce a picture to 16 x 9 luma values, rows from the top: 144 bytes."""
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, SIGNATURE_SIZE, interpolation=cv2.INTER_AREA).tobytes()


def luma(small: np.ndarray) -> float:
    """Compute the mean brightness of a picture, 0 to 255."""
    return cv2.mean(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))[0]


def palette(small: np.ndarray) -> bytes:
    """Compute a colour histogram: N_HUES x N_TINTS bins of coloured pixels (hue first), then N_GREYS bins of others.

    Returns:
        44 bytes, 255 = the whole picture without black bars.
    """
    reduced = _reduce(small)
    rows, columns = _inside(cv2.cvtColor(reduced, cv2.COLOR_RGB2GRAY))
    hue, saturation, value = cv2.split(cv2.cvtColor(reduced[rows, columns], cv2.COLOR_RGB2HSV_FULL))
    # The hue of dark and pale pixels is noise, so chroma, not saturation, decides which pixels are coloured.
    chroma = saturation.astype(np.uint16) * value // 255
    tint = np.minimum((chroma.astype(np.uint16) - 24) // 48, N_TINTS - 1)
    coloured = N_TINTS * (hue.astype(np.uint16) * N_HUES // 256) + tint
    grey = N_HUES * N_TINTS + value.astype(np.uint16) * N_GREYS // 256
    bins = np.where(chroma >= 24, coloured, grey)
    counts = np.bincount(bins.ravel(), minlength=N_HUES * N_TINTS + N_GREYS)
    return np.round(counts * (255.0 / bins.size)).astype(np.uint8).tobytes()


def _reduce(small: np.ndarray) -> np.ndarray:
    # Halve repeatedly: OpenCV averages 2 x 2 pixels three times as fast as 4 x 4.
    while (height := small.shape[0]) * (width := small.shape[1]) > _AREA:
        small = cv2.resize(small, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_LINEAR)
    return small


def _inside(luma: np.ndarray) -> tuple[slice, slice]:
    """Find the rows and columns between black bars; a completely dark picture has no bars."""
    spans = []
    for axis in (1, 0):
        lit = np.flatnonzero(luma.max(axis=axis) > _BAR)
        n = luma.shape[1 - axis]
        if len(lit) == 0:
            return slice(None), slice(None)
        first, last = int(lit[0]), int(lit[-1]) + 1
        spans.append(slice(first if first <= _LARGEST_BAR * n else 0, last if n - last <= _LARGEST_BAR * n else n))
    return spans[0], spans[1]


def _surprise(a: np.ndarray, b: np.ndarray) -> float:
    """Mean distance of the values of ``b`` from the range found around the same place in ``a``, channels summed."""
    below, above = cv2.subtract(cv2.erode(a, _REACH), b), cv2.subtract(b, cv2.dilate(a, _REACH))
    return sum(cv2.mean(cv2.add(below, above))[:3])


def _histogram_distance(a: np.ndarray, b: np.ndarray) -> float:
    histograms = [cv2.calcHist([x], [0, 1, 2], None, [8, 8, 8], [0, 256, 0, 256, 0, 256]) for x in (a, b)]
    return cv2.norm(histograms[0], histograms[1], cv2.NORM_L1) / (2 * a.shape[0] * a.shape[1])


def _decorrelation(a: np.ndarray, b: np.ndarray, spreads: tuple[_Spread, _Spread]) -> float:
    shared = np.dot(a.ravel().astype(np.float32), b.ravel().astype(np.float32)) / a.size
    covariance = shared - spreads[0].mean * spreads[1].mean
    return float(np.clip(1 - covariance / (spreads[0].deviation * spreads[1].deviation), 0, 1))


def _spread(luma: np.ndarray) -> _Spread:
    mean, deviation = cv2.meanStdDev(luma)
    return _Spread(float(mean[0, 0]), float(deviation[0, 0]))
