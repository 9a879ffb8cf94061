"""Two Residual Masking Networks read together: one that learned faces first, one that learned pictures first.

They err on different faces: the mean of their logits is right more often, and surer, than either. ``rmn_face`` weighs
more, for it reads film better.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn

from scenefer.models.rmn_compact import FRAMING, SIZE
from scenefer.models.rmn_face import RmnFace
from scenefer.models.rmn_lite import RmnLite

SHARE = 0.4  # of the logits that is RmnLite's


class RmnPair(nn.Module):
    """Logits 0 to 6 learned FER2013's labels, 7 to 14 the FER+ votes (the 8th: contempt), in both members."""

    size: ClassVar[int] = SIZE
    framing: ClassVar[tuple[float, float]] = FRAMING

    def __init__(self, n_labels: int = 15, dropout: float = 0.3) -> None:
        super().__init__()
        self.face = RmnFace(n_labels, dropout)
        self.picture = RmnLite(n_labels, dropout)

    @property
    def side(self) -> int:
        """Tell at which side, px, a view finer than 48 px is cut; the second member brings it to its own."""
        return self.face.side

    def forward(self, grey: Tensor) -> Tensor:
        """Read grey faces (N, 1, H, W), values 0 to 255: logits (N, L) float32."""
        return torch.lerp(self.face(grey), self.picture(grey), SHARE)
