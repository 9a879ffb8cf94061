"""The moments of a film to look at again: one a scene, with the picture where the faces deviate most, and the reason.

If there are intentions, these are the scenes furthest from them, those first that surely miss them; otherwise the
scenes whose faces differ most from the film's average. Nothing is said about a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.analysis.expressions import counted, film_shares
from scenefer.analysis.scene_views import SCREEN_TIME, character_view
from scenefer.comparison import scene_comparison
from scenefer.comparison.intentions import parse_intention
from scenefer.core.language import Language, marked
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import rows_of
from scenefer.report import formatting

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis
    from scenefer.comparison.scene_comparison import Comparison

MOMENTS = 3
_WINDOW = 1.0  # seconds averaged before and after a face to find where a scene deviates most
_STANDS_OUT = 10.0  # points; minimum certain difference between a scene's share and the film's
_MORE = marked("The faces show {emotion} far more than elsewhere: {share} here, {usual} over the film.")
_LESS = marked("The faces show {emotion} far less than elsewhere: {share} here, {usual} over the film.")


@dataclass(frozen=True)
class Moment:
    """A picture to look at again, and why."""

    scene: int
    time: float  # seconds; of the picture, or of the moment if no picture is kept
    jpeg: bytes | None
    sentence: str


def moments(analysis: Analysis, compared: Comparison | None, language: Language) -> list[Moment]:
    """Choose up to three scenes to look at again, the most pressing first."""
    found = _from_usual(analysis, language) if compared is None else _from_intention(compared, language)
    chosen: dict[int, Moment] = {}
    for scene, view, less_of, sentence in found:
        if scene not in chosen:
            time, jpeg = _picture(analysis, scene, view, less_of)
            chosen[scene] = Moment(scene, time, jpeg, sentence)
        if len(chosen) == MOMENTS:
            break
    return list(chosen.values())


# Scene; view whose faces count; score of shares (N, 7), lowest at the moment; why.
_Found = tuple[int, str, Callable[[np.ndarray], np.ndarray], str]


def _from_intention(compared: Comparison, language: Language) -> Iterable[_Found]:
    """Yield scenes that do not show what was intended, in the order of the largest gaps."""
    rows = [row for row in rows_of(scene_comparison.headline(compared)[0]) if row["verdict"] in ("mismatch", "partial")]
    for row in sorted(rows, key=lambda row: scene_comparison.furthest_first(row["verdict"], row["js"])):
        meant = parse_intention(row["intended"])
        parts = [EMOTIONS.index(emotion) for emotion in meant]
        sentence = _against(row, meant, language)
        yield row["scene"], row["view"], lambda shares, parts=parts: shares[:, parts].sum(axis=1), sentence


def _against(row: Mapping[str, Any], meant: Mapping[str, float], language: Language) -> str:
    """Say in one sentence what was intended and what the faces mostly show."""
    say = language.say
    wanted = formatting.listed(
        [
            language.emotion(emotion)
            if share == 1
            else f"{language.emotion(emotion)} {formatting.percent(100 * share, language)}"
            for emotion, share in meant.items()
        ],
        language,
    )
    shown = {emotion: row[f"detected_{emotion}"] for emotion in EMOTIONS}
    most = max(shown, key=lambda emotion: shown[emotion])
    words = {
        "wanted": f"{wanted} ({formatting.printable(row['character'])})" if row["character"] else wanted,
        "meant": wanted,
        "most": language.emotion(most),
        "share": formatting.percent(shown[most], language),
        "own": formatting.percent(row["mass"], language),
        "found": formatting.listed(
            [f"{language.emotion(emotion)} {formatting.percent(shown[emotion], language)}" for emotion in meant],
            language,
        ),
        "elsewhere": formatting.percent(100 * row["tv"], language),
    }
    if most in meant and len(meant) == 1:
        return say("Intended: {wanted}. The faces show it at {own}, but something else may be as strong.", **words)
    if len(meant) > 1 and most in meant:
        return say("Intended: {wanted}. The faces show {found}; {elsewhere} lies elsewhere.", **words)
    if len(meant) > 1:
        return say("Intended: {wanted}. The faces mostly show {most} ({share}); {elsewhere} lies elsewhere.", **words)
    return say("Intended: {wanted}. The faces mostly show {most} ({share}); {meant} makes up {own}.", **words)


def _from_usual(analysis: Analysis, language: Language) -> Iterable[_Found]:
    """Yield scenes by how far one share is with certainty above or below the film's average.

    That is the distance from the share over the whole film to the nearer end of the scene's interval. That a scene
    shows less of something is worth a look only where it is what the film mostly shows.
    """
    usual = _usual(analysis)
    of_scenes = analysis.scene_emotions
    rows = of_scenes.loc[(of_scenes["view"] == SCREEN_TIME) & of_scenes["percent"].notna()]
    departures = []
    for row in rows_of(rows):
        about = usual[row["emotion"]]
        above = row["percent"] > about
        if not above and about < max(usual.values()):
            continue
        sure = row["low"] - about if above else about - row["high"]
        departures.append((row["evidence"] == "one take", -sure, above, row))
    for _, less, above, row in sorted(departures, key=lambda found: found[:2]):
        if -less < _STANDS_OUT:
            continue
        place = EMOTIONS.index(row["emotion"])
        words = {
            "emotion": language.emotion(row["emotion"]),
            "share": formatting.percent(row["percent"], language),
            "usual": formatting.percent(usual[row["emotion"]], language),
        }
        sign = -1.0 if above else 1.0
        sentence = language.say(_MORE if above else _LESS, **words)
        yield row["scene"], SCREEN_TIME, lambda shares, place=place, sign=sign: sign * shares[:, place], sentence


def _usual(analysis: Analysis) -> dict[str, float]:
    """Return the shares over the whole film, in percent of the seconds of usable faces."""
    shares = film_shares(analysis.expressions)
    return dict.fromkeys(EMOTIONS, 0.0) if shares is None else dict(zip(EMOTIONS, shares.tolist(), strict=True))


def _picture(
    analysis: Analysis, scene: int, view: str, less_of: Callable[[np.ndarray], np.ndarray]
) -> tuple[float, bytes | None]:
    """Find the moment of a scene at which ``less_of`` is lowest, and the stored picture nearest to it.

    In the view of a person, only that person's faces count.
    """
    rows = analysis.expressions
    faces = rows.loc[counted(rows) & (rows["scene"] == scene)].sort_values("time", kind="stable")
    if view.startswith(character_view("")):
        tracks = analysis.tracks
        own = tracks.loc[tracks["actor_name"].map(character_view, na_action="ignore") == view, "track"]
        faces = faces.loc[faces["track"].isin(own)]
    span = analysis.scenes.loc[analysis.scenes["scene"] == scene, ["start", "end"]].iloc[0]
    time = faces["time"].to_numpy()
    low = less_of(_smoothed(time, faces[list(EMOTIONS)].to_numpy(np.float64), faces["weight"].to_numpy()))
    at = float(time[low.argmin()]) if len(time) else float(span["start"])
    pictures = analysis.pictures
    inside = np.flatnonzero((pictures["time"] >= span["start"]) & (pictures["time"] < span["end"]))
    if not len(inside):
        return at, None
    shots = analysis.shots["start"].to_numpy()
    taken = pictures["time"].to_numpy()[inside]
    other_shot = np.searchsorted(shots, taken + 1e-6) != np.searchsorted(shots, at + 1e-6)
    best = inside[int(np.lexsort([np.abs(taken - at), other_shot])[0])]
    return float(pictures["time"].iloc[best]), pictures["jpeg"].iloc[best]


def _smoothed(time: np.ndarray, shares: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Average shares (N, 7) over the faces within one second before and after each face."""
    if not len(time):
        return shares
    sums = np.concatenate([np.zeros((1, shares.shape[1])), np.cumsum(shares * weight[:, None], axis=0)])
    seconds = np.r_[0.0, np.cumsum(weight)]
    first = np.searchsorted(time, time - _WINDOW - 1e-9)
    stop = np.searchsorted(time, time + _WINDOW + 1e-9, side="right")
    return (sums[stop] - sums[first]) / (seconds[stop] - seconds[first])[:, None]
