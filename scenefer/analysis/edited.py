"""An analysis with corrections by hand: people, scenes and moments as somebody put them right, shares computed anew.

measured ─▶ people (rename, merge, split) ─▶ scenes (boundaries) ─▶ moments (exclusions) ─▶ shares
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from scenefer.analysis import sampling, scene_emotions, stages
from scenefer.analysis.edited_people import People
from scenefer.analysis.edits import Boundary, Edits, Exclusion, kind_of
from scenefer.analysis.scenes import with_times
from scenefer.core.errors import SheetError
from scenefer.core.film import clock
from scenefer.core.text import did_you_mean, printable

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.result import Analysis
    from scenefer.analysis.settings import StageSettings

_SLACK = 1e-3  # seconds up to which two times are one: pages and files round to thousandths


def apply(measured: Analysis, edits: Edits, settings: StageSettings) -> Analysis:
    """Apply corrections to an analysis, all of them or none.

    Args:
        measured: an analysis without corrections.
        settings: those of the run.

    Returns:
        The analysis whose tables TRACKS, SAMPLES, EXPRESSIONS, SCENES and SCENE_EMOTIONS are as corrected, and whose
        PICTURES show no excluded moment. Whether a face is usable does not depend on where a scene begins and stays as
        measured, but in excluded moments.

    Raises:
        SheetError: they are of another film or analysis, or one of them does not fit; the message names it.
    """
    if edits.film != measured.film.id:
        raise SheetError(f"{edits.source}: it is of another film; give the edits of this run's report")
    if edits.analysis != analysis_id(measured):
        said = "it is of another analysis of this film, with other people, tracks or scenes"
        raise SheetError(f"{edits.source}: {said}; make the edits in the report that lies in this run")
    people, scenes, moments = People(measured.tracks), _Scenes(measured), _Moments(measured)
    for number, edit in enumerate(edits.edits, start=1):
        try:
            if isinstance(edit, Boundary):
                scenes.move(edit)
            elif isinstance(edit, Exclusion):
                moments.exclude(edit)
            else:
                people.apply(edit)
        except ValueError as error:
            raise SheetError(f"{edits.source}, edit {number} ({kind_of(edit)}): {error}") from error
    return _recomputed(measured, edits, people.tracks(), scenes, moments, settings)


def analysis_id(analysis: Analysis) -> str:
    """Identify what corrections speak of, 12 hexadecimal digits: tracks, their people as measured, and scenes."""
    whole = analysis.measured or analysis
    tracks = whole.tracks[["track", "shot", "start", "end", "n_faces", "actor"]].astype({"actor": "float64"})
    scenes = whole.scenes[["name", "start", "end"]]
    rows = [*tracks.round(3).to_numpy().tolist(), *scenes.round(3).to_numpy().tolist()]
    return sha256(f"{whole.film.id}:{rows}".encode("utf-8", "surrogateescape")).hexdigest()[:12]


def _recomputed(
    measured: Analysis, edits: Edits, tracks: pd.DataFrame, scenes: _Scenes, moments: _Moments, settings: StageSettings
) -> Analysis:
    film, expressions, samples = measured.film, measured.expressions, measured.samples
    table = scenes.table()
    if scenes.moved:
        rate, end = stages.sample_rate(film, settings), float(measured.shots["end"].iloc[-1])
        placed = sampling.place_samples(measured.frames, measured.shots, table, rate, end)
        row = sampling.rows_of(placed, expressions["time"].to_numpy())
        of_faces = placed.iloc[row]
        expressions = expressions.assign(scene=of_faces["scene"].array, weight=of_faces["weight"].to_numpy())
        samples = sampling.account(placed, expressions)
    if moments.spans:
        expressions, samples = moments.without(expressions, samples)
    shown = ~_inside(measured.pictures["time"].to_numpy(), moments.spans)
    rule = scene_emotions.rule_for(film, settings.emotions)
    run = {**measured.run, "edits": edits.record(), "coverage": stages.coverage(samples)}
    return replace(
        measured,
        pictures=measured.pictures.loc[shown].reset_index(drop=True),
        tracks=tracks,
        samples=samples,
        expressions=expressions,
        scenes=table,
        scene_emotions=scene_emotions.summarise(expressions, samples, table, tracks, rule),
        run=run,
        edits=edits,
        measured=measured,
    )


class _Scenes:
    """The scenes of a film while their boundaries are moved."""

    def __init__(self, measured: Analysis) -> None:
        self._measured = measured
        self._names = [str(name) for name in measured.scenes["name"]]
        self._start, self._end = (measured.scenes[edge].to_numpy(float).copy() for edge in ("start", "end"))
        self._frame = float(1 / measured.film.frame_rate)
        self.moved = False

    def move(self, edit: Boundary) -> None:
        """Move an edge of a scene, and that of the neighbour that touches it.

        Raises:
            ValueError: there is no such scene, or the edge may not lie there.
        """
        _require_video(self._measured)
        if edit.scene not in self._names:
            near = did_you_mean(edit.scene, self._names, otherwise="see the report for its scenes")
            raise ValueError(f"the run has no scene {printable(edit.scene)!r}; {near}")
        _require_in_film(edit.time, self._measured)
        row = self._names.index(edit.scene)
        at_begin = edit.edge == "start"
        other = row - 1 if at_begin else row + 1
        has_other = 0 <= other < len(self._names)
        first, second = (other, row) if at_begin else (row, other)
        touches = has_other and abs(self._start[second] - self._end[first]) < _SLACK
        if touches:
            self._keep_length(first, self._start[first], edit.time)
            self._keep_length(second, edit.time, self._end[second])
            self._end[first] = self._start[second] = edit.time
        elif at_begin:
            if has_other and edit.time < self._end[other] - _SLACK:
                raise ValueError(f"it would cross into {self._said(other)}, which ends at {clock(self._end[other])}")
            self._keep_length(row, edit.time, self._end[row])
            self._start[row] = edit.time
        else:
            if has_other and edit.time > self._start[other] + _SLACK:
                begin = clock(self._start[other])
                raise ValueError(f"it would cross into {self._said(other)}, which begins at {begin}")
            self._keep_length(row, self._start[row], edit.time)
            self._end[row] = edit.time
        self.moved = True

    def table(self) -> pd.DataFrame:
        """Return the table SCENES."""
        scenes = self._measured.scenes
        return with_times(scenes, self._start, self._end, self._measured.shots, self._frame) if self.moved else scenes

    def _said(self, row: int) -> str:
        return f"scene {printable(self._names[row])!r}"

    def _keep_length(self, row: int, start: float, end: float) -> None:
        if start > end + _SLACK:
            span = f"which lasts from {clock(self._start[row])} to {clock(self._end[row])}"
            raise ValueError(f"it would cross {self._said(row)}, {span}")
        if end - start < self._frame - _SLACK:
            raise ValueError(f"{self._said(row)} would be left without a frame; merge scenes in your list instead")


class _Moments:
    """The moments of a film that count for nothing."""

    def __init__(self, measured: Analysis) -> None:
        self._measured = measured
        self.spans: list[tuple[float, float]] = []

    def exclude(self, edit: Exclusion) -> None:
        """Exclude a span of film time.

        Raises:
            ValueError: it is empty, lies outside the film, or overlaps another one.
        """
        _require_video(self._measured)
        if not edit.start < edit.end:
            raise ValueError(f"it is empty: it begins at {clock(edit.start)} and ends at {clock(edit.end)}")
        _require_in_film(edit.start, self._measured)
        _require_in_film(edit.end, self._measured)
        for start, end in self.spans:
            if edit.start < end - _SLACK and start < edit.end - _SLACK:
                said = f"{clock(start)} to {clock(end)} is excluded already, and overlaps it"
                raise ValueError(f"{said}; give one span instead")
        if not _inside(self._measured.samples["time"].to_numpy(), [(edit.start, edit.end)]).any():
            raise ValueError("it is empty: no sampled moment of the film lies in it; make it longer")
        self.spans.append((edit.start, edit.end))

    def without(self, expressions: pd.DataFrame, samples: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the tables EXPRESSIONS and SAMPLES in which no face of an excluded moment counts."""
        out = _inside(expressions["time"].to_numpy(), self.spans) & expressions["usable"].to_numpy(bool)
        usable, why = expressions["usable"].to_numpy(bool) & ~out, expressions["why"].to_numpy(object).copy()
        why[out] = "excluded"
        expressions = expressions.assign(usable=usable, why=why)
        out = _inside(samples["time"].to_numpy(), self.spans) & (samples["state"] != "not decoded").to_numpy()
        state, why = (samples[name].to_numpy(object).copy() for name in ("state", "why"))
        state[out], why[out] = "excluded", None
        n_usable = np.where(out, 0, samples["n_usable"].to_numpy())
        return expressions, samples.assign(state=state, why=why, n_usable=n_usable)


def _inside(times: np.ndarray, spans: list[tuple[float, float]]) -> np.ndarray:
    inside = np.zeros(len(times), bool)
    for start, end in spans:
        inside |= (times >= start - 1e-6) & (times < end - 1e-6)
    return inside


def _require_video(measured: Analysis) -> None:
    if measured.film.kind != "video":
        raise ValueError("this run is of stills, which have no film time; only people can be edited")


def _require_in_film(time: float, measured: Analysis) -> None:
    shots = measured.shots
    begin, end = (float(shots["start"].iloc[0]), float(shots["end"].iloc[-1])) if len(shots) else (0.0, 0.0)
    if not begin - _SLACK <= time <= end + _SLACK:
        raise ValueError(f"{clock(time)} lies outside what was read of the film, {clock(begin)} to {clock(end)}")
