"""Commands on runs, i.e. analysed films."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenefer.cli import options, terminal
from scenefer.cli.output import complain, out, require_paths, say, say_lines
from scenefer.core import atomic
from scenefer.core.errors import PlanError
from scenefer.core.language import Language
from scenefer.core.run_folder import EDITS, FORMER_EDITS, REPORT
from scenefer.models import DEFAULT_WEIGHTS


def report(
    folder: options.Run,
    lang: Annotated[str | None, typer.Option(help="en or id; default: as in the last report.")] = None,
    estimate: options.Estimate = None,
    judged: Annotated[
        Path | None,
        typer.Option(help="CSV of judged faces, saved from a report: it is counted and shown, but corrects nothing."),
    ] = None,
    edits: Annotated[
        Path | None,
        typer.Option(
            help="JSON that a report saved of what somebody corrected in it: applied to the run and kept with it."
        ),
    ] = None,
    no_edits: Annotated[
        bool, typer.Option("--no-edits", help="Take the edits that are kept with the run off again.")
    ] = False,
) -> None:
    """Render the report of an analysed film again, as corrected by hand, or that of a live session cut off."""
    from dataclasses import replace

    from scenefer.interchange.judged_faces import read_judged
    from scenefer.live import recording
    from scenefer.pipeline import edited_runs, film_analysis, kept_judgements, locks
    from scenefer.pipeline.run_comparison import with_estimate

    if edits is not None and no_edits:
        raise PlanError("--edits applies edits and --no-edits takes them off; leave one of them out")
    if recording.is_unfinished(folder):
        with locks.claim(folder):
            recording.finish(folder)
    with locks.rewriting(folder):
        loaded = edited_runs.measured(folder) if edits is not None or no_edits else edited_runs.load(folder)
        if edits is not None:
            from scenefer.interchange.edits_file import read_edits

            loaded = edited_runs.with_edits(loaded, read_edits(edits))
        if lang is not None:
            loaded = film_analysis.in_language(loaded, Language(lang))
        if estimate is not None:
            loaded = with_estimate(loaded, estimate)
        if judged is not None:
            run = kept_judgements.without_warnings(loaded.run, kept_judgements.NOT_JUDGED)
            loaded = replace(loaded, run={**run, "judged": read_judged(judged, loaded)})
        were_kept = (folder / EDITS).is_file()
        film_analysis.write(loaded, folder)
    if edits is not None:
        n = len(loaded.edits.edits) if loaded.edits else 0
        say(f"edits: {n} applied, kept in {folder / EDITS}; scenefer report {folder} --no-edits takes them off")
    elif no_edits and were_kept:
        say(f"edits: taken off; they lie in {folder / FORMER_EDITS}")
    say(f"report: {folder / REPORT}")


def reclassify(
    folder: options.Run,
    weights: Annotated[str, typer.Option(help="Name or file of the expression weights.")] = DEFAULT_WEIGHTS,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Classify the stored faces of a run again with other weights; needs neither the film nor the cache."""
    from scenefer.cli import scene_table
    from scenefer.pipeline import film_analysis, locks, reclassification

    with locks.rewriting(folder):
        analysis = reclassification.reclassify(folder, weights, device)
        film_analysis.write(analysis, folder)
    scene_table.print_scenes(out, analysis, folder)
    say(f"report: {folder / REPORT}")


def forget(
    folder: options.Run,
    data: Annotated[
        Path | None, typer.Option(help="Folder of another cache, in addition to the run's own.", envvar="SCENEFER_DATA")
    ] = None,
) -> None:
    """Delete pictures and vectors of people: from a run, with any files added to its folder, and from the cache.

    Numbers about expressions stay, and so do names from a cast folder or a sheet.
    """
    from scenefer.library import catalogue
    from scenefer.pipeline import erasure, locks

    with locks.rewriting(folder):
        done = erasure.forget(folder, data)
    catalogue.rewrite(folder.resolve().parent)  # its page has a frame of every film
    said = (("removed", done.removed or ("nothing: there was nothing left",)), ("kept", done.kept))
    for title, lines in (*said, ("not reached from here", done.beyond)):
        say(f"{title}:")
        for line in lines:
            say(f"  {line}")


def export(
    folder: options.Run,
    to: Annotated[
        Path,
        typer.Option(
            help="The file to write: .csv a row a face; .xlsx, or a name like scenes.csv, a row a scene; films.csv a "
            "row a film, of a folder of reports too; .edl, .otio, .fcpxml or .xml (Final Cut 7, Premiere) a marker a "
            "scene, at the film's timecode; .json the scenes; .srt subtitles with the detected expression."
        ),
    ],
    rejected: Annotated[bool, typer.Option("--rejected", help="In .csv, include faces that do not count.")] = False,
) -> None:
    """Write a run for other programs: faces, markers for editors, scenes, films, or subtitles."""
    from scenefer.interchange.export import format_of, write_run
    from scenefer.library import film_rows
    from scenefer.pipeline import edited_runs
    from scenefer.pipeline.run_comparison import compared_with_intentions

    format_of(to, rejected=rejected)
    if film_rows.is_library(folder):
        n, unreadable = film_rows.write(folder, to)
        for sentence in unreadable:
            complain(sentence)
        say(f"{n} film{'s' * (n != 1)}: {to}")
        raise typer.Exit(bool(unreadable))
    loaded = edited_runs.load(folder)
    say(f"{write_run(loaded, compared_with_intentions(loaded), to, rejected=rejected)}: {to}")


def explain(
    source: Annotated[Path, typer.Argument(metavar="IMAGE|RUN", help="A picture with a face, or an analysed film.")],
    to: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("explained.png"),
    face: Annotated[
        int,
        typer.Option(
            min=0, help="Number of the face in table FACES; in a picture, counted from 0, the most certain face first."
        ),
    ] = 0,
    weights: Annotated[
        str | None,
        typer.Option(help="Name or file of the expression weights; default: those of the run, or the shipped ones."),
    ] = None,
) -> None:
    """Draw where the network looked: a face, its masks, and the regions that support the emotion (Grad-CAM)."""
    import cv2

    from scenefer.pipeline.explanation import explain_face

    require_paths(source)
    emotion, drawn, name = explain_face(source, face, weights)
    done, png = cv2.imencode(".png", drawn[:, :, ::-1])
    if not done:
        raise PlanError(f"{to}: a picture of {drawn.shape[1]} x {drawn.shape[0]} px cannot be written as PNG")
    atomic.write_result(to, png.tobytes(), "choose another file as --to")
    say(f"{emotion}: {to} (the face, the masks of {name} from the first stage to the last, Grad-CAM)")


def words(
    file: Annotated[
        Path | None, typer.Option("--words", help="TOML file whose words take precedence over the shipped ones.")
    ] = None,
) -> None:
    """Print, as TOML, the words that lists of scenes may use, each with the emotion or mixture it stands for."""
    from scenefer.comparison.intentions import Vocabulary, read_words

    say_lines(Vocabulary(read_words(file) if file else {}).as_toml())


def schema() -> None:
    """Print the columns, types and units of every table."""
    for table in terminal.schema_tables():
        out.print(table)
