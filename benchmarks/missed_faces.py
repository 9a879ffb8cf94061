"""`python -m benchmarks.missed_faces --work DIR`: every stretch of an annotated clip in which faces are missed or
invented for more than a second.

Counted are the faces that the program believes to be faces (what it rejects as "low score" or "not a face" is none)
against the people that the annotation sees, where it calls their faces unclear (small, blurred, drawn) too. Writes
``results/missed_faces.json``. Reasons are written into that file by hand, after a look at the pictures that
``--pictures DIR`` draws: they stay with the stretch of their clip that they overlap when it is measured again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

import cv2
import numpy as np

from benchmarks import scoring, truth
from scenefer import video
from scenefer.analysis.result import Analysis

RESULTS = Path(__file__).parent / "results" / "missed_faces.json"
LEAST = 1.0  # seconds; shorter stretches are not listed
UNKNOWN = "not looked at"


@dataclass(frozen=True)
class Stretch:
    """A time in which the number of faces is another than the annotation's."""

    clip: str
    start: float  # seconds of film time
    end: float
    kind: str  # missed or invented
    what: str
    reason: str = UNKNOWN


def stretches(one: scoring.Truth, run: Analysis) -> list[Stretch]:
    """List the stretches of a clip, in order of time; none runs across a segment of the annotation."""
    believed = run.expressions.loc[~run.expressions["why"].isin(truth.NO_FACE)]
    seen = believed.groupby("time").size()
    times, weights = run.samples["time"].to_numpy(), run.samples["weight"].to_numpy()
    frames = scoring.frames_at(run, times)
    rows = []
    for time, weight, frame in zip(times.tolist(), weights.tolist(), frames.tolist(), strict=True):
        segment = one.segment_at(frame)
        if segment is None:
            continue
        people = 0 if segment.shows_face is False else segment.people
        found = int(seen.get(time, 0))
        kind = "missed" if found < people else "invented" if found > people else ""
        rows.append((segment, kind, time, weight, people, found))
    listed = []
    for (segment, kind), group in groupby(rows, key=lambda row: row[:2]):
        same = list(group)
        start, end = same[0][2], same[-1][2] + same[-1][3]
        if kind and end - start > LEAST:
            found = sorted({row[5] for row in same})
            what = f"{' or '.join(map(str, found))} found of {same[0][4]}"
            what += ", annotated as unclear" if segment.shows_face is None else ""
            listed.append(Stretch(one.clip, round(start, 2), round(end, 2), kind, what))
    return listed


def with_reasons(found: Sequence[Stretch], earlier: Sequence[Stretch]) -> list[Stretch]:
    """Give each stretch the reason of the earlier one that it overlaps most."""

    def shared(one: Stretch, other: Stretch) -> float:
        same = (one.clip, one.kind) == (other.clip, other.kind)
        return min(one.end, other.end) - max(one.start, other.start) if same else -1.0

    told = []
    for one in found:
        nearest = max(earlier, key=lambda other: shared(one, other), default=None)
        known = nearest.reason if nearest is not None and shared(one, nearest) > 0 else UNKNOWN
        told.append(Stretch(one.clip, one.start, one.end, one.kind, one.what, known))
    return told


def draw(one: Stretch, run: Analysis, folder: Path) -> Path:
    """Write the sampled picture nearest the middle of a stretch, with its boxes: green ones believed, others red."""
    middle = (one.start + one.end) / 2
    times = run.samples["time"].to_numpy()
    time = float(times[np.abs(times - middle).argmin()])
    rate = run.run.get("settings", {})["observation"]["sample_rate"]
    pixels = next(
        frame.picture.full
        for frame in video.frames(run.film, sample_rate=rate)
        if frame.sampled and frame.time > time - 1e-6
    )
    picture = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    rejected = set(run.expressions.loc[run.expressions["why"].isin(truth.NO_FACE), "face"])
    faces = run.faces.loc[np.abs(run.faces["time"] - time) < 1e-6]
    for face, *box in faces[["face", "x0", "y0", "x1", "y1"]].itertuples(index=False):
        left, top, right, bottom = (round(edge) for edge in box)
        cv2.rectangle(picture, (left, top), (right, bottom), (0, 0, 255) if face in rejected else (0, 255, 0), 2)
    path = folder / f"{Path(one.clip).stem}_{one.start:.1f}_{one.kind}.png"
    cv2.imwrite(str(path), picture)
    return path


def read(path: Path) -> list[Stretch]:
    """Read the list of an earlier measurement; empty where there is none."""
    return [Stretch(**one) for one in json.loads(path.read_text("utf-8"))] if path.is_file() else []


def table(listed: Sequence[Stretch]) -> str:
    """Write the list."""
    lines = ["| clip | from | to | | faces | why |", "|---|---|---|---|---|---|"]
    lines += [
        f"| `{Path(one.clip).stem}` | {one.start:.1f} s | {one.end:.1f} s | {one.kind} | {one.what} | {one.reason} |"
        for one in listed
    ]
    if not any(one.kind == "invented" for one in listed):
        lines += ["", "None is invented for so long."]
    return "\n".join(lines)


def main() -> None:
    """Measure, write the list, print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for the clips' runs, as of benchmarks.truth")
    parser.add_argument("--pictures", type=Path, help="draw a picture of every stretch into this folder")
    options = parser.parse_args()
    truths = scoring.read_truths(truth.FILMS)
    runs = truth.run_product([truth.FILMS / one.clip for one in truths], options.work, "standard")
    of_clip = {one.clip: run for one, run in zip(truths, runs, strict=True)}
    found = [stretch for one, run in zip(truths, runs, strict=True) for stretch in stretches(one, run)]
    listed = with_reasons(found, read(RESULTS))
    RESULTS.write_text(json.dumps([asdict(one) for one in listed], indent=1) + "\n", encoding="utf-8")
    print(table(listed))
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
        for one in listed:
            draw(one, of_clip[one.clip], options.pictures)


if __name__ == "__main__":
    main()
