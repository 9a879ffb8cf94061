"""Films are found once each, however they are linked and however many they are."""

from __future__ import annotations

import itertools
import os
import time
import tracemalloc
from pathlib import Path

import pytest

from scenefer.core.errors import PlanError
from scenefer.library.discovery import Found, films_in, find_films, shard


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


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [
        ("films [1080p]", "films [1080p]/*.mkv"),
        ("[a-z]", "[a-z]/?.mkv"),
        ("x/y [b]", "*/y [b]/*.mkv"),
        ("?", "?/*.mkv"),
    ],
)
def test_a_pattern_may_stand_below_a_folder_that_is_named_like_one(folder: str, pattern: str, tmp_path: Path):
    make(tmp_path, f"{folder}/a.mkv", "films 1/b.mkv", "c/d.mkv")
    assert list(films_in([tmp_path / pattern])) == [tmp_path / folder / "a.mkv"]


def test_what_a_list_names_and_a_link_that_leads_nowhere_fail_by_their_names_and_end_nothing(tmp_path: Path):
    make(tmp_path, "a.mkv", "b.mkv")
    (tmp_path / "gone.mkv").symlink_to(tmp_path / "nowhere.mkv")
    gone = [tmp_path / "gone.mkv", tmp_path / "c.mkv", tmp_path / "no folder", tmp_path / "*.avi"]
    assert list(films_in([], [gone[1], tmp_path / "a.mkv", *gone[2:]])) == [gone[1], tmp_path / "a.mkv", *gone[2:]]
    assert list(films_in([gone[0], tmp_path / "b.mkv"])) == [gone[0], tmp_path / "b.mkv"]
    assert list(films_in([tmp_path / "*.mkv"])) == [tmp_path / "a.mkv", tmp_path / "b.mkv", gone[0]]


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


def library(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return folder


def names(found: list[Found]) -> list[str]:
    return [film.name for film in found]


def test_a_film_of_a_folder_is_named_within_it_and_another_by_itself(tmp_path: Path):
    library(tmp_path, "b/2.MKV", "b/1.mp4", "a.webm", "notes.txt")
    assert names(find_films([tmp_path])) == ["a.webm", "b/1.mp4", "b/2.MKV"]
    assert names(find_films([tmp_path / "b", tmp_path / "a.webm"])) == ["1.mp4", "2.MKV", "a.webm"]


def test_lists_name_films_by_lines_or_by_zero_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(library(tmp_path, "a/2.mp4", "odd name", "4.mp4"))
    Path("list").write_text("odd name\n\na/2.mp4\n")
    assert names(find_films([], Path("list"))) == ["odd name", "2.mp4"]
    Path("list").write_bytes(b"odd name\0a/2.mp4\0")
    assert names(find_films([Path("4.mp4")], Path("list"))) == ["4.mp4", "odd name", "2.mp4"]
    with pytest.raises(PlanError, match="cannot be read"):
        find_films([], Path("missing"))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_list_is_read_in_the_encoding_in_which_windows_writes_it(
    encoding: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(library(tmp_path, "a/büro.mp4", "映画.mp4", "4.mp4"))
    Path("list").write_bytes(end.join(["4.mp4", "a/büro.mp4", "映画.mp4", ""]).encode(encoding))
    assert names(find_films([], Path("list"))) == ["4.mp4", "büro.mp4", "映画.mp4"]


def test_short_names_between_zero_bytes_are_no_utf_16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(library(tmp_path, "a", "b", "c\nd"))
    Path("list").write_bytes(b"a\0b\0c\nd\0")
    assert names(find_films([], Path("list"))) == ["a", "b", "c\nd"]


def test_what_a_list_names_and_is_not_there_keeps_nothing_else_from_being_found(tmp_path: Path):
    library(tmp_path, "a.mp4")
    (tmp_path / "list").write_text(f"{tmp_path}/gone.mp4\n{tmp_path}/a.mp4\n{tmp_path}/*.avi\n")
    assert names(find_films([], tmp_path / "list")) == ["gone.mp4", "a.mp4", "*.avi"]


def test_shards_share_a_library_whatever_its_place(tmp_path: Path):
    one, other = library(tmp_path / "x", *(f"{k}.mp4" for k in range(40))), tmp_path / "y" / "z"
    library(other, *(f"{k}.mp4" for k in range(40)))
    parts = [names(shard(find_films([one]), f"{i}/3")) for i in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == sorted(f"{k}.mp4" for k in range(40))
    assert min(map(len, parts)) > 5
    assert parts[0] == names(shard(find_films([other]), "1/3"))


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "-1/2"])
def test_a_shard_that_is_none_is_refused(text: str):
    with pytest.raises(PlanError, match="1/4"):
        shard([], text)


def test_pictures_in_folders_of_films_are_named_and_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    make(tmp_path, "a.mp4", "moving.webp", "b/moving.GIF", "b/poster.jpg", "b/phone.heic", ".hidden.png")
    named = tmp_path / "moving.webp"
    assert [film.path.name for film in find_films([tmp_path, named])] == ["a.mp4", "moving.webp"]
    said = caplog.text
    assert "3 pictures are passed over, moving.GIF, phone.heic, poster.jpg: " in said, "what is named is read"
    caplog.clear()
    assert [film.path.name for film in find_films([tmp_path])] == ["a.mp4"]
    assert "4 pictures are passed over" in caplog.text
    assert "…" in caplog.text
    caplog.clear()
    find_films([tmp_path / "a.mp4", named])
    assert not caplog.text
