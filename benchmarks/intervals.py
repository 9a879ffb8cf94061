"""Whether the intervals hold what they promise, on simulated scenes whose true percentages are known.

python -m benchmarks.intervals [--run reports/FILM]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from scenefer import analysis, comparison
from scenefer.agreement import agree
from scenefer.analysis import Analysis
from scenefer.bootstrap import Evidence, interval, resample
from scenefer.emotions import EQUAL_ACTOR, VIEWS, shares, summarise
from scenefer.film import Film
from scenefer.schema import EMOTIONS
from scenefer.tables import empty
from scenefer.verdicts import CLASSES
from tests.builders import expressions_table, samples_table, scenes_table, shots_table, tracks_table

RESULTS = Path(__file__).parent / "results" / "intervals.json"
SHOTS = (2, 3, 5, 10, 20)
PEOPLE = (3, 5, 10)
RATIOS = (0, 1, 2)  # variance between tracks, in multiples of that within
PROMISED = (0.90, 0.99)  # share of true values inside the 95 % interval, from five shots or people on
LEAST_UNITS = 5
MEAN, SPREAD = np.array([0.5, -1, -0.5, 1, 0, -0.5, 1]), 0.8  # of the logits of the seven, and of one inside a track


def softmax(logits: np.ndarray) -> np.ndarray:
    """Turn logits (..., 7) into probabilities."""
    powers = np.exp(logits)
    return powers / powers.sum(axis=-1, keepdims=True)


def truth(ratio: float, rng: np.random.Generator) -> np.ndarray:
    """Compute the percentages (7,) that scenes of this kind have on average."""
    logits = MEAN + rng.normal(0, SPREAD * np.sqrt(1 + ratio), (400_000, len(EMOTIONS)))
    return 100 * softmax(logits).mean(axis=0)


def scene(n_shots: int, ratio: float, rng: np.random.Generator) -> Evidence:
    """Draw shots of 1 to 3 tracks of 2 to 8 s whose logits vary ``ratio`` times as much between tracks as inside one.

    Inside a track expressions come and go: correlation falls to 1/e in 2 s, the order in which facial expressions last
    (0.5 to 4 s, Ekman 2003, Emotions Revealed).
    """
    shot = np.repeat(np.arange(n_shots), rng.integers(1, 4, n_shots))
    return filmed((shot,), rng.normal(0, np.sqrt(ratio) * SPREAD, (len(shot), 7)), rng)


def cast(n_people: int, ratio: float, rng: np.random.Generator) -> Evidence:
    """Draw people seen in 1 to 4 shots each, whose logits vary ``ratio`` times as much as those inside a track.

    Those of the tracks of one person vary as much as those inside a track.
    """
    person = np.repeat(np.arange(n_people), rng.integers(1, 5, n_people))
    own = rng.normal(0, np.sqrt(ratio) * SPREAD, (n_people, 7))[person]
    return filmed((person, np.arange(len(person))), own + rng.normal(0, SPREAD, own.shape), rng)


def filmed(levels: tuple[np.ndarray, ...], leaning: np.ndarray, rng: np.random.Generator) -> Evidence:
    """Draw the faces of tracks of 2 to 8 s.

    Args:
        levels: (n,) of each track, what it belongs to, coarsest first.
        leaning: (n, 7) of each track, what is added to the logits of all its faces.
    """
    n = len(leaning)
    seconds = rng.integers(2, 9, n)
    kept = np.exp(-0.2 / 2)
    logits = np.empty((n, 40, 7))
    logits[:, 0] = rng.normal(0, SPREAD, (n, 7))
    for step in range(1, 40):
        logits[:, step] = kept * logits[:, step - 1]
        logits[:, step] += np.sqrt(1 - kept**2) * rng.normal(0, SPREAD, (n, 7))
    logits += (MEAN + leaning)[:, None]
    mass = softmax(logits).reshape(n, 8, 5, 7).sum(axis=2) * 0.2
    track = np.repeat(np.arange(n), seconds)
    second = np.concatenate([np.arange(long) for long in seconds])
    return Evidence((*(level[track] for level in levels), track), mass[track, second], np.ones(len(track)))


def intervals(
    evidence: Evidence, rng: np.random.Generator, views: Sequence[str] = VIEWS, resamples: int = 400
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield both ends of the seven intervals of a scene, of each view."""
    counts = resample(evidence, resamples, rng)
    once = [np.ones((1, drawn.shape[1]), np.int64) for drawn in counts]
    for view in views:
        yield interval(shares(evidence, once, view)[0], shares(evidence, counts, view), evidence.levels[0].max() + 1)


def covered(n_shots: int, ratio: int, n_scenes: int = 400) -> dict[str, float]:
    """Return, by view, how often an interval holds the true percentage, over simulated scenes and the seven."""
    rng = np.random.default_rng([n_shots, ratio])
    known = truth(ratio, rng)
    hits = [
        [((low <= known) & (known <= high)).mean() for low, high in intervals(scene(n_shots, ratio, rng), rng)]
        for _ in range(n_scenes)
    ]
    return dict(zip(VIEWS, np.mean(hits, axis=0).round(4).tolist(), strict=True))


def covered_people(n_people: int, ratio: int, n_scenes: int = 2000) -> float:
    """Return how often an interval of ``equal_actor`` holds the true percentage."""
    rng = np.random.default_rng([n_people, ratio, 1])
    known = truth(1 + ratio, rng)
    hits = [
        ((low <= known) & (known <= high)).mean()
        for _ in range(n_scenes)
        for low, high in intervals(cast(n_people, ratio, rng), rng, (EQUAL_ACTOR,))
    ]
    return round(float(np.mean(hits)), 4)


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
    compared = comparison.of_run(run)
    if compared is None:
        raise ValueError("the run has no sheet of intentions")
    rows, first = comparison.headline(compared)
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
    """Make up a film of scenes of 72 s, ten shots of two tracks each, and an intention a scene: a hundred are 2 h."""
    rng = np.random.default_rng(0)
    n_shots = 10 * n_scenes
    track = np.repeat(np.arange(2 * n_shots), 20)  # faces, five a second
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
        run={},
        **{name: empty(name) for name in ("frames", "faces", "pictures")},
    )


def seconds(run: Analysis) -> dict[str, float]:
    """Time the percentages with their intervals, and the comparison; the fastest of three, in processor seconds."""
    taken: dict[str, float] = {}
    for _ in range(3):
        began = time.process_time()
        summarise(run.expressions, run.samples, run.scenes, run.tracks)
        summed = time.process_time()
        comparison.of_run(run)
        compared = time.process_time()
        for name, value in (("percentages", summed - began), ("comparison", compared - summed)):
            taken[name] = round(min(value, taken.get(name, value)), 3)
    return taken


def main() -> int:
    """Measure, print, write the results; 1 where something promised does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, help="an analysed film with a sheet, whose intentions are shuffled too")
    options = parser.parse_args()
    coverage = [
        {"shots": n_shots, "between": ratio, **covered(n_shots, ratio)} for n_shots in SHOTS for ratio in RATIOS
    ]
    hundred = film_of(100)
    skill = {"made-up film of 14 scenes": shuffled(film_of(14))}
    if options.run is not None:
        skill[options.run.name] = shuffled(analysis.load(options.run))
    measured: dict[str, Any] = {
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
    """Tell whether all that is promised holds; of fewer than five shots or people nothing is."""
    low, high = PROMISED
    rows = [row for row in measured["coverage"] if row["shots"] >= LEAST_UNITS]
    of_people = [row for row in measured["coverage_people"] if row["people"] >= LEAST_UNITS]
    return (
        all(low <= row[view] <= high for row in rows for view in VIEWS)
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
