"""A cache made by hand: chunks that are finished, and claims on others."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from scenefer.core import tables
from scenefer.core.film import Span
from scenefer.pipeline import observation_cache
from tests.builders import frames_table

INF = float("inf")


def finished(data: Path, film: str, span: Span, *, name: str = "film.mkv") -> Path:
    """A chunk that is done, four seconds of frames from its begin; no faces, no pictures."""
    times = [max(span.start, 0.0) + k for k in range(5)]
    folder = observation_cache.chunk_folder(data, film, "a" * 12, span)
    end = None if span.end == INF else span.end
    folder.mkdir(parents=True)
    tables.write(folder / "frames.parquet", frames_table(time=times), "frames")
    manifest = {"film_id": film, "film": f"films/{name}", "span": [span.start, end], "settings": {"sample_rate": 2.0}}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "expression_id": "e" * 12, "files": {}, "notes": {}}))
    return folder


def claimed(data: Path, film: str, span: Span, *, age: float = 0.0, suffix: str = ".claim-1") -> Path:
    folder = observation_cache.chunk_folder(data, film, "a" * 12, span)
    claim = folder.with_name(folder.name + suffix)
    claim.mkdir(parents=True)
    os.utime(claim, (time.time() - age,) * 2)
    return claim
