"""A film observed in chunks equals the film observed at once: no state crosses a chunk."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scenefer import video
from scenefer.analysis import expressions
from scenefer.analysis.observation import Models, Observation, ObservationSettings, combine, observe
from scenefer.core.film import Span, chunk_spans
from scenefer.models import registry
from scenefer.models.expression import predictor

END = 6.4  # s of the test film: two people, a cut, a robot, a cut
SETTINGS = ObservationSettings()


@pytest.fixture(scope="module", params=["mtcnn", "yunet"])
def models(request: pytest.FixtureRequest) -> Models:
    """One detector that searches every sample, and one that follows."""
    import torch

    torch.set_num_threads(1)
    return Models(
        registry.load_detector(request.param, smallest_face=SETTINGS.smallest_face, device="cpu", pyramid="fast"),
        predictor.load(registry.find_expression("rmn_face"), precision=torch.float32),
    )


@pytest.fixture(scope="module")
def film(films: Path):
    return video.probe(films / "testfilm_720p25.mp4")


@pytest.fixture(scope="module")
def beginning(film, models) -> Observation:
    return observed(film, models, [Span(0.0, END)])


def observed(film, models: Models, spans: list[Span]) -> Observation:
    read = [video.frames(film, s, sample_rate=SETTINGS.sample_rate, look_back=SETTINGS.search_every) for s in spans]
    return combine([observe(frames, models, SETTINGS) for frames in read])


def assert_equal(chunks: Observation, whole: Observation, models: Models) -> None:
    """Frames, pictures and places of faces equal exactly, probabilities to 1e-3.

    Probabilities may differ in the last bits, since the network sees other batches.
    """
    pd.testing.assert_frame_equal(chunks.frames, whole.frames)
    pd.testing.assert_frame_equal(chunks.pictures, whole.pictures)
    exact = ["face", "time", "x0", "y0", "x1", "y1", "landmarks", "crop"]
    pd.testing.assert_frame_equal(chunks.faces[exact], whole.faces[exact])
    logits = [np.array(one.faces["logits"].tolist(), np.float32) for one in (chunks, whole)]
    read = [expressions.probabilities(each, models.expression.calibration) for each in logits]
    assert np.abs(read[0] - read[1]).max() < 1e-3


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(2.0, id="on the sampling grid"),
        pytest.param(3.17, id="between two frames"),
        pytest.param(4.0, id="where all is searched"),
        pytest.param(5.0, id="at a cut"),
        pytest.param(5.04, id="one frame after a cut"),
    ],
)
def test_two_chunks_equal_the_whole(at, film, models, beginning):
    assert len(beginning.faces) > 30
    assert len(beginning.frames) == 160
    chunks = observed(film, models, [Span(0.0, at), Span(at, END)])
    assert_equal(chunks, beginning, models)


def test_chunks_of_a_frame_or_none_equal_the_whole(film, models, beginning):
    edges = [0.0, 0.01, 0.05, 0.19, 0.2, 0.24, END]
    chunks = observed(film, models, [Span(a, b) for a, b in pairwise(edges)])
    assert_equal(chunks, beginning, models)


@pytest.mark.slow
def test_the_chunks_that_a_run_is_made_of_equal_the_whole_film(film, models):
    spans = chunk_spans(film, step=SETTINGS.search_every)
    assert len(spans) >= 3
    chunks = observed(film, models, spans)
    whole = observed(film, models, [Span(0.0, float("inf"))])
    assert len(whole.frames) == 1657
    assert_equal(chunks, whole, models)
