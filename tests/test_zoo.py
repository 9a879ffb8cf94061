from __future__ import annotations

import pytest

from scenefer.errors import WeightsError
from scenefer.models import zoo


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    with pytest.raises(WeightsError, match=r"unknown detector 'mtcn'; known: mtcnn, yunet; did you mean mtcnn\?"):
        zoo.load_detector("mtcn", smallest_face=24)
    with pytest.raises(WeightsError, match=r"unknown expression model 'rmn_compac'.*did you mean rmn_compact\?"):
        zoo.load_expression("rmn_compac")
