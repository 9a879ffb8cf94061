"""Leave out of training and selection what shows a photograph of the test set.

FER2013 repeats photographs within and across its splits: equal, cropped, mirrored, with a watermark.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from scenefer.training.datasets import Faces

NEAR = 48  # of 255 bits: perceptual hashes this close show the same photograph (looked at by eye up to there)


def without_leaks(faces: Faces) -> Faces:
    """Leave out of Training and PublicTest what shows a photograph of PrivateTest; and of Training, one of PublicTest.

    The same photograph: equal pixels, or perceptual hashes of at most ``NEAR`` different bits, mirrored or not.
    """
    keep = np.ones(len(faces), bool)
    hashes = perceptual_hashes(faces.pictures)
    mirrored = perceptual_hashes([picture[:, ::-1] for picture in faces.pictures])
    for split, tests in (("PublicTest", ("PrivateTest",)), ("Training", ("PublicTest", "PrivateTest"))):
        rows = np.flatnonzero(faces.split == split)
        test = hashes[np.isin(faces.split, tests)]
        if len(rows) and len(test):
            nearest = np.minimum(_nearest(hashes[rows], test), _nearest(mirrored[rows], test))
            keep[rows] = nearest > NEAR
    return faces.take(keep)


def perceptual_hashes(pictures: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """Hash pictures by the signs of their 255 lowest cosine coefficients about the median: (N, 255) of ±1."""
    hashes = np.empty((len(pictures), 255), np.float32)
    for row, picture in enumerate(pictures):
        grey = picture if picture.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
        small = cv2.resize(np.ascontiguousarray(grey), (32, 32), interpolation=cv2.INTER_AREA)
        low = cv2.dct(small.astype(np.float32))[:16, :16].ravel()[1:]
        hashes[row] = np.where(low > np.median(low), 1, -1)
    return hashes


def _nearest(hashes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Count the bits in which each hash differs from the nearest of the others."""
    blocks = [hashes[start : start + 4096] @ others.T for start in range(0, len(hashes), 4096)]
    return np.concatenate([(hashes.shape[1] - block.max(axis=1)) / 2 for block in blocks])
