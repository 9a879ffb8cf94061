"""Commands on libraries: many films, their reports in one folder, their cache beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from scenefer import console
from scenefer.cli import speech
from scenefer.cli.speech import demand, out, say
from scenefer.errors import PlanError, SceneferError
from scenefer.language import Language


def library(
    reports: Annotated[Path, typer.Argument(metavar="[REPORTS]", help="Folder of the reports.")] = Path("reports"),
    lang: Annotated[str, typer.Option(help="Of the page: en or id.")] = "en",
) -> None:
    """Gather the reports in a folder into one page and into tables of all films."""
    from scenefer import library as libraries

    demand(reports)
    say(f"library: {libraries.write(reports, Language(lang))}")


def status(
    place: Annotated[Path, typer.Argument(metavar="LIBRARY", help="Folder of the films, the reports or the cache.")],
    reports: Annotated[Path | None, typer.Option("--out", help="Folder of the reports.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the cache.", envvar="SCENEFER_DATA")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object on stdout.")] = False,
) -> None:
    """Tell how far a library is, from what lies on disk, also while a batch works on it."""
    from scenefer import status as standing

    demand(place)
    found = standing.read_status(*standing.locate(place, reports, data))
    if as_json:
        print(json.dumps(console.status_record(found), indent=1))
    else:
        out.print(console.status_table(found))


def cache(
    data: Annotated[
        Path | None, typer.Option(help="Folder of the cache; else `data` beside --out.", envvar="SCENEFER_DATA")
    ] = None,
    reports: Annotated[list[Path] | None, typer.Option("--out", help="Folders of reports that it serves.")] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Remove what no report refers to, after a question.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object on stdout.")] = False,
) -> None:
    """Say what lies in the cache and how large it is; remove what no report refers to."""
    from scenefer import housekeeping
    from scenefer import status as standing

    places = reports or [Path("reports")]
    folder = data or places[0].parent / "data"
    demand(folder)
    if not folder.is_dir():
        raise PlanError(f"{folder} is no folder of a cache")
    uses = None
    try:
        uses = [use for place in places for use in housekeeping.uses_of(place)]
    except SceneferError as error:
        if prune:
            raise
        speech.complain(str(error))

    def finishing() -> list[str]:
        return [name for place in places for name in standing.finishing(place)]

    kept = list(housekeeping.survey(folder, uses, finishing()))
    if as_json:
        print(json.dumps(console.cache_record(kept), indent=1))
    else:
        out.print(console.cache_table(kept, folder))
        for name, size in housekeeping.besides(folder).items():
            say(f"besides: {folder / name}, {console.bytes_in_words(size)}")
    freed = [part for part in kept if part.freed]
    if not prune or not freed:
        return
    size = console.bytes_in_words(sum(part.freed for part in freed))
    if not yes:
        if not speech.err.is_terminal:
            raise PlanError(f"{size} would be removed from {folder}; say --yes where nobody can be asked")
        typer.confirm(f"Remove what no report refers to, {size}?", abort=True, err=True)
    # Somebody may have begun to read a film while the question was open.
    freed = housekeeping.still_idle(freed, folder, finishing())
    say(f"freed: {console.bytes_in_words(housekeeping.prune(freed, folder))}")
