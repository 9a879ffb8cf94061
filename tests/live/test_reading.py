"""Pictures are read as those of a film: same faces, same tracks, same rules."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scenefer.analysis.observation import Models, combine, observe
from scenefer.analysis.stages import compute_analysis
from scenefer.core.schema import EMOTIONS
from scenefer.live.reading import LiveReader
from scenefer.video import ArrayPicture
from tests.live.scenes import FILM, SureFace, frame, plan, reader
from tests.toy_models import BrightnessAsLogit, OneFaceWhereItIsBright


def test_picture_by_picture_gives_the_tables_of_the_whole_film():
    frames = [frame(k, face=k not in (4, 5)) for k in range(12)]
    live = reader()
    chunks = [live.read(one).observation for one in frames]
    models = Models(SureFace(), BrightnessAsLogit())
    whole = observe(frames, models, plan().observation)
    for joined, read in zip(combine(chunks), whole, strict=True):
        # Angles of one face and of several at once may differ in the last bit, as the processor computes them.
        pd.testing.assert_frame_equal(
            joined.drop(columns=["logits"], errors="ignore"),
            read.drop(columns=["logits"], errors="ignore"),
            check_exact=False,
            rtol=0,
            atol=1e-9,
        )
    assert np.allclose(np.stack(combine(chunks).faces["logits"]), np.stack(whole.faces["logits"]))


def test_numbers_probabilities_and_verdicts_are_those_of_the_analysis():
    frames = [frame(k, face=k not in (4, 5)) for k in range(12)]
    live = reader()
    read = [live.read(one) for one in frames]
    analysed = compute_analysis(FILM, combine([one.observation for one in read]), BrightnessAsLogit.calibration, plan())
    shown = [(face.number - 1, face.why) for one in read for face in one.faces]
    assert shown == list(analysed.expressions[["track", "why"]].itertuples(index=False, name=None))
    counted = analysed.expressions.loc[analysed.expressions["usable"], list(EMOTIONS)].to_numpy()
    assert len(counted) == 10
    assert np.allclose(np.concatenate([one.counted for one in read]), counted)


def test_a_face_that_is_away_for_longer_than_a_second_gets_a_new_number():
    live = reader()
    times = [0.0, 0.1, 0.2, 0.9, 2.5]
    numbers = [[face.number for face in live.read(frame(k, time=time)).faces] for k, time in enumerate(times)]
    assert numbers == [[1], [1], [1], [1], [2]]


def test_a_cut_ends_every_number():
    live = reader()
    rng = np.random.default_rng(0)
    first = np.repeat(np.repeat(rng.integers(60, 255, (9, 16, 3), dtype=np.uint8), 10, 0), 10, 1)
    other = 255 - first // 2
    shown = [first, first, other, other]
    one = frame(0)
    found = [
        live.read(one._replace(index=k, time=k / 10, small=small, picture=ArrayPicture(small))).faces
        for k, small in enumerate(shown)
    ]
    assert [[face.number for face in faces] for faces in found] == [[1], [1], [2], [2]]


def test_the_label_is_the_mean_of_the_last_moments_and_the_distribution_is_not():
    class Moody(BrightnessAsLogit):
        n = 0

        def logits(self, crops, squares):
            self.n += len(crops)
            sure = np.full((len(crops), 7), -10.0, np.float32)
            sure[:, 3 if self.n <= 3 else 4] = 10
            return np.hstack([sure, sure])

    live = LiveReader(Models(SureFace(), Moody()), plan(), FILM)
    read = [live.read(frame(k)) for k in range(10)]
    shown = [one.faces[0].emotion for one in read]
    assert (shown[:5], shown[6:]) == (["happy"] * 5, ["sad"] * 4)  # at the sixth they are as many
    assert [int(one.counted.argmax()) for one in read] == [3] * 3 + [4] * 7
    assert read[-1].faces[0].probability > 0.99


def test_a_face_that_does_not_count_says_why_and_stays_out_of_the_distribution():
    class Unsure(OneFaceWhereItIsBright):
        def detect(self, pictures):
            return [found._replace(scores=found.scores - 0.2) for found in super().detect(pictures)]

    live = LiveReader(Models(Unsure(), BrightnessAsLogit()), plan(), FILM)
    read = live.read(frame(0))
    assert [face.why for face in read.faces] == ["low score"]
    assert read.counted.shape == (0, 7)


def test_a_face_that_is_hardly_certain_counts_once_it_was_seen_for_a_while():
    live = LiveReader(Models(OneFaceWhereItIsBright(), BrightnessAsLogit()), plan(), FILM)
    why = [live.read(frame(k)).faces[0].why for k in range(9)]
    assert why == ["not a face"] * 6 + [None] * 3  # 0.7 s, which nobody knows beforehand


def test_nobody_is_seen():
    read = reader().read(frame(0, face=False))
    assert (read.faces, read.counted.shape) == ((), (0, 7))


def test_warming_up_leaves_no_trace():
    live = reader()
    live.warm_up()
    assert live.read(frame(0)).faces[0].number == 1
