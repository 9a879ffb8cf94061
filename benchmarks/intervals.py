"""Check the coverage of the intervals: on simulated scenes with known true percentages, and on film.

python -m benchmarks.intervals [--run reports/FILM] [--work FOLDER]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import halves, scoring
from benchmarks.truth import FILMS, run_product
from scenefer.analysis import result
from scenefer.analysis.bootstrap import Evidence, interval, resample
from scenefer.analysis.result import Analysis
from scenefer.analysis.scene_emotions import shares, summarise
from scenefer.analysis.scene_views import EQUAL_ACTOR, FEW_UNITS, SCREEN_TIME, VIEWS, SceneView
from scenefer.comparison import scene_comparison
from scenefer.comparison.agreement import agree
from scenefer.comparison.verdicts import CLASSES
from scenefer.core.film import Film
from scenefer.core.run_record import RECORD_VERSION
from scenefer.core.schema import EMOTIONS
from scenefer.core.tables import empty
from tests.builders import expressions_table, samples_table, scenes_table, shots_table, tracks_table

RESULTS = Path(__file__).parent / "results" / "intervals.json"
SHOTS = (2, 3, 5, 10, 20)
PEOPLE = (3, 5, 10)
RATIOS = (0, 1, 2)  # variance between tracks, as a multiple of the variance within tracks
TAKES = (2, 3, 5, 10, 20)  # seconds of a single take
CORRELATIONS = (0.2, 0.4, 0.6, 0.8, 0.9)  # of neighbouring samples; range seen on film (measured by halves.py)
HELD = 0.75  # share of values on film inside the interval of the other half of a stretch
PROMISED = (0.90, 0.99)  # allowed coverage of the 95 % interval, for five or more shots or people
LEAST_UNITS = 5
MEAN, SPREAD = np.array([0.5, -1, -0.5, 1, 0, -0.5, 1]), 0.8  # mean logits of the seven; SD of a logit within a track


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits (..., 7) into probabilities."""
    powers = np.exp(logits)
    return powers / powers.sum(axis=-1, keepdims=True)


def truth(ratio: float, rng: np.random.Generator) -> np.ndarray:
    """Compute the average percentages (7,) of scenes of this kind."""
    logits = MEAN + rng.normal(0, SPREAD * np.sqrt(1 + ratio), (400_000, len(EMOTIONS)))
    return 100 * softmax(logits).mean(axis=0)


def scene(n_shots: int, ratio: float, rng: np.random.Generator) -> Evidence:
    """Draw shots of 1 to 3 tracks of 2 to 8 s whose logits vary ``ratio`` times as much between tracks as inside one.

    Within a track, the correlation of expressions falls to 1/e in 2 s, about the duration of facial expressions (0.5 to
    4 s, Ekman 2003, Emotions Revealed).
    """
    shot = np.repeat(np.arange(n_shots), rng.integers(1, 4, n_shots))
    per_block = 5 if n_shots >= FEW_UNITS else 1
    return filmed((shot,), rng.normal(0, np.sqrt(ratio) * SPREAD, (len(shot), 7)), rng, per_block)


def cast(n_people: int, ratio: float, rng: np.random.Generator) -> Evidence:
    """Simulate people seen in 1 to 4 shots each; logits vary ``ratio`` times as much between people as within a track.

    Between tracks of one person they vary as much as within a track.
    """
    person = np.repeat(np.arange(n_people), rng.integers(1, 5, n_people))
    own = rng.normal(0, np.sqrt(ratio) * SPREAD, (n_people, 7))[person]
    return filmed((person, np.arange(len(person))), own + rng.normal(0, SPREAD, own.shape), rng)


def filmed(
    levels: tuple[np.ndarray, ...], leaning: np.ndarray, rng: np.random.Generator, per_block: int = 5
) -> Evidence:
    """Simulate the faces of tracks of 2 to 8 s, at five samples per second.

    Args:
        levels: arrays (n,) with the group of each track (person, shot), coarsest first.
        leaning: (n, 7) of each track, what is added to the logits of all its faces.
        per_block: samples per block.
    """
    n = len(leaning)
    n_blocks = rng.integers(2, 9, n) * 5 // per_block
    mass = softmax(acted(n, 40, np.exp(-0.2 / 2), rng) + (MEAN + leaning)[:, None])
    mass = mass.reshape(n, 40 // per_block, per_block, 7).sum(axis=2) * 0.2
    track = np.repeat(np.arange(n), n_blocks)
    block = np.concatenate([np.arange(long) for long in n_blocks])
    return Evidence(
        (*(level[track] for level in levels), track), mass[track, block], np.full(len(track), 0.2 * per_block)
    )


def acted(n: int, samples: int, correlation: float, rng: np.random.Generator) -> np.ndarray:
    """Simulate the varying part of the logits of n tracks: (n, samples, 7), an AR(1) process with ``correlation``."""
    logits = rng.normal(0, SPREAD, (n, samples, 7))
    for step in range(1, samples):
        logits[:, step] = correlation * logits[:, step - 1] + np.sqrt(1 - correlation**2) * logits[:, step]
    return logits


def intervals(
    evidence: Evidence, rng: np.random.Generator, views: Sequence[str] = VIEWS, resamples: int = 400
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield both ends of the seven intervals of a scene, of each view."""
    counts = resample(evidence, resamples, rng)
    once = [np.ones((1, drawn.shape[1]), np.int64) for drawn in counts]
    n_people, n_shots, n_tracks = (int(evidence.levels[level].max()) + 1 for level in (0, -2, -1))
    for view in views:
        scene_view = SceneView(view, evidence, 1.0, n_tracks, n_shots, n_people if view == EQUAL_ACTOR else None)
        yield interval(shares(evidence, once, view)[0], shares(evidence, counts, view), factor=scene_view.widening)


def covered(n_shots: int, ratio: int, n_scenes: int = 400) -> dict[str, float]:
    """Return, by view, how often an interval contains the true percentage, over simulated scenes and emotions."""
    rng = np.random.default_rng([n_shots, ratio])
    known = truth(ratio, rng)
    hits = [
        [((low <= known) & (known <= high)).mean() for low, high in intervals(scene(n_shots, ratio, rng), rng)]
        for _ in range(n_scenes)
    ]
    return dict(zip(VIEWS, np.mean(hits, axis=0).round(4).tolist(), strict=True))


def covered_people(n_people: int, ratio: int, n_scenes: int = 2000) -> float:
    """Return how often an interval of the view ``equal_actor`` contains the true percentage."""
    rng = np.random.default_rng([n_people, ratio, 1])
    known = truth(1 + ratio, rng)
    hits = [
        ((low <= known) & (known <= high)).mean()
        for _ in range(n_scenes)
        for low, high in intervals(cast(n_people, ratio, rng), rng, (EQUAL_ACTOR,))
    ]
    return round(float(np.mean(hits)), 4)


def covered_take(seconds: int, correlation: float, n_takes: int = 400) -> dict[str, float]:
    """Return how often the interval of a single take contains its long-run share, and the interval's width.

    Takes vary as much between each other as within one take.
    """
    rng = np.random.default_rng([seconds, round(100 * correlation), 2])
    n = 5 * seconds
    held, wide = [], []
    for _ in range(n_takes):
        mean = MEAN + rng.normal(0, SPREAD, 7)
        known = 100 * softmax(mean + rng.normal(0, SPREAD, (20_000, 7))).mean(axis=0)
        mass = 0.2 * softmax(mean + acted(1, n, correlation, rng)[0])
        take = Evidence((np.zeros(n, np.int64),) * 2, mass, np.full(n, 0.2))
        low, high = (np.clip(end, 0, 100) for end in next(intervals(take, rng, (SCREEN_TIME,))))
        held.append(((low <= known) & (known <= high)).mean())
        wide.append((high - low).mean())
    return {"held": round(float(np.mean(held)), 3), "width": round(float(np.mean(wide)), 1)}


def on_film(work: Path) -> dict[str, Any]:
    """Analyse the annotated clips, or use the runs that ``make truth`` left in a folder, and compare halves."""
    truths = scoring.read_truths(FILMS)
    runs = run_product([FILMS / truth.clip for truth in truths], work, "standard")
    return halves.measure(
        stretch for truth, run in zip(truths, runs, strict=True) for stretch in halves.stretches(truth, run)
    )


def doubled(evidence: Evidence) -> Evidence:
    """Return a scene that has every shot, and with it every track, twice, as if it had been filmed again."""
    levels = tuple(np.append(level, level + level.max() + 1) for level in evidence.levels)
    return Evidence(levels, np.tile(evidence.mass, (2, 1)), np.tile(evidence.weight, 2))


def narrowing(seeds: Sequence[int] = range(200)) -> dict[str, float]:
    """Return, by view, the mean ratio of an interval's width with every track twice to that with every track once."""
    ratios = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        once = scene(4, 1, rng)
        twice, single = ([(high - low).mean() for low, high in intervals(one, rng)] for one in (doubled(once), once))
        ratios.append(np.divide(twice, single))
    return dict(zip(VIEWS, np.mean(ratios, axis=0).round(4).tolist(), strict=True))


def shuffled(run: Analysis, n: int = 200) -> dict[str, float]:
    """Shuffle the intentions of a run ``n`` times: the mean skill, and the share of p values below 0.05.

    Raises:
        ValueError: the run has no sheet of intentions, or too few scenes for a skill.
    """
    compared = scene_comparison.of_run(run)
    if compared is None:
        raise ValueError("the run has no sheet of intentions")
    rows, first = scene_comparison.headline(compared)
    rows = rows.loc[rows["verdict"].notna()]
    meant, seen = (
        rows[[f"{kind}_{emotion}" for emotion in EMOTIONS]].to_numpy() / 100 for kind in ("intended", "detected")
    )
    rng = np.random.default_rng(0)
    found = [agree(rng.permutation(meant), seen, first.n_scenes, CLASSES[0], seed=seed) for seed in range(n)]
    skills = [one.skill for one in found if one.skill is not None]
    ps = np.array([one.p for one in found if one.p is not None])
    if not skills:
        raise ValueError(f"{first.n_scenes} scenes are too few for a skill")
    return {
        "scenes": first.n_scenes,
        "mean_skill": round(float(np.mean(skills)), 4),
        "p_below_05": round(float((ps < 0.05).mean()), 4),
    }


def film_of(n_scenes: int) -> Analysis:
    """Make a synthetic film: scenes of 72 s with ten shots of two tracks each and one intention; 100 scenes are 2 h."""
    rng = np.random.default_rng(0)
    n_shots = 10 * n_scenes
    track = np.repeat(np.arange(2 * n_shots), 20)  # faces, five per second
    shot = track // 2
    mood = rng.dirichlet([0.4] * 7, n_scenes)[shot // 10]
    read = rng.standard_gamma(6 * mood + 0.1)
    probabilities = dict(zip(EMOTIONS, (read / read.sum(axis=1, keepdims=True)).T, strict=True))
    times = np.tile(np.arange(20) * 0.2, 2 * n_shots) + shot * 7.2
    expressions = expressions_table(time=times, track=track, shot=shot, scene=shot // 10, **probabilities)
    scenes = scenes_table(start=np.arange(n_scenes) * 72.0, end=np.arange(1, n_scenes + 1) * 72.0)
    seen = expressions.drop_duplicates("time").sort_values("time")
    samples = samples_table(time=seen["time"], scene=seen["scene"], weight=seen["weight"])
    tracks = tracks_table(track=range(2 * n_shots))
    sheet = scenes[["name", "start", "end"]].rename(columns={"name": "scene"})
    sheet = sheet.assign(intended=rng.choice(EMOTIONS, n_scenes), character=None, note=None)
    return Analysis(
        film=Film(Path("film.mkv"), "0" * 16, 640, 360, 72.0 * n_scenes, Fraction(25)),
        shots=shots_table(start=np.arange(n_shots) * 7.2),
        tracks=tracks,
        samples=samples,
        expressions=expressions,
        scenes=scenes,
        scene_emotions=summarise(expressions, samples, scenes, tracks),
        sheet=sheet,
        run={"version": RECORD_VERSION, "coverage": {"face": 1.0}, "state": "done", "warnings": []},
        frames=empty("frames"),
        faces=empty("faces"),
        pictures=empty("pictures"),
    )


def seconds(run: Analysis) -> dict[str, float]:
    """Time the percentages with their intervals, and the comparison; the fastest of three, in processor seconds."""
    taken: dict[str, float] = {}
    for _ in range(3):
        began = time.process_time()
        summarise(run.expressions, run.samples, run.scenes, run.tracks)
        summed = time.process_time()
        scene_comparison.of_run(run)
        compared = time.process_time()
        for name, value in (("percentages", summed - began), ("comparison", compared - summed)):
            taken[name] = round(min(value, taken.get(name, value)), 3)
    return taken


def main() -> int:
    """Measure, print, write the results; return 1 if a promise does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="an analysed film with a sheet, whose intentions are shuffled too")
    parser.add_argument("--work", type=Path, help="where `make truth --work` keeps its runs, or is to keep them")
    options = parser.parse_args()
    coverage = [
        {"shots": n_shots, "between": ratio, **covered(n_shots, ratio)} for n_shots in SHOTS for ratio in RATIOS
    ]
    hundred = film_of(100)
    skill = {"made-up film of 14 scenes": shuffled(film_of(14))}
    if options.run is not None:
        skill[options.run.name] = shuffled(result.load(options.run))
    with tempfile.TemporaryDirectory() as scratch:
        film = on_film(options.work or Path(scratch)) if FILMS.is_dir() else None
    takes = [
        {"seconds": long, "correlation": correlation, **covered_take(long, correlation)}
        for long in TAKES
        for correlation in CORRELATIONS
    ]
    measured: dict[str, Any] = {
        "halves_on_film": film,
        "takes": takes,
        "coverage": coverage,
        "coverage_people": [
            {"people": n_people, "between": ratio, EQUAL_ACTOR: covered_people(n_people, ratio)}
            for n_people in PEOPLE
            for ratio in RATIOS
        ],
        "narrowing": narrowing(),
        "shuffled": skill,
        "seconds_100_scenes": seconds(hundred),
    }
    print(json.dumps(measured, indent=1))
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    return 0 if holds(measured) else 1


def holds(measured: dict[str, Any]) -> bool:
    """Tell whether all promises hold; nothing is promised for fewer than five shots or people."""
    low, high = PROMISED
    rows = [row for row in measured["coverage"] if row["shots"] >= LEAST_UNITS]
    of_people = [row for row in measured["coverage_people"] if row["people"] >= LEAST_UNITS]
    return (
        (measured["halves_on_film"] is None or measured["halves_on_film"]["all"]["held"] >= HELD)
        and all(low <= row[view] <= high for row in rows for view in VIEWS)
        and all(low <= row[EQUAL_ACTOR] <= high for row in of_people)
        and all(ratio < 1 for ratio in measured["narrowing"].values())
        and all(
            abs(one["mean_skill"]) <= 0.02 and 0.01 <= one["p_below_05"] <= 0.10
            for one in measured["shuffled"].values()
        )
        and all(taken < 2 for taken in measured["seconds_100_scenes"].values())
    )


if __name__ == "__main__":
    sys.exit(main())
