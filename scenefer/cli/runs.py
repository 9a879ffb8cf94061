"""Commands on runs: films that have been analysed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from scenefer import console, files
from scenefer.cli.lists import EveryClip, TimecodeStart, from_timecode
from scenefer.cli.speech import demand, out, say, say_lines
from scenefer.errors import PlanError
from scenefer.language import Language

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of an analysed film, reports/<film>.")]


def report(
    folder: Run, lang: Annotated[str | None, typer.Option(help="en or id; else that of the last report.")] = None
) -> None:
    """Render the report of an analysed film again."""
    from scenefer import analysis, run

    loaded = analysis.load(folder)
    run.write(loaded if lang is None else run.in_language(loaded, Language(lang)), folder)
    say(f"report: {folder / 'report.html'}")


def compare(
    folder: Run,
    other: Annotated[Path | None, typer.Argument(metavar="[OTHER]", help="Another run of the same scenes.")] = None,
    intended: Annotated[
        Path | None,
        typer.Option(help="List of scenes with what each is meant to show, as of analyze; else the run's own."),
    ] = None,
    every_clip: EveryClip = False,
    timecode_start: TimecodeStart = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object on stdout.")] = False,
) -> None:
    """Compare what scenes were meant to show with what their faces show; or one run with another."""
    from dataclasses import replace

    from scenefer import analysis, comparison, differences, findings, run, sheets

    if intended is None and (every_clip or timecode_start):
        option = "--every-clip" if every_clip else "--timecode-start"
        raise PlanError(f"{option} says how a list is read, and none is given; give --intended SHEET, or leave it out")
    loaded = analysis.load(folder)
    if other is not None:
        if intended is not None:
            raise PlanError("give another run or --intended, not both")
        found = differences.compare_runs(loaded, analysis.load(other))
        print(found.table.to_json(orient="records", indent=1) if as_json else differences.summary(found))
        return
    if intended is not None:
        demand(intended)
        film = from_timecode(loaded.film, timecode_start)
        sheet, notices = sheets.read_sheet(intended, film, every_clip=every_clip)
        before = set(loaded.run.get("compare_notices", []))  # of a sheet that another comparison has read
        warnings = [said for said in loaded.run.get("warnings", []) if said not in before]
        new = [notice for notice in notices if notice not in warnings]
        record = {**loaded.run, "warnings": [*warnings, *new], "compare_notices": new}
        if "made_of" in record:  # a batch with the sheets from before makes the report anew
            record["made_of"] = {**record["made_of"], "sheets": "those of scenefer compare"}
        loaded = replace(loaded, sheet=sheet, run=record)
    compared = run.compared_with_intentions(loaded)
    if compared is None:
        raise PlanError(f"nothing says what the scenes of {folder} were meant to show; give --intended SHEET")
    run.write(loaded, folder)
    if as_json:
        rows, _ = comparison.headline(compared)
        print(
            json.dumps({**comparison.record(compared), "scenes": json.loads(rows.to_json(orient="records"))}, indent=1)
        )
        return
    say_lines(findings.summary(compared))
    say(f"report: {folder / 'report.html'}")


def reclassify(
    folder: Run,
    weights: Annotated[str, typer.Option(help="Name or file of the expression weights.")] = "rmn_compact",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Read the stored faces of a run again, with other weights; neither the film nor the cache is needed."""
    from scenefer import reclassification, run

    analysis = reclassification.reclassify(folder, weights, device)
    run.write(analysis, folder)
    out.print(console.scenes_table(analysis))
    say(f"report: {folder / 'report.html'}")


def forget(
    folder: Run,
    data: Annotated[
        Path | None, typer.Option(help="Folder of a cache, beside the run's own.", envvar="SCENEFER_DATA")
    ] = None,
) -> None:
    """Delete pictures and vectors of people: from a run, with whatever was added to its folder, and from the cache.

    Numbers about expressions stay, and names that a cast folder or a sheet gave.
    """
    from scenefer import erasure

    done = erasure.forget(folder, data)
    said = (("removed", done.removed or ("nothing: there was nothing left",)), ("kept", done.kept))
    for title, lines in (*said, ("not reached from here", done.beyond)):
        say(f"{title}:")
        for line in lines:
            say(f"  {line}")


def export(
    folder: Run,
    to: Annotated[
        Path,
        typer.Option(
            help="The file to write: .csv a row a face; .edl or .otio a marker a scene, at the film's timecode; .json "
            "the scenes; .srt subtitles with the detected expression."
        ),
    ],
    rejected: Annotated[bool, typer.Option("--rejected", help="In .csv, with the faces that do not count.")] = False,
) -> None:
    """Write a run for other programs: faces, markers for editors, scenes, or subtitles."""
    from scenefer import analysis, run
    from scenefer.export import check_suffix, write_run

    check_suffix(to)
    if rejected and to.suffix.casefold() != ".csv":
        raise PlanError(f"--to {to}: only .csv has rejected faces; name it *.csv, or leave out --rejected")
    loaded = analysis.load(folder)
    say(f"{write_run(loaded, run.compared_with_intentions(loaded), to, rejected=rejected)}: {to}")


def explain(
    source: Annotated[Path, typer.Argument(metavar="IMAGE|RUN", help="A picture with a face, or an analysed film.")],
    to: Annotated[Path, typer.Option(help="The PNG to write.")] = Path("explained.png"),
    face: Annotated[
        int, typer.Option(min=0, help="Number of the face in table FACES; of a picture, the most certain first.")
    ] = 0,
    weights: Annotated[
        str | None,
        typer.Option(help="Name or file of the expression weights; else those of the run, or the shipped ones."),
    ] = None,
) -> None:
    """Draw where the network looked: a face, its masks, and which parts spoke for the emotion (Grad-CAM)."""
    import cv2

    from scenefer.explanation import explain_face

    demand(source)
    emotion, drawn, name = explain_face(source, face, weights)
    done, png = cv2.imencode(".png", drawn[:, :, ::-1])
    if not done:
        raise PlanError(f"{to}: a picture of {drawn.shape[1]} x {drawn.shape[0]} px cannot be written as PNG")
    files.write_result(to, png.tobytes(), "choose another file as --to")
    say(f"{emotion}: {to} (the face, the masks of {name} from the first stage to the last, Grad-CAM)")


def schema() -> None:
    """Print the columns, types and units of every table."""
    for table in console.schema_tables():
        out.print(table)
