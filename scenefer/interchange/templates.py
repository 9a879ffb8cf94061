"""The sheet to fill in: one row per scene, with the intention left empty, and a folder of pictures of each scene."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer.core import atomic
from scenefer.core.errors import PlanError, unwritable
from scenefer.core.film import clock
from scenefer.core.scene import scenes_of
from scenefer.core.text import printable
from scenefer.interchange.csv_rows import spreadsheet_safe
from scenefer.interchange.scene_row import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

_A_SCENE = 3  # pictures per scene, each from another shot
_UNSAFE = re.compile(r"[^\w.-]+")  # in file names, on any system
_LONGEST = 40  # characters of a scene's name in the name of a file


def pictures_folder(sheet: Path) -> Path:
    """Name the folder of the pictures that belong to a sheet."""
    return sheet.with_name(f"{sheet.stem}-pictures")


def refuse_existing(sheet: Path) -> None:
    """Raise if the sheet or its pictures exist, because the sheet may have been filled in.

    Raises:
        PlanError: one of them exists.
    """
    for path in (sheet, pictures_folder(sheet)):
        if path.exists():
            raise PlanError(
                f"{printable(path)} exists and may be filled in; rename it, or choose another name with --to"
            )


def write_template(
    scenes: pd.DataFrame,
    path: Path,
    intended: pd.DataFrame | None = None,
) -> None:
    """Write the sheet to fill in: one row per scene, or per scene and character if a list has characters.

    Args:
        scenes: table SCENES.
        intended: the intentions already in a list, from ``scene_lists.read_sheet``.

    Raises:
        OutputError: the folder cannot be written.
        PlanError: the sheet exists.
    """
    refuse_existing(path)
    known: dict[str, list[list[str]]] = {}
    for name, *rest in [] if intended is None else intended[["scene", *COLUMNS[3:]]].itertuples(index=False):
        known.setdefault(str(name), []).append([cell if isinstance(cell, str) else "" for cell in rest])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for scene in scenes_of(scenes):
        when = (_time(scene.start), _time(scene.end))
        for cells in known.get(scene.name, [["", "", ""]]):
            writer.writerow([spreadsheet_safe(scene.name), *when, *map(spreadsheet_safe, cells)])
    atomic.write_result(path, text.getvalue().encode(), "choose another --to")


def write_pictures(scenes: pd.DataFrame, shots: pd.DataFrame, pictures: pd.DataFrame, sheet: Path) -> Path:
    """Write the keyframes of every scene next to a sheet, as JPEG files whose names sort in scene order.

    Args:
        scenes: table SCENES; ``shots`` SHOTS; ``pictures`` PICTURES.

    Returns:
        The folder. Scenes without a stored picture have no file in it: they are shorter than the interval between two.

    Raises:
        OutputError: it exists, or cannot be written.
    """
    from scenefer.analysis.keyframes import keyframes

    folder = pictures_folder(sheet)
    beside = folder.with_name(folder.name + ".tmp")
    digits = max(3, len(str(len(scenes))))
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        for number, scene in enumerate(scenes_of(scenes), start=1):
            chosen = keyframes(pictures, shots, {}, scene.start, scene.end, _A_SCENE).sort_values("time")
            for k, jpeg in enumerate(chosen["jpeg"], start=1):
                (beside / f"{number:0{digits}}{_file_name(scene.name, number)}-{k}.jpg").write_bytes(jpeg)
        os.rename(beside, folder)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise unwritable(folder, error, "choose another --to") from error
    return folder


def _time(seconds: float) -> str:
    """Format 1:05:10.520 as 1h05m10.520s: spreadsheets take the former as a time of day and save it as 05:10.5."""
    return clock(seconds).replace(":", "h", 1).replace(":", "m", 1) + "s"


def _file_name(name: str, number: int) -> str:
    safe = _UNSAFE.sub("_", name).strip("._-")[:_LONGEST]
    return f"-{safe}" if safe and safe != str(number) else ""
