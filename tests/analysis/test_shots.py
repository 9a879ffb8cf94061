from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scenefer.analysis.shots import ShotSettings, find_shots, one_a_frame
from tests.builders import frames_table
from tests.frames import frames_of, looked_at

ROWS, COLUMNS = np.mgrid[0:9, 0:16]
PICTURES = {
    "A": np.where(COLUMNS < 8, 200.0, 40.0),  # light on the left
    "B": np.where(ROWS < 4, 30.0, 180.0),  # light below
    "C": np.where((ROWS + COLUMNS) % 8 < 4, 220.0, 90.0),  # diagonal stripes
    "-": np.zeros((9, 16)),  # black
    "+": np.full((9, 16), 255.0),  # white
}


def film(letters: str, rate: float = 25) -> pd.DataFrame:
    return frames_of([PICTURES[letter] for letter in letters], rate)


def blend(a: str, b: str, steps: int) -> list[np.ndarray]:
    """The pictures strictly between ``a`` and ``b``."""
    return [PICTURES[a] + (PICTURES[b] - PICTURES[a]) * k / (steps + 1) for k in range(1, steps + 1)]


def held(letter: str, n: int) -> list[np.ndarray]:
    return [PICTURES[letter]] * n


def starts(shots: pd.DataFrame) -> list[float]:
    return [round(start, 3) for start in shots["start"]]


def test_a_cut_is_the_first_frame_of_the_new_picture_and_the_shots_cover_the_film():
    shots = find_shots(film("AAAAAAAAAABBBBBBBBBBBBBBB"))
    assert starts(shots) == [0.0, 0.4]
    assert shots["end"].tolist() == pytest.approx([0.4, 1.0])  # the last frame lasts as long as the others
    assert shots["shot"].tolist() == [0, 1]
    assert shots["transition"].tolist() == ["start", "cut"]
    assert shots[["transition_start", "transition_end"]].isna().all(axis=None)


def test_short_shots_stay():
    assert starts(find_shots(film("AAAAAAAABBBCCCCCCCC"))) == [0.0, 0.32, 0.44]


def test_a_flash_is_no_cut():
    assert len(find_shots(film("AAAAAAAA++AAAAAAAAA"))) == 1


def test_an_object_that_passes_the_camera_is_no_cut():
    assert len(find_shots(film("AAAAAAAABCCBAAAAAAAAA"))) == 1


def test_a_picture_that_returns_after_the_time_of_a_flash_was_another_shot():
    assert starts(find_shots(film("AAAAAAAABBBBBBAAAAAAAA"))) == [0.0, 0.32, 0.56]


def test_a_flicker_is_no_cut_but_the_cut_before_it_is():
    assert starts(find_shots(film("AAAAAAAAABCBCBCBCBCBBBBBB"))) == [0.0, 0.36]


def test_a_single_black_frame_between_two_shots_is_one_cut():
    assert starts(find_shots(film("AAAAAAAA-BBBBBBBB"))) == [0.0, 0.32]


def test_a_single_mixed_frame_between_two_shots_is_one_cut():
    shots = find_shots(frames_of([*held("A", 10), *blend("A", "B", 1), *held("B", 10)]))
    assert starts(shots) == [0.0, 0.4]


def test_motion_that_goes_on_is_no_cut_however_high_its_scores():
    pan = [np.roll(PICTURES["C"], k, axis=1) for k in range(40)]
    frames = frames_of(pan)
    assert frames["cut_score"].min() > ShotSettings().threshold
    assert len(find_shots(frames)) == 1


def test_repeated_frames_do_not_turn_motion_into_cuts():
    pan = [np.roll(PICTURES["C"], k // 2, axis=1) for k in range(40)]
    assert len(find_shots(frames_of(pan))) == 1


def drawn(n: int, change: float) -> list[np.ndarray]:
    """Pictures that change by about as much from each to the next; ``change`` 0..1."""
    random = np.random.default_rng(1)
    shown = [random.uniform(0, 255, (9, 16))]
    for _ in range(n - 1):
        shown.append((1 - change) * shown[-1] + change * random.uniform(0, 255, (9, 16)))
    return shown


@pytest.mark.parametrize(("new", "rate"), [(8, 24), (7.5, 30), (8, 25), (10, 25), (6, 24)])
def test_pictures_that_are_held_do_not_turn_motion_into_cuts(new: float, rate: float):
    """As in animation: ``new`` pictures a second in a film of ``rate``, two shots of two seconds."""
    pictures = [*drawn(int(2 * new), 0.4), *held("A", 1), *(PICTURES["A"] + 60 * (k % 2) for k in range(int(2 * new)))]
    shown = [pictures[min(int(k * new / rate + 1e-9), len(pictures) - 1)] for k in range(int(4 * rate))]
    cut = next(k for k, picture in enumerate(shown) if picture is pictures[int(2 * new)])
    assert starts(find_shots(frames_of(shown, rate))) == [0.0, round(cut / rate, 3)]


@pytest.mark.parametrize("n", [5, 6, 8])
def test_shots_of_a_few_frames_that_stand_still_are_no_animation(n: int):
    random = np.random.default_rng(4)
    shown = [picture for _ in range(6) for picture in [random.uniform(0, 255, (9, 16)) ** 2 / 255] * n]
    shots = find_shots(frames_of([*held("A", 30), *shown, *held("B", 30)], 24))
    assert starts(shots) == [0.0, *(round((30 + n * k) / 24, 3) for k in range(7))]


def test_an_animation_on_threes_has_the_cuts_of_its_film(hunted: Path):
    found = [round(24 * start) for start in find_shots(looked_at(hunted / "sintel_8fps_held_at_24.mp4"))["start"]]
    assert found == pytest.approx([0, 58, 76, 96, 118, 140, 176, 209], abs=2)


@pytest.mark.parametrize("hold", [2.5, 3, 4])
def test_a_film_whose_pictures_are_held_has_the_cuts_that_it_had(films: Path, hold: float):
    found = find_shots(looked_at(films / "film_tos_bridge_robot.mp4", hold))
    assert [round(24 * start) for start in found["start"]] == pytest.approx([0, 21, 65, 185], abs=hold)


def test_seconds_count_not_frames_when_the_rate_varies():
    # The same flash, 0.16 s long, at 25 frames a second and in a stretch where frames come six times as fast.
    slow = [k * 0.04 for k in range(10)]
    fast = [0.4 + k * 0.04 / 6 for k in range(24)]
    later = [0.56 + k * 0.04 for k in range(10)]
    shots = find_shots(frames_of([*held("A", 10), *held("B", 24), *held("A", 10)], time=[*slow, *fast, *later]))
    assert len(shots) == 1


def test_noise_is_no_cut():
    rng = np.random.default_rng(1)
    frames = frames_of([PICTURES["A"] / 8 + rng.normal(0, 3, (9, 16)) for _ in range(100)])
    assert len(find_shots(frames)) == 1


@pytest.mark.parametrize("steps", [5, 12, 24, 48])
def test_a_dissolve_is_a_transition_with_its_middle_as_boundary(steps):
    shots = find_shots(frames_of([*held("A", 20), *blend("A", "B", steps), *held("B", 20)]))
    assert shots["transition"].tolist() == ["start", "dissolve"]
    begin, end = 0.8, 0.8 + steps * 0.04
    assert shots["transition_start"][1] == pytest.approx(begin, abs=0.081)
    assert shots["transition_end"][1] == pytest.approx(end, abs=0.081)
    assert shots["start"][1] == pytest.approx((begin + end) / 2, abs=0.081)
    assert shots["end"][0] == shots["start"][1]


def test_a_cut_right_after_a_dissolve_is_found_beside_it():
    shots = find_shots(frames_of([*held("A", 20), *blend("A", "B", 12), *held("B", 1), *held("C", 20)]))
    assert shots["transition"].tolist() == ["start", "dissolve", "cut"]
    assert shots["start"][2] == pytest.approx(33 * 0.04)


def test_a_slow_change_of_light_is_no_transition():
    light = [PICTURES["A"] * gain for gain in np.linspace(1, 0.5, 25)]
    assert len(find_shots(frames_of([*held("A", 10), *light, *[light[-1]] * 10]))) == 1


@pytest.mark.parametrize("void", ["-", "+"])
def test_a_fade_out_and_in_is_one_transition(void):
    pictures = [*held("A", 15), *blend("A", void, 12), *held(void, 5), *blend(void, "B", 12), *held("B", 15)]
    shots = find_shots(frames_of(pictures))
    assert shots["transition"].tolist() == ["start", "fade"]
    assert shots["transition_start"][1] == pytest.approx(15 * 0.04, abs=0.041)
    assert shots["transition_end"][1] == pytest.approx(44 * 0.04, abs=0.041)


@pytest.mark.parametrize("level", [60, 76, 128, 200])
@pytest.mark.parametrize("steps", [8, 20])
def test_a_fade_through_a_colour_is_one_transition(level: int, steps: int):
    PICTURES["="] = np.full((9, 16), float(level))
    shots = find_shots(
        frames_of([*held("A", 20), *blend("A", "=", steps), *held("=", 4), *blend("=", "B", steps), *held("B", 20)])
    )
    assert shots["transition"].tolist() == ["start", "fade"]
    assert shots["transition_start"][1] == pytest.approx(20 / 25, abs=0.1)
    assert shots["transition_end"][1] == pytest.approx((24 + 2 * steps) / 25, abs=0.1)


def test_a_look_at_a_plain_wall_is_no_fade():
    """What comes into view moves over the wall; it does not come out of it."""
    wall = np.full((9, 16), 120.0)
    passing = [np.where(k > COLUMNS, PICTURES["C"], wall) for k in range(16, 0, -1)]
    coming = [np.where(16 - k < COLUMNS, PICTURES["A"], wall) for k in range(16)]
    shots = find_shots(frames_of([*held("C", 20), *passing, *[wall] * 4, *coming, *held("A", 20)]))
    assert "fade" not in shots["transition"].tolist()


def test_a_fade_through_red_is_found_in_a_film(hunted: Path):
    shots = find_shots(looked_at(hunted / "fadecol_red.mp4"))
    assert shots["transition"].tolist() == ["start", "fade"]
    assert shots["start"][1] == pytest.approx(2.5, abs=0.3)


def test_a_fade_out_then_a_cut_is_one_fade_that_ends_at_the_cut():
    shots = find_shots(frames_of([*held("A", 15), *blend("A", "-", 15), *held("-", 5), *held("B", 15)]))
    assert shots["transition"].tolist() == ["start", "fade"]
    assert shots["transition_end"][1] == pytest.approx(35 * 0.04)


def test_a_cut_to_black_then_a_fade_in_is_one_fade_that_begins_at_the_cut():
    shots = find_shots(frames_of([*held("A", 15), *held("-", 5), *blend("-", "B", 15), *held("B", 15)]))
    assert shots["transition"].tolist() == ["start", "fade"]
    assert shots["transition_start"][1] == pytest.approx(15 * 0.04)


def test_black_that_lasts_is_a_shot_between_two_fades():
    pictures = [*held("A", 15), *blend("A", "-", 12), *held("-", 75), *blend("-", "B", 12), *held("B", 15)]
    shots = find_shots(frames_of(pictures))
    assert shots["transition"].tolist() == ["start", "fade", "fade"]


def test_a_cut_before_a_fade_is_found_even_if_it_goes_the_same_way():
    rising = [PICTURES["C"] + 2 * k for k in range(10)]
    pictures = [*held("A", 15), *rising, *(rising[-1] + (255 - rising[-1]) * k / 13 for k in range(1, 13))]
    shots = find_shots(frames_of([*pictures, *held("+", 5), *held("B", 15)]))
    assert shots["transition"].tolist() == ["start", "cut", "fade"]
    assert shots["start"][1] == pytest.approx(0.6)


def test_a_few_frames_of_steady_motion_are_no_dissolve():
    wave = 128 + 90 * np.sin(2 * np.pi * (COLUMNS / 16 + ROWS / 40))
    pan = [128 + 90 * np.sin(2 * np.pi * ((COLUMNS + 0.5 * k) / 16 + ROWS / 40)) for k in range(60)]
    assert len(find_shots(frames_of([*[wave] * 10, *pan]))) == 1


def test_a_dissolve_in_the_dark_is_looked_at_without_complaint():
    night = [
        np.where(COLUMNS < 8, 22.0, 0.0) * (1 - k / 13) + np.where(ROWS < 4, 22.0, 0.0) * k / 13 for k in range(14)
    ]
    frames = frames_of([*[night[0]] * 10, *night, *[night[-1]] * 10])
    assert len(find_shots(frames, ShotSettings(threshold=0.05))) == 1


def test_fading_in_at_the_begin_and_out_at_the_end_makes_no_shot():
    pictures = [*held("-", 5), *blend("-", "A", 15), *held("A", 20), *blend("A", "-", 15), *held("-", 5)]
    shots = find_shots(frames_of(pictures))
    assert shots["transition"].tolist() == ["start"]


def test_a_plain_picture_that_fades_up_from_black_three_times_is_three_shots():
    grey = [np.full((9, 16), 127.5 * (1 - np.cos(2 * np.pi * k / 82))) for k in range(247)]
    shots = find_shots(frames_of(grey))
    assert shots["transition"].tolist() == ["start", "fade", "fade"]
    assert starts(shots) == pytest.approx([0, 82 / 25, 164 / 25], abs=0.1)


def test_gradual_transitions_can_be_left_out():
    frames = frames_of([*held("A", 20), *blend("A", "B", 12), *held("B", 20)])
    assert len(find_shots(frames, ShotSettings(longest=0))) == 1


def test_a_film_that_begins_later_begins_its_first_shot_there():
    frames = film("AAAAAAAABBBBBBBB")
    frames["time"] += 60
    assert starts(find_shots(frames)) == [60.0, 60.32]


def test_one_frame_is_one_shot_and_no_frame_is_none():
    single = find_shots(film("A"))
    assert len(single) == 1
    assert single["end"][0] > single["start"][0]
    assert len(find_shots(frames_table())) == 0
    assert len(one_a_frame(frames_table())) == 0


def test_every_still_is_a_shot():
    assert starts(one_a_frame(film("AAB", rate=1))) == [0.0, 1.0, 2.0]
    assert one_a_frame(frames_table(time=[0.0, 3.0]))["end"].tolist() == [1.0, 4.0], "two in between were damaged"
    assert one_a_frame(frames_table(time=[0.0]))["end"].tolist() == [1.0]
