"""`python -m benchmarks.detectors`: compare face detectors by missed faces and false detections.

On the annotated clips, at 2.5 samples per second: seconds in which a visible face is missed, and seconds in which a
face is detected but none is visible; the same on every third sample with the picture at 0.3 of its brightness, in grey,
and halved twice; annotated boxes found (IoU 0.3). On film stills, which all show a face: stills without a detection.
Also milliseconds per picture of 640 x 360 on one thread, with the detectors alternating. Writes
``results/detectors.json``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch

from benchmarks import scoring, stills, truth
from benchmarks.stills import FACES
from scenefer import video
from scenefer.analysis.observation import ObservationSettings
from scenefer.core.geometry import iou
from scenefer.models import Detections, FaceDetector, framing, registry

RESULTS = Path(__file__).parent / "results" / "detectors.json"
RATE = 2.5  # samples a second
EVERY = 3  # use every third sample for the modified pictures
OVERLAP = 0.3  # minimum IoU for an annotated box to count as found
N_TIMED = 40
SCORES = (0.7, 0.8, 0.9)

Change = Callable[[np.ndarray], np.ndarray]
CHANGES: dict[str, Change] = {
    "as it is": lambda picture: picture,
    "brightness x 0.3": lambda picture: (picture * 0.3).astype(np.uint8),
    "grey": lambda picture: cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "halved twice": lambda picture: cv2.resize(picture, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA),
}


class Sample(NamedTuple):
    """The detections in one sampled picture of a clip."""

    truth: scoring.Truth
    frame: int
    scale: float  # pixels of the film to one of the picture
    found: Detections


def samples() -> Iterator[tuple[scoring.Truth, int, float, np.ndarray]]:
    """Yield the sampled pictures of all clips at detection size: truth, frame number, scale, picture."""
    most = ObservationSettings().detection_pixels
    for one in scoring.read_truths(truth.FILMS):
        for number, frame in enumerate(video.frames(video.probe(truth.FILMS / one.clip), sample_rate=RATE)):
            if frame.sampled:
                picture = frame.picture.reduced(most)
                yield one, number, frame.picture.size[0] / picture.shape[1], picture


def clip_by_clip(found: list[Sample]) -> list[list[Sample]]:
    """Group samples by clip."""
    clips: dict[str, list[Sample]] = {}
    for sample in found:
        clips.setdefault(sample.truth.clip, []).append(sample)
    return list(clips.values())


def seconds(found: list[Sample], least: float, each: float) -> dict[str, float]:
    """Sum the seconds with and without a face, and those in which detections of at least score ``least`` are wrong."""
    right: dict[str, float] = {"face": 0.0, "missed": 0.0, "no face": 0.0, "invented": 0.0}
    for of_clip in clip_by_clip(found):
        seen = [(s.frame, each, bool((s.found.scores >= least).any())) for s in of_clip]
        one = scoring.score_presence(of_clip[0].truth, seen)
        right["face"] += one.face
        right["missed"] += one.face - one.face_right
        right["no face"] += one.no_face
        right["invented"] += one.no_face - one.no_face_right
    return {name: round(value, 2) for name, value in right.items()}


def boxes(found: list[Sample], least: float) -> dict[str, int]:
    """Count the annotated boxes that are found in the sample nearest to their frame."""
    n, n_found = 0, 0
    for of_clip in clip_by_clip(found):
        for segment in (segment for segment in of_clip[0].truth.segments if segment.boxes):
            inside = [s for s in of_clip if segment.start <= s.frame < segment.end]
            if not inside:
                continue
            nearest = min(inside, key=lambda s: abs(s.frame - (segment.box_frame or 0)))
            known = nearest.found.boxes[nearest.found.scores >= least] * nearest.scale
            overlaps = iou(np.array(list(segment.boxes.values()), float), known.astype(float))
            n += len(overlaps)
            n_found += int((overlaps.max(axis=1, initial=0) >= OVERLAP).sum())
    return {"annotated": n, "found": n_found}


def milliseconds(detectors: dict[str, FaceDetector], pictures: list[np.ndarray]) -> dict[str, float]:
    """Measure the median time per picture; alternate between detectors, so that machine load affects both equally."""
    taken: dict[str, list[float]] = {name: [] for name in detectors}
    for picture in pictures:
        for name, detector in detectors.items():
            begin = time.thread_time()
            detector.detect([picture])
            taken[name].append(1000 * (time.thread_time() - begin))
    return {name: round(statistics.median(values), 1) for name, values in taken.items()}


def measure() -> dict[str, Any]:
    """Measure all detectors."""
    detectors = {name: registry.load_detector(name, smallest_face=24) for name in framing.PLACEMENTS}
    closer = {name: registry.load_detector(name, smallest_face=12) for name in framing.PLACEMENTS}
    found: dict[tuple[str, str], list[Sample]] = {(name, change): [] for name in detectors for change in CHANGES}
    timed: list[np.ndarray] = []
    for n, (one, frame, scale, picture) in enumerate(samples()):
        if n % 20 == 0 and len(timed) < N_TIMED:
            timed.append(cv2.resize(picture, (640, 360)))
        for change, changed in CHANGES.items():
            if change == "as it is" or n % EVERY == 0:
                shown = changed(picture)
                for name in detectors:
                    # in so small a picture all faces are small: use a lower minimum size, so that the setting does not
                    # decide
                    finds = closer[name] if change == "halved twice" else detectors[name]
                    found[name, change].append(Sample(one, frame, scale, finds.detect([shown])[0]))
    cost = milliseconds(detectors, timed)
    measured: dict[str, Any] = {}
    for name in detectors:
        least = framing.PLACEMENTS[name].least
        each = {change: 1 / RATE if change == "as it is" else EVERY / RATE for change in CHANGES}
        located = stills.locate(FACES / "sfew_train.parquet", registry.load_detector(name, smallest_face=40))
        measured[name] = {
            "score": least,
            "clips": {change: seconds(found[name, change], least, each[change]) for change in CHANGES},
            "scores": {str(score): seconds(found[name, "as it is"], score, 1 / RATE) for score in SCORES},
            "boxes": boxes(found[name, "as it is"], least),
            "stills": {"n": len(located.labels), "missed": int((~located.faces.found).sum())},
            "ms": cost[name],
        }
    return measured


def table(measured: dict[str, Any]) -> str:
    """Write the comparison as a table."""
    names = list(measured)
    first = measured[names[0]]["clips"]
    heads = [f"`{name}`, score ≥ {measured[name]['score']:g}" for name in names]
    lines = [f"| | {' | '.join(heads)} |"]
    lines.append(f"|---|{'---|' * len(names)}")
    for change, amounts in first.items():
        for what, whole in (("missed", "face"), ("invented", "no face")):
            shown = [f"{measured[name]['clips'][change][what]:.1f} s" for name in names]
            words = (
                "seconds of a face without one found" if what == "missed" else "seconds without a face with one found"
            )
            lines.append(f"| {words}, {change}, of {amounts[whole]:.0f} s | {' | '.join(shown)} |")
    for score in SCORES:
        shown = [measured[name]["scores"][str(score)] for name in names]
        cells = " | ".join(f"{one['missed']:.1f} s, {one['invented']:.1f} s" for one in shown)
        lines.append(f"| missed, invented, from a score of {score:g} on | {cells} |")
    cells = [f"{measured[name]['boxes']['found']} of {measured[name]['boxes']['annotated']}" for name in names]
    lines.append(f"| annotated boxes found | {' | '.join(cells)} |")
    cells = [f"{measured[name]['stills']['missed']} of {measured[name]['stills']['n']}" for name in names]
    lines.append(f"| film stills without a face found, from a score of 0.7 on | {' | '.join(cells)} |")
    cells = [f"{measured[name]['ms']:g}" for name in names]
    lines.append(f"| milliseconds a picture of 640 x 360, one thread | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, write the results, print them."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    measured = measure()
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(table(measured))


if __name__ == "__main__":
    main()
