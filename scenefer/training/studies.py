"""Studies: published tables that anybody can run again on data of their own, beside scenefer's networks.

A study is TOML (``pipelines/studies``): what the paper is, a recipe that all rows share, and the rows, each with a
network, sets to learn from, sets to be tried on, and the figures that were published. A row whose data are absent
stays in the table and says where they are to be had.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from scenefer.core import atomic, config
from scenefer.core.errors import OutputError, PlanError, SceneferError, unwritable
from scenefer.training import light_distance, study_page, study_rows
from scenefer.training.study_data import Shelf
from scenefer.training.study_file import FOLDER, NOTE, Row, Study, read, slug
from scenefer.training.study_rows import RESULT, Progress

TABLE, PAGE = "table.parquet", "index.html"


def run(
    name: str,
    data: Sequence[Path],
    out: Path,
    budget: float | None = None,
    *,
    device: str = "cpu",
    progress: Progress = lambda *_: None,
    tell: Callable[[str], None] = lambda _: None,
) -> pd.DataFrame:
    """Run a study, or what is left of it; the table and the page are written anew after each row.

    Args:
        name: of a study that ships, or a TOML file.
        data: folders with the data sets, named as the study names them.
        budget: hours for all rows that are left; each gets an equal share of what remains. None = as their recipes say.

    Returns:
        The table, a row a network and test.

    Raises:
        PlanError: there is no such study, it makes no sense, or ``out`` holds another, or rows of another recipe.
        OutputError: ``out`` cannot be written.
    """
    study = read(config.find(name, FOLDER, "study"))
    _claim(out, study)
    if study.kind == "light_distance":
        table = light_distance.run(data, progress)
        _write(out, study, table)
        return table
    for row in study.rows:
        study_rows.refuse_another(row, out / slug(row.name))
    shelf, began, reasons = Shelf(data), time.monotonic(), dict[str, str]()
    learned = [row for row in study.rows if (out / slug(row.name) / RESULT).exists()]
    tried_later = [row for row in learned if study_rows.untried(row, shelf, out / slug(row.name))]
    left = [row for row in study.rows if row not in learned and not shelf.missing(row.learn)]
    for number, row in enumerate([*tried_later, *left], -len(tried_later)):
        seconds = None
        if budget is not None and number >= 0:
            seconds = (budget * 3600 - (time.monotonic() - began)) / (len(left) - number)
            if seconds <= 0:
                reasons[row.name] = "the budget is spent; call again"
                continue
        try:
            study_rows.run(row, shelf, out / slug(row.name), seconds, device, progress)
            tell(_told(row, study_rows.result(out / slug(row.name))))
        except OutputError:
            raise
        except SceneferError as error:  # a set, timm or a trunk is missing or damaged: the others can be run
            reasons[row.name] = str(error)
        except OSError as error:
            raise unwritable(out, error, "choose another folder as --out") from error
        _write(out, study, table_of(study, out, shelf, reasons))
    table = table_of(study, out, shelf, reasons)
    _write(out, study, table)
    return table


def _told(row: Row, result: dict[str, Any]) -> str:
    found = [
        f"{test} {one['accuracy']:.1%} (n = {one['n']})" for test, one in result["tests"].items() if "accuracy" in one
    ]
    return f"{row.name}: {', '.join(found) or 'no test is here'} after {result['seconds'] / 60:.1f} minutes"


def table_of(study: Study, out: Path, shelf: Shelf, reasons: dict[str, str]) -> pd.DataFrame:
    """Put together what is known of a study: a row a network and test, absent figures null, with the reason."""
    rows = []
    for row in study.rows:
        done = study_rows.result(out / slug(row.name))
        for test in row.test:
            found = done["tests"].get(test, {})
            missing = ""
            if "accuracy" not in found:
                needed = [test] if "learned" in done else [*row.learn, test]
                missing = shelf.missing(needed) or found.get("missing") or reasons.get(row.name, "not run yet")
            found = done.get("learned", {}) | found if not missing else {}
            rows.append(
                {
                    **{"row": row.name, "network": row.recipe.network, "learned": " + ".join(row.learn), "test": test},
                    **{key: found.get(key) for key in ("n", "n_missed", "accuracy", "low", "high", "top5", "loss")},
                    **{"published": row.published.get(test), "published_top5": row.published_top5.get(test)},
                    **{key: found.get(key) for key in ("epochs", "planned", "n_learned", "started_from", "recovered")},
                    **{key: found.get(key) for key in ("recall", "macro_f1", "faces_a_second")},
                    "seconds": done.get("seconds"),
                    "recipe": json.dumps(asdict(row.recipe)),
                    "missing": missing,
                }
            )
    return pd.DataFrame(rows)


def _claim(out: Path, study: Study) -> None:
    """Make a study's folder, or check that it is this study's."""
    note = out / NOTE
    try:
        out.mkdir(parents=True, exist_ok=True)
        if note.exists() and note.read_text(encoding="utf-8") != study.name:
            raise PlanError(f"{out} holds the study {note.read_text(encoding='utf-8')}; choose another --out")
        atomic.write_whole(note, study.name.encode())
    except OSError as error:
        raise unwritable(out, error, "choose another folder as --out") from error


def _write(out: Path, study: Study, table: pd.DataFrame) -> None:
    beside = out / f"{TABLE}.tmp"
    try:
        table.to_parquet(beside)
        beside.replace(out / TABLE)
        page = study_page.page(study.title, study.paper, study.about, table)
        atomic.write_whole(out / PAGE, page.encode())
    except OSError as error:
        raise unwritable(out, error, "choose another folder as --out") from error
