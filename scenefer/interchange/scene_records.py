"""The scenes of a run as a record for other programs: times, timecodes, percentages, verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenefer.analysis.shots import length_of
from scenefer.comparison import scene_comparison
from scenefer.comparison.agreement import worst_verdicts
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of
from scenefer.core.text import printable
from scenefer.core.timecode import counts_drop, exact_rate, first_frame, timecode_of

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis
    from scenefer.comparison.scene_comparison import Comparison


def scene_record(analysis: Analysis, compared: Comparison | None) -> dict[str, Any]:
    """Make the record of a film and its scenes: times, timecodes, percentages by view, verdicts."""
    film, begin = analysis.film, first_frame(analysis.film)
    rate, drop = exact_rate(film.frame_rate), counts_drop(film)
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
        **({"edits": analysis.run["edits"]} if "edits" in analysis.run else {}),
        "scenes": scenes,
    }


def summary(analysis: Analysis) -> dict[str, Any]:
    """Summarise a film as a record for JSON; percentages are by screen time, null if there is too little evidence.

    ``duration`` is that of the part that was read, in seconds.
    """
    rows = analysis.scene_emotions[analysis.scene_emotions["view"] == "screen_time"]
    scenes = []
    for scene in rows_of(analysis.scenes):
        own = rows_of(rows[rows["scene"] == scene["scene"]])
        percent = {row["emotion"]: row["percent"] for row in own}
        scenes.append(
            {
                "scene": scene["scene"],
                "name": scene["name"],
                "start": scene["start"],
                "end": scene["end"],
                **{name: own[0][name] for name in ("evidence", "coverage", "face_seconds")},
                "percent": None
                if own[0]["evidence"] == "insufficient"
                else {e: round(percent[e], 4) for e in EMOTIONS},
            }
        )
    return {
        "film": printable(analysis.film.path),
        "id": analysis.film.id,
        "state": analysis.run["state"],
        "duration": length_of(analysis.shots),
        "size": [analysis.film.width, analysis.film.height],
        "n_frames": len(analysis.frames),
        "n_shots": len(analysis.shots),
        "n_faces": len(analysis.faces),
        "n_tracks": len(analysis.tracks),
        "coverage": analysis.run["coverage"],
        "scenes": scenes,
        "warnings": [printable(warning) for warning in analysis.run["warnings"]],
    }


def intentions(compared: Comparison | None) -> dict[int, list[dict[str, Any]]]:
    """Collect the intentions of each scene, with their verdicts if judged."""
    if compared is None:
        return {}
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows_of(scene_comparison.headline(compared)[0]):
        if row["intended"]:
            entry = {name: row[name] or None for name in ("character", "intended", "verdict", "why")}
            found.setdefault(row["scene"], []).append(entry)
    return found


def verdicts(compared: Comparison | None) -> dict[int, str]:
    """Return the worst verdict of each judged scene."""
    return {} if compared is None else worst_verdicts(scene_comparison.headline(compared)[0])


def _percent(rows: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    return {
        str(emotion): {"percent": _rounded(percent), "low": _rounded(low), "high": _rounded(high)}
        for emotion, percent, low, high in rows[["emotion", "percent", "low", "high"]].itertuples(index=False)
    }


def _rounded(value: float) -> float | None:
    return None if value is None or value != value else round(float(value), 4)
