"""The user's table of a library's films (director, year, genre); its columns group the films for comparison."""

from __future__ import annotations

import csv
from collections.abc import Hashable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from scenefer.comparison.film_groups import Group, Grouped, summarise
from scenefer.core import atomic, run_folder
from scenefer.core.errors import SheetError
from scenefer.core.language import ENGLISH, Language
from scenefer.core.schema import EMOTIONS
from scenefer.core.text import looked_up, natural, printable
from scenefer.interchange.decoding import read_text

KEPT = "groups.csv"  # the user's table, stored in the library so that a batch uses it too
SHARES = "group_shares.csv"  # the shares computed for each group
MOST = 12  # groups per column
_FILM = ("film", "file", "filename", "name", "title")  # columns that may name the film


def keep(reports: Path, table: Path) -> None:
    """Check a table of groups, then store it in the library.

    Raises:
        SheetError: it cannot be read, has no column that names the film, or no column to group by.
        OutputError: it cannot be written.
    """
    listed = _read(table)
    place = reports / run_folder.LIBRARY / KEPT
    atomic.write_result(place, listed.to_csv(index=False).encode(), "free space")


def forget(reports: Path) -> None:
    """Remove the table of groups and the computed shares from a library."""
    for name in (KEPT, SHARES):
        (reports / run_folder.LIBRARY / name).unlink(missing_ok=True)


def compare(reports: Path, films: pd.DataFrame, language: Language = ENGLISH) -> Grouped | None:
    """Compare the groups in the table that is stored in a library.

    Args:
        films: table FILMS.

    Returns:
        None if no table is stored.

    Raises:
        SheetError: the table was changed and can no longer be read.
    """
    place = reports / run_folder.LIBRARY / KEPT
    if not place.is_file():
        return None
    listed = _read(place)
    of_film = {looked_up(name): row for name, row in zip(listed.iloc[:, 0], listed.to_dict("records"), strict=True)}
    rows = [of_film.get(looked_up(name)) or of_film.get(looked_up(Path(name).stem)) for name in films["name"]]
    groups: list[Group] = []
    notices = list(_unmatched(listed, films, rows, language))
    for column in listed.columns[1:]:
        values = [str(row[column]) if row else "" for row in rows]
        names = sorted({value for value in values if value}, key=natural)
        if len(names) > MOST:
            notices.append(
                language.say(
                    "{column} has {n} values, too many to compare: at most {most}; group them, by decade say",
                    **{"column": printable(column), "n": language.number(len(names)), "most": language.number(MOST)},
                )
            )
            continue
        groups += [summarise(column, name, films.loc[[value == name for value in values]]) for name in names]
    return Grouped(groups, notices)


def write_shares(reports: Path, groups: list[Group]) -> None:
    """Write the shares to ``library/group_shares.csv``, one row per group and emotion."""
    rows = [
        (group.column, group.name, group.n_films, group.n_without, emotion, *(round(float(v), 4) for v in figures))
        for group in groups
        for emotion, *figures in zip(EMOTIONS, group.percent, group.low, group.high, strict=True)
    ]
    columns = ["column", "group", "films", "films_without_faces", "emotion", "percent", "low", "high"]
    text = pd.DataFrame(rows, columns=columns).to_csv(index=False)
    atomic.write_result(reports / run_folder.LIBRARY / SHARES, text.encode("utf-8", "backslashreplace"), "free space")


def _read(path: Path) -> pd.DataFrame:
    """Read a table of groups with all cells as text; the film's column comes first."""
    try:
        text, _ = read_text(path, "")
    except SheetError as error:
        raise SheetError(
            f'{printable(path)} cannot be read as text; save the table of groups as "CSV UTF-8"'
        ) from error
    try:
        table = pd.read_csv(StringIO(text), sep=None, engine="python", dtype=str, keep_default_na=False)
    except (ValueError, csv.Error) as error:  # ParserError and EmptyDataError are ValueErrors
        raise SheetError(f"{printable(path)} cannot be read as a table: {' '.join(str(error).split())}") from error
    table.columns = [str(name).strip() for name in table.columns]
    named = [name for name in table.columns if name.casefold() in _FILM]
    if not named or len(table.columns) < 2:
        raise SheetError(
            f"{printable(path)} has the columns {', '.join(map(printable, table.columns))}; expected `film`, the name "
            "of the file, and one or more to group by: director, year, genre"
        )
    stripped = table.apply(lambda column: column.str.strip())
    return stripped[[named[0], *(name for name in stripped.columns if name != named[0])]]


def _unmatched(
    listed: pd.DataFrame, films: pd.DataFrame, rows: Sequence[Mapping[Hashable, Any] | None], language: Language
) -> Iterator[str]:
    """Report rows that match no film of the library, and how many films have no row."""
    known = {looked_up(name) for film in films["name"] for name in (film, Path(film).stem)}
    if strange := [printable(name) for name in listed.iloc[:, 0] if looked_up(name) not in known]:
        yield language.say("in the table of groups, but no film here: {names}", names=", ".join(strange[:10]))
    if n := sum(row is None for row in rows):
        yield language.many(
            "{n} film has no row in the table of groups", "{n} films have no row in the table of groups", n
        )
