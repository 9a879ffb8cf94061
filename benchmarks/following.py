"""What following faces costs in accuracy: against a full search, and a reading of its own, at every sample.

python -m benchmarks.following                      # all clips of SCENEFER_FILMS
python -m benchmarks.following testfilm_720p25.mp4
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.film import FILMS
from benchmarks.scoring import paired
from scenefer.analysis import result
from scenefer.analysis.result import Analysis
from scenefer.core import geometry

RESULTS = Path(__file__).parent / "results" / "following.json"
SUFFIXES = (".mp4", ".mkv", ".mov", ".webm", ".mpg")
LEAST_KEPT = 0.98  # of the face time
MOST_MOVED = 2.0  # points of a scene's percentages
SAME = 0.5  # intersection over union of two boxes of one face
LEAST_SECONDS = 3.0  # of faces, in scenes whose percentages are compared
_SEARCHED = "[observation]\nsearch_every = 0.01\n"


class Difference(NamedTuple):
    """One clip, followed and searched."""

    clip: str
    face_seconds: float  # of usable faces in the full search
    kept: float  # of them, seconds in which the followed run has the same face, usable too
    invented: float  # seconds of usable faces that the full search has not
    scenes: int
    moved: float  # the greatest difference of a scene's percentages of screen time, points; 0 without scenes


def analyse(clips: Sequence[Path], work: Path, profile: str, plan: str) -> dict[str, Analysis]:
    """Analyse clips under a plan, the text of a TOML file; the runs by the names of the clips."""
    work.mkdir(parents=True, exist_ok=True)
    file = work / "plan.toml"
    file.write_text(plan, encoding="utf-8")
    command = [sys.executable, "-m", "scenefer", "analyze", *map(str, clips), "--plan", str(file), "--profile", profile]
    command += ["--out", str(work / "out"), "--data", str(work / "data")]
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
        raise SystemExit("following: scenefer analyze failed; every clip must be read")
    runs = [result.load(record.parent) for record in sorted((work / "out").glob("*/run.json"))]
    return {run.film.path.name: run for run in runs}


def compare(searched: Analysis, followed: Analysis) -> Difference:
    """Hold a run that follows faces against one that searches every sample."""
    theirs, ours = _usable(searched), _usable(followed)
    kept = 0.0
    for time, faces in theirs.groupby("time"):
        here = ours[(ours["time"] - time).abs() < 1e-4]
        overlaps = geometry.iou(*(boxes[["x0", "y0", "x1", "y1"]].to_numpy(float) for boxes in (faces, here)))
        kept += paired(overlaps, SAME) * faces["weight"].iloc[0]
    seconds = float(theirs["weight"].sum())
    moved = [
        float(np.abs(table["percent_theirs"] - table["percent_ours"]).max())
        for _, table in _percentages(searched, followed).groupby("scene")
    ]
    invented = max(0.0, float(ours["weight"].sum()) - kept)
    return Difference(searched.film.path.name, seconds, kept, invented, len(moved), max(moved, default=0.0))


def _usable(run: Analysis) -> Any:
    faces = run.expressions.merge(run.faces[["face", "x0", "y0", "x1", "y1"]], on="face")
    return faces[faces["usable"].astype(bool)]


def _percentages(searched: Analysis, followed: Analysis) -> Any:
    tables = [run.scene_emotions[run.scene_emotions["view"] == "screen_time"] for run in (searched, followed)]
    both = tables[0].merge(tables[1], on=["scene", "emotion"], suffixes=("_theirs", "_ours"))
    return both[both["face_seconds_theirs"] >= LEAST_SECONDS].dropna(subset=["percent_theirs", "percent_ours"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, record; 1 where a bound is broken."""
    parser = argparse.ArgumentParser(prog="following", description=__doc__)
    parser.add_argument("clips", nargs="*", help="names of clips; none = all")
    parser.add_argument("--profile", default="standard")
    parser.add_argument("--work", type=Path, help="keep runs and cache here, so that a second call is quick")
    options = parser.parse_args(arguments)
    clips = [clip for clip in sorted(FILMS.iterdir()) if clip.suffix in SUFFIXES]
    clips = [clip for clip in clips if not options.clips or clip.name in options.clips]
    with tempfile.TemporaryDirectory() as scratch:
        work = options.work or Path(scratch)
        searched = analyse(clips, work / "searched", options.profile, _SEARCHED)
        followed = analyse(clips, work / "followed", options.profile, "")
    found = [compare(searched[name], followed[name]) for name in sorted(searched)]
    return tell(found, options.profile, keep=not options.clips)


def tell(found: Sequence[Difference], profile: str, *, keep: bool) -> int:
    """Print what was measured, and keep it beside what was measured of other profiles."""
    table = Table("clip", "face s", "kept", "invented s", "scenes", "moved, points", title=f"followed, {profile}")
    for one in found:
        kept = f"{one.kept / one.face_seconds:.3f}" if one.face_seconds else "·"
        table.add_row(
            one.clip, f"{one.face_seconds:.1f}", kept, f"{one.invented:.1f}", f"{one.scenes}", f"{one.moved:.1f}"
        )
    share = sum(one.kept for one in found) / sum(one.face_seconds for one in found)
    moved = max(one.moved for one in found)
    Console(width=120).print(table)
    print(f"face time kept {share:.4f}, at least {LEAST_KEPT}; scenes moved {moved:.1f} points, at most {MOST_MOVED}")
    if keep:
        earlier = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}
        measured = {"kept": share, "moved": moved, "clips": [one._asdict() for one in found]}
        RESULTS.write_text(json.dumps({**earlier, profile: measured}, indent=1) + "\n", encoding="utf-8")
    return 0 if share >= LEAST_KEPT and moved <= MOST_MOVED else 1


if __name__ == "__main__":
    sys.exit(main())
