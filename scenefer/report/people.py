"""The people of a film: a picture, how long each is seen, and the expressions detected in that person's faces.

They are listed in order of first appearance. Nobody gets a score, a rank or a verdict: only scenes are judged.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.analysis.people import ActorSettings, best_faces
from scenefer.core.language import ENGLISH, Language
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of
from scenefer.report import editing, formatting
from scenefer.report.emotion_curves import COLOURS
from scenefer.report.images import inside_of, packed

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis

_BOX = ("x0", "y0", "x1", "y1")
_LISTED = 24  # maximum number of people shown, those seen longest
_BARS = 160  # maximum per arc; each covers an equal part of the film
_SAMPLES = 2  # minimum per bar; with one, a sample on the border of two bars would leave a gap
_HEIGHT = 40  # of an arc, in drawing units
_UNSURE = 0.05  # below this confidence, the page says that a track may belong to another person


def label(actor: Any, name: Any, language: Language = ENGLISH) -> str:
    """Return a person's name from the cast, else "person <number>"; empty if the person was not identified."""
    if actor is None:
        return ""
    return formatting.printable(name) or language.say("person {n}", n=int(actor) + 1)


def people_cards(analysis: Analysis, end: float, language: Language = ENGLISH) -> dict[str, Any] | None:
    """Collect the picture, name, times and arc of the people of a film; None if people were not identified.

    Args:
        end: end of the time axis, seconds.
    """
    tracks = analysis.tracks.dropna(subset=["actor"])
    if not len(tracks):
        return None
    seen = analysis.expressions.merge(analysis.tracks[["track", "actor"]], on="track")
    seconds = seen.groupby("actor")["weight"].sum()
    listed = seconds.nlargest(_LISTED, keep="first").index.sort_values()
    crops = _pictures(analysis, tracks)
    usable = seen.loc[seen["usable"]]
    n_bars, each = _bars(analysis, end)
    video = analysis.film.kind == "video"
    of_shots = formatting.shots if video else formatting.pictures
    cards = []
    for actor in listed.tolist():
        own = tracks.loc[tracks["actor"] == actor]
        faces = usable.loc[usable["actor"] == actor]
        cards.append(
            {
                "number": actor + 1,
                "name": label(actor, own["actor_name"].iloc[0], language),
                "picture": crops.get(actor),
                "seen": formatting.length(float(seconds[actor]), language),
                "usable": formatting.length(float(faces["weight"].sum()), language),
                "start": float(own["start"].min()),
                "first": formatting.moment(float(own["start"].min()), end < 600, language)
                if video
                else language.say("picture {n}", n=int(own["shot"].min()) + 1),
                "shots": of_shots(own["shot"].nunique(), language),
                "arc": arc(faces, n_bars * each, n_bars),
                "most": _largest(faces, language),
                "unsure": len(own) > 1 and bool((own["actor_confidence"] < _UNSURE).any()),
            }
        )
    unknown = seen.loc[seen["actor"].isna()]
    return {
        "cards": cards,
        "n": int(tracks["actor"].nunique()),
        "named": bool(tracks["actor_name"].notna().any()),
        "n_unknown": int(unknown["track"].nunique()),
        "unknown": formatting.length(float(unknown["weight"].sum()), language),
        "bar": formatting.length(each, language) if video else formatting.pictures(round(each), language),
        "length": round(n_bars * each, 3),
        "begin": formatting.moment(0) if video else "1",
        "end": formatting.moment(end) if video else str(len(analysis.shots)),
        "height": _HEIGHT,
        "excluded": editing.hatched(analysis, 0.0, n_bars * each),
        "bars": n_bars,
    }


def arc(faces: pd.DataFrame, end: float, n_bars: int = _BARS) -> list[dict[str, str]]:
    """Draw the shares of a person's expressions over the film: one SVG path per emotion, ``n_bars`` units wide.

    Args:
        faces: usable rows of the table EXPRESSIONS; bars without any stay empty.
        end: end of the drawing, seconds.
    """
    bar = np.minimum((faces["time"].to_numpy() / end * n_bars + 1e-6).astype(int), n_bars - 1)
    mass = np.zeros((n_bars, len(EMOTIONS)))
    np.add.at(mass, bar, faces[list(EMOTIONS)].to_numpy() * faces["weight"].to_numpy()[:, None])
    total = mass.sum(axis=1)
    drawn = np.flatnonzero(total > 0)
    tops = np.round(_HEIGHT * (1 - np.cumsum(mass[drawn], axis=1) / total[drawn, None]), 1)
    bottoms = np.column_stack([np.full(len(drawn), float(_HEIGHT)), tops[:, :-1]])
    paths = []
    for place, emotion in enumerate(EMOTIONS):
        pieces = [
            f"M{x} {bottom:g}V{top:g}h1V{bottom:g}z"
            for x, top, bottom in zip(drawn.tolist(), tops[:, place].tolist(), bottoms[:, place].tolist(), strict=True)
            if bottom > top
        ]
        if pieces:
            paths.append({"emotion": emotion, "colour": COLOURS[emotion], "path": "".join(pieces)})
    return paths


def _bars(analysis: Analysis, end: float) -> tuple[int, float]:
    """Return the number of bars of an arc, fewer if the film has few samples, and the seconds per bar.

    For stills, which last one second each, a bar is a whole number of pictures; the last bar may have fewer.
    """
    if analysis.film.kind != "video":
        each = max(1, ceil(end / _BARS))
        return max(1, ceil(end / each)), float(each)
    step = float(analysis.samples["weight"].median()) if len(analysis.samples) else 0.0
    n_bars = int(np.clip(end / (_SAMPLES * step), 1, _BARS)) if step > 0 else _BARS
    return n_bars, end / n_bars


def _pictures(analysis: Analysis, tracks: pd.DataFrame) -> dict[int, str | None]:
    """Choose the crop of each person that tells most, by actor, and pack it."""
    faces = analysis.faces.merge(analysis.expressions[["face", "track"]], on="face")
    best = best_faces(faces.loc[faces["track"].isin(tracks["track"])], ActorSettings(faces_a_track=1))
    best = best.merge(tracks[["track", "actor"]], on="track").sort_values("worth", ascending=False, kind="stable")
    best = best.drop_duplicates("actor")
    size = (analysis.film.width, analysis.film.height)
    return {
        int(row["actor"]): packed(row["crop"], 128, inside=inside_of([row[edge] for edge in _BOX], *size))
        for row in rows_of(best[["actor", "crop", *_BOX]])
    }


def _largest(faces: pd.DataFrame, language: Language) -> str:
    """Describe the arc by its two largest shares, for readers who cannot see it."""
    weight = faces["weight"].to_numpy()
    if not weight.sum():
        return language.say("no usable face")
    shares = 100 * (faces[list(EMOTIONS)].to_numpy() * weight[:, None]).sum(axis=0) / weight.sum()
    first = np.argsort(-shares, kind="stable")[:2]
    return ", ".join(
        f"{language.emotion(EMOTIONS[k])} {formatting.percent(float(shares[k]), language)}" for k in first.tolist()
    )
