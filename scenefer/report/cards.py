"""What the report says of each scene and of each track: plain values, ready for the template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.geometry import in_crop
from scenefer.intentions import parse_intention
from scenefer.report import words
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


def scene_cards(analysis: Analysis) -> list[dict[str, Any]]:
    """Collect name, pictures, distribution, evidence, strongest faces and intention of every scene, in order."""
    n_keyframes = next((n for scenes, n in _KEYFRAMES if len(analysis.scenes) <= scenes), 1)
    percentages = dict(list(analysis.scene_emotions.groupby("scene")))
    readings = _readings(analysis)
    of_scene = dict(list(readings.groupby("scene")))
    fine = _fine(analysis.scenes)
    cards = []
    for scene in _records(analysis.scenes):
        rows = percentages[scene["scene"]]
        evidence = _records(rows)[0]
        start, end = scene["start"], scene["end"]
        seen = of_scene.get(scene["scene"], readings.iloc[:0])
        in_shots = seen.groupby("shot")["weight"].sum().to_dict()
        stills = _records(keyframes(analysis.pictures, analysis.shots, in_shots, start, end, n_keyframes))
        distribution = _distribution(rows)
        intended = _intended(analysis.sheet, scene["name"])
        cards.append(
            {
                "id": int(scene["scene"]),
                "name": words.printable(scene["name"]),
                "when": f"{words.moment(start, fine)}–{words.moment(end, fine)}",
                "length": words.length(end - start),
                "n_shots": words.count(int(scene["last_shot"] - scene["first_shot"] + 1), "shot"),
                "source": scene["source"],
                "tile": packed(stills[0]["jpeg"], 200, 68) if stills else None,
                "keyframes": [
                    {"picture": packed(still["jpeg"], 320), "when": words.moment(still["time"], fine)}
                    for still in sorted(stills, key=lambda still: still["time"])
                ],
                "distribution": distribution,
                "leader": max(distribution, key=lambda row: row["share"]) if distribution else None,
                "clear": _clear_leader(distribution),
                "evidence": evidence["evidence"],
                "covered": words.covered(evidence),
                "coverage": round(100 * evidence["coverage"], 1),
                "limits": words.limits(evidence),
                "within": evidence["n_shots"] < 3,
                "single": evidence["n_tracks"] < 2,
                "faces": _strongest(seen),
                "intended": intended,
                "meant": {emotion for row in intended for emotion in row["shares"]},
            }
        )
    return cards


def track_cards(analysis: Analysis) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """Collect a picture, the times and the leading expression of the longest tracks, in order of appearance.

    Returns:
        The cards, and the leading emotion of every track that has a usable face.
    """
    readings = _readings(analysis)
    usable = readings.loc[readings["weight"] > 0]
    weighted = usable[list(EMOTIONS)].mul(usable["weight"], axis=0).groupby(usable["track"]).sum()
    shares = {int(row["track"]): row for row in _records(weighted.div(weighted.sum(axis=1), axis=0).reset_index())}
    leaders = {track: max(EMOTIONS, key=lambda emotion: share[emotion]) for track, share in shares.items()}
    # The picture of a track is its surest face, a usable one if there is any.
    surest = _readings(analysis, usable=False).sort_values(["usable", "confidence"], ascending=False, kind="stable")
    surest = surest.drop_duplicates("track")
    pictures = dict(zip(surest["track"], surest["crop"], strict=True))
    longest = analysis.tracks.nlargest(_TRACKS, "n_faces", keep="first").sort_values("track")
    cards = []
    for row in _records(longest):
        track = int(row["track"])
        emotion = leaders.get(track)
        cards.append(
            {
                "track": track,
                "when": f"{words.moment(row['start'], True)}–{words.moment(row['end'], True)}",
                "about": f"{words.count(int(row['n_faces']), 'face')} in shot {row['shot']}",
                "emotion": emotion,
                "percent": words.percent(100 * shares[track][emotion]) if emotion else None,
                "colour": COLOURS[emotion] if emotion else None,
                "picture": packed(pictures.get(track), 72, 72),
            }
        )
    return cards, leaders


def _readings(analysis: Analysis, usable: bool = True) -> pd.DataFrame:
    """Join expressions, all or the usable ones, with their faces."""
    columns = ["face", "x0", "y0", "x1", "y1", "confidence", "crop"]
    rows = analysis.expressions.loc[analysis.expressions["usable"]] if usable else analysis.expressions
    return rows.merge(analysis.faces[columns], on="face", how="left").reset_index(drop=True)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    names = [str(name) for name in frame.columns]
    return [dict(zip(names, row, strict=True)) for row in frame.itertuples(index=False, name=None)]


def _fine(scenes: pd.DataFrame) -> bool:
    """Tell whether scenes are so short that whole seconds would not tell them apart."""
    return bool(len(scenes)) and float((scenes["end"] - scenes["start"]).min()) < 10


def _distribution(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Lay out the seven shares of a scene by screen time, with the share where every track counts alike beside it."""
    alike = rows.loc[rows["view"] == "equal_track"].set_index("emotion")["percent"]
    seen = rows.loc[(rows["view"] == "screen_time") & rows["percent"].notna()]
    return [
        {
            "emotion": emotion,
            "colour": COLOURS[emotion],
            "share": round(share, 2),
            "percent": words.percent(share),
            "low": round(low, 2),
            "high": round(high, 2),
            "interval": words.interval(low, high),
            "alike": round(float(alike[emotion]), 2),
            "alike_percent": words.percent(alike[emotion]),
        }
        for emotion, share, low, high in seen[["emotion", "percent", "low", "high"]].itertuples(index=False)
    ]


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


def _strongest(readings: pd.DataFrame) -> list[dict[str, Any]]:
    """Choose the faces read most surely: first one of every track, then others of the same tracks, not neighbours."""
    if not len(readings):
        return []
    probability = readings[list(EMOTIONS)].to_numpy()
    ranked = readings.assign(
        emotion=np.array(EMOTIONS)[probability.argmax(axis=1)], probability=probability.max(axis=1)
    )
    ranked = ranked.sort_values("probability", ascending=False, kind="stable")
    first = ranked.drop_duplicates("track").head(_FACES)
    chosen = _records(first)
    seconds = ranked.assign(block=ranked["time"] // _APART).drop_duplicates(["track", "block"])
    for face in _records(seconds.head(8 * _FACES)):
        if len(chosen) == _FACES:
            break
        if all(face["track"] != other["track"] or abs(face["time"] - other["time"]) >= _APART for other in chosen):
            chosen.append(face)
    return [_face(face) for face in sorted(chosen, key=lambda face: -face["probability"])]


def _face(face: dict[str, Any]) -> dict[str, Any]:
    box, _ = in_crop(np.array([[face[edge] for edge in ("x0", "y0", "x1", "y1")]]), np.zeros((1, 5, 2)))
    left, top, right, bottom = (100 * box[0].astype(float)).round(1).tolist()
    return {
        "picture": packed(face["crop"], 112),
        "box": {"left": left, "top": top, "width": round(right - left, 1), "height": round(bottom - top, 1)},
        "emotion": face["emotion"],
        "colour": COLOURS[face["emotion"]],
        "percent": words.percent(100 * face["probability"]),
        "when": words.moment(face["time"], True),
        "track": int(face["track"]),
    }
