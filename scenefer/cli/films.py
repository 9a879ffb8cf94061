"""Commands that read films."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from scenefer import console
from scenefer.cli import speech
from scenefer.cli.speech import complain, demand, err, say
from scenefer.errors import FilmError, OutputError, PlanError, SceneferError, printable

if TYPE_CHECKING:
    from scenefer.film import Film, Span


def analyze(
    films: Annotated[
        list[Path], typer.Argument(metavar="FILM...", help="Films, stills, or folders of stills.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports"),
    data: Annotated[
        Path | None, typer.Option(help="Folder of the cache; else `data` beside --out.", envvar="SCENEFER_DATA")
    ] = None,
    scenes: Annotated[
        Path | None, typer.Option(help="CSV with scene,start,end; for several films a folder of them.")
    ] = None,
    intended: Annotated[
        Path | None,
        typer.Option(help="The same, with what each scene is meant to show; its times count where --scenes is absent."),
    ] = None,
    profile: Annotated[str, typer.Option(help="fast, standard or thorough.")] = "standard",
    plan: Annotated[str | None, typer.Option(help="TOML file of settings that deviate from the defaults.")] = None,
    sample_rate: Annotated[float | None, typer.Option(help="Samples a second of film.")] = None,
    start: Annotated[str | None, typer.Option(help="Begin here: seconds, H:MM:SS.mmm or H:MM:SS:FF.")] = None,
    end: Annotated[str | None, typer.Option(help="Stop here.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    weights: Annotated[str | None, typer.Option(help="Name or file of the expression weights.")] = None,
    detector: Annotated[str | None, typer.Option(help="mtcnn or yunet.")] = None,
    identity: Annotated[
        str | None, typer.Option(help="face_identity groups tracks into people, who get numbers, no names.")
    ] = None,
    reader: Annotated[str | None, typer.Option(help="pyav or decord.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; 0 = one a core.", min=0)] = None,
    no_crops: Annotated[bool, typer.Option("--no-crops", help="Keep no pictures of faces.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one summary object on stdout.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the report.")] = False,
) -> None:
    """Analyse films and write a report of each."""
    from scenefer import executors, run, sheets, video
    from scenefer.models import zoo
    from scenefer.plan import make_plan

    settings = make_plan(
        profile,
        plan,
        {
            "observation.sample_rate": sample_rate,
            "observation.detector": detector,
            "observation.reader": reader,
            "observation.crops": False if no_crops else None,
            "models.identity": identity,
            "models.device": device,
            "models.expression": weights,
            "run.workers": workers,
        },
    )
    # Whatever can be wrong with options, paths and sheets is said before anything is decoded.
    zoo.verify(settings.observation.detector)
    zoo.find_expression(settings.models.expression)
    if settings.models.identity:
        zoo.verify(settings.models.identity)
    demand(*films)
    scenes_of, intended_of = _match_sheets(films, scenes), _match_sheets(films, intended)
    failures: list[dict[str, str]] = []
    probed = []
    for path in films:
        try:
            film = video.probe(path)
        except FilmError as error:
            _note_failure(failures, path, error)
            continue
        lists = sheets.read_lists(film, scenes_of.get(path), intended_of.get(path))
        probed.append((film, _span(start, end, film), lists))
    summaries = []
    for film, span, lists in probed:
        try:
            with console.progress_bar(film.path.name, err) as tell:
                analysis = run.analyze_film(
                    film, settings, lists, span=span, data=data or out.parent / "data",
                    executor=executors.processes, progress=tell,
                )  # fmt: skip
                tell("report", 0.0, None)
                folder = run.report_folder(film, out)
                run.write(analysis, folder)
        except (FilmError, OutputError) as error:
            _note_failure(failures, film.path, error)
            continue
        page = folder / "report.html"
        summaries.append({**console.summary(analysis), "run": printable(folder), "report": printable(page)})
        if not as_json:
            speech.out.print(console.scenes_table(analysis))
            for warning in analysis.run["warnings"]:
                say(f"note: {warning}")
            say(f"report: {page}")
        if open_:
            typer.launch(page.resolve().as_uri())
    if as_json:
        print(json.dumps({"films": summaries, "failures": failures}, indent=1))
    if failures:
        raise typer.Exit(1 if summaries else 3)


def scenes(
    film: Annotated[Path, typer.Argument(help="The film.")],
    to: Annotated[Path | None, typer.Option(help="The sheet to write; else <film>.csv here.")] = None,
    data: Annotated[Path, typer.Option(help="Folder of the cache.", envvar="SCENEFER_DATA")] = Path("data"),
) -> None:
    """Guess the scenes of a film and write them as a sheet to fill in."""
    from scenefer import executors, run, sheets

    sheet = to or Path(f"{film.stem}.csv")
    demand(film)
    with console.progress_bar(film.name, err) as tell:
        analysis = run.analyze(film, data=data, executor=executors.processes, progress=tell)
    sheets.write_template(analysis.scenes, sheet)
    say(f"{len(analysis.scenes)} guessed scenes: {sheet}")


def _note_failure(failures: list[dict[str, str]], path: Path, error: SceneferError) -> None:
    failures.append({"film": printable(path), "error": printable(str(error))})
    complain(str(error))


def _match_sheets(films: list[Path], scenes: Path | None) -> dict[Path, Path]:
    """Find the sheet of each film: one sheet for one film, or a folder of sheets named as the films."""
    if scenes is None:
        return {}
    if not scenes.exists():
        raise PlanError(f"{scenes}: there is no such sheet")
    if scenes.is_dir():
        matched = {film: scenes / f"{film.stem}.csv" for film in films}
        return {film: sheet for film, sheet in matched.items() if sheet.is_file()}
    if len(films) > 1:
        raise PlanError(f"{scenes} is one sheet for {len(films)} films; give a folder of sheets named as the films")
    return {films[0]: scenes}


def _span(start: str | None, end: str | None, film: Film) -> Span:
    from scenefer.film import Span
    from scenefer.timecode import seconds_of

    def read(option: str, text: str) -> float:
        try:
            return seconds_of(text, film.frame_rate)
        except ValueError as error:
            _refuse(f"--{option} {text!r} is no time: {error}")

    first = read("start", start) if start is not None else 0.0
    last = read("end", end) if end is not None else float("inf")
    if last <= first:
        _refuse(f"--end {end!r} is not after the start")
    if film.duration is not None and first >= film.duration:
        _refuse(f"--start {start!r} lies beyond the end of {film.path.name}, which is {film.duration:.3f} s long")
    return Span(first, last)


def _refuse(message: str) -> NoReturn:
    raise PlanError(message)
