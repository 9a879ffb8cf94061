from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from scenefer.core import tables
from scenefer.core.errors import OutputError, SceneferError
from scenefer.core.schema import EMOTIONS, TABLES
from scenefer.core.spool import Spool
from tests import builders

FILLED = {
    "frames": builders.frames_table(time=[0.0, 0.04], sampled=[True, False]),
    "faces": builders.faces_table(time=[0.0, 0.2], crop=[b"jpeg", None]),
    "shots": builders.shots_table(start=[0.0, 1.0], transition_start=[None, 0.9], transition_end=[None, 1.1]),
    "tracks": builders.tracks_table(track=[0, 1], actor=[None, 3]),
    "samples": builders.samples_table(time=[0.0, 0.2], scene=[None, 0], why=["blurred", None]),
    "expressions": builders.expressions_table(time=[0.0, 0.2], scene=[None, 0], why=[None, "small"]),
    "scenes": builders.scenes_table(start=[0.0, 10.0], name=["a", "ü <b>"]),
    "scene_emotions": builders.scene_emotions_table(scene=[0] * 7 + [1] * 7, percent=[100 / 7] * 7 + [None] * 7),
}


@pytest.mark.parametrize("table", FILLED)
def test_a_table_comes_back_as_it_was_written(table: str, tmp_path: Path):
    path = tmp_path / f"{table}.parquet"
    for frame in (FILLED[table], tables.empty(table)):
        tables.write(path, frame, table)
        pd.testing.assert_frame_equal(tables.read(path, table), frame)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_columns_are_put_in_order_and_typed():
    frame = tables.conform({"jpeg": [b"x"], "time": [1]}, "pictures")
    assert frame.columns.tolist() == ["time", "jpeg"]
    assert frame["time"].dtype == np.float64


def test_an_absent_string_is_none_beside_strings_and_alone():
    assert FILLED["samples"]["why"].tolist() == ["blurred", None]
    assert builders.samples_table(time=[0.0], why=None)["why"].tolist() == [None]


@pytest.mark.parametrize(
    ("columns", "message"),
    [({"time": [0.0]}, r"missing \['jpeg'\]"), ({"time": [], "jpeg": [], "x": []}, r"not in the schema \['x'\]")],
)
def test_a_missing_or_strange_column_is_an_error(columns: dict, message: str):
    with pytest.raises(ValueError, match=f"table pictures: .*{message}"):
        tables.conform(columns, "pictures")


def test_a_null_where_none_is_allowed_is_an_error():
    shots = FILLED["shots"].assign(end=[1.0, np.nan])
    with pytest.raises(ValueError, match="table shots: column end must not be null"):
        tables.check(shots, "shots")
    assert tables.check(FILLED["shots"], "shots") is FILLED["shots"]


def test_columns_in_another_order_are_an_error():
    with pytest.raises(ValueError, match="table shots: columns must be"):
        tables.check(FILLED["shots"][["start", "shot"]], "shots")


def test_provenance_is_kept_in_the_file(tmp_path: Path):
    tables.write(tmp_path / "shots.parquet", FILLED["shots"], "shots", {"film": "0123", "versions": {"av": "18"}})
    found = tables.provenance(tmp_path / "shots.parquet")
    expected = {"table": "shots", "schema_version": tables.SCHEMA_VERSION, "film": "0123", "versions": {"av": "18"}}
    assert found == expected


def test_reading_another_table_or_version_says_to_analyse_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "shots.parquet"
    tables.write(path, FILLED["shots"], "shots")
    with pytest.raises(SceneferError, match=r"is table 'shots' .*analyse the film again"):
        tables.read(path, "scenes")
    monkeypatch.setattr(tables, "SCHEMA_VERSION", tables.SCHEMA_VERSION + 1)
    with pytest.raises(SceneferError, match="analyse the film again"):
        tables.read(path, "shots")


def test_reading_what_is_no_table_says_so(tmp_path: Path):
    foreign = tmp_path / "foreign.parquet"
    pq.write_table(pa.table({"x": [1]}), foreign)
    text = tmp_path / "text.parquet"
    text.write_text("no parquet")
    for path in (foreign, text, tmp_path / "absent.parquet"):
        with pytest.raises(SceneferError, match="analyse the film again"):
            tables.read(path, "shots")


def test_a_failed_write_leaves_the_old_table_and_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "shots.parquet"
    tables.write(path, FILLED["shots"], "shots")

    def full(_writer: pq.ParquetWriter, _table: pa.Table) -> None:
        assert len([*tmp_path.iterdir()]) == 2  # the half that is written
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(OutputError, match="No space left on device; free space"):
        tables.write(path, FILLED["shots"].iloc[:1], "shots")
    assert len(tables.read(path, "shots")) == 2
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_place_that_is_no_folder_is_an_error_of_the_output(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        tables.write(tmp_path / "file" / "shots.parquet", FILLED["shots"], "shots")


def test_every_column_has_a_known_type_and_a_meaning():
    types = {"float64", "float32", "int64", "bool", "str", "bytes", "floats"}
    for table, columns in TABLES.items():
        assert len({column.name for column in columns}) == len(columns), table
        for column in columns:
            assert column.type.removesuffix("?") in types, (table, column)
            assert column.meaning, (table, column)


def test_seven_emotions_have_a_probability_each():
    names = [column.name for column in TABLES["expressions"]]
    start = names.index(EMOTIONS[0])
    assert names[start : start + 7] == list(EMOTIONS)


def test_a_file_with_flipped_bits_is_read_or_refused(tmp_path: Path):
    path = tmp_path / "tracks.parquet"
    tables.write(path, builders.tracks_table(track=list(range(40))), "tracks")
    whole, rng, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(150):
        changed = bytearray(whole)
        for place in rng.integers(0, len(whole), rng.integers(1, 4)):
            changed[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        try:
            tables.read(path, "tracks")
        except SceneferError:
            refused += 1
    assert refused > 10


def test_the_values_of_rows_are_pythons_own_and_null_is_none():
    rows = tables.rows_of(FILLED["tracks"])
    assert [row["actor"] for row in rows] == [None, 3]
    assert {type(value) for row in rows for value in row.values()} <= {int, float, str, type(None)}
    assert tables.rows_of(tables.empty("tracks")) == []
    percent = [row["percent"] for row in tables.rows_of(FILLED["scene_emotions"])]
    assert all(value != value for value in percent[7:])


def test_pictures_of_a_spool_are_written_as_if_they_were_in_memory(tmp_path: Path):
    n = 5000  # more than are written together
    jpegs = [b"picture %d" % k for k in range(n)]
    pictures = tables.conform({"time": range(n), "jpeg": jpegs}, "pictures")
    tables.write(tmp_path / "memory.parquet", pictures, "pictures")
    tables.write(tmp_path / "spool.parquet", pictures.assign(jpeg=Spool(tmp_path).put(jpegs)), "pictures")
    assert_frame_equal(tables.read(tmp_path / "spool.parquet", "pictures"), pictures)
    assert (tmp_path / "spool.parquet").read_bytes() == (tmp_path / "memory.parquet").read_bytes()


def test_columns_that_are_left_out_are_null(tmp_path: Path):
    faces = builders.faces_table(time=[0.0, 1.0], crop=[b"a", b"b"])
    tables.write(tmp_path / "faces.parquet", faces, "faces")
    assert_frame_equal(tables.read(tmp_path / "faces.parquet", "faces", without=("crop",)), faces.assign(crop=None))
