"""The command for validation: people judge a sample of faces, which measures how far a run can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scenefer.cli.options import Run
from scenefer.cli.output import say, say_lines
from scenefer.core import atomic
from scenefer.core.errors import PlanError, SheetError
from scenefer.core.language import Language
from scenefer.core.run_folder import CODING_PAGE


def validate(
    folder: Run,
    codes: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[CODES]...", help="What people judged: one CSV per person, saved from the page."),
    ] = None,
    n: Annotated[int | None, typer.Option("--n", min=2, help="Number of faces to draw; default: 200.")] = None,
    seed: Annotated[int, typer.Option(help="Random seed of the sample.")] = 0,
    new: Annotated[
        bool, typer.Option("--new", help="Draw another sample; judgements of the last one become void.")
    ] = False,
    lang: Annotated[str | None, typer.Option(help="en or id; default: the language of the run's report.")] = None,
) -> None:
    """Let people judge a random sample of faces; from that, estimate how far to trust the run, and correct it.

    Without CODES, write a page into the run that shows the faces one by one, without the detected expressions.
    """
    from dataclasses import replace

    from scenefer.comparison import validation
    from scenefer.comparison.coding_sample import check_sample, draw_sample, sample_id, shown
    from scenefer.interchange.judgements import read_judgements
    from scenefer.pipeline import edited_runs, film_analysis, kept_judgements, locks
    from scenefer.report import coding_page

    settled = (kept_judgements.NO_SAMPLE, kept_judgements.NOT_COUNTED)
    with locks.rewriting(folder):
        loaded = edited_runs.load(folder)
        sample = loaded.validation_sample
        if codes:
            if n is not None or new:
                raise PlanError("--n and --new draw a sample; leave them out where judgements are given")
            if sample is None:
                raise SheetError(
                    f"no sample was drawn of {folder}: scenefer validate {folder} writes the page to judge"
                )
            judged = read_judgements(codes, sample_id(sample, loaded.film.id), set(shown(sample)))
            found = validation.evaluate(loaded, sample, judged)
            run = {**kept_judgements.without_warnings(loaded.run, *settled), "validation": found.record}
            film_analysis.write(replace(loaded, validated=found.table, run=run), folder)
            say_lines(validation.summary(found, loaded))
            say(f"table: {folder / 'tables' / 'validated.parquet'}")
            return
        if sample is None or new:
            sample = draw_sample(loaded.expressions, n or 200, seed)
            run = kept_judgements.without_warnings(loaded.run, *settled)
            run.pop("validation", None)
            page = coding_page.render(loaded, sample, Language(lang) if lang else film_analysis.language_of(loaded))
            film_analysis.write(replace(loaded, validation_sample=sample, validated=None, run=run), folder)
        else:
            check_sample(sample, loaded.expressions)
            if n not in (None, len(shown(sample))):
                raise PlanError(
                    f"a sample of {len(shown(sample))} faces is drawn; --new draws another, and voids its codes"
                )
            page = coding_page.render(loaded, sample, Language(lang) if lang else film_analysis.language_of(loaded))
        atomic.write_result(folder / CODING_PAGE, page.encode(), "free space, or choose a run that may be written")
    say(f"{len(shown(sample))} faces to judge: {folder / CODING_PAGE}")
    say(f"then: scenefer validate {folder} codes-….csv")
