"""Commands that read films."""

from __future__ import annotations

import json
import shlex
from os import cpu_count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from scenefer import console
from scenefer.cli import speech
from scenefer.cli.batches import demand_device, executor_of
from scenefer.cli.lists import EveryClip, TimecodeStart, from_timecode
from scenefer.cli.speech import complain, demand, demand_places, err, say
from scenefer.errors import FilmError, OutputError, PlanError, printable
from scenefer.schema import EMOTIONS

if TYPE_CHECKING:
    from scenefer.film import Film, Span

NScenes = Annotated[int | None, typer.Option(help="How many scenes to guess; else as many as it seems.", min=1)]
Profile = Annotated[str, typer.Option(help="fast, standard or thorough.")]
PlanFile = Annotated[str | None, typer.Option(help="TOML file of settings that deviate from the defaults.")]


def analyze(
    films: Annotated[
        list[Path], typer.Argument(metavar="FILM...", help="Films, stills, or folders of stills.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports"),
    data: Annotated[
        Path | None, typer.Option(help="Folder of the cache; else `data` beside --out.", envvar="SCENEFER_DATA")
    ] = None,
    scenes: Annotated[
        Path | None,
        typer.Option(help="List of scenes: CSV, EDL, OTIO, XML or FCPXML; for several films a folder of lists."),
    ] = None,
    intended: Annotated[
        Path | None,
        typer.Option(help="The same, with what each scene is meant to show; its times count where --scenes is absent."),
    ] = None,
    every_clip: EveryClip = False,
    timecode_start: TimecodeStart = None,
    n_scenes: NScenes = None,
    profile: Profile = "standard",
    plan: PlanFile = None,
    sample_rate: Annotated[float | None, typer.Option(help="Samples a second of film.")] = None,
    start: Annotated[str | None, typer.Option(help="Begin here: seconds, H:MM:SS.mmm or H:MM:SS:FF.")] = None,
    end: Annotated[str | None, typer.Option(help="Stop here.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    weights: Annotated[str | None, typer.Option(help="Name or file of the expression weights.")] = None,
    detector: Annotated[str | None, typer.Option(help="mtcnn or yunet.")] = None,
    identity: Annotated[
        str | None, typer.Option(help="Network that tells people apart: face_identity, or facenet once it is pulled.")
    ] = None,
    no_identity: Annotated[bool, typer.Option("--no-identity", help="Do not group tracks into people.")] = False,
    cast: Annotated[
        Path | None, typer.Option(help="Folder with a folder of pictures a person: people get these names.")
    ] = None,
    keep_identity: Annotated[
        bool, typer.Option("--keep-identity", help="Write the vectors of faces into the run; else they are not kept.")
    ] = False,
    reader: Annotated[str | None, typer.Option(help="pyav or decord.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; 0 = one a core.", min=0)] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the report: en or id.")] = None,
    no_crops: Annotated[bool, typer.Option("--no-crops", help="Keep no pictures of faces.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one summary object on stdout.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the report.")] = False,
) -> None:
    """Analyse films and write a report of each."""
    from scenefer import batch, executors, run, sheets, survey, video
    from scenefer.agenda import Order
    from scenefer.cast import CONSENT
    from scenefer.pieces import networks
    from scenefer.plan import make_plan

    settings = make_plan(
        profile,
        plan,
        {
            "observation.sample_rate": sample_rate,
            "observation.detector": detector,
            "observation.reader": reader,
            "observation.crops": False if no_crops else None,
            "models.identity": "" if no_identity else identity,
            "actors.keep_vectors": True if keep_identity else None,
            "models.device": device,
            "models.expression": weights,
            "scenes.n_scenes": n_scenes,
            "report.language": lang,
            "run.workers": workers,
        },
    )
    # Whatever can be wrong with options, paths and sheets is said before anything is decoded.
    networks(settings)
    demand_device(settings)
    if identity and no_identity:
        raise PlanError(f"--identity {identity} and --no-identity exclude each other; give one of them")
    if keep_identity and (no_identity or no_crops):
        without = "--no-identity" if no_identity else "--no-crops"
        raise PlanError(f"--keep-identity and {without} exclude each other; give one of them")
    demand(*films)
    place = data or out.parent / "data"
    demand_places(out, place)
    scenes_of, intended_of = sheets.match(films, scenes), sheets.match(films, intended)
    names = None
    if cast is not None:
        names = run.read_cast(cast, settings)
        complain(CONSENT)
    probed: dict[Path, Film] = {}
    told: dict[Path, str] = {}  # films that are none
    for path in films:
        try:
            probed[path] = video.probe(path)
        except FilmError as error:
            told[path] = str(error)
            complain(str(error))
    spans = {path: span_of(start, end, film) for path, film in probed.items()}
    for path, film in probed.items():
        stated = from_timecode(film, timecode_start)
        sheets.read_lists(stated, scenes_of.get(path), intended_of.get(path), every_clip=every_clip)
    order = Order(
        list(probed), settings, place, out, scenes_of, intended_of, names, spans,
        every_clip=every_clip, timecode_start=timecode_start, again=True,
    )  # fmt: skip
    try:
        for film in probed.values():
            survey.remember(film, place)
    except OutputError as error:
        complain(str(error))
        raise typer.Exit(3) from error
    with console.progress_bar(f"{len(probed)} films" if len(probed) > 1 else films[0].name, err) as tell:
        work = batch.Batch(order, lambda what, task: tell("observe", *work.read_of()))
        workers = min(settings.run.workers or cpu_count() or 1, work.n_jobs())
        work.work(executor_of(settings) if workers > 1 else executors.serial, workers)
    summaries, failures = [], []
    for path in films:
        task = work.agenda.tasks.get(path)
        if task is None or task.folder is None:
            message = told.get(path) or (task.failure.message if task and task.failure else work.stopped)
            failures.append({"film": printable(path), "error": printable(message)})
            if task is not None:
                complain(message)
            continue
        summaries.append(_tell_run(task.folder, as_json=as_json))
        if open_:
            typer.launch((task.folder / "report.html").resolve().as_uri())
    if as_json:
        print(json.dumps({"films": summaries, "failures": failures}, indent=1))
    if failures:
        raise typer.Exit(1 if summaries else 3)


def _tell_run(folder: Path, *, as_json: bool) -> dict[str, Any]:
    """Print the scenes of a film, unless a machine is to read them; return its summary."""
    from scenefer import analysis

    loaded = analysis.load(folder)
    page = folder / "report.html"
    if not as_json:
        speech.out.print(console.scenes_table(loaded))
        for warning in loaded.run["warnings"]:
            say(f"note: {warning}")
        say(f"report: {page}")
    return {**console.summary(loaded), "run": printable(folder), "report": printable(page)}


def scenes(
    film: Annotated[Path, typer.Argument(help="The film.")],
    to: Annotated[Path | None, typer.Option(help="The sheet to write; else <film>.csv here.")] = None,
    scenes: Annotated[
        Path | None, typer.Option(help="Take the scenes of this list, CSV, EDL, OTIO, XML or FCPXML, and guess none.")
    ] = None,
    every_clip: EveryClip = False,
    timecode_start: TimecodeStart = None,
    n_scenes: NScenes = None,
    profile: Profile = "standard",
    plan: PlanFile = None,
    data: Annotated[Path, typer.Option(help="Folder of the cache.", envvar="SCENEFER_DATA")] = Path("data"),
) -> None:
    """Write the scenes of a film as a sheet to fill in, guessed or from a list, with pictures of each beside it."""
    from scenefer import executors, run, sheets, templates, video
    from scenefer.plan import make_plan

    settings = make_plan(profile, plan, {"scenes.n_scenes": n_scenes})
    sheet = to or Path(f"{film.stem}.csv")
    demand(film)
    templates.refuse_existing(sheet)
    found = from_timecode(video.probe(film), timecode_start)
    lists = sheets.read_lists(found, sheets.match([film], scenes).get(film), None, every_clip=every_clip)
    with console.progress_bar(film.name, err) as tell:
        divided, pictures = run.divide_film(
            found, settings, lists, data=data, executor=executors.processes, progress=tell
        )
    templates.write_template(divided.scenes, sheet, lists.scenes)
    folder = templates.write_pictures(divided.scenes, divided.shots, pictures, sheet)
    for notice in lists.notices:
        say(f"note: {notice}")
    n, origin = len(divided.scenes), "listed" if lists.scenes is not None else "guessed"
    say(f"{n} {origin} scene{'s' * (n != 1)}: {sheet}")
    say(f"pictures of them: {folder}")
    say(f"write into its column intended what each is meant to show: {', '.join(EMOTIONS)}, or happy:0.6;neutral:0.4")
    say(f"then: scenefer analyze {shlex.quote(str(film))} --intended {shlex.quote(str(sheet))}")


def span_of(start: str | None, end: str | None, film: Film) -> Span:
    """Read the part of a film that options name.

    Raises:
        PlanError: they are no times, or name no part of the film.
    """
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
