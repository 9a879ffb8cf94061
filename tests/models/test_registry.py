from __future__ import annotations

import pytest

from scenefer.core.errors import WeightsError
from scenefer.models import known_weights, registry, weight_files


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    with pytest.raises(
        WeightsError, match=r"unknown detector 'mtcn'; known: haar, mtcnn, yunet; did you mean 'mtcnn'\?"
    ):
        registry.load_detector("mtcn", smallest_face=24)
    with pytest.raises(WeightsError, match=r"unknown expression model 'rmn_fac'.*did you mean 'rmn_face'\?"):
        registry.load_expression("rmn_fac")


def test_the_name_that_weights_had_before_still_finds_them():
    assert registry.find_expression("rmn_compact") == registry.find_expression("rmn_face")
    assert weight_files.verify("rmn_compact") == known_weights.EXPRESSION["rmn_face"].path
    with pytest.raises(WeightsError, match="it is taken"):
        registry.add(known_weights.EXPRESSION["rmn_face"].path, "rmn_compact")
