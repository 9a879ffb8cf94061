"""The commands that show an analysed film, called as a user calls them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import scenefer as package
from scenefer.video import probe
from tests.program import QUICK, complaints, make_film, scenefer

PORTRAIT = Path(package.__file__).parent / "assets" / "portrait.jpg"


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


def test_a_proxy_is_written_beside_the_caller(place: Path):
    done = scenefer("proxy", "film.mkv", cwd=place)
    assert (done.returncode, done.stdout) == (0, "proxy: film-proxy.mp4\n")
    assert probe(place / "film-proxy.mp4").codec == "h264"


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
        (("proxy", "film.mkv", "--to", "out.mkv"), "name it *.mp4"),
        (("proxy", "absent.mkv"), "there is no such file"),
        (("overlay", "absent.mkv", "reports/film"), "there is no such file"),
        (("overlay", "film.mkv", "."), "is no run of scenefer"),
        (("figures", "reports/film", "--lang", "xx"), "unknown language 'xx'; known: en, id"),
        (("export", "reports/film", "--to", "faces.json", "--rejected"), "only .csv has rejected faces"),
        (("compare", "reports/film", "reports/film", "--every-clip"), "--every-clip says how a list is read"),
        (("compare", "reports/film", "reports/film", "--timecode-start", "1:00:00:00"), "--timecode-start says how"),
        (("analyze", "film.mkv", "--lang", "ide"), "unknown language 'ide'; known: en, id; did you mean 'id'?"),
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


@pytest.fixture(scope="module")
def odd(place: Path) -> tuple[Path, bytes]:
    """A folder with the same film under a name that is no UTF-8, and with its run."""
    folder = place / "odd"
    folder.mkdir()
    shutil.copy(place / "film.mkv", os.fsencode(folder) + b"/caf\xe9 'x'.mkv")
    done = scenefer("analyze", b"caf\xe9 'x'.mkv", *QUICK, cwd=folder)
    assert (done.returncode, complaints(done)) == (0, [])
    (run,) = (folder / "reports").glob("*/run.json")
    return run.parent, b"caf\xe9 'x'.mkv"


@pytest.mark.parametrize("suffix", ["csv", "edl", "otio", "json", "srt"])
def test_a_film_whose_name_is_no_text_is_exported(odd: tuple[Path, bytes], suffix: str):
    run, _ = odd
    for name in (f"out.{suffix}".encode(), b"\xe9." + suffix.encode()):
        done = scenefer("export", run, "--to", name, cwd=run.parents[1])
        assert (done.returncode, complaints(done)) == (0, [])
        with open(os.path.join(os.fsencode(run.parents[1]), name), "rb") as file:
            file.read().decode("utf-8")


def test_a_film_whose_name_is_no_text_is_drawn_over_and_has_figures_and_a_sheet(odd: tuple[Path, bytes]):
    run, film = odd
    cwd = run.parents[1]
    for arguments in (
        ("overlay", film, run, "--end", "0.5"),
        ("overlay", film, run, "--end", "0.5", "--to", b"\xe9.mp4"),
        ("figures", run, "--to", b"fig\xe9"),
        ("scenes", film, "--profile", "fast"),
        ("compare", run, run),
        ("library", "reports"),
    ):
        done = scenefer(*arguments, cwd=cwd)
        assert (done.returncode, complaints(done)) == (0, []), arguments
    left = {os.fsencode(path.name) for path in cwd.iterdir()}
    assert {b"\xe9.mp4", b"caf\xe9 'x'-overlay.mp4", b"caf\xe9 'x'.csv", b"caf\xe9 'x'-pictures"} <= left
    again = scenefer("scenes", film, "--profile", "fast", "--to", b"b\xe9.csv", cwd=cwd).stdout.splitlines()[-1]
    command = again.removeprefix("then: scenefer analyze ").split(" --intended ")[0]
    shown = subprocess.run(["bash", "-c", f"printf %s {command}"], capture_output=True, check=True)
    assert shown.stdout == film


def test_stills_in_a_folder_whose_name_is_no_text_are_read(place: Path):
    folder = os.fsencode(place) + b"/st\xe9lls"
    os.makedirs(folder)
    for k in (1, 2):
        shutil.copy(PORTRAIT, folder + b"/%d\xe9.jpg" % k)
    done = scenefer("analyze", b"st\xe9lls", *QUICK, cwd=place)
    assert (done.returncode, complaints(done)) == (0, [])


def test_figures_are_written_into_the_run_or_where_it_is_said(place: Path):
    done = scenefer("figures", "reports/film", cwd=place)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (place / "reports" / "film" / "figures").iterdir()} == {
        f"{name}.{suffix}" for name in ("film-arc", "scenes") for suffix in ("png", "svg", "pdf", "txt")
    }
    assert scenefer("figures", "reports/film", "--to", "here", cwd=place).returncode == 0
    assert (place / "here" / "scenes.svg").is_file()
