"""The scenes of a table as records."""

from __future__ import annotations

from scenefer.core.scene import Scene, names_of, scenes_of
from tests.builders import scenes_table


def test_scenes_come_in_the_order_of_the_table_by_their_own_ids():
    table = scenes_table(scene=[4, 2], name=["kitchen", "7"], start=[0.0, 10.0], end=[10.0, 14.0])
    assert scenes_of(table) == [Scene(4, "kitchen", 0.0, 10.0), Scene(2, "7", 10.0, 14.0)]
    assert names_of(table) == {4: "kitchen", 2: "7"}
    assert [scene.middle for scene in scenes_of(table)] == [5.0, 12.0]


def test_a_film_without_scenes_has_none():
    assert scenes_of(scenes_table()) == []
    assert names_of(scenes_table()) == {}
