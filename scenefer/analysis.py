"""From what the pixel pass found to a scene's percentages: the stages, called in order. Read this first.

    observation ─▶ shots ─▶ tracks (─▶ actors) ─▶ scenes ─▶ samples ─▶ expressions ─▶ scene_emotions

Each stage is a function from tables to tables; all of it takes seconds, and is always computed anew.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from scenefer import actors, emotions, expression, samples, scenes, shots, tables, tracks
from scenefer.errors import SceneferError, unwritable
from scenefer.exchange import RECORD, exchange
from scenefer.film import Film, Span, as_record, of_record
from scenefer.schema import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from scenefer.cast import Cast
    from scenefer.models import Calibration, IdentityModel
    from scenefer.observation import Observation
    from scenefer.plan import Plan

_SHEET = "sheet.csv"


@dataclass(frozen=True)
class Analysis:
    """Everything that is known about a film; the schemas of the tables stand in ``schema.py``."""

    film: Film
    frames: pd.DataFrame
    faces: pd.DataFrame
    pictures: pd.DataFrame
    shots: pd.DataFrame
    tracks: pd.DataFrame
    samples: pd.DataFrame
    expressions: pd.DataFrame
    scenes: pd.DataFrame
    scene_emotions: pd.DataFrame
    sheet: pd.DataFrame | None  # the user's list of scenes, as read: one row a scene and character
    run: dict[str, Any]  # versions, settings, weights, timings, coverage, warnings, state: what run.json holds
    vectors: pd.DataFrame | None = None  # of faces, where they are kept (``ActorSettings.keep_vectors``)


class Division(NamedTuple):
    """A film divided: what of an analysis is known before any expression is read."""

    shots: pd.DataFrame
    faces: pd.DataFrame  # with the column track
    tracks: pd.DataFrame
    scenes: pd.DataFrame
    vectors: pd.DataFrame | None = None  # of faces that people were told apart by


_TABLES = tuple(entry.name for entry in fields(Analysis) if entry.name in TABLES and entry.name != "vectors")


def analyse(
    film: Film,
    observation: Observation,
    calibration: Calibration,
    plan: Plan,
    span: Span = Span(0.0, float("inf")),
    sheet: pd.DataFrame | None = None,
    known_scenes: pd.DataFrame | None = None,
    identity: IdentityModel | None = None,
    cast: Cast | None = None,
    known_tracks: pd.DataFrame | None = None,
) -> Analysis:
    """Turn an observation into shots, tracks, scenes and their percentages.

    Args:
        span: the part of the film that was observed.
        sheet: the user's scenes (``sheets.read_sheet``); without it scenes are guessed from the pictures.
        known_scenes: table SCENES of an earlier analysis, to be kept.
        identity: tells people apart; without it all tracks are of "unknown" people.
        cast: names for them.
        known_tracks: table TRACKS of an earlier analysis of the same faces, whose people are kept.
    """
    frames, rate = observation.frames, sample_rate(film, plan)
    film_shots, linked, film_tracks, film_scenes, vectors = divide(
        film, observation, plan, sheet, known_scenes, identity, cast, known_tracks
    )
    end = float(film_shots["end"].iloc[-1]) if len(film_shots) else span.start
    placed = samples.place_samples(frames, film_shots, film_scenes, rate, end)
    expressions = expression.read_expressions(linked, placed, calibration, plan.expression)
    accounted = samples.account(placed, expressions)
    film_emotions = emotions.summarise(
        expressions, accounted, film_scenes, film_tracks, emotions.rule_for(film, plan.emotions)
    )
    return Analysis(
        film=film,
        frames=frames,
        faces=observation.faces,
        pictures=observation.pictures,
        shots=film_shots,
        tracks=film_tracks,
        samples=accounted,
        expressions=expressions,
        scenes=film_scenes,
        scene_emotions=film_emotions,
        sheet=sheet,
        run={"coverage": coverage(accounted), "state": "done", "warnings": list(cast.notices) if cast else []},
        vectors=vectors if plan.actors.keep_vectors else None,
    )


def divide(
    film: Film,
    observation: Observation,
    plan: Plan,
    sheet: pd.DataFrame | None = None,
    known_scenes: pd.DataFrame | None = None,
    identity: IdentityModel | None = None,
    cast: Cast | None = None,
    known_tracks: pd.DataFrame | None = None,
) -> Division:
    """Divide a film into shots, tracks and scenes; arguments as of ``analyse``."""
    frames, faces, _ = observation
    film_shots = shots.find_shots(frames, plan.shots) if film.kind == "video" else shots.one_a_frame(frames)
    linked, film_tracks = tracks.link_faces(faces, film_shots, sample_rate(film, plan), plan.tracks)
    vectors = None
    if known_tracks is not None:
        film_tracks = actors.people_of(film_tracks, known_tracks)
    elif identity is not None:
        film_tracks, vectors = actors.group_tracks(linked, film_tracks, film_shots, identity, plan.actors, cast)
    if known_scenes is not None:
        film_scenes = known_scenes
    elif sheet is not None:
        film_scenes = scenes.from_sheet(sheet, film_shots, float(1 / film.frame_rate))
    elif film.kind == "video":
        people = scenes.people_of_shots(film_tracks, len(film_shots)) if identity is not None else None
        film_scenes = scenes.group_shots(film_shots, frames, plan.scenes, people)
    else:
        film_scenes = scenes.one_scene(film_shots, film.path.stem, "stills")
    return Division(film_shots, linked, film_tracks, film_scenes, vectors)


def sample_rate(film: Film, plan: Plan) -> float:
    """Return the samples a second; a still stands for one second."""
    return plan.observation.sample_rate if film.kind == "video" else 1.0


def coverage(accounted: pd.DataFrame) -> dict[str, float]:
    """Sum up what became of the sampled time: share of it by state, 0 to 1."""
    total = float(accounted["weight"].sum())
    states = accounted.groupby("state")["weight"].sum()
    return {
        state: float(states.get(state, 0.0)) / total if total else 0.0
        for state in ("face", "no face", "rejected", "not decoded")
    }


def save(
    analysis: Analysis,
    folder: Path,
    pages: Mapping[str, str | bytes],
    more: Mapping[str, pd.DataFrame] | None = None,
    *,
    keep_others: bool = True,
) -> None:
    """Write a run: tables, ``run.json``, and pages and pictures by file name; beside its place first, then exchanged.

    Args:
        more: tables beyond those of the analysis, by name.
        keep_others: what else lies in the folder of an earlier run stays there.

    Raises:
        OutputError: the folder cannot be written, is no run, or the disk is full; what is there is left as it was.
    """
    folder = Path(os.path.realpath(folder))  # a link is not exchanged, but what it leads to
    beside = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    origin = {"film": analysis.film.id, "versions": analysis.run.get("versions", {})}
    try:
        shutil.rmtree(beside, ignore_errors=True)
        (beside / "tables").mkdir(parents=True)
        kept = {} if analysis.vectors is None else {"vectors": analysis.vectors}
        for name, table in {**{name: getattr(analysis, name) for name in _TABLES}, **kept, **(more or {})}.items():
            tables.write(beside / "tables" / f"{name}.parquet", table, name, origin)
        if analysis.sheet is not None:
            analysis.sheet.to_csv(beside / "tables" / _SHEET, index=False)
        record = {**analysis.run, "film": as_record(analysis.film, key_frames=False)}
        for name, content in {**pages, RECORD: json.dumps(record, indent=1, default=str)}.items():
            whole = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
            (beside / name).parent.mkdir(exist_ok=True)
            (beside / name).write_bytes(whole)
        exchange(beside, folder, keep_others=keep_others)
    except OSError as error:
        raise unwritable(folder, error, "free space or choose another --out") from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def read_record(folder: Path) -> dict[str, Any]:
    """Read the ``run.json`` of a run.

    Raises:
        OSError, ValueError: there is none, or it is damaged.
    """
    record = json.loads((folder / RECORD).read_text(encoding="utf-8", errors="surrogateescape"))
    if not isinstance(record, dict):
        raise ValueError(f"{folder / RECORD} holds no object")
    return record


def load(folder: Path) -> Analysis:
    """Read a run back; neither the film nor the cache is needed.

    Raises:
        SceneferError: the folder holds no run, or one of another version.
    """
    import pandas as pd

    try:
        run = read_record(folder)
        film = of_record(run.pop("film"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SceneferError(f"{folder} is no run of scenefer: it has no readable run.json") from error
    sheet = None
    if (kept := folder / "tables" / _SHEET).is_file():
        try:
            sheet = pd.read_csv(kept, keep_default_na=False, dtype=str).astype({"start": "float64", "end": "float64"})
        except (OSError, ValueError, KeyError) as error:
            said = "cannot be read as scenefer wrote it; give your sheet to scenefer compare --intended"
            raise SceneferError(f"{kept} {said}") from error
        texts = sheet.select_dtypes("str")
        sheet[texts.columns] = texts.astype(object).where(texts != "", None)  # as read_sheet has empty cells
    return Analysis(
        film=film,
        **{name: tables.read(folder / "tables" / f"{name}.parquet", name) for name in _TABLES},
        sheet=sheet,
        run=run,
        vectors=tables.read(vectors, "vectors")
        if (vectors := folder / "tables" / "vectors.parquet").is_file()
        else None,
    )
