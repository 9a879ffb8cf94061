from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.scenes import annotated, best_even, boundary_f1, guess, invented, measure, two_hours
from scenefer.analysis.scenes import SceneSettings, from_sheet, group_shots, one_scene, people_of_shots
from scenefer.core.errors import PlanError
from scenefer.core.tables import conform
from tests.builders import frames_table, shots_table, tracks_table

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
    with pytest.raises(PlanError, match="n_scenes must be a number from 0 on, not -1"):
        SceneSettings(n_scenes=-1)


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


@pytest.mark.parametrize("length", [31.0, 45.0, 100.0])
def test_films_of_long_takes_have_scenes_too(length: float):
    """No two shots lie within the memory of each other."""
    shots, pictures = film([RED] * 10 + [BLUE] * 10 + [GREEN] * 10 + [GREY] * 10, length)
    scenes = group_shots(shots, pictures, SceneSettings(n_scenes=4))
    assert spans(scenes) == [(0, 9), (10, 19), (20, 29), (30, 39)]
    guessed = group_shots(shots, pictures)
    assert (guessed["end"] > guessed["start"]).all()
    assert guessed["start"].tolist()[1:] == guessed["end"].tolist()[:-1]


def test_a_film_shorter_than_the_shortest_mean_is_one_scene():
    shots, pictures = film([RED, BLUE] * 250)
    assert len(group_shots(shots, pictures, SceneSettings(shortest_mean=3000, longest_mean=4000))) == 1


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


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001)])
def test_a_time_that_means_a_cut_is_the_cut(rate: Fraction):
    """Lists round to milliseconds, timecodes of the first hour to floats, and Matroska its own times."""
    cuts = [float(number / rate) for number in range(0, 4000, 97)]
    shots = shots_table(start=cuts, end=[*cuts[1:], float(4000 / rate)])
    hour = round(3600 * rate) / float(rate)
    for written in (lambda cut: round(cut, 3), lambda cut: (cut + hour) - hour, lambda cut: cut + 0.0005):
        sheet = pd.DataFrame({"scene": ["a"], "start": [written(cuts[7])], "end": [written(cuts[9])]})
        (scene,) = from_sheet(sheet, shots, float(1 / rate)).itertuples()
        assert (scene.start, scene.end) == (cuts[7], cuts[9])
        assert (scene.first_shot, scene.last_shot) == (7, 8)
    inside = pd.DataFrame({"scene": ["a"], "start": [cuts[7] + 0.03], "end": [cuts[9] - 0.03]})
    (scene,) = from_sheet(inside, shots, float(1 / rate)).itertuples()
    assert (scene.start, scene.end) == (cuts[7] + 0.03, cuts[9] - 0.03)


def test_a_folder_of_stills_is_one_scene():
    scenes = one_scene(shots_table(start=[0.0, 1.0], end=[1.0, 2.0]), "faces", "stills")
    assert scenes.iloc[0].tolist() == [0, "faces", 0.0, 2.0, 0, 1, "stills"]


def test_people_of_shots_are_faces_a_person_and_nobody_knows_the_unknown():
    tracks = tracks_table(shot=[0, 0, 2, 2], n_faces=[10, 5, 1, 20], actor=[1, 1, 0, None])
    people = people_of_shots(tracks, 4)
    assert people is not None
    assert people.to_dict("list") == {0: [0, 0, 1, 0], 1: [15, 0, 0, 0]}
    assert people_of_shots(tracks_table(shot=[0, 1]), 2) is None


# What the grouping is worth, against dividing the film evenly.


def test_a_boundary_is_right_within_one_shot_and_each_is_found_once():
    assert boundary_f1([5, 10], [5, 10]) == 1
    assert boundary_f1([4, 11], [5, 10]) == 1
    assert boundary_f1([4, 6], [5, 10]) == 0.5
    assert boundary_f1([], [5]) == 0
    assert best_even(12, [4, 8]) == 1


def test_the_grouping_beats_every_n_shots_by_far_on_films_whose_settings_return():
    """What people show beside the pictures helps, where they are known."""
    rows = measure({str(seed): invented(seed, n_scenes=20 + 2 * seed) for seed in range(8)})
    ours, people, even = (np.array([row[kind] for row in rows]) for kind in ("pictures", "people", "every_n"))
    assert ours.mean() >= even.mean() + 0.3
    assert min(ours - even) >= 0.1
    assert people.mean() >= ours.mean()


def test_a_film_of_two_hours_has_neither_few_nor_many_scenes_unless_their_number_is_given():
    film = two_hours(0)
    assert film.shots["end"].iloc[-1] > 7190
    assert 30 <= len(guess(film, with_people=False)) + 1 <= 200
    assert len(guess(film, with_people=False, n_scenes=17)) + 1 == 17


def test_the_grouping_beats_every_n_shots_on_the_test_film(films: Path):
    (row,) = measure({"testfilm_720p25": annotated()})
    assert row["pictures"] >= row["every_n"] + 0.1
