"""Non-maximum suppression: of boxes that overlap, the best one stays."""

from __future__ import annotations

import numpy as np

BLOCK = 256  # boxes compared at once; limits the overlap matrix to this many rows


def suppress(
    boxes: np.ndarray,
    scores: np.ndarray,
    threshold: float,
    *,
    groups: np.ndarray | None = None,
    within_smaller: bool = False,
) -> np.ndarray:
    """Choose boxes greedily by score, skipping those that overlap a chosen box by more than the threshold.

    Args:
        groups: (N,) group of each box; boxes of different groups do not suppress each other.
        within_smaller: measure overlap relative to the smaller box, not to the union, and count edges as pixels.

    Returns:
        Indices of the chosen boxes, the best first.
    """
    # The two orders differ only for equal scores. Both match facenet-pytorch, which uses NumPy in one case and torch in
    # the other.
    order = np.argsort(scores)[::-1] if within_smaller else np.argsort(-scores, kind="stable")
    chosen = np.empty(0, np.int64)
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        if len(chosen):
            block = block[~(_overlap(boxes, chosen, block, groups, within_smaller) > threshold).any(axis=0)]
        hides = np.triu(_overlap(boxes, block, block, groups, within_smaller) > threshold, 1).astype(np.float32)
        kept = np.ones(len(block), np.float32)
        # A kept box suppresses worse ones. Iterate to a fixed point; each round settles at least one more box.
        while not np.array_equal(kept, settled := (kept @ hides == 0).astype(np.float32)):
            kept = settled
        chosen = np.concatenate([chosen, block[kept > 0]])
    return chosen


def _overlap(
    boxes: np.ndarray, a: np.ndarray, b: np.ndarray, groups: np.ndarray | None, within_smaller: bool
) -> np.ndarray:
    """Compute the overlap of the boxes a with the boxes b: (len(a), len(b))."""
    edge = np.float32(within_smaller)
    x0, y0, x1, y1 = boxes.T
    width = np.minimum(x1[a, None], x1[b]) - np.maximum(x0[a, None], x0[b]) + edge
    height = np.minimum(y1[a, None], y1[b]) - np.maximum(y0[a, None], y0[b]) + edge
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area = (x1 - x0 + edge) * (y1 - y0 + edge)
    whole = np.minimum(area[a, None], area[b]) if within_smaller else area[a, None] + area[b] - shared
    overlap = shared / np.maximum(whole, np.float32(1e-9))
    if groups is not None:
        overlap[groups[a, None] != groups[b]] = 0
    return overlap
