"""The only cache: what the pixel pass found, by film, by settings, by piece.

    data/observed/<film id>/<observe id>/<span>/   frames.parquet  faces.parquet  pictures.parquet  manifest.json
                                                   logits-<expression id>.parquet, for each further set of weights

A piece is done when its folder exists: it is written beside its place and renamed. ``manifest.json`` says in words what
the ids hide.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenefer import tables
from scenefer.errors import OutputError
from scenefer.film import Span
from scenefer.observation import Observation

if TYPE_CHECKING:
    import pandas as pd


def piece_folder(data: Path, film_id: str, observe_id: str, span: Span) -> Path:
    """Name the folder of a piece of a film."""
    end = "end" if span.end == float("inf") else f"{span.end:.3f}"
    return film_folder(data, film_id) / observe_id / f"{span.start:.3f}-{end}"


def film_folder(data: Path, film_id: str) -> Path:
    """Name the folder of all that was observed of a film."""
    return data / "observed" / film_id


def is_done(folder: Path, expression_id: str) -> bool:
    """Tell whether a piece is observed and its faces are read by the wanted weights."""
    if not (folder / "manifest.json").is_file():
        return False
    return read_manifest(folder)["expression_id"] == expression_id or _logits_file(folder, expression_id).is_file()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what a piece was made with."""
    return json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


def write_piece(folder: Path, observation: Observation, manifest: Mapping[str, Any]) -> None:
    """Write a piece beside its place, then rename the folder.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    beside = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        for name, table in observation._asdict().items():
            tables.write(beside / f"{name}.parquet", table, name, {"film": manifest["film_id"]})
        (beside / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        os.rename(beside, folder)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: {error.strerror}; free space or choose another --data"
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def read_piece(folder: Path, expression_id: str) -> Observation:
    """Read a piece, its logits those of the wanted weights."""
    observation = Observation(*(tables.read(folder / f"{name}.parquet", name) for name in Observation._fields))
    if read_manifest(folder)["expression_id"] == expression_id:
        return observation
    logits = tables.read(_logits_file(folder, expression_id), "logits")
    return observation._replace(faces=observation.faces.assign(logits=logits["logits"]))


def write_logits(folder: Path, faces: pd.DataFrame, expression_id: str) -> None:
    """Keep the logits of further weights beside a piece."""
    tables.write(_logits_file(folder, expression_id), faces[["face", "logits"]], "logits")


def _logits_file(folder: Path, expression_id: str) -> Path:
    return folder / f"logits-{expression_id}.parquet"
