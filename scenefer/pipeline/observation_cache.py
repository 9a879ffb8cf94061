"""The cache of what the pixel pass found, by film, settings and chunk.

    data/observed/<film id>/<observe id>/<span>/   frames.parquet  faces.parquet  pictures.parquet  manifest.json
                                                   logits-<expression id>.parquet, for each further set of weights

A chunk is done when its folder exists: it is built under a claim (``locks.py``), then renamed. ``manifest.json`` states
in words what the ids stand for, and holds the checksum of every file. A damaged chunk is deleted and made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenefer.analysis.observation import Observation
from scenefer.core import tables
from scenefer.core.errors import OutputError, SceneferError, unwritable
from scenefer.core.film import Span
from scenefer.pipeline import locks

if TYPE_CHECKING:
    import pandas as pd


# Names of folders and files: a film, the settings it was read with, a chunk, and the logits of further weights.
FILM = re.compile(r"[0-9a-f]{16}")
SETTINGS = re.compile(r"[0-9a-f]{12}")
CHUNK = re.compile(r"\d+\.\d{3}-(\d+\.\d{3}|end)")
LOGITS = re.compile(r"logits-([0-9a-f]{12})\.(parquet|sha256)")


def observed_folder(data: Path) -> Path:
    """Return the folder of all observations, with one subfolder per film; the rest of the cache is next to it."""
    return data / "observed"


def chunk_folder(data: Path, film_id: str, observe_id: str, span: Span) -> Path:
    """Name the folder of a chunk of a film."""
    end = "end" if span.end == float("inf") else f"{span.end:.3f}"
    return film_folder(data, film_id) / observe_id / f"{span.start:.3f}-{end}"


def film_folder(data: Path, film_id: str) -> Path:
    """Return the folder of all observations of a film."""
    return observed_folder(data) / film_id


_RECORDED = {"expression_id", "files", "notes"}  # keys that every manifest has


class DamagedChunk(SceneferError):
    """A chunk is damaged; it can be deleted and made again."""


def is_begun(data: Path, film_id: str, observe_id: str) -> bool:
    """Tell whether anything of a film was observed by these settings."""
    return (film_folder(data, film_id) / observe_id).is_dir()


def is_done(folder: Path, expression_id: str) -> bool:
    """Tell whether a chunk is observed and its faces are classified with the wanted weights."""
    try:
        return read_manifest(folder)["expression_id"] == expression_id or _logits_file(folder, expression_id).is_file()
    except DamagedChunk:
        return False


def is_observed(folder: Path) -> bool:
    """Tell whether a chunk exists, with whichever expression weights; delete it if its record is damaged."""
    if not folder.is_dir():
        return False  # and delete nothing: another process may publish it at this moment
    try:
        read_manifest(folder)
    except DamagedChunk:
        discard(folder)
        return False
    return True


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the record of how a chunk was made.

    Raises:
        DamagedChunk: there is no chunk, or no readable record of it.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedChunk(f"{folder} has no readable record; the chunk is made again") from error
    if not isinstance(manifest, dict) or not manifest.keys() >= _RECORDED:
        raise DamagedChunk(f"{folder} was written by another version; the chunk is made again")
    return manifest


def recall_manifest(folder: Path) -> dict[str, Any] | None:
    """Read the record of a finished chunk; None if it is unfinished or damaged."""
    try:
        manifest = read_manifest(folder)
    except DamagedChunk:
        return None
    return manifest if manifest.keys() >= {"span", "film"} else None


def discard(folder: Path) -> None:
    """Delete a chunk; renaming it first makes it disappear at once, even if another process is reading it."""
    away = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}.tmp")
    with suppress(FileNotFoundError):
        os.rename(folder, away)
    shutil.rmtree(away, ignore_errors=True)


def write_chunk(staging: Path, folder: Path, observation: Observation, manifest: Mapping[str, Any]) -> None:
    """Write a chunk to the staging folder of a claim, then publish it.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
        Elsewhere: the claim was taken over; another process makes the chunk.
    """
    try:
        for name, table in observation._asdict().items():
            tables.write(staging / f"{name}.parquet", table, name, {"film": manifest["film_id"]})
        files = {path.name: _checksum(path) for path in sorted(staging.iterdir())}
        (staging / "manifest.json").write_text(json.dumps({**manifest, "files": files}, indent=1), encoding="utf-8")
        locks.publish(staging, folder)
    except (OSError, OutputError) as error:
        if not locks.still_held(staging):
            raise locks.Elsewhere(f"{folder} was taken over by another run") from error
        if isinstance(error, OutputError):
            raise
        raise unwritable(folder, error, "free space or choose another --data") from error


def read_chunk(folder: Path, expression_id: str) -> Observation:
    """Read a chunk, with the logits of the wanted weights.

    Raises:
        DamagedChunk: one of its files is missing or damaged.
    """
    manifest = read_manifest(folder)
    _check(folder, manifest["files"])
    observation = Observation(*(tables.read(folder / f"{name}.parquet", name) for name in Observation._fields))
    if manifest["expression_id"] == expression_id:
        return observation
    file = _logits_file(folder, expression_id)
    try:
        _check(folder, {file.name: file.with_suffix(".sha256").read_text(encoding="ascii")})
    except (OSError, ValueError) as error:
        raise DamagedChunk(f"{file} has no readable checksum; it is made again") from error
    return observation._replace(faces=observation.faces.assign(logits=tables.read(file, "logits")["logits"]))


def write_logits(folder: Path, faces: pd.DataFrame, expression_id: str) -> None:
    """Store the logits of further weights in a chunk's folder, under its claim.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    file = _logits_file(folder, expression_id)
    beside = file.with_name(f"{file.name}.{uuid.uuid4().hex}.tmp")
    try:
        tables.write(beside, faces[["face", "logits"]], "logits")
        # Write the checksum first: alone it has no effect, whereas a table without it would count as damaged.
        file.with_suffix(".sha256").write_text(_checksum(beside), encoding="ascii")
        os.replace(beside, file)
    except OSError as error:
        raise unwritable(file, error, "free space or choose another --data") from error
    finally:
        beside.unlink(missing_ok=True)


def _check(folder: Path, files: Mapping[str, str]) -> None:
    for name, checksum in files.items():
        try:
            found = _checksum(folder / name)
        except OSError as error:
            raise DamagedChunk(f"{folder / name} cannot be read; the chunk is made again") from error
        if found != checksum:
            raise DamagedChunk(f"{folder / name} is not as it was written; the chunk is made again")


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _logits_file(folder: Path, expression_id: str) -> Path:
    return folder / f"logits-{expression_id}.parquet"
