"""What the report says of each scene and of each track: plain values, ready for the template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.curves import COLOURS
from scenefer.emotions import EQUAL_ACTOR, EQUAL_TRACK
from scenefer.expression import counted
from scenefer.intentions import parse_intention
from scenefer.language import ENGLISH, Language
from scenefer.report import faces, inside, people, words
from scenefer.report.pictures import keyframes, packed
from scenefer.schema import EMOTIONS
from scenefer.tables import rows_of

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis import Analysis

# A report of a long film must still open at once: fewer and smaller pictures a scene, the more scenes there are.
_KEYFRAMES = ((24, 3), (60, 2))  # up to so many scenes, so many keyframes a scene; beyond, one
_TRACKS = 60  # tracks that are listed with a picture


def scene_cards(
    analysis: Analysis,
    verdicts: Mapping[int, list[dict[str, Any]]] = MappingProxyType({}),
    language: Language = ENGLISH,
    corrected: Mapping[int, Mapping[str, str]] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Collect name, pictures, distribution, evidence, faces, intention and verdicts of every scene, in order.

    Args:
        corrected: percentages corrected by EMQ, in words, by scene and emotion; where they were computed.
    """
    n_keyframes = next((n for scenes, n in _KEYFRAMES if len(analysis.scenes) <= scenes), 1)
    percentages: dict[int, list[dict[str, Any]]] = {}
    for row in rows_of(analysis.scene_emotions):
        percentages.setdefault(row["scene"], []).append(row)
    readings = _readings(analysis)
    of_scene = readings.groupby("scene").indices
    at = _clock(analysis, language)
    video = analysis.film.kind == "video"
    untold = analysis.tracks.loc[analysis.tracks["actor"].isna(), "track"]
    cards = []
    for scene in rows_of(analysis.scenes):
        rows = percentages[scene["scene"]]
        evidence = rows[0]
        start, end = scene["start"], scene["end"]
        seen = readings.iloc[of_scene.get(scene["scene"], [])]
        in_shots = seen.groupby("shot")["weight"].sum().to_dict()
        stills = rows_of(keyframes(analysis.pictures, analysis.shots, in_shots, start, end, n_keyframes))
        distribution = _distribution(rows, language, corrected.get(scene["scene"], {}))
        intended = _intended(analysis.sheet, scene["name"], language)
        meant = _together([row["shares"] for row in intended if row["shares"]])
        when, *about = _extent(scene, video, at, language)
        cards.append(
            {
                "id": int(scene["scene"]),
                "name": words.scene_name(scene["name"], language),
                "when": when,
                "about": about,
                "begin": at(start),
                "end": at(end),
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
                "arc": inside.arc(seen, analysis.shots, start, end, meant) if video and distribution else None,
                "covered": words.covered(
                    evidence,
                    seen.loc[counted(seen) & seen["track"].isin(untold), "track"].nunique(),
                    words.shots if video else words.pictures,
                    language,
                ),
                "coverage": round(100 * evidence["coverage"], 1),
                "limits": words.limits(evidence, not video, language),
                "within": evidence["n_shots"] < 3,
                "single": _n_alike(evidence) < 2,
                "faces": faces.strongest(seen, list(meant), at, language),
                "intended": intended,
                "meant": meant,
                "verdicts": verdicts.get(int(scene["scene"]), []),
            }
        )
    return cards


def track_cards(analysis: Analysis, language: Language = ENGLISH) -> tuple[list[dict[str, Any]], dict[int, str]]:
    """Collect a picture, the times and the leading expression of the longest tracks with a usable face, in order.

    Returns:
        The cards, and the leading emotion of every track that has a usable face.
    """
    readings = _readings(analysis)
    usable = readings.loc[counted(readings)]
    weighted = usable[list(EMOTIONS)].mul(usable["weight"], axis=0).groupby(usable["track"]).sum()
    shares = {row["track"]: row for row in rows_of(weighted.div(weighted.sum(axis=1), axis=0).reset_index())}
    leaders = {track: max(EMOTIONS, key=lambda emotion: share[emotion]) for track, share in shares.items()}
    surest = readings.sort_values("confidence", ascending=False, kind="stable").drop_duplicates("track")
    pictures = dict(zip(surest["track"], surest["crop"], strict=True))
    seen = analysis.tracks.loc[analysis.tracks["track"].isin(list(leaders))]
    longest = seen.nlargest(_TRACKS, "n_faces", keep="first").sort_values("track")
    at = _clock(analysis, language)
    cards = []
    for row in rows_of(longest):
        track = row["track"]
        emotion = leaders[track]
        cards.append(
            {
                "track": track,
                "person": people.label(row["actor"], row["actor_name"], language),
                "when": at(row["start"]) if row["start"] == row["end"] else f"{at(row['start'])}–{at(row['end'])}",
                "about": language.many("{n} face", "{n} faces", row["n_faces"]),
                "emotion": language.emotion(emotion),
                "percent": words.percent(100 * shares[track][emotion], language),
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


def _clock(analysis: Analysis, language: Language) -> Callable[[float], str]:
    """Return how moments are written: by the clock, in tenths where scenes are short; of stills, by their number."""
    if analysis.film.kind != "video":
        begins = analysis.shots["start"].to_numpy()
        return lambda time: language.say("picture {n}", n=np.searchsorted(begins, time, side="right"))
    lengths = analysis.scenes["end"] - analysis.scenes["start"]
    fine = bool((lengths < 10).any())
    return lambda time: words.moment(time, fine, language)


def _extent(scene: dict[str, Any], is_video: bool, at: Callable[[float], str], language: Language) -> list[str]:
    n_shots = int(scene["last_shot"] - scene["first_shot"] + 1)
    if not is_video:
        return [words.pictures(n_shots, language)]
    length = words.length(scene["end"] - scene["start"], language)
    return [f"{at(scene['start'])}–{at(scene['end'])}", length, words.shots(n_shots, language)]


def _distribution(rows: list[dict[str, Any]], language: Language, corrected: Mapping[str, str]) -> list[dict[str, Any]]:
    """Lay out the seven shares of a scene by screen time, with the share where every person counts alike beside it.

    Where people are not told apart, it is every track.
    """
    alike = {row["emotion"]: row["percent"] for row in rows if row["view"] in (EQUAL_TRACK, EQUAL_ACTOR)}
    return [
        {
            "emotion": row["emotion"],
            "word": language.emotion(row["emotion"]),
            "colour": COLOURS[row["emotion"]],
            "share": round(row["percent"], 2),
            "percent": words.percent(row["percent"], language),
            "low": round(row["low"], 2),
            "high": round(row["high"], 2),
            "interval": words.interval(row["low"], row["high"]),
            "alike": round(alike[row["emotion"]], 2),
            "alike_percent": words.percent(alike[row["emotion"]], language),
            "corrected": corrected.get(row["emotion"], ""),
        }
        for row in rows
        if row["view"] == "screen_time" and not np.isnan(row["percent"])
    ]


def _n_alike(evidence: dict[str, Any]) -> int:
    """Count what counts alike in the second view: people, all that could not be told as one, or tracks without any."""
    return int(evidence["n_tracks"] if evidence["n_actors"] is None else evidence["n_actors"])


def _clear_leader(distribution: list[dict[str, Any]]) -> str | None:
    """Name the emotion whose interval lies above all others; None where intervals overlap."""
    if not distribution:
        return None
    leader, *others = sorted(distribution, key=lambda row: -row["share"])
    return leader["emotion"] if leader["low"] > max(row["high"] for row in others) else None


def _intended(sheet: pd.DataFrame | None, name: str, language: Language) -> list[dict[str, Any]]:
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
                    {
                        "word": language.emotion(emotion),
                        "colour": COLOURS[emotion],
                        "percent": words.percent(100 * share, language),
                    }
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
