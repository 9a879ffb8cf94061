"""`make truth`: run scenefer on every annotated clip and compare its results with the annotation.

Exits with 1 if a figure is below its floor. The clips were used for tuning, so the figures do not predict other films.
"""

from __future__ import annotations

# The runs read here are made by ``analyze``, so their records have all that is recorded of a film.
# pyright: reportTypedDictNotRequiredAccess=false
import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import drawing, film_time, others, portrayed, scoring
from benchmarks.agreement import Clip, Floor, Others, floors, others_figures
from scenefer.analysis import result
from scenefer.analysis.result import Analysis
from scenefer.report import reliability

FILMS = Path(os.environ.get("SCENEFER_FILMS") or Path(__file__).parents[2] / "shared" / "films")
RESULTS = Path(__file__).parent / "results" / "truth.json"
ON_FILM = Path(str(files("scenefer.report") / reliability.MEASURED))  # stored in the package, because reports quote it
NO_FACE = ("low score", "not a face")  # reasons for rejection that mean there is no face


def run_product(clips: Sequence[Path], work: Path, profile: str, *options: str) -> list[Analysis]:
    """Analyse the clips with the command that users run, and load the runs."""
    command = [sys.executable, "-m", "scenefer", "analyze", *map(str, clips), "--profile", profile, *options]
    done = subprocess.run(
        [*command, "--out", str(work / "out"), "--data", str(work / "data")], stdout=subprocess.DEVNULL
    )
    if done.returncode:
        raise SystemExit(f"truth: scenefer analyze ended with {done.returncode}; every clip must be read")
    runs = [result.load(run.parent) for run in sorted((work / "out").glob("*/run.json"))]
    of_film = {run.film.path.resolve(): run for run in runs}
    return [of_film[clip.resolve()] for clip in clips]


def score(truth: scoring.Truth, run: Analysis) -> Clip:
    """Hold one run against the annotation of its clip."""
    starts = scoring.frames_at(run, run.shots["start"])
    kinds = run.shots["transition"].tolist()
    gradual = [
        scoring.Transition(kind, int(start), int(end))
        for kind, start, end in zip(
            kinds,
            scoring.frames_at(run, run.shots["transition_start"]),
            scoring.frames_at(run, run.shots["transition_end"]),
            strict=True,
        )
        if kind in ("dissolve", "fade", "wipe")
    ]
    found_gradual, invented_gradual = scoring.score_gradual(truth, gradual)
    of_face = scoring.frames_at(run, run.expressions["time"])
    believed = ~run.expressions["why"].isin(NO_FACE).to_numpy(bool)
    counted = run.expressions["usable"].to_numpy(bool)
    tracks = run.expressions["track"].to_numpy()
    with_face, with_usable = set(run.expressions["time"][believed]), set(run.expressions["time"][counted])
    sampled = list(
        zip(scoring.frames_at(run, run.samples["time"]), run.samples["weight"], run.samples["time"], strict=True)
    )
    return Clip(
        truth=truth,
        cuts=scoring.score_cuts(
            truth,
            [int(start) for start, kind in zip(starts, kinds, strict=True) if kind == "cut"],
            [int(start) for start, kind in zip(starts, kinds, strict=True) if kind != "start"],
        ),
        gradual=found_gradual,
        invented_gradual=invented_gradual,
        presence=scoring.score_presence(truth, [(int(k), w, time in with_face) for k, w, time in sampled]),
        usable=scoring.score_presence(truth, [(int(k), w, time in with_usable) for k, w, time in sampled]),
        lone=scoring.score_lone_shots(truth, zip(tracks[believed], of_face[believed], strict=True)),
        lone_usable=scoring.score_lone_shots(truth, zip(tracks[counted], of_face[counted], strict=True)),
        segments=portrayed.segment_readings(truth, run.expressions, of_face),
        people=portrayed.people_readings(truth, run.expressions, of_face, run.faces),
    )


def score_others(truth: scoring.Truth, clip: Path, run: Analysis, stock: others.StockMTCNN) -> Others:
    """Score the other programs against the annotation; MTCNN gets our sampled frames, at the size we use."""
    found = others.pyscenedetect_cuts(clip)
    weight_at = dict(zip(run.samples["time"].round(6), run.samples["weight"], strict=True))
    rate = run.run["settings"]["observation"]["sample_rate"]
    seen = [
        (int(scoring.frames_at(run, time)), weight_at.get(round(time, 6), 0.0), len(stock.boxes(picture)) > 0)
        for time, picture in others.sampled_pictures(clip, rate)
    ]
    return Others(scoring.score_cuts(truth, found, found), scoring.score_presence(truth, seen))


def record(figures: Sequence[Floor], clips: Sequence[Clip], beside: Sequence[Others], runs: Sequence[Analysis]) -> dict:
    """Collect all measurements for ``results/truth.json``."""
    told = [one for clip in clips for one in clip.segments]
    return {
        "versions": runs[0].run.get("versions"),
        "weights": runs[0].run.get("weights"),
        "floors": {f.name: {"value": f.value, "limit": f.limit, "holds": f.holds} for f in figures},
        "others": others_figures(beside) if beside else None,
        "film_time": film_time.plain(film_time.film_time(told)),
        "emotion": {
            "macro_recall_segments": scoring.macro_recall(portrayed.confusion(told, by_time=False)),
            "macro_recall_face_seconds": scoring.macro_recall(portrayed.confusion(told, by_time=True)),
            "confusion_segments": portrayed.confusion(told, by_time=False),
            "confusion_face_seconds": portrayed.confusion(told, by_time=True),
        },
        "clips": {
            clip.truth.clip: {
                "cuts": clip.cuts._asdict(),
                "gradual": [{"annotated": g, "found": found} for g, found in clip.gradual],
                "invented_gradual": clip.invented_gradual,
                "presence": clip.presence._asdict(),
                "usable": clip.usable._asdict(),
                "lone_shots": [
                    {"start": a.start, "end": a.end, "tracks": len(a.tracks), "usable_tracks": len(u.tracks)}
                    for a, u in zip(clip.lone, clip.lone_usable, strict=True)
                ],
                "segments": [_plain(one) for one in clip.segments],
                "people": [_plain(one) for one in clip.people],
            }
            for clip in clips
        },
    }


def on_film(measured: dict[str, Any]) -> dict[str, Any]:
    """Return the figures that reports quote: which weights were measured, and the face time that they read right."""
    weights = measured["weights"]["expression"]
    return {"weights": weights["name"], "sha256": weights["sha256"], "film_time": measured["film_time"]}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, record; return 1 if a figure is below its floor."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=options.json, width=None if sys.stdout.isatty() else 160)
    if not FILMS.is_dir():
        console.print(f"the annotated clips are not at {FILMS}; set SCENEFER_FILMS to their folder")
        return 2
    truths = scoring.read_truths(FILMS)
    truths = [t for t in truths if not options.clips or Path(t.clip).name in options.clips]
    with tempfile.TemporaryDirectory() as scratch:
        extra = ["--dense"] if options.dense else []
        runs = run_product([FILMS / t.clip for t in truths], options.work or Path(scratch), options.profile, *extra)
    clips = [score(truth, run) for truth, run in zip(truths, runs, strict=True)]
    beside: list[Others] = []
    if not options.no_others:
        stock = others.StockMTCNN()
        beside = [score_others(t, FILMS / t.clip, run, stock) for t, run in zip(truths, runs, strict=True)]
    figures = floors(clips)
    told = [one for clip in clips for one in clip.segments]
    seen = film_time.film_time(told)
    console.print(drawing.film_table(film_time.lines(seen)))
    console.print(drawing.clip_table(clips, beside))
    for by_time, unit in ((False, "segments"), (True, "face-seconds")):
        console.print(drawing.confusion_table(portrayed.confusion(told, by_time=by_time), f"Strongest emotion, {unit}"))
    if options.faces:
        console.print(drawing.face_table([one for clip in clips for one in clip.people]))
    console.print(drawing.floor_table(figures, beside))
    measured = record(figures, clips, beside, runs)
    if options.json:
        print(json.dumps(measured, indent=1))
    if not options.clips and beside and not options.dense:  # the whole, as the README and every report quote it
        RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        ON_FILM.write_text(json.dumps(on_film(measured), indent=1) + "\n", encoding="utf-8")
    return 0 if all(figure.holds for figure in figures) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="truth", description=__doc__)
    parser.add_argument("clips", nargs="*", help="names of annotated clips; none = all")
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--dense", action="store_true", help="with 68 points a face; the results file stays as it is")
    parser.add_argument("--faces", action="store_true", help="list every annotated face of the test film")
    parser.add_argument("--no-others", action="store_true", help="leave PySceneDetect and MTCNN out: minutes less")
    parser.add_argument("--json", action="store_true", help="print what was measured as JSON, tables on stderr")
    parser.add_argument("--work", type=Path, help="keep runs and cache here, so that a second call is quick")
    return parser


def _plain(one: portrayed.Portrayed) -> dict[str, Any]:
    return {**one._asdict(), "accepted": sorted(one.accepted), "right": one.read in one.accepted}


if __name__ == "__main__":
    sys.exit(main())
