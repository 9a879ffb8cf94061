"""Which films failed, why, and what the user can do about it.

<out>/library/failures/<hash of the path>.json     one a film: two runs over a library never write the same file twice
<out>/library/failures.parquet, failures.csv       all failures, as a table
"""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scenefer.core import atomic, tables
from scenefer.core.errors import OutputError, unwritable
from scenefer.core.film import path_id
from scenefer.core.run_folder import LIBRARY
from scenefer.core.schema import names
from scenefer.core.text import printable
from scenefer.interchange.csv_rows import spreadsheet_safe

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """A film that failed or was only partly readable; the fields are the columns of table FAILURES."""

    film: str
    id: str | None
    state: str
    stage: str
    time: float | None
    error: str
    remedy: str
    permanent: bool
    read_by: str
    when: str

    @property
    def message(self) -> str:
        """Join the error and the remedy into one line again."""
        return f"{self.error}; {self.remedy}" if self.remedy else self.error


def describe(
    path: Path, content: str | None, stage: str, message: str, *, time: float | None = None, permanent: bool = False,
    state: str = "failed", read_by: str = "",
) -> Failure:  # fmt: skip
    """Make a failure from a message: what follows its first semicolon, none of the film's name, is the remedy."""
    said, name = printable(message), printable(path)
    cut = said.find("; ", said.find(name) + len(name) if name in said else 0)
    error, remedy = (said[:cut], said[cut + 2 :]) if cut >= 0 else (said, "")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Failure(name, content, state, stage, time, error, remedy, permanent, read_by, now)


def note(out: Path, path: Path, failure: Failure) -> None:
    """Store a film's failure, replacing an earlier one.

    Raises:
        OutputError: it cannot be written.
    """
    place = _place(out, path)
    atomic.write_result(place, json.dumps(asdict(failure), indent=1).encode(), "free space or choose another --out")


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
    """Read all failures, by ``film.path_id``; skip damaged records."""
    found: dict[str, Failure] = {}
    for place in sorted((out / LIBRARY / "failures").glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            found[place.stem] = Failure(**json.loads(place.read_text(encoding="utf-8")))
    return found


def read_table(reports: Path) -> list[dict[str, Any]]:
    """Read the failures that a batch recorded, wholly or partly unreadable films; empty if there was no batch."""
    path = reports / LIBRARY / "failures.parquet"
    if (records := path.with_suffix("")).is_dir():  # one per film; the table is made from them at the end
        return [record for place in sorted(records.glob("*.json")) if (record := _record(place))]
    if not path.is_file():
        return []
    try:
        return pq.read_table(path).to_pylist()
    except (OSError, pa.ArrowInvalid):
        _log.warning("%s is damaged; the next batch writes it again", printable(path))
        return []


def _record(place: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(place.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}  # is being written, or is damaged


def write_tables(out: Path, found: Mapping[str, Failure]) -> None:
    """Write all failures as Parquet and as CSV; in the CSV no cell can be read as a formula.

    Raises:
        OutputError: they cannot be written.
    """
    header = names("failures")
    rows = sorted(found.values(), key=lambda failure: failure.film)
    columns = {name: [getattr(row, name) for row in rows] for name in header}
    folder = out / LIBRARY
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\n")
    sheet.writerow(header)
    sheet.writerows([_cell(getattr(row, name)) for name in header] for row in rows)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tables.write(folder / "failures.parquet", tables.conform(columns, "failures"), "failures")
        atomic.write_whole(folder / "failures.csv", text.getvalue().encode())
    except OSError as error:
        raise unwritable(folder / "failures.csv", error, "free space or choose another --out") from error


def _cell(value: object) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if isinstance(value, float) else spreadsheet_safe(text)


def _place(out: Path, path: Path) -> Path:
    return out / LIBRARY / "failures" / f"{path_id(path)}.json"
