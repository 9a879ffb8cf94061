"""The state of every sample of a film: a face, no face, only rejected faces (and why), or no decoded frame."""

from __future__ import annotations

import numpy as np
import pandas as pd

from scenefer.analysis.shots import inside_transition
from scenefer.core.tables import conform, empty

_LONGEST_STEP = 1.0  # seconds; the time that one picture of a folder of stills stands for


def place_samples(
    frames: pd.DataFrame, shots: pd.DataFrame, scenes: pd.DataFrame, sample_rate: float, end: float
) -> pd.DataFrame:
    """Assign sampled frames to time, shots and scenes, before their faces are known.

    A sample stands for the time until the next one, but at most for two steps, and not beyond the end of its shot or
    scene. A step is 1 / sample_rate, or the median distance of frames if that is longer (stills: one second). Grid
    points that no sample covers get a row with state "not decoded".

    Args:
        frames: table FRAMES, ordered by time.
        shots: table SHOTS.
        scenes: table SCENES, ordered by time; samples between scenes have scene null.
        end: end of the film, or of the requested part, in seconds.

    Returns:
        Table SAMPLES ordered by time; states are "no face", "rejected" (inside a gradual transition) and "not decoded".
    """

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
    inside = inside_transition(time, shots) & decoded
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
    """Set the state of every sample from its faces.

    Returns:
        Table SAMPLES with ``n_faces``, ``n_usable`` and the state: "face" if a face counts, "rejected" with the most
        frequent reason if there are faces but none counts. Other samples keep their state.

    Raises:
        ValueError: the time of a face is not the time of a sample.
    """

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
    """Return the row number of the decoded sample at exactly each of ``times``.

    Raises:
        ValueError: there is no sample at one of the times.
    """
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
    """Return the grid points that no sample covers."""
    starts = np.concatenate([[begin], sampled + 2 * step])
    stops = np.append(sampled, end)
    points = [
        np.arange(np.ceil(start / step - 1e-6), np.ceil(stop / step - 1e-6)) * step
        for start, stop in zip(starts, stops, strict=True)
        if stop - start > 1e-6
    ]
    return np.concatenate(points) if points else np.empty(0)


def _holder(time: np.ndarray, spans: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return for each time the row of the span that contains it (-1 if none), and the end of that span or gap."""
    starts, ends = spans["start"].to_numpy(), spans["end"].to_numpy()
    row = np.searchsorted(starts, time, side="right") - 1
    row[(row >= 0) & (time >= np.append(ends, np.inf)[row])] = -1
    next_start = np.append(starts, np.inf)[np.searchsorted(starts, time, side="right")]
    return row, np.where(row >= 0, np.append(ends, np.inf)[row], next_start)


def _ids(row: np.ndarray, ids: np.ndarray) -> pd.arrays.IntegerArray:
    known = np.append(ids, 0)[row].astype(np.int64)  # row -1 gives the appended 0, which the mask hides
    return pd.arrays.IntegerArray(known, row < 0)
