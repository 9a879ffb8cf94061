"""Measure guessed scenes: compare their boundaries with those of the best even division of the film.

The baseline divides into "every N shots", with the N that scores best on the same film (an oracle). A boundary is right
within one shot. Films: the annotated test film, and synthetic ones whose settings recur. The synthetic films follow the
same model of film as the grouping, so they show that it works as intended, not how well it works on real films.

    python -m benchmarks.scenes
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.film import FILMS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

RESULTS = Path(__file__).parent / "results" / "scenes.json"
SEEDS = range(20)
LEAD = 0.1  # minimum lead of the grouping over the oracle in F1, mean over all films
TWO_HOURS = 7200.0  # seconds
BETWEEN = (30, 200)  # expected range of the number of scenes of a film of two hours


class Shots(NamedTuple):
    """The input for guessing the scenes of a film, and where the scenes really begin."""

    shots: pd.DataFrame
    frames: pd.DataFrame
    people: pd.DataFrame | None
    truth: list[int]  # first shots of the scenes, except the first scene


def boundary_f1(found: Sequence[int], truth: Sequence[int]) -> float:
    """Compute the F1 of scenes' first shots, without the first scene; off by one is right; matching is one to one."""
    free, hits = set(found), 0
    for boundary in sorted(truth):
        near = [shot for shot in free if abs(shot - boundary) <= 1]
        if near:
            free.remove(min(near, key=lambda shot: (abs(shot - boundary), shot)))
            hits += 1
    return 2 * hits / max(1, len(found) + len(truth))


def best_even(n_shots: int, truth: Sequence[int]) -> float:
    """Return the F1 of "every N shots" for the best N (oracle)."""
    return max(boundary_f1(range(every, n_shots, every), truth) for every in range(1, min(n_shots, 50)))


def invented(seed: int, n_scenes: int) -> Shots:
    """Simulate a film.

    Half of the scenes return to one of the last six settings. A setting has two to four camera set-ups, between which a
    scene cuts; all settings share the film's look, and one shot in ten shows something else. A scene has two to four of
    the film's eight to twenty people; two of three shots show one or two of them.
    """
    import numpy as np
    import pandas as pd

    from scenefer.core.tables import conform

    rng = np.random.default_rng(seed)
    settings = _settings(rng)
    order: list[int] = []
    while len(order) < n_scenes:
        setting = int(rng.choice(order[-6:]) if order and rng.random() < 0.5 else rng.integers(len(settings)))
        if not order or setting != order[-1]:
            order.append(setting)
    truth: list[int] = []
    lengths: list[float] = []
    rows: list[dict[str, Any]] = []
    for setting in order:
        truth.append(len(lengths))
        for _ in range(min(1 + rng.geometric(0.1), 45)):
            palette, light = settings[setting][rng.integers(len(settings[setting]))]
            if rng.random() < 0.1:
                palette, light = _elsewhere(rng, settings[setting])
            palette, light = rng.dirichlet(palette * 60 + 0.02), light + rng.normal(0, 12, 144)
            start, length = sum(lengths), np.exp(rng.normal(1.3, 0.6))
            rows += [
                {
                    "time": start + offset,
                    "palette": np.round(rng.dirichlet(palette * 400 + 0.01) * 255).astype(np.uint8).tobytes(),
                    "signature": np.clip(light + rng.normal(0, 4, 144), 0, 255).astype(np.uint8).tobytes(),
                }
                for offset in np.arange(0.05, length, 0.5)[:4]
            ]
            lengths.append(length)
    ends = np.cumsum(lengths)
    shots = conform(
        {
            "shot": range(len(ends)),
            "start": [0.0, *ends[:-1]],
            "end": ends,
            "transition": ["start", *["cut"] * (len(ends) - 1)],
            "transition_start": None,
            "transition_end": None,
        },
        "shots",
    )
    frames = pd.DataFrame(rows).assign(cut_score=None, luma=100.0, sampled=True)
    return Shots(shots, conform(frames, "frames"), _cast(seed, truth, lengths), truth[1:])


def _settings(rng: np.random.Generator) -> list[list[tuple[np.ndarray, np.ndarray]]]:
    """Draw the settings of a film: of each set-up the shares of colours (44,), and light and dark (144,)."""
    import numpy as np

    look = rng.dirichlet(np.full(44, 0.3))
    settings = []
    for _ in range(rng.integers(6, 16)):
        base = 0.35 * look + 0.65 * rng.dirichlet(np.full(44, 0.15))
        light = rng.uniform(40, 200) + rng.normal(0, 20, 144)
        settings.append(
            [
                (
                    0.6 * base + 0.4 * rng.dirichlet(np.full(44, 0.15)),
                    0.4 * light + 0.6 * (rng.uniform(30, 220) + np.repeat(rng.normal(0, 45, 16), 9)),
                )
                for _ in range(rng.integers(2, 5))
            ]
        )
    return settings


def _elsewhere(
    rng: np.random.Generator, setting: Sequence[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    look = np.mean([palette for palette, _ in setting], axis=0)
    colours = 0.2 * look + 0.8 * rng.dirichlet(np.full(44, 0.15))
    return colours, rng.uniform(30, 220) + np.repeat(rng.normal(0, 45, 16), 9)


def _cast(seed: int, truth: Sequence[int], lengths: Sequence[float]) -> pd.DataFrame:
    """Draw who is seen in each shot: (shots, people) seconds."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng([seed, 1])  # a separate generator, so that the pictures do not depend on it
    seen = np.zeros((len(lengths), rng.integers(8, 21)))
    for begin, end in zip(truth, [*truth[1:], len(lengths)], strict=True):
        there = rng.choice(seen.shape[1], rng.integers(2, 5), replace=False)
        for shot in range(begin, end):
            if rng.random() < 2 / 3:
                seen[shot, rng.choice(there, rng.integers(1, 3), replace=False)] = lengths[shot] * rng.uniform(0.3, 1)
    return pd.DataFrame(seen)


def annotated(name: str = "testfilm_720p25") -> Shots:
    """Read the annotated film, with its detected shots and its scenes as annotated by a person."""
    import numpy as np
    import pandas as pd

    from scenefer import video
    from scenefer.analysis import frame_features
    from scenefer.analysis.shots import find_shots
    from scenefer.core.film import Span
    from scenefer.core.tables import conform

    told = json.loads((FILMS / "truth" / f"{name}.json").read_text(encoding="utf-8"))
    rows, previous = [], None
    for frame in video.frames(video.probe(FILMS / f"{name}.mp4"), Span(0, float("inf")), sample_rate=5):
        essence = frame_features.essence(frame.small)
        rows.append(
            {
                "time": frame.time,
                "cut_score": None if previous is None else frame_features.difference(previous, essence),
                "luma": essence.luma,
                "signature": essence.signature,
                "sampled": frame.sampled,
                "palette": frame_features.palette(frame.small) if frame.sampled else None,
            }
        )
        previous = essence
    frames = conform(pd.DataFrame(rows), "frames")
    shots = find_shots(frames)
    starts = shots["start"].to_numpy()
    rate = float(Fraction(told["fps"]))
    truth = [int(np.abs(starts - scene["start"] / rate).argmin()) for scene in told["scenes"]]
    return Shots(shots, frames, None, truth[1:])


def two_hours(seed: int) -> Shots:
    """Invent a film of two hours."""
    film = invented(seed, 260)
    n_shots = int((film.shots["end"] <= TWO_HOURS).sum())
    shots = film.shots.iloc[:n_shots]
    frames = film.frames[film.frames["time"] < shots["end"].iloc[-1]]
    people = None if film.people is None else film.people.iloc[:n_shots]
    return Shots(shots, frames, people, [shot for shot in film.truth if shot < n_shots])


def guess(film: Shots, *, with_people: bool, n_scenes: int = 0) -> list[int]:
    """Guess the scenes of a film; return their first shots, except the first scene's."""
    from scenefer.analysis.scenes import SceneSettings, group_shots

    people = film.people if with_people else None
    scenes = group_shots(film.shots, film.frames, SceneSettings(n_scenes=n_scenes), people)
    return scenes["first_shot"].tolist()[1:]


def measure(films: dict[str, Shots]) -> list[dict[str, Any]]:
    """Score every film: the oracle's even division, and our scenes from pictures and time, without and with people."""
    rows = []
    for name, film in films.items():
        pictures = guess(film, with_people=False)
        found = {"pictures": pictures, "people": guess(film, with_people=True)}
        given = guess(film, with_people=False, n_scenes=len(film.truth) + 1)
        rows.append(
            {
                "film": name,
                "shots": len(film.shots),
                "scenes": len(film.truth) + 1,
                "guessed": len(pictures) + 1,
                "every_n": best_even(len(film.shots), film.truth),
                **{kind: boundary_f1(boundaries, film.truth) for kind, boundaries in found.items()},
                "number_given": boundary_f1(given, film.truth),
            }
        )
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print and store the figures; return 1 if a limit is not met."""
    parser = argparse.ArgumentParser(prog="scenes", description="Measure what guessed scenes are worth.")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    films = {f"invented {seed}": invented(seed, n_scenes=20 + 2 * seed) for seed in SEEDS}
    if (FILMS / "testfilm_720p25.mp4").is_file():
        films = {"testfilm_720p25": annotated(), **films}
    rows = measure(films)
    table = Table(title="Boundaries of scenes, F1 within one shot", header_style="bold")
    for heading in ("film", "shots", "scenes", "guessed", "every N, oracle", "pictures", "and people", "number given"):
        table.add_column(heading, justify="left" if heading == "film" else "right")
    scored = ("every_n", "pictures", "people", "number_given")
    average = {kind: mean(row[kind] for row in rows) for kind in scored}
    for row in [*rows, {"film": "mean", "shots": "", "scenes": "", "guessed": "", **average}]:
        table.add_row(
            row["film"], *(str(row[k]) for k in ("shots", "scenes", "guessed")), *(f"{row[k]:.3f}" for k in scored)
        )
    long = [len(guess(two_hours(seed), with_people=False)) + 1 for seed in SEEDS]
    lead = average["pictures"] - average["every_n"]
    console = Console(width=110)
    console.print(table)
    console.print(f"lead over every N shots: {lead:.3f}, must be at least {LEAD}")
    console.print(f"scenes of {len(long)} films of two hours: {min(long)} to {max(long)}, must be {BETWEEN}")
    record = {"films": rows, "mean": average, "lead": lead, "two_hours": {"fewest": min(long), "most": max(long)}}
    options.results.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0 if lead >= LEAD and BETWEEN[0] <= min(long) and max(long) <= BETWEEN[1] else 1


if __name__ == "__main__":
    sys.exit(main())
