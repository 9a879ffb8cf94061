"""Commands that show an analysed film: with an overlay, as a small copy to play, or as figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenefer.cli import terminal
from scenefer.cli.options import Run
from scenefer.cli.output import err, require_paths, say
from scenefer.core.language import Language

Lang = Annotated[str | None, typer.Option(help="en or id; default: the language of the run's report.")]


def overlay(
    film: Annotated[Path, typer.Argument(help="The film that was analysed.")],
    folder: Run,
    to: Annotated[Path | None, typer.Option(help="The MP4 to write; default: <film>-overlay.mp4 here.")] = None,
    start: Annotated[str | None, typer.Option(help="Begin here: seconds, H:MM:SS.mmm or H:MM:SS:FF.")] = None,
    end: Annotated[str | None, typer.Option(help="Stop here.")] = None,
    lang: Lang = None,
) -> None:
    """Write a copy of the film, with sound, that shows face boxes and detected expressions."""
    from scenefer import video
    from scenefer.pipeline import edited_runs, film_analysis, inputs
    from scenefer.pipeline.run_comparison import compared_with_intentions
    from scenefer.report import overlay_video

    require_paths(film)
    loaded = edited_runs.load(folder)
    language = Language(lang) if lang else film_analysis.language_of(loaded)
    probed = video.probe(film)
    span = inputs.span_of(start, end, probed)
    target = to or Path(f"{film.stem}-overlay.mp4")
    whole = span.end if span.end != float("inf") else probed.duration
    with terminal.progress_bar(film.name, err) as tell:
        overlay_video.overlay(
            probed, loaded, target, span, language,
            lambda reached: tell("overlay", reached - span.start, None if whole is None else whole - span.start),
            compared_with_intentions(loaded),
        )  # fmt: skip
    say(f"overlay: {target}")


def proxy(
    film: Annotated[Path, typer.Argument(help="The film.")],
    to: Annotated[Path | None, typer.Option(help="The MP4 to write; default: <film>-proxy.mp4 here.")] = None,
) -> None:
    """Write a small copy of a film, with the same sound and times, for a browser that cannot play the film itself."""
    from scenefer import video
    from scenefer.video.proxy import write_proxy

    require_paths(film)
    probed = video.probe(film)
    target = to or Path(f"{film.stem}-proxy.mp4")
    with terminal.progress_bar(film.name, err) as tell:
        write_proxy(probed, target, lambda reached: tell("proxy", reached, probed.duration))
    say(f"proxy: {target}")


def figures(
    folder: Run,
    to: Annotated[Path | None, typer.Option(help="Folder of the figures; default: RUN/figures.")] = None,
    lang: Lang = None,
) -> None:
    """Draw the film's arc, its scenes and the confusion for papers: PNG, SVG and PDF, each with a caption."""
    from scenefer.pipeline import edited_runs, film_analysis
    from scenefer.pipeline.run_comparison import compared_with_intentions
    from scenefer.report import paper_figures

    loaded = edited_runs.load(folder)
    language = Language(lang) if lang else film_analysis.language_of(loaded)
    for path in paper_figures.write_plates(
        loaded, compared_with_intentions(loaded), to or folder / "figures", language
    ):
        say(f"figure: {path}")
