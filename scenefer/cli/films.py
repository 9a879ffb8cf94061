"""Commands that read films: ``analyze`` and ``scenes``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scenefer.cli import options, output, terminal
from scenefer.cli.output import complain, err, refuse_both, require_paths, require_places, say
from scenefer.core.run_folder import PROXY, REPORT
from scenefer.core.schema import EMOTIONS
from scenefer.core.text import printable

if TYPE_CHECKING:
    from scenefer.core.film import Film
    from scenefer.library.batch import Batch
    from scenefer.library.orders import Beside, Named
    from scenefer.pipeline.plans import Plan


def analyze(
    films: options.Films,
    out: options.Reports = Path("reports"),
    data: options.CacheBeside = None,
    scenes: options.SceneLists = None,
    intended: options.IntendedLists = None,
    every_clip: options.EveryClip = False,
    timecode_start: options.TimecodeStart = None,
    words: options.Words = None,
    n_scenes: options.NScenes = None,
    profile: options.Profile = "standard",
    plan: options.PlanFile = None,
    sample_rate: options.SampleRate = None,
    start: options.Start = None,
    end: options.End = None,
    device: options.Device = None,
    weights: options.Weights = None,
    detector: options.Detector = None,
    identity: options.Identity = None,
    no_identity: options.NoIdentity = False,
    cast: options.Cast = None,
    keep_identity: options.KeepIdentity = False,
    dense: options.Dense = False,
    reader: options.Reader = None,
    workers: options.Workers = None,
    lang: options.ReportLanguage = None,
    no_crops: options.NoCrops = False,
    proxy: options.Proxy = False,
    as_json: options.AsSummary = False,
    open_: options.OpenReport = False,
) -> None:
    """Analyse films and write a report of each."""
    from scenefer.library.orders import Beside
    from scenefer.pipeline.plans import make_plan

    refuse_both(identity and f"--identity {identity}", no_identity and "--no-identity")
    refuse_both(keep_identity and "--keep-identity", (no_identity and "--no-identity") or (no_crops and "--no-crops"))
    refuse_both(dense and "--dense", no_crops and "--no-crops", "mouths are measured in the pictures of faces")
    stated = {
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
    settings = make_plan(profile, plan, stated, words)
    beside = Beside(scenes, intended, every_clip, timecode_start, cast)
    asked, work = _analyze(films, settings, out, data or out.parent / "data", beside, part=(start, end))
    raise typer.Exit(_tell_films(films, asked, work, proxy=proxy, as_json=as_json, open_=open_))


def _analyze(
    films: Sequence[Path],
    settings: Plan,
    out: Path,
    data: Path,
    beside: Beside,
    *,
    part: tuple[str | None, str | None],
) -> tuple[Named, Batch]:
    """Check what the films need and what lies beside them, then analyse them."""
    from scenefer.library import batch, orders

    orders.require_models(settings)
    require_paths(*films)
    require_places(out, data)
    asked = orders.of_films(films, settings, data, out, beside, part=part, say=complain)
    name = f"{len(asked.films)} films" if len(asked.films) > 1 else films[0].name
    with terminal.progress_bar(name, err) as tell:
        return asked, batch.analyze(asked.order, tell)


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

    loaded = edited_runs.load(folder, pictures=False)
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
    every_clip: options.EveryClip = False,
    timecode_start: options.TimecodeStart = None,
    words: options.Words = None,
    n_scenes: options.NScenes = None,
    profile: options.Profile = "standard",
    plan: options.PlanFile = None,
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
    require_paths(film)
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
