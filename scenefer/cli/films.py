"""Commands that read films: ``analyze`` and ``scenes``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scenefer.cli import output, terminal
from scenefer.cli.output import complain, demand, demand_places, err, say
from scenefer.cli.scene_list_options import Cast, EveryClip, TimecodeStart, Words
from scenefer.core.errors import PlanError
from scenefer.core.run_folder import PROXY, REPORT
from scenefer.core.schema import EMOTIONS
from scenefer.core.text import printable

if TYPE_CHECKING:
    from scenefer.core.film import Film
    from scenefer.library.batch import Batch
    from scenefer.library.orders import Named

NScenes = Annotated[int | None, typer.Option(help="Number of scenes to guess; default: decided automatically.", min=1)]
Profile = Annotated[str, typer.Option(help="fast, standard or thorough.")]
PlanFile = Annotated[str | None, typer.Option(help="TOML file with settings that differ from the defaults.")]


def analyze(
    films: Annotated[
        list[Path], typer.Argument(metavar="FILM...", help="Films, stills, or folders of stills.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports"),
    data: Annotated[
        Path | None, typer.Option(help="Folder of the cache; default: `data` next to --out.", envvar="SCENEFER_DATA")
    ] = None,
    scenes: Annotated[
        Path | None,
        typer.Option(help="List of scenes: CSV, EDL, OTIO, XML or FCPXML; for several films a folder of lists."),
    ] = None,
    intended: Annotated[
        Path | None,
        typer.Option(
            help="The same, with the emotion each scene is meant to show; gives the scenes if --scenes is absent."
        ),
    ] = None,
    every_clip: EveryClip = False,
    timecode_start: TimecodeStart = None,
    words: Words = None,
    n_scenes: NScenes = None,
    profile: Profile = "standard",
    plan: PlanFile = None,
    sample_rate: Annotated[float | None, typer.Option(help="Samples per second of film.")] = None,
    start: Annotated[str | None, typer.Option(help="Begin here: seconds, H:MM:SS.mmm or H:MM:SS:FF.")] = None,
    end: Annotated[str | None, typer.Option(help="Stop here.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    weights: Annotated[str | None, typer.Option(help="Name or file of the expression weights.")] = None,
    detector: Annotated[str | None, typer.Option(help="yunet or mtcnn.")] = None,
    identity: Annotated[
        str | None,
        typer.Option(help="Network that tells people apart: face_identity, or facenet after `weights pull`."),
    ] = None,
    no_identity: Annotated[bool, typer.Option("--no-identity", help="Do not group tracks into people.")] = False,
    cast: Cast = None,
    keep_identity: Annotated[
        bool,
        typer.Option(
            "--keep-identity", help="Store the identity vectors of faces in the run; by default they are discarded."
        ),
    ] = False,
    dense: Annotated[
        bool,
        typer.Option(
            "--dense", help="Find 68 points of each face: who speaks, and how is a face read while its mouth is shut?"
        ),
    ] = False,
    reader: Annotated[str | None, typer.Option(help="pyav or decord.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; 0 = one per core.", min=0)] = None,
    lang: Annotated[str | None, typer.Option(help="Language of the report: en or id.")] = None,
    no_crops: Annotated[bool, typer.Option("--no-crops", help="Keep no pictures of faces.")] = False,
    proxy: Annotated[
        bool, typer.Option("--proxy", help="Write proxy.mp4 into the run: a small copy that every browser plays.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one summary object on stdout.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the report.")] = False,
) -> None:
    """Analyse films and write a report of each."""
    from scenefer.library import batch, orders
    from scenefer.pipeline.plans import make_plan

    if identity and no_identity:
        raise PlanError(f"--identity {identity} and --no-identity exclude each other; give one of them")
    if keep_identity and (no_identity or no_crops):
        without = "--no-identity" if no_identity else "--no-crops"
        raise PlanError(f"--keep-identity and {without} exclude each other; give one of them")
    if dense and no_crops:
        raise PlanError("--dense and --no-crops exclude each other; mouths are measured in the pictures of faces")
    options = {
        "observation.sample_rate": sample_rate,
        "observation.detector": detector,
        "observation.reader": reader,
        "observation.crops": False if no_crops else None,
        "models.identity": "" if no_identity else identity,
        "actors.keep_vectors": True if keep_identity else None,
        "models.landmarks": "dense" if dense else None,
        "models.device": device,
        "models.expression": weights,
        "scenes.n_scenes": n_scenes,
        "report.language": lang,
        "run.workers": workers,
    }
    settings = make_plan(profile, plan, options, words)
    orders.demand_models(settings)
    demand(*films)
    data = data or out.parent / "data"
    demand_places(out, data)
    beside = orders.Beside(scenes, intended, every_clip, timecode_start, cast)
    asked = orders.of_films(films, settings, data, out, beside, part=(start, end), say=complain)
    name = f"{len(asked.films)} films" if len(asked.films) > 1 else films[0].name
    with terminal.progress_bar(name, err) as tell:
        work = batch.analyze(asked.order, tell)
    raise typer.Exit(_tell_films(films, asked, work, proxy=proxy, as_json=as_json, open_=open_))


def _tell_films(films: Sequence[Path], asked: Named, work: Batch, *, proxy: bool, as_json: bool, open_: bool) -> int:
    """Print the result of each film; return the exit code."""
    summaries, failures = [], []
    for path in films:
        task = work.queue.tasks.get(path)
        if task is None or task.folder is None:
            message = asked.refused.get(path) or (task.failure.message if task and task.failure else work.stopped)
            failures.append({"film": printable(path), "error": printable(message)})
            if task is not None:
                complain(message)
            continue
        if proxy and asked.films[path].kind == "video":
            _write_proxy(asked.films[path], task.folder, as_json=as_json)
        summaries.append(_tell_run(task.folder, as_json=as_json))
        if open_:
            typer.launch((task.folder / REPORT).resolve().as_uri())
    if as_json:
        print(json.dumps({"films": summaries, "failures": failures}, indent=1))
    return 0 if not failures else 1 if summaries else 3


def _write_proxy(film: Film, folder: Path, *, as_json: bool) -> None:
    from scenefer.video.proxy import write_proxy

    with terminal.progress_bar(film.path.name, err) as tell:
        write_proxy(film, folder / PROXY, lambda reached: tell("proxy", reached, film.duration))
    if not as_json:
        say(f"proxy: {folder / PROXY}")


def _tell_run(folder: Path, *, as_json: bool) -> dict[str, Any]:
    """Print the scenes of a film, unless JSON was asked for; return the film's summary."""
    from scenefer.cli import scene_table
    from scenefer.interchange.scene_records import summary
    from scenefer.pipeline import edited_runs

    loaded = edited_runs.load(folder)
    page = folder / REPORT
    if not as_json:
        scene_table.print_scenes(output.out, loaded, folder)
        for warning in loaded.run["warnings"]:
            say(f"note: {warning}")
        say(f"report: {page}")
    return {**summary(loaded), "run": printable(folder), "report": printable(page)}


def scenes(
    film: Annotated[Path, typer.Argument(help="The film.")],
    to: Annotated[Path | None, typer.Option(help="The sheet to write; default: <film>.csv here.")] = None,
    scenes: Annotated[
        Path | None,
        typer.Option(help="Take the scenes from this list (CSV, EDL, OTIO, XML or FCPXML) instead of guessing."),
    ] = None,
    every_clip: EveryClip = False,
    timecode_start: TimecodeStart = None,
    words: Words = None,
    n_scenes: NScenes = None,
    profile: Profile = "standard",
    plan: PlanFile = None,
    data: Annotated[Path, typer.Option(help="Folder of the cache.", envvar="SCENEFER_DATA")] = Path("data"),
) -> None:
    """Write the scenes of a film, guessed or from a list, as a sheet to fill in, with pictures of each."""
    from scenefer.comparison.intentions import shipped_words
    from scenefer.interchange import matching, scene_lists, templates
    from scenefer.pipeline import film_analysis, inputs
    from scenefer.pipeline.executors.processes import processes
    from scenefer.pipeline.plans import make_plan

    settings = make_plan(profile, plan, {"scenes.n_scenes": n_scenes}, words)
    sheet = to or Path(f"{film.stem}.csv")
    demand(film)
    templates.refuse_existing(sheet)
    found = inputs.open_film(film, timecode_start)
    sheets = matching.matched_lists([film], scenes, complain)
    lists = scene_lists.read_lists(found, sheets.get(film), None, every_clip=every_clip, words=settings.words)
    with terminal.progress_bar(film.name, err) as tell:
        divided, pictures = film_analysis.divide_film(
            found, settings, lists, data=data, executor=processes, progress=tell
        )
    templates.write_template(divided.scenes, sheet, lists.scenes)
    folder = templates.write_pictures(divided.scenes, divided.shots, pictures, sheet)
    for notice in lists.notices:
        say(f"note: {notice}")
    n, origin = len(divided.scenes), "listed" if lists.scenes is not None else "guessed"
    say(f"{n} {origin} scene{'s' * (n != 1)}: {sheet}")
    say(f"pictures of them: {folder}")
    say(f"write into its column intended what each is meant to show: {', '.join(EMOTIONS)}, or happy:0.6;neutral:0.4")
    say(f"or {len(shipped_words())} other words, like tense and tender: scenefer words tells what they stand for")
    say(f"then: scenefer analyze {output.quoted(film)} --intended {output.quoted(sheet)}")
