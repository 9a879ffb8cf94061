"""YuNet's network, run by ONNX Runtime: from a picture to boxes, landmarks and scores.

OpenCV runs the same file (``cv2.FaceDetectorYN``) and finds the same within a pixel, in 2.4 times the processor time.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from scenefer.core.errors import WeightsError
from scenefer.models.detection.nms import suppress

STRIDES = (8, 16, 32)  # px between the cells of its three grids; each cell proposes one face
OVERLAP = 0.3  # NMS threshold: of two boxes with a larger intersection over union, keep the better one


class YunetNetwork:
    """Proposes faces.

    Args:
        path: the ONNX file.
        least: minimum score of a face.

    Raises:
        WeightsError: the file is damaged or holds another network.
    """

    def __init__(self, path: Path, least: float) -> None:
        self._least = least
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # which pays for pictures of one size; it holds 8 MB more
        try:
            # Its errors have no base class of their own.
            self._session = onnxruntime.InferenceSession(path.read_bytes(), options, ["CPUExecutionProvider"])
        except Exception as error:
            raise WeightsError(f"{path} does not hold the weights of YuNet: {error}") from error
        self._outputs = [output.name for output in self._session.get_outputs()]
        expected = {f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps") for stride in STRIDES}
        if missing := expected - set(self._outputs):
            raise WeightsError(f"{path} does not hold the weights of YuNet: it has no output {min(missing)}")

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Find faces.

        Args:
            picture: (H, W, 3) uint8 RGB.

        Returns:
            (N, 15) float32, the best first, as ``cv2.FaceDetectorYN.detect`` has them: x, y, width, height of the box;
            x, y of right eye, left eye, nose, right and left corner of the mouth; score.
        """
        height, width = picture.shape[:2]
        padded = cv2.copyMakeBorder(
            picture, 0, -height % STRIDES[-1], 0, -width % STRIDES[-1], cv2.BORDER_CONSTANT, value=(0, 0, 0)
        )
        answers = self._session.run(self._outputs, {"input": cv2.dnn.blobFromImage(padded, swapRB=True)})
        named = {name: np.asarray(answer)[0] for name, answer in zip(self._outputs, answers, strict=True)}
        rows = np.concatenate([self._proposals(named, stride, padded.shape[1] // stride) for stride in STRIDES])
        corners = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
        return rows[suppress(corners, rows[:, 14], OVERLAP)]

    def _proposals(self, answers: dict[str, np.ndarray], stride: int, columns: int) -> np.ndarray:
        """Turn what the network says of one grid's cells into faces: (N, 15)."""
        scores = np.sqrt(np.clip(answers[f"cls_{stride}"], 0, 1) * np.clip(answers[f"obj_{stride}"], 0, 1))[:, 0]
        cells = np.flatnonzero(scores >= self._least)
        corner = np.column_stack([cells % columns, cells // columns]).astype(np.float32)
        box, points = answers[f"bbox_{stride}"][cells], answers[f"kps_{stride}"][cells]
        size = np.exp(box[:, 2:])
        start = corner + box[:, :2] - size / 2
        return np.column_stack(
            [np.column_stack([start, size, points + np.tile(corner, 5)]) * np.float32(stride), scores[cells]]
        )
