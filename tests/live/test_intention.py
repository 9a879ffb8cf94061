"""What is intended may be a word, a mixture, or a scene of a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenefer.core.errors import PlanError
from scenefer.live.intention import read_intention

SHEET = "scene,start,end,intended\nrage,0:01,0:05,angry\nhome,0:05,0:09,happy:0.6;neutral:0.4\nroad,0:09,0:12,\n"


def shares(said: str | None, scene: str | None = None) -> list[float]:
    meant = read_intention(said, scene)
    assert meant is not None
    return meant.shares.tolist()


def test_words_and_mixtures():
    assert read_intention(None, None) is None
    assert shares("happy") == [0, 0, 0, 1, 0, 0, 0]
    assert shares("happy:60%;neutral:40%") == pytest.approx([0, 0, 0, 0.6, 0, 0, 0.4])
    assert shares("marah") == [1, 0, 0, 0, 0, 0, 0]


def test_a_scene_of_a_list(tmp_path: Path):
    sheet = tmp_path / "film.csv"
    sheet.write_text(SHEET, encoding="utf-8")
    assert shares(str(sheet), "home") == pytest.approx([0, 0, 0, 0.6, 0, 0, 0.4])
    with pytest.raises(PlanError, match=r"several scenes; say which is played: --scene rage or home"):
        read_intention(str(sheet), None)
    with pytest.raises(PlanError, match=r"no such scene; it has rage or home"):
        read_intention(str(sheet), "road")


@pytest.mark.parametrize(
    ("said", "scene", "named"),
    [
        ("hapy", None, "happy"),
        ("happy" * 60, None, "happyhappy"),
        (" ", None, "is empty"),
        (None, "home", "give the list too"),
        ("sad", "home", "no file"),
    ],
)
def test_what_is_not_understood_is_said(said: str | None, scene: str | None, named: str):
    with pytest.raises(PlanError, match=named):
        read_intention(said, scene)
