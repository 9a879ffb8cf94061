"""A film as one row of its library: a summary of its run's tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenefer.analysis.expressions import counted
from scenefer.analysis.shots import length_of
from scenefer.comparison import agreement
from scenefer.comparison.wording import figures, finding
from scenefer.core.scene import scenes_of
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of
from scenefer.core.text import printable

if TYPE_CHECKING:
    import pandas as pd

_GAPS = 3  # per film, shown on the page of the library


def entry(record: Mapping[str, Any], read: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Summarise a run: the columns of the table FILMS, except those that identify the run.

    Args:
        record: its ``run.json``.
        read: its tables by name; ``comparison`` only where there were intentions.
    """
    return {
        **_of_record(record),
        **_of_tables(read),
        **_of_comparison(read.get("comparison"), read["scenes"], record, _begin(read["shots"])),
    }


def _of_record(record: Mapping[str, Any]) -> dict[str, Any]:
    film = record["film"]
    return {
        "name": printable(Path(film["path"]).name),
        "path": printable(film["path"]),
        "state": str(record.get("state", "done")),
        "why": "\n".join(printable(warning) for warning in record.get("warnings", ())) or None,
        "width": int(film["width"]),
        "height": int(film["height"]),
        "coverage": float(record.get("coverage", {}).get("face", 0.0)),
    }


def _begin(shots: pd.DataFrame) -> float:
    """Return where reading began, in seconds of film time: a run may cover only a part of its film."""
    return float(shots["start"].iloc[0]) if len(shots) else 0.0


def _from(begin: float, table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(time=table["time"] - begin)


def _of_tables(read: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    from scenefer.report.arc_thumbnail import arc

    shots, expressions = read["shots"], read["expressions"]
    usable = expressions.loc[counted(expressions)]
    enough = bool(len(usable)) and bool((read["scene_emotions"]["evidence"] != "insufficient").any())
    weight = usable["weight"].sum()
    begin, duration = _begin(shots), length_of(shots)
    return {
        "duration": duration,
        "n_scenes": len(read["scenes"]),
        "n_shots": len(shots),
        "n_tracks": len(read["tracks"]),
        "n_faces": len(expressions),
        **{e: float(100 * (usable[e] * usable["weight"]).sum() / weight) if enough else None for e in EMOTIONS},
        "arc": arc(_from(begin, read["samples"]), _from(begin, expressions), duration),
    }


def _of_comparison(
    compared: pd.DataFrame | None, scenes: pd.DataFrame, record: Mapping[str, Any], begin: float
) -> dict[str, Any]:
    """Sum up the verdicts: of the seven, in the view that the run was compared in, raw or corrected by judged faces.

    Args:
        begin: origin of the verdicts' times, in seconds of film time; the arc uses the same origin.
    """

    if compared is None:
        return {"n_judged": 0, "n_match": 0, "n_corrected": 0, "largest_gap": None, "gaps": "[]", "verdicts": "[]"}
    wanted = record.get("settings", {}).get("comparison", {}).get("view")
    first = agreement.leading(compared, str(wanted))
    judged = first.loc[first["verdict"].notna()]
    apart = judged.loc[judged["verdict"] != "match"].sort_values("js", ascending=False, kind="stable")
    apart = apart.sort_values("verdict", key=lambda verdict: verdict != "mismatch", kind="stable")
    spans = {scene.id: (scene.start, scene.end) for scene in scenes_of(scenes)}
    gaps = [
        {
            "scene": row["scene"],
            "name": row["name"],
            "character": row["character"],
            "verdict": row["verdict"],
            "sentence": finding(row),
            "figures": figures(row),
        }
        for row in rows_of(apart.head(_GAPS))
    ]
    strip = [
        [*(round(float(at) - begin, 2) for at in spans[scene]), verdict]
        for scene, verdict in judged[["scene", "verdict"]].itertuples(index=False)
    ]
    return {
        "n_judged": len(judged),
        "n_match": int((judged["verdict"] == "match").sum()),
        "n_corrected": int((judged["estimate"] == agreement.VALIDATED).sum()),
        "largest_gap": float(apart["js"].max()) if len(apart) else None,
        "gaps": json.dumps(gaps),
        "verdicts": json.dumps(strip),
    }
