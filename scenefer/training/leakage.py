"""Removes photographs of the test set from training and validation, to avoid data leakage.

FER2013 repeats photographs within and across its splits: identical, cropped, mirrored, or with a watermark. This module
also decides which pictures are for training and which for model selection: after PublicTest has been used to choose the
method, a share of it may be trained on.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from scenefer.training.labelled_faces import Faces

NEAR = 48  # of 255 bits; perceptual hashes that differ by at most this show the same photograph (checked by eye)


def without_leaks(faces: Faces, public: float = 0.0) -> Faces:
    """Remove photographs of PrivateTest from Training and PublicTest, and photographs of PublicTest from Training.

    Two pictures show the same photograph if their pixels are equal, or if their perceptual hashes, mirrored or not,
    differ in at most ``NEAR`` bits.

    Args:
        public: share of PublicTest that is first moved to Training. Pictures are chosen by a checksum of their pixels,
            so the choice is always the same, and a larger share includes every smaller one.
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
    """Find for each face the most similar one of ``others``, mirrored or not.

    Returns:
        The number of bits in which their hashes differ (N,), 0 to 255, and the index of the other face (N,).
    """
    seen = perceptual_hashes(others.pictures)
    bits, rows = _nearest(perceptual_hashes(faces.pictures), seen)
    mirrored, rows_mirrored = _nearest(perceptual_hashes([picture[:, ::-1] for picture in faces.pictures]), seen)
    return np.minimum(bits, mirrored), np.where(mirrored < bits, rows_mirrored, rows)


def perceptual_hashes(pictures: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    """Hash pictures by the signs of their 255 lowest DCT coefficients relative to the median: (N, 255) of ±1."""
    hashes = np.empty((len(pictures), 255), np.float32)
    for row, picture in enumerate(pictures):
        grey = picture if picture.ndim == 2 else cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
        small = cv2.resize(np.ascontiguousarray(grey), (32, 32), interpolation=cv2.INTER_AREA)
        low = cv2.dct(small.astype(np.float32))[:16, :16].ravel()[1:]
        hashes[row] = np.where(low > np.median(low), 1, -1)
    return hashes


def _nearest(hashes: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of bits by which each hash differs from the nearest of the others, and the index of that."""
    bits, rows = np.empty(len(hashes)), np.empty(len(hashes), np.int64)
    for start in range(0, len(hashes), 2048):  # all products at once would take a gigabyte
        here = slice(start, start + 2048)
        products = hashes[here] @ others.T
        bits[here], rows[here] = (hashes.shape[1] - products.max(axis=1)) / 2, products.argmax(axis=1)
    return bits, rows
