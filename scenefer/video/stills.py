"""Stills and folders of stills as films: picture k is the frame at k seconds."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Generator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from scenefer.errors import FilmError, PlanError
from scenefer.film import Film, film_id, shown
from scenefer.video.container import check_size
from scenefer.video.frame import ReaderNotes

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM")
_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"})
_UNREADABLE = (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError)
_ORIENTATION = 0x0112  # EXIF


def probe_still(path: Path) -> Film | None:
    """Read the header of a picture; None if the file is no picture.

    Raises:
        FilmError: it declares a size that cannot be meant.
    """
    size = _displayed_size(path)
    if size is None:
        return None
    return Film(path, film_id(path), *size, duration=1.0, frame_rate=Fraction(1), kind="still", stills=(path,))


def probe_folder(path: Path) -> Film:
    """Read the headers of the pictures in a folder, sorted as people count: 2 before 10.

    Raises:
        PlanError: the folder has no picture.
        FilmError: it has, but none can be read.
    """
    pictures = sorted((p for p in path.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file()), key=_natural)
    if not pictures:
        raise PlanError(f"{shown(path)} has no pictures; give a film, a picture, or a folder of pictures")
    sizes = {picture: _displayed_size(picture) for picture in pictures}
    good = tuple(picture for picture in pictures if sizes[picture])
    if not good:
        raise FilmError(f"{shown(path)} is not readable: none of its {len(pictures)} pictures can be opened")
    broken = [shown(Path(picture.name)) for picture in pictures if not sizes[picture]]
    digest = hashlib.sha256()
    for picture in good:
        digest.update(film_id(picture).encode())
    width, height = sizes[good[0]] or (0, 0)
    return Film(
        path,
        digest.hexdigest()[:16],
        width,
        height,
        duration=float(len(good)),
        frame_rate=Fraction(1),
        kind="stills",
        stills=good,
        warnings=(f"damaged: pictures left out: {', '.join(broken)}",) if broken else (),
    )


def pictures(film: Film, notes: ReaderNotes) -> Generator[tuple[float, np.ndarray], None, None]:
    """Yield film time and pixels (H, W, 3) uint8 of each picture; a picture of another shape is letterboxed."""
    for k, path in enumerate(film.stills):
        try:
            yield float(k), _fitted(_pixels(path), film.width, film.height)
        except _UNREADABLE as error:
            if film.kind == "still":
                raise FilmError(f"{shown(path)} is not readable: the picture is damaged; copy it again") from error
            notes.damage(float(k), shown(Path(path.name)))


def _displayed_size(path: Path) -> tuple[int, int] | None:
    try:
        with warnings.catch_warnings():
            # Our own limit is below Pillow's error, above its warning.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as picture:
                width, height = picture.size
                if picture.getexif().get(_ORIENTATION, 1) >= 5:
                    width, height = height, width
    except Image.DecompressionBombError as error:
        raise FilmError(f"{shown(path)} declares more pixels than a picture can have; scale it down first") from error
    except _UNREADABLE:
        return None
    check_size(path, width, height)
    return width, height


def _pixels(path: Path) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        with Image.open(path, formats=_FORMATS) as stored:
            picture = ImageOps.exif_transpose(stored)
            if picture.mode.startswith("I"):  # 16 bit grey
                return Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
            return picture.convert("RGB")


def _fitted(picture: Image.Image, width: int, height: int) -> np.ndarray:
    if picture.size != (width, height):
        picture = ImageOps.pad(picture, (width, height), Image.Resampling.BICUBIC, color="black")
    return np.array(picture)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in re.split(r"(\d+)", path.name)]
