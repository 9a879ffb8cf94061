"""What a run says of its scenes, as values that another program can read: times, timecodes, percentages, verdicts."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from scenefer.errors import printable
from scenefer.tables import rows_of
from scenefer.timecode import exact_rate, frame_of, timecode_of
from scenefer.verdicts import VERDICTS

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis import Analysis
    from scenefer.comparison import Comparison


def scene_record(analysis: Analysis, compared: Comparison | None) -> dict[str, Any]:
    """Put together what a run says of a film and its scenes: times, timecodes, percentages by view, verdicts."""
    film, begin = analysis.film, first_frame(analysis)
    rate, drop = exact_rate(film.frame_rate), counts_drop(analysis)
    meant = intentions(compared)
    scenes = []
    for scene in rows_of(analysis.scenes):
        own = analysis.scene_emotions[analysis.scene_emotions["scene"] == scene["scene"]]
        first = own.iloc[0]
        judged = first["evidence"] != "insufficient"
        frames = [begin + round(scene[edge] * rate) for edge in ("start", "end")]
        scenes.append(
            {
                "scene": scene["scene"],
                "name": scene["name"],
                "start": scene["start"],
                "end": scene["end"],
                "timecode": [timecode_of(frame, rate, drop=drop) for frame in frames],
                "evidence": str(first["evidence"]),
                "coverage": round(float(first["coverage"]), 4),
                "face_seconds": round(float(first["face_seconds"]), 3),
                "percent": {str(view): _percent(rows) for view, rows in own.groupby("view", sort=False)}
                if judged
                else None,
                "intentions": meant.get(scene["scene"], []),
            }
        )
    return {
        "film": printable(film.path.name),
        "id": film.id,
        "frame_rate": float(film.frame_rate),
        "timecode": film.timecode,
        "made": analysis.run.get("made"),
        "versions": analysis.run.get("versions", {}),
        "scenes": scenes,
    }


def first_frame(analysis: Analysis) -> int:
    """Return the number that the film's timecode gives its first frame; 0 where it has none that can be read."""
    with suppress(ValueError):
        return frame_of(analysis.film.timecode or "", analysis.film.frame_rate)
    return 0


def counts_drop(analysis: Analysis) -> bool:
    """Tell whether the film's timecode is drop-frame."""
    film = analysis.film
    return ";" in timecode_of(first_frame(analysis), film.frame_rate, drop=";" in (film.timecode or ""))


def intentions(compared: Comparison | None) -> dict[int, list[dict[str, Any]]]:
    """Collect by scene what was intended, and the verdict of it where it was judged."""
    from scenefer import comparison

    if compared is None:
        return {}
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows_of(comparison.headline(compared)[0]):
        if row["intended"]:
            entry = {name: row[name] or None for name in ("character", "intended", "verdict", "why")}
            found.setdefault(row["scene"], []).append(entry)
    return found


def verdicts(compared: Comparison | None) -> dict[int, str]:
    """Return the worst verdict of each scene that was judged."""
    found: dict[int, str] = {}
    for scene, entries in intentions(compared).items():
        given = {entry["verdict"] for entry in entries}
        worst = next((verdict for verdict in reversed(VERDICTS) if verdict in given), None)
        if worst is not None:
            found[scene] = worst
    return found


def _percent(rows: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    return {
        str(emotion): {"percent": _rounded(percent), "low": _rounded(low), "high": _rounded(high)}
        for emotion, percent, low, high in rows[["emotion", "percent", "low", "high"]].itertuples(index=False)
    }


def _rounded(value: float) -> float | None:
    return None if value is None or value != value else round(float(value), 4)
