"""A small plain network on grey faces of 48×48: 442,023 parameters as Keras counts them, 128 of them not learned.

Azhari and Fitriyani state these counts. Two blocks of two convolutions, a normalisation and a pooling, and a dense
layer of 512 have them exactly: the two normalisations of 32 channels keep 128 running statistics.
"""

from __future__ import annotations

from torch import Tensor, nn

from scenefer.models.expression.network import SIZE, ScaledNetwork

CHANNELS, WIDTH = 32, 512
GRID = SIZE // 9  # the maps' side after two poolings by three: 5


class CnnSmall(ScaledNetwork):
    """One head of seven, in the order of EMOTIONS."""

    side = SIZE
    paper = "Azhari and Fitriyani"

    def __init__(self, n_labels: int = 7, dropout: float = 0.25) -> None:
        super().__init__()
        self.stages = nn.ModuleList([self._block(1), self._block(CHANNELS)])
        self.head = nn.Sequential(
            *(nn.Flatten(), nn.Dropout(dropout), nn.Linear(CHANNELS * GRID**2, WIDTH), nn.ReLU()),
            *(nn.Dropout(dropout), nn.Linear(WIDTH, n_labels)),
        )

    @staticmethod
    def _block(inputs: int) -> nn.Sequential:
        return nn.Sequential(
            *(nn.Conv2d(inputs, CHANNELS, 3, padding=1), nn.ReLU(), nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)),
            *(nn.ReLU(), nn.BatchNorm2d(CHANNELS), nn.MaxPool2d(3)),
        )

    def forward(self, grey: Tensor) -> Tensor:
        """Read grey faces (N, 1, 48, 48), values 0 to 255: logits (N, L) float32."""
        x = (self.seen(grey) / 255).to(next(self.parameters()).dtype)
        for stage in self.stages:
            x = stage(x)
        return self.head(x.float())
