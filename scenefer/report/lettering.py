"""Draw text into pictures."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont


@lru_cache(maxsize=2048)
def text(said: str, size: int, bold: bool, colour: tuple[int, int, int], widest: int | None = None) -> np.ndarray:
    """Render one line of text as (h, w, 4) uint8 RGBA; texts of one size have the same height; cut to ``widest`` px."""
    font = font_of(size, bold)
    said = " ".join(said.split())
    while widest is not None and len(said) > 1 and font.getlength(said) > widest:
        said = said[:-2].rstrip() + "…"
    ascent, descent = font.getmetrics()
    canvas = Image.new("RGBA", (max(1, round(font.getlength(said))), ascent + descent), (*colour, 0))
    ImageDraw.Draw(canvas).text((0, 0), said, font=font, fill=(*colour, 255))
    return np.asarray(canvas)


def paste(picture: np.ndarray, written: np.ndarray, left: int, top: int) -> None:
    """Paste a text (h, w, 4) uint8 onto the picture; parts beyond its edges are cut off."""
    left, top = max(0, left), max(0, top)
    part = picture[top : top + written.shape[0], left : left + written.shape[1]]
    written = written[: part.shape[0], : part.shape[1]]
    alpha = written[:, :, 3:] / 255.0
    part[:] = (part * (1 - alpha) + written[:, :, :3] * alpha).astype(np.uint8)


@lru_cache(maxsize=64)
def font_of(size: int, bold: bool) -> FreeTypeFont:
    """Load DejaVu Sans, which matplotlib brings along: Latin, Greek, Cyrillic, Arabic and more."""
    from matplotlib import get_data_path

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / name), max(8, size))
