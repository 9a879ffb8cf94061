"""What is forgotten is gone from run and cache, whatever interrupted it; what stays is said."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from scenefer.analysis import result
from scenefer.analysis.observation import Models
from scenefer.core import run_folder
from scenefer.core.errors import OutputError, SceneferError
from scenefer.interchange.edits_file import read_edits
from scenefer.models import IdentityModel
from scenefer.pipeline import api, chunks, erasure, film_analysis, film_observation, reclassification
from scenefer.pipeline.edited_runs import with_edits
from scenefer.pipeline.plans import make_plan
from tests.clips import write_clip
from tests.edits import write_edits
from tests.toy_models import BrightnessAsLogit, OneFaceWhereItIsBright

PICTURE = "data:image/jpeg"
EXCLUDE_ONE = {"edit": "exclude", "start": 0.0, "end": 1.0}


class Alike:
    sha256 = "0" * 64

    def vectors(self, crops, landmarks):
        return np.zeros((len(crops), 4), np.float32)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of a bright clip, its vectors kept, a film with boxes drawn in beside its tables; its cache is in data."""
    loaded: IdentityModel = Alike()
    monkeypatch.setattr(
        chunks, "_load_models", lambda plan, weights: Models(OneFaceWhereItIsBright(), BrightnessAsLogit())
    )
    monkeypatch.setattr(film_observation, "load_identity", lambda plan, threads: loaded)
    shades = [np.full((90, 160, 3), 150 + k % 20, np.uint8) for k in range(75)]
    noise = np.random.default_rng(0).integers(0, 30, (90, 160, 3), dtype=np.uint8)
    film = write_clip(tmp_path / "film.mp4", [shade + noise for shade in shades])
    found = api.analyze(film, make_plan(options={"actors.keep_vectors": True}), data=tmp_path / "data")
    folder = tmp_path / "reports" / "film"
    film_analysis.write(found, folder, ["read from 0:00:00.000"])
    (folder / "overlay.mp4").write_bytes(b"a film with boxes drawn in")
    assert found.vectors is not None
    assert len(found.vectors)
    assert PICTURE in (folder / "report.html").read_text()
    assert list((tmp_path / "data" / "observed").iterdir())
    return folder


def test_pictures_of_excluded_moments_are_forgotten_too(made: Path, tmp_path: Path):
    whole = result.load(made)
    film_analysis.write(with_edits(whole, read_edits(write_edits(tmp_path / "e.json", whole, EXCLUDE_ONE))), made)
    assert len(result.load(made).pictures) == len(whole.pictures)
    erasure.forget(made)
    assert not len(result.load(made).pictures)
    assert PICTURE not in (made / "report.html").read_text()


def assert_forgotten(folder: Path) -> None:
    left = result.load(folder)
    assert left.faces["crop"].isna().all()
    assert left.vectors is None
    assert not len(left.pictures)
    assert PICTURE not in (folder / "report.html").read_text()
    files = {path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".parquet"}
    assert files == {"log.txt", "report.html", "run.json"}
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert not list((folder.parents[1] / "data" / "observed").iterdir())


def test_pictures_vectors_and_overlays_leave_run_and_cache_and_all_is_listed(made: Path):
    before = result.load(made)
    assert before.vectors is not None
    done = erasure.forget(made)
    assert_forgotten(made)
    said = "\n".join(done.removed)
    n_crops, n_vectors, n_pictures = len(before.faces), len(before.vectors), len(before.pictures)
    for what in (f"{n_crops} pictures of faces", f"{n_vectors} vectors", f"{n_pictures} keyframes", "overlay.mp4"):
        assert what in said
    assert str(made.parents[1] / "data") in said
    assert "observed chunks" in said
    assert any("backups" in line for line in done.beyond)
    after = result.load(made)
    pd.testing.assert_frame_equal(before.scene_emotions, after.scene_emotions)
    pd.testing.assert_frame_equal(before.tracks, after.tracks)


def test_what_is_forgotten_is_not_forgotten_twice(made: Path):
    erasure.forget(made)
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*")}
    assert erasure.forget(made).removed == ()
    assert {path: path.stat().st_mtime_ns for path in made.rglob("*")} == before


def test_an_interrupted_call_is_completed_by_the_next(made: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(film_analysis, "write", fail)
        with pytest.raises(KeyboardInterrupt):
            erasure.forget(made)
    assert result.load(made).faces["crop"].notna().all()
    erasure.forget(made)
    assert_forgotten(made)


def test_a_call_that_was_killed_between_two_renamings_is_completed_by_the_next(made: Path):
    os.rename(made, made.with_name("film.4711.old.tmp"))
    made.with_name("film.4711.tmp").mkdir()
    other = made.with_name("film.two.4711.tmp")
    other.mkdir()
    erasure.forget(made)
    other.rmdir()
    assert_forgotten(made)


def test_chunks_that_were_only_renamed_are_deleted(made: Path):
    (cached,) = (made.parents[1] / "data" / "observed").iterdir()
    os.rename(cached, cached.with_name(f"{cached.name}.4711.forgotten.tmp"))
    erasure.forget(made)
    assert_forgotten(made)


def test_other_weights_cannot_read_what_is_forgotten(made: Path):
    erasure.forget(made)
    with pytest.raises(SceneferError, match="`scenefer forget` deleted the pictures of faces"):
        reclassification.reclassify(made, "rmn_face")


def test_the_report_says_that_pictures_were_deleted(made: Path):
    erasure.forget(made)
    assert "Pictures of faces were deleted on" in (made / "report.html").read_text()


def test_another_run_of_the_film_is_named(made: Path):
    film_analysis.write(result.load(made), made.with_name("second cut"))
    done = erasure.forget(made)
    assert any("second cut" in line for line in done.beyond)
    assert result.load(made.with_name("second cut")).faces["crop"].notna().all()


def test_the_cache_of_a_project_that_was_moved_is_found_and_one_that_is_not_is_said(made: Path, tmp_path: Path):
    moved = tmp_path / "moved\N{NO-BREAK SPACE}project"
    moved.mkdir()
    for part in ("data", "reports"):
        (tmp_path / part).rename(moved / part)
    done = erasure.forget(moved / "reports" / "film")
    assert_forgotten(moved / "reports" / "film")
    assert not any("a cache: there is none" in line for line in done.beyond)
    (moved / "data").rename(moved / "elsewhere")
    done = erasure.forget(moved / "reports" / "film")
    assert any("a cache: there is none at" in line and "repeat with --data" in line for line in done.beyond)


def test_a_cache_in_a_folder_with_an_odd_name_is_found(made: Path, tmp_path: Path):
    odd = tmp_path / "my\N{NO-BREAK SPACE}cache"
    film_analysis.write(api.analyze(tmp_path / "film.mp4", data=odd), made)
    assert list((odd / "observed").iterdir())
    erasure.forget(made)
    assert list((odd / "observed").iterdir()) == []


def test_a_run_behind_a_link_is_forgotten_where_it_lies(made: Path, tmp_path: Path):
    (tmp_path / "link").symlink_to(made)
    erasure.forget(tmp_path / "link")
    assert_forgotten(made)
    assert (tmp_path / "link").is_symlink()


def test_a_run_is_forgotten_from_inside_its_folder(made: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(made)
    erasure.forget(Path())
    assert_forgotten(made)


def test_what_the_exchange_could_not_remove_is_removed_or_said(made: Path, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as broken:
        broken.setattr(run_folder, "shutil", SimpleNamespace(rmtree=lambda path, ignore_errors: None))
        erasure.forget(made)
    assert_forgotten(made)


def test_what_cannot_be_deleted_is_said(made: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as broken:
        broken.setattr("scenefer.pipeline.erasure.os.rename", refuse)
        with pytest.raises(OutputError, match="not all could be deleted: Permission denied"):
            erasure.forget(made)


def test_a_folder_without_a_run_is_refused(tmp_path: Path):
    with pytest.raises(SceneferError, match="is no run"):
        erasure.forget(tmp_path / "nothing")
