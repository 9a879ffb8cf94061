"""What could not be done, film by film, and what to do about it.

<out>/library/failures/<hash of the path>.json     one a film: two runs over a library never write the same file twice
<out>/library/failures.parquet, failures.csv       all of them, as a table
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from scenefer import files, tables
from scenefer.errors import OutputError, printable, unwritable
from scenefer.film import path_id
from scenefer.rows import spreadsheet_safe
from scenefer.schema import names


@dataclass(frozen=True)
class Failure:
    """A film that failed, or could be read in part; the fields are the columns of table FAILURES."""

    film: str
    id: str | None
    state: str
    stage: str
    time: float | None
    error: str
    remedy: str
    permanent: bool
    when: str

    @property
    def message(self) -> str:
        """Put what is wrong and what to do into one line again."""
        return f"{self.error}; {self.remedy}" if self.remedy else self.error


def describe(
    path: Path, content: str | None, stage: str, message: str, *, time: float | None = None, permanent: bool = False,
    state: str = "failed",
) -> Failure:  # fmt: skip
    """Put a failure in words: of a message, what follows its first semicolon is what to do."""
    error, _, remedy = printable(message).partition("; ")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Failure(printable(path), content, state, stage, time, error, remedy, permanent, now)


def note(out: Path, path: Path, failure: Failure) -> None:
    """Keep a film's failure, in place of an earlier one.

    Raises:
        OutputError: it cannot be written.
    """
    place = _place(out, path)
    files.write_result(place, json.dumps(asdict(failure), indent=1).encode(), "free space or choose another --out")


def forget(out: Path, path: Path) -> None:
    """Forget a film's failure: it succeeded.

    Raises:
        OutputError: the record cannot be removed.
    """
    place = _place(out, path)
    try:
        place.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{place} cannot be removed: {error.strerror}; choose another --out") from error


def read(out: Path) -> dict[str, Failure]:
    """Read all failures, by ``film.path_id``; damaged records are left out."""
    found: dict[str, Failure] = {}
    for place in sorted((out / "library" / "failures").glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            found[place.stem] = Failure(**json.loads(place.read_text(encoding="utf-8")))
    return found


def write_tables(out: Path, found: Mapping[str, Failure]) -> None:
    """Write all failures as Parquet and as CSV, in which no cell is a formula.

    Raises:
        OutputError: they cannot be written.
    """
    header = names("failures")
    rows = sorted(found.values(), key=lambda failure: failure.film)
    columns = {name: [getattr(row, name) for row in rows] for name in header}
    folder = out / "library"
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\n")
    sheet.writerow(header)
    sheet.writerows([_cell(getattr(row, name)) for name in header] for row in rows)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tables.write(folder / "failures.parquet", tables.conform(columns, "failures"), "failures")
        files.write_whole(folder / "failures.csv", text.getvalue().encode())
    except OSError as error:
        raise unwritable(folder / "failures.csv", error, "free space or choose another --out") from error


def _cell(value: object) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if isinstance(value, float) else spreadsheet_safe(text)


def _place(out: Path, path: Path) -> Path:
    return out / "library" / "failures" / f"{path_id(path)}.json"
