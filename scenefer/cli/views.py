"""Commands that show an analysed film: drawn over, or as figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenefer import console
from scenefer.cli.films import span_of
from scenefer.cli.runs import Run
from scenefer.cli.speech import demand, err, say
from scenefer.language import Language

Lang = Annotated[str | None, typer.Option(help="en or id; else the language of the run's report.")]


def overlay(
    film: Annotated[Path, typer.Argument(help="The film that was analysed.")],
    folder: Run,
    to: Annotated[Path | None, typer.Option(help="The MP4 to write; else <film>-overlay.mp4 here.")] = None,
    start: Annotated[str | None, typer.Option(help="Begin here: seconds, H:MM:SS.mmm or H:MM:SS:FF.")] = None,
    end: Annotated[str | None, typer.Option(help="Stop here.")] = None,
    lang: Lang = None,
) -> None:
    """Write the film with its faces' boxes and detected expressions drawn in, with its sound."""
    from scenefer import analysis, run, video
    from scenefer import overlay as drawing

    demand(film)
    loaded = analysis.load(folder)
    language = Language(lang) if lang else run.language_of(loaded)
    probed = video.probe(film)
    span = span_of(start, end, probed)
    target = to or Path(f"{film.stem}-overlay.mp4")
    whole = span.end if span.end != float("inf") else probed.duration
    with console.progress_bar(film.name, err) as tell:
        drawing.overlay(
            probed, loaded, target, span, language,
            lambda reached: tell("overlay", reached - span.start, None if whole is None else whole - span.start),
        )  # fmt: skip
    say(f"overlay: {target}")


def figures(
    folder: Run,
    to: Annotated[Path | None, typer.Option(help="Folder of the figures; else RUN/figures.")] = None,
    lang: Lang = None,
) -> None:
    """Draw the film's arc, its scenes and the confusion for papers: PNG and SVG."""
    from scenefer import analysis, plates, run

    loaded = analysis.load(folder)
    language = Language(lang) if lang else run.language_of(loaded)
    for path in plates.write_plates(loaded, run.compared_with_intentions(loaded), to or folder / "figures", language):
        say(f"figure: {path}")
