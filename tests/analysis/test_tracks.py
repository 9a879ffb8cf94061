from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenefer.analysis.tracks import Linker, TrackSettings, link_faces, points_of
from scenefer.core.schema import TABLES
from scenefer.core.tables import check
from tests.builders import faces_table, shots_table, tracks_table

ONE_SHOT = shots_table(start=[0.0], end=[60.0])


def tracks_of(faces: pd.DataFrame, shots: pd.DataFrame = ONE_SHOT, sample_rate: float = 5.0) -> list[int]:
    return link_faces(faces, shots, sample_rate)[0]["track"].tolist()


def test_a_track_ends_at_the_cut():
    faces = faces_table(time=[0.0, 0.2, 0.4], x0=[10, 11, 12])
    shots = shots_table(start=[0.0, 0.4], end=[0.4, 1.0])
    linked, tracks = link_faces(faces, shots, 5.0)
    assert linked["track"].tolist() == [0, 0, 1]
    expected = tracks_table(track=[0, 1], shot=[0, 1], start=[0.0, 0.4], end=[0.2, 0.4], n_faces=[2, 1])
    pd.testing.assert_frame_equal(check(tracks, "tracks"), expected)


def test_the_faces_keep_their_rows_and_columns():
    faces = faces_table(time=[0.2, 0.0], x0=[12.0, 10.0])
    linked, _ = link_faces(faces, ONE_SHOT, 5.0)
    pd.testing.assert_frame_equal(linked.drop(columns="track"), faces)
    assert linked["track"].dtype == np.int64


@pytest.mark.parametrize(("gap", "tracks"), [(0.8, [0, 0]), (1.0, [0, 0]), (1.2, [0, 1])])
def test_gaps_of_up_to_a_second_are_bridged(gap: float, tracks: list[int]):
    assert tracks_of(faces_table(time=[0.0, gap], x0=10)) == tracks


def test_samples_beside_the_grid_do_not_lengthen_a_gap():
    assert tracks_of(faces_table(time=[0.2, 1.2 + 1 / 24], x0=10)) == [0, 0]


def test_neighbouring_samples_are_linked_where_the_grid_is_coarser_than_the_longest_gap():
    assert tracks_of(faces_table(time=[0.0, 2.0, 4.0], x0=10), sample_rate=0.5) == [0, 0, 0]


def test_ids_count_from_first_appearance_then_from_left_to_right():
    faces = faces_table(time=[0.0, 0.0, 0.2, 0.2, 0.2], x0=[500, 100, 100, 300, 500])
    assert tracks_of(faces) == [1, 0, 0, 2, 1]


def test_two_faces_at_one_time_are_two_tracks_even_on_one_place():
    assert tracks_of(faces_table(time=[0.0, 0.0, 0.2], x0=[100, 100, 100]))[:2] == [0, 1]


def test_people_who_pass_each_other_are_told_apart_by_their_motion():
    times = np.arange(9) * 0.2
    right = faces_table(time=times, x0=100 + 40 * np.arange(9))
    left = faces_table(time=times, x0=440 - 40 * np.arange(9), y0=130)
    tracks = tracks_of(pd.concat([right, left], ignore_index=True).assign(face=range(18)))
    assert tracks == [0] * 9 + [1] * 9


def test_a_moving_face_is_found_again_behind_a_gap_where_its_motion_brought_it():
    faces = faces_table(time=[0.0, 0.2, 0.4, 1.0], x0=[0, 80, 160, 400])
    bystander = faces_table(time=[1.0], x0=[160], y0=220)
    assert tracks_of(pd.concat([faces, bystander], ignore_index=True)) == [0, 0, 0, 0, 1]


def test_a_lonely_face_may_leap_but_not_across_the_picture():
    assert tracks_of(faces_table(time=[0.0, 0.2], x0=[100, 175])) == [0, 0]
    assert tracks_of(faces_table(time=[0.0, 0.2], x0=[100, 600])) == [0, 1]


def test_a_face_of_another_size_on_the_same_place_is_another_track():
    assert tracks_of(faces_table(time=[0.0, 0.2], x0=100, x1=[200, 300], y1=[200, 300])) == [0, 1]


def test_a_certain_face_chooses_before_an_uncertain_one_that_lies_nearer():
    faces = faces_table(time=[0.0, 0.2, 0.2], x0=[100, 104, 120], confidence=[0.99, 0.6, 0.99])
    assert tracks_of(faces) == [0, 1, 0]


def test_an_uncertain_face_continues_a_track():
    assert tracks_of(faces_table(time=[0.0, 0.2, 0.4], x0=100, confidence=[0.99, 0.6, 0.99])) == [0, 0, 0]


def test_no_faces_make_no_tracks():
    linked, tracks = link_faces(faces_table(), ONE_SHOT, 5.0)
    assert linked.columns.tolist() == [column.name for column in TABLES["faces"]] + ["track"]
    pd.testing.assert_frame_equal(tracks, tracks_table())


def test_faces_without_shots_are_an_error():
    with pytest.raises(ValueError, match="1 faces lie in no shot"):
        link_faces(faces_table(time=[0.0]), shots_table(), 5.0)


face_lists = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 6), st.sampled_from([0.6, 0.95])),
    max_size=20,
    unique_by=lambda f: f[:2],
)


@settings(deadline=None, max_examples=40)
@given(face_lists, st.randoms(use_true_random=False))
def test_tracks_hold_whatever_the_faces_and_their_order(faces: list[tuple[int, int, float]], random):
    shots = shots_table(start=[0.0, 1.0], end=[1.0, 60.0])
    table = faces_table(
        time=[0.2 * step for step, _, _ in faces],
        x0=[60.0 * place for _, place, _ in faces],
        confidence=[confidence for _, _, confidence in faces],
    )
    linked, tracks = link_faces(table, shots, 5.0)
    assert not linked.duplicated(["time", "track"]).any()
    assert tracks["track"].tolist() == list(range(len(tracks)))
    assert tracks["n_faces"].sum() == len(table)
    assert (np.searchsorted([1.0], tracks["start"], "right") == np.searchsorted([1.0], tracks["end"], "right")).all()
    rows = list(range(len(table)))
    random.shuffle(rows)
    pd.testing.assert_frame_equal(link_faces(table.iloc[rows], shots, 5.0)[0].sort_index(), linked)


def test_a_shorter_longest_gap_is_honoured():
    faces = faces_table(time=[0.0, 0.6], x0=10)
    assert link_faces(faces, ONE_SHOT, 5.0, TrackSettings(longest_gap=0.4))[0]["track"].tolist() == [0, 1]


def test_faces_linked_one_moment_after_the_other_are_the_tracks_of_the_film():
    rng = np.random.default_rng(4)
    rows = [
        (round(k / 10, 3), 60.0 * person + 9 * k * (person - 1), 30.0 + 5 * person)
        for k in range(40)
        for person in range(3)
        if rng.random() < 0.7
    ]
    time, left, top = (list(column) for column in zip(*sorted(rows), strict=True))
    faces = faces_table(time=time, x0=left, y0=top, confidence=rng.uniform(0.7, 1, len(time)).tolist())
    shots = shots_table(start=[0.0, 2.0], end=[2.0, 4.0])
    linked, _ = link_faces(faces, shots, 10.0)
    linker, found = Linker(10.0), []
    for moment, now in faces.groupby("time"):
        now = now.sort_values(["x0", "y0", "face"])
        shot = int(float(str(moment)) >= 2.0)
        found += linker.link(float(str(moment)), shot, points_of(now), now["confidence"].to_numpy()).tolist()
    assert found == linked.sort_values(["time", "x0", "y0", "face"])["track"].tolist()
    assert max(found) > 3
