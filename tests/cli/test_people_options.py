"""People from the command line: on by default, off by options, named by a cast, and forgotten."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import pandas as pd
import pytest

import scenefer as package
from tests.batches import batch, ended, planned
from tests.clips import write_clip
from tests.program import QUICK, complaints, finished_chunks, scenefer

PORTRAIT = Path(package.__file__).parent / "assets" / "portrait.jpg"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of the portrait."""
    picture = cv2.imread(str(PORTRAIT))
    assert picture is not None
    height = 360
    width = round(picture.shape[1] * height / picture.shape[0] / 2) * 2
    small = cv2.cvtColor(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    return write_clip(tmp_path_factory.mktemp("film") / "portrait.mkv", [small] * 75)


def tracks(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "reports" / "portrait" / "tables" / "tracks.parquet")


def test_people_are_known_then_forgotten_and_cannot_be_read_again(film: Path, tmp_path: Path):
    done = scenefer("analyze", film, *QUICK, "--keep-identity", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = tmp_path / "reports" / "portrait"
    assert tracks(tmp_path)["actor"].tolist() == [0]
    assert len(pd.read_parquet(run / "tables" / "vectors.parquet"))
    forgotten = scenefer("forget", run, cwd=tmp_path)
    assert forgotten.returncode == 0, forgotten.stderr
    said = forgotten.stdout
    assert [line for line in said.splitlines() if not line.startswith(" ")] == [
        "removed:",
        "kept:",
        "not reached from here:",
    ]
    for what in ("pictures of faces", "vectors", "observed chunks", "backups"):
        assert what in said
    assert not list((tmp_path / "data" / "observed").iterdir())
    assert "nothing: there was nothing left" in scenefer("forget", run, cwd=tmp_path).stdout
    refused = scenefer("reclassify", run, cwd=tmp_path)
    assert refused.returncode == 2
    (line,) = complaints(refused)
    assert "`scenefer forget` deleted" in line


def test_a_comparison_ends_with_0_whatever_the_verdicts_unless_it_is_asked_to_fail(film: Path, tmp_path: Path):
    (tmp_path / "sheet.csv").write_text("scene,start,end,intended\na,0,3,disgust\n")
    done = scenefer("analyze", film, *QUICK, "--intended", "sheet.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "0 of 1 scene as intended, 1 worth a look" in done.stdout
    run = tmp_path / "reports" / "portrait"
    for more, code in (((), 0), (("--json",), 0), (("--fail-on", "mismatch"), 1), (("--fail-on", "partial"), 1)):
        done = scenefer("compare", run, *more, cwd=tmp_path)
        assert (done.returncode, complaints(done)) == (code, []), more
    (tmp_path / "sheet.csv").write_text("scene,start,end,intended\na,0,3,happy\n")
    done = scenefer("compare", run, "--intended", "sheet.csv", "--fail-on", "partial", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    done = scenefer("compare", run, run, f"{run}/report.html", "--to", "takes.html", cwd=tmp_path)
    assert (done.returncode, complaints(done)) == (0, [])
    assert "a: happy intended; none is clearly nearest" in done.stdout
    assert "comparison: takes.html" in done.stdout.splitlines()
    assert (tmp_path / "takes.html").stat().st_size > 10_000
    done = scenefer("compare", run, run, "--intended", "sheet.csv", "--json", cwd=tmp_path)
    assert [row["standing"] for row in json.loads(done.stdout)["takes"]] == ["nearest", "as near"]
    for wrong in (
        ("--fail-on", "match"),
        (run, "--fail-on", "mismatch"),
        (run, "--estimate", "raw"),
        ("--to", "takes.html"),
    ):
        done = scenefer("compare", run, *wrong, cwd=tmp_path)
        assert (done.returncode, len(complaints(done))) == (2, 1)


def test_a_cast_names_people_and_says_one_line_on_consent(film: Path, tmp_path: Path):
    (tmp_path / "cast" / "Eileen").mkdir(parents=True)
    shutil.copy(PORTRAIT, tmp_path / "cast" / "Eileen" / "portrait.jpg")
    done = scenefer("analyze", film, *QUICK, "--cast", "cast", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["failures"] == []
    (line,) = complaints(done)
    assert "biometric identification" in line
    assert "consent" in line
    assert tracks(tmp_path)["actor_name"].tolist() == ["Eileen"]
    assert "Eileen" in (tmp_path / "reports" / "portrait" / "report.html").read_text()


def test_another_cast_or_language_redoes_the_reports_of_a_library_and_reads_no_film(film: Path, tmp_path: Path):
    (tmp_path / "cast" / "Eileen").mkdir(parents=True)
    shutil.copy(PORTRAIT, tmp_path / "cast" / "Eileen" / "portrait.jpg")
    command = (film, "--cast", "cast")
    assert ended(batch(*command, cwd=tmp_path, code=0)) == {"portrait.mkv": "done"}
    assert tracks(tmp_path)["actor_name"].tolist() == ["Eileen"]
    assert ended(batch(*command, cwd=tmp_path, code=0)) == {}
    read = finished_chunks(tmp_path / "data")
    (tmp_path / "cast" / "Eileen").rename(tmp_path / "cast" / "Collins")
    assert planned(*command, cwd=tmp_path) == {"portrait.mkv": ("to do", "the cast changed", 0)}
    assert ended(batch(*command, "--lang", "id", cwd=tmp_path, code=0)) == {"portrait.mkv": "done"}
    assert tracks(tmp_path)["actor_name"].tolist() == ["Collins"]
    assert '<html lang="id">' in (tmp_path / "reports" / "portrait" / "report.html").read_text()
    assert finished_chunks(tmp_path / "data") == read


def test_a_library_does_not_read_again_who_was_forgotten(film: Path, tmp_path: Path):
    batch(film, cwd=tmp_path, code=0)
    assert scenefer("forget", tmp_path / "reports" / "portrait", cwd=tmp_path).returncode == 0
    ((state, why, _),) = planned(film, "--lang", "id", cwd=tmp_path).values()
    assert state == "done"
    assert why is not None
    assert "forgotten" in why
    assert ended(batch(film, "--lang", "id", cwd=tmp_path, code=0)) == {}
    assert finished_chunks(tmp_path / "data") == {}


@pytest.mark.parametrize(
    ("option", "said"),
    [("--no-identity", ""), ("--no-crops", "pictures of faces are off (--no-crops): people are not")],
)
def test_people_are_off_where_it_is_asked_for(option: str, said: str, film: Path, tmp_path: Path):
    done = scenefer("analyze", film, *QUICK, option, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert tracks(tmp_path)["actor"].isna().all()
    assert said in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--identity", "facenet"], "run: scenefer weights pull facenet"),
        (["--identity", "facnet"], "did you mean 'facenet'?"),
        (["--identity", "face_identity", "--no-identity"], "exclude each other"),
        (["--cast", "nowhere"], "there is no such folder"),
        (["--cast", ".", "--no-identity"], "who are off with --no-identity"),
    ],
)
def test_what_cannot_be_meant_is_one_line_and_2(options: list[str], said: str, film: Path, tmp_path: Path):
    done = scenefer("analyze", film, *QUICK, *options, cwd=tmp_path, SCENEFER_WEIGHTS=str(tmp_path / "weights"))
    (line,) = complaints(done)
    assert done.returncode == 2
    assert said in line
    assert not (tmp_path / "data").exists()
