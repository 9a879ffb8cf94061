from __future__ import annotations

import os
from pathlib import Path

import pytest

from scenefer.errors import PlanError
from scenefer.inventory import Found, find_films, match_sheets, shard


def library(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def names(found: list[Found]) -> list[str]:
    return [film.name for film in found]


def test_folders_are_searched_for_films_by_suffix_in_order(tmp_path: Path):
    library(tmp_path, "b/2.MKV", "b/1.mp4", "a.webm", "notes.txt", "a.srt", ".hidden.mp4", "._a.webm", "c/d/e.mxf")
    found, notes = find_films([tmp_path])
    assert names(found) == ["a.webm", "b/1.mp4", "b/2.MKV", "c/d/e.mxf"]
    assert notes == []


def test_links_are_followed_loops_cut_and_each_real_file_is_found_once(tmp_path: Path):
    library(tmp_path, "a/film.mp4", "elsewhere/other.mp4")
    (tmp_path / "a" / "again.mp4").symlink_to("film.mp4")
    os.link(tmp_path / "a" / "film.mp4", tmp_path / "a" / "hard.mp4")
    (tmp_path / "a" / "loop").symlink_to("..")
    (tmp_path / "a" / "out").symlink_to(tmp_path / "elsewhere")
    found, _ = find_films([tmp_path / "a", tmp_path / "a", tmp_path / "a" / "film.mp4"])
    assert sorted(film.path.resolve().name for film in found) == ["film.mp4", "other.mp4"]


def test_a_link_that_leads_nowhere_is_found_so_that_it_can_be_named(tmp_path: Path):
    (tmp_path / "gone.mp4").symlink_to("nowhere.mp4")
    assert names(find_films([tmp_path])[0]) == ["gone.mp4"]


def test_reports_and_cache_are_not_searched(tmp_path: Path):
    library(tmp_path, "film.mp4", "reports/film/overlay.mp4", "data/x.mp4")
    found, _ = find_films([tmp_path], leave_out=(tmp_path / "reports", tmp_path / "data"))
    assert names(found) == ["film.mp4"]


def test_patterns_and_lists_name_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(library(tmp_path, "a/1.mkv", "a/2.mp4", "b/3.mkv", "odd name", "4.mp4"))
    assert names(find_films([Path("**/*.mkv")])[0]) == ["1.mkv", "3.mkv"]
    Path("list").write_text("odd name\n\na/2.mp4\n")
    assert names(find_films([], Path("list"))[0]) == ["odd name", "2.mp4"]
    Path("list").write_bytes(b"odd name\0a/2.mp4\0")
    assert names(find_films([Path("4.mp4")], Path("list"))[0]) == ["4.mp4", "odd name", "2.mp4"]


@pytest.mark.parametrize("place", ["missing", "*.mkv"])
def test_a_place_that_is_not_there_is_refused(tmp_path: Path, place: str):
    with pytest.raises(PlanError, match=r"fits no file|no such file"):
        find_films([tmp_path / place])


def test_a_folder_of_stills_is_one_film(tmp_path: Path):
    library(tmp_path, "stills/1.png", "stills/2.png")
    assert names(find_films([tmp_path / "stills"])[0]) == ["stills"]


def test_shards_share_a_library_whatever_its_place(tmp_path: Path):
    one, other = library(tmp_path / "x", *(f"{k}.mp4" for k in range(40))), tmp_path / "y" / "z"
    library(other, *(f"{k}.mp4" for k in range(40)))
    parts = [names(shard(find_films([one])[0], f"{i}/3")) for i in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == sorted(f"{k}.mp4" for k in range(40))
    assert min(map(len, parts)) > 5
    assert parts[0] == names(shard(find_films([other])[0], "1/3"))


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "-1/2"])
def test_a_shard_that_is_none_is_refused(text: str):
    with pytest.raises(PlanError, match="1/4"):
        shard([], text)


def test_sheets_are_matched_by_name_and_those_over_are_told(tmp_path: Path):
    films, sheets = (
        library(tmp_path / "films", "a.mp4", "b.mkv"),
        library(tmp_path / "sheets", "a.csv", "c.csv", "b.txt"),
    )
    found, _ = find_films([films])
    matched, notes = match_sheets(found, sheets)
    assert matched == {films / "a.mp4": sheets / "a.csv"}
    assert len(notes) == 1
    assert "c.csv" in notes[0]
