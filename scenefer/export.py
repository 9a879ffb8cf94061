"""Tables for other programs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from scenefer.errors import OutputError
from scenefer.sheets import spreadsheet_safe
from scenefer.tables import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis import Analysis


def face_rows(analysis: Analysis, *, rejected: bool = False) -> pd.DataFrame:
    """Make one row a face: where and when it is, the most probable expression and all seven probabilities.

    Args:
        rejected: with the faces that do not count towards the percentages.

    Returns:
        Columns file, time (s), xmin, ymin, xmax, ymax (pixels of the film as displayed), emo_label, emo_proba (0 to 1),
        and a probability an emotion.
    """
    import pandas as pd

    expressions = analysis.expressions if rejected else analysis.expressions[analysis.expressions["usable"]]
    faces = analysis.faces.set_index("face").loc[expressions["face"]]
    probabilities = expressions[list(EMOTIONS)].reset_index(drop=True)
    return pd.DataFrame(
        {
            "file": spreadsheet_safe(analysis.film.path.name),
            "time": faces["time"].to_numpy(),
            "xmin": faces["x0"].to_numpy(),
            "ymin": faces["y0"].to_numpy(),
            "xmax": faces["x1"].to_numpy(),
            "ymax": faces["y1"].to_numpy(),
            "emo_label": probabilities.idxmax(axis=1) if len(probabilities) else [],
            "emo_proba": probabilities.max(axis=1),
            **probabilities,
        }
    )


def write_csv(rows: pd.DataFrame, path: Path) -> None:
    """Write rows as CSV, beside its place first, then renamed.

    Raises:
        OutputError: the file cannot be written.
    """
    beside = path.with_name(path.name + ".tmp")
    try:
        rows.to_csv(beside, index=False, float_format="%.6g", errors="backslashreplace")
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
