"""An ensemble of two Residual Masking Networks: one pretrained on faces, one pretrained on ImageNet.

They make errors on different faces, so the mean of their logits is more accurate and more confident than either alone.
``rmn_face`` has the larger share, because it is better on film.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from scenefer.models.expression.network import SIZE, ExpressionNetwork
from scenefer.models.expression.rmn_face import RmnFace
from scenefer.models.expression.rmn_lite import RmnLite

SHARE = 0.4  # share of RmnLite in the mean of the logits


class RmnPair(ExpressionNetwork):
    """In both members, logits 0 to 6 are trained on FER2013's labels, 7 to 14 on FER+ votes (the 8th is contempt)."""

    paper = "scenefer"
    size = SIZE
    learns = False

    def __init__(self, n_labels: int = 15, dropout: float = 0.3) -> None:
        super().__init__()
        self.face = RmnFace(n_labels, dropout)
        self.picture = RmnLite(n_labels, dropout)
        self.side = self.face.side  # for inputs larger than 48 px; the second member resizes them to its own side

    def configure(self, metadata: Mapping[str, str]) -> None:
        """Set the side of the first member from ``side`` and that of the second from ``picture_side``, px."""
        self.side = self.face.side = int(metadata.get("side", self.face.side))
        self.picture.side = int(metadata.get("picture_side", self.picture.side))

    def members(self) -> list[ExpressionNetwork]:
        """Return both networks."""
        return [self.face, self.picture]

    def forward(self, grey: Tensor) -> Tensor:
        """Read grey faces (N, 1, H, W), values 0 to 255: logits (N, L) float32."""
        return torch.lerp(self.face(grey), self.picture(grey), SHARE)
