"""The people of a film: a picture, how long each is seen, and the expressions detected in that person's faces.

They stand in order of first appearance. Nobody gets a score, a rank or a verdict: what is judged is a scene's picture.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.actors import ActorSettings, best_faces
from scenefer.curves import COLOURS
from scenefer.language import ENGLISH, Language
from scenefer.report import words
from scenefer.report.pictures import packed
from scenefer.schema import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis import Analysis

_LISTED = 24  # people seen longest that are shown
_BARS = 160  # of an arc at most: each sums up as much of the film
_SAMPLES = 2  # that a bar sums up at least; with one, a sample on the border of two would leave a gap
_HEIGHT = 40  # of an arc, in units of its drawing
_UNSURE = 0.05  # confidence of a track below which it is said that it may belong to somebody else


def label(actor: Any, name: Any, language: Language = ENGLISH) -> str:
    """Call a person by the cast's name, else by a number; empty where it could not be told."""
    if actor is None:
        return ""
    return words.printable(name) or language.say("person {n}", n=int(actor) + 1)


def people_cards(analysis: Analysis, end: float, language: Language = ENGLISH) -> dict[str, Any] | None:
    """Collect picture, name, times and arc of the people of a film; None where nobody is told apart.

    Args:
        end: seconds, where the axis of time ends.
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
    of_shots = words.shots if video else words.pictures
    cards = []
    for actor in listed.tolist():
        own = tracks.loc[tracks["actor"] == actor]
        faces = usable.loc[usable["actor"] == actor]
        cards.append(
            {
                "name": label(actor, own["actor_name"].iloc[0], language),
                "picture": packed(crops.get(actor), 128),
                "seen": words.length(float(seconds[actor]), language),
                "usable": words.length(float(faces["weight"].sum()), language),
                "first": words.moment(float(own["start"].min()), end < 600, language)
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
        "unknown": words.length(float(unknown["weight"].sum()), language),
        "bar": words.length(each, language) if video else words.pictures(round(each), language),
        "begin": words.moment(0) if video else "1",
        "end": words.moment(end) if video else str(len(analysis.shots)),
        "height": _HEIGHT,
        "bars": n_bars,
    }


def arc(faces: pd.DataFrame, end: float, n_bars: int = _BARS) -> list[dict[str, str]]:
    """Draw how a person's detected expressions divide over the film: an SVG path an emotion, ``n_bars`` units wide.

    Args:
        faces: rows of the table EXPRESSIONS, usable; where there are none, nothing is drawn.
        end: seconds, where the drawing ends.
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
    """Count the bars of an arc, fewer where the film has few samples, and say how many seconds each stands for.

    Of stills it is a whole number of pictures, which last a second each; the last bar may then have fewer of them.
    """
    if analysis.film.kind != "video":
        each = max(1, ceil(end / _BARS))
        return max(1, ceil(end / each)), float(each)
    step = float(analysis.samples["weight"].median()) if len(analysis.samples) else 0.0
    n_bars = int(np.clip(end / (_SAMPLES * step), 1, _BARS)) if step > 0 else _BARS
    return n_bars, end / n_bars


def _pictures(analysis: Analysis, tracks: pd.DataFrame) -> dict[int, bytes]:
    """Choose the crop of each person that tells most, by actor."""
    faces = analysis.faces.merge(analysis.expressions[["face", "track"]], on="face")
    best = best_faces(faces.loc[faces["track"].isin(tracks["track"])], ActorSettings(faces_a_track=1))
    best = best.merge(tracks[["track", "actor"]], on="track").sort_values("worth", ascending=False, kind="stable")
    best = best.drop_duplicates("actor")
    return dict(zip(best["actor"].astype(int).tolist(), best["crop"], strict=True))


def _largest(faces: pd.DataFrame, language: Language) -> str:
    """Say in words what the arc shows, for those who do not see it: the two largest shares."""
    weight = faces["weight"].to_numpy()
    if not weight.sum():
        return language.say("no usable face")
    shares = 100 * (faces[list(EMOTIONS)].to_numpy() * weight[:, None]).sum(axis=0) / weight.sum()
    first = np.argsort(-shares, kind="stable")[:2]
    return ", ".join(
        f"{language.emotion(EMOTIONS[k])} {words.percent(float(shares[k]), language)}" for k in first.tolist()
    )
