"""Tables that stages exchange, defined in ``schema``: create, check, write as Parquet, read."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scenefer.core.errors import SceneferError, unwritable
from scenefer.core.schema import SCHEMA_VERSION, TABLES, names

_DTYPES = {
    "float64": "float64", "float32": "float32", "int64": "int64", "int64?": "Int64", "bool": "bool", "bool?": "boolean",
}  # fmt: skip
_NULLABLE = frozenset({"Int64", "boolean"})
_ROWS = 4096  # that are written together, to bound the memory that pictures take


def empty(table: str) -> pd.DataFrame:
    """Make a table without rows, with typed columns."""
    return conform({column.name: [] for column in TABLES[table]}, table)


def conform(columns: Mapping[str, Any] | pd.DataFrame, table: str) -> pd.DataFrame:
    """Make a table of ``columns``, in the schema's order and types.

    Raises:
        ValueError: a column is missing or is not in the schema.
    """
    frame = pd.DataFrame(columns)
    schema = TABLES[table]
    wanted = names(table)
    if set(frame.columns) != set(wanted):
        missing, extra = set(wanted) - set(frame.columns), set(frame.columns) - set(wanted)
        raise ValueError(f"table {table}: columns missing {sorted(missing)}, not in the schema {sorted(extra)}")
    dtypes = {column.name: _dtype(column.type) for column in schema}
    typed = frame.reindex(columns=wanted).astype(dtypes).reset_index(drop=True)
    for column in schema:
        if dtypes[column.name] == "object" and column.type.endswith("?"):
            # pandas uses NaN for a missing string and None for missing bytes; make it None in both cases.
            typed[column.name] = typed[column.name].where(typed[column.name].notna(), None)
    return typed


def check(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return ``frame`` unchanged if it has the columns of ``table`` and no forbidden nulls.

    Raises:
        ValueError: it does not conform; the message names the column.
    """
    wanted = names(table)
    if list(frame.columns) != wanted:
        raise ValueError(f"table {table}: columns must be {wanted}, got {list(frame.columns)}")
    for column in TABLES[table]:
        if not column.type.endswith("?") and frame[column.name].isna().to_numpy().any():
            raise ValueError(f"table {table}: column {column.name} must not be null")
    return frame


def write(path: Path, frame: pd.DataFrame, table: str, provenance: Mapping[str, Any] | None = None) -> None:
    """Write a table as Parquet, to a temporary file that is then renamed; provenance goes into the file's metadata.

    Raises:
        OutputError: the folder cannot be written or is full.
    """
    check(frame, table)
    metadata = {"scenefer": json.dumps({"table": table, "schema_version": SCHEMA_VERSION, **(provenance or {})})}
    schema = _arrow_schema(table).with_metadata(metadata)
    beside = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with pq.ParquetWriter(beside, schema, compression="zstd") as file:
            for start in range(0, max(len(frame), 1), _ROWS):
                part = _in_memory(frame.iloc[start : start + _ROWS], table)
                file.write_table(pa.Table.from_pandas(part, schema=schema, preserve_index=False))
        os.replace(beside, path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise unwritable(path, error, "free space or choose another --out") from error


def _in_memory(part: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return rows with the pictures that lie in a spool."""
    part = part.copy()
    for column in TABLES[table]:
        if column.type.startswith("bytes"):
            part[column.name] = [None if one is None else bytes(one) for one in part[column.name]]
    return part


def read(path: Path, table: str, *, without: Collection[str] = ()) -> pd.DataFrame:
    """Read a table written by ``write``.

    Args:
        without: nullable columns that are not read but filled with null.

    Raises:
        SceneferError: the file is missing, damaged, or has another schema version.
    """
    damaged = f"{path} is no table of scenefer or is damaged; analyse the film again"
    try:
        with pq.ParquetFile(path) as file:  # pq.read_table loads pyarrow.dataset first, half a second for nothing
            stored = file.read([name for name in file.schema_arrow.names if name not in without] if without else None)
        found = dict(json.loads((stored.schema.metadata or {}).get(b"scenefer", b"{}")))
    except (OSError, ValueError, TypeError, pa.ArrowException) as error:
        raise SceneferError(damaged) from error
    if found.get("schema_version") != SCHEMA_VERSION or found.get("table") != table:
        raise SceneferError(
            f"{path} is table {found.get('table')!r} of schema {found.get('schema_version')}; analyse the film again"
        )
    try:
        frame = stored.to_pandas(ignore_metadata=True)
        added = {column.name: None for column in TABLES[table] if column.type.endswith("?")}
        # Nullable columns that were added to the schema later are filled with null.
        return conform({**{name: [value] * len(frame) for name, value in added.items()}, **frame}, table)
    except (ValueError, TypeError, KeyError, pa.ArrowException) as error:
        raise SceneferError(damaged) from error


def provenance(path: Path) -> dict[str, Any]:
    """Read what ``write`` stored about a table: schema version, film id, versions, settings."""
    return json.loads((pq.read_schema(path).metadata or {}).get(b"scenefer", b"{}"))


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries keyed by column name.

    Numbers are Python types; ``pd.NA`` becomes None, NaN stays NaN.
    """
    columns = {}
    for name, column in frame.items():
        nullable = column.dtype.name in _NULLABLE
        columns[str(name)] = (column.astype(object).where(column.notna(), None) if nullable else column).tolist()
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _dtype(kind: str) -> str:
    return _DTYPES.get(kind) or _DTYPES.get(kind.removesuffix("?")) or "object"


def _arrow_schema(table: str) -> pa.Schema:
    types = {
        "float64": pa.float64(),
        "float32": pa.float32(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
        "str": pa.string(),
        "bytes": pa.binary(),
        "floats": pa.list_(pa.float32()),
    }
    return pa.schema(
        [
            pa.field(column.name, types[column.type.removesuffix("?")], nullable=column.type.endswith("?"))
            for column in TABLES[table]
        ]
    )
