"""The commands that show an analysed film, called as a user calls them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scenefer.video import probe
from tests.test_cli import QUICK, complaints, make_film, scenefer


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a film of two seconds, film.mkv, its run, reports/film, and another film."""
    place = tmp_path_factory.mktemp("views")
    make_film(place / "film.mkv", 2.0)
    make_film(place / "other.mkv", 1.0)
    done = scenefer("analyze", "film.mkv", "--lang", "id", *QUICK, cwd=place)
    assert done.returncode == 0, done.stderr
    return place


def test_a_report_is_written_in_the_language_asked_for_and_again_in_another(place: Path):
    report = place / "reports" / "film" / "report.html"
    assert '<html lang="id">' in report.read_text(encoding="utf-8")
    assert scenefer("report", "reports/film", cwd=place).returncode == 0
    assert '<html lang="id">' in report.read_text(encoding="utf-8")
    assert scenefer("report", "reports/film", "--lang", "en", cwd=place).returncode == 0
    assert '<html lang="en">' in report.read_text(encoding="utf-8")


def test_an_overlay_of_a_part_is_written_beside_the_caller(place: Path):
    done = scenefer("overlay", "film.mkv", "reports/film", "--start", "0.5", "--end", "1.5", cwd=place)
    assert (done.returncode, done.stdout) == (0, "overlay: film-overlay.mp4\n")
    assert probe(place / "film-overlay.mp4").duration == pytest.approx(1.0, abs=0.05)


def test_an_overlay_of_another_film_is_refused_in_one_line(place: Path):
    done = scenefer("overlay", "other.mkv", "reports/film", "--to", "out.mp4", cwd=place)
    (line,) = complaints(done)
    assert done.returncode == 3
    assert "is not the film that was analysed, film.mkv" in line
    assert not (place / "out.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("overlay", "film.mkv", "reports/film", "--to", "out.gif"), "name it *.mp4"),
        (("overlay", "film.mkv", "reports/film", "--start", "later"), "is no time"),
        (("overlay", "absent.mkv", "reports/film"), "there is no such file"),
        (("overlay", "film.mkv", "."), "is no run of scenefer"),
        (("figures", "reports/film", "--lang", "xx"), "unknown language 'xx'; known: en, id"),
        (("export", "reports/film", "--to", "faces.json", "--rejected"), "only .csv has rejected faces"),
        (("compare", "reports/film", "reports/film", "--every-clip"), "--every-clip says how a list is read"),
        (("compare", "reports/film", "reports/film", "--timecode-start", "1:00:00:00"), "--timecode-start says how"),
        (("analyze", "film.mkv", "--lang", "ide"), "unknown language 'ide'; did you mean 'id'?"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_line(place: Path, arguments: tuple[str, ...], said: str):
    done = scenefer(*arguments, cwd=place)
    (line,) = complaints(done)
    assert (done.returncode, said in line) == (2, True), line


def test_a_comparison_with_another_sheet_keeps_nothing_of_what_was_said_of_the_one_before(place: Path):
    (place / "first.csv").write_text("scene,start,end,intended,mood\n1,0,2,happy,dark\n", encoding="utf-8")
    (place / "second.csv").write_text("scene,start,end,intended\n1,0,2,sad\n", encoding="utf-8")
    run = shutil.copytree(place / "reports" / "film", place / "compared")
    said = []
    for sheet in ("first.csv", "second.csv"):
        done = scenefer("compare", "compared", "--intended", sheet, cwd=place)
        assert done.returncode == 0, done.stderr
        said.append(json.loads((run / "run.json").read_text(encoding="utf-8"))["warnings"])
    assert [each for each in said[0] if each not in said[1]] == ["first.csv: columns kept but not understood: mood"]
    assert set(said[1]) < set(said[0])


def test_figures_are_written_into_the_run_or_where_it_is_said(place: Path):
    done = scenefer("figures", "reports/film", cwd=place)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (place / "reports" / "film" / "figures").iterdir()} == {
        "film-arc.png", "film-arc.svg", "scenes.png", "scenes.svg",
    }  # fmt: skip
    assert scenefer("figures", "reports/film", "--to", "here", cwd=place).returncode == 0
    assert (place / "here" / "scenes.svg").is_file()
