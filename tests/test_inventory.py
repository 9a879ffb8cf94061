from __future__ import annotations

from pathlib import Path

import pytest

from scenefer.errors import PlanError
from scenefer.inventory import Found, find_films, shard


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
