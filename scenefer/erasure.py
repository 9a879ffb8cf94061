"""Forgetting: pictures and vectors of people leave a run and the cache; numbers about expressions stay.

    run     crops in table FACES, table PICTURES, table VECTORS, pictures/, and whatever else lies in its folder: films
            with boxes drawn in, figures; the report is rendered again
    cache   everything that was observed of the film

Each step is a renaming or the deletion of what was renamed, so that a call that was interrupted is completed by the
next, and a call on what is forgotten already changes nothing.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer import analysis, exchange, run, store, tables
from scenefer.errors import OutputError, printable

if TYPE_CHECKING:
    from scenefer.analysis import Analysis

_REST = (
    "copies of the report and its pictures (of those of `batch --copy-to`, until it copies again), pictures beside a "
    "sheet of scenes, exports and annotated films elsewhere",
    "backups, snapshots and the trash of this machine, and what its disk still holds of deleted files",
    "the film itself, and the cast folder",
)
_KEPT = (
    "numbers: where and when faces were, their expressions, which tracks were grouped into one person; and names from "
    "a cast folder or a sheet"
)


@dataclass(frozen=True)
class Erasure:
    """What was forgotten, in words."""

    removed: tuple[str, ...]  # empty where there was nothing left
    kept: tuple[str, ...]  # what the run still says
    beyond: tuple[str, ...]  # what cannot be reached from here


def forget(folder: Path, data: Path | None = None) -> Erasure:
    """Delete the pictures and vectors of people from a run and from the cache, and render the report without them.

    Args:
        folder: of the run.
        data: of a cache, beside the one that the run names, or that lies where it does by default.

    Raises:
        SceneferError: the folder holds no run.
        OutputError: something cannot be deleted or written; the call can be repeated.
    """
    folder = folder.resolve()  # of a link, what it leads to
    try:
        removed = _complete(folder)
        earlier = analysis.load(folder)
        caches = _caches(earlier, folder, data)
        for cache in caches:
            removed += _from_cache(cache, earlier.film.id)
        removed += _from_run(earlier, folder)
        _complete(folder)  # what could not be removed is not passed over
    except OSError as error:
        raise OutputError(
            f"{printable(folder)}: not all could be deleted: {error.strerror}; put that right and repeat"
        ) from error
    missing = [] if any((cache / "observed").is_dir() for cache in caches) else [_no_cache(caches)]
    return Erasure(tuple(removed), (_KEPT,), (*missing, *_REST, *_other_runs(folder, earlier.film.id)))


def _caches(earlier: Analysis, folder: Path, data: Path | None) -> list[Path]:
    """List where the cache may lie: where the run says, where it does by default, and where the user says."""
    stated = earlier.run.get("cache")
    places = (Path(stated) if stated else None, folder.parent.parent / "data", data)
    return list(dict.fromkeys(place.resolve() for place in places if place is not None))


def _no_cache(caches: list[Path]) -> str:
    places = " nor ".join(printable(cache) for cache in caches)
    return f"a cache: there is none at {places}; if it was moved, repeat with --data"


def _complete(folder: Path) -> list[str]:
    """Finish what an interrupted call, or an interrupted writing of the run, has left beside the run."""
    aside, unfinished = exchange.leftovers(folder)
    if aside and not folder.exists():
        os.rename(aside.pop(), folder)
    left = [*aside, *unfinished]
    for path in left:
        shutil.rmtree(path)
    return [f"{printable(path)}, left by an interrupted call" for path in left]


def _from_cache(data: Path, film_id: str) -> list[str]:
    """Delete what was observed of a film."""
    observed = store.film_folder(data, film_id)
    pieces = [path for path in observed.glob("*/*") if path.is_dir()]
    n_bytes = sum(path.stat().st_size for path in observed.rglob("*") if path.is_file())
    doomed = observed.with_name(f"{observed.name}.{os.getpid()}.forgotten.tmp")
    if observed.exists():
        os.rename(observed, doomed)
    for path in observed.parent.glob(f"{film_id}.*.forgotten.tmp"):
        shutil.rmtree(path)
    return [f"{printable(observed)}: {len(pieces)} observed pieces, {n_bytes / 1e6:.1f} MB"] if pieces else []


def _from_run(earlier: Analysis, folder: Path) -> list[str]:
    """Write the run again without pictures and vectors; whatever else lies in its folder goes with the exchange."""
    n_crops = int(earlier.faces["crop"].notna().sum())
    n_vectors = 0 if earlier.vectors is None else len(earlier.vectors)
    counts = ((n_crops, "pictures of faces"), (n_vectors, "vectors"), (len(earlier.pictures), "keyframes"))
    removed = [f"{printable(folder)}: {n} {what}" for n, what in counts if n]
    before = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    without = replace(
        earlier,
        faces=earlier.faces.assign(crop=None),
        pictures=tables.empty("pictures"),
        vectors=None,
        run={**earlier.run, "forgotten": earlier.run.get("forgotten") or datetime.now(UTC).date().isoformat()},
    )
    if removed or "forgotten" not in earlier.run or before - _needed(before):
        run.write(without, folder, keep_others=False)
    after = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    gone = [path for path in sorted(before - after) if path.name != "vectors.parquet"]  # they are counted above
    files = Counter(path.parent for path in gone if path.parent != Path("."))
    removed += [f"{printable(folder / inside)}: {n} files" for inside, n in files.items()]
    return removed + [printable(folder / path) for path in gone if path.parent == Path(".")]


def _needed(files: set[Path]) -> set[Path]:
    """Return those files of a run that hold no picture of anybody, once it is forgotten."""
    return {
        path
        for path in files
        if path.suffix == ".parquet" or path.name in ("report.html", "run.json", "sheet.csv", exchange.LOG)
    }


def _other_runs(folder: Path, film_id: str) -> list[str]:
    """Name the runs beside this one that are of the same film: they have pictures of their own."""
    others = []
    for record in sorted(folder.parent.glob("*/run.json")):
        text = record.read_text(encoding="utf-8", errors="replace")
        if record.parent != folder and f'"id": "{film_id}"' in text and '"forgotten"' not in text:
            others.append(f"another run of this film: scenefer forget {printable(record.parent)}")
    return others
