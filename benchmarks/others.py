"""What other programs find in the same clips: PySceneDetect's cuts and the faces of an unchanged MTCNN."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import torch

LEAST_SCORE = 0.9  # only confident faces of the unmodified MTCNN count
_MOST = 230_400  # pixels of a picture that is searched


def pyscenedetect_cuts(clip: Path) -> list[int]:
    """Return the first frames of new shots by PySceneDetect's AdaptiveDetector, with default settings."""
    import scenedetect

    scenes = scenedetect.detect(str(clip), scenedetect.AdaptiveDetector())
    return [start.frame_num for start, _ in scenes[1:]]


class StockMTCNN:
    """facenet-pytorch's MTCNN, with only the size of the smallest face changed."""

    def __init__(self) -> None:
        """Load the networks; use one thread, like our workers."""
        import torch

        torch.set_num_threads(1)
        self._network = import_mtcnn()(keep_all=True, min_face_size=24, device="cpu", post_process=False)

    def boxes(self, picture: np.ndarray) -> np.ndarray:
        """Find the faces of a picture (H, W, 3) uint8 RGB; return boxes with score ≥ 0.9, (N, 4) float64 xyxy."""
        import numpy as np

        boxes, scores = self._network.detect(picture)
        if boxes is None:
            return np.zeros((0, 4))
        certain = np.asarray(scores, float) >= LEAST_SCORE
        return np.asarray(boxes, float)[certain]


def sampled_pictures(clip: Path, sample_rate: float) -> Iterator[tuple[float, np.ndarray]]:
    """Yield film time and picture (H, W, 3) uint8 RGB of a clip's sampled frames, reduced as before our detection."""
    import cv2

    from scenefer import video
    from scenefer.video.picture import size_within

    for frame in video.frames(video.probe(clip), sample_rate=sample_rate):
        if frame.pixels is None:
            continue
        size = size_within(frame.picture.size, _MOST)
        yield frame.time, cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)


def import_mtcnn() -> Any:
    """Import facenet-pytorch with a CPU build of torch, and return its class MTCNN.

    In that case, torchvision from the package index lacks its compiled operators and cannot be imported until their
    schemas exist. So they are defined here, with non-maximum suppression in NumPy by the same rule.
    """
    import torch

    if not hasattr(torch.ops.torchvision, "nms"):
        for schema in (
            "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
            "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        ):
            torch.library.define(f"torchvision::{schema.split('(')[0]}", schema[schema.index("(") :])
    import facenet_pytorch
    from facenet_pytorch.models.utils import detect_face

    detect_face.batched_nms = _batched_nms
    return facenet_pytorch.MTCNN


def _batched_nms(boxes: torch.Tensor, scores: torch.Tensor, groups: torch.Tensor, threshold: float) -> torch.Tensor:
    """Suppress, within each group, boxes whose IoU with a better one exceeds ``threshold``; best first."""
    import numpy as np
    import torch

    from scenefer.core.geometry import iou

    coordinates, of_group = boxes.double().numpy(), groups.numpy()
    waiting = np.argsort(-scores.numpy(), kind="stable")
    kept = []
    while len(waiting):
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        overlaps = iou(coordinates[best : best + 1], coordinates[waiting])[0]
        waiting = waiting[(overlaps <= threshold) | (of_group[waiting] != of_group[best])]
    return torch.as_tensor(np.array(kept, dtype=np.int64))
