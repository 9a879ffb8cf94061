"""An edge that runs over the picture is a wipe; what moves, turns or fades is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scenefer.analysis.shots import find_shots
from tests.frames import frames_of, looked_at

ROWS, COLUMNS = np.mgrid[0:90, 0:160]
N = 24  # frames of a wipe


def scene(seed: int) -> Callable[[int], np.ndarray]:
    """A view of patches (90, 160), in which something moves."""
    random = np.random.default_rng(seed)
    patches = np.kron(random.uniform(20, 235, (9, 16)), np.ones((10, 10)))
    return lambda k: np.where(np.hypot(ROWS - 40, COLUMNS - 40 - k) < 12, 128.0, patches)


def signature(picture: np.ndarray) -> np.ndarray:
    return picture.reshape(9, 10, 16, 10).mean(axis=(1, 3))


EDGES: dict[str, Callable[[float], np.ndarray]] = {
    "left": lambda p: 160 * (1 - p) <= COLUMNS,
    "right": lambda p: 160 * p > COLUMNS,
    "up": lambda p: 90 * (1 - p) <= ROWS,
    "down": lambda p: 90 * p > ROWS,
    "aslant": lambda p: 2 * p > ROWS / 90 + COLUMNS / 160,
    "from the middle": lambda p: np.abs(COLUMNS - 80) < 80 * p,
    "iris opens": lambda p: np.hypot(ROWS - 45, COLUMNS - 80) < 92 * p,
    "iris closes": lambda p: np.hypot(ROWS - 45, COLUMNS - 80) >= 92 * (1 - p),
    "clock": lambda p: np.arctan2(ROWS - 45, COLUMNS - 80) + np.pi < 2 * np.pi * p,
}


def film(between: Callable[[float, np.ndarray, np.ndarray], np.ndarray], n: int = N) -> list[np.ndarray]:
    """A second of one scene, ``n`` frames in which it becomes another one, and a second of that."""
    before, after = scene(1), scene(2)
    shown = [before(k) for k in range(25)]
    shown += [between((k + 1) / (n + 1), before(25 + k), after(k)) for k in range(n)]
    shown += [after(n + k) for k in range(25)]
    return [signature(picture) for picture in shown]


@pytest.mark.parametrize("n", [10, N, 50])
@pytest.mark.parametrize("edge", EDGES)
def test_a_wipe_is_a_transition_from_its_first_frame_to_its_last(edge: str, n: int):
    shots = find_shots(frames_of(film(lambda p, before, after: np.where(EDGES[edge](p), after, before), n)))
    assert shots["transition"].tolist() == ["start", "wipe"]
    assert shots["transition_start"][1] == pytest.approx(1.0, abs=0.2 * n / 25)
    assert shots["transition_end"][1] == pytest.approx(1.0 + n / 25, abs=0.2 * n / 25)


def test_an_iris_that_closes_on_black_is_a_transition():
    pictures = film(lambda p, before, after: np.where(EDGES["iris closes"](p), 8.0, before))[: 25 + N]
    shots = find_shots(frames_of([*pictures, *[np.full((9, 16), 8.0)] * 8, *map(signature, map(scene(2), range(25)))]))
    assert shots["transition"].tolist()[:2] in (["start", "wipe"], ["start", "fade"])
    assert shots["transition_start"][1] == pytest.approx(1.0, abs=0.2)


def test_a_dissolve_is_none():
    shots = find_shots(frames_of(film(lambda p, before, after: (1 - p) * before + p * after)))
    assert shots["transition"].tolist() == ["start", "dissolve"]


def test_a_pan_is_none():
    wide = np.kron(np.random.default_rng(3).uniform(20, 235, (6, 60)), np.ones((15, 15)))
    shown = [signature(wide[:, max(0, min(k - 20, 60)) * 8 :][:, :160]) for k in range(100)]
    assert "wipe" not in find_shots(frames_of(shown))["transition"].tolist()


def test_a_bus_that_passes_the_camera_is_none():
    behind = scene(1)
    shown = [np.where(np.abs(COLUMNS - 8 * (k - 25)) < 60, 30.0, behind(k)) for k in range(80)]
    assert "wipe" not in find_shots(frames_of([signature(picture) for picture in shown]))["transition"].tolist()


def test_a_wipe_is_found_in_a_film(hunted: Path):
    shots = find_shots(looked_at(hunted / "xf_wipeleft_1.mp4"))
    assert shots["transition"].tolist() == ["start", "wipe"]
    assert shots["start"][1] == pytest.approx(2.0, abs=0.3)


def test_an_iris_of_1922_is_found_and_nothing_else_is_a_wipe(films: Path):
    shots = find_shots(looked_at(films / "film_nosferatu_1922_bw.mp4"))
    wipes = shots[shots["transition"] == "wipe"]
    assert wipes["start"].tolist() == pytest.approx([541 / 25], abs=0.3)
