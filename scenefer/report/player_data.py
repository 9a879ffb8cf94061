"""The data of the report's player: the film's frames and scenes, and every face at its samples.

To keep the page small, numbers are stored as columns of bytes, delta-encoded by row and compressed together (zlib).
``player_data.js`` decodes them; the player draws them in the same way as ``track_timelines.py``.
"""

from __future__ import annotations

import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np

from scenefer.analysis.shots import length_of
from scenefer.core.language import ENGLISH, Language, marked
from scenefer.core.scene import scenes_of
from scenefer.core.schema import EMOTIONS
from scenefer.core.timecode import exact_rate, has_timecode
from scenefer.report import editing, formatting, people
from scenefer.report.emotion_curves import COLOURS, ink_on
from scenefer.report.film_times import film_times
from scenefer.report.track_timelines import Course, Shares, courses

if TYPE_CHECKING:
    from scenefer.analysis.result import Analysis

_SIDE = 4000  # quantisation steps of a box over the picture's width and height
_WHOLE = 250  # a share of 1: steps of 0.4 %
_EVERY = 1.0  # seconds between two values of a scene's shares so far
_EVEN = 0.25  # fraction of a frame by which a constant rate may be off

SAID = {
    "same": marked("This is the film that was analysed."),
    "like": marked("This is not the analysed file itself, but as long and of the same shape: it is taken for a copy."),
    "other": marked(
        "This is another film than the analysed one: it is {length} long, {size}; the analysed film is {own_length} "
        "long, {own_size}. Boxes and times do not fit it."
    ),
    "unplayable": marked("The browser cannot play {name}. This makes a copy that it can play, with the same times:"),
    "another": marked("Another file …"),
    "frame": marked("frame {n}"),
    "no_scene": marked("between scenes"),
    "so_far": marked("Now, and so far (line): {scene}"),
    "share": marked("{n}\N{NO-BREAK SPACE}%"),
    "little": marked("<1\N{NO-BREAK SPACE}%"),
    "play": marked("Play"),
    "pause": marked("Pause"),
    "from": marked("Play from {when}"),
}
_PLACES = ("name", "length", "size", "own_length", "own_size", "n", "scene", "when")  # placeholders for the page


def player_data(analysis: Analysis, language: Language = ENGLISH) -> dict[str, Any]:
    """Collect the player's data as plain values for JSON.

    ``frames`` has a ``first`` time and a constant ``step`` in seconds, or ``deltas`` in ms if the rate varies.
    ``columns`` holds the packed columns of the tracks, their samples and the scenes' shares so far, in that order, see
    ``_columns``.
    """
    film = analysis.film
    found = courses(analysis)
    named = {course.person: people.label(course.person, course.name, language) for course in found}
    persons = [person for person in sorted(person for person in named if person is not None)]
    known = Shares(analysis)
    scenes = scenes_of(analysis.scenes)
    so_far = [_so_far(known, scene.id, scene.start, scene.end) for scene in scenes]
    return {
        "id": film.id,
        "length": round(film.duration or length_of(analysis.shots), 3),
        "begins": analysis.begins,
        "width": film.width,
        "height": film.height,
        "decimal": language.decimal_mark,
        "times": film_times(film) if has_timecode(film) else None,
        "frames": _frames(analysis.frames["time"].to_numpy(), float(1 / exact_rate(film.frame_rate)), analysis.begins),
        "scenes": [
            [scene.id, formatting.scene_name(scene.name, language), scene.start, scene.end, len(rows)]
            for scene, rows in zip(scenes, so_far, strict=True)
        ],
        "excluded": editing.hatched(analysis, 0.0, film.duration or length_of(analysis.shots)),
        "every": _EVERY,
        "emotions": [[language.emotion(emotion), COLOURS[emotion], ink_on(COLOURS[emotion])] for emotion in EMOTIONS],
        "people": [named[person] for person in persons],
        "why": [language.say(word) for word in formatting.WHY_NOT.values()],
        "n_tracks": len(found),
        "n_samples": sum(len(course.times) for course in found),
        "columns": _packed([*_columns(found, persons, film.width, film.height), *_so_far_columns(so_far)]),
        "words": {
            name: language.say(text, **{place: f"{{{place}}}" for place in _PLACES}) for name, text in SAID.items()
        },
    }


def _frames(times: np.ndarray, usual: float, begins: float) -> dict[str, Any]:
    """Describe the frame times: by a constant step if no frame is off by more than ``_EVEN`` of it, else by deltas.

    Args:
        begins: film time of the first frame, seconds; frames are counted from it.
    """
    if len(times) < 2:
        return {"first": 0.0, "step": usual}
    step = float(times[-1] - times[0]) / (len(times) - 1)
    if np.abs(times - times[0] - step * np.arange(len(times))).max() < _EVEN * step:
        # Frames are counted from the film's first frame even if only a later part was read.
        passed = np.floor((times[0] - begins) / step + _EVEN)
        return {"first": round(float(times[0] - passed * step), 6), "step": step}
    thousandths = np.rint(times * 1000).astype(np.int64)
    deltas = np.diff(thousandths, prepend=0).astype("<u4")
    return {"n": len(times), "step": usual, "deltas": _packed([deltas])}


def _columns(found: list[Course], persons: list[int], width: int, height: int) -> list[np.ndarray]:
    """Make the columns of the tracks and of their samples, one track after the other.

    Tracks: start and end (ms, uint32), number of samples (uint32), index in ``people`` (int16, -1 = nobody).
    Samples: time since the previous sample, or since the track's start (ms, uint16); the box's edges (int16, steps of
    1/4000 of the picture) and the seven shares (uint8, of 250), as differences to the previous sample of the track,
    modulo their size; 0 if the face counts, else 1 + index in ``why`` (uint8).
    """
    reasons = list(formatting.WHY_NOT)
    place = {person: k for k, person in enumerate(persons)}
    size = np.array([width, height, width, height])
    tracks = [np.array([round(1000 * getattr(course, edge)) for course in found], "<u4") for edge in ("start", "end")]
    tracks.append(np.array([len(course.times) for course in found], "<u4"))
    tracks.append(np.array([-1 if course.person is None else place[course.person] for course in found], "<i2"))
    times, boxes, shares, states = [], [], [], []
    for course in found:
        at = np.rint(1000 * course.times).astype(np.int64)
        times.append(np.diff(at, prepend=round(1000 * course.start)).clip(0, 65_535))
        boxes.append(np.diff(np.rint(course.boxes / size * _SIDE), axis=0, prepend=0))
        shares.append(np.diff(_steps(_all_through(course)).astype(np.int64), axis=0, prepend=0) % 256)
        states.append([0 if why is None else 1 + reasons.index(why) for why in course.why])
    return [
        *tracks,
        _joined(times, "<u2"),
        *_joined(boxes, "<i2", 4).T,
        *_joined(shares, "u1", len(EMOTIONS)).T,
        _joined(states, "u1"),
    ]


def _all_through(course: Course) -> np.ndarray:
    """Return the shares (N, 7) at all samples of a track, interpolated where a face does not count."""
    if not len(course.read):
        return np.zeros((len(course.times), len(EMOTIONS)))
    return np.column_stack([np.interp(course.times, course.read, share) for share in course.shares.T])


def _so_far(known: Shares, scene: int, start: float, end: float) -> np.ndarray:
    """Return the cumulative shares (N, 7) of a scene, every second and at its end; zero before a usable face."""
    at = np.append(np.arange(start, end, _EVERY), end)
    rows = [known.until(float(time), scene) for time in at]
    return np.array([np.zeros(len(EMOTIONS)) if row is None else row for row in rows])


def _so_far_columns(so_far: list[np.ndarray]) -> list[np.ndarray]:
    """Make the columns of the shares so far (uint8, of 250), as differences, one scene after the other."""
    each = [np.diff(_steps(rows).astype(np.int64), axis=0, prepend=0) % 256 for rows in so_far]
    return list(_joined(each, "u1", len(EMOTIONS)).T)


def _steps(shares: np.ndarray) -> np.ndarray:
    return np.rint(shares * _WHOLE).astype(np.uint8)


def _joined(parts: list[Any], kind: str, width: int | None = None) -> np.ndarray:
    shape = (0,) if width is None else (0, width)
    return np.concatenate([np.zeros(shape), *parts]).astype(kind)


def _packed(columns: list[np.ndarray]) -> str:
    return b64encode(zlib.compress(b"".join(np.ascontiguousarray(column).tobytes() for column in columns), 9)).decode()
