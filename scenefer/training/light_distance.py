"""Faces farther away and in less light: which detector finds them still, and are they read rightly?

Pictures whose expression is known are made as small as a face at a distance would be, and as dark and grainy as a
sensor would see them. A face 16 cm wide at d metres is 0.16 · 640 / (2 · tan 30° · d) pixels wide in a picture of 640
that shows 60°. Light follows the photons: at 150 lux a white pixel collects 4,000 electrons, in less light as many
fewer; shot noise and 6 electrons of the read-out are added, and nothing is brightened again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from scenefer.core import geometry
from scenefer.core.errors import FilmError
from scenefer.core.schema import EMOTIONS
from scenefer.models import ExpressionModel, FaceDetector, framing, registry
from scenefer.models.expression import blending
from scenefer.models.selftest import PORTRAIT
from scenefer.training.measures import wilson
from scenefer.video import frames, probe

DETECTORS = ("haar", "mtcnn", "yunet")
DISTANCES = (0.3, 0.5, 0.75, 1.0, 1.5, 2.0)  # metres
LIGHTS = {"150 lux (over 100)": 150.0, "50 lux (20 to 99)": 50.0, "10 lux (under 20)": 10.0}
WIDTH, HEIGHT, VIEW, FACE = 640, 480, math.radians(60), 0.16  # px, px, angle, metres
ELECTRONS, READ_OUT = 4000.0, 6.0  # of white at 150 lux; deviation
SMALLEST = 24  # px, that the detectors look for, as in films
FRAMES = 4  # of a clip, evenly spread
_WORD = re.compile(rf"(?:^|_)({'|'.join(EMOTIONS)}|sadness)(?=_|$)")


class Known(NamedTuple):
    """A picture with one face whose expression is known."""

    picture: np.ndarray  # (H, W, 3) uint8 RGB
    middle: tuple[float, float]  # of the face, px
    width: float  # of its box, px
    emotion: int


def run(folders: Sequence[Path], progress: Callable[[str, int, int], None] = lambda *_: None) -> pd.DataFrame:
    """Measure all detectors at all distances in all lights.

    Args:
        folders: with clips that are named by what they show (``acted_happy_1.mp4``); the portrait that ships is used
            in any case.

    Returns:
        A row a detector, distance and light: pictures, shares found and found and read rightly, with 95 % intervals,
        which are narrower than they should be: they take the pictures of one clip as independent.
    """
    finders = {name: registry.load_detector(name, smallest_face=SMALLEST) for name in DETECTORS}
    known = list(_known(folders, finders["yunet"]))
    model = registry.load_expression("rmn_face")
    rows = []
    for number, (light, lux) in enumerate(LIGHTS.items()):
        for farther, distance in enumerate(DISTANCES):
            progress(
                f"{light}, {100 * distance:.0f} cm", number * len(DISTANCES) + farther, len(LIGHTS) * len(DISTANCES)
            )
            draws = np.random.default_rng([number, farther])
            seen = [seen_at(one, distance, lux, draws) for one in known]
            for name, detector in finders.items():
                answers = [_read(picture, detector, model) for picture, _ in seen]
                found = sum(answer is not None for answer in answers)
                right = sum(answer == one.emotion for answer, one in zip(answers, known, strict=True))
                row = {"detector": name, "light": light, "lux": lux, "distance": distance, "n": len(known)}
                for key, hits in (("found", found), ("right", right)):
                    low, high = wilson(hits, len(known))
                    row |= {key: hits / len(known), f"{key}_low": low, f"{key}_high": high}
                rows.append(row)
    return pd.DataFrame(rows)


def seen_at(known: Known, distance: float, lux: float, draws: np.random.Generator) -> tuple[np.ndarray, float]:
    """Show a face as a camera sees it: (480, 640, 3) uint8 RGB, and the width of its box in it, px."""
    width = FACE * WIDTH / (2 * math.tan(VIEW / 2) * distance)
    scale = width / known.width
    (x, y), picture = known.middle, known.picture
    if scale < 1:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale)
    matrix = np.array([[scale, 0, WIDTH / 2 - scale * x], [0, scale, HEIGHT / 2 - scale * y]])
    placed = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    linear = (placed.astype(np.float64) / 255) ** 2.2 * min(1.0, lux / 150)
    electrons = draws.poisson(linear * ELECTRONS) + draws.normal(0, READ_OUT, linear.shape)
    return (255 * (np.clip(electrons / ELECTRONS, 0, 1)) ** (1 / 2.2)).round().astype(np.uint8), width


def _read(picture: np.ndarray, detector: FaceDetector, model: ExpressionModel) -> int | None:
    """Read the face in the middle of a picture: its strongest expression, None where none is found there."""
    boxes, landmarks, _ = detector.detect([picture])[0]
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    apart = np.abs(middles - (WIDTH / 2, HEIGHT / 2)).max(axis=1, initial=0)
    here = np.flatnonzero(apart < (boxes[:, 2] - boxes[:, 0]) / 2)
    if not len(here):
        return None
    row = here[:1]
    crops, framed, _ = geometry.cut_out(picture, boxes[row], landmarks[row])
    logits = model.logits(crops, framing.squares(framed, detector.name))
    return int(blending.probabilities(logits, model.calibration)[0].argmax())


def _known(folders: Sequence[Path], detector: FaceDetector) -> Iterator[Known]:
    """Yield the portrait, and pictures of clips that are named by one expression; their largest face is the one."""
    portrait = np.asarray(Image.open(PORTRAIT).convert("RGB"))
    pictures = [(portrait, EMOTIONS.index("happy"))]
    for path in sorted(path for folder in folders for path in folder.iterdir() if path.is_file()):
        words = {"sad" if word == "sadness" else word for word in _WORD.findall(path.stem)}
        if len(words) == 1:
            emotion = EMOTIONS.index(words.pop())
            pictures += [(picture, emotion) for picture in _spread(path)]
    for picture, emotion in pictures:
        boxes = detector.detect([picture])[0].boxes
        if len(boxes):
            left, top, right, bottom = max(boxes.tolist(), key=lambda box: box[2] - box[0])
            yield Known(picture, ((left + right) / 2, (top + bottom) / 2), right - left, emotion)


def _spread(path: Path) -> list[np.ndarray]:
    """Read pictures of a clip, from the middle of as many equal parts; a file that is no film has none."""
    try:
        film = probe(path)
    except FilmError:
        return []
    if film.duration is None:
        return []
    edges = np.linspace(0, film.duration, FRAMES + 1)
    wanted = [(first + last) / 2 for first, last in pairwise(edges)]
    found: list[np.ndarray] = []
    for frame in frames(film, sample_rate=None, threads=1):
        if frame.time >= wanted[len(found)] and frame.pixels is not None:
            found.append(np.array(frame.pixels))
        if len(found) == len(wanted):
            break
    return found
