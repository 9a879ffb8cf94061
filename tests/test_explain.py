"""What is drawn over a face follows from the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from scenefer.models import explain, reader, records, selftest


def test_the_drawing_has_the_face_its_masks_and_grad_cam():
    network, metadata = reader.load_network(records.EXPRESSION["rmn_compact"].path)
    face = selftest.generated(1)[0]
    emotion, drawing = explain.explain(network, face)
    logits = reader.ExpressionReader(network, "", reader.calibration(metadata), precision=torch.float32).read(
        face[None]
    )
    assert emotion == explain.EMOTIONS[int(logits[0, :7].argmax())]
    assert drawing.shape == (192, 192 * 6, 3)
    assert drawing.dtype == np.uint8


@pytest.mark.parametrize("architecture", ["rmn_compact", "rmn_face", "rmn"])
def test_every_network_has_four_masks_and_four_stages(architecture: str):
    with torch.device("meta"):
        network = reader.NETWORKS[architecture]()
    assert len(explain._masks(network)) == len(explain._stages(network)) == 4


class _Corner(torch.nn.Module):
    """Reads anger where its one feature map is bright at the lower right."""

    def __init__(self) -> None:
        super().__init__()
        self.groups = torch.nn.ModuleList([torch.nn.AvgPool2d(8)])

    def forward(self, grey: torch.Tensor) -> torch.Tensor:
        x = self.groups[0](grey)  # (1, 1, 6, 6)
        return torch.cat([x[:, 0, 5, 5:6], torch.zeros(1, 6)], dim=1)


def test_grad_cam_is_red_where_the_emotion_was_read():
    face = np.zeros((48, 48), np.uint8)
    face[40:, 40:] = 255
    emotion, drawing = explain.explain(_Corner(), face)
    cam = drawing[:, -192:].astype(int)
    redder = cam[:, :, 0] - cam[:, :, 2]
    assert emotion == "angry"
    assert redder[180, 180] > 40
    assert redder[:128, :128].max() < -40
