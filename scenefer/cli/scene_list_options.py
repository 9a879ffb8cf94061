"""Options for lists of scenes and for the cast, shared by several commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EveryClip = Annotated[
    bool,
    typer.Option(
        "--every-clip",
        help="Take every clip of a timeline without markers, or every scene of PySceneDetect, as a scene.",
    ),
]
Words = Annotated[
    Path | None,
    typer.Option(help="TOML file of words that lists use, each with its emotion; see: scenefer words."),
]
TimecodeStart = Annotated[
    str | None, typer.Option(help="HH:MM:SS:FF of the film's first frame; overrides the file's timecode.")
]
Cast = Annotated[
    Path | None, typer.Option(help="Folder with one subfolder of pictures per person, which gives people their names.")
]
