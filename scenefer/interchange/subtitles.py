"""The detected expressions as subtitles: the scene's name, and what its faces show in each span of a few seconds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from scenefer.comparison.verdicts import NO_EVIDENCE
from scenefer.comparison.wording import verdict_words
from scenefer.core.scene import names_of, scenes_of
from scenefer.core.schema import EMOTIONS

if TYPE_CHECKING:
    import pandas as pd

_LONGEST = 4.0  # maximum seconds of a subtitle; longer shots get several
_SHORTEST = 0.2  # seconds; shorter ones cannot be read
_SECOND = 10.0  # minimum percent for naming a second emotion

# Players read tags and braces as commands, and an arrow as the times of the next subtitle.
_TEXT = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})


def write_srt(
    expressions: pd.DataFrame,
    shots: pd.DataFrame,
    scenes: pd.DataFrame,
    verdicts: Mapping[int, str],
    thin: Collection[int] = (),
) -> str:
    """Write SRT at film time: a subtitle for every few seconds of a shot that has a usable face.

    Args:
        expressions: table EXPRESSIONS; ``shots`` SHOTS; ``scenes`` SCENES.
        verdicts: by scene number, for compared scenes.
        thin: numbers of scenes with too few faces; no percentages are shown for them.
    """
    starts, ends, scene = _spans(shots, scenes)
    usable = expressions[expressions["usable"]]
    times = usable["time"].to_numpy()
    place = np.searchsorted(starts, times, side="right") - 1
    inside = (place >= 0) & (times < ends[np.clip(place, 0, None)]) if len(starts) else np.zeros(len(times), bool)
    usable, place = usable[inside], place[inside]
    names = names_of(scenes)
    weights = usable["weight"].to_numpy()
    shares = usable[list(EMOTIONS)].to_numpy() * weights[:, None]
    cues: list[str] = []
    for piece in np.unique(place):
        own = place == piece
        seconds = weights[own].sum()
        if not seconds:
            continue
        number = int(scene[piece])
        verdict = f" ({verdict_words(verdicts[number])})" if number in verdicts else ""
        words = f"detected: {_words(100 * shares[own].sum(axis=0) / seconds)}"
        lines = [f"{_safe(names[number])}{verdict}", NO_EVIDENCE if number in thin else words]
        cues.append(
            f"{len(cues) + 1}\n{_clock(float(starts[piece]))} --> {_clock(float(ends[piece]))}\n"
            + "\n".join(lines)
            + "\n"
        )
    return "\n".join(cues)


def _spans(shots: pd.DataFrame, scenes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Divide the scenes at cuts, and longer shots evenly: starts, ends (s) and scene of every piece."""
    pieces: list[tuple[float, float, int]] = []
    cuts = shots["start"].to_numpy()
    for scene in scenes_of(scenes):
        edges = [scene.start, *cuts[(cuts > scene.start) & (cuts < scene.end)], scene.end]
        for begin, stop in pairwise(edges):
            if stop - begin < _SHORTEST:
                continue
            steps = np.linspace(begin, stop, int(np.ceil((stop - begin) / _LONGEST)) + 1)
            pieces += [(a, b, scene.id) for a, b in pairwise(steps)]
    pieces.sort()
    columns = np.array(pieces, dtype=float).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2].astype(int)


def _words(percent: np.ndarray) -> str:
    first, second = percent.argsort()[::-1][:2]
    text = f"{EMOTIONS[first]} {percent[first]:.0f} %"
    return text + (f", {EMOTIONS[second]} {percent[second]:.0f} %" if percent[second] >= _SECOND else "")


def _safe(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(printable.replace("-->", "→").translate(_TEXT).split())


def _clock(seconds: float) -> str:
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02},{rest % 1000:03}"
