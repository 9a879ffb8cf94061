"""An analysed film made by hand, its comparison, and its report taken apart."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from scenefer.analysis import result
from scenefer.analysis.result import Analysis
from scenefer.analysis.scene_emotions import summarise
from scenefer.analysis.scene_views import EmotionSettings
from scenefer.comparison import scene_comparison
from scenefer.core.film import Film
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import conform
from tests.builders import (
    expressions_table,
    faces_table,
    frames_table,
    samples_table,
    scenes_table,
    shots_table,
    tracks_table,
)

STEP = 0.2


def jpeg(*colour: int, size: tuple[int, int] = (180, 320)) -> bytes:
    """A picture of one colour with a gradient."""
    picture = np.full((*size, 3), colour, np.uint8)
    picture[:, :, 0] = np.linspace(20, 230, size[1])
    return cv2.imencode(".jpg", picture)[1].tobytes()


def analysed(names: tuple[str, ...] = ("rage", "joy", "empty"), **changes: Any) -> Analysis:
    """A film of scenes of 10 s, each of four shots of 2.5 s with a face each; the last scene shows nobody.

    The first scene is read as angry, the second as happy, and so on through the emotions.
    """
    n = len(names)
    shots = shots_table(start=[2.5 * k for k in range(4 * n)], end=[2.5 * (k + 1) for k in range(4 * n)])
    scenes = scenes_table(name=list(names), start=[10.0 * k for k in range(n)], first_shot=[4 * k for k in range(n)],
                          last_shot=[4 * k + 3 for k in range(n)])  # fmt: skip
    time = np.arange(0, 10 * n, STEP).round(3)
    shot, scene = ((time + 1e-9) // 2.5).astype(int), ((time + 1e-9) // 10).astype(int)
    seen = scene < n - 1
    samples = samples_table(
        time=time, shot=shot, scene=scene, weight=STEP, state=np.where(seen, "face", "no face"),
        n_faces=seen.astype(int), n_usable=seen.astype(int),
    )  # fmt: skip
    leading = np.array([EMOTIONS[(3 * k) % 7] for k in range(n)])[scene[seen]]
    wave = 0.55 + 0.3 * np.sin(time[seen])
    shares = {emotion: np.where(leading == emotion, wave, (1 - wave) / 6) for emotion in EMOTIONS}
    n_faces = int(seen.sum())
    faces = faces_table(
        time=time[seen], x0=200 + 10 * np.sin(time[seen]), crop=[jpeg(90, 120, 200, size=(140, 140))] * n_faces
    )
    expressions = expressions_table(
        time=time[seen], track=shot[seen], shot=shot[seen], scene=scene[seen], weight=STEP, **shares
    )
    tracks = tracks_table(
        shot=list(range(4 * (n - 1))), start=[2.5 * k for k in range(4 * (n - 1))],
        end=[2.5 * k + 2.4 for k in range(4 * (n - 1))], n_faces=13,
    )  # fmt: skip
    whole = {
        "film": Film(Path("film.mp4"), "0123456789abcdef", 1280, 720, 10.0 * n, Fraction(25), codec="h264"),
        "frames": frames_table(time=time),
        "faces": faces,
        "pictures": conform(
            {"time": np.arange(0, 10 * n, 2.0), "jpeg": [jpeg(60, 40 * (k % 5) + 40, 120) for k in range(5 * n)]},
            "pictures",
        ),
        "shots": shots,
        "tracks": tracks,
        "samples": samples,
        "expressions": expressions,
        "scenes": scenes,
        "scene_emotions": summarise(expressions, samples, scenes, tracks, EmotionSettings(resamples=100)),
        "sheet": None,
        "run": {
            "state": "done",
            "warnings": [],
            "coverage": {"face": 0.67, "no face": 0.33},
            "made": "2026-03-22T12:00:00+00:00",
            "versions": {"scenefer": "0.1.0"},
            "settings": {"emotions": {"least_face_seconds": 2.0, "least_coverage": 0.1}},
            "weights": {"expression": {"name": "rmn_face", "licence": "Apache-2.0"}},
        },
    }
    return Analysis(**{**whole, **changes})


class Page(HTMLParser):
    """The elements of a page: (tag, attributes), and the text outside scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.silent = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.silent = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self.silent = ""

    def handle_data(self, data: str) -> None:
        if self.silent == "script":
            self.scripts.append(data)
        elif not self.silent:
            self.text += data

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.elements if name in attributes]


NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(2)</script>",
    "{{ 7 * 7 }}",
    "=HYPERLINK(1)",
)


def part_of(whole: Analysis, begin: float) -> Analysis:
    """The same run, of a part of a film that begins at ``begin`` seconds."""
    moved = {
        name: getattr(whole, name).assign(
            **{
                time: getattr(whole, name)[time] + begin
                for time in ("time", "start", "end")
                if time in getattr(whole, name)
            }
        )
        for name in ("frames", "faces", "pictures", "shots", "tracks", "samples", "expressions", "scenes")
    }
    return replace(whole, film=replace(whole.film, duration=600.0), **moved)


def intending(**intended: str | None) -> pd.DataFrame:
    """A sheet of scenes of 10 s, in this order."""
    n = len(intended)
    return pd.DataFrame(
        {
            "scene": list(intended),
            "start": [10.0 * k for k in range(n)],
            "end": [10.0 * (k + 1) for k in range(n)],
            "intended": list(intended.values()),
            "character": None,
            "note": None,
        }
    )


def compared(**intended: str | None) -> tuple[Analysis, scene_comparison.Comparison]:
    whole = analysed(sheet=intending(**intended))
    found = scene_comparison.of_run(whole)
    assert found is not None
    return whole, found


def save(reports: Path, name: str, number: int, *, made: str = "2026-03-22T12:00:00+00:00", **intended: str) -> Path:
    """Leave a run of a film of three scenes, rage, joy and one that shows nobody."""
    sheet = {"rage": None, "joy": None, "empty": None, **intended}
    whole = analysed(sheet=intending(**sheet) if intended else None)
    whole = replace(whole, film=replace(whole.film, path=Path(f"films/{name}.mp4"), id=f"{number:016x}"))
    whole.run["made"] = made
    if (found := scene_comparison.of_run(whole)) is not None:
        whole = replace(whole, comparison=found.table)
    result.save(whole, reports / name, {"report.html": name})
    return reports / name
