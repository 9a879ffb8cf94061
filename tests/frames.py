"""Tables FRAMES, of pictures made by hand and of real films."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from scenefer.analysis import frame_features
from scenefer.video import frames, probe
from tests.builders import frames_table


def frames_of(pictures: list[np.ndarray], rate: float = 25, time: list[float] | None = None) -> pd.DataFrame:
    """Frames that show ``pictures`` (9, 16); the cut score is the mean difference of brightness, half the range = 1."""
    shown = [np.clip(np.round(picture), 0, 255) for picture in pictures]
    scores = [None, *(min(float(np.abs(b - a).mean()) / 128, 1.0) for a, b in pairwise(shown))]
    return frames_table(
        time=time or [k / rate for k in range(len(shown))],
        cut_score=scores,
        signature=[picture.astype(np.uint8).tobytes() for picture in shown],
    )


def looked_at(path: Path, hold: float = 1) -> pd.DataFrame:
    """Table FRAMES of a real film, its pictures held for ``hold`` frames each."""
    read = [(frame.time, frame.small) for frame in frames(probe(path), sample_rate=None)]
    shown = [read[int(int(k / hold + 1e-9) * hold + 1e-9)][1] for k in range(len(read))]
    changes = [None, *(0.0 if b is a else frame_features.compare(a, b) for a, b in pairwise(shown))]
    signatures = [frame_features.essence(picture).signature for picture in shown]
    return frames_table(time=[time for time, _ in read], cut_score=changes, signature=signatures)
