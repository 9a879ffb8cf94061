"""A run's scenes as a table for spreadsheets and statistics programs: one row per scene, figures as columns."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pandas as pd

from scenefer.analysis.scene_views import SCREEN_TIME
from scenefer.comparison.wording import verdict_words
from scenefer.core.errors import PlanError
from scenefer.core.schema import EMOTIONS
from scenefer.interchange import scene_records
from scenefer.interchange.csv_rows import spreadsheet_safe

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis
    from scenefer.comparison.scene_comparison import Comparison

_WIDEST = 40  # maximum width of a workbook column, in characters
_ENDS = (("", "percent"), ("_low", "low"), ("_high", "high"))


def scene_rows(analysis: Analysis, compared: Comparison | None) -> pd.DataFrame:
    """Make one row per scene.

    Returns:
        Columns film, scene (its name), start and end (s), timecode_in and timecode_out, evidence (enough, one take,
        insufficient), coverage (0 to 1), face_seconds; for every emotion its percentage of screen time and both ends of
        the 95 % interval, empty if evidence is insufficient; leading; and if something was intended, intended and
        verdict, for several characters joined as ``NAME: …``.
    """
    record = scene_records.scene_record(analysis, compared)
    film = spreadsheet_safe(record["film"])
    meant = () if compared is None else ("intended", "verdict")
    return pd.DataFrame(
        [{"film": film, **_row(scene), **{name: _listed(scene, name) for name in meant}} for scene in record["scenes"]]
    )


def workbook(table: pd.DataFrame) -> bytes:
    """Write a table as an Excel workbook, with frozen headers and columns as wide as their content.

    Raises:
        PlanError: openpyxl is not installed.
    """
    try:
        import openpyxl
        from openpyxl.styles import Font
        from openpyxl.utils import get_column_letter
    except ImportError as error:
        raise PlanError("a workbook needs openpyxl: pip install 'scenefer[xlsx]'; or write .csv") from error
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None  # a new workbook has a sheet
    sheet.title = "scenes"
    sheet.append(list(table.columns))
    for row in table.itertuples(index=False):
        sheet.append([None if value != value else value for value in row])
    for number, name in enumerate(table.columns, start=1):
        sheet.cell(1, number).font = Font(bold=True)
        widest = max([len(str(name)), *(len(str(value)) for value in table[name])])
        sheet.column_dimensions[get_column_letter(number)].width = min(widest, _WIDEST) + 2
    sheet.freeze_panes = "C2"  # keeps film, scene and the header row visible
    sheet.auto_filter.ref = sheet.dimensions
    written = BytesIO()
    book.save(written)
    return written.getvalue()


def _row(scene: dict[str, Any]) -> dict[str, Any]:
    shares = scene["percent"][SCREEN_TIME] if scene["percent"] else {}
    unknown: dict[str, float | None] = dict.fromkeys(("percent", "low", "high"))
    leading = max(shares, key=lambda emotion: shares[emotion]["percent"] or 0.0) if shares else None
    return {
        "scene": spreadsheet_safe(scene["name"]),
        "start": round(scene["start"], 6),
        "end": round(scene["end"], 6),
        "timecode_in": scene["timecode"][0],
        "timecode_out": scene["timecode"][1],
        "evidence": scene["evidence"],
        "coverage": scene["coverage"],
        "face_seconds": scene["face_seconds"],
        **{f"{one}{end}": shares.get(one, unknown)[key] for one in EMOTIONS for end, key in _ENDS},
        "leading": leading,
    }


def _listed(scene: dict[str, Any], name: str) -> str | None:
    """Join one field of all intentions of a scene, each prefixed with its character."""
    said = []
    for entry in scene["intentions"]:
        value = entry[name]
        words = verdict_words(value) if name == "verdict" and value else value or ""
        said.append(f"{entry['character']}: {words}" if entry["character"] else words)
    return spreadsheet_safe("; ".join(said)) or None
