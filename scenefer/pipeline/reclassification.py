"""Classify the stored faces of a run again with other weights; the film is not needed."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scenefer.analysis import observation, stages
from scenefer.analysis.result import Analysis
from scenefer.core.errors import SceneferError
from scenefer.core.film import Span
from scenefer.models import calibration, registry, weight_files
from scenefer.pipeline import edited_runs, plans
from scenefer.pipeline.chunks import versions
from scenefer.pipeline.film_analysis import weights_record


def reclassify(folder: Path, weights: str, device: str = "auto") -> Analysis:
    """Read the stored faces of a run again, with other weights; what was corrected by hand applies to the new shares.

    Raises:
        SceneferError: the folder holds no run, or a run without pictures of its faces.
        WeightsError: the weights are unknown or damaged.
    """
    began = time.perf_counter()
    earlier = edited_runs.measured(folder)
    _require_faces(earlier, folder, weights)
    plan = plans.from_record(earlier.run.get("settings", {}))
    plan = replace(plan, models=replace(plan.models, expression=weights, device=device))
    path = registry.find_expression(weights)
    faces = observation.reclassify(
        earlier.faces,
        registry.load_expression(path, registry.choose_device(device), mirrored=plan.observation.mirrored),
        plan.observation.detector,
    )
    observed = observation.Observation(earlier.frames, faces, earlier.pictures)
    start, end = earlier.run.get("span", (0.0, None))
    span = Span(start or 0.0, float("inf") if end is None else end)
    analysed = stages.compute_analysis(
        earlier.film,
        observed,
        calibration(registry.describe(path)),
        plan,
        span,
        earlier=earlier,
    )
    read = replace(
        analysed,
        run=_record(earlier, analysed, plan, path, time.perf_counter() - began),
        sheet=earlier.sheet,
        vectors=earlier.vectors,
        validation_sample=earlier.validation_sample,
    )
    return edited_runs.with_kept(read, folder)


def _require_faces(earlier: Analysis, folder: Path, weights: str) -> None:
    """Check that a run keeps the pictures of its faces."""
    if "forgotten" in earlier.run:
        raise SceneferError(
            f"`scenefer forget` deleted the pictures of faces in {folder} on {earlier.run['forgotten']}, so that other "
            f"weights have nothing to read; analyse the film again with --weights {weights}"
        )
    if earlier.faces["crop"].isna().any():
        raise SceneferError(f"{folder} keeps no pictures of faces; analyse the film again with --weights {weights}")


def _record(earlier: Analysis, analysed: Analysis, plan: plans.Plan, weights: Path, seconds: float) -> dict[str, Any]:
    """Write the run's record anew: what depends on the weights; the rest stays."""
    run = {
        **earlier.run,
        "coverage": analysed.run["coverage"],
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "settings": asdict(plan),
        "plan": plans.plan_id(plan),
        "weights": weights_record(plan, weights),
        "timings": {"reclassify_s": round(seconds, 3)},
    }
    run.pop("judged", None)  # people judged what the earlier weights read
    run.pop("validation", None)  # it is about the earlier weights; the sample stays, and can be evaluated again
    if "made_of" in run:  # so a batch with the earlier weights makes the report again
        run["made_of"] = {**run["made_of"], "expression": plans.expression_id(plan, weight_files.sha256_of(weights))}
    return run
