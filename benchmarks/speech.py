"""`python -m benchmarks.speech --work DIR`: what speaking does to the reading of faces, and what reading them beside
their words is worth.

The annotated clips are analysed without and with ``--dense``. On those of people who talk, the probabilities that faces
are given as they look are compared between open and shut mouths of the same clip. Writes ``results/speech.json``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import film_time, scoring, truth
from scenefer.analysis.mouths import MouthSettings
from scenefer.analysis.result import Analysis
from scenefer.core.schema import EMOTIONS

RESULTS = Path(__file__).parent / "results" / "speech.json"
TALKING = ("talk_", "sign_")  # how the names of clips begin in which people talk
SHOWN = ("neutral", "surprise", "happy", "sad")


def mouths_apart(as_it_looks: Analysis, dense: Analysis) -> dict[str, Any]:
    """Average the probabilities of a clip's usable faces with open and with shut mouths, in percent."""
    opening = dense.faces.set_index("face")["mouth_open"]
    usable = as_it_looks.expressions.loc[as_it_looks.expressions["usable"]]
    wide = usable["face"].map(opening)
    apart = {}
    for name, chosen in (("open", wide >= MouthSettings().open), ("shut", wide < MouthSettings().open)):
        means = usable.loc[chosen, list(EMOTIONS)].mean()
        apart[name] = {"n": int(chosen.sum()), **{one: round(100 * float(means[one]), 1) for one in EMOTIONS}}
    return {**apart, "speaking": round(float(np.nanmean(dense.tracks["speaking"])), 2)}


def per_clip(clips: Sequence[truth.Clip]) -> dict[str, float]:
    """Return the share of each clip's face time that is read right, where any is annotated."""
    shares = {}
    for clip in clips:
        seconds = sum(one.face_seconds for one in clip.segments)
        if seconds:
            shares[clip.truth.clip] = round(sum(one.right_seconds for one in clip.segments) / seconds, 4)
    return shares


def measure(work: Path) -> dict[str, Any]:
    """Analyse the clips both ways and compare them."""
    truths = [scoring.read_truth(path) for path in sorted((truth.FILMS / "truth").glob("*.json"))]
    films = [truth.FILMS / one.clip for one in truths]
    runs = {"as it looks": truth.run_product(films, work, "standard")}
    runs["beside its words"] = truth.run_product(films, work, "standard", "--dense")
    measured: dict[str, Any] = {"ways": {}, "talking": {}}
    for way, analysed in runs.items():
        clips = [truth.score(one, run) for one, run in zip(truths, analysed, strict=True)]
        told = [segment for clip in clips for segment in clip.segments]
        measured["ways"][way] = {"film_time": film_time.plain(film_time.film_time(told)), "clips": per_clip(clips)}
    for one, *both in zip(truths, *runs.values(), strict=True):
        if one.clip.startswith(TALKING):
            measured["talking"][one.clip] = mouths_apart(*both)
    return measured


def table(measured: dict[str, Any]) -> str:
    """Write both comparisons."""
    lines = ["| a speaking face is read | face time right | of the annotated emotion alone | macro-recall | segments |"]
    lines.append("|---|---|---|---|---|")
    for way, figures in measured["ways"].items():
        seen = figures["film_time"]
        shares = " | ".join(f"{seen[name]['value']:.1%}" for name in ("right", "exact", "macro_recall"))
        lines.append(f"| {way} | {shares} | {seen['segments_right']} |")
    looks, beside = (figures["clips"] for figures in measured["ways"].values())
    gained = [
        f"`{Path(clip).stem}` {looks[clip]:.1%} to {beside[clip]:.1%}" for clip in looks if looks[clip] != beside[clip]
    ]
    lines += ["", f"Clips that change: {', '.join(gained)}." if gained else "No clip changes.", ""]
    lines.append(f"| clip | speaks | mouth | faces | {' | '.join(SHOWN)} |")
    lines.append(f"|---|---|---|---|{'---|' * len(SHOWN)}")
    for clip, apart in measured["talking"].items():
        for mouth in ("open", "shut"):
            one = apart[mouth]
            cells = " | ".join(f"{one[emotion]:.0f}%" if one["n"] else "" for emotion in SHOWN)
            lines.append(f"| `{Path(clip).stem}` | {apart['speaking']:.0%} | {mouth} | {one['n']} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, write the results, print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder for the clips' runs")
    measured = measure(parser.parse_args().work)
    RESULTS.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(table(measured))


if __name__ == "__main__":
    main()
