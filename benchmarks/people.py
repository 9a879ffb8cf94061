"""`python -m benchmarks.people`: are tracks grouped by person correctly, and what does it cost?

Writes `results/people.json`. The test film was used to choose the settings; IMFDB was not.
"""

from __future__ import annotations

# The runs read here are made by ``analyze``, so their records have all that is recorded of a film.
# pyright: reportTypedDictNotRequiredAccess=false
import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Hashable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd
import torch
from PIL import Image

from benchmarks import scoring
from scenefer.analysis import people, result
from scenefer.analysis.face_vectors import FaceVectors
from scenefer.analysis.result import Analysis
from scenefer.core import geometry
from scenefer.models import registry
from scenefer.models.identity import dlib_resnet

FILMS = Path(os.environ.get("SCENEFER_FILMS") or Path(__file__).parents[2] / "shared" / "films")
FACES = Path(os.environ.get("SCENEFER_FACES") or Path(__file__).parents[2] / "shared" / "data")
RESULTS = Path(__file__).parent / "results" / "people.json"
CLIP = "testfilm_720p25"
OVERLAP = 0.3  # minimum intersection over union for a box to be the annotated person's
LEAST_F1, LEAST_MATCHED = 0.9, 0.8


class Pairs(NamedTuple):
    """Counts of pairs of tracks, by whether they show the same person and whether they were grouped together."""

    right: int  # same person, grouped
    wrong: int  # different people, grouped
    missed: int  # same person, not grouped

    @property
    def f1(self) -> float:
        return 2 * self.right / max(2 * self.right + self.wrong + self.missed, 1)


class Matched(NamedTuple):
    """The annotated boxes of a clip, and the person of each track."""

    n_boxes: int
    n_matched: int  # boxes that a track overlaps
    person_of: dict[int, str]  # by track


def match(truth: scoring.Truth, run: Analysis) -> Matched:
    """Find the track of every annotated box, among the faces at the nearest sampled moment within its segment."""
    faces = run.faces.merge(run.expressions[["face", "track"]], on="face")
    frame = scoring.frames_at(run, faces["time"])
    n_boxes = n_matched = 0
    votes: dict[int, list[str]] = {}
    for segment in truth.segments:
        inside = np.flatnonzero((frame >= segment.start) & (frame < segment.end))
        for person, box in segment.boxes.items():
            n_boxes += 1
            if not len(inside):
                continue
            away = np.abs(frame[inside] - (segment.box_frame or 0))
            here = faces.iloc[inside[away == away.min()]]
            overlap = geometry.iou(np.array([box], float), here[["x0", "y0", "x1", "y1"]].to_numpy(float))[0]
            if overlap.max() >= OVERLAP:
                n_matched += 1
                votes.setdefault(int(here["track"].iloc[int(overlap.argmax())]), []).append(person)
    return Matched(n_boxes, n_matched, {track: max(names, key=names.count) for track, names in votes.items()})


def pairs(people: Sequence[Hashable], groups: Sequence[Hashable | None]) -> Pairs:
    """Count pairs; a track without a group is its own group."""
    groups = [("alone", k) if one is None else one for k, one in enumerate(groups)]
    counts = {(same, together): 0 for same in (True, False) for together in (True, False)}
    for (a, group_a), (b, group_b) in combinations(zip(people, groups, strict=True), 2):
        counts[a == b, group_a == group_b] += 1
    return Pairs(counts[True, True], counts[False, True], counts[True, False])


def of_film(truth: scoring.Truth, run: Analysis) -> tuple[Matched, Pairs]:
    """Hold the people of a run against the annotation."""
    matched = match(truth, run)
    actor_of = dict(zip(run.tracks["track"].tolist(), run.tracks["actor"].astype(object), strict=True))
    groups = [None if pd.isna(actor_of[track]) else actor_of[track] for track in matched.person_of]
    return matched, pairs(list(matched.person_of.values()), groups)


def of_pictures(path: Path) -> dict[str, Any]:
    """Group single pictures of actors, each as one track; the detector sees each at double size, in a black frame."""
    table = pd.read_parquet(path)
    detector, reader = registry.load_detector("mtcnn", smallest_face=20), registry.load_identity("face_identity")
    crops, points, persons = [], [], []
    for stored, person in zip(table["image"], table["subject"], strict=True):
        picture = np.array(Image.open(io.BytesIO(stored)).convert("RGB"))
        edge = max(picture.shape[:2]) // 2
        framed = cv2.copyMakeBorder(picture, edge, edge, edge, edge, cv2.BORDER_CONSTANT)
        framed = cv2.resize(framed, None, fx=2, fy=2) if max(framed.shape) < 640 else framed
        (found,) = detector.detect([framed])
        if len(found.scores):
            crops += geometry.crop_faces(framed, found.boxes[:1])
            points.append(geometry.in_crop(found.boxes[:1], found.landmarks[:1])[1])
            persons.append(person)
    began = time.process_time()
    vectors = reader.vectors(crops, np.concatenate(points))
    seconds = time.process_time() - began
    settings = people.ActorSettings()
    groups = people.group(vectors, np.empty((0, 2), np.int64), settings.farthest)
    found = pairs(persons, groups.tolist())
    return {
        "pictures": len(table), "faces_found": len(persons), "people": len(set(persons)),
        "groups": len(np.unique(groups)), **found._asdict(), "f1": round(found.f1, 3),
        "ms_a_face": round(1000 * seconds / len(persons), 1),
    }  # fmt: skip


def precision(run: Analysis) -> dict[str, float]:
    """Compare bfloat16 with float32 on the faces of a run: time per face, and differences of vectors and distances."""
    faces = people.best_faces(run.faces.merge(run.expressions[["face", "track"]], on="face"))
    path = registry.find_identity("face_identity")
    found: dict[str, Any] = {"faces": len(faces)}
    vectors = {}
    for name, kind in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        reader = dlib_resnet.load(path, precision=kind)
        seconds = []
        for _ in range(3):
            began = time.process_time()
            vectors[name] = FaceVectors(reader).of(faces)
            seconds.append(time.process_time() - began)
        found[f"ms_a_face_{name}"] = round(1000 * min(seconds) / len(faces), 1)
    exact, quick = vectors["float32"], vectors["bfloat16"]
    found["largest_distance_of_vectors"] = round(float(np.linalg.norm(exact - quick, axis=1).max()), 4)
    change = np.abs(people.distances(exact, exact) - people.distances(quick, quick))
    found["largest_change_of_a_distance"] = round(float(change[~np.eye(len(change), dtype=bool)].max()), 4)
    return found


def two_thousand() -> dict[str, float]:
    """Time the grouping of 2,000 tracks of 200 people."""
    rng = np.random.default_rng(0)
    vectors = np.repeat(rng.normal(0, 0.07, (200, 128)), 10, axis=0) + rng.normal(0, 0.025, (2000, 128))
    began = time.process_time()
    people.group(vectors.astype(np.float32), np.empty((0, 2), np.int64), people.ActorSettings().farthest)
    return {"seconds": round(time.process_time() - began, 2)}


def added(clip: Path, rounds: int) -> dict[str, Any]:
    """Measure what people add to a run with an empty cache: wall and processor time, alternating with and without."""
    seconds: dict[str, list[tuple[float, float]]] = {"with": [], "without": []}
    for _ in range(rounds):
        for name, option in (("without", ["--no-identity"]), ("with", [])):
            with tempfile.TemporaryDirectory() as work:
                command = [sys.executable, "-m", "scenefer", "analyze", str(clip), "--out", f"{work}/out"]
                before, began = os.times(), time.perf_counter()
                subprocess.run([*command, *option], stdout=subprocess.DEVNULL, check=True)
                wall, after = time.perf_counter() - began, os.times()
            spent = sum(after[2:4]) - sum(before[2:4])
            seconds[name].append((round(wall, 2), round(spent, 2)))
    ratios = np.median(np.array(seconds["with"]) / np.array(seconds["without"]), axis=0)
    return {**seconds, "wall_ratio": round(float(ratios[0]), 3), "processor_ratio": round(float(ratios[1]), 3)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, record; return 1 if a figure is below its floor."""
    parser = argparse.ArgumentParser(prog="people", description=__doc__)
    parser.add_argument("--work", type=Path, help="keep the run and the cache here, so that a second call is quick")
    parser.add_argument("--rounds", type=int, default=0, help="pairs of runs, with and without people, that are timed")
    options = parser.parse_args(arguments)
    if not FILMS.is_dir():
        print(f"the annotated clips are not at {FILMS}; set SCENEFER_FILMS to their folder", file=sys.stderr)
        return 2
    clip = FILMS / f"{CLIP}.mp4"
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        places = ["--out", str(work / "out"), "--data", str(work / "data")]
        command = [sys.executable, "-m", "scenefer", "analyze", str(clip), *places]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        run = result.load(work / "out" / CLIP)
    matched, found = of_film(scoring.read_truth(FILMS / "truth" / f"{CLIP}.json"), run)
    share = matched.n_matched / matched.n_boxes
    measured: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    measured |= {
        "film": {
            "boxes": matched.n_boxes, "matched": matched.n_matched, "tracks": len(matched.person_of),
            "people": len(set(matched.person_of.values())), **found._asdict(), "f1": round(found.f1, 3),
        },
        "floors": {"f1": LEAST_F1, "matched": LEAST_MATCHED},
        "settings": run.run["settings"]["actors"],
        "weights": run.run["weights"]["identity"],
        "precision": precision(run),
        "two_thousand_tracks": two_thousand(),
    }  # fmt: skip
    if (pictures := FACES / "imfdb.parquet").is_file():
        measured["imfdb"] = of_pictures(pictures)
    if options.rounds:
        measured["added_to_a_run"] = added(clip, options.rounds)
    print(json.dumps(measured, indent=1))
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0 if found.f1 >= LEAST_F1 and share >= LEAST_MATCHED else 1


if __name__ == "__main__":
    sys.exit(main())
