"""Forget people: remove their pictures and vectors from a run and from the cache; keep numbers about expressions.

    run     crops in table FACES, table PICTURES, table VECTORS, pictures/, and whatever else lies in its folder: films
            with boxes drawn in, figures; the report is rendered again
    cache   everything that was observed of the film

Each step is a rename or the deletion of what was renamed. So the next call completes an interrupted one, and a call on
a run that is already forgotten changes nothing.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer.core import run_folder, tables
from scenefer.core.errors import OutputError
from scenefer.core.text import printable
from scenefer.pipeline import edited_runs, film_analysis, observation_cache

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis

_REST = (
    "copies of the report and its pictures (of those of `batch --copy-to`, until it copies again), pictures beside a "
    "sheet of scenes, exports and annotated films elsewhere",
    "pages in which `compare` set this run beside another, in the folder of that one or elsewhere",
    "backups, snapshots and the trash of this machine, and what its disk still holds of deleted files",
    "the film itself, and the cast folder",
)
_KEPT = (
    "numbers: where and when faces were, their expressions, which tracks were grouped into one person; and names from "
    "a cast folder, a sheet or edits by hand"
)


@dataclass(frozen=True)
class Erasure:
    """What was forgotten, in words."""

    removed: tuple[str, ...]  # empty if there was nothing left to remove
    kept: tuple[str, ...]  # what the run still says
    beyond: tuple[str, ...]  # what cannot be reached from here


def forget(folder: Path, data: Path | None = None) -> Erasure:
    """Delete the pictures and vectors of people from a run and from the cache, and render the report without them.

    Args:
        folder: of the run.
        data: another cache, in addition to the one that the run names and the one at the default place.

    Raises:
        SceneferError: the folder holds no run.
        OutputError: something cannot be deleted or written; the call can be repeated.
    """
    folder = folder.resolve()  # if it is a link, its target
    try:
        removed = _complete(folder)
        earlier = edited_runs.with_kept(edited_runs.measured(folder), folder)
        caches = _caches(earlier, folder, data)
        for cache in caches:
            removed += _from_cache(cache, earlier.film.id)
        removed += _from_run(earlier, folder)
        _complete(folder)  # raises if something could not be removed
    except OSError as error:
        raise OutputError(
            f"{printable(folder)}: not all could be deleted: {error.strerror}; put that right and repeat"
        ) from error
    missing = [] if any(observation_cache.observed_folder(cache).is_dir() for cache in caches) else [_no_cache(caches)]
    return Erasure(tuple(removed), (_KEPT,), (*missing, *_REST, *_other_runs(folder, earlier.film.id)))


def _caches(earlier: Analysis, folder: Path, data: Path | None) -> list[Path]:
    """List the possible places of the cache: as stated in the run, the default, and as given by the user."""
    stated = earlier.run.get("cache")
    places = (Path(stated) if stated else None, folder.parent.parent / "data", data)
    return list(dict.fromkeys(place.resolve() for place in places if place is not None))


def _no_cache(caches: list[Path]) -> str:
    places = " nor ".join(printable(cache) for cache in caches)
    return f"a cache: there is none at {places}; if it was moved, repeat with --data"


def _complete(folder: Path) -> list[str]:
    """Finish an interrupted call or an interrupted write of the run: clean up what it left next to the run."""
    aside, unfinished = run_folder.leftovers(folder)
    if aside and not folder.exists():
        os.rename(aside.pop(), folder)
    left = [*aside, *unfinished]
    for path in left:
        shutil.rmtree(path)
    return [f"{printable(path)}, left by an interrupted call" for path in left]


def _from_cache(data: Path, film_id: str) -> list[str]:
    """Delete what was observed of a film."""
    observed = observation_cache.film_folder(data, film_id)
    chunks = [path for path in observed.glob("*/*") if path.is_dir()]
    n_bytes = sum(path.stat().st_size for path in observed.rglob("*") if path.is_file())
    doomed = observed.with_name(f"{observed.name}.{os.getpid()}.forgotten.tmp")
    if observed.exists():
        os.rename(observed, doomed)
    for path in observed.parent.glob(f"{film_id}.*.forgotten.tmp"):
        shutil.rmtree(path)
    return [f"{printable(observed)}: {len(chunks)} observed chunks, {n_bytes / 1e6:.1f} MB"] if chunks else []


def _from_run(earlier: Analysis, folder: Path) -> list[str]:
    """Write the run again without pictures and vectors; replacing the folder removes any other files in it."""
    n_crops = int(earlier.faces["crop"].notna().sum())
    n_vectors = 0 if earlier.vectors is None else len(earlier.vectors)
    measured = earlier.measured or earlier
    counts = ((n_crops, "pictures of faces"), (n_vectors, "vectors"), (len(measured.pictures), "keyframes"))
    removed = [f"{printable(folder)}: {n} {what}" for n, what in counts if n]
    before = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    without = replace(
        earlier,
        faces=earlier.faces.assign(crop=None),
        pictures=tables.empty("pictures"),
        measured=earlier.measured and replace(earlier.measured, pictures=tables.empty("pictures")),
        vectors=None,
        run={**earlier.run, "forgotten": earlier.run.get("forgotten") or datetime.now(UTC).date().isoformat()},
    )
    if removed or "forgotten" not in earlier.run or before - _needed(before):
        film_analysis.write(without, folder, keep_others=False)
    after = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    gone = [path for path in sorted(before - after) if path.name != "vectors.parquet"]  # counted above already
    files = Counter(path.parent for path in gone if path.parent != Path("."))
    removed += [f"{printable(folder / inside)}: {n} files" for inside, n in files.items()]
    return removed + [printable(folder / path) for path in gone if path.parent == Path(".")]


def _needed(files: set[Path]) -> set[Path]:
    """Return the files of a run that contain no pictures of people once the run is forgotten."""
    return {
        path
        for path in files
        if path.suffix == ".parquet"
        or path.name
        in (
            run_folder.REPORT,
            run_folder.RECORD,
            "sheet.csv",
            run_folder.LOG,
            run_folder.EDITS,
            run_folder.FORMER_EDITS,
        )
    }


def _other_runs(folder: Path, film_id: str) -> list[str]:
    """List other runs of the same film in the same folder: they have their own pictures."""
    others = []
    for record in sorted(folder.parent.glob(f"*/{run_folder.RECORD}")):
        text = record.read_text(encoding="utf-8", errors="replace")
        if record.parent != folder and f'"id": "{film_id}"' in text and '"forgotten"' not in text:
            others.append(f"another run of this film: scenefer forget {printable(record.parent)}")
    return others
