"""Orders: films with the scene lists, cast and settings for their analysis, checked before anything is decoded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenefer.analysis.cast import CONSENT
from scenefer.core.errors import FilmError, PlanError
from scenefer.core.film import WHOLE, Film, Span
from scenefer.interchange import scene_lists
from scenefer.interchange.matching import matched_lists
from scenefer.library import discovery, upload
from scenefer.pipeline import film_analysis, inputs, probe_cache
from scenefer.pipeline.chunks import networks
from scenefer.pipeline.executors import EXECUTORS

if TYPE_CHECKING:
    from scenefer.analysis.cast import Cast
    from scenefer.pipeline.plans import Plan


Say = Callable[[str], None]  # prints a notice to the user that is not an error


@dataclass(frozen=True)
class Order:
    """Which films to analyse, and with which settings."""

    films: Sequence[Path]
    plan: Plan
    data: Path
    out: Path
    scenes: Mapping[Path, Path] = field(default_factory=dict)  # sheet of scenes, by film
    intended: Mapping[Path, Path] = field(default_factory=dict)  # sheet of intentions, by film
    cast: Cast | None = None  # names for people
    spans: Mapping[Path, Span] = field(default_factory=dict)  # part to read, by film; other films are read whole
    every_clip: bool = False  # of a timeline without markers, see scene_lists.read_sheet
    timecode_start: str | None = None  # of each film's first frame, whatever its file says
    again: bool = False  # films given by name: report each anew; failures are shown, not stored
    only_failed: bool = False  # only films that have failed before
    copy_to: str = ""  # URL to which reports are copied too; "" copies none

    def span(self, path: Path) -> Span:
        """Return the part of a film that is to be read."""
        return self.spans.get(path, WHOLE)


@dataclass(frozen=True)
class Beside:
    """What the user gives in addition to the films."""

    scenes: Path | None = None  # a list of scenes, or a folder of lists named as the films
    intended: Path | None = None  # the same, with the intended emotion of each scene
    every_clip: bool = False  # of a timeline without markers, see scene_lists.read_sheet
    timecode_start: str | None = None  # of each film's first frame, whatever its file says
    cast: Path | None = None  # a folder with one subfolder of pictures per person


class Named(NamedTuple):
    """An order of films given by name, the probed films, and why other paths were refused."""

    order: Order
    films: dict[Path, Film]
    refused: dict[Path, str]


def require_models(plan: Plan) -> None:
    """Check that the weights and the device of a plan are available.

    Raises:
        WeightsError: they are not available.
    """
    networks(plan)
    inputs.require_device(plan)


def of_films(
    films: Sequence[Path],
    plan: Plan,
    data: Path,
    out: Path,
    beside: Beside,
    *,
    part: tuple[str | None, str | None] = (None, None),
    say: Say,
) -> Named:
    """Make an order of films given by name, each to be reported anew; check the films and their lists first.

    Args:
        part: start and end of the part of each film to read, as the user wrote them.

    Raises:
        PlanError, SheetError: a list, the cast or an option cannot be used.
        OutputError: the cache cannot be written.
    """
    scenes, intended = (matched_lists(films, place, say) for place in (beside.scenes, beside.intended))
    cast = _cast(beside, plan, say)
    probed, refused = _probed(films, say)
    spans = {path: inputs.span_of(*part, film) for path, film in probed.items()}
    _check_lists(probed, plan, scenes, intended, beside)
    order = Order(
        list(probed), plan, data, out, scenes, intended, cast, spans,
        every_clip=beside.every_clip, timecode_start=beside.timecode_start, again=True,
    )  # fmt: skip
    for film in probed.values():
        probe_cache.remember(film, data)
    return Named(order, probed, refused)


def of_library(
    library: Sequence[Path],
    plan: Plan,
    data: Path,
    out: Path,
    beside: Beside,
    *,
    input_list: Path | None = None,
    shard: str | None = None,
    only_failed: bool = False,
    copy_to: str = "",
    say: Say,
) -> Order:
    """Make an order of the films in folders, patterns and a list; finished work is not repeated.

    Args:
        input_list: a file with one film per line.
        shard: "i/n": the i-th of n parts.
        only_failed, copy_to: see ``Order``.

    Raises:
        PlanError: there is no film, or a list, the cast or an option cannot be used.
    """
    if copy_to:
        upload.require_writable(copy_to, out)
    is_remote = EXECUTORS.find(plan.run.executor).is_remote
    if is_remote:  # remote workers have other working directories
        out, data = out.absolute(), data.absolute()
        scenes, intended = (place and place.absolute() for place in (beside.scenes, beside.intended))
        beside = replace(beside, scenes=scenes, intended=intended)
    found = discovery.find_films(library, input_list)
    if is_remote:
        found = [film._replace(path=film.path.absolute()) for film in found]
    films = [film.path for film in (discovery.shard(found, shard) if shard else found)]  # a part may be empty
    if not found:
        raise PlanError("there is no film; give a folder of films")
    for folder in (beside.scenes, beside.intended):
        if folder is not None and not folder.is_dir():
            raise PlanError(f"{folder} is no folder; give a folder of sheets named as the films")
    every = [film.path for film in found]  # match against all films: a shard may have no sheet at all
    scenes_of, intended_of = (matched_lists(every, place, say) for place in (beside.scenes, beside.intended))
    return Order(
        films, plan, data, out, scenes_of, intended_of, _cast(beside, plan, say),
        every_clip=beside.every_clip, timecode_start=beside.timecode_start, only_failed=only_failed, copy_to=copy_to,
    )  # fmt: skip


def _cast(beside: Beside, plan: Plan, say: Say) -> Cast | None:
    if beside.cast is None:
        return None

    cast = film_analysis.read_cast(beside.cast, plan)
    say(CONSENT)
    return cast


def _probed(films: Sequence[Path], say: Say) -> tuple[dict[Path, Film], dict[Path, str]]:
    """Probe the films; report those that cannot be opened, and return both the films and the errors."""
    probed: dict[Path, Film] = {}
    refused: dict[Path, str] = {}
    for path in films:
        try:
            probed[path] = inputs.open_film(path)
        except FilmError as error:
            refused[path] = str(error)
            say(str(error))
    return probed, refused


def _check_lists(
    films: dict[Path, Film], plan: Plan, scenes: dict[Path, Path], intended: dict[Path, Path], beside: Beside
) -> None:

    for path, film in films.items():
        stated = inputs.from_timecode(film, beside.timecode_start)
        scene_lists.read_lists(
            stated, scenes.get(path), intended.get(path), every_clip=beside.every_clip, words=plan.words
        )
