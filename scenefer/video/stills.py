"""Stills and folders of stills as films: picture k is the frame at k seconds."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from scenefer.errors import FilmError, PlanError, printable
from scenefer.film import Film, film_id
from scenefer.finding import natural
from scenefer.video.container import check_size
from scenefer.video.frame import ReaderNotes

_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "PPM")
_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"})
_UNREADABLE = (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError)
_ORIENTATION = 0x0112  # EXIF
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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
    """Find the pictures in a folder, sorted as people count, 2 before 10; the first that can be opened gives the size.

    Raises:
        PlanError: the folder has no picture.
        FilmError: it has, but none can be opened.
    """
    found = [entry for entry in path.iterdir() if entry.suffix.lower() in _SUFFIXES and entry.is_file()]
    found.sort(key=lambda entry: natural(entry.name.lower()))
    if not found:
        raise PlanError(f"{printable(path)} has no pictures; give a film, a picture, or a folder of pictures")
    size = next((size for picture in found if (size := _size_or_none(picture))), None)
    if size is None:
        raise FilmError(f"{printable(path)} is not readable: none of its {len(found)} pictures can be opened")
    digest = hashlib.sha256()
    for picture in found:
        digest.update(film_id(picture).encode())
    return Film(
        path,
        digest.hexdigest()[:16],
        *size,
        duration=float(len(found)),
        frame_rate=Fraction(1),
        kind="stills",
        stills=tuple(found),
    )


def pictures(film: Film, notes: ReaderNotes) -> Generator[tuple[float, np.ndarray], None, None]:
    """Yield film time and pixels (H, W, 3) uint8 of each picture; a picture of another shape is letterboxed.

    Raises:
        FilmError: a still is damaged; in a folder, such a picture is noted and left out.
    """
    for k, path in enumerate(film.stills):
        try:
            picture = None if _size_or_none(path) is None else _fitted(_pixels(path), film.width, film.height)
        except _UNREADABLE:
            picture = None
        if picture is not None:
            yield float(k), picture
        elif film.kind == "still":
            raise FilmError(f"{printable(path)} is not readable: the picture is damaged; copy it again")
        else:
            notes.damage(float(k), printable(Path(path.name)))


def _size_or_none(path: Path) -> tuple[int, int] | None:
    try:
        return _displayed_size(path)
    except FilmError:  # one picture that is too large does not refuse its folder
        return None


def _displayed_size(path: Path) -> tuple[int, int] | None:
    try:
        with _silence(), Image.open(path, formats=_FORMATS) as picture:
            width, height = picture.size
            if _orientation(picture) >= 5:
                width, height = height, width
    except Image.DecompressionBombError as error:
        raise FilmError(f"{printable(path)} declares more pixels than pictures have; scale it down first") from error
    except _UNREADABLE:
        return None
    check_size(path, width, height)
    return width, height


def _pixels(path: Path) -> Image.Image:
    with _silence(), Image.open(path, formats=_FORMATS) as stored:
        return displayed(stored)


def displayed(stored: Image.Image) -> Image.Image:
    """Return a picture as it is shown: RGB, turned as it asks for, 16 bit grey reduced to 8, on white."""
    # Not ImageOps.exif_transpose: it writes the tags anew, and fails where any of them is of a wrong type.
    turn = _UPRIGHT.get(_orientation(stored))
    picture = stored if turn is None else stored.transpose(turn)
    if picture.mode.startswith("I"):
        return Image.fromarray((np.asarray(picture).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")


def _orientation(picture: Image.Image) -> int:
    turn = picture.getexif().get(_ORIENTATION, 1)
    return turn if isinstance(turn, int) else 1


@contextmanager
def _silence() -> Generator[None, None, None]:
    """Keep Pillow from printing what it thinks of a picture: of its size, below our limit, and of damage."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        warnings.simplefilter("ignore", UserWarning)
        yield


def _fitted(picture: Image.Image, width: int, height: int) -> np.ndarray:
    if picture.size != (width, height):
        picture = ImageOps.pad(picture, (width, height), Image.Resampling.BICUBIC, color="black")
    return np.array(picture)
