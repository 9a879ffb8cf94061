"""Commands on libraries: many films, with their reports in one folder and their cache next to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from scenefer.cli import output, terminal
from scenefer.cli.output import out, require_paths, say
from scenefer.core.errors import PlanError, SceneferError
from scenefer.core.language import Language


def library(
    reports: Annotated[Path, typer.Argument(metavar="[REPORTS]", help="Folder of the reports.")] = Path("reports"),
    lang: Annotated[str, typer.Option(help="Language of the page: en or id.")] = "en",
    groups: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV",
            help="Table of films, with columns to group them by: director, year, genre. It is stored in the library.",
        ),
    ] = None,
    no_groups: Annotated[bool, typer.Option("--no-groups", help="Remove the stored table of groups.")] = False,
) -> None:
    """Gather the reports in a folder into one page and into tables of all films."""
    from scenefer.library import catalogue
    from scenefer.library import groups as film_groups

    require_paths(reports)
    if no_groups:
        film_groups.forget(reports)
    if groups is not None:
        film_groups.keep(reports, groups)
    say(f"library: {catalogue.write(reports, Language(lang))}")


def status(
    place: Annotated[Path, typer.Argument(metavar="LIBRARY", help="Folder of the films, the reports or the cache.")],
    reports: Annotated[Path | None, typer.Option("--out", help="Folder of the reports.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of the cache.", envvar="SCENEFER_DATA")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object on stdout.")] = False,
) -> None:
    """Show the progress of a library, from the files on disk, even while a batch is running."""
    from scenefer.library import status as standing

    require_paths(place)
    found = standing.read_status(*standing.locate(place, reports, data))
    if as_json:
        print(json.dumps(terminal.status_record(found), indent=1))
    else:
        out.print(terminal.status_table(found))


def cache(
    data: Annotated[
        Path | None, typer.Option(help="Folder of the cache; default: `data` next to --out.", envvar="SCENEFER_DATA")
    ] = None,
    reports: Annotated[list[Path] | None, typer.Option("--out", help="Folders of reports that use this cache.")] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove what no report refers to, after confirmation.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one object on stdout.")] = False,
) -> None:
    """Show what is in the cache and how large it is; remove what no report refers to."""
    from scenefer.library import cache_pruning
    from scenefer.library import status as standing

    places = reports or [Path("reports")]
    folder = data or places[0].parent / "data"
    require_paths(folder)
    if not folder.is_dir():
        raise PlanError(f"{folder} is no folder of a cache")
    uses = None
    try:
        uses = [use for place in places for use in cache_pruning.uses_of(place)]
    except SceneferError as error:
        if prune:
            raise
        output.complain(str(error))

    def finishing() -> list[str]:
        return [name for place in places for name in standing.finishing(place)]

    kept = list(cache_pruning.survey(folder, uses, finishing()))
    if as_json:
        print(json.dumps(terminal.cache_record(kept), indent=1))
    else:
        out.print(terminal.cache_table(kept, folder))
        for name, size in cache_pruning.besides(folder).items():
            say(f"besides: {folder / name}, {terminal.bytes_in_words(size)}")
    freed = [part for part in kept if part.freed]
    if not prune or not freed:
        return
    size = terminal.bytes_in_words(sum(part.freed for part in freed))
    if not yes:
        if not output.err.is_terminal:
            raise PlanError(f"{size} would be removed from {folder}; say --yes where nobody can be asked")
        typer.confirm(f"Remove what no report refers to, {size}?", abort=True, err=True)
    # Another process may have started to read a film while the user was being asked.
    freed = cache_pruning.still_idle(freed, folder, finishing())
    say(f"freed: {terminal.bytes_in_words(cache_pruning.prune(freed, folder))}")
