"""A run's stored faces read again, with other weights: the film is not needed."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from scenefer import analysis
from scenefer import observation as seen
from scenefer import plan as plans
from scenefer.analysis import Analysis
from scenefer.errors import SceneferError
from scenefer.film import Span
from scenefer.models import calibration, records, zoo
from scenefer.pieces import versions
from scenefer.run import weights_record


def reclassify(folder: Path, weights: str, device: str = "auto") -> Analysis:
    """Read the stored faces of a run again, with other weights.

    Raises:
        SceneferError: the folder holds no run, or a run without pictures of its faces.
        WeightsError: the weights are unknown or damaged.
    """
    began = time.perf_counter()
    earlier = analysis.load(folder)
    if "forgotten" in earlier.run:
        raise SceneferError(
            f"`scenefer forget` deleted the pictures of faces in {folder} on {earlier.run['forgotten']}, so that other "
            f"weights have nothing to read; analyse the film again with --weights {weights}"
        )
    if earlier.faces["crop"].isna().any():
        raise SceneferError(f"{folder} keeps no pictures of faces; analyse the film again with --weights {weights}")
    plan = plans.from_record(earlier.run["settings"])
    plan = replace(plan, models=replace(plan.models, expression=weights, device=device))
    path = zoo.find_expression(weights)
    faces = seen.reclassify(
        earlier.faces,
        zoo.load_expression(path, zoo.choose_device(device), mirrored=plan.observation.mirrored),
    )
    observed = seen.Observation(earlier.frames, faces, earlier.pictures)
    start, end = earlier.run["span"]
    span = Span(start, float("inf") if end is None else end)
    result = analysis.analyse(
        earlier.film,
        observed,
        calibration(zoo.describe(path)),
        plan,
        span,
        known_scenes=earlier.scenes,
        known_tracks=earlier.tracks,
    )
    run = {
        **earlier.run,
        "coverage": result.run["coverage"],
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "settings": asdict(plan),
        "plan": plans.identity(plan),
        "weights": weights_record(plan, path),
        "timings": {"reclassify_s": round(time.perf_counter() - began, 3)},
    }
    if "made_of" in run:  # a batch that reads with the earlier weights makes it anew
        run["made_of"] = {**run["made_of"], "expression": plans.expression_id(plan, records.sha256_of(path))}
    return replace(result, run=run, sheet=earlier.sheet, vectors=earlier.vectors)
