"""What a network sees of a face beside the face itself; and that weights keep what they learned by."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from scenefer.core.errors import PlanError, WeightsError
from scenefer.models import registry
from scenefer.models.expression import predictor
from scenefer.models.expression.cnn_small import CnnSmall
from scenefer.models.expression.features import REGIONS, edges, log_gabor
from scenefer.training.recipes import read_recipe


def _wave(turn: float, wavelength: float, side: int = 48) -> torch.Tensor:
    """A grating whose waves run at an angle in degrees: (1, 1, S, S), 0 to 255."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    along = x * math.cos(math.radians(turn)) - y * math.sin(math.radians(turn))
    return (127.5 * (1 + torch.sin(2 * math.pi * along / wavelength)))[None, None].float()


def test_edges_are_drawn_at_eyes_nose_and_mouth_alone():
    stripes = torch.zeros(2, 1, 48, 48)
    stripes[:, :, :, ::8] = 255
    drawn = edges(stripes)
    assert drawn.shape == stripes.shape
    assert set(drawn.unique().tolist()) == {0.0, 255.0}
    (left, right, top, bottom) = REGIONS[2]
    assert drawn[:, :, round(top * 48) : round(bottom * 48), round(left * 48) : round(right * 48)].max() == 255
    assert drawn[:, :, :12].max() == 0, "the forehead"
    assert drawn[:, :, :, :9].max() == 0, "beside the face"


def test_edges_do_not_depend_on_the_light():
    face = torch.from_numpy(np.random.default_rng(0).integers(0, 100, (1, 1, 48, 48))).float()
    torch.testing.assert_close(edges(face), edges(face * 2 + 20), msg="histograms are equalised")


@pytest.mark.parametrize("turn", [0, 45, 90, 135])
def test_the_bank_answers_to_waves_of_its_bands_and_not_between(turn: int):
    flat = log_gabor(torch.full((1, 1, 48, 48), 90.0))
    assert flat.max() == 0
    half = _wave(turn, 6.0)
    half[:, :, :, 24:] = 128.0
    seen = log_gabor(half)
    assert seen.max() == pytest.approx(255)
    assert seen[..., 4:20].mean() > 3 * seen[..., 30:44].mean(), "where the wave is"


def test_weights_say_what_they_see_and_read_by_it(tmp_path: Path, fer: Path):
    from scenefer.training.train import train

    recipe = tmp_path / "edges.toml"
    recipe.write_text(
        'network = "cnn_small"\nfeatures = "edges"\nvotes = 0.0\nepochs = 1\nbatch = 14\nsides = [[0, 48]]\n'
    )
    best = train(recipe, tmp_path / "run", fer / "fer2013.csv")
    assert registry.describe(best)["features"] == "edges"
    network, _ = predictor.load_network(best)
    face = torch.rand(1, 1, 48, 48) * 255
    plain = CnnSmall().eval()
    plain.load_state_dict(network.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(face), plain(edges(face)))


def test_unknown_features_and_those_of_a_network_that_has_none_are_refused(tmp_path: Path):
    with pytest.raises(WeightsError, match="unknown features 'edge'"):
        CnnSmall().configure({"features": "edge"})
    recipe = tmp_path / "odd.toml"
    recipe.write_text('network = "rmn_compact"\nsides = [[0, 48]]\nfeatures = "edges"\n')
    with pytest.raises(PlanError, match="rmn_compact sees faces as they are"):
        read_recipe(recipe)
    recipe.write_text('network = "cnn_small"\nsides = [[0, 48]]\nfeatures = "edge"\n')
    with pytest.raises(PlanError, match="unknown features 'edge'; known: edges, log_gabor; did you mean 'edges'"):
        read_recipe(recipe)
