"""The options that commands share, and those of commands with many; a command gives each its default.

So a command is a list of names and defaults, and the words of its help stand here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenefer.core.run_folder import run_of
from scenefer.core.text import listed
from scenefer.pipeline.executors import EXECUTORS


def _run(path: Path | None) -> Path | None:
    return path and run_of(path)


def _runs(paths: list[Path] | None) -> list[Path]:
    return [run_of(path) for path in paths or ()]


# Runs

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of an analysed film, reports/<film>.", callback=_run)]
Estimate = Annotated[
    str | None,
    typer.Option(
        help="Shares on which verdicts are based: raw (as detected), or validated (corrected by people's judgements, "
        "see scenefer validate); default: as last time."
    ),
]
OtherRuns = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[OTHER]...", help="Other runs of the same scenes: cuts, takes, weights.", callback=_runs),
]

# Films, and what lies beside them

Films = Annotated[
    list[Path], typer.Argument(metavar="FILM...", help="Films, stills, or folders of stills.", show_default=False)
]
Reports = Annotated[Path, typer.Option(help="Folder of the reports.")]
CacheBeside = Annotated[
    Path | None, typer.Option(help="Folder of the cache; default: `data` next to --out.", envvar="SCENEFER_DATA")
]
SceneLists = Annotated[
    Path | None,
    typer.Option(help="List of scenes: CSV, EDL, OTIO, XML or FCPXML; for several films a folder of lists."),
]
IntendedLists = Annotated[
    Path | None,
    typer.Option(
        help="The same, with the emotion each scene is meant to show; gives the scenes if --scenes is absent."
    ),
]
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
NScenes = Annotated[int | None, typer.Option(help="Number of scenes to guess; default: decided automatically.", min=1)]
Start = Annotated[str | None, typer.Option(help="Begin here: seconds, H:MM:SS.mmm or H:MM:SS:FF.")]
End = Annotated[str | None, typer.Option(help="Stop here.")]

# Settings

Profile = Annotated[str, typer.Option(help="fast, standard or thorough.")]
PlanFile = Annotated[str | None, typer.Option(help="TOML file with settings that differ from the defaults.")]
SampleRate = Annotated[float | None, typer.Option(help="Samples per second of film.")]
Device = Annotated[str | None, typer.Option(help="auto, cpu or cuda.")]
Weights = Annotated[str | None, typer.Option(help="Name or file of the expression weights.")]
Detector = Annotated[str | None, typer.Option(help="yunet, mtcnn, or haar with the extra studies.")]
Identity = Annotated[
    str | None,
    typer.Option(help="Network that tells people apart: face_identity, or facenet after `weights pull`."),
]
NoIdentity = Annotated[bool, typer.Option("--no-identity", help="Do not group tracks into people.")]
KeepIdentity = Annotated[
    bool,
    typer.Option(
        "--keep-identity", help="Store the identity vectors of faces in the run; by default they are discarded."
    ),
]
Dense = Annotated[
    bool,
    typer.Option("--dense", help="Find 68 points of each face: how far are mouths open, and who speaks?"),
]
Reader = Annotated[str | None, typer.Option(help="pyav or decord.")]
Workers = Annotated[int | None, typer.Option(help="Processes; 0 = one per core.", min=0)]
ReportLanguage = Annotated[str | None, typer.Option(help="Language of the report: en or id.")]
NoCrops = Annotated[bool, typer.Option("--no-crops", help="Keep no pictures of faces.")]

# What is given out

Proxy = Annotated[
    bool, typer.Option("--proxy", help="Write proxy.mp4 into the run: a small copy that every browser plays.")
]
AsSummary = Annotated[bool, typer.Option("--json", help="Print one summary object on stdout.")]
OpenReport = Annotated[bool, typer.Option("--open", help="Open the report.")]

# Of a library

Library = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[LIBRARY]...", help="Folders, films, patterns like 'films/*.mkv'.", show_default=False),
]
IntendedFolder = Annotated[Path | None, typer.Option(help="Folder of sheets with intentions, named like the films.")]
ScenesFolder = Annotated[Path | None, typer.Option(help="Folder of sheets of scenes, named like the films.")]
WorkersOrTasks = Annotated[
    int | None, typer.Option(help="Processes, or tasks on Ray; 0 = one per core of this machine.", min=0)
]
Address = Annotated[str | None, typer.Option(help="Address of a Ray cluster; default: start one here.")]
CopyTo = Annotated[
    str, typer.Option(help="Also copy the reports to this URL, e.g. s3://bucket/reports.", show_default=False)
]
Shard = Annotated[str | None, typer.Option(help="i/n: only the i-th of n parts, split by film name.")]
InputList = Annotated[Path | None, typer.Option(help="File with one film per line; - for standard input.")]
MaxMemory = Annotated[
    float | None, typer.Option(help="MB for all workers on this machine together; decoding waits at the limit.")
]
OnlyFailed = Annotated[bool, typer.Option("--only-failed", help="Only films that have failed before.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done and why, but do nothing.")]
ReportsLanguage = Annotated[str | None, typer.Option(help="Language of the reports: en or id.")]
LibraryPlan = Annotated[str | None, typer.Option(help="library, library-ray, or a TOML file of settings.")]
ExecutorName = Annotated[str | None, typer.Option(help=f"{listed(EXECUTORS)}.")]
AsEvents = Annotated[bool, typer.Option("--json", help="Print events on stdout, one JSON object per line.")]

# Of a camera

Camera = Annotated[
    str,
    typer.Argument(
        metavar="[CAMERA|URL|FILM]",
        help="0, 1, … or the name of a camera's device, an address (rtsp://, http:// …), or a film, played "
        "as if it were a camera; default: the first camera.",
        show_default=False,
    ),
]
LiveIntention = Annotated[
    str | None,
    typer.Option(
        help="What the faces are meant to show: an emotion, a mixture, a director's word; or a list of scenes."
    ),
]
LiveScene = Annotated[str | None, typer.Option(help="The scene of that list that is played.")]
Record = Annotated[Path | None, typer.Option(help="Folder to keep the session in, as a run.")]
Page = Annotated[
    bool | None,
    typer.Option("--page/--no-page", help="Show it in a browser of this machine too; default: if it can."),
]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Of the page; 0 takes any that is free.")]
PictureRate = Annotated[float, typer.Option(min=0.5, max=60, help="Pictures a second that are read at most.")]
PictureSize = Annotated[str, typer.Option(help="Size that the camera is asked for.")]
Loop = Annotated[bool, typer.Option("--loop", help="Begin a film again when it ends.")]
Seconds = Annotated[float | None, typer.Option(min=0.1, help="End after so many seconds; else by Ctrl-C.")]
