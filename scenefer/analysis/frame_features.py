"""Features of a frame that need its pixels: brightness, signature, palette and cut score.

All features are stateless: they depend only on the frame, or on the frame and its predecessor. So a film that is read
in chunks gives the same values as one undivided pass. Pictures are (h, w, 3) uint8 RGB, 160 px wide or more where the
film is. Cut score and palette ignore black bars (letterbox, pillarbox).
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np

SIGNATURE_SIZE = (16, 9)  # columns, rows
N_HUES, N_TINTS = 12, 3  # palette bins for coloured pixels: hues x saturations
N_GREYS = 8  # palette bins for the other pixels: brightnesses

_AREA = 7200  # px: pictures are halved to at most this size (160 x 90 to 80 x 45), which averages out noise
_REACH = np.ones((5, 5), np.uint8)  # tolerated motion: 2 px at that size, 1/40 of the width
_BAR = 24  # maximum luma of a black bar, after compression
_LARGEST_BAR = 0.36  # maximum share of the picture for one bar; a larger dark area belongs to the picture
_FULL = 100.0  # difference in grey levels, summed over three channels, that counts as a full change
_FLAT = 2.0  # below this standard deviation of luma a picture is plain; in fades its histogram jumps between bins


class Essence:
    """What is compared of a picture: YCrCb of at most 7200 px, without black bars, and what is computed of it once.

    Args:
        pixels: (h, w, 3) uint8 YCrCb.
        inside: the rows and columns that are compared; None = those between black bars.
    """

    def __init__(self, pixels: np.ndarray, inside: tuple[slice, slice] | None = None) -> None:
        self.pixels = pixels
        self.inside = _inside(pixels[..., 0]) if inside is None else inside
        self.seen = np.ascontiguousarray(pixels[self.inside])

    @cached_property
    def mean_and_deviation(self) -> tuple[float, float]:
        """Of luma, 0 to 255."""
        mean, deviation = cv2.meanStdDev(self.seen[..., 0])
        return float(mean[0, 0]), float(deviation[0, 0])

    @cached_property
    def range(self) -> tuple[np.ndarray, np.ndarray]:
        """The lowest and the highest values near every place: two pictures (h, w, 3) uint8."""
        return cv2.erode(self.seen, _REACH), cv2.dilate(self.seen, _REACH)

    @cached_property
    def histogram(self) -> np.ndarray:
        """Of the three channels together, 8 bins each: (8, 8, 8) float32 counts."""
        return cv2.calcHist([self.seen], [0, 1, 2], None, [8, 8, 8], [0, 256, 0, 256, 0, 256])

    @property
    def luma(self) -> float:
        """Mean brightness of the picture with its bars, 0 to 255."""
        return cv2.mean(self.pixels[..., 0])[0]

    @property
    def signature(self) -> bytes:
        """The picture reduced to 16 x 9 luma values, rows from the top: 144 bytes."""
        return cv2.resize(self.pixels[..., 0], SIGNATURE_SIZE, interpolation=cv2.INTER_AREA).tobytes()


def compare(previous: np.ndarray, current: np.ndarray) -> float:
    """Score how much a picture differs from the previous one, see ``difference``.

    Args:
        previous, current: pictures of the same shape.

    Raises:
        ValueError: their shapes differ.
    """
    if previous.shape != current.shape:
        raise ValueError(f"the pictures must have one shape, got {previous.shape} and {current.shape}")
    return difference(essence(previous), essence(current))


def essence(small: np.ndarray) -> Essence:
    """Reduce a picture to what is compared of it."""
    return Essence(cv2.cvtColor(_reduce(small), cv2.COLOR_RGB2YCrCb))


def difference(a: Essence, b: Essence) -> float:
    """Score how much a picture differs from the previous one: 0 = the same, 1 = nothing in common.

    The score is the geometric mean of three measures, because a cut changes all three, while motion, light and noise
    rarely do: (1) how far pixels are outside the range of values near their position in the other picture (in both
    directions; motion within 1/40 of the width is tolerated), (2) the distance of the colour histograms, (3) the loss
    of correlation of luma. If one of the pictures is plain and has no structure, only the mean difference counts.
    """
    if a.inside != b.inside:  # what lies within the bars of both
        inside = _inside(cv2.max(a.pixels[..., 0], b.pixels[..., 0]))
        a, b = Essence(a.pixels, inside), Essence(b.pixels, inside)
    if min(a.mean_and_deviation[1], b.mean_and_deviation[1]) < _FLAT:
        return min(sum(cv2.mean(cv2.absdiff(a.seen, b.seen))[:3]) / _FULL, 1.0)
    moved = min((_surprise(a, b) + _surprise(b, a)) / 2 / _FULL, 1.0)
    return float(np.cbrt(moved * _histogram_distance(a, b) * _decorrelation(a, b)))


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
    for axis, n in ((1, luma.shape[0]), (0, luma.shape[1])):
        lit = np.flatnonzero(cv2.reduce(luma, axis, cv2.REDUCE_MAX).ravel() > _BAR)
        if len(lit) == 0:
            return slice(0, luma.shape[0]), slice(0, luma.shape[1])
        first, last = int(lit[0]), int(lit[-1]) + 1
        spans.append(slice(first if first <= _LARGEST_BAR * n else 0, last if n - last <= _LARGEST_BAR * n else n))
    return spans[0], spans[1]


def _surprise(a: Essence, b: Essence) -> float:
    """Mean distance of the values of ``b`` from the range found around the same place in ``a``, channels summed."""
    lowest, highest = a.range
    return sum(cv2.mean(cv2.add(cv2.subtract(lowest, b.seen), cv2.subtract(b.seen, highest)))[:3])


def _histogram_distance(a: Essence, b: Essence) -> float:
    return cv2.norm(a.histogram, b.histogram, cv2.NORM_L1) / (2 * a.seen.shape[0] * a.seen.shape[1])


def _decorrelation(a: Essence, b: Essence) -> float:
    (mean_a, deviation_a), (mean_b, deviation_b) = a.mean_and_deviation, b.mean_and_deviation
    luma_a, luma_b = a.seen[..., 0].ravel().astype(np.float32), b.seen[..., 0].ravel().astype(np.float32)
    covariance = np.dot(luma_a, luma_b) / luma_a.size - mean_a * mean_b
    return float(np.clip(1 - covariance / (deviation_a * deviation_b), 0, 1))
