"""`python -m benchmarks.framing --work DIR`: how each detector draws boxes in FER2013's pictures, and which square of a
face is read best.

It uses training pictures of FER2013, enlarged, with replicated edges: the network was trained on whole pictures, so the
picture is the square to be found. Three ways to find it are compared on the annotated clips and on film stills: from
the box with one detector's placement, from the box with each detector's own placement, and from the midpoint of the
eyes and its distance to the mouth.
Writes ``results/framing.json``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from benchmarks import film_time, portrayed, scoring, stills, truth
from benchmarks.stills import FACES
from scenefer.analysis import expressions
from scenefer.analysis.result import Analysis
from scenefer.core import geometry, jpeg
from scenefer.core.schema import EMOTIONS
from scenefer.models import framing, registry
from scenefer.models.expression import predictor
from scenefer.training import datasets, evaluate

RESULTS = Path(__file__).parent / "results" / "framing.json"
N_PICTURES, SIDE, EDGE = 1500, 192, 64  # of FER2013; px that they are enlarged to; px of carried-on edge round them
CERTAIN = {"mtcnn": 0.9, "haar": 0.9, "yunet": 0.8}  # scores from which a box is measured


def found_in_pictures(detector: str, n_pictures: int = N_PICTURES) -> tuple[np.ndarray, np.ndarray]:
    """Find the faces of a sample of FER2013's training pictures.

    Returns:
        Boxes (N, 4) and landmarks (N, 5, 2), fractions of the picture.
    """
    faces = datasets.read(FACES / "fer2013.parquet").of("Training")
    chosen = np.random.default_rng(0).choice(len(faces), n_pictures, replace=False)
    searching = registry.load_detector(detector, smallest_face=40)
    boxes, landmarks = [], []
    for picture in np.asarray(faces.pictures)[chosen]:
        large = cv2.cvtColor(cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2RGB)
        large = cv2.copyMakeBorder(large, EDGE, EDGE, EDGE, EDGE, cv2.BORDER_REPLICATE)
        found = searching.detect([large])[0]
        if len(found.scores) and found.scores[0] >= CERTAIN[detector]:
            boxes.append((found.boxes[0] - EDGE) / SIDE)
            landmarks.append((found.landmarks[0] - EDGE) / SIDE)
    return np.array(boxes), np.array(landmarks)


def placed(boxes: np.ndarray, landmarks: np.ndarray) -> dict[str, Any]:
    """Measure the placement of boxes and landmarks: medians, and the error of the side from each (SD of its log)."""
    size = (boxes[:, 2:] - boxes[:, :2]) @ np.array(framing.WEIGHTS)
    eyes, mouth = landmarks[:, :2].mean(axis=1), landmarks[:, 3:].mean(axis=1)
    span = np.hypot(*(mouth - eyes).T)
    return {
        "n": len(boxes),
        "centre": np.median((boxes[:, :2] + boxes[:, 2:]) / 2, axis=0).astype(float).round(3).tolist(),
        "size": round(float(np.median(size)), 3),
        "eyes": np.median(eyes, axis=0).astype(float).round(3).tolist(),
        "span": round(float(np.median(span)), 3),
        "side_off_by_box": round(float(np.log(size).std()), 3),
        "side_off_by_landmarks": round(float(np.log(span).std()), 3),
    }


def ways(detector: str, measured: dict[str, Any]) -> dict[str, evaluate.Square]:
    """Return the three ways to find the square, by name."""

    def by_landmarks(boxes: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        points = landmarks.astype(np.float64)
        eyes, mouth = points[:, :2].mean(axis=1), points[:, 3:].mean(axis=1)
        sides = np.hypot(*(mouth - eyes).T) / measured["span"]
        return np.column_stack([eyes + (0.5 - np.array(measured["eyes"])) * sides[:, None], sides])

    def by_one_box(boxes: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        corners = boxes.astype(np.float64).reshape(-1, 2, 2)
        return np.column_stack([corners.mean(axis=1), (corners[:, 1] - corners[:, 0]) @ np.array(framing.WEIGHTS)])

    return {
        "the box, alike for all detectors": by_one_box,
        "the box, as measured": lambda boxes, landmarks: framing.squares(boxes, detector),
        "eyes and mouth, as measured": by_landmarks,
    }


def on_clips(
    runs: Sequence[Analysis],
    truths: Sequence[scoring.Truth],
    model: predictor.ExpressionReader,
    square: evaluate.Square,
) -> film_time.FilmTime:
    """Read the faces of the annotated clips again with another square."""
    told = []
    for one, run in zip(truths, runs, strict=True):
        rows = run.faces.set_index("face", drop=False).loc[run.expressions["face"]]
        crops = [jpeg.decode(crop) for crop in rows["crop"]]
        faces = predictor.cut(crops, square(*geometry.in_crop(*geometry.boxes_landmarks_turns(rows))))
        read = expressions.probabilities(model.read(faces), model.calibration)
        frames = scoring.frames_at(run, run.expressions["time"])
        shares = dict(zip(EMOTIONS, read.T, strict=True))
        told += portrayed.segment_readings(one, run.expressions.assign(**shares), frames)
    return film_time.film_time(told)


class FoundStills(NamedTuple):
    """Film stills, and what each way to find a square is told of the faces in them."""

    located: stills.Located
    boxes: np.ndarray  # (M, 4) fractions of the crop
    landmarks: np.ndarray  # (M, 5, 2)


def found_stills(detector: str) -> FoundStills:
    """Look for the faces of film stills, once for all ways to find a square."""
    told: list[tuple[np.ndarray, np.ndarray]] = []

    def noting(boxes: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        told.append((boxes, landmarks))
        return framing.squares(boxes, detector)

    located = stills.locate(FACES / "sfew_train.parquet", registry.load_detector(detector, smallest_face=40), noting)
    return FoundStills(located, *(np.concatenate(parts) for parts in zip(*told, strict=True)))


def on_stills(found: FoundStills, model: predictor.ExpressionReader, square: evaluate.Square) -> stills.Stills:
    """Read film stills by another square."""
    faces = found.located.faces._replace(squares=square(found.boxes, found.landmarks))
    located = found.located._replace(faces=faces)
    return stills.score(expressions.probabilities(stills.read(model, located), model.calibration), located)


def measure(work: Path, n_pictures: int = N_PICTURES) -> dict[str, Any]:
    """Measure both detectors, on so many of FER2013's pictures."""
    truths = scoring.read_truths(truth.FILMS)
    clips = [truth.FILMS / one.clip for one in truths]
    model = predictor.load(registry.find_expression("rmn_face"))
    measured: dict[str, Any] = {}
    for detector in framing.PLACEMENTS:
        boxes, landmarks = found_in_pictures(detector, n_pictures)
        where = placed(boxes, landmarks)
        runs = truth.run_product(clips, work / detector, "standard", "--detector", detector)
        shown = found_stills(detector)
        compared = {}
        for name, square in ways(detector, where).items():
            compared[name] = {
                "film_time": film_time.plain(on_clips(runs, truths, model, square)),
                "stills": stills.plain(on_stills(shown, model, square)),
            }
            print(
                detector,
                name,
                *film_time.lines(film_time.from_plain(compared[name]["film_time"])),
                sep="\n  ",
                flush=True,
            )
        measured[detector] = {"n_pictures": n_pictures, "placement": where, "ways": compared}
    return measured


def table(measured: dict[str, Any]) -> str:
    """Write the comparison as a table."""
    lines = [
        "| detector | the square by | face time right | of the annotated emotion alone | macro-recall | stills found "
        "| all | tracks |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for detector, figures in measured.items():
        for name, one in figures["ways"].items():
            seen, shown = one["film_time"], one["stills"]
            shares = [shown[kind]["right"] / shown[kind]["n"] for kind in ("found", "all", "tracks")]
            lines.append(
                f"| {detector} | {name} | {seen['right']['value']:.1%} | {seen['exact']['value']:.1%} | "
                f"{seen['macro_recall']['value']:.1%} | {' | '.join(f'{share:.1%}' for share in shares)} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure, write the results, print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for the clips' runs")
    parser.add_argument("--pictures", type=int, default=N_PICTURES, help="so many of FER2013's training pictures")
    options = parser.parse_args()
    measured = measure(options.work, options.pictures)
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    for detector, figures in measured.items():
        print(detector, figures["placement"])
    print(table(measured))


if __name__ == "__main__":
    main()
