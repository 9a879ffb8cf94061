"""The contents of the cache, their size, and which of them no report refers to."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from scenefer.analysis.observation import ObservationSettings
from scenefer.analysis.result import read_record
from scenefer.core import run_folder
from scenefer.core.errors import OutputError, PlanError, SceneferError
from scenefer.core.run_folder import folder_name
from scenefer.core.text import printable
from scenefer.library import status
from scenefer.pipeline import observation_cache, plans


class Use(NamedTuple):
    """What a report was made from: the ids of the film, of the observation settings and of the weights."""

    film: str
    settings: str
    weights: str


@dataclass(frozen=True)
class Kept:
    """What the cache holds for one film and one set of settings."""

    folder: Path
    film: str  # id
    name: str  # file name at the time when it was read
    settings: str  # in words: those that differ from the defaults
    n_chunks: int
    seconds: float  # film time
    size: int  # bytes
    used: bool | None  # whether a report refers to it; None = not known
    running: bool  # whether a process is working on it now
    spare: tuple[Path, ...] = field(default=())  # logits of weights that no report refers to
    spare_size: int = 0  # bytes

    @property
    def freed(self) -> int:
        """What pruning would free, bytes."""
        return 0 if self.running or self.used is None else self.spare_size if self.used else self.size


def survey(data: Path, uses: Iterable[Use] | None, finishing: Iterable[str] = ()) -> Iterator[Kept]:
    """List the contents of the cache by film and settings; skip folders whose names do not match.

    Args:
        uses: what the reports were made from; None if not known.
        finishing: the folder names of films whose reports are being written.
    """
    wanted: dict[tuple[str, str], set[str]] = {}
    for use in uses or ():
        wanted.setdefault((use.film, use.settings), set()).add(use.weights)
    at_work = _at_work(data, finishing)
    for film in _real_folders(observation_cache.observed_folder(data), observation_cache.FILM):
        for settings in _real_folders(film, observation_cache.SETTINGS):
            kept = _kept(settings, wanted.get((film.name, settings.name)))
            kept = replace(kept, running=at_work(kept))
            yield replace(kept, used=None) if uses is None else kept


def still_idle(kept: Iterable[Kept], data: Path, finishing: Iterable[str] = ()) -> list[Kept]:
    """Drop entries that a process has started to work on since the survey; for the arguments see ``survey``."""
    at_work = _at_work(data, finishing)
    return [part for part in kept if not at_work(part)]


def _at_work(data: Path, finishing: Iterable[str]) -> Callable[[Kept], bool]:
    read = {(claim.film, claim.settings) for claim in status.running(data)}
    reported = set(finishing)
    return lambda kept: (kept.film, kept.folder.name) in read or folder_name(Path(kept.name)) in reported


def besides(data: Path) -> dict[str, int]:
    """Return the sizes in bytes, by name, of everything else in the cache folder; it is never pruned."""
    found = {}
    with os.scandir(data) as entries:
        for entry in entries:
            if Path(entry.path) != observation_cache.observed_folder(data):
                is_folder = entry.is_dir(follow_symlinks=False)
                found[entry.name] = _size(Path(entry.path)) if is_folder else entry.stat(follow_symlinks=False).st_size
    return dict(sorted(found.items()))


def uses_of(reports: Path) -> Iterator[Use]:
    """Yield what each run in a folder of reports was made from.

    Raises:
        PlanError: there is no run, so nothing can be known to be unused.
        SceneferError: a run cannot be read, so that what it refers to is unknown.
    """
    found = False
    for folder in run_folder.runs_in(reports):
        found = True
        try:
            record = read_record(folder)
            plan = plans.from_record({"observation": record["settings"]["observation"]})
            weights = plans.expression_id(plan, record["weights"]["expression"]["sha256"])
            settings = plans.observe_id(plan, record["weights"]["detector"]["sha256"], weights)
            yield Use(record["film"]["id"], settings, weights)
        except (OSError, ValueError, KeyError, TypeError, PlanError) as error:
            raise SceneferError(
                f"{printable(folder)} cannot be read, so what it needs is unknown; analyse its film again or remove it"
            ) from error
    if not found:
        raise PlanError(f"{printable(reports)} has no report, so nothing is known to be superfluous; give --out")


def prune(kept: Iterable[Kept], data: Path) -> int:
    """Remove what no report refers to and no process is working on; everything else in the cache stays.

    Returns:
        The number of bytes freed.

    Raises:
        OutputError: something cannot be removed.
    """
    observed = observation_cache.observed_folder(data).resolve()
    freed = 0
    try:
        for part in kept:
            if observed not in part.folder.resolve().parents:
                raise ValueError(f"{part.folder} is not in {observed}")
            if part.freed and not part.used:
                shutil.rmtree(part.folder)
                if not any(part.folder.parent.iterdir()):
                    part.folder.parent.rmdir()
            elif part.freed:
                for path in part.spare:
                    path.unlink()
            freed += part.freed
    except OSError as error:
        raise OutputError(f"{data} cannot be pruned: {error.strerror}; check its permissions") from error
    return freed


def _kept(folder: Path, weights: set[str] | None) -> Kept:
    manifests: list[dict[str, Any]] = []
    seconds = 0.0
    spare: list[Path] = []
    for chunk in _real_folders(folder, observation_cache.CHUNK):
        manifest = observation_cache.recall_manifest(chunk)
        if manifest is None:
            continue  # unreadable, but ``_size(folder)`` below still counts it
        manifests.append(manifest)
        seconds += status.film_time(chunk, manifest)
        names = (observation_cache.LOGITS.fullmatch(name) for name in os.listdir(chunk))
        spare += [chunk / name[0] for name in names if name and weights is not None and name[1] not in weights]
    first = manifests[0] if manifests else {}
    return Kept(
        folder,
        folder.parent.name,
        printable(Path(first.get("film", "?")).name),
        _in_words(first.get("settings", {})),
        len(manifests),
        seconds,
        _size(folder),
        weights is not None,
        running=False,  # ``survey`` sets it; this folder alone does not tell
        spare=tuple(spare),
        spare_size=sum(path.stat().st_size for path in spare),
    )


def _in_words(settings: dict[str, Any]) -> str:
    """Say which settings of the pixel pass deviate from the defaults."""

    usual = asdict(ObservationSettings())
    odd = [f"{name.replace('_', ' ')} {value}" for name, value in settings.items() if usual.get(name) != value]
    return ", ".join(odd) or "defaults"


def _real_folders(folder: Path, named: re.Pattern[str]) -> Iterator[Path]:
    """Yield the subfolders whose names match; skip symbolic links, which may lead anywhere."""
    try:
        with os.scandir(folder) as entries:
            names = sorted(e.name for e in entries if named.fullmatch(e.name) and e.is_dir(follow_symlinks=False))
    except OSError:
        return
    yield from (folder / name for name in names)


def _size(folder: Path) -> int:
    """Add up the sizes of the files below a folder, in bytes; symbolic links are not followed."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue  # has just been removed
    return total
