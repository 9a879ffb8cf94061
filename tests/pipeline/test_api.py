"""The Python API, as a notebook calls it."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from PIL import Image

import scenefer
from scenefer.analysis.observation import Models
from scenefer.core import errors
from scenefer.core.schema import EMOTIONS
from scenefer.models.selftest import PORTRAIT
from scenefer.pipeline import chunks
from tests.clips import moving, write_clip
from tests.toy_models import BrightnessAsLogit, OneFaceWhereItIsBright

SHEET = "scene,start,end,intended\n<i>day</i>,0,4,angry\nnight,4,6,sad\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four bright seconds and two dark ones, in a file whose name is no markup, and a sheet."""
    folder = tmp_path_factory.mktemp("notebook")
    bright = [np.clip(picture.astype(int) + 90, 0, 255).astype(np.uint8) for picture in moving(100)]
    dark = [picture // 8 for picture in moving(50)]
    write_clip(folder / "<b>day.mp4", [*bright, *dark])
    (folder / "sheet.csv").write_text(SHEET)
    return folder


@pytest.fixture(scope="module")
def analysis(place: Path) -> scenefer.Analysis:
    """What one line of a notebook gives."""
    with pytest.MonkeyPatch.context() as patch:
        toys = Models(OneFaceWhereItIsBright(), BrightnessAsLogit())
        patch.setattr(chunks, "_load_models", lambda plan, weights: toys)
        film, sheet = str(place / "<b>day.mp4"), str(place / "sheet.csv")
        return scenefer.analyze(film, intended=sheet, profile="fast", data=str(place / "data"))


@pytest.fixture
def run(analysis: scenefer.Analysis, tmp_path: Path) -> Path:
    return scenefer.report(analysis, str(tmp_path / "run")).parent


def test_a_film_a_sheet_and_a_profile_make_an_analysis_whose_tables_are_dataframes(analysis: scenefer.Analysis):
    assert analysis.run["settings"]["observation"]["sample_rate"] == 2.0
    named = ("frames", "faces", "shots", "tracks", "samples", "expressions", "scenes", "scene_emotions", "comparison")
    assert all(isinstance(getattr(analysis, name), pd.DataFrame) for name in named)
    assert set(analysis.comparison["name"]) == {"<i>day</i>", "night"}


def test_a_run_that_is_loaded_is_what_was_written_comparison_included(analysis: scenefer.Analysis, run: Path):
    for place in (run, str(run), run / "report.html"):
        loaded = scenefer.load(place)
        assert type(loaded) is type(analysis)
        for entry in fields(analysis):
            mine, theirs = getattr(analysis, entry.name), getattr(loaded, entry.name)
            if isinstance(mine, pd.DataFrame):
                pd.testing.assert_frame_equal(mine, theirs)
        assert loaded.run["comparison"]["counts"] == analysis.run["comparison"]["counts"]
        assert loaded.run == analysis.run | {"comparison": loaded.run["comparison"]}


def test_a_run_of_a_later_version_is_refused_by_name(run: Path):
    record = run / "run.json"
    record.write_text(record.read_text().replace('"version": 1,', '"version": 2,', 1))
    with pytest.raises(scenefer.SceneferError, match=r"run\.json is of version 2, this one reads 1; update scenefer"):
        scenefer.load(run)


def test_a_plan_stands_where_it_always_stood_or_is_a_file_but_none_beside_a_profile(place: Path, tmp_path: Path):
    film, data = place / "<b>day.mp4", place / "data"
    with pytest.MonkeyPatch.context() as patch:
        toys = Models(OneFaceWhereItIsBright(), BrightnessAsLogit())
        patch.setattr(chunks, "_load_models", lambda plan, weights: toys)
        stated = tmp_path / "mine.toml"
        stated.write_text("[scenes]\nn_scenes = 2\n")
        made = scenefer.analyze(film, scenefer.make_plan("fast"), data=data)
        read = scenefer.analyze(film, stated, profile="fast", data=data)
    assert made.comparison is None
    assert (len(read.scenes), read.run["settings"]["observation"]["sample_rate"]) == (2, 2.0)
    with pytest.raises(scenefer.PlanError, match=r"make_plan\('fast'\)"):
        scenefer.analyze(film, scenefer.Plan(), profile="fast")
    with pytest.raises(scenefer.PlanError, match=r"unknown executor 'proceses'; known: .*; did you mean 'processes'"):
        scenefer.analyze(film, executor="proceses")


def test_intentions_can_be_compared_later_and_two_runs_with_each_other(
    analysis: scenefer.Analysis, run: Path, tmp_path: Path
):
    sheet = tmp_path / "other.csv"
    sheet.write_text(SHEET.replace("angry", "happy"))
    assert scenefer.compare(analysis).counts["match"] == scenefer.compare(str(run)).counts["match"] == 1
    assert scenefer.compare(run, sheet).counts["match"] == 0
    assert scenefer.load(run).run == scenefer.load(run).run | {"comparison": scenefer.load(run).run["comparison"]}
    differences = scenefer.compare_runs(analysis, run)
    assert (differences.table["difference"].dropna() == 0).all()
    bare = replace(analysis, sheet=None)
    with pytest.raises(scenefer.PlanError, match="give intended=SHEET"):
        scenefer.compare(bare)


def test_a_run_is_exported_by_the_suffix(analysis: scenefer.Analysis, run: Path, tmp_path: Path):
    for given in (analysis, run):
        for suffix in ("csv", "json", "edl", "otio", "srt"):
            written = scenefer.export(given, str(tmp_path / f"out.{suffix}"))
            assert written.stat().st_size
    with pytest.raises(scenefer.PlanError, match=r"did you mean '\.json'"):
        scenefer.export(run, tmp_path / "out.jsn")


@pytest.mark.parametrize("kind", ["arc", "scenes", "confusion"])
def test_a_figure_is_plotlys_and_no_name_in_it_is_markup(analysis: scenefer.Analysis, kind: str):
    figure = analysis.figure(kind)
    assert isinstance(figure, go.Figure)
    assert "<b>day" not in figure.to_json().replace("\\u003c", "<")
    assert "<i>day" not in figure.to_json().replace("\\u003c", "<")


def test_a_figure_that_does_not_exist_or_needs_intentions_says_so(analysis: scenefer.Analysis):
    with pytest.raises(scenefer.PlanError, match="known: arc, scenes, confusion; did you mean 'arc'"):
        analysis.figure("arch")
    with pytest.raises(scenefer.SceneferError, match="analyze with intended=SHEET"):
        replace(analysis, sheet=None).figure("confusion")


def test_a_notebook_shows_a_row_a_scene_whose_names_are_text(analysis: scenefer.Analysis):
    page = analysis._repr_html_()
    assert page.count("<tr") == 3
    assert "&lt;i&gt;day" in page
    assert "<i>day" not in page
    assert "<b>day" not in page
    assert "match" in page
    assert analysis.scene_table()["angry"].iloc[0] > 90
    assert "2 scenes" in repr(analysis)


def test_faces_of_arrays_and_of_files_are_a_table(tmp_path: Path):
    picture = np.asarray(Image.open(PORTRAIT).convert("RGB"))
    faces = scenefer.read_faces([picture, np.zeros((90, 160), np.uint8), str(PORTRAIT)])
    assert faces["image"].tolist() == [0, 2]
    assert faces["file"].tolist() == [None, str(PORTRAIT)]
    assert faces["expression"].tolist() == ["happy", "happy"]
    assert faces["landmarks"].iloc[0].shape == (5, 2)
    np.testing.assert_allclose(faces[list(EMOTIONS)].sum(axis=1), 1, atol=1e-5)
    assert (faces["x1"] > faces["x0"]).all()
    alone = scenefer.read_faces(PORTRAIT)
    assert alone["file"].tolist() == [str(PORTRAIT)]
    none = scenefer.read_faces(np.zeros((90, 160, 3), np.uint8))
    assert none.columns.tolist() == alone.columns.tolist()
    assert len(none) == 0


def test_what_is_no_picture_is_refused(place: Path):
    with pytest.raises(ValueError, match=r"must have shape \(H, W, 3\) or \(H, W\), uint8, got \(4, 4, 3\) float64"):
        scenefer.read_faces(np.zeros((4, 4, 3)))
    with pytest.raises(scenefer.FilmError, match="is no single picture"):
        scenefer.read_faces(place / "<b>day.mp4")
    with pytest.raises(scenefer.PlanError, match="does not exist"):
        scenefer.read_faces("absent.png")


def test_every_error_is_public():
    raised = {name for name, thing in vars(errors).items() if isinstance(thing, type) and issubclass(thing, Exception)}
    assert raised <= set(scenefer.__all__)


def test_every_public_name_is_there_and_is_listed():
    stub = Path(scenefer.__file__).with_suffix(".pyi").read_text("utf-8")
    imports = [node for node in ast.walk(ast.parse(stub)) if isinstance(node, ast.ImportFrom)]
    stated = [alias.asname for node in imports for alias in node.names]
    assert sorted(scenefer.__all__) == sorted(stated)
    assert set(scenefer.__all__) <= set(dir(scenefer))
    for name in scenefer.__all__:
        assert getattr(scenefer, name) is not None
    with pytest.raises(AttributeError):
        scenefer.no_such_name  # noqa: B018 - what is asked for


def test_report_is_a_function_whether_its_wing_is_loaded_or_not(analysis: scenefer.Analysis, tmp_path: Path):
    script = (
        "import scenefer\nassert callable(scenefer.report)\nimport scenefer.report\nassert callable(scenefer.report)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    import scenefer.report as wing

    assert scenefer.report(analysis, tmp_path / "run") == tmp_path / "run" / "report.html"
    assert wing.build


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ((2, 1), "the end 1 s is not after the start 2 s"),
        ((50, 60), "lies beyond the end of <b>day.mp4, which is 6.000 s long"),
        ((-5, 1), "a film begins at 0"),
        ((float("nan"), 1), "a film begins at 0"),
        ((0, float("nan")), "is not after the start"),
    ],
)
def test_a_part_that_the_film_has_not_is_refused(place: Path, span: tuple[float, float], said: str):
    with pytest.raises(errors.PlanError, match=said):
        scenefer.analyze(place / "<b>day.mp4", span=span, data=place / "data")
