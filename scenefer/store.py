"""The only cache: what the pixel pass found, by film, by settings, by piece.

    data/observed/<film id>/<observe id>/<span>/   frames.parquet  faces.parquet  pictures.parquet  manifest.json
                                                   logits-<expression id>.parquet, for each further set of weights

A piece is done when its folder exists: it is put together under a claim (``claims.py``) and renamed. ``manifest.json``
says in words what the ids hide, and holds the checksum of every file: a piece that is damaged is thrown away and made
again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenefer import claims, tables
from scenefer.errors import OutputError, SceneferError, unwritable
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


_RECORDED = {"expression_id", "files", "notes"}  # what no record of a piece lacks


class DamagedPiece(SceneferError):
    """A piece is not as it was written; it can be thrown away and made again."""


def is_begun(data: Path, film_id: str, observe_id: str) -> bool:
    """Tell whether anything of a film was observed by these settings."""
    return (film_folder(data, film_id) / observe_id).is_dir()


def is_done(folder: Path, expression_id: str) -> bool:
    """Tell whether a piece is observed and its faces are read by the wanted weights."""
    try:
        return read_manifest(folder)["expression_id"] == expression_id or _logits_file(folder, expression_id).is_file()
    except DamagedPiece:
        return False


def is_observed(folder: Path) -> bool:
    """Tell whether a piece is there, whichever weights read its faces; one whose record is damaged is thrown away."""
    if not folder.is_dir():
        return False  # and nothing is thrown away: this moment another may publish it
    try:
        read_manifest(folder)
    except DamagedPiece:
        discard(folder)
        return False
    return True


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read what a piece was made with.

    Raises:
        DamagedPiece: there is no piece, or no readable record of it.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedPiece(f"{folder} has no readable record; the piece is made again") from error
    if not isinstance(manifest, dict) or not manifest.keys() >= _RECORDED:
        raise DamagedPiece(f"{folder} was written by another version; the piece is made again")
    return manifest


def discard(folder: Path) -> None:
    """Throw a piece away: it is gone at once, whoever else may be reading it."""
    away = folder.with_name(f"{folder.name}.{uuid.uuid4().hex}.tmp")
    with suppress(FileNotFoundError):
        os.rename(folder, away)
    shutil.rmtree(away, ignore_errors=True)


def write_piece(staging: Path, folder: Path, observation: Observation, manifest: Mapping[str, Any]) -> None:
    """Write a piece to the staging folder of a claim, then publish it.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
        Elsewhere: the claim was taken over; the piece is another's.
    """
    try:
        for name, table in observation._asdict().items():
            tables.write(staging / f"{name}.parquet", table, name, {"film": manifest["film_id"]})
        files = {path.name: _checksum(path) for path in sorted(staging.iterdir())}
        (staging / "manifest.json").write_text(json.dumps({**manifest, "files": files}, indent=1), encoding="utf-8")
        claims.publish(staging, folder)
    except (OSError, OutputError) as error:
        if not claims.still_held(staging):
            raise claims.Elsewhere(f"{folder} was taken over by another run") from error
        if isinstance(error, OutputError):
            raise
        raise unwritable(folder, error, "free space or choose another --data") from error


def read_piece(folder: Path, expression_id: str) -> Observation:
    """Read a piece, its logits those of the wanted weights.

    Raises:
        DamagedPiece: a file of it is missing or not as it was written.
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
        raise DamagedPiece(f"{file} has no readable checksum; it is made again") from error
    return observation._replace(faces=observation.faces.assign(logits=tables.read(file, "logits")["logits"]))


def write_logits(folder: Path, faces: pd.DataFrame, expression_id: str) -> None:
    """Keep the logits of further weights beside a piece, under its claim.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    file = _logits_file(folder, expression_id)
    beside = file.with_name(f"{file.name}.{uuid.uuid4().hex}.tmp")
    try:
        tables.write(beside, faces[["face", "logits"]], "logits")
        # The checksum first: without its table it says nothing, and the table is not taken for done without it.
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
            raise DamagedPiece(f"{folder / name} cannot be read; the piece is made again") from error
        if found != checksum:
            raise DamagedPiece(f"{folder / name} is not as it was written; the piece is made again")


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _logits_file(folder: Path, expression_id: str) -> Path:
    return folder / f"logits-{expression_id}.parquet"
