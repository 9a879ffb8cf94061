"""Other programs are scored by the same annotations as scenefer, whatever they call emotions and whatever they miss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

from benchmarks import peer_film, peers
from benchmarks.peer_film import Piece
from benchmarks.scoring import Gradual, Segment, Truth
from tests import clips

RATE = peer_film.RATE


def segment(start: int, end: int, emotion: str, *accepted: str) -> Segment:
    return Segment(start, end, emotion, emotion != "none", frozenset([emotion, *accepted]), {}, {}, None)


def film(*segments: Segment, cuts: tuple[int, ...] = (), gradual: tuple[Gradual, ...] = ()) -> Truth:
    return Truth("film.mp4", (cuts,), gradual, (), segments, max(one.end for one in segments))


def face(frame: int, emotion: str, share: float = 0.9) -> dict[str, Any]:
    return {"frame": frame, "emotions": {emotion: share, "neutral": 1 - share}}


def named(name: str) -> peers.Peer:
    return next(peer for peer in peers.PEERS if peer.name == name)


def test_what_is_annotated_of_a_piece_moves_with_it_and_ends_where_it_ends():
    whole = film(
        segment(0, 50, "happy"), segment(50, 80, "sad"), segment(80, 100, "none"),
        cuts=(10, 50, 80), gradual=(Gradual(60, 70, "fade"), Gradual(76, 82, "dissolve")),
    )  # fmt: skip
    part = peer_film.shifted(whole, Piece("film.mp4", 10, 78), to=100)
    assert [(one.start, one.end, one.emotion) for one in part.segments] == [(100, 140, "happy"), (140, 168, "sad")]
    assert part.cuts == ((140,),), "a cut that begins the piece is the join's"
    assert part.gradual == (Gradual(150, 160, "fade"),)
    assert part.n_frames == 68


def test_the_film_shows_the_frames_of_its_pieces_one_after_another_whatever_their_rate(tmp_path: Path):
    clips.write_clip(tmp_path / "a.mp4", [clips.numbered(k) for k in range(8)], rate=30)
    clips.write_clip(tmp_path / "b.mp4", [clips.numbered(k) for k in range(8, 14)], rate=24)
    made = tmp_path / "film.mp4"
    peer_film.make(tmp_path, made, [Piece("a.mp4", 2, 6), Piece("b.mp4", 1, 4)])
    with av.open(str(made)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert [clips.read_number(picture) for picture in pictures] == [2, 3, 4, 5, 9, 10, 11]
    assert pictures[0].shape == (peer_film.HEIGHT, peer_film.WIDTH, 3)


def test_a_segment_is_right_where_all_faces_in_it_together_show_what_a_viewer_accepts():
    shown = film(segment(0, 25, "fear", "surprise"), segment(25, 50, "neutral"), segment(50, 75, "happy"))
    found = [face(0, "fearful"), face(5, "sad", 0.6), face(10, "fearful")]  # as face-api calls it
    found += [face(30, "happy"), face(35, "happy"), face(40, "neutral", 1.0)]
    scored = peers.score(named("fer, Haar"), shown, {"judged": 15, "faces": found, "cuts": []})
    assert scored["labels"] == {"calm": 0, "others": 1, "unread": 1}, "nobody was found in the last: not right"
    assert scored["faces"] == 6
    assert scored["presence"]["face_right"] == pytest.approx(6 * peers.EVERY / RATE)


def test_the_constant_answer_is_right_where_calm_is_accepted_and_what_is_too_short_is_not_counted():
    shown = film(
        segment(0, 25, "neutral"), segment(25, 50, "sad", "neutral"), segment(50, 75, "happy"),
        segment(75, 80, "angry", "neutral"), segment(80, 99, "none"),
    )  # fmt: skip
    assert peers.constant(shown) == {"calm": 1, "others": 1, "n_calm": 1, "n_others": 2}


def test_cuts_are_matched_with_the_annotated_ones_and_nothing_else_is_asked_of_a_program_of_cuts():
    shown = film(segment(0, 100, "happy"), cuts=(25, 60), gradual=(Gradual(80, 90, "dissolve"),))
    scored = peers.score(named("TransNetV2"), shown, {"judged": 100, "faces": [], "cuts": [26, 40, 85]})
    assert scored["cuts"] == {"found": [25], "missed": [60], "invented": [40], "in_flicker": []}
    assert scored.keys() == {"judged", "cuts"}


def test_quick_programs_have_a_turn_a_round_and_slow_ones_and_those_that_failed_have_one():
    every = [*peers.OURS, *(peer.name for peer in peers.PEERS)]
    costs = {name: [{"cpu": 1.0}] for name in every} | {"fer, MTCNN": [{"cpu": 900.0}], "TransNetV2": []}
    order = list(peers.turns(2, costs))
    assert [order.count(name) for name in every] == [2 - (name in ("fer, MTCNN", "TransNetV2")) for name in every]
    assert order[0] == order[-1] == peers.FLOOR
    assert order.count(peers.FLOOR) >= len(order) // 4


def test_a_program_that_failed_stands_in_the_table_with_what_it_said():
    cost = [{"wall": 9.0, "cpu": 8.0, "peak": 100.0}, {"wall": 9.0, "cpu": 10.0, "peak": 100.0}]
    shown = film(segment(0, 25, "happy"), segment(25, 50, "none"), cuts=(25,))
    scored = peers.score(named("fer, Haar"), shown, {"judged": 10, "faces": [face(0, "happy"), face(5, "happy")]})
    measured = {
        "date": "2026-01-01",
        "machine": {"cpu": "a processor", "cores": 2},
        "film": {"seconds": 2.0, "constant": peers.constant(shown)},
        "cuts": 1,
        "rows": {
            peers.FLOOR: {"costs": cost, "package": "av==1"},
            "fer, Haar": {"costs": [{"wall": 50.0, "cpu": 45.0, "peak": 700.0}], "package": "fer==1", **scored},
            "fer, MTCNN": {"costs": [], "package": "fer==1", "error": "ImportError: no weights"},
        },
    }
    said = peers.table(measured)
    assert "| fer, Haar (fer 1) | 5.0 | 45 s | 50 s | 700 MB | 1 | 10 | 2 | 70.0% | 0 | 1 | 0 |" in said
    assert "| fer, MTCNN (fer 1) | failed: `ImportError: no weights` |" in said
    assert all(name in said for name in peers.NOT_MEASURED)
    widths = {line.count("|") for line in said.split("\n\n")[1].splitlines()}
    assert widths == {13}, "every row of the table has all columns"
