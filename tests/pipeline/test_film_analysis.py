from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from scenefer.analysis import result
from scenefer.analysis.observation import Models
from scenefer.core import run_folder
from scenefer.core.errors import FilmError, OutputError, PlanError
from scenefer.core.film import Span
from scenefer.models import known_weights, registry, weight_files
from scenefer.pipeline import api, chunks, film_analysis, film_observation, observation_cache
from scenefer.pipeline.plans import Plan, make_plan
from scenefer.video import probe
from tests.toy_models import BrightnessAsLogit, OneFaceWhereItIsBright


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds, a key frame every second: bright, dark, bright."""
    path = tmp_path_factory.mktemp("film") / "three parts.mp4"
    noise = np.random.default_rng(0).integers(0, 30, (90, 160, 1), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": "25"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for i in range(300):
            shade = 20 if 100 <= i < 200 else 170
            pixels = np.broadcast_to(noise + np.uint8(shade), (90, 160, 3))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels))))
        container.mux(stream.encode())
    return path


class Counting(OneFaceWhereItIsBright):
    def __init__(self) -> None:
        self.seen = 0

    def detect(self, pictures):
        self.seen += len(pictures)
        return super().detect(pictures)


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    monkeypatch.setattr(chunks, "_load_models", lambda plan, weights: Models(counting, BrightnessAsLogit()))
    return counting


def test_a_film_becomes_scenes_that_account_for_every_sample(film: Path, tmp_path: Path, detector: Counting):
    analysed = api.analyze(film, data=tmp_path)
    assert detector.seen == 60
    assert analysed.shots["start"].tolist() == pytest.approx([0, 4, 8])
    assert analysed.samples["weight"].sum() == pytest.approx(12)
    assert analysed.run["coverage"]["no face"] == pytest.approx(1 / 3, abs=0.01)
    assert analysed.run["state"] == "done"
    assert set(analysed.scene_emotions.groupby(["scene", "view"]).size()) == {7}


def test_what_was_observed_is_not_observed_again(film: Path, tmp_path: Path, detector: Counting):
    first = api.analyze(film, data=tmp_path)
    moved = film.rename(film.with_name("renamed.mp4"))
    try:
        second = api.analyze(moved, make_plan(options={"scenes.n_scenes": 2}), data=tmp_path)
    finally:
        moved.rename(film)
    assert detector.seen == 60
    assert len(second.scenes) == 2
    assert second.run["timings"]["pieces_resumed"] == first.run["timings"]["pieces"] > 1
    pd.testing.assert_frame_equal(first.faces, second.faces)


def test_an_interrupted_film_goes_on_after_its_finished_chunks(film: Path, tmp_path: Path, detector: Counting):
    whole = api.analyze(film, data=tmp_path / "whole")
    seen, detector.seen = detector.seen, 0
    n_done = 0

    def interrupted(work, jobs, workers, progress):
        nonlocal n_done
        for job in islice(jobs, 2):
            work(job, lambda seconds: None)
            n_done += 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.analyze(film, make_plan(options={"run.workers": 2}), data=tmp_path / "broken", executor=interrupted)
    resumed = api.analyze(film, data=tmp_path / "broken")
    assert n_done == resumed.run["timings"]["pieces_resumed"] == 2
    assert detector.seen == seen
    pd.testing.assert_frame_equal(whole.frames, resumed.frames)
    pd.testing.assert_frame_equal(whole.scene_emotions, resumed.scene_emotions)


def test_new_weights_read_the_stored_crops_and_decode_nothing(
    film: Path, tmp_path: Path, detector: Counting, monkeypatch: pytest.MonkeyPatch
):
    api.analyze(film, data=tmp_path)
    other = tmp_path / "other.safetensors"
    other.write_bytes(known_weights.EXPRESSION["rmn_face"].path.read_bytes() + b"\0")
    described = registry.describe(known_weights.EXPRESSION["rmn_face"].path)
    monkeypatch.setattr(registry, "describe", lambda path: described)
    monkeypatch.setattr(film_analysis, "frames", None, raising=False)
    seen = detector.seen
    analysed = api.analyze(film, make_plan(options={"models.expression": str(other)}), data=tmp_path)
    assert detector.seen == seen
    assert analysed.run["weights"]["expression"]["sha256"] == weight_files.sha256_of(other)


def test_a_span_is_analysed_alone(film: Path, tmp_path: Path, detector: Counting):
    part = api.analyze(film, span=Span(3.0, 9.0), data=tmp_path)
    assert part.frames["time"].iloc[0] == pytest.approx(3.0)
    assert len(part.frames) == 150
    assert part.samples["weight"].sum() == pytest.approx(6.0)


def test_a_run_is_complete_without_film_and_cache(film: Path, tmp_path: Path, detector: Counting):
    copy = tmp_path / "gone.mp4"
    copy.write_bytes(film.read_bytes())
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("scene,start,end,intended\nday,0,4,happy\nnight,4,12,\n")
    analysed = api.analyze(copy, scenes=sheet, data=tmp_path / "data")
    folder = run_folder.report_folder(analysed.film, tmp_path / "reports")
    film_analysis.write(analysed, folder)
    copy.unlink()
    loaded = result.load(folder)
    for name in (
        "frames",
        "faces",
        "pictures",
        "shots",
        "tracks",
        "samples",
        "expressions",
        "scenes",
        "scene_emotions",
    ):
        pd.testing.assert_frame_equal(getattr(analysed, name), getattr(loaded, name))
    assert loaded.film.frame_rate == analysed.film.frame_rate
    assert loaded.sheet is not None
    assert loaded.sheet["scene"].tolist() == ["day", "night"]
    before = (folder / "report.html").read_text()
    film_analysis.write(loaded, folder)
    assert (folder / "report.html").read_text() == before
    assert sorted(path.name for path in folder.parent.iterdir()) == ["gone"]


def test_another_film_of_the_same_name_gets_a_folder_of_its_own(film: Path, tmp_path: Path):
    first = probe(film)
    folder = run_folder.report_folder(first, tmp_path)
    assert folder == tmp_path / "three parts"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"film": {"id": "0" * 16}}))
    assert run_folder.report_folder(first, tmp_path) == tmp_path / f"three parts-{first.id[:6]}"


def test_a_report_that_cannot_be_written_leaves_the_earlier_one(film: Path, tmp_path: Path, detector: Counting):
    analysed = api.analyze(film, data=tmp_path / "data")
    folder = tmp_path / "reports" / "film"
    film_analysis.write(analysed, folder)
    before = (folder / "run.json").read_text()
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        film_analysis.write(analysed, blocked / "film")
    assert (folder / "run.json").read_text() == before


def test_no_film_and_unknown_settings_are_told_apart(tmp_path: Path):
    text = tmp_path / "film.mp4"
    text.write_text("not a film")
    with pytest.raises(FilmError, match="not a film"):
        api.analyze(text, data=tmp_path)
    with pytest.raises(PlanError, match="did you mean"):
        make_plan(options={"observation.detector": "mtcn"})
    assert Plan() == make_plan()
    assert not observation_cache.is_done(tmp_path, "a")


def test_people_are_told_apart_by_one_network_whatever_else_a_plan_says():
    first, second = (film_observation.load_identity(make_plan(options={"scenes.n_scenes": n}), 1) for n in (2, 3))
    assert first is not None
    assert first is second
