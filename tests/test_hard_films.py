"""Difficult and broken inputs behave as their list says, through the command that users run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from scenefer import __main__
from scenefer.analysis import result
from tests.hard_films import HARD, ROWS

# The list expects a face here, but the first frame is damaged and every later one is predicted from it: whatever ffmpeg
# is told (error concealment, all frames shown), the picture is a dark arch on white, in which nobody could see a face.
WITHOUT_A_VISIBLE_FACE = {"corrupt_bitflips.mp4"}

READABLE = [pytest.param(row, id=row["file"]) for row in ROWS if row["exit"] == "0"]
REFUSED = [pytest.param(row, id=row["file"]) for row in ROWS if row["exit"] != "0"]


@pytest.fixture(autouse=True)
def _one_thread():
    """As in a worker: two threads on busy cores wait for each other most of the time."""
    import torch

    torch.set_num_threads(1)


def test_the_list_of_hard_films_is_whole(films: Path):
    assert len(ROWS) == 26
    assert {row["exit"] for row in ROWS} == {"0", "3"}
    assert all((films / "hard" / row["file"]).is_file() for row in ROWS)


def scenefer(*arguments: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Call the program in this process, so that the networks are loaded once for all films."""
    monkeypatch.setattr(sys, "argv", ["scenefer", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        __main__.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("row", READABLE)
def test_a_readable_film_gives_what_its_row_says(row: dict[str, str], tmp_path, monkeypatch, capsys):
    film = HARD / row["file"]
    code = scenefer(
        "analyze",
        film,
        "--workers",
        "1",
        "--out",
        tmp_path / "out",
        "--data",
        tmp_path / "data",
        monkeypatch=monkeypatch,
    )
    printed = capsys.readouterr()
    assert code == 0, printed.err
    assert printed.err == ""
    (folder,) = (tmp_path / "out").iterdir()
    run = result.load(folder)
    assert (folder / "report.html").stat().st_size > 10_000
    expect(run, row)
    for warning in run.run["warnings"]:
        assert warning in printed.out


def expect(run: result.Analysis, row: dict[str, Any]) -> None:
    """Hold a run against its row of the list; an empty field demands nothing."""
    at_most = int(row["declared_frames"] or row["decodable_frames"])
    assert int(row["frames_min"]) <= len(run.frames) <= at_most
    assert int(row["shots_min"]) <= len(run.shots) <= int(row["shots_max"])
    if row["faces"] != "any" and row["file"] not in WITHOUT_A_VISIBLE_FACE:
        assert bool(run.expressions["usable"].any()) == (row["faces"] == "yes")
    if row["display_size"]:
        assert f"{run.film.width}x{run.film.height}" == row["display_size"]
    words = " ".join(run.run["warnings"]).lower()
    if row["warning"]:
        assert row["warning"] in words
        assert run.run["state"] == "partial"
    else:
        assert run.run["state"] == "done"
    assert run.frames["time"].is_monotonic_increasing
    assert run.frames["time"].iloc[0] == 0.0
    assert run.shots["end"].iloc[:-1].tolist() == run.shots["start"].iloc[1:].tolist()


@pytest.mark.parametrize("row", REFUSED)
def test_what_is_no_film_is_refused_in_one_line(row: dict[str, str], tmp_path, monkeypatch, capsys):
    film = HARD / row["file"]
    code = scenefer("analyze", film, "--out", tmp_path / "out", "--data", tmp_path / "data", monkeypatch=monkeypatch)
    lines = capsys.readouterr().err.splitlines()
    assert code == int(row["exit"])
    assert len(lines) == 1
    assert film.name in lines[0]
    assert row["warning"] in lines[0].lower()
    assert not (tmp_path / "out").exists()


def test_a_phone_film_shows_one_person_who_smiles(films: Path, tmp_path, monkeypatch, capsys):
    """Neutral, happy, neutral: seen only where the rotation of the metadata is applied."""
    film = films / "hard" / "rotated_phone_style_upright_face.mp4"
    scenefer("analyze", film, "--out", tmp_path / "out", "--data", tmp_path / "data", monkeypatch=monkeypatch)
    capsys.readouterr()
    (folder,) = (tmp_path / "out").iterdir()
    run = result.load(folder)
    usable = run.expressions[run.expressions["usable"]]
    assert usable["track"].nunique() == 1
    middle = usable[(usable["time"] > 0.8) & (usable["time"] < 2.0)]
    assert middle["happy"].mean() > 0.5


def test_times_of_a_film_with_a_varying_rate_come_from_its_timestamps(films: Path, tmp_path, monkeypatch, capsys):
    import av

    film = films / "hard" / "vfr_tos.mp4"
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        stamps = sorted(
            float(packet.pts * packet.time_base) for packet in container.demux(stream) if packet.pts is not None
        )
    scenefer(
        "analyze",
        film,
        "--workers",
        "1",
        "--out",
        tmp_path / "out",
        "--data",
        tmp_path / "data",
        monkeypatch=monkeypatch,
    )
    capsys.readouterr()
    run = result.load(tmp_path / "out" / "vfr_tos")
    assert run.frames["time"].tolist() == pytest.approx([stamp - stamps[0] for stamp in stamps], abs=1e-4)
    assert len(set(run.frames["time"].diff().dropna().round(3))) > 1
