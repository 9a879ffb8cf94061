"""Match lists of scenes to films: in a folder, a film's list is the one named like the film."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from scenefer.core.errors import PlanError, SheetError
from scenefer.core.text import nearest, printable
from scenefer.interchange import csv_rows, list_formats, timelines

_PACKAGE = ".fcpxmld"  # a folder that contains a timeline
_UNREAD = (".xls", ".ods", ".numbers")  # spreadsheet formats that are not supported
_NOT_OURS = (".", "~$")  # hidden files, and Excel's lock files for open workbooks
_SHOWN = 10  # names in a notice; the rest are counted


class Matched(NamedTuple):
    """The list of each film, and notices about films and lists without a match."""

    lists: dict[Path, Path]
    notices: tuple[str, ...] = ()


def match(films: Sequence[Path], place: Path | None) -> Matched:
    """Find the list of each film: one list for one film, or in a folder the list that is named as the film.

    Case matters only to resolve ambiguity: ``Beta.csv`` matches ``beta.mp4``, unless there is also a ``BETA.mp4``.
    ``beta.mp4.csv`` and PySceneDetect's ``beta-Scenes.csv`` also match ``beta.mp4``.

    Returns:
        Lists by film, and sentences that name films without a list and lists without a film.

    Raises:
        PlanError: the file or folder does not exist, one list is given for several films, no list in the folder matches
            any film, or two lists match one film.
    """
    if place is None:
        return Matched({})
    if not place.exists():
        raise PlanError(f"{printable(place)}: there is no such sheet")
    if not place.is_dir() or place.suffix.casefold() == _PACKAGE:
        if len(films) > 1:
            raise PlanError(
                f"{printable(place)} is one sheet for {len(films)} films; give a folder of sheets named as the films"
            )
        return Matched({films[0]: place})
    entries = sorted(entry for entry in place.iterdir() if not entry.name.startswith(_NOT_OURS))
    lists = [entry for entry in entries if _may_be_list(entry)]
    named = {_stem(path).casefold() for path in lists}
    wanted = {_stem(film).casefold() for film in films} - named
    lists += [entry for entry in entries if _stem(entry).casefold() in wanted and _is_text_list(entry)]
    matched = _by_name(films, lists, place)
    others = _without_a_film(films, [one for one in lists if one not in set(matched.values())], place)
    unread = [entry for entry in entries if entry.suffix.casefold() in _UNREAD]
    if unread:
        others.append(f"{printable(place)}: {_named(unread)} cannot be read; save as .xlsx or as CSV UTF-8")
    if not matched:
        raise PlanError(
            "; ".join(
                [
                    f"{printable(place)} has no sheet named as a film: {printable(films[0].stem)}.csv would be one for "
                    f"{printable(films[0].name)}",
                    *others,
                ]
            )
        )
    alone = [film for film in films if film not in matched]
    without = f"{printable(place)} has no sheet for {len(alone)} of {len(films)} films: {_named(alone)}"
    return Matched(matched, (*([without] if alone else []), *others))


def matched_lists(films: Sequence[Path], place: Path | None, say: Callable[[str], None]) -> dict[Path, Path]:
    """Find the list of each film, and report films without a list and lists without a film; raises like ``match``."""
    matched = match(films, place)
    for notice in matched.notices:
        say(notice)
    return matched.lists


def _may_be_list(entry: Path) -> bool:
    suffix = entry.suffix.casefold()
    if suffix in (*csv_rows.SUFFIXES, *list_formats.suffixes()):
        return suffix == _PACKAGE or not entry.is_dir()
    return False


def _is_text_list(entry: Path) -> bool:
    """Tell whether a ``.txt`` is a list: Avid markers, an EDL or a table; unrelated texts may be in the folder too."""
    if entry.suffix.casefold() != ".txt" or not entry.is_file():
        return False
    try:
        text, _ = timelines.load(entry)
        return list_formats.form_of(entry, text) is not None or csv_rows.read_table(entry, text).header.is_whole()
    except SheetError:
        return False


def _by_name(films: Iterable[Path], lists: Iterable[Path], place: Path) -> dict[Path, Path]:
    """Match exact names first, then, among the rest, names that differ only by case or a known suffix."""
    films_of: defaultdict[str, list[Path]] = defaultdict(list)
    lists_of: defaultdict[str, list[Path]] = defaultdict(list)
    for film in films:
        films_of[_stem(film)].append(film)  # films of one name in several folders share a list
    for one in lists:
        lists_of[_stem(one)].append(one)
    matched: dict[Path, Path] = {}
    for stem in films_of.keys() & lists_of.keys():
        first, *more = lists_of.pop(stem)
        if more:
            raise PlanError(f"{printable(place)} has {first.name} and {more[0].name}; keep one of them")
        matched |= dict.fromkeys(films_of.pop(stem), first)
    loose_films: defaultdict[str, set[str]] = defaultdict(set)
    loose_lists: defaultdict[str, list[Path]] = defaultdict(list)
    for stem, named in films_of.items():
        for key in {stem.casefold(), *(_normal(film.name).casefold() for film in named)}:
            loose_films[key].add(stem)
    for stem, named in lists_of.items():
        loose_lists[stem.casefold().removesuffix("-scenes")] += named
    for key in loose_films.keys() & loose_lists.keys():
        stems, candidates = loose_films[key], loose_lists[key]
        if len(stems) == len(candidates) == 1:
            matched |= dict.fromkeys(films_of[next(iter(stems))], candidates[0])
    return matched


def _without_a_film(films: Sequence[Path], lists: Sequence[Path], place: Path) -> list[str]:
    if not lists:
        return []
    names = {_stem(film).casefold(): film.name for film in films}
    said = []
    for one in lists[:_SHOWN]:
        near = nearest(_stem(one).casefold(), names, cutoff=0.75)
        said.append(printable(one.name) + (f" (did you mean {printable(names[near])}?)" if near else ""))
    more = f" and {len(lists) - _SHOWN} more" if len(lists) > _SHOWN else ""
    n = len(lists)
    return [f"{printable(place)}: {n} sheet{'s' * (n > 1)} named as no film: {', '.join(said)}{more}"]


def _named(paths: Sequence[Path]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(printable(path.name) for path in paths[:_SHOWN]) + more


def _stem(path: Path) -> str:
    return _normal(path.stem)


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)  # macOS may write ü as two characters, other systems as one
