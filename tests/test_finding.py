"""Films are found once each, however they are linked and however many they are."""

from __future__ import annotations

import itertools
import os
import time
import tracemalloc
from pathlib import Path

import pytest

from scenefer.errors import PlanError
from scenefer.finding import films_in


def make(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(*paths: Path) -> list[str]:
    """The names of films, relative to the first path."""
    return [film.relative_to(paths[0]).as_posix() for film in films_in(paths)]


def test_films_of_a_folder_come_by_name_from_all_its_depths(tmp_path: Path):
    make(tmp_path, "b.mkv", "a/two.MP4", "a/one.mov", "c/d/e.webm", "notes.txt", "cover.jpg", "sheet.csv", "._b.mkv")
    assert found(tmp_path) == ["a/one.mov", "a/two.MP4", "b.mkv", "c/d/e.webm"]


def test_a_file_that_is_named_is_a_film_whatever_its_suffix(tmp_path: Path):
    make(tmp_path, "reel 1", "b.mkv")
    assert list(films_in([tmp_path / "reel 1", tmp_path / "b.mkv", tmp_path])) == [
        tmp_path / "reel 1",
        tmp_path / "b.mkv",
    ]


def test_links_are_followed_and_every_real_file_is_met_once(tmp_path: Path):
    make(tmp_path, "films/a.mp4", "films/z.mp4", "other/b.mp4")
    (tmp_path / "films" / "linked.mp4").symlink_to("a.mp4")
    (tmp_path / "films" / "elsewhere").symlink_to(tmp_path / "other")
    (tmp_path / "films" / "again").symlink_to(tmp_path / "other")
    os.link(tmp_path / "films" / "a.mp4", tmp_path / "films" / "m.mp4")
    assert found(tmp_path / "films") == ["a.mp4", "again/b.mp4", "z.mp4"]


def test_loops_of_folders_are_cut(tmp_path: Path):
    make(tmp_path, "a/b/film.mp4")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "b" / "self").symlink_to(tmp_path / "a" / "b")
    (tmp_path / "a" / "loop.mp4").symlink_to(tmp_path / "a" / "loop.mp4")
    assert found(tmp_path) == ["a/b/film.mp4", "a/loop.mp4"]


def test_a_link_that_leads_nowhere_is_not_passed_over_in_silence(tmp_path: Path):
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    assert found(tmp_path) == ["gone.mp4"]


def test_films_that_a_run_has_made_are_not_films_of_the_library(tmp_path: Path):
    make(tmp_path, "a.mp4", "reports/a/run.json", "reports/a/annotated.mp4")
    assert found(tmp_path) == ["a.mp4"]


def test_a_pattern_of_names_is_a_list_of_files(tmp_path: Path):
    make(tmp_path, "b.mkv", "a.mkv", "c.mp4", "odd[1].mkv")
    assert found(tmp_path, tmp_path / "c.mp4")[-1] == "odd[1].mkv"
    assert list(films_in([tmp_path / "?.mkv"])) == [tmp_path / "a.mkv", tmp_path / "b.mkv"]
    assert list(films_in([tmp_path / "odd[1].mkv"])) == [tmp_path / "odd[1].mkv"]
    with pytest.raises(PlanError, match="fits no file"):
        list(films_in([tmp_path / "*.avi"]))


def test_a_path_that_is_not_there_is_a_mistake_of_the_user(tmp_path: Path):
    with pytest.raises(PlanError, match="does not exist"):
        list(films_in([tmp_path / "films"]))


def test_a_folder_that_may_not_be_listed_is_named_and_the_others_are_found(tmp_path: Path, monkeypatch, caplog):
    make(tmp_path, "closed/a.mp4", "open/b.mp4")
    scandir = os.scandir

    def refusing(folder: str):
        if folder.endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refusing)
    assert found(tmp_path) == ["open/b.mp4"]
    assert "closed cannot be listed: Permission denied" in caplog.text


def test_the_first_film_is_there_before_the_last_folder_is_listed(tmp_path: Path, monkeypatch):
    make(tmp_path, "a/1.mp4", "b/2.mp4", "c/3.mp4")
    listed = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda folder: listed.append(Path(folder).name) or scandir(folder))
    assert [film.name for film in itertools.islice(films_in([tmp_path]), 1)] == ["1.mp4"]
    assert listed == [tmp_path.name, "a"]


def test_twenty_thousand_films_take_seconds_and_a_few_megabytes(tmp_path: Path):
    for folder in range(100):
        make(tmp_path, *(f"{folder:03}/{film:03}.mp4" for film in range(200)))
    tracemalloc.start()
    began = time.process_time()
    assert sum(1 for _ in films_in([tmp_path])) == 20_000
    assert time.process_time() - began < 6  # a hundred thousand: half a minute, while memory is being traced
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
