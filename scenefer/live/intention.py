"""What the faces before the camera are meant to show: said in a word, or by a scene of a list."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scenefer.comparison.intentions import Vocabulary, parse_intention
from scenefer.core.errors import PlanError
from scenefer.core.film import Film
from scenefer.core.schema import EMOTIONS
from scenefer.core.text import listed, printable
from scenefer.interchange.scene_lists import read_sheet


class Meant(NamedTuple):
    """An intention."""

    said: str  # as the user says it
    written: str  # as a sheet has it: happy, or happy:0.6;neutral:0.4
    shares: np.ndarray  # (7,), sum 1


def read_intention(intended: str | None, scene: str | None, words: Mapping[str, str] = {}) -> Meant | None:
    """Read what is intended; None where nothing is said.

    Args:
        intended: an emotion, a mixture or a director's word; or the path of a list of scenes.
        scene: of that list; may be left out where it has one.
        words: of the user, see ``intentions.Vocabulary``.

    Raises:
        PlanError: the words are not understood, or the scene is not in the list.
        SheetError: the list cannot be read.
    """
    if intended is None:
        if scene is not None:
            raise PlanError("--scene names a scene of a list; give the list too: --intended SHEET")
        return None
    if os.path.isfile(intended):  # which a text that is too long for a name is not; Path.is_file raises
        return _of_list(Path(intended), scene, words)
    if scene is not None:
        raise PlanError(f"--scene names a scene of a list, and --intended {printable(intended)} is no file")
    return _meant(intended, words, "--intended")


def _of_list(path: Path, scene: str | None, words: Mapping[str, str]) -> Meant:
    # Of no length: the list may be of the whole film, of which one scene is rehearsed.
    any_film = Film(path=Path("live"), id="0" * 16, width=1, height=1, duration=None, frame_rate=Fraction(25))
    sheet, _ = read_sheet(path, any_film, words=words)
    said = sheet.loc[sheet["intended"].notna()].drop_duplicates("scene")
    names = [str(name) for name in said["scene"]]
    if not names:
        raise PlanError(f"{printable(path)} says of no scene what it is meant to show; fill in the column intended")
    if scene is None and len(names) > 1:
        raise PlanError(f"{printable(path)} has several scenes; say which is played: --scene {listed(names)}")
    chosen = names[0] if scene is None else scene
    if chosen not in names:
        raise PlanError(f"--scene {printable(chosen)}: {printable(path)} has no such scene; it has {listed(names)}")
    meant = _meant(str(said["intended"].iloc[names.index(chosen)]), words, f"{printable(path)}, scene {chosen}")
    return meant._replace(said=f"{chosen}: {meant.written}")


def _meant(text: str, words: Mapping[str, str], where: str) -> Meant:
    try:
        written = Vocabulary(words).parse(text)
    except ValueError as error:
        raise PlanError(f"{where}: {error}") from error
    if written is None:
        raise PlanError(f"{where} is empty; say one of {', '.join(EMOTIONS)}, or leave it out")
    shares = parse_intention(written)
    return Meant(printable(text), written, np.array([shares.get(emotion, 0.0) for emotion in EMOTIONS]))
