"""`python -m benchmarks.verdicts --work DIR`: what a director sees: how many verdicts are right?

Each annotated clip is given a sheet whose scenes are its annotated expressions, as a director would list them. Of every
scene, each of the seven emotions is intended in turn: where it is one that a viewer accepts, "as intended" is right and
"worth a look" wrong; where it is none, the other way round. Several blends of the network's heads are read. Writes
``results/verdicts.json``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from benchmarks import reading, scoring, truth
from benchmarks.reading import Choice
from benchmarks.scoring import Truth
from scenefer.analysis import stages
from scenefer.analysis.observation import Observation
from scenefer.analysis.result import Analysis
from scenefer.comparison import scene_comparison
from scenefer.comparison.verdicts import VERDICTS
from scenefer.comparison.wording import verdict_words
from scenefer.core.schema import EMOTIONS
from scenefer.models import Calibration, calibration, registry
from scenefer.pipeline import plans

RESULTS = Path(__file__).parent / "results" / "verdicts.json"
BLENDS = (0.0, 0.3, 0.5, 0.7, 0.9)  # shares of the head ferplus that are read beside what ships


class Scene(NamedTuple):
    """Adjacent segments of one annotated emotion, as one scene."""

    start: int  # frame
    end: int  # frame, exclusive
    emotion: str
    accepted: frozenset[str]


class Judged(NamedTuple):
    """The verdict on a scene if ``intended`` was; empty where there are too few faces."""

    clip: str
    emotion: str
    intended: str
    right: bool  # whether a viewer accepts what was intended
    verdict: str


def scenes_of(one: Truth) -> Iterator[Scene]:
    """Yield the scenes of a clip that show a face and one of the seven emotions."""
    scenes: list[Scene] = []
    for segment in one.segments:
        last = scenes[-1] if scenes else None
        start = max(segment.start, last.end) if last else segment.start  # two overlap in a dissolve
        if last and last.emotion == segment.emotion and last.end >= segment.start:
            scenes[-1] = last._replace(end=segment.end, accepted=last.accepted & segment.accepted)
        elif segment.shows_face and segment.emotion in EMOTIONS and start < segment.end:
            scenes.append(Scene(start, segment.end, segment.emotion, segment.accepted))
    yield from scenes


def sheet_of(run: Analysis, scenes: Sequence[Scene]) -> pd.DataFrame:
    """List scenes as a sheet does; what is intended stays open."""
    times = np.append(run.frames["time"].to_numpy(), float(run.shots["end"].iloc[-1]))
    last = len(times) - 1
    return pd.DataFrame(
        {
            "scene": [f"{number}" for number in range(len(scenes))],
            "start": [times[min(scene.start, last)] for scene in scenes],
            "end": [times[min(scene.end, last)] for scene in scenes],
            "intended": None,
            "character": None,
            "note": None,
        }
    )


def judge(one: Truth, run: Analysis, calibrated: Calibration) -> Iterator[Judged]:
    """Read the scenes of a clip's run by a calibration, and judge each by every intention."""
    scenes = list(scenes_of(one))
    if not scenes:
        return
    sheet, plan = sheet_of(run, scenes), plans.from_record(run.run.get("settings", {}))
    observed = Observation(run.frames, run.faces, run.pictures)
    read = stages.compute_analysis(run.film, observed, calibrated, plan, sheet=sheet)
    for emotion in EMOTIONS:
        compared = scene_comparison.of_run(replace(read, sheet=sheet.assign(intended=emotion)), plan.comparison)
        assert compared is not None  # something is intended
        rows = compared.table[(compared.table["view"] == "screen_time") & (compared.table["classes"] == "seven")]
        verdicts = rows.set_index("name")["verdict"]
        for number, scene in enumerate(scenes):
            found = verdicts.get(f"{number}")
            yield Judged(
                one.clip, scene.emotion, emotion, emotion in scene.accepted, found if isinstance(found, str) else ""
            )


def count(judged: Sequence[Judged]) -> dict[str, Any]:
    """Count verdicts where the annotated emotion was intended, and where one was that nobody accepts, per scene."""
    seen = [one for one in judged if one.verdict]
    shown = [one for one in seen if one.intended == one.emotion]
    other = [one for one in seen if not one.right]
    calm = [one for one in shown if one.emotion == "neutral"]
    return {
        "scenes": len(shown),
        "wrong": [f"{one.emotion} of {one.clip}" for one in shown if one.verdict == "mismatch"],
        "too_few_faces": sum(one.intended == one.emotion and not one.verdict for one in judged),
        **{
            name: {verdict: sum(one.verdict == verdict for one in some) for verdict in VERDICTS} | {"n": len(some)}
            for name, some in (("shown", shown), ("calm", calm), ("other", other))
        },
    }


def measure(work: Path, weights: str) -> dict[str, Any]:
    """Judge the scenes of all clips by what ships and by other blends."""
    truths = scoring.read_truths(truth.FILMS)
    runs = truth.run_product([truth.FILMS / one.clip for one in truths], work, "standard")
    metadata = registry.describe(registry.find_expression(weights))
    ships = calibration(metadata)
    ways = {"as it ships": ships}
    for share in BLENDS:
        for six in (False, True):
            if share or not six:
                ways[f"{share:g}" + (", the six by fer2013" if six else "")] = reading.blend(
                    metadata, Choice(share, six), ships.temperature
                )
    judged = {
        name: [one for clip, run in zip(truths, runs, strict=True) for one in judge(clip, run, way)]
        for name, way in ways.items()
    }
    judged["always neutral"] = [always_neutral(one) for one in judged["as it ships"]]
    return {name: count(some) for name, some in judged.items()}


def always_neutral(one: Judged) -> Judged:
    """Return the verdict of a reader that calls every face calm, and is sure."""
    return one._replace(verdict=one.verdict and ("match" if one.intended == "neutral" else "mismatch"))


def table(measured: Mapping[str, Any]) -> str:
    """Write a row a reading: verdicts on scenes that show what was intended, on calm ones of them, on others."""
    words = [verdict_words(verdict) for verdict in VERDICTS]
    first = next(iter(measured.values()))
    heads = (
        f"shows it, {first['shown']['n']} scenes: {' / '.join(words)}",
        f"of these calm, {first['calm']['n']}",
        "another was intended",
    )
    rows = [f"| share of `ferplus` | {' | '.join(heads)} |", "|---|---|---|---|"]
    for name, found in measured.items():
        cells = " | ".join(_shares(found[part]) for part in ("shown", "calm", "other"))
        rows.append(f"| {name} | {cells} |")
    return "\n".join(rows)


def lines(measured: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return rows for the documents: what is shown, by what ships, by the constant answer."""
    ships, constant = measured["as it ships"], measured["always neutral"]
    words = " / ".join(verdict_words(verdict) for verdict in VERDICTS)
    return [
        (name.format(n=ships[part]["n"], words=words), _shares(ships[part]), _shares(constant[part]))
        for part, name in (
            ("shown", "verdicts on {n} scenes that show what was intended: {words}"),
            ("calm", "of these on {n} calm scenes"),
        )
    ]


def _shares(counted: Mapping[str, int]) -> str:
    return " / ".join(f"{counted[verdict] / counted['n']:.0%}" for verdict in VERDICTS)


def main() -> None:
    """Measure, write the results, print the table."""
    parser = argparse.ArgumentParser(prog="verdicts", description=__doc__)
    parser.add_argument("--weights", default="rmn_face")
    parser.add_argument("--work", type=Path, required=True, help="folder for the clips' runs; a second call is quick")
    asked = parser.parse_args()
    measured = measure(asked.work, asked.weights)
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(table(measured))


if __name__ == "__main__":
    main()
