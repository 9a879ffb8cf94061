from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

from scenefer import analysis, pieces, run, store
from scenefer.errors import FilmError, OutputError, PlanError
from scenefer.film import Span
from scenefer.models import records, zoo
from scenefer.observation import Models
from scenefer.plan import Plan, make_plan
from scenefer.video import probe
from tests.test_observation import BrightnessAsLogit, OneFaceWhereItIsBright


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
    monkeypatch.setattr(pieces, "_load_models", lambda plan, weights: Models(counting, BrightnessAsLogit()))
    return counting


def test_a_film_becomes_scenes_that_account_for_every_sample(film: Path, tmp_path: Path, detector: Counting):
    result = run.analyze(film, data=tmp_path)
    assert detector.seen == 60
    assert result.shots["start"].tolist() == pytest.approx([0, 4, 8])
    assert result.samples["weight"].sum() == pytest.approx(12)
    assert result.run["coverage"]["no face"] == pytest.approx(1 / 3, abs=0.01)
    assert result.run["state"] == "done"
    assert set(result.scene_emotions.groupby(["scene", "view"]).size()) == {7}


def test_what_was_observed_is_not_observed_again(film: Path, tmp_path: Path, detector: Counting):
    first = run.analyze(film, data=tmp_path)
    moved = film.rename(film.with_name("renamed.mp4"))
    try:
        second = run.analyze(moved, make_plan(options={"scenes.n_scenes": 2}), data=tmp_path)
    finally:
        moved.rename(film)
    assert detector.seen == 60
    assert len(second.scenes) == 2
    assert second.run["timings"]["pieces_resumed"] == first.run["timings"]["pieces"] > 1
    pd.testing.assert_frame_equal(first.faces, second.faces)


def test_an_interrupted_film_goes_on_after_its_finished_pieces(film: Path, tmp_path: Path, detector: Counting):
    whole = run.analyze(film, data=tmp_path / "whole")
    seen, detector.seen = detector.seen, 0
    n_done = 0

    def interrupted(work, jobs, workers, progress):
        nonlocal n_done
        for job in islice(jobs, 2):
            work(job, lambda seconds: None)
            n_done += 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.analyze(film, make_plan(options={"run.workers": 2}), data=tmp_path / "broken", executor=interrupted)
    resumed = run.analyze(film, data=tmp_path / "broken")
    assert n_done == resumed.run["timings"]["pieces_resumed"] == 2
    assert detector.seen == seen
    pd.testing.assert_frame_equal(whole.frames, resumed.frames)
    pd.testing.assert_frame_equal(whole.scene_emotions, resumed.scene_emotions)


def test_new_weights_read_the_stored_crops_and_decode_nothing(
    film: Path, tmp_path: Path, detector: Counting, monkeypatch: pytest.MonkeyPatch
):
    run.analyze(film, data=tmp_path)
    other = tmp_path / "other.safetensors"
    other.write_bytes(records.EXPRESSION["rmn_compact"].path.read_bytes() + b"\0")
    described = zoo.describe(records.EXPRESSION["rmn_compact"].path)
    monkeypatch.setattr(zoo, "describe", lambda path: described)
    monkeypatch.setattr(run, "frames", None, raising=False)
    seen = detector.seen
    result = run.analyze(film, make_plan(options={"models.expression": str(other)}), data=tmp_path)
    assert detector.seen == seen
    assert result.run["weights"]["expression"]["sha256"] == records.sha256_of(other)


def test_a_span_is_analysed_alone(film: Path, tmp_path: Path, detector: Counting):
    part = run.analyze(film, span=Span(3.0, 9.0), data=tmp_path)
    assert part.frames["time"].iloc[0] == pytest.approx(3.0)
    assert len(part.frames) == 150
    assert part.samples["weight"].sum() == pytest.approx(6.0)


def test_a_run_is_complete_without_film_and_cache(film: Path, tmp_path: Path, detector: Counting):
    copy = tmp_path / "gone.mp4"
    copy.write_bytes(film.read_bytes())
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("scene,start,end,intended\nday,0,4,happy\nnight,4,12,\n")
    result = run.analyze(copy, scenes=sheet, data=tmp_path / "data")
    folder = run.report_folder(result.film, tmp_path / "reports")
    run.write(result, folder)
    copy.unlink()
    loaded = analysis.load(folder)
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
        pd.testing.assert_frame_equal(getattr(result, name), getattr(loaded, name))
    assert loaded.film.frame_rate == result.film.frame_rate
    assert loaded.sheet is not None
    assert loaded.sheet["scene"].tolist() == ["day", "night"]
    before = (folder / "report.html").read_text()
    run.write(loaded, folder)
    assert (folder / "report.html").read_text() == before
    assert sorted(path.name for path in folder.parent.iterdir()) == ["gone"]


def test_another_film_of_the_same_name_gets_a_folder_of_its_own(film: Path, tmp_path: Path):
    first = probe(film)
    folder = run.report_folder(first, tmp_path)
    assert folder == tmp_path / "three parts"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"film": {"id": "0" * 16}}))
    assert run.report_folder(first, tmp_path) == tmp_path / f"three parts-{first.id[:6]}"


def test_a_report_that_cannot_be_written_leaves_the_earlier_one(film: Path, tmp_path: Path, detector: Counting):
    result = run.analyze(film, data=tmp_path / "data")
    folder = tmp_path / "reports" / "film"
    run.write(result, folder)
    before = (folder / "run.json").read_text()
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        run.write(result, blocked / "film")
    assert (folder / "run.json").read_text() == before


def test_no_film_and_unknown_settings_are_told_apart(tmp_path: Path):
    text = tmp_path / "film.mp4"
    text.write_text("not a film")
    with pytest.raises(FilmError, match="not a film"):
        run.analyze(text, data=tmp_path)
    with pytest.raises(PlanError, match="did you mean"):
        make_plan(options={"observation.detector": "mtcn"})
    assert Plan() == make_plan()
    assert not store.is_done(tmp_path, "a")
