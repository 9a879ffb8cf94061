"""From the results of the pixel pass to a scene's percentages: calls the stages in order. Read this first.

    observation ─▶ shots ─▶ tracks (─▶ actors) ─▶ scenes ─▶ samples ─▶ expressions ─▶ scene_emotions

Each stage is a function from tables to tables. All together take seconds and are never cached.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenefer.analysis import (
    expressions,
    mouths,
    people,
    sampling,
    scene_emotions,
    scenes,
    shots,
    track_splitting,
    tracks,
)
from scenefer.analysis.face_vectors import FaceVectors
from scenefer.analysis.result import Analysis
from scenefer.core.film import WHOLE, Film, Span
from scenefer.core.run_record import RECORD_VERSION
from scenefer.core.text import printable

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.analysis.cast import Cast
    from scenefer.analysis.observation import Observation
    from scenefer.analysis.settings import StageSettings
    from scenefer.models import Calibration, IdentityModel, LandmarkModel


class Division(NamedTuple):
    """A film divided into shots, tracks and scenes: the part of an analysis that precedes expressions."""

    shots: pd.DataFrame
    faces: pd.DataFrame  # with the column track
    tracks: pd.DataFrame
    scenes: pd.DataFrame
    vectors: pd.DataFrame | None = None  # of the faces used to tell people apart


class _Readings(NamedTuple):
    expressions: pd.DataFrame
    samples: pd.DataFrame  # with the state of each


def compute_analysis(
    film: Film,
    observation: Observation,
    calibration: Calibration,
    settings: StageSettings,
    span: Span = WHOLE,
    sheet: pd.DataFrame | None = None,
    identity: IdentityModel | None = None,
    cast: Cast | None = None,
    earlier: Analysis | None = None,
    landmarks: LandmarkModel | None = None,
    tell: Callable[[], None] | None = None,
) -> Analysis:
    """Turn an observation into shots, tracks, scenes and their percentages.

    Args:
        span: the part of the film that was observed.
        sheet: the user's scenes (``scene_lists.read_sheet``); without it scenes are detected from the pictures.
        identity: model that tells people apart; without it all people are "unknown".
        cast: names for people.
        earlier: an earlier analysis of the same faces, whose shots, tracks, people and scenes are kept.
        landmarks: measures how far mouths are open; without it that stays as the observation has it.
        tell: called while networks work, after each batch of faces.
    """
    if landmarks is not None:
        detector = settings.observation.detector
        measured = mouths.measure(observation.faces, landmarks, detector, settings.mouths, tell)
        observation = observation._replace(faces=measured)
    divided = divide(film, observation, settings, sheet, identity, cast, earlier, tell)
    film_tracks = mouths.with_speech(divided.tracks, divided.faces, settings.mouths)
    read = _read(film, observation.frames, divided, calibration, settings, span.start)
    rule = scene_emotions.rule_for(film, settings.emotions)
    film_emotions = scene_emotions.summarise(read.expressions, read.samples, divided.scenes, film_tracks, rule)
    return Analysis(
        film=film,
        frames=observation.frames,
        faces=observation.faces,
        pictures=observation.pictures,
        shots=divided.shots,
        tracks=film_tracks,
        samples=read.samples,
        expressions=read.expressions,
        scenes=divided.scenes,
        scene_emotions=film_emotions,
        sheet=sheet,
        run={
            "version": RECORD_VERSION,
            "coverage": coverage(read.samples),
            "state": "done",
            "warnings": list(cast.notices) if cast else [],
        },
        vectors=divided.vectors if settings.actors.keep_vectors else None,
    )


def divide(
    film: Film,
    observation: Observation,
    settings: StageSettings,
    sheet: pd.DataFrame | None = None,
    identity: IdentityModel | None = None,
    cast: Cast | None = None,
    earlier: Analysis | None = None,
    tell: Callable[[], None] | None = None,
) -> Division:
    """Divide a film into shots, tracks and scenes; arguments as for ``compute_analysis``."""
    frames, faces, _ = observation
    if earlier is not None:  # found anew by today's rules, they might be others
        track = faces["face"].map(earlier.expressions.set_index("face")["track"])
        return Division(earlier.shots, faces.assign(track=track.to_numpy(np.int64)), earlier.tracks, earlier.scenes)
    film_shots = shots.find_shots(frames, settings.shots) if film.kind == "video" else shots.one_a_frame(frames)
    linked, film_tracks = tracks.link_faces(faces, film_shots, sample_rate(film, settings), settings.tracks)
    vectors = None
    if identity is not None:
        face_vectors = FaceVectors(identity, tell)
        part = track_splitting.changes(linked, face_vectors, settings.actors)
        linked, film_tracks = tracks.divide_tracks(linked, part, film_shots)
        film_tracks, vectors = people.group_tracks(linked, film_tracks, film_shots, face_vectors, settings.actors, cast)
    if sheet is not None:
        film_scenes = scenes.from_sheet(sheet, film_shots, float(1 / film.frame_rate))
    elif film.kind == "video":
        people_in_shots = scenes.people_of_shots(film_tracks, len(film_shots)) if identity is not None else None
        film_scenes = scenes.group_shots(film_shots, frames, settings.scenes, people_in_shots)
    else:
        film_scenes = scenes.one_scene(film_shots, printable(film.path.stem), "stills")
    return Division(film_shots, linked, film_tracks, film_scenes, vectors)


def _read(
    film: Film,
    frames: pd.DataFrame,
    divided: Division,
    calibration: Calibration,
    settings: StageSettings,
    begin: float,
) -> _Readings:
    """Read the sampled faces, and account for all of the sampled time."""
    end = float(divided.shots["end"].iloc[-1]) if len(divided.shots) else begin
    placed = sampling.place_samples(frames, divided.shots, divided.scenes, sample_rate(film, settings), end)
    rule = expressions.rule_for(film, settings.expression, settings.observation.detector)
    read = expressions.read_expressions(divided.faces, placed, calibration, rule)
    return _Readings(read, sampling.account(placed, read))


def sample_rate(film: Film, settings: StageSettings) -> float:
    """Return the samples per second; 1 for stills, each of which stands for one second."""
    return settings.observation.sample_rate if film.kind == "video" else 1.0


def coverage(accounted: pd.DataFrame) -> dict[str, float]:
    """Compute the share of the sampled time in each state, 0 to 1; time that was excluded by hand is left out."""
    states = accounted.groupby("state")["weight"].sum().drop("excluded", errors="ignore")
    total = float(states.sum())
    return {
        state: float(states.get(state, 0.0)) / total if total else 0.0
        for state in ("face", "no face", "rejected", "not decoded")
    }
