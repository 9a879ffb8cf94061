from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scenefer.analysis.observation import Observation
from scenefer.core import tables
from scenefer.core.errors import OutputError
from scenefer.core.film import Span
from scenefer.pipeline import locks, observation_cache
from tests.builders import faces_table, frames_table

OBSERVATION = Observation(frames_table(time=[0.0, 0.2]), faces_table(time=[0.0, 0.2]), tables.empty("pictures"))
MANIFEST = {"film_id": "f", "expression_id": "a", "notes": {}}


def write(folder: Path) -> None:
    with locks.claim(folder) as staging:
        observation_cache.write_chunk(staging, folder, OBSERVATION, MANIFEST)


def test_a_chunk_is_done_when_its_folder_exists(tmp_path: Path):
    folder = observation_cache.chunk_folder(tmp_path, "film", "settings", Span(0.0, 120.02))
    assert folder == tmp_path / "observed" / "film" / "settings" / "0.000-120.020"
    assert not observation_cache.is_done(folder, "a")
    write(folder)
    assert observation_cache.is_done(folder, "a")
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    for kept, expected in zip(observation_cache.read_chunk(folder, "a"), OBSERVATION, strict=True):
        pd.testing.assert_frame_equal(kept, expected)


def test_a_half_written_chunk_is_not_done(tmp_path: Path):
    folder = observation_cache.chunk_folder(tmp_path, "film", "settings", Span(0.0, float("inf")))
    folder.with_name(folder.name + ".123.tmp").mkdir(parents=True)
    assert folder.name == "0.000-end"
    assert not observation_cache.is_done(folder, "a")


def test_other_weights_have_their_logits_beside_the_chunk(tmp_path: Path):
    folder = tmp_path / "chunk"
    write(folder)
    other = OBSERVATION.faces.copy()
    other["logits"] = [np.full(7, 2.0, np.float32)] * 2
    assert not observation_cache.is_done(folder, "b")
    observation_cache.write_logits(folder, other, "b")
    assert observation_cache.is_done(folder, "b")
    assert observation_cache.read_chunk(folder, "b").faces["logits"].iloc[1].tolist() == [2.0] * 7
    assert observation_cache.read_chunk(folder, "a").faces["logits"].iloc[1].tolist() == [0.0] * 7


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match="cannot be written"):
        write(tmp_path / "file" / "chunk")


@pytest.mark.parametrize("name", ["frames.parquet", "faces.parquet", "pictures.parquet"])
def test_a_flipped_bit_is_found_by_its_checksum(tmp_path: Path, name: str):
    folder = tmp_path / "chunk"
    write(folder)
    bytes_ = bytearray((folder / name).read_bytes())
    bytes_[len(bytes_) // 2] ^= 4
    (folder / name).write_bytes(bytes_)
    assert observation_cache.is_done(folder, "a")
    with pytest.raises(observation_cache.DamagedChunk, match=name):
        observation_cache.read_chunk(folder, "a")


def test_damaged_logits_are_found_by_their_checksum(tmp_path: Path):
    folder = tmp_path / "chunk"
    write(folder)
    observation_cache.write_logits(folder, OBSERVATION.faces, "b")
    file = folder / "logits-b.parquet"
    file.write_bytes(file.read_bytes()[:-9] + b"\0" * 9)
    with pytest.raises(observation_cache.DamagedChunk, match="logits-b"):
        observation_cache.read_chunk(folder, "b")
    assert len(observation_cache.read_chunk(folder, "a").faces) == 2


def test_a_chunk_without_a_readable_record_is_thrown_away(tmp_path: Path):
    folder = tmp_path / "chunk"
    write(folder)
    (folder / "manifest.json").write_text('{"film_id": "f"')
    assert not observation_cache.is_done(folder, "a")
    assert not observation_cache.is_observed(folder)
    assert not list(tmp_path.iterdir())


def test_where_there_is_no_chunk_nothing_is_thrown_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Another run may publish it between the look and the throwing away."""
    monkeypatch.setattr(observation_cache, "discard", lambda folder: pytest.fail(f"{folder} was thrown away"))
    assert not observation_cache.is_observed(tmp_path / "chunk")


def test_a_chunk_that_was_taken_over_while_it_was_written_is_no_full_disk(tmp_path: Path):
    folder = tmp_path / "chunk"
    with locks.claim(folder) as staging:
        staging.parent.rename(tmp_path / "away")
        with pytest.raises(locks.Elsewhere):
            observation_cache.write_chunk(staging, folder, OBSERVATION, MANIFEST)
    assert not folder.exists()
