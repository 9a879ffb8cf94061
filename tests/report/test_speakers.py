"""Who speaks most of a scene."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scenefer.core.language import Language
from scenefer.report.speakers import speakers
from tests.builders import tracks_table


def seen(actors: list[float], names: list[str | None] | None = None) -> pd.DataFrame:
    """Usable faces of one second each, one a track, of these people; NaN is unknown."""
    n = len(actors)
    return pd.DataFrame({"track": range(n), "weight": [1.0] * n, "actor": actors, "actor_name": names or [None] * n})


def test_people_are_named_who_speak_half_of_the_time_that_they_are_seen():
    tracks = tracks_table(track=[0, 1, 2], speaking=[0.9, 0.2, 0.1])
    assert speakers(seen([0, 1, 1]), tracks) == "person 1 speaks most of this scene"
    tracks = tracks_table(track=[0, 1, 2], speaking=[0.9, 0.8, 0.4])
    assert speakers(seen([0, 1, 1], ["Ann", "Ben", "Ben"]), tracks) == "Ann, Ben speak most of this scene"


def test_without_people_somebody_speaks():
    said = speakers(seen([np.nan]), tracks_table(track=[0], speaking=[1.0]), Language("id"))
    assert said == "seseorang berbicara di sebagian besar adegan ini"


def test_nothing_is_said_where_mouths_were_not_measured_for_most_of_the_time():
    assert speakers(seen([0]), tracks_table(track=[0], speaking=[None])) == ""
    assert speakers(seen([0, 0, 0]), tracks_table(track=[0, 1, 2], speaking=[1.0, None, None])) == ""
    assert speakers(seen([]), tracks_table()) == ""
