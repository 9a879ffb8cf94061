"""What is drawn over a face follows from the network."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import scenefer
from scenefer.core.errors import SceneferError, WeightsError
from scenefer.models import Calibration, known_weights, selftest
from scenefer.models.expression import ensemble, grad_cam, predictor
from scenefer.models.expression.blending import blend
from scenefer.models.expression.network import ExpressionNetwork, network_class
from scenefer.pipeline import explanation
from scenefer.pipeline.api import analyze
from scenefer.pipeline.film_analysis import write
from scenefer.pipeline.plans import make_plan

LABELS = Calibration(((0, 1.0),))  # the head that learned FER2013's labels alone
PORTRAIT = Path(scenefer.__file__).parent / "assets" / "portrait.jpg"


def test_the_drawing_has_the_face_its_masks_and_grad_cam():
    network, metadata = predictor.load_network(known_weights.EXPRESSION["rmn_face"].path)
    face = selftest.generated(1)[0]
    calibrated = predictor.calibration(metadata)
    emotion, drawing = grad_cam.explain(network, face, calibrated)
    logits = predictor.ExpressionReader(network, "", calibrated, precision=torch.float32).read(face[None])
    assert emotion == grad_cam.EMOTIONS[int(blend(logits, calibrated)[0].argmax())]
    assert drawing.shape == (192, 192 * 6, 3)
    assert drawing.dtype == np.uint8


@pytest.mark.parametrize(("architecture", "masks"), [("rmn_compact", 4), ("rmn_face", 4), ("rmn_lite", 3), ("rmn", 4)])
def test_every_network_has_four_stages_and_their_masks(architecture: str, masks: int):
    with torch.device("meta"):
        network = network_class(architecture)()
    assert len(grad_cam._masks(network)) == masks
    assert len(grad_cam._stages(network)) == 4


def test_of_a_pair_each_member_is_drawn():
    network = ensemble.RmnPair().eval()
    emotion, drawing = grad_cam.explain(network, selftest.generated(1)[0], LABELS)
    assert drawing.shape == (2 * 192, 192 * 6, 3)
    assert (drawing[192:, 192 * 4 : 192 * 5] == 128).all(), "the mask that the second lacks"
    assert (drawing[:192, :192] == drawing[192:, :192]).all()
    with torch.no_grad():  # who is not heard is not asked where it looked: nothing raises the emotion in its maps
        network.face.head.weight.zero_()
        network.face.head.bias[grad_cam.EMOTIONS.index(emotion)] = 9.0
    _, drawing = grad_cam.explain(network, selftest.generated(1)[0], LABELS)
    assert np.ptp(drawing[:192, 192 * 5 :].astype(int) - 0.55 * drawing[:192, :192], axis=(0, 1)).max() < 3


class _Corner(ExpressionNetwork):
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
    emotion, drawing = grad_cam.explain(_Corner(), face, LABELS)
    cam = drawing[:, -192:].astype(int)
    redder = cam[:, :, 0] - cam[:, :, 2]
    assert emotion == "angry"
    assert redder[180, 180] > 40
    assert redder[:128, :128].max() < -40


def exchanged(path: Path) -> None:
    """Write the shipped weights with the rows of happy and angry exchanged, in all that reads labels."""
    with safe_open(known_weights.EXPRESSION["rmn_face"].path, "pt") as stored:
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - it is no mapping
        for name in ("head.weight", "head.bias"):
            tensors[name] = tensors[name][[3, 1, 2, 0, 4, 5, 6, 10, 8, 9, 7, *range(11, len(tensors[name]))]]
        save_file(tensors, path, stored.metadata())


def test_a_face_of_a_run_is_explained_by_the_weights_that_read_it(tmp_path: Path):
    exchanged(tmp_path / "other.safetensors")
    plan = make_plan("fast", options={"models.expression": str(tmp_path / "other.safetensors")})
    write(analyze(PORTRAIT, plan, data=tmp_path / "data"), tmp_path / "run")
    assert explanation.explain_face(tmp_path / "run", 0)[::2] == ("angry", str(tmp_path / "other.safetensors"))
    assert explanation.explain_face(tmp_path / "run", 0, "rmn_face")[::2] == ("happy", "rmn_face")
    assert explanation.explain_face(PORTRAIT, 0)[::2] == ("happy", "rmn_face")
    with pytest.raises(SceneferError, match="its faces are numbered 0 to 0"):
        explanation.explain_face(tmp_path / "run", 1)

    record = json.loads((tmp_path / "run" / "run.json").read_text())
    record["weights"]["expression"]["sha256"] = "0" * 64
    (tmp_path / "run" / "run.json").write_text(json.dumps(record))
    with pytest.raises(WeightsError, match="exchanged since"):
        explanation.explain_face(tmp_path / "run", 0)
    (tmp_path / "other.safetensors").unlink()
    with pytest.raises(WeightsError, match="are not here"):
        explanation.explain_face(tmp_path / "run", 0)
