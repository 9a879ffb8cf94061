from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scenefer import store, tables
from scenefer.errors import OutputError
from scenefer.film import Span
from scenefer.observation import Observation
from tests.builders import faces_table, frames_table

OBSERVATION = Observation(frames_table(time=[0.0, 0.2]), faces_table(time=[0.0, 0.2]), tables.empty("pictures"))
MANIFEST = {"film_id": "f", "expression_id": "a"}


def test_a_piece_is_done_when_its_folder_exists(tmp_path: Path):
    folder = store.piece_folder(tmp_path, "film", "settings", Span(0.0, 120.02))
    assert folder == tmp_path / "observed" / "film" / "settings" / "0.000-120.020"
    assert not store.is_done(folder, "a")
    store.write_piece(folder, OBSERVATION, MANIFEST)
    assert store.is_done(folder, "a")
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    for kept, expected in zip(store.read_piece(folder, "a"), OBSERVATION, strict=True):
        pd.testing.assert_frame_equal(kept, expected)


def test_a_half_written_piece_is_not_done(tmp_path: Path):
    folder = store.piece_folder(tmp_path, "film", "settings", Span(0.0, float("inf")))
    folder.with_name(folder.name + ".123.tmp").mkdir(parents=True)
    assert folder.name == "0.000-end"
    assert not store.is_done(folder, "a")


def test_other_weights_have_their_logits_beside_the_piece(tmp_path: Path):
    folder = tmp_path / "piece"
    store.write_piece(folder, OBSERVATION, MANIFEST)
    other = OBSERVATION.faces.copy()
    other["logits"] = [np.full(7, 2.0, np.float32)] * 2
    assert not store.is_done(folder, "b")
    store.write_logits(folder, other, "b")
    assert store.is_done(folder, "b")
    assert store.read_piece(folder, "b").faces["logits"].iloc[1].tolist() == [2.0] * 7
    assert store.read_piece(folder, "a").faces["logits"].iloc[1].tolist() == [0.0] * 7


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="cannot be written"):
        store.write_piece(tmp_path / "file" / "piece", OBSERVATION, MANIFEST)
