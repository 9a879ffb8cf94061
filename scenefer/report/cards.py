"""What the report says of each scene and of each track: plain values, ready for the template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.emotions import EQUAL_ACTOR, EQUAL_TRACK
from scenefer.geometry import in_crop
from scenefer.intentions import parse_intention
from scenefer.report import people, words
from scenefer.report.figures import COLOURS
from scenefer.report.pictures import keyframes, packed
from scenefer.tables import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis import Analysis

# A report of a long film must still open at once: fewer and smaller pictures a scene, the more scenes there are.
_KEYFRAMES = ((24, 3), (60, 2))  # up to so many scenes, so many keyframes a scene; beyond, one
_FACES = 4  # strongest faces a scene
_TRACKS = 60  # tracks that are listed with a picture
_APART = 1.0  # seconds between two faces of one track that are both shown


def scene_cards(
    analysis: Analysis, verdicts: Mapping[int, list[dict[str, Any]]] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """Collect name, pictures, distribution, evidence, faces, intention and verdicts of every scene, in order."""
    n_keyframes = next((n for scenes, n in _KEYFRAMES if len(analysis.scenes) <= scenes), 1)
    percentages: dict[int, list[dict[str, Any]]] = {}
    for row in _records(_nulls_as_none(analysis.scene_emotions, "n_actors")):
        percentages.setdefault(row["scene"], []).append(row)
    readings = _readings(analysis)
    of_scene = readings.groupby("scene").indices
    at = _clock(analysis)
    cards = []
    for scene in _records(analysis.scenes):
        rows = percentages[scene["scene"]]
        evidence = rows[0]
        start, end = scene["start"], scene["end"]
        seen = readings.iloc[of_scene.get(scene["scene"], [])]
        in_shots = seen.groupby("shot")["weight"].sum().to_dict()
        stills = _records(keyframes(analysis.pictures, analysis.shots, in_shots, start, end, n_keyframes))
        distribution = _distribution(rows)
        intended = _intended(analysis.sheet, scene["name"])
        meant = _together([row["shares"] for row in intended if row["shares"]])
        when, *about = _extent(scene, analysis.film.kind == "video", at)
        cards.append(
            {
                "id": int(scene["scene"]),
                "name": words.scene_name(scene["name"]),
                "when": when,
                "about": about,
                "source": scene["source"],
                "tile": packed(stills[0]["jpeg"], 320 if len(analysis.scenes) < 6 else 200, 68) if stills else None,
                "keyframes": [
                    {"picture": packed(still["jpeg"], 320), "when": at(still["time"])}
                    for still in sorted(stills, key=lambda still: still["time"])
                ],
                "distribution": distribution,
                "leader": max(distribution, key=lambda row: row["share"]) if distribution else None,
                "clear": _clear_leader(distribution),
                "evidence": evidence["evidence"],
                "covered": words.covered(evidence, _noun(analysis)),
                "coverage": round(100 * evidence["coverage"], 1),
                "limits": words.limits(evidence, _noun(analysis)),
                "within": evidence["n_shots"] < 3,
                "single": _n_alike(evidence) < 2,
                "faces": _strongest(seen, at) if not meant else _for_and_against(seen, list(meant), at),
                "intended": intended,
                "meant": meant,
                "verdicts": verdicts.get(int(scene["scene"]), []),
            }
        )
    return cards


def track_cards(analysis: Analysis) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """Collect a picture, the times and the leading expression of the longest tracks with a usable face, in order.

    Returns:
        The cards, and the leading emotion of every track that has a usable face.
    """
    readings = _readings(analysis)
    usable = readings.loc[readings["weight"] > 0]
    weighted = usable[list(EMOTIONS)].mul(usable["weight"], axis=0).groupby(usable["track"]).sum()
    shares = {int(row["track"]): row for row in _records(weighted.div(weighted.sum(axis=1), axis=0).reset_index())}
    leaders = {track: max(EMOTIONS, key=lambda emotion: share[emotion]) for track, share in shares.items()}
    surest = readings.sort_values("confidence", ascending=False, kind="stable").drop_duplicates("track")
    pictures = dict(zip(surest["track"], surest["crop"], strict=True))
    seen = analysis.tracks.loc[analysis.tracks["track"].isin(list(leaders))]
    longest = seen.nlargest(_TRACKS, "n_faces", keep="first").sort_values("track")
    at = _clock(analysis)
    cards = []
    for row in _records(_nulls_as_none(longest, "actor")):
        track = int(row["track"])
        emotion = leaders[track]
        cards.append(
            {
                "track": track,
                "person": people.label(row["actor"], row["actor_name"]),
                "when": at(row["start"]) if row["start"] == row["end"] else f"{at(row['start'])}–{at(row['end'])}",
                "about": words.count(int(row["n_faces"]), "face"),
                "emotion": emotion,
                "percent": words.percent(100 * shares[track][emotion]),
                "colour": COLOURS[emotion],
                "picture": packed(pictures.get(track), 72, 72),
            }
        )
    return cards, leaders


def _readings(analysis: Analysis) -> pd.DataFrame:
    """Join usable expressions with their faces, the emotion read most surely and its probability."""
    columns = ["face", "x0", "y0", "x1", "y1", "confidence", "crop"]
    usable = analysis.expressions.loc[analysis.expressions["usable"]]
    probability = usable[list(EMOTIONS)].to_numpy()
    strongest = np.array(EMOTIONS, object)[probability.argmax(axis=1)]
    read = usable.assign(emotion=strongest, probability=probability.max(axis=1))
    return read.merge(analysis.faces[columns], on="face", how="left").reset_index(drop=True)


def _nulls_as_none(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.assign(**{column: frame[column].astype(object).where(frame[column].notna(), None)})


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def _clock(analysis: Analysis) -> Callable[[float], str]:
    """Return how moments are written: by the clock, in tenths where scenes are short; of stills, by their number."""
    if analysis.film.kind != "video":
        begins = analysis.shots["start"].to_numpy()
        return lambda time: f"picture {np.searchsorted(begins, time, side='right')}"
    lengths = analysis.scenes["end"] - analysis.scenes["start"]
    fine = bool((lengths < 10).any())
    return lambda time: words.moment(time, fine)


def _noun(analysis: Analysis) -> str:
    return "shot" if analysis.film.kind == "video" else "picture"


def _extent(scene: dict[str, Any], is_video: bool, at: Callable[[float], str]) -> list[str]:
    n_shots = int(scene["last_shot"] - scene["first_shot"] + 1)
    if not is_video:
        return [words.count(n_shots, "picture")]
    length = words.length(scene["end"] - scene["start"])
    return [f"{at(scene['start'])}–{at(scene['end'])}", length, words.count(n_shots, "shot")]


def _distribution(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lay out the seven shares of a scene by screen time, with the share where every person counts alike beside it.

    Where people are not told apart, it is every track.
    """
    alike = {row["emotion"]: row["percent"] for row in rows if row["view"] in (EQUAL_TRACK, EQUAL_ACTOR)}
    return [
        {
            "emotion": row["emotion"],
            "colour": COLOURS[row["emotion"]],
            "share": round(row["percent"], 2),
            "percent": words.percent(row["percent"]),
            "low": round(row["low"], 2),
            "high": round(row["high"], 2),
            "interval": words.interval(row["low"], row["high"]),
            "alike": round(alike[row["emotion"]], 2),
            "alike_percent": words.percent(alike[row["emotion"]]),
        }
        for row in rows
        if row["view"] == "screen_time" and not np.isnan(row["percent"])
    ]


def _n_alike(evidence: dict[str, Any]) -> int:
    """Count what counts alike in the second view: people, or tracks where people are not told apart."""
    return int(evidence["n_tracks"] if evidence["n_actors"] is None else evidence["n_actors"])


def _clear_leader(distribution: list[dict[str, Any]]) -> str | None:
    """Name the emotion whose interval lies above all others; None where intervals overlap."""
    if not distribution:
        return None
    leader, *others = sorted(distribution, key=lambda row: -row["share"])
    return leader["emotion"] if leader["low"] > max(row["high"] for row in others) else None


def _intended(sheet: pd.DataFrame | None, name: str) -> list[dict[str, Any]]:
    """Read what a sheet says of a scene: one entry a character."""
    if sheet is None:
        return []
    rows = sheet.loc[sheet["scene"].astype(str) == name]
    entries = []
    for intended, character, note in rows[["intended", "character", "note"]].itertuples(index=False):
        shares = parse_intention(words.printable(intended))
        entries.append(
            {
                "shares": shares,
                "labels": [
                    {"emotion": emotion, "colour": COLOURS[emotion], "percent": words.percent(100 * share)}
                    for emotion, share in shares.items()
                ],
                "character": words.printable(character),
                "note": words.printable(note),
            }
        )
    return [entry for entry in entries if entry["shares"] or entry["character"] or entry["note"]]


def _together(intentions: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Average the intentions of several characters."""
    shares: dict[str, float] = {}
    for intention in intentions:
        for emotion, share in intention.items():
            shares[emotion] = shares.get(emotion, 0.0) + share / len(intentions)
    return shares


def _strongest(readings: pd.DataFrame, at: Callable[[float], str]) -> list[dict[str, Any]]:
    """Choose the faces read most surely."""
    chosen = _ranked(readings, readings["probability"].to_numpy(), _FACES)
    return [_face(face, at) for face in _records(readings.iloc[chosen])]


def _for_and_against(readings: pd.DataFrame, meant: Sequence[str], at: Callable[[float], str]) -> list[dict[str, Any]]:
    """Choose the faces that speak most for what was intended, then those that speak most for something else."""
    if not len(readings):
        return []
    shown = readings[list(meant)].to_numpy().sum(axis=1)
    is_for = np.isin(readings["emotion"].to_numpy(object), list(meant))
    faces = []
    for side, belongs, strength in (("for", is_for, shown), ("against", ~is_for, readings["probability"].to_numpy())):
        rows = np.flatnonzero(belongs)
        for face in _records(readings.iloc[rows].iloc[_ranked(readings.iloc[rows], strength[rows], _FACES // 2)]):
            faces.append({**_face(face, at), "side": side})
    return faces


def _ranked(readings: pd.DataFrame, strength: np.ndarray, n: int) -> list[int]:
    """Choose ``n`` rows, the strongest first: one of every track, then others of the same tracks, not neighbours."""
    track, time = readings["track"].to_numpy(), readings["time"].to_numpy()
    ranked = np.argsort(-strength, kind="stable")
    first = ranked[np.sort(np.unique(track[ranked], return_index=True)[1])]
    chosen = first[:n].tolist()
    for row in ranked.tolist():
        if len(chosen) == n:
            break
        if all(track[row] != track[other] or abs(time[row] - time[other]) >= _APART for other in chosen):
            chosen.append(row)
    return sorted(chosen, key=lambda row: -strength[row])


def _face(face: dict[str, Any], at: Callable[[float], str]) -> dict[str, Any]:
    box, _ = in_crop(np.array([[face[edge] for edge in ("x0", "y0", "x1", "y1")]]), np.zeros((1, 5, 2)))
    left, top, right, bottom = (100 * box[0].astype(float)).round(1).tolist()
    return {
        "picture": packed(face["crop"], 112),
        "box": {"left": left, "top": top, "width": round(right - left, 1), "height": round(bottom - top, 1)},
        "emotion": face["emotion"],
        "colour": COLOURS[face["emotion"]],
        "percent": words.percent(100 * face["probability"]),
        "when": at(face["time"]),
        "track": int(face["track"]),
        "side": "",
    }
