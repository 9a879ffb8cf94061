"""`python -m benchmarks.reading`: which heads are read, by which shares, at which temperature, and what that does.

A choice is judged by what a viewer of a film sees: (a) the time of the annotated clips, (b) film stills, (c) the stills
of a clip together; ``film_time`` and ``stills`` say how. All are development sets: nothing was trained on them, and
they choose. A blend of the heads says all seven, or only whether a face is calm while the head ``fer2013`` says which
of the six it shows else. The temperature is the likeliest for the clips' time, each clip alike; how it does on clips
that it was not fitted to is measured by leaving each out in turn. Other weights (``--beside FILE``) are measured on the
same faces.

Writes ``results/reading.json``; ``--store SHARE`` writes that share of the head ``ferplus`` (with ``--six``, the head
``fer2013`` for the six) and its temperature into the weights.
"""

from __future__ import annotations

# The runs read here are made by ``analyze``, so their records have all that is recorded of a film.
# pyright: reportTypedDictNotRequiredAccess=false
import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import film_time, portrayed, scoring, stills, truth
from benchmarks.stills import FACES
from scenefer.analysis import expressions
from scenefer.analysis.result import Analysis
from scenefer.analysis.steadying import steadied
from scenefer.core import geometry, jpeg
from scenefer.core.schema import EMOTIONS
from scenefer.models import Calibration, framing, public_learned, registry, weight_files
from scenefer.models.expression import predictor
from scenefer.models.expression.blending import probabilities
from scenefer.training import calibrate, datasets, leakage

RESULTS = Path(__file__).parent / "results" / "reading.json"
SHARES = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # of the head ferplus
TEMPERATURES = tuple(round(0.6 + 0.1 * step, 2) for step in range(6))


class Choice(NamedTuple):
    """Which heads are read."""

    ferplus: float  # its share of the blend; the rest is of ``fer2013``
    six: bool  # whether the blend says only how calm a face is, and the head ``fer2013`` divides what is left


CHOICES = tuple(Choice(share, six) for share in SHARES for six in (False, True) if share or not six)


class ClipFaces(NamedTuple):
    """The faces of an annotated clip: what the reader is given, and where they stand."""

    truth: scoring.Truth
    run: Analysis
    frames: np.ndarray  # (N,) the frame of every row of the clip's table EXPRESSIONS
    faces: np.ndarray  # (N, size, size) uint8 grey


@dataclass(frozen=True)
class Read:
    """Logits of one weight file: of every clip's faces, and of the film stills that were found."""

    clips: Sequence[ClipFaces]
    of_clips: Sequence[np.ndarray]
    stills: stills.Located
    of_stills: np.ndarray


def annotated(work: Path) -> list[ClipFaces]:
    """Analyse the annotated clips, or use the runs that are in a folder."""
    truths = scoring.read_truths(truth.FILMS)
    runs = truth.run_product([truth.FILMS / one.clip for one in truths], work, "standard")
    return [_clip_faces(one, run) for one, run in zip(truths, runs, strict=True)]


def _clip_faces(one: scoring.Truth, run: Analysis) -> ClipFaces:
    frames = scoring.frames_at(run, run.expressions["time"])
    rows = run.faces.set_index("face").loc[run.expressions["face"]]
    crops = [jpeg.decode(crop) for crop in rows["crop"]]
    boxes, _ = geometry.in_crop(*geometry.boxes_landmarks_turns(rows))
    squares = framing.squares(boxes, run.run["settings"]["observation"]["detector"])
    return ClipFaces(one, run, frames, predictor.cut(crops, squares))


def read(path: Path, clips: Sequence[ClipFaces], located: stills.Located) -> Read:
    """Let weights read all faces, in float32; those of clips beside their neighbours in time, as the pipeline does."""
    import torch

    model = predictor.load(path, precision=torch.float32)
    over = expressions.ExpressionSettings().steadied_over
    logits = [steady(clip, model.read(clip.faces), over) for clip in clips]
    return Read(clips, logits, located, stills.read(model, located))


def steady(clip: ClipFaces, logits: np.ndarray, seconds: float) -> np.ndarray:
    """Read the faces of a clip beside their neighbours in time."""
    time, track, usable = (clip.run.expressions[name].to_numpy() for name in ("time", "track", "usable"))
    return steadied(logits, time, track, usable, seconds)


def blend(metadata: dict[str, str], choice: Choice, temperature: float = 1.0) -> Calibration:
    """Read the heads by a choice."""
    heads = json.loads(metadata["heads"])
    parts = (("fer2013", 1 - choice.ferplus), ("ferplus", choice.ferplus))
    read_ = tuple((heads[head][0], part) for head, part in parts if part)
    return Calibration(read_, temperature, ((heads["fer2013"][0], 1.0),) if choice.six else ())


def on_clips(
    clips: Sequence[ClipFaces], of_clips: Sequence[np.ndarray], calibrated: Calibration
) -> list[portrayed.Portrayed]:
    """Read the annotated segments of every clip anew."""
    told = []
    for clip, logits in zip(clips, of_clips, strict=True):
        shares = dict(zip(EMOTIONS, probabilities(logits, calibrated).T, strict=True)) if len(logits) else {}
        told += portrayed.segment_readings(clip.truth, clip.run.expressions.assign(**shares), clip.frames)
    return told


def losses(told: Sequence[portrayed.Portrayed]) -> dict[str, float]:
    """Return each clip's mean of −log of the probability that its accepted emotions together got, by time."""
    told = [one for one in told if one.face_seconds >= portrayed.LEAST]
    sums: dict[str, list[float]] = {}
    for one in told:
        entry = sums.setdefault(one.clip, [0.0, 0.0])
        entry[0] += one.loss * one.face_seconds
        entry[1] += one.face_seconds
    return {clip: loss / seconds for clip, (loss, seconds) in sums.items()}


def temperature(found: Read, metadata: dict[str, str], choice: Choice) -> dict[str, Any]:
    """Find the likeliest temperature for the clips' time, and how it does on a clip that it was not fitted to."""
    by_clip = [losses(on_clips(found.clips, found.of_clips, blend(metadata, choice, value))) for value in TEMPERATURES]
    names = sorted(by_clip[0])
    table = np.array([[row[name] for name in names] for row in by_clip])  # (temperatures, clips)
    best = TEMPERATURES[int(table.mean(axis=1).argmin())]
    left_out = [table[int(np.delete(table, k, axis=1).mean(axis=1).argmin()), k] for k in range(len(names))]
    at_one = table[TEMPERATURES.index(1.0)]
    return {
        "temperature": best,
        "loss": float(table.mean(axis=1).min()),
        "loss_left_out": float(np.mean(left_out)),
        "loss_at_one": float(at_one.mean()),
    }


def row(found: Read, metadata: dict[str, str], choice: Choice, fit: dict[str, Any]) -> dict[str, Any]:
    """Measure one blend: (a), (b) and (c)."""
    calibrated = blend(metadata, choice, fit["temperature"])
    seen = film_time.film_time(on_clips(found.clips, found.of_clips, calibrated))
    shown = probabilities(found.of_stills, calibrated)
    counted = stills.score(shown, found.stills)
    return {
        **choice._asdict(),
        **fit,
        "film_time": film_time.plain(seen),
        "stills": stills.plain(counted),
        "stills_confidence": float(shown.max(axis=1).mean()),
    }


def measure(weights: Sequence[Path], work: Path) -> dict[str, Any]:
    """Measure every blend of every weight file; the first is what ships."""
    clips, located = annotated(work), stills.locate(FACES / "sfew_train.parquet")
    measured: dict[str, Any] = {}
    for path in weights:
        metadata = registry.describe(path)
        found = read(path, clips, located)
        measured[metadata["architecture"]] = {
            "sha256": weight_files.sha256_of(path),
            "blends": [row(found, metadata, choice, temperature(found, metadata, choice)) for choice in CHOICES],
        }
    return measured


def table(measured: dict[str, Any]) -> str:
    """Write the curve of the choice for the model card."""
    lines = [
        "| weights | share of `ferplus` | the six by | temperature | face time right | of the annotated emotion alone "
        "| macro-recall | segments | stills found | tracks |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for architecture, figures in measured.items():
        for one in figures["blends"]:
            seen, shown = one["film_time"], one["stills"]
            lines.append(
                f"| `{architecture}` | {one['ferplus']:g} | {'`fer2013`' if one['six'] else 'the blend'} | "
                f"{one['temperature']:g} | {seen['right']['value']:.1%} "
                f"({seen['right']['low']:.0%} to {seen['right']['high']:.0%}) | {seen['exact']['value']:.1%} | "
                f"{seen['macro_recall']['value']:.1%} | "
                f"{seen['segments_right']} of {seen['n_segments']} | "
                + " | ".join(f"{shown[kind]['right'] / shown[kind]['n']:.1%}" for kind in ("found", "tracks"))
                + " |"
            )
    first = next(iter(measured.values()))["blends"][0]
    constant = [first["stills"][kind]["constant"] / first["stills"][kind]["n"] for kind in ("found", "tracks")]
    seen = first["film_time"]
    lines.append(
        f"| always neutral | | | | {seen['constant']['value']:.1%} | {seen['constant_exact']['value']:.1%} | "
        f"{seen['constant_recall']:.1%} | | "
        f"{constant[0]:.1%} | {constant[1]:.1%} |"
    )
    return "\n".join(lines)


def store(path: Path, choice: Choice, at: float) -> None:
    """Write a reading into weights."""
    shares = {"fer2013": round(1 - choice.ferplus, 4), "ferplus": choice.ferplus}
    described = {"reading": json.dumps({head: share for head, share in shares.items() if share})}
    calibrate.describe(path, described | ({"expressive": json.dumps({"fer2013": 1.0})} if choice.six else {}))
    learned = public_learned(registry.describe(path))
    public = leakage.without_leaks(datasets.read(FACES / "fer2013.parquet"), learned).of("PublicTest")
    calibrate.calibrate(path, public, temperature=at)


def main() -> None:
    """Measure, write the results, print the curve; store a choice where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="rmn_face")
    parser.add_argument("--beside", type=Path, action="append", default=[], help="other weight files on the same faces")
    parser.add_argument("--store", type=float, help="write this share of ferplus into the weights")
    parser.add_argument("--six", action="store_true", help="with the head fer2013 for the six")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for the clips' runs, so that a second call is quick"
    )
    asked = parser.parse_args()
    path = registry.find_expression(asked.weights)
    measured = measure([path, *asked.beside], asked.work)
    if asked.store is not None:
        first = next(iter(measured.values()))
        choice = Choice(asked.store, asked.six)
        chosen = next(one for one in first["blends"] if (one["ferplus"], one["six"]) == choice)
        store(path, choice, chosen["temperature"])
        first["sha256"] = weight_files.sha256_of(path)
        first["chosen"] = choice._asdict()
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(table(measured))


if __name__ == "__main__":
    main()
