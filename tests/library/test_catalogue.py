"""A library is its runs, as one: tables that other programs read, and a page that lists every film."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scenefer.analysis import result
from scenefer.comparison import scene_comparison
from scenefer.core import run_folder, tables
from scenefer.core.errors import OutputError, PlanError, SceneferError
from scenefer.core.language import Language
from scenefer.core.schema import EMOTIONS, TABLES
from scenefer.library import catalogue, film_rows, posters
from scenefer.pipeline import plans
from scenefer.report import arc_thumbnail, images, library_page
from tests.builders import expressions_table, samples_table
from tests.conftest import FILMS
from tests.reports import NASTY, Page, analysed, intending, jpeg, part_of, save

DOCUMENT = Path(__file__).parents[2] / "docs" / "library.md"
NOBREAK = "\N{NO-BREAK SPACE}"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of three films, of which two have intentions; nobody writes into it."""
    reports = tmp_path_factory.mktemp("three")
    save(reports, "alpha", 1, rage="angry", joy="sad")
    save(reports, "beta", 2, rage="sad:0.5;angry:0.5", joy="happy")
    save(reports, "gamma", 3)
    catalogue.write(reports)
    return reports


@pytest.fixture
def copied(three: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(three, tmp_path / "reports", copy_function=shutil.copy2))


def failed(film: str, error: str, **more: Any) -> dict[str, Any]:
    row = {"film": film, "id": None, "state": "failed", "stage": "open", "time": None, "error": error, "remedy": None}
    return {**row, "permanent": True, "when": "2026-03-22T13:00:00+00:00", **more}


def note_failures(reports: Path, *rows: dict[str, Any]) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows)), reports / "library" / "failures.parquet")


# Tables


def test_the_queries_of_the_documents_answer(three: Path, monkeypatch: pytest.MonkeyPatch):
    duckdb = pytest.importorskip("duckdb")
    text = DOCUMENT.read_text("utf-8")
    queries = text[text.index("<!-- queries -->") : text.index("<!-- /queries -->")].split(";")[:-1]
    monkeypatch.chdir(three.parent)
    os.symlink(three, "reports")
    answers = [duckdb.sql(re.sub("<!--.*?-->", "", query)).fetchall() for query in queries]
    assert [len(answer) for answer in answers] == [3, 2]
    assert answers[0][0][0] in ("alpha.mp4", "beta.mp4", "gamma.mp4")
    assert answers[1][0][:3] == ("alpha.mp4", "joy", "sad")


@pytest.mark.parametrize("name", catalogue.GATHERED)
def test_every_table_is_one_table_partitioned_by_film(three: Path, name: str):
    whole = pd.read_parquet(three / "library" / name)
    assert set(whole.columns) == {column.name for column in TABLES[name]} | {"film"}
    films = [1, 2] if name == "comparison" else [1, 2, 3]
    # Of a library whose ids are all digits pandas makes numbers.
    assert sorted(whole["film"].astype(int).unique()) == films
    for number, folder in ((1, "alpha"), (2, "beta")):
        own = tables.read(three / "library" / name / f"film={number:016x}" / "part.parquet", name)
        pd.testing.assert_frame_equal(own, tables.read(three / folder / "tables" / f"{name}.parquet", name))


def test_a_film_is_summed_up_in_a_row(three: Path):
    films = tables.read(three / "library" / "films.parquet", "films")
    alpha = films.iloc[0]
    assert films["folder"].tolist() == ["alpha", "beta", "gamma"]
    assert (alpha["name"], alpha["path"], alpha["state"]) == ("alpha.mp4", "films/alpha.mp4", "done")
    assert (alpha["duration"], alpha["n_scenes"], alpha["n_shots"], alpha["n_tracks"]) == (30.0, 3, 12, 8)
    assert sum(alpha[emotion] for emotion in EMOTIONS) == pytest.approx(100, abs=1e-3)
    assert max(EMOTIONS, key=lambda emotion: alpha[emotion]) in ("angry", "happy")
    assert films["n_judged"].tolist() == [2, 2, 0]
    assert films["n_match"].tolist()[0] == 1
    (gap,) = json.loads(alpha["gaps"])
    assert (gap["name"], gap["verdict"]) == ("joy", "mismatch")
    assert json.loads(alpha["verdicts"]) == [[0.0, 10.0, "match"], [10.0, 20.0, "mismatch"]]
    assert np.isnan(films["largest_gap"].iloc[2])


def test_rows_that_an_older_version_corrected_for_the_trainings_shares_are_not_counted(three: Path, tmp_path: Path):
    older = analysed(sheet=intending(rage="angry", joy="sad", empty=None))
    found = scene_comparison.of_run(older)
    assert found is not None
    both = pd.concat([found.table, found.table.assign(estimate="emq")], ignore_index=True)
    settings = {"comparison": {"view": "screen_time", "emq": True, "emq_tracks": 5}}
    older = replace(older, run={**older.run, "settings": settings}, comparison=both)
    result.save(older, tmp_path / "older", {})
    catalogue.write(tmp_path)
    row, alpha = (tables.read(place / "library" / "films.parquet", "films").iloc[0] for place in (tmp_path, three))
    counted = ["n_judged", "n_match", "gaps", "verdicts", "largest_gap"]
    assert row[counted].tolist() == alpha[counted].tolist()
    assert plans.from_record(settings).comparison.view == "screen_time"


def test_of_a_part_of_a_film_only_the_part_counts_as_film_time(three: Path, tmp_path: Path):
    part = part_of(analysed(sheet=intending(rage="angry", joy="sad", empty=None)), 60.0)
    found = scene_comparison.of_run(part)
    assert found is not None
    result.save(replace(part, comparison=found.table), tmp_path / "part", {})
    catalogue.write(tmp_path)
    row, alpha = (tables.read(place / "library" / "films.parquet", "films").iloc[0] for place in (tmp_path, three))
    assert row["duration"] == pytest.approx(30.0)
    assert row["arc"] == alpha["arc"]
    assert row["verdicts"] == alpha["verdicts"]


def test_a_film_without_enough_faces_has_no_percentages(tmp_path: Path):
    whole = analysed(("nobody",))
    result.save(whole, tmp_path / "film", {})
    catalogue.write(tmp_path)
    (row,) = tables.read(tmp_path / "library" / "films.parquet", "films").to_dict("records")
    assert all(np.isnan(row[emotion]) for emotion in EMOTIONS)
    assert "too few faces for percentages" in (tmp_path / "library.html").read_text("utf-8")


def test_a_folder_of_reports_is_a_table_of_films_a_row_a_run(three: Path, tmp_path: Path):
    damaged = Path(shutil.copytree(three, tmp_path / "reports"))
    (damaged / "beta" / "run.json").write_text("{", encoding="utf-8")
    assert film_rows.is_library(damaged)
    assert not film_rows.is_library(damaged / "alpha")
    n, unreadable = film_rows.write(damaged, tmp_path / "my-films.csv")
    table = pd.read_csv(tmp_path / "my-films.csv")
    assert (n, table["run"].tolist(), table["film"].tolist()) == (2, ["alpha", "gamma"], ["alpha.mp4", "gamma.mp4"])
    assert [sentence for sentence in unreadable if "beta" in sentence] == unreadable != []
    assert table[["judged", "match"]].fillna(-1).to_numpy().tolist() == [[2, 1], [-1, -1]]
    with pytest.raises(PlanError, match=r"films\.csv alone"):
        film_rows.write(damaged, tmp_path / "scenes.csv")


def test_only_films_whose_runs_changed_are_read(copied: Path, monkeypatch: pytest.MonkeyPatch):
    catalogue.write(copied)
    gathered = []
    gather = catalogue._gather
    monkeypatch.setattr(catalogue, "_gather", lambda run, place: gathered.append(run.folder.name) or gather(run, place))
    catalogue.write(copied)
    assert gathered == []
    save(copied, "beta", 2, rage="fear")
    shutil.rmtree(copied / "library" / "scenes" / f"film={3:016x}")
    catalogue.write(copied)
    assert gathered == ["beta", "gamma"]
    assert tables.read(copied / "library" / "films.parquet", "films")["n_judged"].tolist() == [2, 1, 0]


def test_a_library_that_was_gathered_again_is_the_same(three: Path, copied: Path):
    shutil.rmtree(copied / "library")
    catalogue.write(copied)
    again, first = (tables.read(place / "library" / "films.parquet", "films") for place in (copied, three))
    pd.testing.assert_frame_equal(again.drop(columns="record"), first.drop(columns="record"))


def test_what_was_gathered_of_a_film_goes_with_its_run(copied: Path):
    shutil.rmtree(copied / "beta")
    save(copied, "alpha", 1)  # its intentions are gone
    catalogue.write(copied)
    found = {path.relative_to(copied / "library").as_posix() for path in (copied / "library").rglob("film=*")}
    assert {name.split("=")[1] for name in found} == {f"{1:016x}", f"{3:016x}"}
    assert not any(name.startswith("comparison") for name in found)
    assert "beta.mp4" not in (copied / "library.html").read_text("utf-8")


def test_of_two_runs_of_one_film_the_later_counts_however_often_it_is_asked(tmp_path: Path):
    save(tmp_path, "new name", 7, made="2026-03-23T12:00:00+00:00", rage="angry")
    save(tmp_path, "old name", 7)
    for _ in range(2):
        catalogue.write(tmp_path)
        films = tables.read(tmp_path / "library" / "films.parquet", "films")
        assert films["folder"].tolist() == ["new name"]
        assert len(list((tmp_path / "library" / "comparison").iterdir())) == 1
    whole = Page((tmp_path / "library.html").read_text("utf-8"))
    assert "The same film: old name" in whole.text
    assert "old%20name/report.html" in whole.attributes("href")


def test_a_session_is_no_report_of_the_film_that_was_played_until_it_is_forgotten(copied: Path):
    """A batch makes reports again where settings change; a rehearsal cannot be made again."""
    record = copied / "alpha" / "run.json"
    run = json.loads(record.read_text("utf-8"))
    (found,) = catalogue.find_reports(copied)[run["film"]["id"]]
    assert found.folder == copied / "alpha"
    record.write_text(json.dumps({**run, "recorded_live": "2026-01-02T03:04:05+00:00"}), "utf-8")
    assert run["film"]["id"] not in catalogue.find_reports(copied)
    record.write_text(json.dumps({**run, "recorded_live": "2026-01-02T03:04:05+00:00", "forgotten": "2026-01-03"}))
    assert catalogue.find_reports(copied)[run["film"]["id"]][0].forgotten


def test_a_run_that_cannot_be_read_is_shown_and_the_others_are_gathered(copied: Path):
    (copied / "beta" / "run.json").write_text("{")
    (copied / "gamma" / "tables" / "scenes.parquet").write_bytes(b"damaged")
    save(copied, "delta", 4)
    catalogue.write(copied)
    assert tables.read(copied / "library" / "films.parquet", "films")["folder"].tolist() == ["alpha", "delta"]
    text = Page((copied / "library.html").read_text("utf-8")).text
    assert "2 films could be read to the end and 2 not at all" in text
    assert "its run.json, or the folder’s name, cannot be read" in text.replace("'", "’")
    assert "scenes.parquet is no table of scenefer or is damaged; analyse the film again" in text


def test_an_id_cannot_lead_out_of_the_library(tmp_path: Path):
    folder = save(tmp_path / "reports", "film", 1)
    record = json.loads((folder / "run.json").read_text())
    record["film"]["id"] = "../../../out"
    (folder / "run.json").write_text(json.dumps(record))
    catalogue.write(tmp_path / "reports")
    assert {path.name for path in tmp_path.iterdir()} == {"reports"}
    assert len(tables.read(tmp_path / "reports" / "library" / "films.parquet", "films")) == 0


def test_a_full_disk_leaves_what_was_there(copied: Path, monkeypatch: pytest.MonkeyPatch):
    before = {path: path.read_bytes() for path in (copied / "library").rglob("*.parquet")}
    save(copied, "delta", 4)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="No space left on device; free space"):
        catalogue.write(copied)
    assert {path: path.read_bytes() for path in before} == before
    monkeypatch.undo()
    catalogue.write(copied)
    assert len(tables.read(copied / "library" / "films.parquet", "films")) == 4
    assert not list(copied.rglob("*.tmp"))


def test_no_film_takes_the_place_of_the_library(tmp_path: Path):
    film = replace(analysed().film, path=Path("Library.mp4"))
    assert run_folder.report_folder(film, tmp_path) == tmp_path / "Library-012345"
    assert (
        run_folder.report_folder(replace(film, path=Path("library.html.mkv")), tmp_path).name == "library.html-012345"
    )


def test_a_folder_without_runs_is_an_empty_library(tmp_path: Path):
    text = Page(catalogue.write(tmp_path).read_text("utf-8")).text
    assert "No film has been analysed into this folder yet." in text
    assert list(run_folder.runs_in(tmp_path / "nowhere")) == []


# The page


def test_a_film_has_its_report_its_numbers_and_its_gaps(three: Path):
    html = (three / "library.html").read_text("utf-8")
    whole = Page(html)
    assert {"alpha/report.html", "beta/report.html", "gamma/report.html"} <= set(whole.attributes("href"))
    assert "alpha/report.html#scene-1" in whole.attributes("href")
    assert "3 films could be read to the end." in whole.text
    assert "Of 4 judged intentions, 2 are as intended." in whole.text
    assert "sad intended, detected at" in whole.text
    assert html.partition('<ol id="films">')[2].count("<svg") == 3


def test_numbers_in_names_count_as_numbers(copied: Path):
    for number, name in enumerate(("ep10", "Ep2", "ep1"), start=4):
        save(copied, name, number)
    catalogue.write(copied)
    html = (copied / "library.html").read_text("utf-8").partition('<ol id="films">')[2]
    places = [html.index(f"{name}.mp4") for name in ("alpha", "beta", "ep1", "Ep2", "ep10", "gamma")]
    assert places == sorted(places)


def test_names_are_text_and_links_stay_beside_the_page(tmp_path: Path):
    names = [
        *(name.replace("/", "_") for name in NASTY),
        "javascript:alert(1)",
        "ünï#1?.x",
        "two\nlines \x1b[31m",
        "%2e%2e",
    ]
    for number, name in enumerate(names, start=1):
        save(tmp_path, name, number)
    whole = Page(catalogue.write(tmp_path).read_text("utf-8"))
    links = [link for link in whole.attributes("href") if not link.startswith("#")]
    assert len(links) == 2 * len(names)  # at a glance, and in the list
    assert all((tmp_path / unquote(link)).is_file() and ":" not in link for link in links)
    assert len([tag for tag, _ in whole.elements if tag == "script"]) == len(whole.scripts) == 1
    assert not any(name.startswith("on") for _, attributes in whole.elements for name in attributes)
    assert whole.attributes("src") == []
    assert "two\\nlines \\x1b[31m.mp4" in whole.text
    for name in names[:-2]:
        assert f"{name}.mp4" in whole.text


def test_the_page_allows_its_own_script_and_nothing_else(three: Path):
    whole = Page((three / "library.html").read_text("utf-8"))
    policy = next(attributes["content"] for _, attributes in whole.elements if "http-equiv" in attributes)
    own = b64encode(sha256(whole.scripts[0].encode()).digest()).decode()
    assert policy is not None
    assert f"default-src 'none'; script-src 'sha256-{own}'; style-src" in policy


def test_what_a_batch_could_not_read_is_shown_with_what_to_do(copied: Path):
    note_failures(
        copied,
        failed("films/<i>gone.mp4", "films/<i>gone.mp4 is empty (0 bytes)", remedy="copy it again"),
        failed("films/later.mkv", "out of memory", stage="observe", time=62.0, permanent=False),
        failed(
            "elsewhere/beta.mp4", "1 packet could not be decoded", id=f"{2:016x}", state="partial", stage="observe",
            time=3.2, remedy="copy the film again",
        ),
    )  # fmt: skip
    text = Page(catalogue.write(copied).read_text("utf-8")).text
    assert "2 films could be read to the end, 1 only in part and 2 not at all." in text
    for said in (
        "<i>gone.mp4", "is empty (0 bytes)", "copy it again", "Not tried again as long as the file stays as it is.",
        "out of memory", "(observe at 1:02.0)", "The next batch tries it again.",
    ):  # fmt: skip
        assert said in text


def test_the_failure_of_a_copy_leaves_the_state_of_the_other_copy(copied: Path):
    """Of one content, under two names: the sheet of one is at fault, or its disk."""
    own = json.loads((copied / "beta" / "run.json").read_text())["film"]
    note_failures(copied, failed("elsewhere/copy of beta.mp4", "its sheet is at fault", id=own["id"], stage="sheet"))
    text = Page(catalogue.write(copied).read_text("utf-8")).text
    assert "3 films could be read to the end and 1 not at all." in text
    assert "its sheet is at fault" in text
    note_failures(copied, failed(own["path"], "its sheet is at fault", id=own["id"], stage="sheet"))
    assert "2 films could be read to the end and 1 not at all." in Page(catalogue.write(copied).read_text("utf-8")).text


def test_failures_are_shown_while_a_batch_goes_on(copied: Path):
    """One file a failure, as it happens; the table is made of them in the end."""
    note_failures(copied, failed("films/early.mp4", "is of the batch before"))
    (copied / "library" / "failures").mkdir()
    (copied / "library" / "failures" / "1.json").write_text(json.dumps(failed("films/now.mp4", "is empty")))
    (copied / "library" / "failures" / "2.json").write_text("{")
    text = Page(catalogue.write(copied).read_text("utf-8")).text
    assert "now.mp4" in text
    assert "early.mp4" not in text


def test_a_film_that_was_read_in_part_says_why_and_keeps_its_report(tmp_path: Path):
    folder = save(tmp_path, "torn", 5)
    record = json.loads((folder / "run.json").read_text())
    record.update(state="partial", warnings=["damaged: 1 place could not be decoded"])
    (folder / "run.json").write_text(json.dumps(record))
    whole = Page(catalogue.write(tmp_path).read_text("utf-8"))
    assert "0 films could be read to the end and 1 only in part." in whole.text
    assert "damaged: 1 place could not be decoded" in whole.text
    assert "torn/report.html" in whole.attributes("href")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"warnings": None}, id="no warnings"),
        pytest.param({"film": {"id": f"{2:016x}"}}, id="a film without its sides"),
        pytest.param([], id="no object"),
    ],
)
def test_a_damaged_record_is_named_and_ends_nothing(copied: Path, change: dict[str, Any] | list[Any]):
    place = copied / "beta" / "run.json"
    damaged = json.loads(place.read_text()) | change if isinstance(change, dict) else change
    place.write_text(json.dumps(damaged))
    shown = Page(catalogue.write(copied).read_text("utf-8"))
    assert "beta" in shown.text
    assert "analyse the film again" in shown.text
    assert "alpha/report.html" in shown.attributes("href")
    if change == []:
        with pytest.raises(SceneferError, match="is no run of scenefer"):
            result.load(copied / "beta")


def test_the_hard_films_stand_in_the_page_with_their_messages(tmp_path: Path):
    """What is no film, as the reader names it; what can be read in part, as the list of them expects it."""
    if not FILMS.is_dir():
        pytest.skip(f"the clips are not at {FILMS}; set SCENEFER_FILMS to their folder")
    from scenefer.video import probe

    rows = []
    for path in sorted((FILMS / "hard").glob("*.m*")):
        try:
            probe(path)
        except SceneferError as error:
            rows.append(failed(str(path), str(error)))
    with (FILMS / "hard" / "hard.csv").open(encoding="utf-8", newline="") as listed:
        for row in csv.DictReader(listed):
            if row["exit"] == "0" and row["warning"]:
                path = str(FILMS / "hard" / row["file"])
                rows.append(failed(path, row["warning"], state="partial", stage="observe", permanent=False))
    (tmp_path / "library").mkdir()
    note_failures(tmp_path, *rows)
    text = Page(catalogue.write(tmp_path).read_text("utf-8")).text
    assert len(rows) == 7
    assert "0 films could be read to the end, 2 only in part and 5 not at all." in text
    for row in rows:
        assert row["error"].replace(row["film"], Path(row["film"]).name) in text
        assert str(FILMS) not in text


def many(n: int) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Films of noisy arcs and three gaps each, and a failure for every tenth."""
    noise = np.random.default_rng(0)
    figures = {"intended": "sad", "why": None, "verdict": "mismatch", "label": "sad", "detected": "happy", "rank": 4,
               "lead": -32.0, "mass": 12.0, "mass_low": 8.0, "mass_high": 17.0, "detected_happy": 44.0}  # fmt: skip
    gaps = [{"scene": 3, "name": "at the station", "character": None, "verdict": "mismatch", "figures": figures}] * 3
    columns = {
        "film": [f"{k:016x}" for k in range(n)], "name": [f"film number {k}.mkv" for k in range(n)],
        "path": [f"/archive/films/film number {k}.mkv" for k in range(n)],
        "folder": [f"film number {k}" for k in range(n)],
        "record": "", "state": "done", "why": None, "made": [f"2026-03-22T12:00:{k % 60:02}+00:00" for k in range(n)],
        "duration": [60.0 * k for k in range(1, n + 1)], "width": 1920, "height": 1080, "n_scenes": 40, "n_shots": 900,
        "n_tracks": 1200, "n_faces": 9000, "coverage": [k / n for k in range(n)], **dict.fromkeys(EMOTIONS, 100 / 7),
        "n_judged": 8, "n_match": 5, "n_corrected": 0, "largest_gap": [None if k % 2 else k / n for k in range(n)],
        "gaps": json.dumps(gaps),
        "verdicts": json.dumps([[0, 20, "match"], [20, 30, "mismatch"]]),
        "arc": [noise.integers(0, 255 // 7, 64 * 7).astype(np.uint8).tobytes() for _ in range(n)],
    }  # fmt: skip
    return tables.conform(columns, "films"), [failed(f"/archive/films/bad {k}.mp4", "is empty") for k in range(n // 10)]


def test_the_page_is_written_in_one_language_from_its_first_word_to_its_last(copied: Path):
    note_failures(copied, failed("/archive/films/bad.mp4", "bad.mp4 is empty", time=12.0, permanent=False))
    english = Page(catalogue.write(copied).read_text("utf-8"))
    html = catalogue.write(copied, Language("id")).read_text("utf-8")
    page = Page(html)
    assert '<html lang="id">' in html
    assert "sedih dimaksudkan, terdeteksi" in page.text
    assert "22 Maret 2026" in page.text
    assert "(open pada 0:12,0)" in page.text
    spoken = set(re.findall(r"[a-z]{3,}", page.text.casefold()))
    kept = {"scenefer", "library", "films", "parquet", "scene", "emotions", "alpha", "beta", "gamma", "joy", "rage"}
    kept |= {"bad", "empty", "open", "batch", "esc", "enter", "film", "shot", "status"}  # of names, errors and loans
    assert spoken & set(re.findall(r"[a-z]{3,}", english.text.casefold())) <= kept


def framed(run: Path, *pictures: bytes) -> None:
    """Leave frames of scenes in a run, as its report does."""
    (run / "pictures").mkdir(exist_ok=True)
    for number, picture in enumerate(pictures):
        (run / "pictures" / f"scene-{number:03}-keyframe-1.jpg").write_bytes(picture)


def test_a_film_has_a_frame_until_it_is_forgotten(copied: Path):
    black = cv2.imencode(".jpg", np.zeros((180, 320, 3), np.uint8))[1].tobytes()
    framed(copied / "alpha", black, jpeg(60, 80, 200))
    page = Page(catalogue.write(copied, Language("id")).read_text("utf-8"))
    (source,) = page.attributes("src")
    shown = cv2.imdecode(np.frombuffer(images.unpacked(source), np.uint8), cv2.IMREAD_COLOR)
    assert max(shown.shape) == 216
    assert shown.mean() > 50, "not the black one"
    shutil.rmtree(copied / "alpha" / "pictures")
    written = catalogue.rewrite(copied)
    assert written is not None
    text = written.read_text("utf-8")
    assert '<html lang="id">' in text, "in the language that it had"
    assert not Page(text).attributes("src")
    assert catalogue.rewrite(copied / "alpha") is None


def test_two_hundred_films_with_frames_are_a_page_of_a_few_megabytes(tmp_path: Path):
    films, _ = many(200)
    noise = np.random.default_rng(0)
    rough = cv2.resize(noise.integers(0, 255, (45, 80, 3)).astype(np.uint8), (320, 180))  # rougher than any film
    for name in films["folder"]:
        (tmp_path / name).mkdir()
        framed(tmp_path / name, cv2.imencode(".jpg", rough)[1].tobytes())
    found = posters.posters(tmp_path, tables.rows_of(films))
    assert len(found) == 200
    assert len(library_page.render(films, posters=found).encode()) < 5e6
    assert posters.posters(tmp_path, tables.rows_of(pd.concat([films] * 3))) == {}


def test_corrected_verdicts_and_films_with_too_few_faces_are_said():
    films, _ = many(4)
    films.loc[0, "n_corrected"], films.loc[1, list(EMOTIONS)] = 3, None
    text = " ".join(Page(library_page.render(films)).text.split())
    assert "In 1 film verdicts are by shares that judged faces have corrected" in text
    assert text.count("3 of the verdicts are corrected by judged faces") == 1
    assert "1 film shows too few faces for percentages." in text
    plain = Page(library_page.render(many(4)[0])).text
    assert "corrected" not in plain
    assert "too few faces" not in plain


def test_a_thousand_films_are_a_page_of_a_few_megabytes():
    films, failures = many(1000)
    began = time.process_time()
    html = library_page.render(films, failures)
    assert time.process_time() - began < 8
    assert len(html.encode()) < 6e6
    assert html.count('<li class="film"') == 1100


def test_a_finished_library_is_gone_over_in_no_time(copied: Path):
    """A thousand runs, of which none has changed: what `analysis.save` left, in little."""
    films, _ = many(1000)
    for name in films["folder"]:
        (copied / name).mkdir()
        (copied / name / "run.json").write_text("{}")
    seen = {name: (copied / name / "run.json").stat() for name in films["folder"]}
    films["record"] = [f"{s.st_size}-{s.st_mtime_ns}-{s.st_ino}" for s in seen.values()]
    for table in catalogue.GATHERED:
        for film in films["film"] if table != "comparison" else ():
            (copied / "library" / table / f"film={film}").mkdir(exist_ok=True)
            (copied / "library" / table / f"film={film}" / "part.parquet").touch()
    tables.write(copied / "library" / "films.parquet", films, "films")
    for name in ("alpha", "beta", "gamma"):
        shutil.rmtree(copied / name)
    catalogue.write(copied)  # compiles the template
    began = time.process_time()
    catalogue.write(copied)
    assert time.process_time() - began < 5
    assert len(tables.read(copied / "library" / "films.parquet", "films")) == 1000


# The thumbnail


def test_a_thumbnail_is_as_high_as_faces_were_usable_and_divided_as_they_look():
    samples = samples_table(time=[0.5 * k for k in range(8)], weight=0.5, n_usable=[1, 1, 1, 1, 0, 0, 0, 0])
    faces = expressions_table(
        time=[0.0, 0.0, 1.0], happy=[1.0, 0.0, 0.25], sad=[0.0, 1.0, 0.75], weight=1.0, usable=[True, False, True]
    )
    shares = np.frombuffer(arc_thumbnail.arc(samples, faces, 4.0), np.uint8).reshape(4, 7)
    expected = np.zeros((4, 7), int)
    expected[0, EMOTIONS.index("happy")] = 255
    expected[1, EMOTIONS.index("happy")], expected[1, EMOTIONS.index("sad")] = 64, 191
    assert shares.tolist() == expected.tolist()
    assert arc_thumbnail.paths(shares.tobytes()) == [("sad", "M0 40v-40h2v40z"), ("happy", "M0 40v-40h1v30h1v10z")]
    assert arc_thumbnail.viewbox(shares.tobytes(), judged=False) == "0 0 4 40"


@pytest.mark.parametrize("step", [0.1, 0.2, 0.5, 1 / 3])
def test_a_thumbnail_of_a_film_that_is_usable_throughout_has_no_gap(step: float):
    for n in range(1, 140):
        time = [k * step for k in range(n)]
        arc = arc_thumbnail.arc(
            samples_table(time=time, weight=step, n_usable=1),
            expressions_table(time=time, weight=step, happy=1.0),
            (n - 0.3) * step,  # a film seldom ends with a whole step
        )
        assert np.frombuffer(arc, np.uint8).reshape(-1, 7)[:, EMOTIONS.index("happy")].tolist() == [255] * (
            len(arc) // 7
        )


def test_a_thumbnail_of_a_long_film_has_few_pieces_and_of_none_nothing():
    samples = samples_table(time=(np.arange(7200) / 2).tolist(), weight=0.5)
    assert len(arc_thumbnail.arc(samples, expressions_table(), 3600.0)) == 64 * 7
    assert arc_thumbnail.arc(samples_table(), expressions_table(), 0.0) == b""
    assert arc_thumbnail.paths(b"") == []


def test_verdicts_lie_below_their_scenes():
    drawn = arc_thumbnail.strip(
        bytes(7 * 10), [(0.0, 5.0, "match"), (5.0, 10.0, "mismatch"), (15.0, 20.0, "match")], 20.0
    )
    assert drawn == [
        ("match", "M0.00 42h2.50v4h-2.50zM7.50 42h2.50v4h-2.50z"),
        ("mismatch", "M2.50 42h2.50v4h-2.50z"),
    ]


# In a browser


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Open a page from disk; what it complains about or asks for is an error."""
    context = browser.new_context()
    trouble: list[str] = []

    def open_(html: str, width: int = 1440, scheme: str = "light") -> Any:
        path = tmp_path / "library.html"
        path.write_text(html, encoding="utf-8")
        tab = context.new_page()
        tab.set_viewport_size({"width": width, "height": 900})
        tab.emulate_media(color_scheme=scheme)
        for event in ("console", "pageerror", "dialog"):
            tab.on(event, lambda said: trouble.append(str(said)))
        tab.on("request", lambda request: trouble.append(request.url) if request.url != path.as_uri() else None)
        tab.goto(path.as_uri())
        return tab

    yield open_
    context.close()
    assert trouble == []


def names(tab: Any, n: int = 99) -> list[str]:
    shown = tab.evaluate("[...document.querySelectorAll('.film:not([hidden]) h3')].map((name) => name.textContent)")
    return shown[:n]


FIVE = [
    failed("bad.mp4", "is empty"),
    failed("worse.mkv", "no such codec"),
]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_library_opens_without_complaint_and_fits(opened: Any, width: int, scheme: str):
    films, failures = many(12)
    films["name"] = films["path"] = [*NASTY, "x" * 200, *films["name"][6:]]
    tab = opened(library_page.render(films, failures), width, scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("document.querySelectorAll('.film svg path').length") > 12 * 7
    assert tab.is_visible("search")


def test_films_at_a_glance_stand_in_order_of_their_leading_expression(opened: Any):
    films, _ = many(5)
    shares = {"happy": [90.0, 20.0, 60.0, 5.0, None], "sad": [10.0, 80.0, 40.0, 0.5, None]}
    films = films.assign(**dict.fromkeys(EMOTIONS, 0.0)).assign(**shares, neutral=[0.0, 0.0, 0.0, 94.5, None])
    films.loc[4, list(EMOTIONS)] = None
    tab = opened(library_page.render(tables.conform(films, "films"), FIVE))
    rows = tab.locator(".map > a")
    assert rows.locator("> span").all_text_contents() == [f"film number {k}.mkv" for k in (0, 2, 1, 3)]
    shades = [[cell.get_attribute("opacity") for cell in row.locator("rect").all()] for row in rows.all()]
    assert shades == [["0.9", "0.1"], ["0.6", "0.4"], ["0.2", "0.8"], ["0.05", "0.94"]]
    # Its course is the arc of the list, in the colours of the list.
    assert tab.evaluate("document.querySelectorAll('.map use').length") == 4
    assert tab.evaluate("[...document.querySelectorAll('.map use')].every(u => u.getBBox().width > 60)")
    assert "happy 2, sad 1 and neutral 1" in tab.text_content(".glance")
    assert not opened(library_page.render(*many(2))).locator(".map").count()


def test_films_are_sorted_by_buttons_and_what_is_not_known_comes_last(opened: Any):
    films, _ = many(4)
    tab = opened(library_page.render(films, FIVE))
    assert names(tab) == ["bad.mp4", *(f"film number {k}.mkv" for k in range(4)), "worse.mkv"]
    tab.click("[data-sort=length]")
    assert names(tab) == [*(f"film number {k}.mkv" for k in (3, 2, 1, 0)), "bad.mp4", "worse.mkv"]
    tab.click("[data-sort=length]")
    assert names(tab) == [*(f"film number {k}.mkv" for k in range(4)), "bad.mp4", "worse.mkv"]
    tab.focus("[data-sort=gap]")
    tab.keyboard.press("Enter")
    assert names(tab, 2) == ["film number 2.mkv", "film number 0.mkv"]
    assert tab.get_attribute("[data-sort=gap]", "aria-pressed") == "true"
    assert tab.get_attribute("[data-sort=name]", "aria-pressed") == "false"
    tab.click("[data-sort=state]")
    assert names(tab, 2) == ["bad.mp4", "worse.mkv"]


def test_films_are_found_by_words_by_state_and_by_gaps(opened: Any):
    films, _ = many(4)
    films.loc[1, "name"] = "Amélie.mkv"
    tab = opened(library_page.render(films, FIVE))
    tab.keyboard.press("/")
    tab.keyboard.type("amelie STATION")
    assert names(tab) == ["Amélie.mkv"]
    assert tab.text_content("#shown") == "1 of 6 films"
    tab.keyboard.press("Escape")
    assert len(names(tab)) == 6
    tab.click("[data-show=failed]")
    assert names(tab) == ["bad.mp4", "worse.mkv"]
    tab.fill("#words", "codec")
    assert names(tab) == ["worse.mkv"]
    tab.fill("#words", "nothing of this kind")
    tab.click("text=Show all")
    tab.click("[data-show=gaps]")
    assert names(tab) == ["film number 0.mkv", "film number 2.mkv"]


def test_keys_lead_from_film_to_film(opened: Any):
    films, _ = many(4)
    tab = opened(library_page.render(films, FIVE))
    focused = "document.activeElement.textContent"
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate(focused) == "film number 0.mkv"  # bad.mp4 has no report to lead to
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowUp")
    assert tab.evaluate(focused) == "film number 1.mkv"


def test_a_thousand_films_answer_at_once(opened: Any):
    tab = opened(library_page.render(*many(1000)))
    spent = tab.evaluate(
        """() => { const began = performance.now();
        document.querySelector('[data-sort=coverage]').click();
        document.querySelector('#words').value = '99';
        document.querySelector('#words').dispatchEvent(new Event('input'));
        return performance.now() - began; }"""
    )
    assert spent < 1500  # ms, on a busy machine
    assert names(tab, 2) == ["film number 999.mkv", "film number 998.mkv"]
    assert len(names(tab)) < 1100


def test_without_scripts_all_films_are_there(browser: Any, tmp_path: Path):
    context = browser.new_context(java_script_enabled=False)
    (tmp_path / "library.html").write_text(library_page.render(*many(3)), encoding="utf-8")
    tab = context.new_page()
    tab.goto((tmp_path / "library.html").as_uri())
    assert tab.locator(".film:visible").count() == 3
    assert not tab.is_visible("search")
    assert not tab.is_visible(".sorts")
    context.close()


def test_a_table_of_groups_that_somebody_broke_is_said_on_the_page(copied: Path):
    (copied / "library" / "groups.csv").write_text("nothing,here\n1,2\n")
    page = catalogue.write(copied).read_text(encoding="utf-8")
    assert "groups.csv" in page
    assert "alpha" in page
