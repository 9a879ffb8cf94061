"""Leave out of training and selection what shows a photograph of the test set.

FER2013 repeats photographs within and across its splits: equal, cropped, mirrored, with a watermark. Which pictures
teach and which select is decided here as well: weights may learn a share of PublicTest, once it has chosen how.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from scenefer.training.datasets import Faces

NEAR = 48  # of 255 bits: perceptual hashes this close show the same photograph (looked at by eye up to there)


def without_leaks(faces: Faces, public: float = 0.0) -> Faces:
    """Leave out of Training and PublicTest what shows a photograph of PrivateTest; and of Training, one of PublicTest.

    The same photograph: equal pixels, or perceptual hashes of at most ``NEAR`` different bits, mirrored or not.

    Args:
        public: share of PublicTest that is moved to Training first. The checksums of its pixels say which pictures, so
            that they are the same ever after, and a larger share holds those of a smaller one.
    """
    if public:
        drawn = np.array([zlib.crc32(picture.tobytes()) / 2**32 < public for picture in faces.pictures])
        faces = replace(faces, split=np.where((faces.split == "PublicTest") & drawn, "Training", faces.split))
    keep = np.ones(len(faces), bool)
    for split, tests in (("PublicTest", ("PrivateTest",)), ("Training", ("PublicTest", "PrivateTest"))):
        rows = np.flatnonzero(faces.split == split)
        test = faces.take(np.isin(faces.split, tests))
        if len(rows) and len(test):
            keep[rows] = nearest(faces.take(rows), test)[0] > NEAR
    return faces.take(keep)


def nearest(faces: Faces, others: Faces) -> tuple[np.ndarray, np.ndarray]:
    """Find for each face the one of ``others`` that looks most like it, mirrored or not.

    Returns:
        The bits in which their hashes differ (N,), 0 to 255, and which of the others it is (N,).
    """
    seen = perceptual_hashes(others.pictures)
    bits, rows = _nearest(perceptual_hashes(faces.pictures), seen)
    mirrored, rows_mirrored = _nearest(perceptual_hashes([picture[:, ::-1] for picture in faces.pictures]), seen)
    return np.minimum(bits, mirrored), np.where(mirrored < bits, rows_mirrored, rows)


def perceptual_hashes(pictures: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """Hash pictures by the signs of their 255 lowest cosine coefficients about the median: (N, 255) of ±1."""
    hashes = np.empty((len(pictures), 255), np.float32)
    for row, picture in enumerate(pictures):
        grey = picture if picture.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
        small = cv2.resize(np.ascontiguousarray(grey), (32, 32), interpolation=cv2.INTER_AREA)
        low = cv2.dct(small.astype(np.float32))[:16, :16].ravel()[1:]
        hashes[row] = np.where(low > np.median(low), 1, -1)
    return hashes


def _nearest(hashes: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Count the bits in which each hash differs from the nearest of the others, and say which that is."""
    bits, rows = np.empty(len(hashes)), np.empty(len(hashes), np.int64)
    for start in range(0, len(hashes), 2048):  # all products at once would take a gigabyte
        here = slice(start, start + 2048)
        products = hashes[here] @ others.T
        bits[here], rows[here] = (hashes.shape[1] - products.max(axis=1)) / 2, products.argmax(axis=1)
    return bits, rows
