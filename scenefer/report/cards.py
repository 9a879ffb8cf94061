"""What the report shows for each scene and each track: plain values for the template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scenefer.analysis.expressions import counted
from scenefer.analysis.keyframes import keyframes
from scenefer.analysis.scene_views import EQUAL_ACTOR, EQUAL_TRACK, OWN_BASELINE
from scenefer.comparison.intentions import parse_intention
from scenefer.core.language import ENGLISH, Language
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of
from scenefer.report import editing, faces, formatting, people, scene_arc
from scenefer.report.emotion_curves import COLOURS, labels
from scenefer.report.images import inside_of, packed
from scenefer.report.speakers import speakers

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis

# The report of a long film must still open at once: the more scenes, the fewer and smaller their pictures.
_KEYFRAMES = ((24, 3), (60, 2))  # (number of scenes up to which, keyframes per scene); above, one
_BOX = ("x0", "y0", "x1", "y1")
_TRACKS = 60  # maximum number of tracks listed


def scene_cards(
    analysis: Analysis,
    verdicts: Mapping[int, list[dict[str, Any]]] = MappingProxyType({}),
    language: Language = ENGLISH,
) -> list[dict[str, Any]]:
    """Collect the name, pictures, distribution, evidence, faces, intention and verdicts of every scene, in order."""
    percentages: dict[int, list[dict[str, Any]]] = {}
    for row in rows_of(analysis.scene_emotions):
        percentages.setdefault(row["scene"], []).append(row)
    readings = _readings(analysis)
    of_scene = readings.groupby("scene").indices
    film = _Film(analysis, language, clock(analysis, language))
    return [
        {
            **_scene_card(film, scene, percentages[scene["scene"]], readings.iloc[of_scene.get(scene["scene"], [])]),
            "verdicts": verdicts.get(int(scene["scene"]), []),
        }
        for scene in rows_of(analysis.scenes)
    ]


class _Film(NamedTuple):
    """What every card of a film needs."""

    analysis: Analysis
    language: Language
    at: Callable[[float], str]  # formats a moment

    @property
    def is_video(self) -> bool:
        """Whether it is a film, not stills."""
        return self.analysis.film.kind == "video"


def _scene_card(film: _Film, scene: dict[str, Any], rows: list[dict[str, Any]], seen: pd.DataFrame) -> dict[str, Any]:
    """Collect what is shown of a scene, whose rows of SCENE_EMOTIONS and whose usable faces are given."""
    analysis, language, at = film.analysis, film.language, film.at
    start, end = scene["start"], scene["end"]
    intended = _intended(analysis.sheet, scene["name"], language)
    meant = _together([row["shares"] for row in intended if row["shares"]])
    shares = _shares(rows, language)
    arc = film.is_video and shares["distribution"]
    return {
        **_place(film, scene),
        **_pictures(film, start, end, seen),
        **shares,
        **_evidence(film, rows[0], seen),
        "excluded": editing.hatched(analysis, start, end),
        "arc": scene_arc.arc(seen, analysis.shots, start, end, meant) if arc else None,
        "speakers": speakers(seen, analysis.tracks, language),
        "faces": faces.strongest(seen, list(meant), at, language, (analysis.film.width, analysis.film.height)),
        "people": _people(seen, language),
        "intended": intended,
        "meant": meant,
    }


def _place(film: _Film, scene: dict[str, Any]) -> dict[str, Any]:
    """Name a scene, and say where in the film it lies."""
    when, *about = _extent(scene, film.is_video, film.at, film.language)
    return {
        "id": int(scene["scene"]),
        "name": formatting.scene_name(scene["name"], film.language),
        "source": scene["source"],
        "when": when,
        "about": about,
        "start": scene["start"],
        "begin": film.at(scene["start"]),
        "end": scene["end"],
        "until": film.at(scene["end"]),
    }


def _pictures(film: _Film, start: float, end: float, seen: pd.DataFrame) -> dict[str, Any]:
    """Choose a scene's keyframes, those with the most faces first, and its tile on the strip."""
    pictures, shots, n_scenes = film.analysis.pictures, film.analysis.shots, len(film.analysis.scenes)
    n_keyframes = next((n for scenes, n in _KEYFRAMES if n_scenes <= scenes), 1)
    in_shots = seen.groupby("shot")["weight"].sum().to_dict()
    stills = rows_of(keyframes(pictures, shots, in_shots, start, end, n_keyframes))
    return {
        "tile": packed(stills[0]["jpeg"], 320 if n_scenes < 6 else 200, 68) if stills else None,
        "keyframes": [
            {"picture": packed(still["jpeg"], 320), "time": still["time"], "when": film.at(still["time"])}
            for still in sorted(stills, key=lambda still: still["time"])
        ],
    }


def _shares(rows: list[dict[str, Any]], language: Language) -> dict[str, Any]:
    """Lay out the shares of a scene, and which of them leads."""
    distribution = _distribution(rows, language)
    return {
        "distribution": distribution,
        "calmed": _calmed(rows, language),
        "leader": max(distribution, key=lambda row: row["share"]) if distribution else None,
        "clear": bool(distribution) and _leads_clearly(distribution),
    }


def _evidence(film: _Film, evidence: dict[str, Any], seen: pd.DataFrame) -> dict[str, Any]:
    """Say how much of a scene its shares are based on, and what limits them."""
    tracks = film.analysis.tracks
    untold = tracks.loc[tracks["actor"].isna(), "track"]
    n_untold = seen.loc[counted(seen) & seen["track"].isin(untold), "track"].nunique()
    unit = formatting.shots if film.is_video else formatting.pictures
    return {
        "evidence": evidence["evidence"],
        "covered": formatting.covered(evidence, n_untold, unit, film.language),
        "coverage": round(100 * evidence["coverage"], 1),
        "limits": formatting.limits(evidence, not film.is_video, film.language),
        "within": evidence["n_shots"] < 3,
        "single": _n_alike(evidence) < 2,
    }


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
    seen = analysis.tracks.loc[analysis.tracks["track"].isin(list(leaders))]
    longest = seen.nlargest(_TRACKS, "n_faces", keep="first").sort_values("track")
    size = (analysis.film.width, analysis.film.height)
    pictures = {
        row["track"]: packed(row["crop"], 72, 72, inside_of([row[edge] for edge in _BOX], *size))
        for row in rows_of(surest.loc[surest["track"].isin(longest["track"]), [*_BOX, "track", "crop"]])
    }
    at = clock(analysis, language)
    cards = []
    for row in rows_of(longest):
        track = row["track"]
        emotion = leaders[track]
        cards.append(
            {
                "track": track,
                "person": people.label(row["actor"], row["actor_name"], language),
                "when": at(row["start"]) if row["start"] == row["end"] else f"{at(row['start'])}–{at(row['end'])}",
                "start": row["start"],
                "about": language.many("{n} face", "{n} faces", row["n_faces"]),
                "emotion": language.emotion(emotion),
                "percent": formatting.percent(100 * shares[track][emotion], language),
                "colour": COLOURS[emotion],
                "picture": pictures.get(track),
            }
        )
    return cards, leaders


def _readings(analysis: Analysis) -> pd.DataFrame:
    """Join usable expressions with their faces, and add the most probable emotion with its probability."""
    columns = ["face", "x0", "y0", "x1", "y1", "confidence", "crop"]
    usable = analysis.expressions.loc[analysis.expressions["usable"]]
    probability = usable[list(EMOTIONS)].to_numpy()
    strongest = np.array(EMOTIONS, object)[probability.argmax(axis=1)]
    read = usable.assign(emotion=strongest, probability=probability.max(axis=1))
    people_of = analysis.tracks[["track", "actor", "actor_name"]]
    faces = read.merge(analysis.faces[columns], on="face", how="left")
    return faces.merge(people_of, on="track", how="left").reset_index(drop=True)


def _people(seen: pd.DataFrame, language: Language) -> list[tuple[int, str]]:
    """List the people with a usable face in a scene, in order of first appearance in the film."""
    told = seen[["actor", "actor_name"]].dropna(subset=["actor"]).drop_duplicates("actor").sort_values("actor")
    return [(int(row["actor"]), people.label(row["actor"], row["actor_name"], language)) for row in rows_of(told)]


def clock(analysis: Analysis, language: Language) -> Callable[[float], str]:
    """Return a function that formats a moment: as a time, in tenths if scenes are short; for stills, as a number."""
    if analysis.film.kind != "video":
        begins = analysis.shots["start"].to_numpy()
        return lambda time: language.say("picture {n}", n=np.searchsorted(begins, time, side="right"))
    lengths = analysis.scenes["end"] - analysis.scenes["start"]
    fine = bool((lengths < 10).any())
    return lambda time: formatting.moment(time, fine, language)


def _extent(scene: dict[str, Any], is_video: bool, at: Callable[[float], str], language: Language) -> list[str]:
    n_shots = int(scene["last_shot"] - scene["first_shot"] + 1)
    if not is_video:
        return [formatting.pictures(n_shots, language)]
    length = formatting.length(scene["end"] - scene["start"], language)
    return [f"{at(scene['start'])}–{at(scene['end'])}", length, formatting.shots(n_shots, language)]


def _distribution(rows: list[dict[str, Any]], language: Language) -> list[dict[str, Any]]:
    """Lay out the seven shares of a scene by screen time, each with the share in which every person has equal weight.

    If people are not identified, every track has equal weight.
    """
    alike = {row["emotion"]: row["percent"] for row in rows if row["view"] in (EQUAL_TRACK, EQUAL_ACTOR)}
    return [
        {
            "emotion": row["emotion"],
            "word": language.emotion(row["emotion"]),
            "colour": COLOURS[row["emotion"]],
            "share": round(row["percent"], 2),
            "percent": formatting.percent(row["percent"], language),
            "low": round(row["low"], 2),
            "high": round(row["high"], 2),
            "interval": formatting.interval(row["low"], row["high"]),
            "alike": round(alike[row["emotion"]], 2),
            "alike_percent": formatting.percent(alike[row["emotion"]], language),
        }
        for row in rows
        if row["view"] == "screen_time" and not np.isnan(row["percent"])
    ]


def _calmed(rows: list[dict[str, Any]], language: Language) -> dict[str, str]:
    """Format the seven shares with each person's baseline (calm face) removed; empty if the run has no such view."""
    return {
        row["emotion"]: formatting.percent(row["percent"], language)
        for row in rows
        if row["view"] == OWN_BASELINE and not np.isnan(row["percent"])
    }


def _n_alike(evidence: dict[str, Any]) -> int:
    """Count the units of the equal-weight view: people (unidentified tracks as one), or tracks if there are none."""
    return int(evidence["n_tracks"] if evidence["n_actors"] is None else evidence["n_actors"])


def _leads_clearly(distribution: list[dict[str, Any]]) -> bool:
    """Tell whether the interval of the largest share lies above all other intervals."""
    leader, *others = sorted(distribution, key=lambda row: -row["share"])
    return leader["low"] > max(row["high"] for row in others)


def _intended(sheet: pd.DataFrame | None, name: str, language: Language) -> list[dict[str, Any]]:
    """Read the entries of a sheet for a scene, one per character."""
    if sheet is None:
        return []
    rows = sheet.loc[sheet["scene"].astype(str) == name]
    entries = []
    for intended, character, note in rows[["intended", "character", "note"]].itertuples(index=False):
        shares = parse_intention(formatting.printable(intended))
        entries.append(
            {
                "shares": shares,
                "labels": labels(shares, language),
                "character": formatting.printable(character),
                "note": formatting.printable(note),
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
