"""Films as a table for spreadsheets and statistics programs: a row a film, its figures as columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from scenefer.analysis.scene_emotions import summarise
from scenefer.analysis.scene_views import SCREEN_TIME, EmotionSettings
from scenefer.analysis.shots import length_of
from scenefer.comparison import resampled_shares
from scenefer.comparison.scene_comparison import headline
from scenefer.comparison.verdicts import VERDICTS
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of
from scenefer.interchange.csv_rows import spreadsheet_safe

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis
    from scenefer.comparison.scene_comparison import Comparison

_SOME = 1e-6  # seconds of faces from which a film has shares, once one of its scenes has


def film_row(analysis: Analysis, compared: Comparison | None) -> pd.DataFrame:
    """Make the row of one film.

    Returns:
        Columns film (name of its file), id, start and end (s of film time: the part that was read), duration (s, of
        that), coverage (0 to 1: share of the time with a usable face), face_seconds, people (empty = not told apart),
        tracks, shots, scenes, scenes_enough (with enough faces for percentages); of every emotion its percentage of
        screen time over the film and both ends of the 95 % interval, empty where no scene has enough; within (what
        the intervals speak of: shots, or one take, fewer than three of them); and of the verdicts the estimate (raw or
        validated) that they are by, judged, match, partial, mismatch and not_judged, empty where nothing was intended.
    """
    shots, tracks = analysis.shots, analysis.tracks
    evidence = analysis.scene_emotions.loc[analysis.scene_emotions["view"] == SCREEN_TIME]
    enough = evidence.loc[evidence["evidence"] != "insufficient", "scene"].nunique()
    coverage = analysis.run.get("coverage", {}).get("face")
    shares, seconds, within = _shares(analysis)
    row = {
        "film": spreadsheet_safe(analysis.film.path.name),
        "id": analysis.film.id,
        "start": round(float(shots["start"].min()), 6) if len(shots) else None,
        "end": round(float(shots["end"].max()), 6) if len(shots) else None,
        "duration": round(length_of(shots), 6),
        "coverage": None if coverage is None else round(coverage, 4),
        "face_seconds": seconds,
        "people": int(tracks["actor"].nunique()) if tracks["actor"].notna().any() else None,
        "tracks": len(tracks),
        "shots": len(shots),
        "scenes": len(analysis.scenes),
        "scenes_enough": enough,
        **{name: value if enough else None for name, value in shares.items()},
        "within": within if enough else None,
        **_verdicts(compared),
    }
    return pd.DataFrame([row])


def _shares(analysis: Analysis) -> tuple[dict[str, float | None], float, str]:
    """Estimate the shares over the film as those of a scene are, with all that counts in it as one scene."""
    rule = replace(resampled_shares.bootstrap_of(analysis), least_face_seconds=_SOME, least_coverage=0.0)
    one = analysis.scenes.head(1).assign(scene=0)
    table = _as_one(analysis, one, rule)
    named: dict[str, float | None] = dict.fromkeys(f"{one}{end}" for one in EMOTIONS for end in ("", "_low", "_high"))
    for row in rows_of(table.loc[table["percent"].notna()]):
        for end, column in (("", "percent"), ("_low", "low"), ("_high", "high")):
            named[f"{row['emotion']}{end}"] = round(row[column], 4)
    seconds = round(float(table["face_seconds"].max()), 3) if len(table) else 0.0
    return named, seconds, resampled_shares.within(int(table["n_shots"].max()) if len(table) else 0)


def _as_one(analysis: Analysis, one: pd.DataFrame, rule: EmotionSettings) -> pd.DataFrame:
    faces, samples = analysis.expressions.assign(scene=0), analysis.samples.assign(scene=0)
    table = summarise(faces, samples, one, analysis.tracks, rule)
    return table.loc[table["view"] == SCREEN_TIME]


def _verdicts(compared: Comparison | None) -> dict[str, Any]:
    names = ("estimate", "judged", *VERDICTS, "not_judged")
    if compared is None:
        return dict.fromkeys(names)
    rows, _ = headline(compared)
    meant = rows.loc[rows["intended"].notna()]
    counts = {verdict: int((meant["verdict"] == verdict).sum()) for verdict in VERDICTS}
    judged = sum(counts.values())
    return {
        "estimate": compared.settings.estimate if (rows["estimate"] == compared.settings.estimate).any() else "raw",
        "judged": judged,
        **counts,
        "not_judged": len(meant) - judged,
    }
