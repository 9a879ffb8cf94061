"""A face that is turned in the picture shows what it shows upright."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenefer.core.schema import EMOTIONS
from scenefer.pipeline import api


@pytest.mark.parametrize("degrees", [0, 45, 60])
def test_a_turned_face_is_read_as_it_is_upright(hunted: Path, degrees: int):
    found = api.analyze(hunted / f"surpriseB_{degrees:03}.png")
    assert len(found.faces) == 1
    assert abs(found.faces["roll"].iloc[0]) == pytest.approx(degrees, abs=5)
    assert found.expressions["usable"].all()
    assert found.expressions["surprise"].iloc[0] == pytest.approx(0.9, abs=0.05)
    assert found.expressions[list(EMOTIONS)].iloc[0].astype(float).idxmax() == "surprise"
