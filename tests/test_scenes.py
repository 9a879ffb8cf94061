import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scenefer import scores
from scenefer.film import Span
from scenefer.scenes import SceneSettings, from_sheet, group_shots, one_scene
from scenefer.shots import find_shots
from scenefer.tables import conform
from scenefer.video import frames, probe
from tests.builders import frames_table, shots_table

RED, BLUE, GREEN, GREY, DARK = (bytes([255 if k == bin_ else 0 for k in range(8)]) for bin_ in range(5))
MIXED = bytes([128, 127, 0, 0, 0, 0, 0, 0])  # half red, half blue


def film(palettes: list[bytes], length: float = 4.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Shots and frames of a film whose shots have one sampled frame each."""
    starts = [k * length for k in range(len(palettes))]
    shots = shots_table(start=starts, end=[start + length for start in starts])
    return shots, frames_table(time=[start + 0.1 for start in starts], palette=palettes)


def spans(scenes: pd.DataFrame) -> list[tuple[int, int]]:
    return list(zip(scenes["first_shot"], scenes["last_shot"], strict=True))


def test_shots_that_look_alike_are_a_scene_and_the_scenes_cover_the_film():
    shots, pictures = film([RED] * 5 + [BLUE] * 4 + [GREEN] * 3)
    scenes = group_shots(shots, pictures)
    assert spans(scenes) == [(0, 4), (5, 8), (9, 11)]
    assert scenes["name"].tolist() == ["1", "2", "3"]
    assert scenes["scene"].tolist() == [0, 1, 2]
    assert scenes["start"].tolist() == [0, 20, 36]
    assert scenes["end"].tolist() == [20, 36, 48]
    assert set(scenes["source"]) == {"guessed"}


def test_cutting_to_and_fro_between_two_set_ups_is_one_scene():
    shots, pictures = film([RED, BLUE, RED, BLUE, RED, BLUE, GREEN, GREEN, GREEN])
    assert spans(group_shots(shots, pictures)) == [(0, 5), (6, 8)]


def test_one_strange_shot_does_not_divide_a_scene():
    shots, pictures = film([RED] * 4 + [GREEN] + [RED] * 4)
    assert spans(group_shots(shots, pictures)) == [(0, 8)]


def test_a_setting_that_returns_after_another_scene_begins_a_new_scene():
    shots, pictures = film([RED] * 6 + [BLUE, GREEN] * 10 + [RED] * 6)
    assert spans(group_shots(shots, pictures)) == [(0, 5), (6, 25), (26, 31)]


def test_the_number_of_scenes_can_be_fixed():
    shots, pictures = film([RED] * 4 + [MIXED] * 3 + [GREEN] * 5)
    for n_scenes, expected in {
        1: [(0, 11)],
        2: [(0, 6), (7, 11)],
        3: [(0, 3), (4, 6), (7, 11)],
        12: [(k, k) for k in range(12)],
        50: [(k, k) for k in range(12)],
    }.items():
        assert spans(group_shots(shots, pictures, SceneSettings(n_scenes=n_scenes))) == expected
    with pytest.raises(ValueError, match="got -1"):
        group_shots(shots, pictures, SceneSettings(n_scenes=-1))


def test_people_hold_shots_together_where_the_pictures_do_not():
    shots, pictures = film([RED, BLUE, GREEN, GREY, MIXED, DARK])
    ann_then_ben = pd.DataFrame({"Ann": [4.0, 4.0, 4.0, 0, 0, 0], "Ben": [0, 0, 0, 4.0, 4.0, 4.0]})
    settings = SceneSettings(people=1.0)
    assert spans(group_shots(shots, pictures, settings)) != [(0, 2), (3, 5)]
    assert spans(group_shots(shots, pictures, settings, ann_then_ben)) == [(0, 2), (3, 5)]


def test_a_shot_without_a_sampled_frame_is_compared_by_its_light():
    light = bytes([200] * 72 + [20] * 72)
    shots = shots_table(start=[0.0, 4.0, 8.0, 8.1], end=[4.0, 8.0, 8.1, 12.0])
    pictures = frames_table(
        time=[1.0, 5.0, 8.0, 9.0], palette=[RED, RED, None, RED], signature=[light, light, light, light]
    )
    assert spans(group_shots(shots, pictures)) == [(0, 3)]


@pytest.mark.parametrize("palettes", [[RED] * 1800, [RED, BLUE, GREEN, GREY] * 450])
def test_two_hours_give_thirty_to_two_hundred_scenes_whatever_they_show(palettes):
    shots, pictures = film(palettes)
    assert 30 <= len(group_shots(shots, pictures)) <= 200


def test_no_shots_are_no_scenes():
    assert len(group_shots(shots_table(), frames_table())) == 0
    assert len(one_scene(shots_table(), "nothing", "stills")) == 0


def test_a_sheet_gives_scenes_that_need_not_begin_at_cuts_nor_cover_the_film():
    shots = shots_table(start=[0.0, 2.0, 4.0, 6.0], end=[2.0, 4.0, 6.0, 8.0])
    sheet = pd.DataFrame(
        {
            "scene": ["rage", "grief", "rage"],
            "start": [3.0, 0.0, 3.0],
            "end": [6.0, 2.0, 6.0],
            "character": ["Ann", "", "Ben"],
        }
    )
    expected = conform(
        {
            "scene": [0, 1],
            "name": ["grief", "rage"],
            "start": [0.0, 3.0],
            "end": [2.0, 6.0],
            "first_shot": [0, 1],
            "last_shot": [0, 2],
            "source": "sheet",
        },
        "scenes",
    )
    pd.testing.assert_frame_equal(from_sheet(sheet, shots), expected)


def test_a_folder_of_stills_is_one_scene():
    scenes = one_scene(shots_table(start=[0.0, 1.0], end=[1.0, 2.0]), "faces", "stills")
    assert scenes.iloc[0].tolist() == [0, "faces", 0.0, 2.0, 0, 1, "stills"]


# What the grouping is worth, against dividing the film evenly.


def boundary_f1(found: list[int], truth: list[int]) -> float:
    """F1 of first shots of scenes, the first scene left out; one shot beside is right, each truth is found once."""
    free, hits = set(found), 0
    for boundary in sorted(truth):
        near = [shot for shot in free if abs(shot - boundary) <= 1]
        if near:
            free.remove(min(near, key=lambda shot: (abs(shot - boundary), shot)))
            hits += 1
    return 2 * hits / max(1, len(found) + len(truth))


def best_even(n_shots: int, truth: list[int]) -> float:
    """The F1 of "every N shots" with the N that an oracle would choose."""
    return max(boundary_f1(list(range(every, n_shots, every)), truth) for every in range(1, min(n_shots, 50)))


def synthetic_film(seed: int, n_scenes: int) -> tuple[pd.DataFrame, pd.DataFrame, list[int]]:
    """Invent a film: shots, frames, and the first shots of its scenes.

    Half of the scenes return to a setting of the last six. A setting has two to four set-ups, a scene cuts between
    them; all settings share the film's own look, and one shot in ten shows something else.
    """
    rng = np.random.default_rng(seed)
    look = rng.dirichlet(np.full(44, 0.3))

    def colours() -> np.ndarray:
        return 0.35 * look + 0.65 * rng.dirichlet(np.full(44, 0.15))

    def arrangement() -> np.ndarray:
        return rng.uniform(30, 220) + np.repeat(rng.normal(0, 45, 16), 9)

    settings = []
    for _ in range(rng.integers(6, 16)):
        base, light = colours(), rng.uniform(40, 200) + rng.normal(0, 20, 144)
        settings.append(
            [
                (0.6 * base + 0.4 * rng.dirichlet(np.full(44, 0.15)), 0.4 * light + 0.6 * arrangement())
                for _ in range(rng.integers(2, 5))
            ]
        )
    order: list[int] = []
    while len(order) < n_scenes:
        setting = int(rng.choice(order[-6:]) if order and rng.random() < 0.5 else rng.integers(len(settings)))
        if not order or setting != order[-1]:
            order.append(setting)
    truth, lengths, time, palettes, signatures = [], [], [], [], []
    for setting in order:
        set_ups = settings[setting]
        truth.append(len(lengths))
        for _ in range(min(1 + rng.geometric(0.1), 45)):
            palette, light = set_ups[rng.integers(len(set_ups))]
            if rng.random() < 0.1:
                palette, light = colours(), arrangement()
            palette, light = rng.dirichlet(palette * 60 + 0.02), light + rng.normal(0, 12, 144)
            start, length = sum(lengths), np.exp(rng.normal(1.3, 0.6))
            for offset in np.arange(0.05, length, 0.5)[:4]:
                time.append(start + offset)
                palettes.append(np.round(rng.dirichlet(palette * 400 + 0.01) * 255).astype(np.uint8).tobytes())
                signatures.append(np.clip(light + rng.normal(0, 4, 144), 0, 255).astype(np.uint8).tobytes())
            lengths.append(length)
    ends = np.cumsum(lengths)
    shots = shots_table(start=[0.0, *ends[:-1]], end=list(ends))
    return shots, frames_table(time=time, palette=palettes, signature=signatures), truth[1:]


def test_the_grouping_beats_every_n_shots_by_far_on_films_whose_settings_return():
    ours, even = [], []
    for seed in range(20):
        shots, pictures, truth = synthetic_film(seed, n_scenes=20 + 2 * seed)
        ours.append(boundary_f1(group_shots(shots, pictures)["first_shot"].tolist()[1:], truth))
        even.append(best_even(len(shots), truth))
    assert np.mean(ours) >= np.mean(even) + 0.3
    assert min(np.subtract(ours, even)) >= 0.1


def test_the_grouping_beats_every_n_shots_on_the_test_film(films: Path):
    path = films / "testfilm_720p25.mp4"
    truth = json.loads((films / "truth" / "testfilm_720p25.json").read_text())["scenes"]
    rows, previous = [], None
    for frame in frames(probe(path), Span(0, float("inf")), sample_rate=5):
        rows.append(
            {
                "time": frame.time,
                "cut_score": None if previous is None else scores.compare(previous, frame.small),
                "luma": scores.luma(frame.small),
                "signature": scores.signature(frame.small),
                "sampled": frame.pixels is not None,
                "palette": None if frame.pixels is None else scores.palette(frame.small),
            }
        )
        previous = frame.small
    pictures = conform(pd.DataFrame(rows), "frames")
    shots = find_shots(pictures)
    starts = shots["start"].to_numpy()
    boundaries = [int(np.abs(starts - scene["start"] / 25).argmin()) for scene in truth][1:]
    ours = boundary_f1(group_shots(shots, pictures)["first_shot"].tolist()[1:], boundaries)
    assert ours >= best_even(len(shots), boundaries) + 0.1
