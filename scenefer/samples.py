"""What became of every sampled moment of a film: a face, no face, faces that do not count and why, or no frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_LONGEST_STEP = 1.0  # seconds that a picture of a folder of stills stands for


def place_samples(
    frames: pd.DataFrame, shots: pd.DataFrame, scenes: pd.DataFrame, sample_rate: float, end: float
) -> pd.DataFrame:
    """Lay the sampled frames out in time, shots and scenes, before it is known what was found in them.

    A sample stands for the time until the next one, at most two steps, and not beyond the end of its shot and scene. A
    step is 1 / sample_rate, or the usual distance of frames where the film has fewer (stills: one second). Grid points
    that no sample stands for have a row of their own, "not decoded".

    Args:
        frames: table FRAMES, ordered by time.
        shots: table SHOTS.
        scenes: table SCENES, ordered by time; samples between scenes have scene null.
        end: seconds at which the film, or the part of it that was asked for, ends.

    Returns:
        Table SAMPLES ordered by time; states are "no face", "rejected" (inside a gradual transition) and "not decoded".
    """
    import numpy as np

    from scenefer.tables import conform, empty

    if not len(shots):
        return empty("samples")
    times = frames["time"].to_numpy()
    step = 1 / sample_rate
    if len(times):
        step = max(step, min(float(np.median(np.diff(times, append=end))), _LONGEST_STEP))
    sampled = times[frames["sampled"].to_numpy(bool)]
    missing = _missing(sampled, step, float(shots["start"].iloc[0]), end)
    time = np.concatenate([sampled, missing])
    decoded = np.concatenate([np.ones(len(sampled), bool), np.zeros(len(missing), bool)])
    order = np.argsort(time, kind="stable")
    time, decoded = time[order], decoded[order]
    inside = _inside_transition(time, shots) & decoded
    shot = np.clip(np.searchsorted(shots["start"].to_numpy(), time, side="right") - 1, 0, None)
    scene, scene_end = _holder(time, scenes)
    longest = np.where(decoded, 2, 1) * step
    until = np.minimum.reduce([np.append(time[1:], end), time + longest, shots["end"].to_numpy()[shot], scene_end])
    columns = {
        "time": time,
        "shot": shots["shot"].to_numpy()[shot],
        "scene": _ids(scene, scenes["scene"].to_numpy()),
        "weight": np.clip(until - time, 0.0, None),
        "state": np.where(decoded, np.where(inside, "rejected", "no face"), "not decoded"),
        "why": ["transition" if within else None for within in inside],
        "n_faces": np.zeros(len(time), np.int64),
        "n_usable": np.zeros(len(time), np.int64),
    }
    return conform(columns, "samples")


def account(samples: pd.DataFrame, expressions: pd.DataFrame) -> pd.DataFrame:
    """Say of every sample what its faces came to.

    Returns:
        Table SAMPLES with ``n_faces``, ``n_usable`` and the state "face" where a face counts, "rejected" with the
        commonest reason where there are faces and none counts; other samples keep their state.

    Raises:
        ValueError: a face lies at a time that is no sample.
    """
    import numpy as np

    from scenefer.tables import conform

    row = rows_of(samples, expressions["time"].to_numpy())
    usable = expressions["usable"].to_numpy(bool)
    n_faces = np.bincount(row, minlength=len(samples))
    n_usable = np.bincount(row[usable], minlength=len(samples))
    state = samples["state"].to_numpy(object).copy()
    why = samples["why"].to_numpy(object).copy()
    state[n_usable > 0] = "face"
    why[n_usable > 0] = None
    rejected = (n_faces > 0) & (n_usable == 0)
    reasons: dict[int, list[str]] = {}
    for place, reason in zip(row[~usable], expressions["why"].to_numpy()[~usable], strict=True):
        if rejected[place]:
            reasons.setdefault(place, []).append(reason)
    for place, given in reasons.items():
        state[place] = "rejected"
        why[place] = max(sorted(set(given)), key=given.count)
    return conform(samples.assign(state=state, why=why, n_faces=n_faces, n_usable=n_usable), "samples")


def rows_of(samples: pd.DataFrame, times: np.ndarray) -> np.ndarray:
    """Return the row number of the decoded sample at each of ``times``, exactly.

    Raises:
        ValueError: there is none at one of them.
    """
    import numpy as np

    decoded = np.flatnonzero((samples["state"] != "not decoded").to_numpy(bool))
    known = samples["time"].to_numpy()[decoded]
    place = np.searchsorted(known, times)
    wrong = (place == len(known)) | (
        known[np.clip(place, None, max(len(known) - 1, 0))] != times if len(known) else True
    )
    if np.any(wrong):
        raise ValueError(f"no frame was sampled at {times[np.argmax(wrong)]} s, where a face is said to be")
    return decoded[place]


def _missing(sampled: np.ndarray, step: float, begin: float, end: float) -> np.ndarray:
    """Return the grid points that no sample stands for."""
    import numpy as np

    starts = np.concatenate([[begin], sampled + 2 * step])
    stops = np.append(sampled, end)
    points = [
        np.arange(np.ceil(start / step - 1e-6), np.ceil(stop / step - 1e-6)) * step
        for start, stop in zip(starts, stops, strict=True)
        if stop - start > 1e-6
    ]
    return np.concatenate(points) if points else np.empty(0)


def _inside_transition(time: np.ndarray, shots: pd.DataFrame) -> np.ndarray:
    import numpy as np

    gradual = shots.dropna(subset=["transition_start", "transition_end"])
    inside = np.zeros(len(time), bool)
    for start, stop in zip(gradual["transition_start"], gradual["transition_end"], strict=True):
        inside |= (time >= start) & (time < stop)
    return inside


def _holder(time: np.ndarray, spans: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the row of the span that holds each time, -1 where none does, and where that span, or the hole, ends."""
    import numpy as np

    starts, ends = spans["start"].to_numpy(), spans["end"].to_numpy()
    row = np.searchsorted(starts, time, side="right") - 1
    row[(row >= 0) & (time >= np.append(ends, np.inf)[row])] = -1
    next_start = np.append(starts, np.inf)[np.searchsorted(starts, time, side="right")]
    return row, np.where(row >= 0, np.append(ends, np.inf)[row], next_start)


def _ids(row: np.ndarray, ids: np.ndarray) -> pd.arrays.IntegerArray:
    import numpy as np
    import pandas as pd

    known = np.append(ids, 0)[row].astype(np.int64)  # row -1 takes the 0 behind the last, which the mask hides
    return pd.arrays.IntegerArray(known, row < 0)
