"""The program as it is called: exit codes, one line a complaint, odd names, full disks, interruptions."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from tests.program import (
    QUICK,
    command,
    complaints,
    environment_of,
    finished_chunks,
    heed_interrupts,
    make_film,
    scenefer,
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second without a face."""
    path = tmp_path_factory.mktemp("film") / "short.mkv"
    make_film(path, 1.0)
    return path


@pytest.fixture(scope="module")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty seconds in four chunks, each of them some seconds of work."""
    path = tmp_path_factory.mktemp("film") / "long.mkv"
    make_film(path, 20.0, size=(640, 360))
    return path


def summary(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# Usage: 2, before any decoding


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["missing.mp4"], "missing.mp4"),
        (["img%03d.png"], "img%03d.png"),
        (["http://127.0.0.1:9/film.mp4"], "127.0.0.1"),
        (["empty_folder"], "empty_folder"),
        (["short.mkv", "--profile", "fats"], "fast"),
        (["short.mkv", "--sample-rat", "3"], "--sample-rat"),
        (["short.mkv", "--sample-rate", "nan"], "nan"),
        (["short.mkv", "--sample-rate", "-1"], "-1"),
        (["short.mkv", "--device", "gpu"], "cpu"),
        (["short.mkv", "--keep-identity", "--no-identity"], "--no-identity"),
        (["short.mkv", "--keep-identity", "--no-crops"], "--no-crops"),
        (["short.mkv", "--dense", "--no-crops"], "--no-crops"),
        (["short.mkv", "--detector", "retina"], "mtcnn"),
        (["short.mkv", "--reader", "ffmpeg"], "pyav"),
        (["short.mkv", "--weights", "nowhere"], "nowhere"),
        (["short.mkv", "--start", "half past"], "half past"),
        (["short.mkv", "--start", "0.5", "--end", "0.2"], "0.2"),
        (["short.mkv", "--start", "10"], "10"),
        (["short.mkv", "--plan", "missing.toml"], "missing.toml"),
        (["short.mkv", "--plan", "misspelt.toml"], "sample_rate"),
        (["short.mkv", "--plan", "broken.toml"], "broken.toml"),
        (["short.mkv", "--scenes", "missing.csv"], "missing.csv"),
        (["short.mkv", "short.mkv", "--scenes", "good.csv"], "good.csv"),
        (["short.mkv", "short.mkv", "--intended", "good.csv"], "good.csv"),
        (["short.mkv", "--scenes", "empty_folder"], "short.csv"),
        (["short.mkv", "--scenes", "clips.edl"], "--every-clip"),
        (["short.mkv", "--timecode-start", "1 o'clock"], "1 o'clock"),
        (["short.mkv", "--n-scenes", "0"], "--n-scenes"),
        ([], "FILM"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_meant_is_refused_before_any_decoding(arguments, named, film, tmp_path):
    usable_folder(tmp_path, film)
    done = scenefer("analyze", *arguments, cwd=tmp_path)
    lines = complaints(done)
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1
    assert named in lines[0]
    assert not (tmp_path / "data").exists()
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("asked", [["analyze", "--device", "cuda"], ["batch", "--plan", "cuda.toml"]])
def test_a_device_that_is_not_here_is_said_once_before_any_decoding(asked, film, tmp_path):
    (tmp_path / "cuda.toml").write_text('[models]\ndevice = "cuda"\n')
    for name in ("a.mkv", "b.mkv"):
        (tmp_path / name).write_bytes(film.read_bytes())
    done = scenefer(*asked, "a.mkv", "b.mkv", cwd=tmp_path, CUDA_VISIBLE_DEVICES="")
    (line,) = complaints(done)
    assert (done.returncode, "torch finds no CUDA device" in line) == (2, True), done.stderr
    assert not (tmp_path / "data").exists()


def usable_folder(folder: Path, film: Path) -> None:
    (folder / "short.mkv").write_bytes(film.read_bytes())
    (folder / "empty_folder").mkdir()
    (folder / "misspelt.toml").write_text("[observation]\nsample_rates = 5.0\n")
    (folder / "broken.toml").write_text("[observation\n")
    (folder / "good.csv").write_text("scene,start,end\na,0,1\n")
    line = "001  A  V  C  00:00:00:00 00:00:01:00 00:00:00:00 00:00:01:00\n"
    (folder / "clips.edl").write_text(line * 201)


@pytest.mark.parametrize(
    ("sheet", "named"),
    [
        ("scene,start,end\na,0,0.6\nb,0.4,1\n", ["row 3", "0.4"]),
        ("scene,start,end\na,0,0.5\nb,0.5,7\n", ["row 3", "end", "7"]),
        ("scene,start,end\na,0.5,0.2\n", ["row 2", "0.2"]),
        ("scene|start|end\na|0|1\n", ["scene", "scene|start|end"]),
        ("scene,start,end\na,0,x\n", ["row 2", "end", "'x'"]),
        ("", ["empty"]),
        ("scene,start,end,intented\na,0,1,sad\n", ["intented", "intended"]),
        ("scene,start,end,intended,character\na,0,0.5,sad,X\na,0,0.6,sad,Y\n", ["row 3"]),
    ],
    ids=["overlap", "past the end", "backwards", "separator", "no time", "empty", "near miss", "unequal times"],
)
def test_a_bad_sheet_is_refused_with_its_place_before_any_decoding(sheet, named, film, tmp_path):
    (tmp_path / "sheet.csv").write_text(sheet, encoding="utf-8")
    done = scenefer("analyze", film, "--scenes", "sheet.csv", cwd=tmp_path)
    lines = complaints(done)
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1
    assert "sheet.csv" in lines[0]
    assert all(word in lines[0] for word in named), lines[0]
    assert not (tmp_path / "data").exists()


def test_a_sheet_is_written_with_pictures_filled_in_and_read_again_and_never_written_over(film, tmp_path):
    """The way of a new user: scenes, analyze, export; here from a list of markers that counts from a timecode."""
    (tmp_path / "markers.edl").write_text(
        "001  001  V  C  10:00:00:00 10:00:00:01 10:00:00:00 10:00:00:01\n |C:ResolveColorRed |M:first [sad] |D:4\n"
        "002  001  V  C  10:00:00:05 10:00:00:06 10:00:00:05 10:00:00:06\n |C:ResolveColorRed |M:second |D:5\n"
    )
    listed = ("--scenes", "markers.edl", "--timecode-start", "10:00:00:00")
    done = scenefer("scenes", film, *listed, "--profile", "fast", "--to", "sheet.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "sheet.csv").read_text().splitlines() == [
        "scene,start,end,intended,character,note",
        "first,0h00m00.000s,0h00m00.400s,sad,,",
        "second,0h00m00.500s,0h00m01.000s,,,",
    ]
    assert "2 listed scenes: sheet.csv" in done.stdout
    assert done.stdout.splitlines()[-1] == f"then: scenefer analyze {film} --intended sheet.csv"
    assert "001-first-1.jpg" in {path.name for path in (tmp_path / "sheet-pictures").iterdir()}
    again = scenefer("scenes", film, "--to", "sheet.csv", cwd=tmp_path)
    assert again.returncode == 2
    assert "may be filled in" in complaints(again)[0]

    sheets = tmp_path / "sheets"
    sheets.mkdir()
    (tmp_path / "sheet.csv").rename(sheets / "short.csv")
    told = summary(scenefer("analyze", film, *QUICK, "--intended", "sheets", "--json", cwd=tmp_path))
    assert [scene["name"] for scene in told["films"][0]["scenes"]] == ["first", "second"]
    assert scenefer("export", "reports/short", "--to", "out.edl", cwd=tmp_path).returncode == 0
    assert "|M:first [sad] |D:4" in (tmp_path / "out.edl").read_text()
    assert scenefer("export", "reports/short", "--to", "out.pdf", cwd=tmp_path).returncode == 2


# Films that are none


def test_the_words_of_directors_are_shown_where_they_are_used_and_may_be_replaced(film, tmp_path):
    (tmp_path / "sheet.csv").write_text("scene,start,end,intended\na,0,1,tense\n")
    done = scenefer("words", cwd=tmp_path)
    assert 'tense = "fear:0.5;angry:0.5"' in done.stdout.splitlines()
    (tmp_path / "mine.toml").write_text(done.stdout.replace('tense = "fear:0.5;angry:0.5"', 'tense = "sad"'))

    done = scenefer("analyze", film, "--intended", "sheet.csv", *QUICK, cwd=tmp_path)
    said = "sheet.csv: words of directors, which --words FILE replaces: tense = fear:0.5;angry:0.5"
    assert f"note: {said}" in done.stdout
    assert said in (tmp_path / "reports" / "short" / "report.html").read_text("utf-8")
    run = tmp_path / "reports" / "short"
    done = scenefer("compare", run, "--intended", "sheet.csv", "--words", "mine.toml", cwd=tmp_path)
    assert (done.returncode, complaints(done)) == (0, [])
    assert "a: sad intended" in done.stdout
    assert json.loads((run / "run.json").read_text())["settings"]["words"]["tense"] == "sad"
    done = scenefer("compare", run, "--words", "mine.toml", cwd=tmp_path)
    assert (done.returncode, len(complaints(done))) == (2, 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{film}\n#EXT-X-ENDLIST\n"),
        ("concat.txt", "ffconcat version 1.0\nfile '{film}'\n"),
        ("concat.mp4", "ffconcat version 1.0\nfile '{film}'\n"),
        ("notes.txt", "a film about nothing\n"),
        ("empty.mp4", ""),
    ],
)
def test_lists_of_films_and_text_are_no_film(name, content, film, tmp_path):
    (tmp_path / name).write_text(content.format(film=film))
    done = scenefer("analyze", name, cwd=tmp_path)
    lines = complaints(done)
    assert done.returncode == 3
    assert len(lines) == 1
    assert name in lines[0]
    assert not (tmp_path / "reports").exists()


def test_one_failed_film_of_two_is_1_and_the_other_is_done(film, tmp_path):
    (tmp_path / "text.mp4").write_text("no film")
    done = scenefer("analyze", "text.mp4", film, *QUICK, "--json", cwd=tmp_path)
    assert done.returncode == 1
    assert [line for line in complaints(done) if "text.mp4" in line]
    told = json.loads(done.stdout)
    assert [Path(one["film"]).name for one in told["films"]] == ["short.mkv"]
    assert [Path(one["film"]).name for one in told["failures"]] == ["text.mp4"]
    assert (tmp_path / "reports" / "short" / "report.html").is_file()


def test_the_traceback_is_there_for_who_asks(tmp_path):
    done = scenefer("analyze", "missing.mp4", cwd=tmp_path, SCENEFER_DEBUG="1")
    assert done.returncode != 0
    assert "Traceback" in done.stderr


# What is printed


def test_json_is_one_object_on_stdout_and_the_run_is_complete(film, tmp_path):
    told = summary(scenefer("analyze", film, *QUICK, "--json", cwd=tmp_path))
    run = tmp_path / "reports" / "short"
    assert len(told["films"]) == 1
    assert told["failures"] == []
    assert sorted(path.name for path in run.iterdir() if path.name != "pictures") == [
        "log.txt",
        "report.html",
        "run.json",
        "tables",
    ]
    assert not list(tmp_path.rglob("*.tmp"))


def test_the_output_is_quiet_where_it_is_no_terminal(film, tmp_path):
    done = scenefer("analyze", film, *QUICK, cwd=tmp_path)
    assert done.returncode == 0
    assert complaints(done) == []
    assert "\x1b" not in done.stdout
    assert "report: " in done.stdout


def test_a_run_is_complete_without_the_film_and_without_the_cache(film, tmp_path):
    (tmp_path / "here.mkv").write_bytes(film.read_bytes())
    summary(scenefer("analyze", "here.mkv", *QUICK, "--json", "--data", tmp_path / "cache", cwd=tmp_path))
    (tmp_path / "here.mkv").unlink()
    (tmp_path / "cache").rename(tmp_path / "elsewhere")
    (tmp_path / "reports" / "here" / "report.html").unlink()
    assert scenefer("report", "reports/here", cwd=tmp_path).returncode == 0
    assert (tmp_path / "reports" / "here" / "report.html").stat().st_size > 10_000
    assert scenefer("export", "reports/here", "--to", "faces.csv", cwd=tmp_path).returncode == 0
    header = (tmp_path / "faces.csv").read_text().splitlines()[0]
    assert header.startswith("file,time,xmin,ymin,xmax,ymax,emo_label,emo_proba")


@pytest.mark.parametrize("asked", ["report", "export"])
def test_a_folder_that_is_no_run_is_said_to_be_none(asked, tmp_path):
    done = scenefer(asked, ".", *(["--to", "x.csv"] if asked == "export" else []), cwd=tmp_path)
    assert done.returncode == 2
    assert len(complaints(done)) == 1


# Names

ODD_NAMES = [
    'it\'s "quoted" & spaced.mkv',
    "Übergröße ‹Film›.mkv",
    "12:30:00 concat:a|b.mkv",
    "img%03d.mkv",
    "two\nlines.mkv",
    "-leading.mkv",
    "[brackets] *.mkv",
    "😀<b>.mkv",
]


def test_films_with_odd_names_are_read(film, tmp_path):
    """All in one call: what is wrong with one must not befall another."""
    for name in ODD_NAMES:
        (tmp_path / name).write_bytes(film.read_bytes())
    told = summary(scenefer("analyze", *QUICK, "--json", "--", *ODD_NAMES, cwd=tmp_path))
    assert len(told["films"]) == len(ODD_NAMES)
    assert len(list((tmp_path / "reports").glob("*/report.html"))) == len(ODD_NAMES)


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text on this system")
def test_a_film_whose_name_is_no_text_is_read(film, tmp_path):
    name = b"caf\xe9 \xff.mkv"
    (tmp_path / os.fsdecode(name)).write_bytes(film.read_bytes())
    told = summary(scenefer("analyze", name, *QUICK, "--json", cwd=tmp_path))
    assert "xe9" in told["films"][0]["film"]
    assert len(list((tmp_path / "reports").glob("*/report.html"))) == 1
    again = scenefer("report", next((tmp_path / "reports").iterdir()), cwd=tmp_path)
    assert again.returncode == 0, again.stderr


def test_a_name_is_text_in_the_report_whatever_it_says(film, tmp_path):
    name = "<script>alert(1)</script>".replace("/", "∕") + ".mkv"
    (tmp_path / name).write_bytes(film.read_bytes())
    sheet = "scene,start,end\n<img src=x onerror=alert(2)>,0,1\n"
    (tmp_path / "sheet.csv").write_text(sheet)
    assert scenefer("analyze", name, "--scenes", "sheet.csv", *QUICK, cwd=tmp_path).returncode == 0
    page = next((tmp_path / "reports").glob("*/report.html")).read_text("utf-8")
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_two_films_of_one_name_have_two_reports(film, long_film, tmp_path):
    for folder, path in (("a", film), ("b", long_film)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.mkv").write_bytes(path.read_bytes())
    told = summary(scenefer("analyze", "a/same.mkv", "b/same.mkv", *QUICK, "--json", cwd=tmp_path))
    first, second = (Path(one["run"]).name for one in told["films"])
    assert first == "same"
    assert second == f"same-{told['films'][1]['id'][:6]}"


# Outputs that cannot be written


def test_an_output_below_a_file_is_one_clear_line(film, tmp_path):
    (tmp_path / "file").write_text("")
    done = scenefer("analyze", film, *QUICK, "--out", "file/reports", "--data", "cache", cwd=tmp_path)
    lines = complaints(done)
    assert done.returncode == 3
    assert len(lines) == 1
    assert "file" in lines[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
@pytest.mark.parametrize("asked", ["--out", "--data"])
def test_a_forbidden_output_is_one_clear_line(asked, film, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    done = scenefer("analyze", film, *QUICK, asked, "closed/inside", cwd=tmp_path)
    assert done.returncode == 3
    assert len(complaints(done)) == 1


def test_a_disk_without_room_for_the_cache_is_one_clear_line_and_nothing_is_half_written(film, tmp_path):
    """A limit on the size of files fails a write in its middle, as a full disk does, and needs no disk."""
    done = limited(200, "analyze", film, *QUICK, cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    (line,) = complaints(done)
    assert "cannot be written" in line
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_disk_without_room_for_the_report_keeps_the_cache_and_an_earlier_run(film, tmp_path):
    summary(scenefer("analyze", film, *QUICK, "--json", cwd=tmp_path))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    done = limited(20_000, "analyze", film, *QUICK, cwd=tmp_path)
    assert done.returncode == 3, done.stderr
    (line,) = complaints(done)
    assert "cannot be written" in line
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_disk_that_fills_up_after_a_film_is_1_and_keeps_that_film(film, long_film, tmp_path):
    for path in (film, long_film):
        summary(scenefer("analyze", path, *QUICK, "--json", "--out", "trial", "--data", "cache", cwd=tmp_path))
    largest = {path: largest_file(tmp_path / "trial" / path.stem) for path in (film, long_film)}
    fits, does_not = sorted(largest, key=lambda path: largest[path])
    most = (largest[fits] + largest[does_not]) // 2
    done = limited(most, "analyze", fits, does_not, *QUICK, "--out", "out", "--data", "cache", cwd=tmp_path)
    assert done.returncode == 1
    assert len(complaints(done)) == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == [fits.stem]
    assert (tmp_path / "out" / fits.stem / "report.html").stat().st_size > 10_000


def limited(most: int, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the program so that no file may grow beyond ``most`` bytes."""
    return subprocess.run(
        command(arguments), cwd=cwd, env=environment_of({}), capture_output=True, text=True, timeout=240,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )  # fmt: skip


def largest_file(folder: Path) -> int:
    return max(path.stat().st_size for path in folder.rglob("*") if path.is_file())


# Interruptions


def stopped_after_a_chunk(film: Path, folder: Path) -> tuple[subprocess.Popen[str], dict[Path, tuple[int, int]]]:
    """Begin an analysis in a process group of its own, and halt the group when a first chunk is done.

    Where we looked too late, and the film is through, we begin again.
    """
    for _ in range(5):
        process = started(film, folder)
        deadline = time.monotonic() + 200
        while not finished_chunks(folder / "cache") and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.01)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGSTOP)
            if (done := finished_chunks(folder / "cache")) and not (folder / "reports").exists():
                return process, done
            os.killpg(process.pid, signal.SIGKILL)
        said = process.communicate()
        for left in ("cache", "reports"):
            shutil.rmtree(folder / left, ignore_errors=True)
    pytest.fail(f"never halted between a first chunk and the report: {said}")


def started(film: Path, folder: Path, more: dict[str, str] | None = None) -> subprocess.Popen[str]:
    arguments = ["analyze", film, "--profile", "fast", "--workers", "2", "--data", "cache"]
    return subprocess.Popen(
        command(arguments), cwd=folder, env=environment_of(more or {}), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=heed_interrupts,
    )  # fmt: skip


def test_a_killed_run_goes_on_without_repeating_a_finished_chunk(long_film, tmp_path):
    process, done = stopped_after_a_chunk(long_film, tmp_path)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()

    resumed = summary(scenefer("analyze", long_film, "--profile", "fast", "--json", "--data", "cache", cwd=tmp_path))
    assert {path: value for path, value in finished_chunks(tmp_path / "cache").items() if path in done} == done
    record = json.loads((tmp_path / "reports" / "long" / "run.json").read_text())
    assert record["timings"]["pieces_resumed"] == len(done)
    assert record["timings"]["pieces"] > len(done)

    whole = summary(
        scenefer(
            "analyze",
            long_film,
            "--profile",
            "fast",
            "--json",
            "--data",
            "fresh",
            "--out",
            "fresh_reports",
            cwd=tmp_path,
        )
    )
    assert whole["films"][0]["n_frames"] == resumed["films"][0]["n_frames"] == 200
    for table in ("frames", "faces", "shots", "tracks", "samples", "scene_emotions"):
        one, other = (tmp_path / out / "long" / "tables" / f"{table}.parquet" for out in ("reports", "fresh_reports"))
        pd.testing.assert_frame_equal(pd.read_parquet(one), pd.read_parquet(other))


def test_ctrl_c_ends_with_130_one_line_and_keeps_what_is_done(long_film, tmp_path):
    process, done = stopped_after_a_chunk(long_film, tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    os.killpg(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1
    assert "interrupted" in err
    assert out == ""
    assert done.items() <= finished_chunks(tmp_path / "cache").items()
    assert not (tmp_path / "reports").exists()
    deadline = time.monotonic() + 10
    while (left := members(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == [], "a worker stays behind"


def test_ctrl_c_is_one_line_too_while_workers_are_being_born(long_film, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(SLOW_BIRTH)
    more = {"PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}", "BORN": str(tmp_path / "born")}
    process = started(long_film, tmp_path, more)
    deadline = time.monotonic() + 100
    while not (tmp_path / "born").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert len(err.splitlines()) == 1, err


SLOW_BIRTH = """
import os, sys, time
if "--multiprocessing-fork" in sys.orig_argv:
    open(os.environ["BORN"], "w").close()
    time.sleep(2)
"""


def members(group: int) -> list[list[str]]:
    """List the commands of the living processes of a group."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.cmdline())
    return found
